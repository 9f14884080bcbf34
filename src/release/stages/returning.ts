/** The way back is ordered; the endpoints have yet to prove it. Nothing else happens before that. */
import { recordFacts } from '../effects.ts';
import { convergence, readyCount } from '../endpoints.ts';
import type { Outcome } from '../facts.ts';
import { soonest } from '../look-again.ts';
import type { Effect, Verdict } from '../plan.ts';
import type { Command, Roles, StartedRevision } from '../roles.ts';
import { provable } from '../services.ts';
import type { Snapshot } from '../snapshot.ts';
import { groundwork, holdActive } from '../upkeep.ts';
import { backoff } from './backoff.ts';
import { PATIENCE_MS } from './give-way.ts';

/** Reasons that say nothing against the revision itself. */
const BLAMELESS = new Set(['SwitchNotConverged', 'ServiceRefused', 'CredentialsNotPublished', 'Reverted']);

/** Of these, what tells of the switch alone: it is tried again by itself, and is no reason any more once the switch is proven. */
export const OF_THE_SWITCH: ReadonlySet<string> = new Set([
  'SwitchNotConverged',
  'ServiceRefused',
  'CredentialsNotPublished',
]);

export function returning(snapshot: Snapshot, roles: Roles): Verdict {
  const { command, loser } = roles;
  if (command === undefined || loser === undefined)
    return { phase: 'RollingBack', reason: 'Nothing', message: 'no rollback is under way' };
  const { color } = command;
  const behind = provable(snapshot, roles).find(
    (service) => !convergence(snapshot, service, color, 1).converged,
  );
  if (behind !== undefined && !isInVain(snapshot, roles, command)) {
    const { ready, foreign } = convergence(snapshot, behind, color, 1);
    const until = command.decidedAt === undefined ? undefined : command.decidedAt + PATIENCE_MS;
    return {
      phase: 'RollingBack',
      reason: 'WaitingForEndpoints',
      message: `the traffic goes back to ${color} (revision ${command.revision.name}): Service "${behind.name}" has ${ready} ready ${color} endpoints and ${foreign} of other pods`,
      effects: [...holdActive(snapshot, roles), ...groundwork(snapshot)],
      stalled: ready === 0,
      ...soonest(snapshot.now, [until]),
    };
  }
  const [reason, why] = split(command.reason);
  const state = behind === undefined ? '' : ', of which no pod is ready';
  const message = `the traffic is back on ${color} (revision ${command.revision.name})${state}: ${why}`;
  return {
    phase: 'RolledBack',
    reason: 'RolledBack',
    message,
    effects: [recordLoss(snapshot, loser, { kind: 'RolledBack', at: snapshot.now, reason, message: why })],
  };
}

/**
 * The side that the traffic went back to died on the way, and nobody else is behind the Services: to wait for a proof
 * would only keep a fix waiting for what it fixes.
 */
function isInVain(snapshot: Snapshot, roles: Roles, { color, decidedAt }: Command): boolean {
  const late = decidedAt !== undefined && snapshot.now >= decidedAt + PATIENCE_MS;
  if (!late || readyCount(snapshot, color) > 0) return false;
  return provable(snapshot, roles).every((service) => convergence(snapshot, service, color, 1).foreign === 0);
}

/**
 * The reason travels in the annotation of the switch patch, so that a crash right after it loses nothing. Others may
 * write that annotation: what is not of our form must neither outgrow the status nor hide that the traffic is back.
 */
export function split(text = ''): [string, string] {
  const [, reason, message] = /^([A-Z][A-Za-z]{0,63}): (.{1,512})/s.exec(text) ?? [];
  return [reason ?? 'RolledBack', message ?? (text.slice(0, 512) || 'the reason was lost')];
}

export function recordLoss(snapshot: Snapshot, loser: StartedRevision, outcome: Outcome): Effect {
  const { returnWanted: _, windowUntil: __, ...facts } = loser.facts;
  const { at, reason, message } = outcome;
  return recordFacts(loser, {
    ...facts,
    outcome,
    ...(OF_THE_SWITCH.has(reason) && { inconclusive: backoff(facts, snapshot.now) }),
    ...(!BLAMELESS.has(reason) && { rejected: { at, reason, message } }),
  });
}

/**
 * An external workload begins: what its published ConfigMap says serves, or else what the spec says, becomes the first
 * revision. It is published with a mark, and the consumers are restarted once, so that all are known to run with it.
 */
import { credentialsDue } from '../../traffic/credentials.ts';
import { follow } from '../../traffic/endpoint.ts';
import { moveTraffic, recordFacts } from '../effects.ts';
import { foreign } from '../endpoint-problems.ts';
import type { Verdict } from '../plan.ts';
import type { Roles, StartedRevision } from '../roles.ts';
import type { Snapshot } from '../snapshot.ts';
import { judgeInput, refused } from '../start.ts';
import { claims } from '../upkeep.ts';
import { freezeFirst } from './first.ts';
import { progressInWords } from './restarting.ts';

export function publishing(snapshot: Snapshot, roles: Roles): Verdict {
  const { subject, command } = roles;
  if (subject === undefined) return { phase: 'Adopting', reason: 'Nothing', message: 'nothing is begun' };
  const anew = begunAnew(snapshot, roles, subject);
  if (anew !== undefined) return anew;
  const taken = snapshot.endpoint && foreign(snapshot, snapshot.endpoint);
  if (taken !== undefined) return refused(taken);
  const claimed = claims(snapshot);
  if (claimed.length > 0)
    return {
      phase: 'Adopting',
      reason: 'ClaimingEndpoint',
      message: 'claiming what is published',
      effects: claimed,
    };
  if (subject.facts.validatedAt === undefined) {
    const message = `revision ${subject.name} is what people say serves: there is nothing here to compare it with`;
    const effects = [recordFacts(subject, { ...subject.facts, validatedAt: snapshot.now })];
    return { phase: 'Adopting', reason: 'Validated', message, effects };
  }
  return command === undefined ? order(snapshot, subject) : prove(snapshot, roles, subject);
}

function order(snapshot: Snapshot, { name, facts }: StartedRevision): Verdict {
  const { color, attempt } = facts;
  const mark = { uid: snapshot.release.uid, revision: name, attempt, direction: 'Forward' as const };
  const message = `publishing ${color} as revision ${name}`;
  const reason = `Adopted: ${message}`;
  const effects = moveTraffic(snapshot, { color, mark, reason, rescue: false });
  return { phase: 'Adopting', reason: 'Switching', message, effects };
}

/** Nothing can be gone back to: what takes long is told, and waited for. */
function prove(snapshot: Snapshot, roles: Roles, subject: StartedRevision): Verdict {
  const { now } = snapshot;
  const due = credentialsDue(snapshot, subject, roles);
  if (due !== undefined) {
    const message = `revision ${subject.name} is published, and nobody is restarted yet: ${due.trouble ?? 'its credentials are not published'}`;
    return {
      phase: 'Adopting',
      reason: 'PublishingCredentials',
      message,
      stalled: due.trouble !== undefined,
    };
  }
  const following = follow(snapshot, subject, false);
  const { behind, hold, effects, deadline } = following;
  if (behind !== undefined) {
    const late = hold !== undefined || (deadline !== undefined && now >= deadline);
    const message = `revision ${subject.name} is published: ${progressInWords(snapshot, behind, following)}`;
    return { phase: 'Adopting', reason: 'RestartingConsumers', message, effects, stalled: late };
  }
  const message = `revision ${subject.name} is the first to be published`;
  const outcome = { kind: 'Committed' as const, at: now, reason: 'Began', message };
  const facts = { ...subject.facts, verifiedAt: now, committedAt: now, outcome };
  return { phase: 'Adopting', reason: 'Began', message, effects: [recordFacts(subject, facts)] };
}

/** Nobody is known to run with it, and people have said something else of that side since. */
function begunAnew(snapshot: Snapshot, roles: Roles, subject: StartedRevision): Verdict | undefined {
  const { facts, name, fingerprint } = subject;
  const now = snapshot.now;
  const said = snapshot.endpoint?.fingerprints[facts.color];
  const isOver = facts.outcome !== undefined;
  if (!isOver && (said === undefined || said === fingerprint)) return undefined;
  const refusal = judgeInput(snapshot, roles);
  if (refusal !== undefined) return { ...refusal, phase: refusal.stalled ? 'Stalled' : 'Adopting' };
  if (isOver) return freezeFirst(snapshot, roles);
  const message = `revision ${name} is no longer wanted: spec.workload.external.${facts.color} changed before anybody was known to use it`;
  const outcome = { kind: 'Superseded' as const, at: now, reason: 'Superseded', message };
  const effects = [recordFacts(subject, { ...facts, outcome })];
  return { phase: 'Adopting', reason: 'Superseded', message, effects };
}

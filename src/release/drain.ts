/** When connections that were made before a switch have had their time. */
import type { CheckSpec } from '../api/schema.ts';
import { recordFacts } from './effects.ts';
import { otherColor } from './endpoints.ts';
import { type Asked, byPodMetrics, type Idleness } from './idle-pods.ts';
import { soonest } from './look-again.ts';
import type { Request, Verdict } from './plan.ts';
import { PROXIES_FOLLOW_MS } from './proxies.ts';
import type { Roles, Stage, StartedRevision } from './roles.ts';
import type { Snapshot } from './snapshot.ts';

/** No name that a check could have. */
const DRAIN_CHECK = 'traffic.drain.until';
const ASK_EVERY_MS = 5000;

/** From when on the side that lost the traffic to this revision may be touched: at the latest, while it is not known. */
export function drainedAt(active: StartedRevision): number {
  const { drain } = active.frozen.traffic;
  const earliest = drainStart(active);
  // After an adoption: the source had the traffic, which was waited for there, and the other colour never had any.
  if (drain === undefined || active.facts.adoption) return earliest;
  return Math.max(
    earliest,
    active.facts.drainedAt ?? (active.facts.verifiedAt ?? 0) + drain.timeoutSeconds * 1000,
  );
}

function drainStart({ facts, frozen }: StartedRevision): number {
  return (facts.verifiedAt ?? 0) + frozen.traffic.drainSeconds * 1000;
}

const WAITS: ReadonlySet<Stage> = new Set<Stage>(['Observing', 'Resting', 'Preparing']);

/**
 * Asks beside whatever is decided whether the old side is idle, and records when it is. Unknown is not idle: then the
 * time-out counts. It never goes before an effect of the verdict.
 */
export function awaitDrain(snapshot: Snapshot, { active, stage }: Roles, verdict: Verdict): Verdict {
  const until = active?.frozen.traffic.drain?.until;
  if (active === undefined || until === undefined || !WAITS.has(stage)) return verdict;
  const revision = snapshot.sides[otherColor(active.facts.color)].deployment?.revision;
  if (revision === undefined) return verdict;
  const from = drainStart(active);
  if (snapshot.now >= drainedAt(active)) return verdict;
  if (snapshot.now < from) return { ...verdict, ...soonest(snapshot.now, [verdict.lookAgainAt, from]) };
  const asked: Asked = { snapshot, active, revision, from };
  const { isIdle, requests, lookAgainAt, unknown } =
    until.podMetrics === undefined
      ? byPrometheus(asked, until.prometheus)
      : byPodMetrics(asked, until.podMetrics);
  if (isIdle) return seenIdle(snapshot, active, verdict);
  const color = otherColor(active.facts.color);
  return {
    ...verdict,
    ...(unknown !== undefined && {
      message: `${verdict.message}; whether ${color} is idle is unknown: ${unknown}`,
    }),
    requests: [...(verdict.requests ?? []), ...requests],
    ...soonest(snapshot.now, [verdict.lookAgainAt, lookAgainAt, drainedAt(active)]),
  };
}

function byPrometheus(
  { snapshot, active, revision, from }: Asked,
  prometheus: CheckSpec['prometheus'] | undefined,
): Idleness {
  const last = snapshot.observations.measurements[DRAIN_CHECK]?.filter(({ at }) => at >= from).at(-1);
  const next = Math.max(snapshot.now, (last?.at ?? 0) + ASK_EVERY_MS);
  const due = next === snapshot.now && prometheus !== undefined;
  return {
    isIdle: last?.verdict === 'Good',
    requests: due ? [question(revision, active, prometheus)] : [],
    lookAgainAt: due ? next + ASK_EVERY_MS : next,
    unknown: last?.verdict === 'Unknown' ? last.message : undefined,
  };
}

function seenIdle({ now }: Snapshot, active: StartedRevision, verdict: Verdict): Verdict {
  if ((verdict.effects ?? []).length > 0) return verdict;
  const message = `${otherColor(active.facts.color)} is idle: connections made before the switch need it no more`;
  const effects = [recordFacts(active, { ...active.facts, drainedAt: now })];
  return { ...verdict, reason: 'OldSideIdle', message, effects };
}

/** Of the side that lost the traffic. */
function question(
  revision: string,
  { facts }: StartedRevision,
  prometheus: CheckSpec['prometheus'],
): Request {
  const color = otherColor(facts.color);
  const check: CheckSpec = {
    name: DRAIN_CHECK,
    intervalSeconds: ASK_EVERY_MS / 1000,
    failureLimit: 1,
    onUnknown: 'Hold',
    prometheus,
  };
  return { kind: 'Measure', check, revision, attempt: facts.attempt, color };
}

/** Asked for by most rules, and the same for the whole of a decision. */
const drained = new WeakMap<Snapshot, { readonly active: StartedRevision; readonly at: number }>();

/**
 * From when on the side without traffic may be emptied or built anew: it lost the traffic to this revision, on a way
 * back since, or because an order of another process was undone, which nothing proves. A side that was rejected is not
 * worth the wait; but each node's proxy must have followed, or requests would go to pods that are no more.
 */
export function sideDrainedAt(snapshot: Snapshot, active: StartedRevision): number {
  const known = drained.get(snapshot);
  if (known?.active === active) return known.at;
  const at = findDrainedAt(snapshot, active);
  drained.set(snapshot, { active, at });
  return at;
}

function findDrainedAt({ revisions, services }: Snapshot, active: StartedRevision): number {
  const color = otherColor(active.facts.color);
  const drainMs = active.frozen.traffic.drainSeconds * 1000;
  const losses = revisions.flatMap(({ facts }) =>
    facts?.color === color && facts.outcome?.kind === 'RolledBack'
      ? [{ at: facts.outcome.at, ms: facts.rejected === undefined ? drainMs : PROXIES_FOLLOW_MS }]
      : [],
  );
  const provenAt = Math.max(active.facts.verifiedAt ?? 0, ...losses.map(({ at }) => at));
  const undone = services
    .filter(({ switchedAt = 0 }) => switchedAt > provenAt)
    .map(({ switchedAt = 0 }) => ({ at: switchedAt, ms: PROXIES_FOLLOW_MS + drainMs }));
  return Math.max(drainedAt(active), ...[...losses, ...undone].map(({ at, ms }) => at + ms));
}

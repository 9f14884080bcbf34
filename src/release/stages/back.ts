/**
 * The way back. It depends on the side it returns to and on nothing else: whatever the failing side does may relax
 * what is asked, never tighten or delay it (invariant 2).
 */
import { formatTime } from '../../api/time.ts';
import { moveTraffic, recordFacts, scaleColor } from '../effects.ts';
import { readyCount, servingCount } from '../endpoints.ts';
import type { Verdict } from '../plan.ts';
import type { Roles, StartedRevision } from '../roles.ts';
import type { Snapshot } from '../snapshot.ts';

/** How long a standby that is too small may take to grow before any ready pod is better than a bad side. */
const SCALE_UP_MS = 60_000;

interface Cause {
  readonly reason: string;
  readonly message: string;
}

export function goBack(snapshot: Snapshot, roles: Roles, from: StartedRevision, cause: Cause): Verdict {
  const { target } = roles;
  if (target === undefined || !standsReady(snapshot, target)) return cannotGoBack(from, target, cause);
  const color = target.facts.color;
  const ready = readyCount(snapshot, color);
  const serving = servingCount(snapshot);
  const needed = Math.min(from.facts.verifiedReady ?? serving, serving);
  const wantedAt = from.facts.returnWanted?.at ?? snapshot.now;
  const patience = wantedAt + SCALE_UP_MS;
  const enough = ready >= needed || serving === 0 || snapshot.now >= patience;
  if (ready > 0 && enough) return orderBack(snapshot, target, from, cause);
  const wanted = Math.max(needed, 1, snapshot.sides[color].deployment?.desired ?? 0);
  return {
    phase: 'RollingBack',
    reason: cause.reason,
    message: `${cause.message}; ${ready} of ${wanted} ${color} pods are ready to take the traffic back, waiting until ${formatTime(patience)}`,
    effects: [
      ...(from.facts.returnWanted
        ? []
        : [recordFacts(from, { ...from.facts, returnWanted: { at: snapshot.now, ...cause } })]),
      ...scaleColor(snapshot, color, wanted),
    ],
    ...(snapshot.now < patience && { lookAgainAt: patience }),
    stalled: snapshot.now >= patience,
  };
}

/** The target's own Deployment, unedited: an edited one is no longer what was validated. */
function standsReady(snapshot: Snapshot, target: StartedRevision): boolean {
  const deployment = snapshot.sides[target.facts.color].deployment;
  return deployment?.revision === target.name && deployment.matches;
}

function orderBack(
  snapshot: Snapshot,
  target: StartedRevision,
  from: StartedRevision,
  cause: Cause,
): Verdict {
  const mark = {
    uid: snapshot.release.uid,
    revision: target.name,
    attempt: from.facts.attempt,
    direction: 'Back' as const,
  };
  const color = target.facts.color;
  return {
    phase: 'RollingBack',
    reason: cause.reason,
    message: `${cause.message}; putting the traffic back to ${color} (revision ${target.name})`,
    effects: moveTraffic(snapshot, {
      color,
      mark,
      reason: `${cause.reason}: ${cause.message}`,
      rescue: true,
    }),
  };
}

function cannotGoBack(from: StartedRevision, target: StartedRevision | undefined, cause: Cause): Verdict {
  const why =
    target === undefined
      ? 'no side is able to take over'
      : `the Deployment of ${target.facts.color} no longer holds revision ${target.name}`;
  return {
    phase: 'Held',
    reason: 'RollbackImpossible',
    message: `${cause.message}; the traffic stays on ${from.facts.color} (revision ${from.name}), because ${why}`,
    stalled: true,
  };
}

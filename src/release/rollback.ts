/** What a rollback would find, and how long it would take: shown beforehand, and asked when one is wanted. */

import { COLORS } from '../api/status.ts';
import { readyOfColor, readyPods, servingThrough, smallest, telling } from './endpoints.ts';
import type { Roles, StartedRevision } from './roles.ts';
import type { PodView, ServiceView, Snapshot } from './snapshot.ts';

/**
 * Ready pods of the target. None where its Deployment was edited or holds another revision, and none while ready pods
 * of another revision are left in its colour: the selector would give them the traffic as well. Pods and endpoints are
 * watched apart: what either calls ready is, and what only the endpoints know is nobody's.
 */
export function readyToReturn(snapshot: Snapshot, target: StartedRevision): number {
  // Of an external workload nobody here can tell; what served before is better than what was found bad.
  if (snapshot.endpoint !== undefined) return 1;
  const { color } = target.facts;
  const { deployment, pods } = snapshot.sides[color];
  if (deployment?.revision !== target.name || !deployment.matches) return 0;
  const reached = telling(snapshot).map((service) => readyOfColor(service, color));
  const [own, others] = [pods.filter(isOwn), pods.filter((pod) => !isOwn(pod))];
  if (others.some(({ ready, uid }) => ready || reached.some((ready) => ready.has(uid)))) return 0;
  return smallest(reached.map((ready) => own.filter(({ uid }) => ready.has(uid)).length));

  function isOwn({ revision }: PodView): boolean {
    return revision === target.name;
  }
}

/** What production had at the switch or has now, whichever is less: a side that fails must not ask for more. */
export function neededToReturn(snapshot: Snapshot, { facts }: StartedRevision): number {
  const serving = smallest(telling(snapshot).map((service) => largerBehind(snapshot, service)));
  return Math.min(facts.verifiedReady ?? serving, serving);
}

/** Without its key a Service has both sides behind it: were the smaller one counted too, it would ask for itself, and grow with each look. */
function largerBehind(snapshot: Snapshot, service: ServiceView): number {
  const sides = COLORS.map((color) => servingThrough(snapshot, service, color));
  return readyPods(service.endpoints).size - Math.min(...sides);
}

/** How long the slowest of these pods took from its creation to its readiness, seconds; undefined: none is ready. */
export function slowestStart(pods: readonly PodView[]): number | undefined {
  const took = pods.flatMap(({ ready, createdAt, readySince }) =>
    ready && readySince !== undefined && readySince >= createdAt ? [readySince - createdAt] : [],
  );
  return took.length === 0 ? undefined : Math.ceil(Math.max(...took) / 1000);
}

/**
 * Seconds, from what was measured: how long the endpoints took to follow the last switch, and, where the old side is too
 * small, how long the pods of its revision took to become ready. undefined: there is no way back, or nothing to go by.
 */
export function estimatedSeconds(snapshot: Snapshot, { active, target }: Roles): number | undefined {
  if (active === undefined || target === undefined) return undefined;
  const { decidedAt, verifiedAt } = active.facts;
  if (decidedAt === undefined || verifiedAt === undefined) return undefined;
  const follow = Math.max(1, Math.ceil((verifiedAt - decidedAt) / 1000));
  const ready = readyToReturn(snapshot, target);
  if (ready > 0 && ready >= neededToReturn(snapshot, active)) return follow;
  const { startUpSeconds } = target.facts;
  if (startUpSeconds === undefined) return undefined;
  const { scaleUpSeconds } = active.frozen.rollback;
  return follow + (ready > 0 ? Math.min(startUpSeconds, scaleUpSeconds) : startUpSeconds);
}

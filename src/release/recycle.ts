/**
 * Connections that were made before a switch stay on the side that lost the traffic: the proxies move new ones only. So,
 * when it has drained, the pods that may still hold some are ended and replaced, a few at a time. Nothing is remembered:
 * a pod that is older than the switch is yet to be replaced, and one that is younger never had traffic.
 *
 *     switch verified ──drained──> a quarter more pods ──ready──> end so many old ones ──replaced──> … ──> none is old
 *                                  (`surgeFor`)                   (never below `keep`)
 */
import type { Color } from '../api/status.ts';
import { sideDrainedAt } from './drain.ts';
import { otherColor, readyOfColor, selectedColor } from './endpoints.ts';
import type { Effect } from './plan.ts';
import { followedAt } from './proxies.ts';
import type { Roles, Stage, StartedRevision } from './roles.ts';
import { runsOnly } from './runs-only.ts';
import type { PodView, Snapshot } from './snapshot.ts';

/** An object tells of its creation in whole seconds: it can be so much younger than it says. */
const CREATION_MS = 1000;

/** How many are ended at once: a quarter, as a Deployment replaces its pods. */
function batchOf(size: number): number {
  return Math.max(1, Math.ceil(size / 4));
}

/** From when on pods are replaced: one that is made then is younger than the switch by its own word, too. */
function recycledFrom(snapshot: Snapshot, active: StartedRevision): number {
  return Math.max(sideDrainedAt(snapshot, active), followedAt(active) + CREATION_MS);
}

/** Pods of the side without traffic that may hold connections made before the switch; none while these drain. */
function wornPods(snapshot: Snapshot, roles: Roles, color: Color): readonly PodView[] {
  const { active } = roles;
  const isDrained = active !== undefined && snapshot.now >= recycledFrom(snapshot, active);
  return isDrained && active.facts.color !== color ? olderThanSwitch(snapshot, roles, active) : [];
}

/** When there will be pods to replace; undefined: there are none, or it is time. */
export function recyclingDue(snapshot: Snapshot, roles: Roles): number | undefined {
  const { active } = roles;
  if (active === undefined || snapshot.now >= recycledFrom(snapshot, active)) return undefined;
  return olderThanSwitch(snapshot, roles, active).length > 0 ? recycledFrom(snapshot, active) : undefined;
}

function olderThanSwitch(snapshot: Snapshot, { stage }: Roles, active: StartedRevision): readonly PodView[] {
  const { services, sides } = snapshot;
  const { color, returnWanted } = active.facts;
  if (!MAY_RECYCLE.has(stage) || returnWanted !== undefined || !isAlone(snapshot, color)) return [];
  const listed = new Set(services.flatMap(({ endpoints }) => endpoints.map(({ podUid }) => podUid)));
  return sides[otherColor(color)].pods.filter(
    ({ uid, createdAt }) => createdAt < followedAt(active) && !listed.has(uid),
  );
}

/** Every Service of the release selects this colour, also those that its spec names no more. */
function isAlone({ services, leftovers, release }: Snapshot, color: Color): boolean {
  const label = release.spec.traffic.selectorLabel;
  const left = leftovers.filter(({ twinOf }) => twinOf === undefined);
  return (
    services.every((service) => service.found && selectedColor(service, label) === color) &&
    left.every((service) => selectedColor(service, label) === color)
  );
}

/** Only where no switch and no way back is under way. */
const MAY_RECYCLE: ReadonlySet<Stage> = new Set<Stage>(['Observing', 'Resting']);

/** Pods of this side are being replaced. */
export function isRecycled(snapshot: Snapshot, roles: Roles, color: Color): boolean {
  return wornPods(snapshot, roles, color).length > 0;
}

/** Pods to have besides these while the old ones are replaced, so that the side stays as able as it is. */
export function surgeFor(snapshot: Snapshot, roles: Roles, color: Color, size: number): number {
  return isRecycled(snapshot, roles, color) ? batchOf(size) : 0;
}

/** So long after the last pod was replaced what is too large can be what stood beside. */
const SURGE_ENDS_MS = 60_000;

/**
 * What stands there besides `size` is no more than stood beside the pods that were replaced, and the last of these was
 * just now: it goes at once, or each way back would leave production a quarter larger. Later it is what production has
 * given up, and may want again in a moment. What somebody has edited is put right first, in the size that it has: no
 * pod of what it should hold is ready.
 */
export function isSurgeOver(snapshot: Snapshot, roles: Roles, color: Color, size: number): boolean {
  const { active } = roles;
  if (active === undefined || snapshot.now < recycledFrom(snapshot, active)) return false;
  const { desired, revision } = snapshot.sides[color].deployment ?? {};
  if (desired === undefined || revision === undefined || !runsOnly(snapshot, color, revision)) return false;
  if (wornPods(snapshot, roles, color).length > 0 || readyUids(snapshot, color).size < size) return false;
  const youngest = Math.max(0, ...snapshot.sides[color].pods.map(({ createdAt }) => createdAt));
  return desired - size <= batchOf(size) && snapshot.now < youngest + SURGE_ENDS_MS;
}

/** `keep`: ready pods that must be left. The next batch goes when the one before has been replaced and is ready. */
export function recycle(snapshot: Snapshot, roles: Roles, color: Color, keep: number): Effect[] {
  const worn = wornPods(snapshot, roles, color);
  if (worn.length === 0 || !snapshot.sides[color].deployment?.ours) return [];
  const ready = readyUids(snapshot, color);
  const spare = ready.size - keep;
  if (spare <= 0) return [];
  const pods = worn
    .toSorted((a, b) => Number(ready.has(a.uid)) - Number(ready.has(b.uid)) || a.name.localeCompare(b.name))
    .slice(0, Math.min(spare, batchOf(ready.size)))
    .map(({ name, uid }) => ({ name, uid }));
  return [{ kind: 'RecyclePods', color, pods }];
}

/**
 * What is ready for production at every Service, and is not being ended: of a pod that is, the endpoints may tell late.
 */
function readyUids({ services, sides }: Snapshot, color: Color): Set<string> {
  const perService = services.map((service) => readyOfColor(service, color));
  const standing = sides[color].pods.filter(
    ({ uid, ready }) => ready && perService.every((set) => set.has(uid)),
  );
  return new Set(standing.map(({ uid }) => uid));
}

/** No pod more can be had on this side: the quota is used up, or no node has room. */
export function isCrowded({ sides }: Snapshot, color: Color): boolean {
  const { deployment, pods } = sides[color];
  return (
    deployment?.replicaFailure !== undefined || pods.some(({ unschedulable }) => unschedulable !== undefined)
  );
}

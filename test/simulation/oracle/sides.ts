/** Invariant 3: what serves, and what could take over, is not scaled down, overwritten or deleted. */
import { LABEL_REVISION } from '../../../src/api/names.ts';
import type { Color } from '../../../src/api/status.ts';
import type { Deployment } from '../../../src/kube/types.ts';
import { type Scenario, SERVICE } from '../scenario.ts';
import { imageOfDeployment } from '../world.ts';
import { guardEjected } from './ejection.ts';
import { selectsToo } from './siblings.ts';
import { isColor, newestFirst, type Truth } from './truth.ts';
import { fail, fewestReady, isRecent, isTouched, type View } from './view.ts';

export function guardSide(
  view: View,
  color: Color,
  before: Deployment | undefined,
  after: Deployment | undefined,
): void {
  guardUnowned(color, after);
  if (before === undefined || before === after) return;
  const how = loss(view, before, after);
  if (how === undefined) return;
  if (view.truth.selected() === color && !isRecent(view, view.selectedAt()))
    fail(`${color} serves and was ${how}`);
  if (selectsToo(view, color)) fail(`${color} serves through another Service and was ${how}`);
  if (!isLongTooLarge(view, after) && !isSurge(view, color, before, after))
    guardTarget(view, color, before, how);
  guardDrain(view, color, before, how);
  guardEjected(view, color, after);
}

/** The collector takes it with its owner, whose finalizer people may take away: what serves would go at once. */
function guardUnowned(color: Color, after: Deployment | undefined): void {
  const [owner] = after?.metadata.ownerReferences ?? [];
  if (owner !== undefined)
    fail(`${color} goes when ${owner.kind} "${owner.name}" goes, whoever it serves by then`);
}

/** Connections that were made before the switch live on where they were made. */
function guardDrain(view: View, color: Color, before: Deployment, how: string): void {
  const name = before.metadata.labels?.[LABEL_REVISION];
  const held = view.truth.revisions().find((each) => each.name === name);
  // Edited by hand it is not what served, and is put right at once.
  if (held === undefined || nameOn(view, before) !== held.image) return;
  if (!isBuiltToReturn(view, color)) guardDraining(view, color, name, how);
}

/** Of a side, or of one of its pods: what this revision had of connections has had its time. */
export function guardDraining(view: View, color: Color, name: string | undefined, how: string): void {
  const { truth, timeline, world } = view;
  if (truth.selected() === color || !isColor(truth.selected())) return;
  if (isTouched(view, color) || isTouched(view, 'service') || view.clockError() > 0) return;
  const held = truth.revisions().find((each) => each.name === name);
  if (held === undefined || name !== view.lost().name || held.facts.rejected !== undefined) return;
  const { drainSeconds = 30 } = world.scenario.spec.traffic;
  if (hasDrifted(view, drainSeconds)) return;
  if (timeline.now < view.selectedAt() + drainSeconds * 1000)
    fail(`${color} lost the traffic less than ${drainSeconds} seconds ago and was ${how}`);
}

/**
 * A way back is wanted, and its target has to be built anew where a failed attempt drains: nothing delays that, and
 * production may be dark meanwhile.
 */
function isBuiltToReturn({ truth }: View, color: Color): boolean {
  const all = newestFirst(truth.revisions());
  const isWanted = all.some(
    ({ facts }) =>
      facts.color !== color && facts.returnWanted !== undefined && facts.outcome?.kind !== 'RolledBack',
  );
  const target = all.find(
    ({ facts }) =>
      facts.color === color && facts.outcome?.kind === 'Committed' && facts.rejected === undefined,
  );
  return isWanted && truth.deployment(color)?.metadata.labels?.[LABEL_REVISION] === target?.name;
}

/** What another writer pointed the Service to had the traffic until that was repaired: nothing that is drained. */
function hasDrifted(view: View, drainSeconds: number): boolean {
  const touchedAt = view.users().touchedAt.get('service') ?? 0;
  const isFresh = view.timeline.now - touchedAt <= drainSeconds * 1000 + view.staleness();
  return isFresh || touchedAt >= view.lost().since;
}

/** The facts say that fewer pods were asked of the old side for a while. */
function isLongTooLarge({ truth }: View, after: Deployment | undefined): boolean {
  return truth
    .revisions()
    .some(({ facts }) => facts.tooLarge !== undefined && (after?.spec.replicas ?? 0) >= facts.tooLarge.most);
}

/** So long after the last pod of a side was made what stood beside those that were replaced may go. */
const SURGE_ENDS_MS = 60_000;

/**
 * What stood beside the pods that were replaced, a quarter at most, goes with the last of them: the target is as large
 * as the window promises, and ready, without it. Kept, each way back would leave production larger. Where none was made
 * for a while, it is production that has become smaller.
 */
function isSurge(view: View, color: Color, before: Deployment, after: Deployment | undefined): boolean {
  const [had, has] = [before.spec.replicas ?? 1, after?.spec.replicas ?? 0];
  if (after === undefined || nameOn(view, after) !== nameOn(view, before)) return false;
  if (!isRecent(view, view.youngest(color) + SURGE_ENDS_MS)) return false;
  const enough = Math.max(1, windowOf(view.world.scenario, productionOf(view)));
  return has >= enough && had - has <= Math.ceil(has / 4) && view.range(`${SERVICE}-${color}`).most >= has;
}

/** Pods that production has, or had a moment ago: none that is being ended, of which its slices tell late. */
export function productionOf(view: View): number {
  const color = view.truth.selected();
  const standing = isColor(color) ? view.truth.readyPods(color).length : Number.POSITIVE_INFINITY;
  return Math.min(fewestReady(view), standing);
}

/** Pods that the side is to have that may have to take over from so many. */
export function windowOf({ spec: { capacity, autoscaling } }: Scenario, production: number): number {
  const share = Number.parseInt(String(capacity?.window ?? '100%'), 10);
  const most = (autoscaling?.spec.maxReplicas as number | undefined) ?? Number.POSITIVE_INFINITY;
  return Math.min(most, Math.ceil((production * share) / 100));
}

/** What the side lost; people may ask for fewer replicas. */
function loss(view: View, before: Deployment, after: Deployment | undefined): string | undefined {
  const { truth } = view;
  if (after === undefined) return 'deleted';
  const image = nameOn(view, after);
  if (image !== nameOn(view, before) && !isRepair(truth, before, image)) return 'overwritten';
  const [had, has] = [before.spec.replicas ?? 1, after.spec.replicas ?? 1];
  const asked = (truth.release()?.spec as { replicas?: number } | undefined)?.replicas;
  return has < had && has !== asked ? `shrunk from ${had} to ${has}` : undefined;
}

const nameOn = ({ world }: View, deployment: Deployment): string => imageOfDeployment(world, deployment);

/** Somebody had edited it, and it gets back what it holds by its name. */
function isRepair(truth: Truth, { metadata }: Deployment, image: string): boolean {
  const held = metadata.labels?.[LABEL_REVISION];
  return truth.revisions().some((each) => each.name === held && each.image === image);
}

function guardTarget(view: View, color: Color, before: Deployment, how: string): void {
  const name = before.metadata.labels?.[LABEL_REVISION] ?? '';
  if (isTouched(view, color) || isTouched(view, 'service') || isRecent(view, view.selectedAt())) return;
  if (isTarget(view, color, before))
    fail(`${color} holds the rollback target ${name} inside its window and was ${how}`);
}

/** Its revision was committed on this colour, the other colour serves inside its window, and nothing replaces it. */
export function isTarget(view: View, color: Color, deployment = view.truth.deployment(color)): boolean {
  const { truth, timeline } = view;
  const name = deployment?.metadata.labels?.[LABEL_REVISION];
  const release = truth.release();
  if (release === undefined || release.metadata.deletionTimestamp !== undefined) return false;
  const all = newestFirst(truth.revisions());
  const held = all.find((each) => each.name === name)?.facts;
  if (held?.outcome?.kind !== 'Committed' || held.rejected !== undefined || held.color !== color)
    return false;
  const active = all.find(({ facts }) => facts.outcome?.kind === 'Committed')?.facts;
  if (active === undefined || active.color === color || active.color !== truth.selected()) return false;
  if ((active.windowUntil ?? 0) <= timeline.now + view.clockError()) return false;
  return !isReplaced(view, color);
}

/** A release that is under way, or was a moment ago, takes the place of the rollback target. */
function isReplaced(view: View, color: Color): boolean {
  const newest = newestFirst(view.truth.revisions())[0]?.facts;
  if (newest?.color !== color) return false;
  return newest.outcome === undefined || isRecent(view, newest.outcome.at);
}

export function guardSource(view: View, before: Deployment | undefined, after: Deployment | undefined): void {
  const shrunk = (after?.spec.replicas ?? 0) < (before?.spec.replicas ?? 0);
  if (!shrunk || isTouched(view, 'service')) return;
  const keyless = view.truth.service() !== undefined && view.truth.selected() === undefined;
  if (keyless) fail('the source served and was scaled down');
  const [adopted, another] = view.truth.revisions();
  const { drainSeconds = 30 } = view.world.scenario.spec.traffic;
  if (another !== undefined || adopted?.facts.outcome !== undefined || hasDrifted(view, drainSeconds)) return;
  if (view.timeline.now + view.clockError() < view.selectedAt() + drainSeconds * 1000)
    fail(`the source was scaled down before its connections had ${drainSeconds} seconds to drain`);
}

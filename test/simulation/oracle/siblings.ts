/** Invariants 1, 3, 9 and 12 for the production Services beside the first one: they go where it goes. */
import { ANNOTATION_SWITCH } from '../../../src/api/names.ts';
import type { Color } from '../../../src/api/status.ts';
import type { Service } from '../../../src/kube/types.ts';
import type { RevisionFacts } from '../../../src/release/facts.ts';
import { siblingsOf } from '../scenario.ts';
import { LABEL, selectedColor } from '../world.ts';
import { isColor, lastKept, newestFirst, type RevisionTruth } from './truth.ts';
import { fail, isRecent, isTouched, type View } from './view.ts';

export function guardSibling(
  view: View,
  name: string,
  before: Service | undefined,
  after: Service | undefined,
): void {
  if (before === undefined || after === undefined || before === after) return;
  const selector = after.spec.selector ?? {};
  if (Object.keys(selector).length === 0) fail(`the selector of ${name} became empty`);
  const to = selector[LABEL];
  if (to === before.spec.selector?.[LABEL] || !isColor(to)) return;
  const serving = view.range(name).fewest;
  if (serving > 0 && view.truth.readyPods(to).length === 0 && view.range(`${name}-${to}`).most === 0)
    fail(`${name} was moved to ${to}, which has no ready pod, while ${serving} endpoints were ready`);
}

/**
 * What counts as switched, kept or gone back is so at every Service, or was a moment ago: another writer may have come,
 * and so may another process, whose clock says that the proof took too long. Its order to go back is carried out
 * whatever the facts say of the switch.
 */
export function guardTogether(view: View, now: RevisionTruth, old: RevisionTruth | undefined): void {
  const became = whatBecame(now.facts, old?.facts);
  if (became === undefined || isTouched(view, 'service')) return;
  for (const name of siblingsOf(view.world.scenario)) {
    const isOn = selectedColor(view.world.api, name) === now.facts.color;
    if (!isOn && isRecent(view, view.leftAt(name, now.facts.color))) continue;
    if (isOn === (became === 'rolled back'))
      fail(`${now.name} counts as ${became}, and ${name} is ${isOn ? 'still' : 'not'} on ${now.facts.color}`);
  }
}

function whatBecame(
  { verifiedAt, outcome }: RevisionFacts,
  old: RevisionFacts | undefined,
): 'switched' | 'kept' | 'rolled back' | undefined {
  // Given up for a fix: wherever its Services are.
  if (outcome?.reason === 'GaveWay' || outcome?.kind === old?.outcome?.kind) {
    return verifiedAt !== undefined && old?.verifiedAt === undefined ? 'switched' : undefined;
  }
  if (outcome?.kind === 'RolledBack') return 'rolled back';
  return outcome?.kind === 'Committed' && old !== undefined ? 'kept' : undefined;
}

/** A side that any Service selects is not shrunk, however long another one is elsewhere. */
export function selectsToo(view: View, color: Color): boolean {
  if (isTouched(view, 'service')) return false;
  return siblingsOf(view.world.scenario).some((name) => selectedColor(view.world.api, name) === color);
}

/** A policy keeps another Service where it was: that the traffic went back is recorded when all are back. */
export function goesBackInPart({ truth, world }: View): boolean {
  const mark = truth.service()?.metadata.annotations?.[ANNOTATION_SWITCH];
  return world.locked.size > 0 && mark !== undefined && mark.endsWith('/back');
}

/** Another side than the facts say, although that has ready pods and nothing keeps the Service from being moved. */
export function strays(view: View): string | undefined {
  const { truth, world } = view;
  const release = truth.release();
  if (release === undefined || release.metadata.deletionTimestamp !== undefined) return undefined;
  if (goesBackInPart(view)) return undefined;
  const last = newestFirst(truth.revisions())[0]?.facts.outcome;
  if (last === undefined || isRecent(view, last.at)) return undefined;
  const active = lastKept(truth.revisions());
  const stray = active && siblingsOf(world.scenario).find((name) => isStray(view, name, active.facts.color));
  return stray && `${active.name} is active and ready, and ${stray} selects something else`;
}

function isStray({ truth, world }: View, name: string, color: Color): boolean {
  if (world.locked.has(name) || truth.ready(`${name}-${color}`) === 0) return false;
  return selectedColor(world.api, name) !== color;
}

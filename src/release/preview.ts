/**
 * Preview Services: they show the candidate from when it has ready pods, and when there is none what serves: they are not
 * dark while production is not. They are written last, prove nothing, and whatever happens to them changes no release.
 */
import type { Color, ReleaseStatus } from '../api/status.ts';
import { workloadInWords } from '../api/workload.ts';
import { otherColor, selectedColor, servingThrough } from './endpoints.ts';
import type { Effect, Verdict } from './plan.ts';
import type { Roles, Stage } from './roles.ts';
import { selects } from './selects.ts';
import { refusalOf, tidyDueAt } from './services.ts';
import type { PreviewView, Problem, SideView, Snapshot } from './snapshot.ts';
import { tidying } from './tidying.ts';

export function pointPreviews(snapshot: Snapshot, roles: Roles): Effect[] {
  const color = shown(snapshot, roles);
  if (color === undefined) return [];
  return snapshot.previews
    .filter((preview) => isDue(snapshot, roles, preview, color))
    .map(({ name: service, uid, resourceVersion }) => ({
      kind: 'PointPreview',
      service,
      uid,
      resourceVersion,
      color,
    }));
}

/** Not one that is refused: to our key it would lose what it shows, and without a selector get all that carries it. */
function isDue(snapshot: Snapshot, roles: Roles, preview: PreviewView, color: Color): boolean {
  if (judgePreview(snapshot, roles, preview) !== undefined || wouldDarken(snapshot, preview, color))
    return false;
  return !isPointed(snapshot, preview, color) && snapshot.now >= tidyDueAt(snapshot, preview);
}

/** The active side died, and what the preview shows lives: it may be all that serves. */
function wouldDarken({ sides, release }: Snapshot, preview: PreviewView, color: Color): boolean {
  const shows = selectedColor(preview, release.spec.traffic.selectorLabel);
  return shows !== undefined && isDead(sides[color]) && !isDead(sides[shows]);
}

function isDead({ pods }: SideView): boolean {
  return !pods.some(({ ready }) => ready);
}

const MAY_POINT: ReadonlySet<Stage> = new Set<Stage>(['Preparing', 'Observing', 'Resting']);

/** Previews are pointed when nothing else is to be done: they keep neither a switch nor a way back waiting. */
export function withPreviews(snapshot: Snapshot, roles: Roles, verdict: Verdict): Verdict {
  const isBusy = (verdict.effects ?? []).length > 0 || verdict.specPending || verdict.phase === 'RollingBack';
  if (isBusy || !MAY_POINT.has(roles.stage) || snapshot.release.deleting) return verdict;
  const effects = pointPreviews(snapshot, roles);
  if (effects.length === 0) return verdict;
  return { ...verdict, message: `${tidying(effects)}; ${verdict.message}`, effects };
}

/** undefined: the source serves, and the previews show it. */
function shown(snapshot: Snapshot, { active, subject, stage }: Roles): Color | undefined {
  if (active === undefined) return undefined;
  const { color } = active.facts;
  const other = otherColor(color);
  const ready = snapshot.sides[other].pods.filter((pod) => pod.ready);
  // Until the last pod of what stood by there has ended, a preview of the colour would show that as well.
  const isCandidate =
    stage === 'Preparing' && ready.length > 0 && ready.every(({ revision }) => revision === subject?.name);
  return isCandidate || servesInstead(snapshot, color) ? other : color;
}

/** The active side died, and the other serves behind a production Service that is left astray. */
function servesInstead(snapshot: Snapshot, color: Color): boolean {
  const { services, sides } = snapshot;
  const other = otherColor(color);
  return isDead(sides[color]) && services.some((each) => servingThrough(snapshot, each, other) > 0);
}

/** A preview proves nothing, so that little is asked of it: that it exists, is nobody else's, and selects our pods. */
export function judgePreview(
  { release, wish, sides, previews }: Snapshot,
  { active }: Roles,
  preview: PreviewView,
): Problem | undefined {
  const { name, found, type, selector, claimedBy } = preview;
  const field = `spec.traffic.previewServices[${previews.indexOf(preview)}].name`;
  if (!found)
    return {
      reason: 'ServiceNotFound',
      message: `Service "${name}" does not exist in namespace "${release.namespace}": create it or correct ${field}`,
    };
  if (type === 'ExternalName' || Object.keys(selector).length === 0)
    return {
      reason: 'ServiceWithoutSelector',
      message: `Service "${name}" has no selector to point: give it one that matches the pods of the workload, or remove it from spec.traffic.previewServices`,
    };
  if (claimedBy !== undefined && claimedBy !== release.uid)
    return {
      reason: 'ServiceClaimed',
      message: `Service "${name}" belongs to another release: remove it from one of the two (${field} here)`,
    };
  const labels = active === undefined ? wish?.podLabels : sides[active.facts.color].deployment?.podLabels;
  if (labels === undefined || selects(selector, labels, [release.spec.traffic.selectorLabel]))
    return undefined;
  return {
    reason: 'ServiceSelectsOtherPods',
    message: `Service "${name}" does not select the pods of both sides: its selector and the labels of spec.template of ${workloadInWords(release.spec)} must match, without those of bluegreen.dev`,
  };
}

function isPointed({ release }: Snapshot, preview: PreviewView, color: Color): boolean {
  const isClaimed = preview.claimedBy === release.uid && preview.labelled;
  return isClaimed && selectedColor(preview, release.spec.traffic.selectorLabel) === color;
}

/** A refusal is told until the preview shows what it should: another process may have been the one that pointed it. */
export function previewStatus(snapshot: Snapshot, roles: Roles): ReleaseStatus['previews'] {
  if (snapshot.previews.length === 0) return undefined;
  const wanted = shown(snapshot, roles);
  return snapshot.previews.map((preview) => {
    const color = selectedColor(preview, snapshot.release.spec.traffic.selectorLabel);
    const isRight = wanted !== undefined && isPointed(snapshot, preview, wanted);
    const refusal = isRight ? undefined : refusalOf(snapshot, preview)?.message;
    const unfit = preview.found ? judgePreview(snapshot, roles, preview)?.message : 'it does not exist';
    const message = unfit ?? refusal;
    return {
      name: preview.name,
      ...(color !== undefined && { color }),
      ...(message !== undefined && { message: message.slice(0, 512) }),
    };
  });
}

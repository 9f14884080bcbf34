/**
 * Preview Services: they show the candidate from when it has ready pods, and the active side when there is none, so that
 * they are never dark. They are written last, prove nothing, and whatever happens to them changes no release.
 */
import type { Color, ReleaseStatus } from '../api/status.ts';
import { selectedColor } from './endpoints.ts';
import type { Effect, Verdict } from './plan.ts';
import type { Roles, Stage } from './roles.ts';
import { refusalOf, tidyDueAt } from './services.ts';
import type { PreviewView, Snapshot } from './snapshot.ts';
import { tidying } from './tidying.ts';

export function pointPreviews(snapshot: Snapshot, roles: Roles): Effect[] {
  const color = shown(snapshot, roles);
  if (color === undefined) return [];
  return snapshot.previews
    .filter((preview) => preview.found && isOurs(snapshot, preview))
    .filter((preview) => !isPointed(snapshot, preview, color) && snapshot.now >= tidyDueAt(snapshot, preview))
    .map(({ name: service, uid, resourceVersion }) => ({
      kind: 'PointPreview',
      service,
      uid,
      resourceVersion,
      color,
    }));
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
function shown({ sides }: Snapshot, { active, subject, stage }: Roles): Color | undefined {
  if (active === undefined || stage !== 'Preparing' || subject === undefined) return active?.facts.color;
  const ready = sides[subject.facts.color].pods.filter((pod) => pod.ready);
  // Until the last pod of what stood by there has ended, a preview of the colour would show that as well.
  const isCandidate = ready.length > 0 && ready.every(({ revision }) => revision === subject.name);
  return isCandidate ? subject.facts.color : active.facts.color;
}

function isOurs({ release }: Snapshot, { claimedBy }: PreviewView): boolean {
  return claimedBy === undefined || claimedBy === release.uid;
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
    const message = preview.found ? refusal : 'it does not exist';
    return {
      name: preview.name,
      ...(color !== undefined && { color }),
      ...(message !== undefined && { message: message.slice(0, 512) }),
    };
  });
}

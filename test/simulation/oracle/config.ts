/** Invariant 4 for config: what runs reads what its revision says, whatever people write meanwhile; copies are neither lost nor left. */
import { LABEL_CONFIG, LABEL_REVISION } from '../../../src/api/names.ts';
import { COLORS } from '../../../src/api/status.ts';
import { CONFIG_MAPS, DEPLOYMENTS, type Deployment } from '../../../src/kube/types.ts';
import type { Api } from '../cluster/api.ts';
import { imageOf } from '../cluster/kubelet.ts';
import { imageIn, isWishSaid, readBy, withoutSecret } from '../content.ts';
import { RELEASE, SETTINGS } from '../scenario.ts';
import type { World } from '../world.ts';
import { ownRevisions, type RevisionTruth, readRevision } from './truth.ts';
import { fail, isTouched, type View } from './view.ts';

export interface ReadingGuard {
  /** After each event. */
  check(view: View): void;
}

export function createReadingGuard(): ReadingGuard {
  let seen = '';
  return {
    check(view) {
      const { api, scenario } = view.world;
      if (scenario.spec.config === undefined || api.version === seen) return;
      seen = api.version;
      for (const color of COLORS) guardReading(view, color);
    },
  };
}

/** A pod carries the name of its revision, and shows what it has read: an edited colour runs another image. */
function guardReading({ truth }: View, color: (typeof COLORS)[number]): void {
  const begunAt = truth.release()?.metadata.creationTimestamp ?? '';
  for (const pod of truth.readyPods(color)) {
    // An earlier release of that name had revisions of the same names.
    if (Date.parse(pod.metadata.creationTimestamp ?? '') < Date.parse(begunAt)) continue;
    const held = truth.revisions().find(({ name }) => name === pod.metadata.labels?.[LABEL_REVISION]);
    const runs = imageOf(pod);
    if (held === undefined || imageIn(runs) !== imageIn(held.image) || runs === withoutSecret(held.image))
      continue;
    fail(`pod ${pod.metadata.name} of ${held.name} runs ${runs}, and the revision is ${held.image}`);
  }
}

/** What is missing cannot be a part of anything: nothing begins of itself with what is left of the wish. */
export function guardComplete(view: View, { name, facts }: RevisionTruth): void {
  const { scenario } = view.world;
  if (scenario.spec.config === undefined || facts.outcome !== undefined) return;
  if (!isWishSaid(view.world) && !isTouched(view, 'config') && !isTouched(view, 'source'))
    fail(`${name} was begun, and config that it names is missing`);
}

/** At rest: those that a side names are there. */
export function checkNoneLost({ api, scenario }: World): void {
  if (scenario.spec.config === undefined) return;
  const named = COLORS.flatMap((color) => {
    const deployment = api.get<Deployment>(DEPLOYMENTS, `${RELEASE}-${color}`);
    return deployment === undefined ? [] : [readBy(deployment.spec.template.spec) ?? ''];
  }).filter((name) => name !== '');
  if (named.includes(SETTINGS)) fail('at rest: a colour reads the ConfigMap that people edit');
  const copies = copiesIn(api);
  const missing = named.find((name) => !copies.includes(name));
  if (missing !== undefined) fail(`at rest: a colour reads ${missing}, which is not there`);
}

/** At rest: and there are no others than those of the revisions. */
export function checkNoneLeft({ api, scenario }: World): void {
  if (scenario.spec.config === undefined) return;
  const copies = copiesIn(api);
  // An edited colour names none any more, and still tells which it had.
  const sides = COLORS.filter((color) => api.get(DEPLOYMENTS, `${RELEASE}-${color}`) !== undefined);
  const most = COLORS.length * ownRevisions(api).flatMap(readRevision).length + sides.length;
  if (copies.length > most) fail(`at rest: ${copies.length} copies are left, and at most ${most} are needed`);
}

const copiesIn = (api: Api): string[] =>
  api.list(CONFIG_MAPS, `${LABEL_CONFIG}=copy`).map(({ metadata }) => metadata.name);

/** The Deployment that people write: held while it is taken over, and given back. */
import { ANNOTATION_PARKED_AT, ANNOTATION_STORED_AUTOSCALER, LABEL_RELEASE } from '../../api/names.ts';
import { formatTime } from '../../api/time.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { JsonPatchOperation } from '../../kube/ports.ts';
import { DEPLOYMENTS, HORIZONTAL_POD_AUTOSCALERS, type HorizontalPodAutoscaler } from '../../kube/types.ts';
import type { Scene } from '../observe.ts';
import type { Applier, Appliers, Apply } from './applier.ts';
import { StaleError } from './errors.ts';
import { servicesNow, sourceOf, storedAutoscaler } from './present.ts';
import { assertStands } from './standing.ts';
import { patch, pointer, removeMembers, setMembers, test } from './writes.ts';

const patchSource = (
  applier: Applier,
  scene: Scene,
  uid: string,
  operations: JsonPatchOperation[],
): Promise<void> =>
  patch(applier, applier.cache.deployments, DEPLOYMENTS, scene, sourceOf(scene).metadata.name, [
    test('/metadata/uid', uid),
    ...operations,
  ]);

/**
 * Deleted and brought back, the source has lost our label and the autoscaler that was stored on it: nobody would hear of
 * it, and nothing would come back with it. What another release has is left; and so is what was given back since this
 * was planned.
 */
async function claimSource(
  applier: Applier,
  scene: Scene,
  more: Record<string, string> = {},
): Promise<JsonPatchOperation[]> {
  const { labels, annotations } = sourceOf(scene).metadata;
  const stored = storedAutoscaler(applier, scene);
  const lost = stored !== undefined && annotations?.[ANNOTATION_STORED_AUTOSCALER] === undefined;
  const owner = labels?.[LABEL_RELEASE];
  if (owner === undefined) await assertStands(applier, scene);
  const claim =
    owner === undefined
      ? setMembers('/metadata/labels', labels, { [LABEL_RELEASE]: scene.release.name })
      : [test(`/metadata/labels/${pointer(LABEL_RELEASE)}`, owner)];
  const notes = { ...(lost && { [ANNOTATION_STORED_AUTOSCALER]: stored }), ...more };
  return [...claim, ...setMembers('/metadata/annotations', annotations, notes)];
}

/**
 * What was planned for a source without traffic is not done to one that another process has given it back since: without a
 * key in its selector a Service may rest on the source.
 */
async function mustBeIdle(applier: Applier, scene: Scene): Promise<void> {
  const label = scene.release.spec.traffic.selectorLabel;
  for (const service of await servicesNow(applier, scene))
    if (service !== undefined && service.spec.selector?.[label] === undefined)
      throw new StaleError(`Service "${service.metadata.name}" may rest on the source: it stays as it is`);
}

const holdSource: Apply<'HoldSource'> = async (applier, scene, { uid, resourceVersion, autoscaler }) => {
  const taken = scene.sourceAutoscalers.find(({ metadata }) => metadata.name === autoscaler);
  const stored = taken && { [ANNOTATION_STORED_AUTOSCALER]: storable(taken) };
  return patchSource(applier, scene, uid, [
    test('/metadata/resourceVersion', resourceVersion),
    ...(await claimSource(applier, scene, stored)),
    { op: 'add', path: '/spec/paused', value: true },
  ]);
};

/** What is needed to create it again. */
function storable({ metadata, spec }: HorizontalPodAutoscaler): string {
  const { name, namespace, labels, annotations } = metadata;
  const kept = {
    name,
    ...(namespace && { namespace }),
    ...(labels && { labels }),
    ...(annotations && { annotations }),
  };
  return JSON.stringify({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: kept,
    spec,
  });
}

const releaseSource: Apply<'ReleaseSource'> = async (applier, scene, { uid, serves }) => {
  const { labels, annotations } = sourceOf(scene).metadata;
  const stored = annotations?.[ANNOTATION_STORED_AUTOSCALER];
  // Only where the source serves again: an autoscaler of a Deployment at 0 is switched off, and would wait for Git; and
  // the source's selects the pods of a colour that goes on serving: beside that colour's, both would be switched off.
  const restored = serves && stored !== undefined && (sourceOf(scene).spec.replicas ?? 1) > 0;
  if (restored) {
    const body = JSON.parse(stored) as HorizontalPodAutoscaler;
    await applier.client.create(HORIZONTAL_POD_AUTOSCALERS, body).catch((error: unknown) => {
      if (!isKubeError(error, 'AlreadyExists')) throw error;
    });
  }
  await patchSource(applier, scene, uid, [
    ...removeMembers('/metadata/labels', labels, [LABEL_RELEASE]),
    ...removeMembers('/metadata/annotations', annotations, [
      ANNOTATION_PARKED_AT,
      ...(restored ? [ANNOTATION_STORED_AUTOSCALER] : []),
    ]),
    { op: 'add', path: '/spec/paused', value: false },
  ]);
};

export const sourceAppliers: Appliers<'ClaimSource' | 'HoldSource' | 'ReleaseSource' | 'ScaleSource'> = {
  ClaimSource: async (applier, scene, { uid }) =>
    patchSource(applier, scene, uid, await claimSource(applier, scene)),
  HoldSource: holdSource,
  ReleaseSource: releaseSource,
  ScaleSource: async (applier, scene, { uid, from, to, at }) => {
    if (to < from) await mustBeIdle(applier, scene);
    await patchSource(applier, scene, uid, [
      test('/spec/replicas', from),
      ...(await claimSource(applier, scene, { [ANNOTATION_PARKED_AT]: formatTime(at) })),
      { op: 'replace', path: '/spec/replicas', value: to },
      { op: 'add', path: '/spec/paused', value: false },
    ]);
  },
};

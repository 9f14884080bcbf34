/** The Deployment that people write: held while it is taken over, and given back. */
import { ANNOTATION_PARKED_AT, ANNOTATION_STORED_AUTOSCALER, LABEL_RELEASE } from '../../api/names.ts';
import { formatTime } from '../../api/time.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { JsonPatchOperation } from '../../kube/ports.ts';
import { DEPLOYMENTS, HORIZONTAL_POD_AUTOSCALERS, type HorizontalPodAutoscaler } from '../../kube/types.ts';
import type { Scene } from '../observe.ts';
import type { Applier, Appliers, Apply } from './applier.ts';
import { sourceOf } from './present.ts';
import { patch, removeMembers, setMembers, test } from './writes.ts';

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

/** Deleted and brought back, the source has lost our label, and nobody would hear of it. What another release has is left. */
function claimSource(scene: Scene): JsonPatchOperation[] {
  const { labels } = sourceOf(scene).metadata;
  if (labels?.[LABEL_RELEASE] !== undefined) return [];
  return setMembers('/metadata/labels', labels, { [LABEL_RELEASE]: scene.release.name });
}

const holdSource: Apply<'HoldSource'> = (applier, scene, { uid, resourceVersion, autoscaler }) => {
  const { labels, annotations } = sourceOf(scene).metadata;
  const stored = scene.sourceAutoscalers.find(({ metadata }) => metadata.name === autoscaler);
  return patchSource(applier, scene, uid, [
    test('/metadata/resourceVersion', resourceVersion),
    ...setMembers('/metadata/labels', labels, { [LABEL_RELEASE]: scene.release.name }),
    ...(stored === undefined
      ? []
      : setMembers('/metadata/annotations', annotations, {
          [ANNOTATION_STORED_AUTOSCALER]: storable(stored),
        })),
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

const releaseSource: Apply<'ReleaseSource'> = async (applier, scene, { uid }) => {
  const { labels, annotations } = sourceOf(scene).metadata;
  const stored = annotations?.[ANNOTATION_STORED_AUTOSCALER];
  // Only where the source serves again: an autoscaler of a Deployment at 0 is switched off, and would wait for Git.
  const restored = stored !== undefined && (sourceOf(scene).spec.replicas ?? 1) > 0;
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
  ClaimSource: (applier, scene, { uid }) => patchSource(applier, scene, uid, claimSource(scene)),
  HoldSource: holdSource,
  ReleaseSource: releaseSource,
  ScaleSource: (applier, scene, { uid, from, to, at }) =>
    patchSource(applier, scene, uid, [
      test('/spec/replicas', from),
      ...setMembers('/metadata/annotations', sourceOf(scene).metadata.annotations, {
        [ANNOTATION_PARKED_AT]: formatTime(at),
      }),
      ...claimSource(scene),
      { op: 'replace', path: '/spec/replicas', value: to },
      { op: 'add', path: '/spec/paused', value: false },
    ]),
};

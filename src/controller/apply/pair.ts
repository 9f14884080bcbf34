/** A pair: what people wrote is labelled, scaled and given back. Its templates are never written, and it is never deleted. */
import { ANNOTATION_CAPACITY_LOCK, LABEL_RELEASE } from '../../api/names.ts';
import { standingOn } from '../../api/workload.ts';
import type { JsonPatchOperation, KubeObject, ObjectMeta, ResourceType, Store } from '../../kube/ports.ts';
import {
  type Deployment,
  HORIZONTAL_POD_AUTOSCALERS,
  type HorizontalPodAutoscaler,
  type Scale,
} from '../../kube/types.ts';
import type { PairedKind } from '../../release/plan.ts';
import { formatLock, parseLock } from '../../workload/lock.ts';
import type { Cache } from '../cache.ts';
import type { Scene } from '../observe.ts';
import { WORKLOADS } from '../workloads.ts';
import type { Applier, Appliers, Of } from './applier.ts';
import { StaleError } from './errors.ts';
import { assertStands } from './standing.ts';
import { patch, removeMembers, setMembers, test, whyUnpatched } from './writes.ts';

interface Kept {
  readonly type: ResourceType;
  readonly store: (cache: Cache) => Store<KubeObject>;
}

const KEPT: Readonly<Record<PairedKind, Kept>> = {
  ...WORKLOADS,
  HorizontalPodAutoscaler: { type: HORIZONTAL_POD_AUTOSCALERS, store: ({ autoscalers }) => autoscalers },
};

/** The object as it is now: what stands on it of other people decides how a patch adds to it. */
async function read(
  { client }: Applier,
  { release }: Scene,
  object: PairedKind,
  name: string,
  uid: string,
): Promise<KubeObject> {
  const found = await client.get<KubeObject>(KEPT[object].type, { namespace: release.namespace, name });
  if (found === undefined || found.metadata.uid !== uid) throw new StaleError(`${object} "${name}" is gone`);
  return found;
}

function write(
  applier: Applier,
  scene: Scene,
  object: PairedKind,
  { name, resourceVersion }: ObjectMeta,
  operations: JsonPatchOperation[],
): Promise<void> {
  const { type, store } = KEPT[object];
  const unchanged = test('/metadata/resourceVersion', resourceVersion);
  return patch(applier, store(applier.cache), type, scene, name, [unchanged, ...operations]);
}

/** At 0 the scale subresource leaves the number out, and there is nothing to test: the object itself is looked at. */
async function stillAtZero(
  applier: Applier,
  scene: Scene,
  kind: PairedKind,
  name: string,
  uid: string,
): Promise<JsonPatchOperation> {
  const { metadata, spec } = (await read(applier, scene, kind, name, uid)) as Deployment;
  if (spec.replicas !== 0) throw new StaleError(`${kind} "${name}" was scaled in the meantime`);
  return test('/metadata/resourceVersion', metadata.resourceVersion);
}

/**
 * The scale subresource cannot reach a template. What it answers is no Deployment: the number goes into the cache, so
 * that the next decision sees it.
 */
export async function scalePaired(
  applier: Applier,
  scene: Scene,
  { color, uid, from, to }: Of<'ScaleColor'>,
): Promise<void> {
  const { client, cache } = applier;
  const { kind, name } = standingOn(scene.release, color);
  const key = { namespace: scene.release.namespace, name };
  const { type, store } = KEPT[kind];
  const operations: JsonPatchOperation[] = [
    test('/metadata/uid', uid),
    from === 0 ? await stillAtZero(applier, scene, kind, name, uid) : test('/spec/replicas', from),
    { op: 'add', path: '/spec/replicas', value: to },
  ];
  const scale = await client
    .patch<Scale>(type, key, { type: 'json', operations }, { subresource: 'scale' })
    .catch((error: unknown) => {
      throw whyUnpatched(error, `${kind} "${name}"`);
    });
  const known = store(cache).get(key) as (KubeObject & { spec: object }) | undefined;
  if (known === undefined) return;
  const { resourceVersion } = scale.metadata;
  const { generation = 0 } = known.metadata;
  store(cache).note({
    ...known,
    metadata: { ...known.metadata, generation: generation + 1, ...(resourceVersion && { resourceVersion }) },
    spec: { ...known.spec, replicas: to },
  } as KubeObject);
}

export const pairAppliers: Appliers<'ClaimPaired' | 'ReleasePaired' | 'LockAutoscaler'> = {
  ClaimPaired: async (applier, scene, { object, name, uid }) => {
    const { metadata } = await read(applier, scene, object, name, uid);
    const claimedBy = metadata.labels?.[LABEL_RELEASE];
    if (claimedBy !== undefined && claimedBy !== scene.release.name)
      throw new StaleError(`${object} "${name}" belongs to release "${claimedBy}"`);
    await assertStands(applier, scene);
    await write(
      applier,
      scene,
      object,
      metadata,
      setMembers('/metadata/labels', metadata.labels, { [LABEL_RELEASE]: scene.release.name }),
    );
  },
  ReleasePaired: async (applier, scene, { object, name, uid }) => {
    const found = await read(applier, scene, object, name, uid);
    const { metadata } = found;
    const lock = parseLock(metadata.annotations);
    const { minReplicas } = (found as HorizontalPodAutoscaler).spec;
    // What people wrote since is theirs.
    const isLocked = lock !== undefined && lock.written === minReplicas;
    await write(applier, scene, object, metadata, [
      ...removeMembers('/metadata/labels', metadata.labels, [LABEL_RELEASE]),
      ...removeMembers('/metadata/annotations', metadata.annotations, [ANNOTATION_CAPACITY_LOCK]),
      ...(isLocked ? [{ op: 'add' as const, path: '/spec/minReplicas', value: lock.own }] : []),
    ]);
  },
  LockAutoscaler: async (applier, scene, { name, uid, from, to, own, note: seen, at }) => {
    const { metadata } = await read(applier, scene, 'HorizontalPodAutoscaler', name, uid);
    if (metadata.labels?.[LABEL_RELEASE] !== scene.release.name)
      throw new StaleError(`HorizontalPodAutoscaler "${name}" was given back in the meantime`);
    if (metadata.annotations?.[ANNOTATION_CAPACITY_LOCK] !== seen)
      throw new StaleError(`HorizontalPodAutoscaler "${name}" was locked in the meantime`);
    const note = { [ANNOTATION_CAPACITY_LOCK]: formatLock({ own, written: to, at }) };
    await write(applier, scene, 'HorizontalPodAutoscaler', metadata, [
      test('/spec/minReplicas', from),
      ...(to === own
        ? removeMembers('/metadata/annotations', metadata.annotations, Object.keys(note))
        : setMembers('/metadata/annotations', metadata.annotations, note)),
      { op: 'add', path: '/spec/minReplicas', value: to },
    ]);
  },
};

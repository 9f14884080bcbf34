/**
 * Turns effects into writes, one applier for each kind (`apply/`). Every write is idempotent and carries its
 * precondition; its answer goes into the cache at once, so that the next decision sees it.
 */
import { FINALIZER } from '../api/names.ts';
import { type BlueGreenReleaseObject, RELEASES } from '../api/resource.ts';
import type { JsonPatchOperation, ObjectMeta } from '../kube/ports.ts';
import { JOBS, type Job } from '../kube/types.ts';
import { activeColor } from '../release/endpoints.ts';
import type { EffectKind } from '../release/plan.ts';
import { renderJob } from '../workload/render.ts';
import type { Applier, Appliers, Apply, Of } from './apply/applier.ts';
import { colorAppliers } from './apply/colors.ts';
import { credentialsAppliers } from './apply/credentials.ts';
import { endpointAppliers } from './apply/endpoint.ts';
import { StaleError } from './apply/errors.ts';
import { pairAppliers } from './apply/pair.ts';
import { revisionAppliers } from './apply/revisions.ts';
import { serviceAppliers } from './apply/services.ts';
import { sourceAppliers } from './apply/source.ts';
import { create, patch, test } from './apply/writes.ts';
import type { Scene } from './observe.ts';
import { servingOf } from './published.ts';

export async function applyEffect<K extends EffectKind>(
  applier: Applier,
  scene: Scene,
  effect: Of<K>,
): Promise<void> {
  const apply = APPLIERS[effect.kind] as Apply<K>;
  await apply(applier, scene, effect);
}

const finalizers = (
  applier: Applier,
  { namespace = '', name, uid }: Pick<ObjectMeta, 'namespace' | 'name' | 'uid'>,
  change: (present: string[]) => string[],
): Promise<void> => {
  const { releases } = applier.cache;
  const object = releases.get({ namespace, name });
  const operations: JsonPatchOperation[] = [
    test('/metadata/uid', uid),
    test('/metadata/resourceVersion', object?.metadata.resourceVersion),
    { op: 'add', path: '/metadata/finalizers', value: change(object?.metadata.finalizers ?? []) },
  ];
  return patch(applier, releases, RELEASES, { release: { namespace } }, name, operations);
};

const without = (present: string[]): string[] => present.filter((each) => each !== FINALIZER);

/** Takes our finalizer from a release of which nothing else is known. */
export async function letGo(applier: Applier, { metadata }: BlueGreenReleaseObject): Promise<void> {
  if (metadata.finalizers?.includes(FINALIZER)) await finalizers(applier, metadata, without);
}

const APPLIERS: Appliers<EffectKind> = {
  ...revisionAppliers,
  ...serviceAppliers,
  ...sourceAppliers,
  ...colorAppliers,
  ...endpointAppliers,
  ...credentialsAppliers,
  ...pairAppliers,
  AddFinalizer: (applier, scene) =>
    finalizers(applier, scene.release, (present) => [...new Set([...present, FINALIZER])]),
  RemoveFinalizer: (applier, scene) => finalizers(applier, scene.release, without),
  CreateJob: async (applier, scene, { gate, revision, attempt, color }) => {
    const { release, snapshot } = scene;
    const frozen = snapshot.revisions.find(({ name }) => name === revision)?.frozen;
    const spec = frozen?.gates.find(({ name }) => name === gate);
    if (frozen === undefined || spec === undefined)
      throw new StaleError(`gate "${gate}" of revision ${revision} is gone`);
    const serving = snapshot.endpoint
      ? servingOf(snapshot.endpoint)
      : activeColor(snapshot.services, release.spec.traffic.selectorLabel);
    const subject = { revision, attempt, color, activeColor: serving, services: scene.services };
    await create<Job>(applier, applier.cache.jobs, JOBS, scene, renderJob(release, spec, subject));
  },
};

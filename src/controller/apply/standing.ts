/** Whether the release is there still, asked of the API server: a cache may not have heard yet that it is gone. */
import { type BlueGreenReleaseObject, RELEASES } from '../../api/resource.ts';
import type { CallOptions, Urgency } from '../../kube/ports.ts';
import type { Scene } from '../observe.ts';
import type { Applier } from './applier.ts';
import { StaleError } from './errors.ts';
import { ANSWER_DEADLINE_MS } from './in-force.ts';

/**
 * Before something becomes the release's own that was not: whatever it took back when it went, it does not take back
 * again, and nobody else would. What is its own already is tested for by what stands on it.
 */
export async function assertStands(
  { client }: Applier,
  { release, snapshot }: Scene,
  options: Pick<CallOptions, 'urgency' | 'deadlineMs'> = {},
): Promise<void> {
  const { namespace, name, uid } = release;
  const found = await client.list<BlueGreenReleaseObject>(RELEASES, {
    namespace,
    fieldSelector: `metadata.name=${name}`,
    ...options,
  });
  const own = found.find(({ metadata }) => metadata.uid === uid);
  if (own === undefined) throw new StaleError(`release "${name}" is gone`);
  if (own.metadata.deletionTimestamp !== undefined && !snapshot.release.deleting)
    throw new StaleError(`release "${name}" is being deleted`);
}

/**
 * Only a release that is being deleted names the pods of the source: what looks like drift may be what another process
 * has handed back, and this one has not heard. Production waits for no answer here either.
 */
export async function assertNotHandedBack(applier: Applier, scene: Scene, urgency: Urgency): Promise<void> {
  if (scene.snapshot.release.deleting) return;
  await assertStands(applier, scene, { urgency, deadlineMs: ANSWER_DEADLINE_MS }).catch((error: unknown) => {
    if (error instanceof StaleError) throw error;
  });
}

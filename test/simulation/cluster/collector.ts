/**
 * The garbage collector. Background: dependents go after their owner. Foreground: they go while their owner still
 * waits for its other finalizers, which is what surprises people.
 */
import type { KubeObject, ResourceType } from '../../../src/kube/ports.ts';
import {
  CONTROLLER_REVISIONS,
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  JOBS,
  PODS,
  REPLICA_SETS,
} from '../../../src/kube/types.ts';
import type { Change } from './api.ts';
import { createSoon, type Surroundings } from './controller.ts';

const COLLECTED: readonly ResourceType[] = [
  DEPLOYMENTS,
  REPLICA_SETS,
  PODS,
  JOBS,
  CONTROLLER_REVISIONS,
  ENDPOINT_SLICES,
];

export function startCollector(around: Surroundings): void {
  const { api, pace } = around;
  const owners = new Map<string, { type: ResourceType; name: string }>();
  const soon = createSoon(around, () => pace.controllers, collect);

  api.onChange(({ type, event, object }: Change) => {
    const { uid = '', name, deletionTimestamp } = object.metadata;
    if (event !== 'DELETED' && deletionTimestamp === undefined) return;
    owners.set(uid, { type, name });
    soon(uid);
    for (const owner of object.metadata.ownerReferences ?? []) if (owners.has(owner.uid)) soon(owner.uid);
  });

  function dependents(uid: string): [ResourceType, KubeObject][] {
    return COLLECTED.flatMap((type) =>
      api
        .list(type)
        .filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid))
        .map((object): [ResourceType, KubeObject] => [type, object]),
    );
  }

  function collect(uid: string): void {
    const owner = owners.get(uid);
    if (owner === undefined) return;
    const object = api.get(owner.type, owner.name);
    const alive = object?.metadata.uid === uid ? object : undefined;
    if (alive !== undefined && !isForeground(alive)) return;
    const left = dependents(uid);
    for (const [type, dependent] of left)
      if (dependent.metadata.deletionTimestamp === undefined) api.delete(type, dependent.metadata.name);
    if (alive !== undefined && left.length === 0) api.update(owner.type, owner.name, released);
  }
}

function isForeground({ metadata }: KubeObject): boolean {
  return metadata.finalizers?.includes('foregroundDeletion') ?? false;
}

function released<T extends KubeObject>(object: T): T {
  const finalizers = (object.metadata.finalizers ?? []).filter((each) => each !== 'foregroundDeletion');
  return { ...object, metadata: { ...object.metadata, finalizers } };
}

/** The Deployment and ReplicaSet controllers: one ReplicaSet for each template, rolling from one to the next. */
import { memo } from '../../../src/api/memo.ts';
import type { KubeObject } from '../../../src/kube/ports.ts';
import {
  DEPLOYMENTS,
  type Deployment,
  PODS,
  type Pod,
  REPLICA_SETS,
  type ReplicaSet,
} from '../../../src/kube/types.ts';
import type { Change } from './api.ts';
import { createSoon, type Surroundings } from './controller.ts';

export interface Quota {
  /** Pods that may exist. */
  pods: number;
}

const HASH = 'pod-template-hash';

export function startDeployments(around: Surroundings, quota: Quota): void {
  const { api, pace } = around;
  let pods = 0;

  const soon = createSoon(around, () => pace.controllers, sync);

  api.onChange((change: Change) => {
    if (change.type === DEPLOYMENTS) soon(change.object.metadata.name);
    if (change.type !== REPLICA_SETS && change.type !== PODS) return;
    const name = change.object.metadata.annotations?.deployment;
    if (name !== undefined) soon(name);
  });

  function sync(name: string): void {
    const deployment = api.get<Deployment>(DEPLOYMENTS, name);
    if (deployment === undefined || deployment.metadata.deletionTimestamp !== undefined) return;
    for (const [set, size] of sizes(deployment)) scale(set, size);
    report(name);
  }

  function setsOf({ metadata }: KubeObject): ReplicaSet[] {
    return api
      .list<ReplicaSet>(REPLICA_SETS)
      .filter((set) => set.metadata.ownerReferences?.[0]?.uid === metadata.uid);
  }

  function podsOf(set: ReplicaSet): Pod[] {
    return api
      .list<Pod>(PODS)
      .filter(
        ({ metadata }) =>
          metadata.ownerReferences?.[0]?.uid === set.metadata.uid && metadata.deletionTimestamp === undefined,
      );
  }

  /** How many pods each ReplicaSet should have. */
  function sizes(deployment: Deployment): [ReplicaSet, number][] {
    const desired = deployment.spec.replicas ?? 1;
    const all = setsOf(deployment);
    const hash = hashOf(deployment);
    const current = all.find((set) => set.metadata.labels?.[HASH] === hash);
    if (deployment.spec.paused) return paused(all, desired);
    const fresh = current ?? createSet(deployment, hash);
    const old = all.filter((set) => set !== current);
    const oldPods = old.flatMap(podsOf);
    if (oldPods.length === 0 || desired === 0)
      return [...old.map((set): [ReplicaSet, number] => [set, 0]), [fresh, desired]];
    return rolling(desired, fresh, old);
  }

  /** Scaling goes on while a Deployment is paused: the set that has most takes the difference. */
  function paused(all: readonly ReplicaSet[], desired: number): [ReplicaSet, number][] {
    const [largest, ...rest] = all.toSorted((a, b) => (b.spec.replicas ?? 0) - (a.spec.replicas ?? 0));
    if (largest === undefined) return [];
    if (desired === 0) return all.map((set) => [set, 0]);
    const others = rest.map((set): [ReplicaSet, number] => [set, set.spec.replicas ?? 0]);
    const taken = others.reduce((sum, [, size]) => sum + size, 0);
    return [[largest, Math.max(0, desired - taken)], ...others];
  }

  /** maxSurge 25 %, maxUnavailable 25 %. */
  function rolling(desired: number, fresh: ReplicaSet, old: readonly ReplicaSet[]): [ReplicaSet, number][] {
    const oldPods = old.flatMap(podsOf);
    const surge = Math.ceil(desired / 4);
    const available = [...oldPods, ...podsOf(fresh)].filter(isReady).length;
    const unready = oldPods.filter((pod) => !isReady(pod)).length;
    const removable = Math.max(0, available - (desired - Math.floor(desired / 4))) + unready;
    let left = Math.max(0, oldPods.length - removable);
    const shrunk = old.map((set): [ReplicaSet, number] => {
      const size = Math.min(left, podsOf(set).length);
      left -= size;
      return [set, size];
    });
    return [
      ...shrunk,
      [fresh, Math.max(podsOf(fresh).length, Math.min(desired, desired + surge - oldPods.length))],
    ];
  }

  function createSet(deployment: Deployment, hash: string): ReplicaSet {
    const { name, uid = '' } = deployment.metadata;
    const { template } = deployment.spec;
    const labels = { ...template.metadata?.labels, [HASH]: hash };
    const setName = `${name}-${hash}`;
    const known = api.get<ReplicaSet>(REPLICA_SETS, setName);
    // Left behind by a Deployment of that name that is gone: it is being collected.
    if (known !== undefined) api.remove(REPLICA_SETS, setName);
    return api.create<ReplicaSet>(REPLICA_SETS, {
      metadata: {
        name: setName,
        labels,
        annotations: { deployment: name },
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name, uid, controller: true }],
      },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
    });
  }

  function scale(set: ReplicaSet, size: number): void {
    const { name } = set.metadata;
    if (set.spec.replicas !== size)
      api.update<ReplicaSet>(REPLICA_SETS, name, (object) => ({
        ...object,
        spec: { ...object.spec, replicas: size },
      }));
    const present = podsOf(set);
    const missing = size - present.length;
    const room = quota.pods - api.list(PODS).length;
    for (let made = 0; made < Math.min(missing, Math.max(0, room)); made++) createPod(set);
    const surplus = present
      .toSorted((a, b) => Number(isReady(a)) - Number(isReady(b)))
      .slice(0, Math.max(0, -missing));
    for (const pod of surplus) api.delete(PODS, pod.metadata.name);
    const failed = missing > room;
    const left = podsOf(set);
    api.update<ReplicaSet>(REPLICA_SETS, name, (object) => ({
      ...object,
      status: {
        replicas: left.length,
        readyReplicas: left.filter(isReady).length,
        conditions: failed ? [quotaExceeded(quota.pods)] : [],
      },
    }));
    if (failed) around.timeline.after(5000, () => soon(set.metadata.annotations?.deployment ?? ''));
  }

  function createPod(set: ReplicaSet): void {
    const { name, uid = '', labels = {} } = set.metadata;
    api.create<Pod>(PODS, {
      metadata: {
        name: `${name}-${++pods}`,
        labels,
        annotations: { deployment: set.metadata.annotations?.deployment ?? '' },
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name, uid, controller: true }],
      },
      spec: { containers: (set.spec.template?.spec.containers ?? []) as any },
    });
  }

  function report(name: string): void {
    const deployment = api.get<Deployment>(DEPLOYMENTS, name);
    if (deployment === undefined) return;
    const hash = hashOf(deployment);
    const all = setsOf(deployment);
    const pods = all.flatMap(podsOf);
    const ready = pods.filter(isReady).length;
    const failure = all.flatMap((set) => set.status?.conditions ?? []);
    api.update<Deployment>(DEPLOYMENTS, name, (object) => ({
      ...object,
      status: {
        observedGeneration: object.metadata.generation ?? 1,
        replicas: pods.length,
        updatedReplicas: all.filter((set) => set.metadata.labels?.[HASH] === hash).flatMap(podsOf).length,
        readyReplicas: ready,
        availableReplicas: ready,
        conditions: failure,
      },
    }));
  }
}

export function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

function quotaExceeded(pods: number): { type: string; status: 'True'; reason: string; message: string } {
  return {
    type: 'ReplicaFailure',
    status: 'True',
    reason: 'FailedCreate',
    message: `exceeded quota: pods=${pods}`,
  };
}

function hashOf({ spec }: Deployment): string {
  return hashOfTemplate(spec.template);
}

/** Identity of a template, in eight characters. */
const hashOfTemplate = memo((template: object): string => {
  let hash = 0x811c9dc5;
  for (const char of JSON.stringify(template)) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, '0');
});

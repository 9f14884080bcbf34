/**
 * Where a candidate pod is asked something over the network. Tenants write Services and pod templates, and the operator
 * can reach more than they can: so only a pod that a ReplicaSet of the colour's own Deployment, or a pair's StatefulSet,
 * controls is dialled, at
 * the address that its node gave it, not in the network of the node, and at a port of the production Service.
 */
import type { Color } from '../api/status.ts';
import { sideInWords, standingOn } from '../api/workload.ts';
import type { KubeClient, OwnerReference } from '../kube/ports.ts';
import {
  PODS,
  type Pod,
  REPLICA_SETS,
  type ReplicaSet,
  type Service,
  type ServicePort,
} from '../kube/types.ts';
import type { Cache } from './cache.ts';
import type { Scene } from './observe.ts';
import { WORKLOADS } from './workloads.ts';

export interface PodAddress {
  readonly host: string;
  readonly port: number;
}

export interface DialledPod extends PodAddress {
  /** How often its containers were started again: what they had counted is lost with each. */
  readonly restarts: number;
}

export interface PodIdentity {
  readonly color: Color;
  readonly pod: string;
  readonly uid: string;
}

/** Throws an Error with a sentence where the pod may not be dialled. `port`: one of the Service's; its first by default. */
export async function addressOf(
  { client, cache }: { readonly client: KubeClient; readonly cache: Cache },
  { release, services }: Scene,
  { color, pod: name, uid }: PodIdentity,
  port: number | undefined,
  signal: AbortSignal,
): Promise<DialledPod> {
  const { namespace } = release;
  const pod = await client.get<Pod>(PODS, { namespace, name }, { signal });
  if (pod === undefined || pod.metadata.uid !== uid) throw new Error('it is gone');
  if (pod.spec.hostNetwork === true) throw new Error('it is in the network of its node, and is not asked');
  const standing = standingOn(release, color);
  const workload = WORKLOADS[standing.kind].store(cache).get({ namespace, name: standing.name });
  const owner =
    standing.kind === 'Deployment'
      ? await deploymentOf(client, pod, namespace, signal)
      : controllerOf(pod.metadata.ownerReferences, 'StatefulSet');
  if (owner === undefined || owner.uid !== workload?.metadata.uid)
    throw new Error(`it does not belong to ${sideInWords(release, color)}`);
  const host = pod.status?.podIP;
  if (host === undefined) throw new Error('it has no address yet');
  const containers = pod.status?.containerStatuses ?? [];
  const restarts = containers.reduce((sum, { restartCount = 0 }) => sum + restartCount, 0);
  return { host, port: targetOf(services[0], pod, port), restarts };
}

/** The Deployment that controls the ReplicaSet that controls this pod. */
async function deploymentOf(
  client: KubeClient,
  pod: Pod,
  namespace: string,
  signal: AbortSignal,
): Promise<OwnerReference | undefined> {
  const owner = controllerOf(pod.metadata.ownerReferences, 'ReplicaSet');
  const labelSelector = selectorOf(pod);
  const sets = await client.list<ReplicaSet>(REPLICA_SETS, { namespace, signal, labelSelector });
  const set = sets.find(({ metadata }) => metadata.uid !== undefined && metadata.uid === owner?.uid);
  return controllerOf(set?.metadata.ownerReferences, 'Deployment');
}

function controllerOf(
  owners: readonly OwnerReference[] | undefined,
  kind: string,
): OwnerReference | undefined {
  return owners?.find((owner) => owner.controller === true && owner.kind === kind);
}

const HASH = 'pod-template-hash';

/** The ReplicaSet carries the hash that its pods carry. */
function selectorOf({ metadata }: Pod): string {
  return `${HASH}=${metadata.labels?.[HASH] ?? ''}`;
}

function targetOf(service: Service | undefined, pod: Pod, wanted: number | undefined): number {
  const ports = service?.spec.ports ?? [];
  const port = wanted === undefined ? ports[0] : ports.find((each) => each.port === wanted);
  if (port === undefined) throw new Error(`Service "${service?.metadata.name}" has no port ${wanted ?? ''}`);
  const { targetPort = port.port } = port;
  return typeof targetPort === 'number' ? targetPort : portNamed(pod, targetPort, port);
}

function portNamed({ spec }: Pod, name: string, { port }: ServicePort): number {
  for (const container of spec.containers ?? []) {
    const ports = container.ports as { name?: string; containerPort?: number }[] | undefined;
    const found = ports?.find((each) => each.name === name)?.containerPort;
    if (found !== undefined) return found;
  }
  throw new Error(`it has no port called "${name}", which port ${port} of the Service leads to`);
}

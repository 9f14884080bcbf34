/** The Deployment that people edit: read where nobody watches it for us yet, and what only it can tell. */

import {
  ANNOTATION_PARKED_AT,
  ANNOTATION_STORED_AUTOSCALER,
  LABEL_POD_TEMPLATE_HASH,
  LABEL_RELEASE,
} from '../api/names.ts';
import { parseTime } from '../api/time.ts';
import { workloadOf } from '../api/workload.ts';
import type { KubeClient } from '../kube/ports.ts';
import {
  DEPLOYMENTS,
  type Deployment,
  HORIZONTAL_POD_AUTOSCALERS,
  type HorizontalPodAutoscaler,
  REPLICA_SETS,
  type ReplicaSet,
} from '../kube/types.ts';
import type { ConfigView, SourceView } from '../release/snapshot.ts';
import { contentOfReplicaSet, fingerprint } from '../workload/content.ts';
import type { ReleaseRef } from '../workload/render.ts';
import type { Reader } from './cache.ts';
import { sourceFingerprint } from './identities.ts';
import { lastWriter } from './writers.ts';

/** From the cache once it carries our label; before that nobody watches it for us. */
export async function readSource(
  { cache, client }: Reader,
  release: ReleaseRef,
): Promise<Deployment | undefined> {
  const workload = workloadOf(release.spec);
  if (workload.kind !== 'DeploymentRef') return undefined;
  const key = { namespace: release.namespace, name: workload.name };
  return cache.deployments.get(key) ?? (await client.get<Deployment>(DEPLOYMENTS, key));
}

/** Those whose pods are ready, the largest first: what the Deployment wishes for does not matter. */
export async function readReadyReplicaSets(client: KubeClient, source: Deployment): Promise<ReplicaSet[]> {
  const labels = Object.entries(source.spec.selector.matchLabels ?? {}).map(
    ([key, value]) => `${key}=${value}`,
  );
  const { namespace = '', uid } = source.metadata;
  const all = await client.list<ReplicaSet>(REPLICA_SETS, { namespace, labelSelector: labels.join(',') });
  return all
    .filter(
      ({ metadata, status }) =>
        metadata.ownerReferences?.some((owner) => owner.uid === uid) && (status?.readyReplicas ?? 0) > 0,
    )
    .sort((a, b) => (b.status?.readyReplicas ?? 0) - (a.status?.readyReplicas ?? 0));
}

export async function readAutoscalers(
  client: KubeClient,
  source: Deployment,
): Promise<HorizontalPodAutoscaler[]> {
  const { namespace = '', name } = source.metadata;
  const all = await client.list<HorizontalPodAutoscaler>(HORIZONTAL_POD_AUTOSCALERS, { namespace });
  return all.filter(
    ({ spec }) => spec.scaleTargetRef.kind === 'Deployment' && spec.scaleTargetRef.name === name,
  );
}

export function sourceView(
  source: Deployment,
  readySets: readonly ReplicaSet[],
  autoscalers: readonly HorizontalPodAutoscaler[],
  config: ConfigView,
): SourceView {
  const { metadata, spec, status } = source;
  const [live, ...others] = readySets;
  const observed = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  const content = live && contentOfReplicaSet(live, source, config.found);
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    replicas: spec.replicas ?? 1,
    ready: status?.readyReplicas ?? 0,
    pods: status?.replicas ?? 0,
    paused: spec.paused ?? false,
    rolledOut: observed ? (status?.updatedReplicas ?? 0) === (status?.replicas ?? 0) : undefined,
    readyHash: others.length === 0 ? live?.metadata.labels?.[LABEL_POD_TEMPLATE_HASH] : undefined,
    readySets: readySets.map((each) => each.metadata.name),
    fingerprint: sourceFingerprint(source, config.found),
    podLabels: spec.template.metadata?.labels ?? {},
    ...(content && live && { live: { fingerprint: fingerprint(content), replicaSet: live.metadata.name } }),
    autoscalers: autoscalers.map((autoscaler) => ({
      name: autoscaler.metadata.name,
      uid: autoscaler.metadata.uid ?? '',
    })),
    claimedBy: metadata.labels?.[LABEL_RELEASE],
    storedAutoscaler: metadata.annotations?.[ANNOTATION_STORED_AUTOSCALER] !== undefined,
    parkedAt: parseTime(metadata.annotations?.[ANNOTATION_PARKED_AT]),
  };
}

/** Asked only when it was parked, and has pods again. */
export function sourceScaler(
  { client }: Reader,
  { metadata, spec }: Deployment,
): Promise<string | undefined> | undefined {
  if (metadata.annotations?.[ANNOTATION_PARKED_AT] === undefined || spec.replicas === 0) return undefined;
  const { namespace = '', name } = metadata;
  return lastWriter(client, DEPLOYMENTS, { namespace, name }, ['spec', 'replicas']);
}

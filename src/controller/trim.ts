/** What is kept of each object: what a view reads, and nothing else. Ten thousand releases have as many of each kind. */
import { LABEL_COLOR, LABEL_RELEASE, LABEL_SERVICE_NAME, LABEL_SLICE_MANAGER } from '../api/names.ts';
import type { KubeObject, ObjectMeta } from '../kube/ports.ts';
import type {
  ConfigMap,
  ControllerRevision,
  Deployment,
  EndpointSlice,
  HorizontalPodAutoscaler,
  Job,
  JsonObject,
  Pod,
  PodDisruptionBudget,
  StatefulSet,
} from '../kube/types.ts';
import { configDigest } from '../workload/config.ts';
import type { RevisionData } from '../workload/content.ts';

/** A ConfigMap without what it holds, unless that is published by a release: that is read when a revision is frozen, and kept nowhere else. */
export interface ConfigDigest extends KubeObject {
  readonly digest: string;
  /** Of what it holds. */
  readonly bytes: number;
  /** What it says, where it is published by a release. */
  readonly data?: Record<string, string>;
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * `kubectl apply` leaves a second copy of the object that nobody here reads. The map stays where it was the only
 * member: whether it is there decides how a patch adds to it.
 */
export function trimApplied<T extends KubeObject>(object: T): T {
  const { annotations } = object.metadata;
  if (annotations?.[LAST_APPLIED] === undefined) return object;
  const { [LAST_APPLIED]: _, ...kept } = annotations;
  return { ...object, metadata: { ...object.metadata, annotations: kept } };
}

export function trimDeployment(deployment: Deployment): Deployment {
  const { status, ...rest } = trimApplied(deployment);
  if (status === undefined) return rest;
  const { conditions, ...counts } = status;
  const failure = conditions?.filter(({ type }) => type === 'ReplicaFailure') ?? [];
  return { ...rest, status: failure.length === 0 ? counts : { ...counts, conditions: failure } };
}

export function trimStatefulSet(set: StatefulSet): StatefulSet {
  const { metadata, spec, status } = trimApplied(set);
  const { replicas, selector, template } = spec;
  return {
    metadata,
    spec: { selector, template, ...(replicas !== undefined && { replicas }) },
    ...(status !== undefined && { status }),
  };
}

export function trimPod(pod: Pod): Pod {
  const { metadata, status } = pod;
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].map(
    ({ name, restartCount = 0, state, lastState }) => ({
      name,
      restartCount,
      ...(state !== undefined && { state }),
      ...(lastState !== undefined && { lastState }),
    }),
  );
  const conditions = (status?.conditions ?? []).filter(
    ({ type }) => type === 'Ready' || type === 'PodScheduled',
  );
  const { annotations: _, ownerReferences: __, ...kept } = metadata;
  return {
    metadata: kept,
    spec: {},
    status: { conditions, containerStatuses: containers, ...(status?.phase && { phase: status.phase }) },
  };
}

export function trimJob(job: Job): Job {
  const { annotations: _, ...metadata } = job.metadata;
  return {
    metadata,
    spec: { template: { spec: {} } },
    ...(job.status !== undefined && { status: job.status }),
  };
}

/** Of its status only whether it is switched off: all else changes every 15 seconds and is nobody's business here. */
export function trimAutoscaler({ metadata, spec, status }: HorizontalPodAutoscaler): HorizontalPodAutoscaler {
  const conditions = (status?.conditions ?? []).filter(({ type }) => type === 'ScalingActive');
  return { metadata, spec, status: { conditions } };
}

export function trimBudget({ metadata, spec }: PodDisruptionBudget): PodDisruptionBudget {
  return { ...trimToMetadata({ metadata }), spec };
}

/** What ConfigMaps held is read again where a copy is to be made. */
export function trimRevision(revision: ControllerRevision): ControllerRevision {
  const { configMaps, ...data } = (revision.data ?? {}) as unknown as RevisionData;
  return configMaps === undefined ? revision : { ...revision, data: data as unknown as JsonObject };
}

export function trimConfigMap(configMap: ConfigMap): ConfigDigest {
  const { data = {}, binaryData = {} } = configMap;
  const bytes = Buffer.byteLength(JSON.stringify([data, binaryData]));
  const kept = { ...trimToMetadata(configMap), digest: configDigest(configMap), bytes };
  const { labels = {}, annotations } = configMap.metadata;
  // Copies have a colour.
  if (labels[LABEL_RELEASE] === undefined || labels[LABEL_COLOR] !== undefined) return kept;
  return { ...kept, metadata: { ...kept.metadata, ...(annotations && { annotations }) }, data };
}

function identityOf({ name, namespace, uid, resourceVersion }: ObjectMeta): ObjectMeta {
  return {
    name,
    ...(namespace && { namespace }),
    ...(uid && { uid }),
    ...(resourceVersion && { resourceVersion }),
  };
}

export function trimToMetadata({ metadata }: KubeObject): KubeObject {
  const { deletionTimestamp, labels } = metadata;
  return {
    metadata: {
      ...identityOf(metadata),
      ...(deletionTimestamp && { deletionTimestamp }),
      ...(labels && { labels }),
    },
  };
}

export function trimSlice(slice: EndpointSlice): EndpointSlice {
  const kept = Object.fromEntries(
    Object.entries(slice.metadata.labels ?? {}).filter(([key]) =>
      [LABEL_RELEASE, LABEL_COLOR, LABEL_SERVICE_NAME, LABEL_SLICE_MANAGER].includes(key),
    ),
  );
  return {
    metadata: { ...identityOf(slice.metadata), labels: kept },
    addressType: slice.addressType,
    ports: (slice.ports ?? []).map(({ name: port }) => ({ ...(port !== undefined && { name: port }) })),
    endpoints: (slice.endpoints ?? []).map(({ conditions, targetRef, nodeName, zone }) => ({
      addresses: [],
      ...(conditions !== undefined && { conditions }),
      ...(targetRef?.uid !== undefined && { targetRef: { uid: targetRef.uid } }),
      ...(nodeName !== undefined && { nodeName }),
      ...(zone !== undefined && { zone }),
    })),
  };
}

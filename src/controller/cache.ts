/**
 * What the operator keeps of the cluster: one shared watch per kind, narrowed by the release label to what belongs to
 * a release (budgets are not), and trimmed to what a view reads.
 */
import { LABEL_COLOR, LABEL_CONFIG, LABEL_RELEASE } from '../api/names.ts';
import { type BlueGreenReleaseObject, RELEASES } from '../api/resource.ts';
import type { ReleaseSpec } from '../api/schema.ts';
import type { KubeClient, KubeObject, ResourceType, Store } from '../kube/ports.ts';
import {
  CONFIG_MAPS,
  CONTROLLER_REVISIONS,
  type ConfigMap,
  type ControllerRevision,
  DEPLOYMENTS,
  type Deployment,
  ENDPOINT_SLICES,
  type EndpointSlice,
  HORIZONTAL_POD_AUTOSCALERS,
  type HorizontalPodAutoscaler,
  JOBS,
  type Job,
  type JsonObject,
  POD_DISRUPTION_BUDGETS,
  PODS,
  type Pod,
  type PodDisruptionBudget,
  SECRETS,
  SERVICES,
  type Service,
  STATEFUL_SETS,
  type StatefulSet,
} from '../kube/types.ts';
import { configDigest } from '../workload/config.ts';
import type { RevisionData } from '../workload/content.ts';
import { sameJson } from './json.ts';

export interface Cache {
  readonly releases: Store<BlueGreenReleaseObject>;
  readonly services: Store<Service>;
  readonly deployments: Store<Deployment>;
  /** Those of pairs. */
  readonly statefulSets: Store<StatefulSet>;
  readonly autoscalers: Store<HorizontalPodAutoscaler>;
  /** Other people's too: two that select one pod make every eviction fail. */
  readonly budgets: Store<PodDisruptionBudget>;
  readonly revisions: Store<ControllerRevision>;
  readonly jobs: Store<Job>;
  readonly pods: Store<Pod>;
  readonly slices: Store<EndpointSlice>;
  /** Those that a release may name, and the copies. */
  readonly configMaps: Store<ConfigDigest>;
  /** Those that a release may name; of them no more than metadata ever comes here. */
  readonly secrets: Store<KubeObject>;
}

/** What is read from: the cache, and the API server where the cache cannot know. */
export interface Reader {
  readonly cache: Cache;
  readonly client: KubeClient;
}

/** A ConfigMap without what it holds, unless that is published by a release: that is read when a revision is frozen, and kept nowhere else. */
export interface ConfigDigest extends KubeObject {
  readonly digest: string;
  /** Of what it holds. */
  readonly bytes: number;
  /** What it says, where it is published by a release. */
  readonly data?: Record<string, string>;
}

export const BY_RELEASE = 'release';
export const BY_SERVICE = 'service';
/** Releases, by `plural/namespace/name` of each object that they name. */
const BY_CONFIG = 'config';

export const LABEL_SERVICE_NAME = 'kubernetes.io/service-name';
export const LABEL_JOB_NAME = 'batch.kubernetes.io/job-name';
export const LABEL_SLICE_MANAGER = 'endpointslice.kubernetes.io/managed-by';

/** `namespace/name`: the key of a release in the queue and in the indexes. */
export function keyOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}

/** The release that an object belongs to, by its label. */
export function releaseOf({ metadata }: KubeObject): string | undefined {
  const name = metadata.labels?.[LABEL_RELEASE];
  return name === undefined ? undefined : keyOf(metadata.namespace, name);
}

/**
 * Keys of the releases that a change concerns: whose object it is, or was; for a budget whose pods it may select, and for
 * config those that name it.
 */
export function concerned(
  kind: keyof Cache,
  object: KubeObject,
  old: KubeObject | undefined,
  releases: () => Pick<Cache['releases'], 'list' | 'byIndex'>,
): Set<string> {
  if (kind === 'releases') return new Set([keyOf(object.metadata.namespace, object.metadata.name)]);
  const own = [releaseOf(object), old && releaseOf(old)].filter((key) => key !== undefined);
  if (kind === 'configMaps' || kind === 'secrets') {
    const { namespace, name } = object.metadata;
    const naming = releases().byIndex(BY_CONFIG, configKey(WATCHED[kind].type, namespace, name));
    return new Set([...own, ...naming.map(({ metadata }) => keyOf(metadata.namespace, metadata.name))]);
  }
  if (kind !== 'budgets') return new Set(own);
  // Its status changes with every pod, and is nobody's business here.
  if (old !== undefined && saysTheSame(object, old)) return new Set();
  const asking = releases()
    .list(object.metadata.namespace)
    .filter(({ spec }) => (spec as Partial<ReleaseSpec> | undefined)?.podDisruptionBudget !== undefined)
    .map(({ metadata }) => keyOf(metadata.namespace, metadata.name));
  return new Set([...own, ...asking]);
}

function saysTheSame(object: KubeObject, old: KubeObject): boolean {
  const said = ({ metadata: { uid, labels }, spec }: KubeObject & { spec?: unknown }) => ({
    uid,
    labels,
    spec,
  });
  return sameJson(said(object), said(old));
}

const byRelease = (object: KubeObject): string[] => {
  const key = releaseOf(object);
  return key === undefined ? [] : [key];
};

const byService = ({ metadata }: KubeObject): string[] => {
  const service = metadata.labels?.[LABEL_SERVICE_NAME];
  return service === undefined ? [] : [keyOf(metadata.namespace, service)];
};

const byConfig = (object: KubeObject): string[] => {
  const { config, traffic } = (object as BlueGreenReleaseObject).spec as Partial<ReleaseSpec>;
  const published = traffic?.endpoint && [traffic.endpoint.configMapRef];
  const keys = (type: ResourceType, named: readonly { name: string }[] = []): string[] =>
    named.map(({ name }) => configKey(type, object.metadata.namespace, name));
  return [
    ...keys(CONFIG_MAPS, config?.configMaps),
    ...keys(CONFIG_MAPS, published),
    ...keys(SECRETS, config?.secrets),
  ];
};

const configKey = ({ plural }: ResourceType, namespace: string | undefined, name: string): string =>
  `${plural}/${keyOf(namespace, name)}`;

/** How one kind is watched. */
export interface Watched {
  readonly type: ResourceType;
  /** Only what carries this label. */
  readonly label?: string;
  readonly metadataOnly?: boolean;
  /** The operator works without the right to it; what needs it says so. */
  readonly mayBeForbidden?: boolean;
  readonly indexes: Readonly<Record<string, (object: KubeObject) => readonly string[]>>;
  readonly trim?: (object: never) => KubeObject;
}

const owned = (type: ResourceType, trim?: Watched['trim']): Watched => ({
  type,
  label: LABEL_RELEASE,
  indexes: { [BY_RELEASE]: byRelease },
  ...(trim !== undefined && { trim }),
});

export const WATCHED: Readonly<Record<keyof Cache, Watched>> = {
  releases: { type: RELEASES, indexes: { [BY_CONFIG]: byConfig }, trim: trimApplied },
  services: owned(SERVICES, trimApplied),
  deployments: owned(DEPLOYMENTS, trimDeployment),
  statefulSets: owned(STATEFUL_SETS, trimStatefulSet),
  autoscalers: owned(HORIZONTAL_POD_AUTOSCALERS, trimAutoscaler),
  budgets: { type: POD_DISRUPTION_BUDGETS, indexes: {}, trim: trimBudget },
  revisions: owned(CONTROLLER_REVISIONS, trimRevision),
  jobs: owned(JOBS, trimJob),
  pods: owned(PODS, trimPod),
  slices: {
    type: ENDPOINT_SLICES,
    label: LABEL_RELEASE,
    indexes: { [BY_SERVICE]: byService },
    trim: trimSlice,
  },
  configMaps: {
    type: CONFIG_MAPS,
    label: LABEL_CONFIG,
    indexes: { [BY_RELEASE]: byRelease },
    trim: trimConfigMap,
  },
  secrets: {
    type: SECRETS,
    label: LABEL_CONFIG,
    metadataOnly: true,
    mayBeForbidden: true,
    indexes: {},
    trim: trimToMetadata,
  },
};

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * `kubectl apply` leaves a second copy of the object that nobody here reads. The map stays where it was the only
 * member: whether it is there decides how a patch adds to it.
 */
function trimApplied<T extends KubeObject>(object: T): T {
  const { annotations } = object.metadata;
  if (annotations?.[LAST_APPLIED] === undefined) return object;
  const { [LAST_APPLIED]: _, ...kept } = annotations;
  return { ...object, metadata: { ...object.metadata, annotations: kept } };
}

function trimDeployment(deployment: Deployment): Deployment {
  const { status, ...rest } = trimApplied(deployment);
  if (status === undefined) return rest;
  const { conditions, ...counts } = status;
  const failure = conditions?.filter(({ type }) => type === 'ReplicaFailure') ?? [];
  return { ...rest, status: failure.length === 0 ? counts : { ...counts, conditions: failure } };
}

function trimStatefulSet(set: StatefulSet): StatefulSet {
  const { metadata, spec, status } = trimApplied(set);
  const { replicas, selector, template } = spec;
  return {
    metadata,
    spec: { selector, template, ...(replicas !== undefined && { replicas }) },
    ...(status !== undefined && { status }),
  };
}

function trimPod(pod: Pod): Pod {
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

function trimJob(job: Job): Job {
  const { annotations: _, ...metadata } = job.metadata;
  return {
    metadata,
    spec: { template: { spec: {} } },
    ...(job.status !== undefined && { status: job.status }),
  };
}

/** Of its status only whether it is switched off: all else changes every 15 seconds and is nobody's business here. */
function trimAutoscaler({ metadata, spec, status }: HorizontalPodAutoscaler): HorizontalPodAutoscaler {
  const conditions = (status?.conditions ?? []).filter(({ type }) => type === 'ScalingActive');
  return { metadata, spec, status: { conditions } };
}

function trimBudget({ metadata, spec }: PodDisruptionBudget): PodDisruptionBudget {
  return { ...trimToMetadata({ metadata }), spec };
}

/** What ConfigMaps held is read again where a copy is to be made. */
function trimRevision(revision: ControllerRevision): ControllerRevision {
  const { configMaps, ...data } = (revision.data ?? {}) as unknown as RevisionData;
  return configMaps === undefined ? revision : { ...revision, data: data as unknown as JsonObject };
}

function trimConfigMap(configMap: ConfigMap): ConfigDigest {
  const { data = {}, binaryData = {} } = configMap;
  const bytes = Buffer.byteLength(JSON.stringify([data, binaryData]));
  const kept = { ...trimToMetadata(configMap), digest: configDigest(configMap), bytes };
  const { labels = {}, annotations } = configMap.metadata;
  // Copies have a colour.
  if (labels[LABEL_RELEASE] === undefined || labels[LABEL_COLOR] !== undefined) return kept;
  return { ...kept, metadata: { ...kept.metadata, ...(annotations && { annotations }) }, data };
}

function trimToMetadata({ metadata }: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, deletionTimestamp, labels } = metadata;
  return {
    metadata: {
      name,
      ...(namespace && { namespace }),
      ...(uid && { uid }),
      ...(resourceVersion && { resourceVersion }),
      ...(deletionTimestamp && { deletionTimestamp }),
      ...(labels && { labels }),
    },
  };
}

function trimSlice(slice: EndpointSlice): EndpointSlice {
  const { labels, name, namespace, uid, resourceVersion } = slice.metadata;
  const kept = Object.fromEntries(
    Object.entries(labels ?? {}).filter(([key]) =>
      [LABEL_RELEASE, LABEL_COLOR, LABEL_SERVICE_NAME, LABEL_SLICE_MANAGER].includes(key),
    ),
  );
  return {
    metadata: {
      name,
      ...(namespace && { namespace }),
      ...(uid && { uid }),
      ...(resourceVersion && { resourceVersion }),
      labels: kept,
    },
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

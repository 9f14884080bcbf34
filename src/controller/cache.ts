/**
 * What the operator keeps of the cluster: one shared watch per kind, narrowed by the release label to what belongs to
 * a release (budgets are not), and trimmed to what a view reads.
 */

import { sameJson } from '../api/json.ts';
import { LABEL_CONFIG, LABEL_RELEASE, LABEL_SERVICE_NAME } from '../api/names.ts';
import { type BlueGreenReleaseObject, RELEASES } from '../api/resource.ts';
import type { ReleaseSpec } from '../api/schema.ts';
import type { KubeClient, KubeObject, ResourceType, Store } from '../kube/ports.ts';
import {
  CONFIG_MAPS,
  CONTROLLER_REVISIONS,
  type ControllerRevision,
  DEPLOYMENTS,
  type Deployment,
  ENDPOINT_SLICES,
  type EndpointSlice,
  HORIZONTAL_POD_AUTOSCALERS,
  type HorizontalPodAutoscaler,
  JOBS,
  type Job,
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
import {
  type ConfigDigest,
  trimApplied,
  trimAutoscaler,
  trimBudget,
  trimConfigMap,
  trimDeployment,
  trimJob,
  trimPod,
  trimRevision,
  trimSlice,
  trimStatefulSet,
  trimToMetadata,
} from './trim.ts';

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

export const BY_RELEASE = 'release';
export const BY_SERVICE = 'service';
/** Releases, by `plural/namespace/name` of each object that they name. */
const BY_CONFIG = 'config';

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
  const { config, traffic, workload } = (object as BlueGreenReleaseObject).spec as Partial<ReleaseSpec>;
  const credentials = [traffic?.endpoint, workload?.external?.blue, workload?.external?.green];
  const published = traffic?.endpoint && [traffic.endpoint.configMapRef];
  const keys = (type: ResourceType, named: readonly { name: string }[] = []): string[] =>
    named.map(({ name }) => configKey(type, object.metadata.namespace, name));
  return [
    ...keys(CONFIG_MAPS, config?.configMaps),
    ...keys(CONFIG_MAPS, published),
    ...keys(SECRETS, config?.secrets),
    ...keys(
      SECRETS,
      credentials.flatMap((each) => each?.secretRef ?? []),
    ),
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

/**
 * The resources that the product works with, and of each the members that a controller reads.
 *
 * Not the API's full types: a member that nobody reads is not here. Templates stay plain JSON, because the API server
 * is the judge of them and whatever it knows must survive a round trip.
 */

import type { JsonValue, KubeObject, ObjectMeta, ResourceType } from './ports.ts';

function resource(
  group: string,
  version: string,
  kind: string,
  plural: string,
  namespaced = true,
): ResourceType {
  return { group, version, kind, plural, namespaced };
}

export const SERVICES: ResourceType = resource('', 'v1', 'Service', 'services');
export const PODS: ResourceType = resource('', 'v1', 'Pod', 'pods');
export const CONFIG_MAPS: ResourceType = resource('', 'v1', 'ConfigMap', 'configmaps');
export const SECRETS: ResourceType = resource('', 'v1', 'Secret', 'secrets');
export const RESOURCE_QUOTAS: ResourceType = resource('', 'v1', 'ResourceQuota', 'resourcequotas');
export const LIMIT_RANGES: ResourceType = resource('', 'v1', 'LimitRange', 'limitranges');
export const PERSISTENT_VOLUME_CLAIMS: ResourceType = resource(
  '',
  'v1',
  'PersistentVolumeClaim',
  'persistentvolumeclaims',
);
export const NAMESPACES: ResourceType = resource('', 'v1', 'Namespace', 'namespaces', false);
export const NODES: ResourceType = resource('', 'v1', 'Node', 'nodes', false);
export const DEPLOYMENTS: ResourceType = resource('apps', 'v1', 'Deployment', 'deployments');
export const STATEFUL_SETS: ResourceType = resource('apps', 'v1', 'StatefulSet', 'statefulsets');
export const REPLICA_SETS: ResourceType = resource('apps', 'v1', 'ReplicaSet', 'replicasets');
export const CONTROLLER_REVISIONS: ResourceType = resource(
  'apps',
  'v1',
  'ControllerRevision',
  'controllerrevisions',
);
export const HORIZONTAL_POD_AUTOSCALERS: ResourceType = resource(
  'autoscaling',
  'v2',
  'HorizontalPodAutoscaler',
  'horizontalpodautoscalers',
);
export const POD_DISRUPTION_BUDGETS: ResourceType = resource(
  'policy',
  'v1',
  'PodDisruptionBudget',
  'poddisruptionbudgets',
);
export const JOBS: ResourceType = resource('batch', 'v1', 'Job', 'jobs');
export const ENDPOINT_SLICES: ResourceType = resource(
  'discovery.k8s.io',
  'v1',
  'EndpointSlice',
  'endpointslices',
);
export const EVENTS: ResourceType = resource('events.k8s.io', 'v1', 'Event', 'events');
export const LEASES: ResourceType = resource('coordination.k8s.io', 'v1', 'Lease', 'leases');

/** Plain JSON as the API server has it. */
export type JsonObject = { [key: string]: JsonValue };

export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
  observedGeneration?: number;
}

export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

export interface ServicePort {
  name?: string;
  port: number;
  targetPort?: number | string;
  protocol?: string;
  appProtocol?: string;
  nodePort?: number;
}

export interface Service extends KubeObject {
  spec: {
    selector?: Record<string, string>;
    ports?: ServicePort[];
    type?: string;
    clusterIP?: string;
    clusterIPs?: string[];
    ipFamilies?: string[];
    ipFamilyPolicy?: string;
    publishNotReadyAddresses?: boolean;
    internalTrafficPolicy?: string;
    externalTrafficPolicy?: string;
    trafficDistribution?: string;
    sessionAffinity?: string;
    sessionAffinityConfig?: JsonObject;
  };
}

export interface PodTemplate {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
  spec: JsonObject;
}

export interface Deployment extends KubeObject {
  spec: {
    replicas?: number;
    paused?: boolean;
    selector: LabelSelector;
    template: PodTemplate;
    minReadySeconds?: number;
    progressDeadlineSeconds?: number;
    revisionHistoryLimit?: number;
    strategy?: JsonObject;
  };
  status?: {
    observedGeneration?: number;
    replicas?: number;
    updatedReplicas?: number;
    readyReplicas?: number;
    availableReplicas?: number;
    unavailableReplicas?: number;
    terminatingReplicas?: number;
    /** Of a StatefulSet alone: the hashes that the pods of its template before, and of its latest one carry. */
    currentRevision?: string;
    updateRevision?: string;
    conditions?: Condition[];
  };
}

export interface StatefulSet extends KubeObject {
  spec: {
    replicas?: number;
    selector: LabelSelector;
    template: PodTemplate;
    minReadySeconds?: number;
    updateStrategy?: { type?: string; rollingUpdate?: { partition?: number } };
  };
  status?: {
    observedGeneration?: number;
    replicas?: number;
    updatedReplicas?: number;
    readyReplicas?: number;
    availableReplicas?: number;
    currentRevision?: string;
    updateRevision?: string;
  };
}

export interface ReplicaSet extends KubeObject {
  spec: { replicas?: number; selector: LabelSelector; template?: PodTemplate };
  status?: {
    observedGeneration?: number;
    replicas?: number;
    readyReplicas?: number;
    availableReplicas?: number;
    conditions?: Condition[];
  };
}

export interface HorizontalPodAutoscaler extends KubeObject {
  spec: {
    scaleTargetRef: { apiVersion?: string; kind: string; name: string };
    minReplicas?: number;
    maxReplicas: number;
    metrics?: JsonValue[];
    behavior?: JsonObject;
  };
  status?: {
    observedGeneration?: number;
    currentReplicas?: number;
    desiredReplicas?: number;
    lastScaleTime?: string;
    conditions?: Condition[];
  };
}

export interface PodDisruptionBudget extends KubeObject {
  spec: {
    minAvailable?: number | string | undefined;
    maxUnavailable?: number | string | undefined;
    /** Absent: no pod; empty: every pod of the namespace. */
    selector?: LabelSelector;
    unhealthyPodEvictionPolicy?: string;
  };
}

/** The answer and body of the scale subresource. */
export interface Scale extends KubeObject {
  spec: { replicas?: number };
  status?: { replicas: number; selector?: string };
}

export interface Job extends KubeObject {
  spec: {
    selector?: LabelSelector;
    template: PodTemplate;
    backoffLimit?: number;
    activeDeadlineSeconds?: number;
    ttlSecondsAfterFinished?: number;
    completions?: number;
    parallelism?: number;
    suspend?: boolean;
  };
  status?: {
    active?: number;
    ready?: number;
    succeeded?: number;
    failed?: number;
    startTime?: string;
    completionTime?: string;
    conditions?: Condition[];
  };
}

export interface ContainerStatus {
  name: string;
  image?: string;
  ready?: boolean;
  restartCount?: number;
  state?: {
    waiting?: { reason?: string; message?: string };
    running?: { startedAt?: string };
    terminated?: { reason?: string; message?: string; exitCode: number; finishedAt?: string };
  };
  lastState?: ContainerStatus['state'];
}

export interface Pod extends KubeObject {
  spec: {
    nodeName?: string;
    hostNetwork?: boolean;
    containers?: JsonObject[];
    terminationGracePeriodSeconds?: number;
  };
  status?: {
    phase?: string;
    reason?: string;
    message?: string;
    podIP?: string;
    podIPs?: { ip: string }[];
    startTime?: string;
    conditions?: Condition[];
    containerStatuses?: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
  };
}

export interface ControllerRevision extends KubeObject {
  data?: JsonObject;
  revision: number;
}

export interface Endpoint {
  addresses: string[];
  /** Absent members mean: `ready` true, `serving` as `ready`, `terminating` false (discovery/v1). */
  conditions?: { ready?: boolean; serving?: boolean; terminating?: boolean };
  nodeName?: string;
  zone?: string;
  targetRef?: { kind?: string; name?: string; namespace?: string; uid?: string };
}

export interface EndpointSlice extends KubeObject {
  addressType: 'IPv4' | 'IPv6' | 'FQDN';
  endpoints: Endpoint[] | null;
  ports?: { name?: string; port?: number; protocol?: string; appProtocol?: string }[] | null;
}

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
  immutable?: boolean;
}

export interface Secret extends KubeObject {
  type?: string;
  immutable?: boolean;
  /** Base64. */
  data?: Record<string, string>;
}

export interface Namespace extends KubeObject {
  status?: { phase?: string };
}

export interface Lease extends KubeObject {
  spec: LeaseSpec;
}

export interface LeaseSpec {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  /** RFC 3339 with exactly six fractional digits. */
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
}

export interface ObjectReference {
  apiVersion: string;
  kind: string;
  namespace?: string;
  name: string;
  uid?: string;
  resourceVersion?: string;
  fieldPath?: string;
}

/** events.k8s.io/v1. */
export interface Event extends KubeObject {
  eventTime: string;
  type: 'Normal' | 'Warning';
  reason: string;
  action: string;
  note?: string;
  reportingController: string;
  reportingInstance: string;
  regarding: ObjectReference;
  related?: ObjectReference;
  series?: { count: number; lastObservedTime: string };
}

/** metav1.MicroTime: exactly six fractional digits, or the API server refuses it. */
export function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', '000Z');
}

/** The reference that an event makes to an object. */
export function referenceTo(type: ResourceType, metadata: ObjectMeta): ObjectReference {
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    apiVersion: type.group === '' ? type.version : `${type.group}/${type.version}`,
    kind: type.kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}

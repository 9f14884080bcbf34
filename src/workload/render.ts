/** The objects that a release derives, as plain JSON ready to be sent. None has an owner reference except Jobs. */
import { createHash } from 'node:crypto';
import { copiesOf } from '../api/config.ts';
import {
  ANNOTATION_CONFIG,
  ANNOTATION_COPY_OF,
  ANNOTATION_ORIGINAL_MIN,
  ANNOTATION_SPEC_HASH,
  colorName,
  copyName,
  jobName,
  LABEL_ATTEMPT,
  LABEL_COLOR,
  LABEL_CONFIG,
  LABEL_GATE,
  LABEL_POD_TEMPLATE_HASH,
  LABEL_RELEASE,
  LABEL_REVISION,
  twinName,
} from '../api/names.ts';
import { API_VERSION, type BudgetSpec, type GateSpec, KIND, type ReleaseSpec } from '../api/schema.ts';
import type { Color } from '../api/status.ts';
import type { KubeObject } from '../kube/ports.ts';
import type {
  ConfigMap,
  Deployment,
  HorizontalPodAutoscaler,
  Job,
  JsonObject,
  PodDisruptionBudget,
  Service,
  ServicePort,
} from '../kube/types.ts';
import { type ConfigData, configDigest, renameConfigMaps } from './config.ts';
import type { WorkloadContent } from './content.ts';
import { statedMetadata } from './stated.ts';

export interface ReleaseRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly spec: ReleaseSpec;
}

/** A colour's Deployment. Its selector is ours alone, so that no other controller's pods are ever counted. */
export function renderColor(
  release: ReleaseRef,
  color: Color,
  revision: string,
  content: WorkloadContent,
  replicas: number,
): Deployment {
  const own = { [LABEL_RELEASE]: release.name, [LABEL_COLOR]: color };
  const labels = { ...own, [LABEL_REVISION]: revision };
  const { template, config, ...settings } = content;
  const stated = statedMetadata(release.spec);
  const annotations = {
    ...stated.annotations,
    ...(config !== undefined && { [ANNOTATION_CONFIG]: JSON.stringify(config) }),
  };
  const podLabels = { ...template.metadata?.labels, ...labels, [release.spec.traffic.selectorLabel]: color };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      namespace: release.namespace,
      name: colorName(release.name, color),
      labels: { ...stated.labels, ...labels },
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
    spec: {
      ...settings,
      replicas,
      selector: { matchLabels: own },
      template: {
        ...template,
        metadata: { ...template.metadata, labels: podLabels },
        spec: renameConfigMaps(template.spec, copiesOf(release.name, color, config)),
      },
    },
  };
}

/** A colour's own copy of a ConfigMap. Nobody can change what it holds, and no owner takes it from what runs. */
export function renderCopy(release: ReleaseRef, color: Color, name: string, held: ConfigData): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      namespace: release.namespace,
      name: copyName(release.name, color, name, configDigest(held)),
      labels: { [LABEL_RELEASE]: release.name, [LABEL_COLOR]: color, [LABEL_CONFIG]: 'copy' },
      annotations: { [ANNOTATION_COPY_OF]: name },
    },
    immutable: true,
    ...held,
  };
}

/** Under a name that nobody has, because a dry run of a name that exists says nothing but that. */
export const nameless = <T extends KubeObject>(body: T): T => ({
  ...body,
  metadata: { ...body.metadata, name: `${body.metadata.name.slice(0, 52)}-preflight` },
});

/** The twin of a production Service: its exact selector plus the colour, and its ports. */
export function renderTwin(release: ReleaseRef, service: Service, color: Color): Service {
  const { selectorLabel } = release.spec.traffic;
  const { ipFamilies, ipFamilyPolicy } = service.spec;
  // A Service that was handed to the source, by an ejection that did not end, names pods that no colour has.
  const { [LABEL_POD_TEMPLATE_HASH]: _, ...selector } = service.spec.selector ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      namespace: release.namespace,
      name: twinName(service.metadata.name, color),
      labels: { [LABEL_RELEASE]: release.name, [LABEL_COLOR]: color },
    },
    spec: {
      type: 'ClusterIP',
      selector: { ...selector, [selectorLabel]: color },
      ports: twinPorts(service),
      ...(ipFamilies !== undefined && { ipFamilies }),
      ...(ipFamilyPolicy !== undefined && { ipFamilyPolicy }),
    },
  };
}

function twinPorts(service: Service): ServicePort[] {
  return (service.spec.ports ?? []).map(({ nodePort: _, ...port }) => port);
}

/** An autoscaler of one colour. What its minimum would be without a capacity lock stands in an annotation. */
export function renderAutoscaler(
  release: ReleaseRef,
  color: Color,
  minReplicas: number,
): HorizontalPodAutoscaler {
  const name = colorName(release.name, color);
  const spec = autoscalerSpec(release, color);
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: {
      namespace: release.namespace,
      name,
      labels: { [LABEL_RELEASE]: release.name, [LABEL_COLOR]: color },
      annotations: {
        [ANNOTATION_ORIGINAL_MIN]: String(spec.minReplicas ?? 1),
        [ANNOTATION_SPEC_HASH]: autoscalerHash(release, color),
      },
    },
    spec: { ...spec, minReplicas },
  };
}

export function autoscalerSpec(release: ReleaseRef, color: Color): HorizontalPodAutoscaler['spec'] {
  const spec = release.spec.autoscaling?.spec as Omit<HorizontalPodAutoscaler['spec'], 'scaleTargetRef'>;
  const name = colorName(release.name, color);
  return { ...spec, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name } };
}

/**
 * The budget of one colour, for exactly its pods. A pod that is not ready serves nobody, and may always be evicted:
 * otherwise one that never becomes ready would keep its node for ever.
 */
export function renderBudget(release: ReleaseRef, color: Color, asks: BudgetSpec): PodDisruptionBudget {
  const own = { [LABEL_RELEASE]: release.name, [LABEL_COLOR]: color };
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { namespace: release.namespace, name: colorName(release.name, color), labels: own },
    spec: { ...asks, selector: { matchLabels: own }, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
  };
}

/** By the spec of an autoscaler and the name that it gets: each look compares two of them. */
const autoscalerHashes = new WeakMap<object, Map<string, string>>();

/** Identity of the spec that an autoscaler is written from. */
export function autoscalerHash(release: ReleaseRef, color: Color): string {
  const spec = release.spec.autoscaling?.spec ?? {};
  const hashes = autoscalerHashes.get(spec) ?? new Map<string, string>();
  autoscalerHashes.set(spec, hashes);
  const name = colorName(release.name, color);
  const hash = hashes.get(name) ?? hashAutoscaler(release, color);
  hashes.set(name, hash);
  return hash;
}

function hashAutoscaler(release: ReleaseRef, color: Color): string {
  return createHash('sha256')
    .update(JSON.stringify(autoscalerSpec(release, color)))
    .digest('hex')
    .slice(0, 16);
}

export interface JobSubject {
  readonly revision: string;
  readonly attempt: number;
  readonly color: Color;
  readonly activeColor: Color | undefined;
  /** In the order of the spec: whose twins the URLs name. */
  readonly services: readonly (Service | undefined)[];
}

/** A week: longer than any attempt lasts, so that a Job that passed is never asked again in it. */
const JOB_KEPT_SECONDS = 604_800;

/** The Job of a gate. Its pods carry no colour, so that no Service and no Deployment of ours selects them. */
export function renderJob(release: ReleaseRef, gate: GateSpec, subject: JobSubject): Job {
  const template = gate.job as {
    metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
    spec?: JsonObject;
  };
  const spec = (template.spec ?? {}) as unknown as Job['spec'] & JsonObject;
  const labels = {
    [LABEL_RELEASE]: release.name,
    [LABEL_GATE]: gate.name,
    [LABEL_REVISION]: subject.revision,
    [LABEL_ATTEMPT]: String(subject.attempt),
  };
  const { suspend: _, ...rest } = spec;
  const pod = spec.template ?? { spec: {} };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      namespace: release.namespace,
      name: jobName(release.name, gate.name, subject.attempt),
      labels: { ...template.metadata?.labels, ...labels },
      ...(template.metadata?.annotations !== undefined && { annotations: template.metadata.annotations }),
      ownerReferences: [
        { apiVersion: API_VERSION, kind: KIND, name: release.name, uid: release.uid, controller: true },
      ],
    },
    spec: {
      backoffLimit: 1,
      ...rest,
      activeDeadlineSeconds: gate.timeoutSeconds,
      ttlSecondsAfterFinished: JOB_KEPT_SECONDS,
      template: {
        ...pod,
        metadata: { ...pod.metadata, labels: { ...pod.metadata?.labels, ...labels } },
        spec: withEnvironment(pod.spec, environment(release, subject)),
      },
    },
  };
}

function environment(release: ReleaseRef, subject: JobSubject): { name: string; value: string }[] {
  const { external } = release.spec.workload;
  const url = (color: Color | undefined, service = subject.services[0]) => {
    if (color === undefined) return '';
    return service ? twinUrl(release, service, color) : (external?.[color].url ?? '');
  };
  const known = subject.services.filter((service) => service !== undefined);
  return [
    { name: 'BLUEGREEN_RELEASE', value: release.name },
    { name: 'BLUEGREEN_NAMESPACE', value: release.namespace },
    { name: 'BLUEGREEN_COLOR', value: subject.color },
    { name: 'BLUEGREEN_REVISION', value: subject.revision },
    { name: 'BLUEGREEN_CANDIDATE_URL', value: url(subject.color) },
    { name: 'BLUEGREEN_ACTIVE_URL', value: url(subject.activeColor) },
    ...known.flatMap((service) => {
      const suffix = variableName(service.metadata.name);
      return [
        { name: `BLUEGREEN_CANDIDATE_URL_${suffix}`, value: url(subject.color, service) },
        { name: `BLUEGREEN_ACTIVE_URL_${suffix}`, value: url(subject.activeColor, service) },
      ];
    }),
  ];
}

/** Of a Service, as in the variables that the kubelet sets: shop-admin is SHOP_ADMIN. */
const variableName = (service: string): string => service.toUpperCase().replaceAll('-', '_');

/** http://<twin>.<namespace>.svc:<first port> */
function twinUrl(release: ReleaseRef, service: Service, color: Color): string {
  const port = service.spec.ports?.[0]?.port ?? 80;
  return `http://${twinName(service.metadata.name, color)}.${release.namespace}.svc:${port}`;
}

type Container = JsonObject & { env?: { name: string }[] };

/** A variable that the template sets itself is left as it is. */
function withEnvironment(
  podSpec: JsonObject,
  variables: readonly { name: string; value: string }[],
): JsonObject {
  const extend = (container: Container): Container => {
    const own = container.env ?? [];
    const added = variables.filter(({ name }) => !own.some((variable) => variable.name === name));
    // Never the log: what a Job says in the status it says on purpose.
    return { ...container, env: [...added, ...own], terminationMessagePolicy: 'File' };
  };
  const result: JsonObject = { ...podSpec };
  for (const key of ['initContainers', 'containers']) {
    const containers = podSpec[key];
    if (Array.isArray(containers)) result[key] = (containers as Container[]).map(extend);
  }
  return result;
}

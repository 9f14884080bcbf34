/**
 * What makes a Deployment what it is, apart from how many pods it has and whose it is: the content of a revision.
 *
 * "Changed" means that two contents differ after normalisation, both computed by the running binary. Values that the
 * API server fills in by itself are left out, so that a default which one server adds and another does not is no change.
 */
import { createHash } from 'node:crypto';
import { copiesOf, type NamedConfig } from '../api/config.ts';
import { LABEL_COLOR, LABEL_POD_TEMPLATE_HASH, LABEL_RELEASE, LABEL_REVISION } from '../api/names.ts';
import type { ReleaseSpec } from '../api/schema.ts';
import type { Color } from '../api/status.ts';
import type { JsonValue } from '../kube/ports.ts';
import type { Deployment, JsonObject, PodTemplate, ReplicaSet } from '../kube/types.ts';
import { type ConfigData, renameConfigMaps, statedConfig } from './config.ts';
import type { ExternalContent } from './external.ts';

export interface WorkloadContent {
  template: PodTemplate;
  minReadySeconds?: number;
  progressDeadlineSeconds?: number;
  revisionHistoryLimit?: number;
  strategy?: JsonObject;
  /** What the release names beside the template. */
  config?: NamedConfig;
}

/** What a ControllerRevision holds. Immutable once written. */
export interface RevisionData {
  readonly spec: ReleaseSpec;
  readonly content: WorkloadContent | ExternalContent;
  /**
   * The content is what the API server made of `spec.workload.deployment`, such as other words for a quantity: what
   * people wish for later is compared with what they wrote.
   */
  readonly inline?: true;
  /** By name: what the ConfigMaps held whose digests stand in the content. */
  readonly configMaps?: Readonly<Record<string, ConfigData>>;
}

function content(
  template: PodTemplate,
  spec: Omit<WorkloadContent, 'template' | 'config'>,
  config: NamedConfig | undefined,
  drop: readonly string[],
): WorkloadContent {
  const { minReadySeconds, progressDeadlineSeconds, revisionHistoryLimit, strategy } = spec;
  return {
    template: withoutLabels(template, drop),
    ...(minReadySeconds !== undefined && { minReadySeconds }),
    ...(progressDeadlineSeconds !== undefined && { progressDeadlineSeconds }),
    ...(revisionHistoryLimit !== undefined && { revisionHistoryLimit }),
    ...(strategy !== undefined && { strategy }),
    ...(config !== undefined && { config }),
  };
}

/** What people wish for. */
export function contentOf(deployment: Deployment, config?: NamedConfig): WorkloadContent {
  return content(deployment.spec.template, deployment.spec, config, []);
}

/** A side of a pair: nothing but its template is read of it, and how its pods are replaced is people's to change. */
export function contentOfPaired({ spec }: Deployment, drop: readonly string[] = []): WorkloadContent {
  return { template: withoutLabels(spec.template, drop) };
}

/** What really runs: the pods of this ReplicaSet, under the Deployment's settings. */
export function contentOfReplicaSet(
  replicaSet: ReplicaSet,
  deployment: Deployment,
  config?: NamedConfig,
): WorkloadContent | undefined {
  const template = replicaSet.spec.template;
  return template && content(template, deployment.spec, config, [LABEL_POD_TEMPLATE_HASH]);
}

/** What a colour runs, without what we added to it. */
export function contentOfColor(deployment: Deployment, selectorLabel: string): WorkloadContent {
  const config = statedConfig(deployment);
  return content(originalTemplate(deployment, config), deployment.spec, config, [
    LABEL_RELEASE,
    LABEL_COLOR,
    LABEL_REVISION,
    selectorLabel,
  ]);
}

/** With the names that people wrote, instead of those of this colour's copies. */
function originalTemplate(
  { metadata, spec: { template } }: Deployment,
  config: NamedConfig | undefined,
): PodTemplate {
  const release = metadata.labels?.[LABEL_RELEASE] ?? '';
  const color = metadata.labels?.[LABEL_COLOR] as Color;
  const originals = Object.entries(copiesOf(release, color, config)).map(([name, copy]) => [copy, name]);
  return { ...template, spec: renameConfigMaps(template.spec, Object.fromEntries(originals)) };
}

function withoutLabels(template: PodTemplate, drop: readonly string[]): PodTemplate {
  const labels = Object.entries(template.metadata?.labels ?? {}).filter(([key]) => !drop.includes(key));
  return { ...template, metadata: { ...template.metadata, labels: Object.fromEntries(labels) } };
}

/** Maps of the user's own keys: whatever stands in them is meant. */
const OPAQUE = new Set([
  'labels',
  'annotations',
  'nodeSelector',
  'matchLabels',
  'limits',
  'requests',
  'data',
  'options',
]);

/** What the API server fills in (pkg/apis/core/v1/defaults.go, pkg/apis/apps/v1/defaults.go of Kubernetes 1.36). */
const DEFAULTS: Readonly<Record<string, readonly JsonValue[]>> = {
  terminationMessagePath: ['/dev/termination-log'],
  terminationMessagePolicy: ['File'],
  dnsPolicy: ['ClusterFirst'],
  restartPolicy: ['Always'],
  schedulerName: ['default-scheduler'],
  terminationGracePeriodSeconds: [30],
  protocol: ['TCP'],
  scheme: ['HTTP'],
  timeoutSeconds: [1],
  periodSeconds: [10],
  successThreshold: [1],
  failureThreshold: [3],
  defaultMode: [420],
  apiVersion: ['v1'],
  progressDeadlineSeconds: [600],
  revisionHistoryLimit: [10],
  minReadySeconds: [0],
  creationTimestamp: [null],
};

/** Sorted keys; no defaults; nothing empty. The deprecated `serviceAccount` repeats `serviceAccountName`. */
function normalise(value: JsonValue, opaque: boolean): JsonValue | undefined {
  if (Array.isArray(value))
    return value.length === 0 ? undefined : value.map((item) => normalise(item, opaque) ?? {});
  if (value === null) return undefined;
  if (typeof value !== 'object') return value;
  const entries: [string, JsonValue][] = [];
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member === undefined || (!opaque && isFilledIn(key, member))) continue;
    const normal = normalise(member, opaque || OPAQUE.has(key));
    if (normal !== undefined) entries.push([key, normal]);
  }
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function isFilledIn(key: string, value: JsonValue): boolean {
  return key === 'serviceAccount' || DEFAULTS[key]?.some((filled) => filled === value) === true;
}

/** Identity of a content: SHA-256 of its normal form, 16 hexadecimal digits. */
export function fingerprint(of: WorkloadContent | ExternalContent): string {
  const normal = normalise(of as unknown as JsonValue, false);
  return createHash('sha256').update(JSON.stringify(normal)).digest('hex').slice(0, 16);
}

/**
 * Everything that the stored content says stands in the live one, lists included, element by element. What a newer
 * API server has filled in beside it is no edit: after a cluster upgrade a standby must still be able to take over.
 */
export function holds(live: WorkloadContent, stored: WorkloadContent): boolean {
  return contains(
    normalise(live as unknown as JsonValue, false),
    normalise(stored as unknown as JsonValue, false),
  );
}

function contains(live: JsonValue | undefined, stored: JsonValue | undefined): boolean {
  if (Array.isArray(stored)) {
    if (!Array.isArray(live) || live.length !== stored.length) return false;
    return stored.every((item, index) => contains(live[index], item));
  }
  if (typeof stored !== 'object' || stored === null) return live === stored || stored === undefined;
  if (typeof live !== 'object' || live === null || Array.isArray(live)) return false;
  return Object.entries(stored).every(([key, value]) => contains(live[key], value));
}

/** Every label, annotation, finalizer and derived name, in one place. */
import type { Color } from './status.ts';

/** On everything that belongs to a release; the operator's watches are narrowed by it. Value: the release's name. */
export const LABEL_RELEASE = 'bluegreen.dev/release';
/** Value: blue or green. */
export const LABEL_COLOR = 'bluegreen.dev/color';
/** Value: the revision's name, such as r3. */
export const LABEL_REVISION = 'bluegreen.dev/revision';
/** On ConfigMaps and Secrets that a release may name, written by people: no other one is watched. On the copies too. */
export const LABEL_CONFIG = 'bluegreen.dev/config';
/** On Jobs: the gate they answer. */
export const LABEL_GATE = 'bluegreen.dev/gate';
/** On Jobs: the attempt they belong to. */
export const LABEL_ATTEMPT = 'bluegreen.dev/attempt';

/** On a production Service: which release may switch it (its uid). */
export const ANNOTATION_CLAIM = 'bluegreen.dev/claimed-by';
/** On a production Service, in the same patch as its selector: see `formatMark`. */
export const ANNOTATION_SWITCH = 'bluegreen.dev/switch';
/** On a production Service, in the same patch: when the switch was decided, RFC 3339 with milliseconds. */
export const ANNOTATION_SWITCHED_AT = 'bluegreen.dev/switched-at';
/** On a production Service, in the same patch: why, as `Reason: sentence`. */
export const ANNOTATION_SWITCH_REASON = 'bluegreen.dev/switch-reason';
/** On a ControllerRevision: `RevisionFacts` as JSON. */
export const ANNOTATION_FACTS = 'bluegreen.dev/facts';
/** On a HorizontalPodAutoscaler that carries a capacity lock: its own minReplicas. */
export const ANNOTATION_ORIGINAL_MIN = 'bluegreen.dev/original-min-replicas';
/** On a HorizontalPodAutoscaler that people wrote, while its minReplicas is raised: see `formatLock`. */
export const ANNOTATION_CAPACITY_LOCK = 'bluegreen.dev/capacity-lock';
/** On a HorizontalPodAutoscaler: which spec it was written from. The API server rewrites quantities, so specs cannot be compared. */
export const ANNOTATION_SPEC_HASH = 'bluegreen.dev/spec-hash';
/** On a colour's Deployment: the named config that it runs with, as JSON (`NamedConfig`). */
export const ANNOTATION_CONFIG = 'bluegreen.dev/named-config';
/** On a colour's Deployment: the keys of labels and annotations that the release states for it, as JSON. */
export const ANNOTATION_STATED = 'bluegreen.dev/stated-metadata';
/** On a copy: the ConfigMap that it was made from. */
export const ANNOTATION_COPY_OF = 'bluegreen.dev/copy-of';
/** On the source, and on the colours: the autoscaler that was taken from the source, as JSON. */
export const ANNOTATION_STORED_AUTOSCALER = 'bluegreen.dev/stored-autoscaler';
/** On the source: when it was last scaled to 0, RFC 3339. */
export const ANNOTATION_PARKED_AT = 'bluegreen.dev/parked-at';
/** On a release: `verb@attempt`, written by people. */
export const ANNOTATION_ACTION = 'bluegreen.dev/action';
/** On a release, written by people: `Keep` leaves the colours as they are when the release is deleted. */
export const ANNOTATION_ON_DELETE = 'bluegreen.dev/on-delete';
/** On every ReplicaSet of a Deployment and on its pods: which of its templates they are of. */
export const LABEL_POD_TEMPLATE_HASH = 'pod-template-hash';
/** On the pods of a StatefulSet: which of its templates they are of. */
export const LABEL_CONTROLLER_REVISION_HASH = 'controller-revision-hash';
/** On an EndpointSlice: whose endpoints it has, and who wrote it. */
export const LABEL_SERVICE_NAME = 'kubernetes.io/service-name';
export const LABEL_SLICE_MANAGER = 'endpointslice.kubernetes.io/managed-by';
/** On the pods of a Job. */
export const LABEL_JOB_NAME = 'batch.kubernetes.io/job-name';

export const FINALIZER = 'bluegreen.dev/release';

const MAX_NAME = 63;

/**
 * On the pod template of a consumer: a digest of what this release published when its pods started; on the consumer
 * itself: with which it was last restarted. Another release has its own.
 */
export const endpointAnnotation = (release: string): string => `bluegreen.dev/endpoint-${release}`;
/** On a consumer, in the same patch: when this release restarted it, RFC 3339 with milliseconds. */
export const restartedAtAnnotation = (release: string): string => `bluegreen.dev/restarted-at-${release}`;

export const colorName = (release: string, color: Color): string => `${release}-${color}`;
export const twinName = (service: string, color: Color): string => `${service}-${color}`;
/** Of a ConfigMap with this content, for one colour: another content has another name, as with kustomize's generator. */
export const copyName = (release: string, color: Color, configMap: string, digest: string): string =>
  `${colorName(release, color)}-${configMap}-${digest.slice(0, 10)}`;
export const revisionLabel = (revision: number): string => `r${revision}`;
export const revisionObjectName = (release: string, revision: string): string => `${release}-${revision}`;

/** Unique per release, gate and attempt; cut where it would be too long, with a hash of the whole in its place. */
export function jobName(release: string, gate: string, attempt: number): string {
  const name = `${release}-${gate}-${attempt}`;
  if (name.length <= MAX_NAME) return name;
  return `${name.slice(0, MAX_NAME - 9).replace(/-+$/, '')}-${fnv1a(name)}`;
}

/** FNV-1a, 32 bits: for names, not for secrets. */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, '0');
}

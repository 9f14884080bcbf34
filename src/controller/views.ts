/** From objects of the API to the views that rules read. Nothing here decides. */
import {
  ANNOTATION_CLAIM,
  ANNOTATION_FACTS,
  ANNOTATION_SPEC_HASH,
  LABEL_ATTEMPT,
  LABEL_COLOR,
  LABEL_GATE,
  LABEL_RELEASE,
  LABEL_REVISION,
} from '../api/names.ts';
import { type ReleaseSpec, specSchema } from '../api/schema.ts';
import { COLORS, type Color } from '../api/status.ts';
import { parseTime } from '../api/time.ts';
import type { KubeObject } from '../kube/ports.ts';
import type {
  Condition,
  ControllerRevision,
  Deployment,
  EndpointSlice,
  HorizontalPodAutoscaler,
  Job,
  Pod,
  PodDisruptionBudget,
  Service,
} from '../kube/types.ts';
import { parseFacts } from '../release/facts.ts';
import type {
  AutoscalerView,
  BudgetView,
  ColorDeploymentView,
  Endpoint,
  JobView,
  LeftoverView,
  Locality,
  PodView,
  PreviewView,
  RevisionView,
  ServiceView,
  TwinView,
} from '../release/snapshot.ts';
import { statedConfig } from '../workload/config.ts';
import { contentOf, fingerprint, type RevisionData, type WorkloadContent } from '../workload/content.ts';
import { demandOf } from '../workload/demand.ts';
import { inlineDeployment } from '../workload/inline.ts';
import {
  autoscalerHash,
  autoscalerSpec,
  type ReleaseRef,
  renderBudget,
  renderTwin,
} from '../workload/render.ts';
import { carriesStated } from '../workload/stated.ts';
import { LABEL_SLICE_MANAGER } from './cache.ts';
import { colorIdentity } from './identities.ts';
import { sameJson } from './json.ts';
import { markedOf } from './switch-mark.ts';

const SLICE_CONTROLLER = 'endpointslice-controller.k8s.io';
const MAX_MESSAGE = 1024;

/** Slices made by hand or by another controller prove nothing. */
export function endpointsOf(slices: readonly EndpointSlice[]): readonly Endpoint[] {
  const trusted = slices.filter((slice) => slice.metadata.labels?.[LABEL_SLICE_MANAGER] === SLICE_CONTROLLER);
  const [only, ...others] = trusted;
  // The same list each time: what is counted in it is counted once.
  return only !== undefined && others.length === 0
    ? endpointsOfSlice(only)
    : trusted.flatMap(endpointsOfSlice);
}

/** Computed once for each object, as every view below that depends on one alone: what the caches hold never changes. */
const sliceEndpoints = new WeakMap<EndpointSlice, readonly Endpoint[]>();

function endpointsOfSlice(slice: EndpointSlice): readonly Endpoint[] {
  const endpoints = sliceEndpoints.get(slice) ?? readSlice(slice);
  sliceEndpoints.set(slice, endpoints);
  return endpoints;
}

/** Absent conditions: `ready` is true, `serving` is as `ready` (discovery/v1). */
function readSlice(slice: EndpointSlice): Endpoint[] {
  const groups = (slice.ports ?? []).map((port) => `${slice.addressType}/${port.name ?? ''}`);
  return (slice.endpoints ?? []).flatMap(({ conditions, targetRef, nodeName, zone }) => {
    const podUid = targetRef?.uid;
    if (podUid === undefined) return [];
    const ready = conditions?.ready ?? true;
    const serving = conditions?.serving ?? ready;
    const place = { ...(nodeName !== undefined && { node: nodeName }), ...(zone !== undefined && { zone }) };
    return groups.map((group) => ({ podUid, ready, serving, group, ...place }));
  });
}

function isOurs(object: KubeObject, release: string): boolean {
  return object.metadata.labels?.[LABEL_RELEASE] === release;
}

/** Fields of a Service that keep traffic near the client. PreferClose is the older name of PreferSameZone. */
const LOCALITIES: readonly (readonly [keyof Service['spec'], string, Locality['kind']])[] = [
  ['internalTrafficPolicy', 'Local', 'node'],
  ['externalTrafficPolicy', 'Local', 'node'],
  ['trafficDistribution', 'PreferSameNode', 'node'],
  ['trafficDistribution', 'PreferSameZone', 'zone'],
  ['trafficDistribution', 'PreferClose', 'zone'],
];

function locality(service: Service | undefined): Locality | undefined {
  const found = LOCALITIES.find(([field, value]) => service?.spec[field] === value);
  return found && { kind: found[2], field: `${found[0]}: ${found[1]}` };
}

/** `exists`: whether there is a release of this uid; a claim by one that is gone counts for nothing. */
export function serviceView(
  name: string,
  service: Service | undefined,
  release: ReleaseRef,
  twins: Record<Color, TwinView>,
  endpoints: readonly Endpoint[],
  exists: (uid: string) => boolean,
): ServiceView {
  const claim = service?.metadata.annotations?.[ANNOTATION_CLAIM];
  const {
    type = 'ClusterIP',
    clusterIP,
    publishNotReadyAddresses = false,
    selector = {},
  } = service?.spec ?? {};
  return {
    name,
    found: service !== undefined,
    uid: service?.metadata.uid ?? '',
    resourceVersion: service?.metadata.resourceVersion ?? '',
    type,
    headless: clusterIP === 'None',
    locality: locality(service),
    publishNotReadyAddresses,
    selector,
    ...markedOf(service, release.uid),
    claimedBy: claim !== undefined && exists(claim) ? claim : undefined,
    labelled: service !== undefined && isOurs(service, release.name),
    endpoints,
    twins,
    selectorWriter: undefined,
  };
}

export function twinView(
  twin: Service | undefined,
  production: Service | undefined,
  release: ReleaseRef,
  color: Color,
  endpoints: readonly Endpoint[],
): TwinView {
  if (twin === undefined) return { found: false, ours: false, matches: false, endpoints };
  const matches = production !== undefined && isTwin(twin, production, release, color);
  return { found: true, ours: isOurs(twin, release.name), matches, endpoints };
}

interface Twinned {
  readonly production: Service;
  readonly selectorLabel: string;
  readonly color: Color;
  readonly matches: boolean;
}

const twins = new WeakMap<Service, Twinned>();

/** Whether it selects and listens as the twin of this Service should. */
function isTwin(twin: Service, production: Service, release: ReleaseRef, color: Color): boolean {
  const { selectorLabel } = release.spec.traffic;
  const known = twins.get(twin);
  if (known?.production === production && known.selectorLabel === selectorLabel && known.color === color)
    return known.matches;
  const wanted = renderTwin(release, production, color).spec;
  const matches =
    sameJson(twin.spec.selector, wanted.selector) &&
    sameJson(twin.spec.ports, wanted.ports) &&
    sameJson(twin.spec.ipFamilies, wanted.ipFamilies);
  twins.set(twin, { production, selectorLabel, color, matches });
  return matches;
}

export function previewView(
  name: string,
  service: Service | undefined,
  release: ReleaseRef,
  exists: (uid: string) => boolean,
): PreviewView {
  const claim = service?.metadata.annotations?.[ANNOTATION_CLAIM];
  return {
    name,
    found: service !== undefined,
    uid: service?.metadata.uid ?? '',
    resourceVersion: service?.metadata.resourceVersion ?? '',
    type: service?.spec.type ?? 'ClusterIP',
    selector: service?.spec.selector ?? {},
    claimedBy: claim !== undefined && exists(claim) ? claim : undefined,
    labelled: service !== undefined && isOurs(service, release.name),
  };
}

/** undefined for a Service that carries our label and nothing else: there is nothing to take back. */
export function leftoverView(
  { metadata, spec }: Service,
  exists: (uid: string) => boolean,
  release: ReleaseRef,
): LeftoverView | undefined {
  const { name, uid = '', labels, annotations } = metadata;
  const left = { name, uid, selector: spec.selector ?? {} };
  const color = COLORS.find((each) => labels?.[LABEL_COLOR] === each && name.endsWith(`-${each}`));
  if (color !== undefined) return { ...left, twinOf: { service: name.slice(0, -color.length - 1), color } };
  const claim = annotations?.[ANNOTATION_CLAIM];
  const isOurs = claim !== undefined && (claim === release.uid || !exists(claim));
  return isOurs ? { ...left, twinOf: undefined } : undefined;
}

/** `stored`: the content of the revision that the Deployment was written for. */
export function deploymentView(
  deployment: Deployment,
  release: ReleaseRef,
  stored: WorkloadContent | undefined,
): ColorDeploymentView {
  const { metadata, spec, status = {} } = deployment;
  const { matches, fingerprint: identity } = colorIdentity(
    deployment,
    release.spec.traffic.selectorLabel,
    stored,
  );
  return {
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    ours: isOurs(deployment, release.name),
    revision: metadata.labels?.[LABEL_REVISION],
    matches,
    fingerprint: identity,
    config: statedConfig(deployment),
    carriesStated: carriesStated(deployment, release.spec),
    observed: (status.observedGeneration ?? 0) >= (metadata.generation ?? 0),
    desired: spec.replicas ?? 1,
    pods: status.replicas ?? 0,
    updated: status.updatedReplicas ?? 0,
    ready: status.readyReplicas ?? 0,
    available: status.availableReplicas ?? 0,
    replicaFailure: conditionMessage(status.conditions, 'ReplicaFailure'),
    images: imagesOf(deployment),
    requests: requestsOf(deployment),
    podLabels: spec.template.metadata?.labels ?? {},
  };
}

function imagesOf(deployment: Deployment): string[] {
  const containers = deployment.spec.template.spec.containers;
  if (!Array.isArray(containers)) return [];
  return containers.map((container) => String((container as { image?: string }).image ?? ''));
}

type Requests = ColorDeploymentView['requests'];
const podRequests = new WeakMap<object, Requests>();

/** As the template says; what a LimitRange adds to its pods is not seen here. */
function requestsOf({ spec }: Deployment): Requests {
  const podSpec = spec.template.spec;
  const requests = podRequests.get(podSpec) ?? {
    cpu: demandOf('requests.cpu', podSpec, [])?.perPod ?? 0,
    memory: demandOf('requests.memory', podSpec, [])?.perPod ?? 0,
  };
  podRequests.set(podSpec, requests);
  return requests;
}

function conditionMessage(conditions: readonly Condition[] | undefined, type: string): string | undefined {
  const condition = conditions?.find((each) => each.type === type && each.status === 'True');
  return condition && (condition.message ?? condition.reason ?? type).slice(0, MAX_MESSAGE);
}

export function autoscalerView(
  autoscaler: HorizontalPodAutoscaler,
  release: ReleaseRef,
  color: Color,
): AutoscalerView {
  const { metadata, spec } = autoscaler;
  return {
    uid: metadata.uid ?? '',
    ours: isOurs(autoscaler, release.name),
    minReplicas: spec.minReplicas ?? 1,
    maxReplicas: spec.maxReplicas,
    matches:
      release.spec.autoscaling !== undefined &&
      metadata.annotations?.[ANNOTATION_SPEC_HASH] === autoscalerHash(release, color) &&
      spec.maxReplicas === autoscalerSpec(release, color).maxReplicas,
    ambiguous: isAmbiguous(autoscaler),
  };
}

/** Kubernetes switches both off when two autoscalers select the same pods. */
export function isAmbiguous({ status }: HorizontalPodAutoscaler): boolean {
  return status?.conditions?.some(({ reason }) => reason === 'AmbiguousSelector') ?? false;
}

export function budgetView(budget: PodDisruptionBudget, release: ReleaseRef, color: Color): BudgetView {
  const { metadata, spec } = budget;
  const { minAvailable, maxUnavailable } = spec;
  const asks = {
    ...(minAvailable !== undefined && { minAvailable }),
    ...(maxUnavailable !== undefined && { maxUnavailable }),
  };
  // Member by member: a newer API server may add some of its own.
  const wanted = renderBudget(release, color, asks).spec;
  const isOfColor =
    sameJson(spec.selector, wanted.selector) &&
    spec.unhealthyPodEvictionPolicy === wanted.unhealthyPodEvictionPolicy;
  return {
    uid: metadata.uid ?? '',
    ours: isOurs(budget, release.name),
    asks: isOfColor ? asks : undefined,
  };
}

const podViews = new WeakMap<Pod, PodView>();

export function podView(pod: Pod): PodView {
  const view = podViews.get(pod) ?? viewPod(pod);
  podViews.set(pod, view);
  return view;
}

function viewPod(pod: Pod): PodView {
  const conditions = pod.status?.conditions ?? [];
  const ready = conditions.find(({ type, status }) => type === 'Ready' && status === 'True');
  const unscheduled = conditions.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  return {
    uid: pod.metadata.uid ?? '',
    name: pod.metadata.name,
    createdAt: parseTime(pod.metadata.creationTimestamp) ?? 0,
    readySince: parseTime(ready?.lastTransitionTime),
    revision: pod.metadata.labels?.[LABEL_REVISION],
    ready: ready !== undefined,
    trouble: troubleOf(pod),
    unschedulable:
      unscheduled && (unscheduled.message ?? unscheduled.reason ?? 'not scheduled').slice(0, 256),
  };
}

/** A container that is being created, or that runs for the first time, is in no trouble. */
const NO_TROUBLE = new Set(['ContainerCreating', 'PodInitializing', 'Completed']);

function troubleOf(pod: Pod): PodView['trouble'] {
  for (const { name, restartCount = 0, state, lastState } of pod.status?.containerStatuses ?? []) {
    const terminated = state?.terminated ?? lastState?.terminated;
    const failed =
      terminated !== undefined && terminated.exitCode !== 0 ? (terminated.reason ?? 'Error') : undefined;
    const reason = state?.waiting?.reason ?? failed;
    if (reason !== undefined && !NO_TROUBLE.has(reason))
      return { reason, container: name, restarts: restartCount };
  }
  return undefined;
}

export function jobView(job: Job, pods: readonly Pod[]): JobView {
  const labels = job.metadata.labels ?? {};
  const condition = (type: string) =>
    job.status?.conditions?.find((each) => each.type === type && each.status === 'True');
  const failed = condition('Failed');
  const message = failed && (terminationMessage(pods) ?? failed.message ?? failed.reason ?? 'it failed');
  return {
    name: job.metadata.name,
    uid: job.metadata.uid ?? '',
    gate: labels[LABEL_GATE] ?? '',
    revision: labels[LABEL_REVISION] ?? '',
    attempt: Number(labels[LABEL_ATTEMPT] ?? 0),
    state: failed ? 'Failed' : condition('Complete') ? 'Complete' : 'Running',
    deadlineExceeded: failed?.reason === 'DeadlineExceeded',
    message: message?.trim().slice(0, MAX_MESSAGE),
  };
}

/** What a container said in /dev/termination-log: the only voice a Job has in a status. */
function terminationMessage(pods: readonly Pod[]): string | undefined {
  const newestFirst = pods.toSorted((a, b) =>
    (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? ''),
  );
  for (const pod of newestFirst) {
    for (const { state, lastState } of pod.status?.containerStatuses ?? []) {
      const message = (state?.terminated ?? lastState?.terminated)?.message;
      if (message) return message;
    }
  }
  return undefined;
}

/** Fingerprint of a stored content to that of the same content with the defaults of the API server that runs now. */
export type Aliases = Readonly<Record<string, string>>;

/** Computed once for each object: what the caches hold never changes, and each look reads every revision. */
const revisionViews = new WeakMap<ControllerRevision, RevisionView>();
type Read = Pick<RevisionView, 'fingerprint' | 'config'> & { spec: ReleaseSpec };
const revisionData = new WeakMap<object, Read>();

/** The content of a revision, as it was frozen; undefined for what no pods are made of. */
export function storedContent(revision: ControllerRevision | undefined): WorkloadContent | undefined {
  const content = (revision?.data as unknown as RevisionData | undefined)?.content;
  return content !== undefined && 'template' in content ? content : undefined;
}

/**
 * undefined for a ControllerRevision that no operator of this group wrote. `aliases`: what the API server of today
 * makes of stored contents. One counts only where it is what people wish for (`wished`): an admission policy that
 * changes every Deployment since must not make a stored content differ from a source that nobody has written anew.
 */
export function revisionView(
  revision: ControllerRevision,
  aliases: Aliases = {},
  wished?: string,
): RevisionView | undefined {
  const view = revisionViews.get(revision) ?? viewRevision(revision);
  if (view === undefined) return undefined;
  revisionViews.set(revision, view);
  const alias = aliases[view.fingerprint];
  return alias !== undefined && alias === wished ? { ...view, fingerprint: alias } : view;
}

function viewRevision(revision: ControllerRevision): RevisionView | undefined {
  const { metadata } = revision;
  const name = metadata.labels?.[LABEL_REVISION];
  const data = readRevision(revision);
  if (name === undefined || data === undefined) return undefined;
  const rawFacts = metadata.annotations?.[ANNOTATION_FACTS];
  return {
    name,
    number: revision.revision,
    objectName: metadata.name,
    resourceVersion: metadata.resourceVersion ?? '',
    fingerprint: data.fingerprint,
    config: data.config,
    frozen: data.spec,
    rawFacts,
    facts: parseFacts(rawFacts),
  };
}

/** Defaults that were added to the schema since are filled in by the parser. */
function readRevision(revision: ControllerRevision): Read | undefined {
  const data = revision.data as unknown as RevisionData | undefined;
  const known = data && revisionData.get(data);
  if (known !== undefined) return known;
  const parsed = specSchema.safeParse(data?.spec);
  if (!parsed.success || data?.content === undefined) return undefined;
  const config = 'template' in data.content ? data.content.config : undefined;
  const { deployment } = parsed.data.workload;
  const written = data.inline && deployment && contentOf(inlineDeployment(deployment), config);
  const read = { spec: parsed.data, fingerprint: fingerprint(written ?? data.content), config };
  revisionData.set(data, read);
  return read;
}

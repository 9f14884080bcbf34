/**
 * The API server's own verdict on everything that a release would derive, and the metric sources' on its queries:
 * asked before the first effect, so that bad input changes nothing.
 */
import { colorName, LABEL_RELEASE, LABEL_SERVICE_NAME, revisionObjectName, twinName } from '../api/names.ts';
import { COLORS, type Color } from '../api/status.ts';
import { autoscalerOn, sideInWords, standingOn, workloadInWords, workloadOf } from '../api/workload.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeClient, KubeObject, ResourceType } from '../kube/ports.ts';
import {
  DEPLOYMENTS,
  type Deployment,
  ENDPOINT_SLICES,
  type EndpointSlice,
  HORIZONTAL_POD_AUTOSCALERS,
  type HorizontalPodAutoscaler,
  JOBS,
  POD_DISRUPTION_BUDGETS,
  SERVICES,
  type Service,
} from '../kube/types.ts';
import { expandQuery } from '../metrics/expand.ts';
import type { Sources } from '../metrics/sources.ts';
import { activeColor, otherColor } from '../release/endpoints.ts';
import type { Problem } from '../release/snapshot.ts';
import { contentOf, contentOfColor, fingerprint, holds, type WorkloadContent } from '../workload/content.ts';
import { nameless, renderAutoscaler, renderBudget, renderColor, renderJob } from '../workload/render.ts';
import { pointer } from './apply/writes.ts';
import type { Cache } from './cache.ts';
import { judgeCredentials } from './judge-credentials.ts';
import { judgeRestart } from './judge-restart.ts';
import type { ReadLimits } from './limits.ts';
import type { Line } from './line.ts';
import type { Scene } from './observe.ts';
import { judgeRoom } from './room.ts';
import { endpointsOf } from './views/endpoint.ts';
import { type Aliases, storedContent } from './views/revision.ts';

export interface PreflightDeps {
  readonly client: KubeClient;
  readonly cache: Cache;
  readonly sources: Sources;
  readonly limits: ReadLimits;
  /** What is asked of the API server, a few releases at a time: of a crowd, the first are built while the last are asked about. */
  readonly line: Line;
}

export interface PreflightAnswer {
  readonly problems: readonly Problem[];
  readonly aliases: Aliases;
  /** Of a workload that stands in the release. */
  readonly stored?: Stored;
}

/** What the API server makes of a content: the same in other words, and with its defaults. */
export interface Stored {
  /** Of what it was asked about. */
  readonly fingerprint: string;
  readonly content: WorkloadContent;
}

export async function preflight(
  deps: PreflightDeps,
  scene: Scene,
  signal: AbortSignal,
): Promise<PreflightAnswer> {
  const [{ judged, room, aliases, stored }, queried] = await Promise.all([
    deps.line(() => askServer(deps, scene, signal), aborted(signal)),
    Promise.all(queries(scene).map((query) => judgeQuery(deps.sources, scene, query, signal))),
  ]);
  const problems = [...judged, ...queried].filter((problem) => problem !== undefined);
  return { problems: [...problems, ...room], aliases, ...(stored && { stored }) };
}

interface ServerAnswer {
  readonly judged: readonly (Problem | undefined)[];
  readonly room: readonly Problem[];
  readonly aliases: Aliases;
  readonly stored: Stored | undefined;
}

async function askServer(deps: PreflightDeps, scene: Scene, signal: AbortSignal): Promise<ServerAnswer> {
  let stored: Stored | undefined;
  const [judged, room, aliases] = await Promise.all([
    Promise.all([
      ...dryRuns(scene, (found) => {
        stored = found;
      }).map((dryRun) => judge(deps.client, dryRun, signal)),
      ...(scene.snapshot.endpoint?.consumers ?? []).map((consumer, index) =>
        judgeRestart(deps.client, scene, consumer, index, signal),
      ),
      judgeCredentials(deps.client, scene, signal),
      ...scene.services.map((service, index) => judgeSwitch(deps.client, scene, service, index, signal)),
      ...names(scene).map((name) => judgeName(deps.client, scene, name, signal)),
      ...firstServices(scene).map((service) => judgeServed(deps.client, scene, service, signal)),
      judgeUnnamed(deps.client, scene, signal),
    ]),
    judgeRoom(deps.client, deps.limits, scene, signal),
    aliasesOf(deps, scene, signal),
  ]);
  return { judged, room, aliases, stored };
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/**
 * What stands on the two sides, as the API server of today would store it. A server that was upgraded since fills in
 * defaults of its own: with them the stored content is what the source says, and no release must start. Defaults add to
 * a content; one of which the source has changed or dropped something is not asked for.
 */
async function aliasesOf(
  { client, cache }: PreflightDeps,
  { release, snapshot, wished, pair }: Scene,
  signal: AbortSignal,
): Promise<Aliases> {
  // Nothing is derived: what stands on the two sides has the defaults of the server of today.
  if (pair !== undefined) return {};
  const { selectorLabel } = release.spec.traffic;
  const entries = COLORS.map(async (color): Promise<[string, string][]> => {
    const revision = snapshot.sides[color].deployment?.revision ?? '';
    const name = revisionObjectName(release.name, revision);
    const content = storedContent(cache.revisions.get({ namespace: release.namespace, name }));
    if (content === undefined) return [];
    if (wished !== undefined && !holds(contentOf(wished, snapshot.config.found), content)) return [];
    const body = nameless(renderColor(release, color, revision, content, 1));
    // One that the server would refuse today has no alias; what is wrong with it is told when it is written.
    const answer = await client.create(DEPLOYMENTS, body, { dryRun: true, signal }).catch(() => undefined);
    return answer === undefined
      ? []
      : [[fingerprint(content), fingerprint(contentOfColor(answer, selectorLabel))]];
  });
  return Object.fromEntries((await Promise.all(entries)).flat());
}

interface DryRun {
  readonly type: ResourceType;
  readonly body: KubeObject;
  /** Where in the release the object comes from. */
  readonly field: string;
  readonly onAnswer?: (stored: KubeObject) => void;
}

function candidateColor({ snapshot, release }: Scene): Color {
  const active = activeColor(snapshot.services, release.spec.traffic.selectorLabel);
  return active === undefined ? 'blue' : otherColor(active);
}

/** `onStored`: told of a workload that stands in the release. */
function dryRuns(scene: Scene, onStored: (stored: Stored) => void): DryRun[] {
  const { snapshot, release, wished, services } = scene;
  const color = candidateColor(scene);
  const subject = { revision: 'r0', attempt: 0, color, activeColor: otherColor(color), services };
  const runs: DryRun[] = release.spec.gates.map((gate, index) => ({
    type: JOBS,
    body: nameless(renderJob(release, gate, subject)),
    field: `spec.gates[${index}].job`,
  }));
  if (wished !== undefined && scene.pair === undefined) {
    const content = contentOf(wished, snapshot.config.found);
    const body = nameless(renderColor(release, color, 'r0', content, 1));
    const onAnswer = (answer: KubeObject): void =>
      onStored({
        fingerprint: fingerprint(content),
        content: contentOfColor(answer as Deployment, release.spec.traffic.selectorLabel),
      });
    const isStated = workloadOf(release.spec).kind === 'Deployment';
    const field = workloadInWords(release.spec);
    runs.push({ type: DEPLOYMENTS, body, field, ...(isStated && { onAnswer }) });
  }
  if (release.spec.autoscaling !== undefined) {
    const body = nameless(
      renderAutoscaler(release, color, snapshot.sides[color].autoscaler?.minReplicas ?? 1),
    );
    runs.push({ type: HORIZONTAL_POD_AUTOSCALERS, body, field: 'spec.autoscaling.spec' });
  }
  const { podDisruptionBudget } = release.spec;
  if (podDisruptionBudget !== undefined) {
    const body = nameless(renderBudget(release, color, podDisruptionBudget));
    runs.push({ type: POD_DISRUPTION_BUDGETS, body, field: 'spec.podDisruptionBudget' });
  }
  return runs;
}

async function judge(
  client: KubeClient,
  { type, body, field, onAnswer }: DryRun,
  signal: AbortSignal,
): Promise<Problem | undefined> {
  try {
    const answer = await client.create(type, body, { dryRun: true, signal });
    onAnswer?.(answer);
    return undefined;
  } catch (error) {
    if (!isKubeError(error, 'Invalid', 'BadRequest', 'Forbidden')) throw error;
    return {
      reason: type === JOBS ? 'JobRefused' : 'WorkloadRefused',
      message: `${field}: the API server refuses the ${type.kind} derived from it: ${error.message}`,
    };
  }
}

/** A policy that forbids one Service to move would split the release: better told before the candidate is built. */
async function judgeSwitch(
  client: KubeClient,
  scene: Scene,
  service: Service | undefined,
  index: number,
  signal: AbortSignal,
): Promise<Problem | undefined> {
  if (service === undefined) return undefined;
  const { namespace, spec } = scene.release;
  const { name } = service.metadata;
  const path = `/spec/selector/${pointer(spec.traffic.selectorLabel)}`;
  const operations = [{ op: 'add' as const, path, value: candidateColor(scene) }];
  try {
    await client.patch(SERVICES, { namespace, name }, { type: 'json', operations }, { dryRun: true, signal });
    return undefined;
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return undefined;
    if (!isKubeError(error, 'Invalid', 'BadRequest', 'Forbidden')) throw error;
    const field = `spec.traffic.services[${index}].name`;
    return {
      reason: 'ServiceRefused',
      message: `${field}: the API server refuses to switch Service "${name}": ${error.message}`,
    };
  }
}

interface Name {
  readonly type: ResourceType;
  readonly name: string;
}

/** Objects without our label are not in the cache: their names must be asked for, once, before the adoption. */
function names({ snapshot, release, pair }: Scene): Name[] {
  if (snapshot.revisions.length > 0 || snapshot.endpoint !== undefined) return [];
  const derived = [DEPLOYMENTS, HORIZONTAL_POD_AUTOSCALERS];
  return COLORS.flatMap((color) => [
    ...(pair === undefined ? derived : []).map((type) => ({ type, name: colorName(release.name, color) })),
    ...release.spec.traffic.services.map(({ name }) => ({ type: SERVICES, name: twinName(name, color) })),
  ]);
}

async function judgeName(
  client: KubeClient,
  { release }: Scene,
  { type, name }: Name,
  signal: AbortSignal,
): Promise<Problem | undefined> {
  const existing = await client.get(type, { namespace: release.namespace, name }, { signal });
  if (existing === undefined || existing.metadata.labels?.[LABEL_RELEASE] === release.name) return undefined;
  return {
    reason: 'NameTaken',
    message: `${type.kind} "${name}" exists and does not belong to this release: rename or delete it, the operator needs that name`,
  };
}

/** What stands in the release alone serves nobody before its first revision. */
function firstServices({ snapshot, release }: Scene): readonly { name: string }[] {
  const isFirst = snapshot.revisions.length === 0 && workloadOf(release.spec).kind === 'Deployment';
  return isFirst ? release.spec.traffic.services : [];
}

/** The key would take the traffic from pods of something else, which is to be taken over instead. */
async function judgeServed(
  client: KubeClient,
  { release, snapshot }: Scene,
  { name }: { readonly name: string },
  signal: AbortSignal,
): Promise<Problem | undefined> {
  const labelSelector = `${LABEL_SERVICE_NAME}=${name}`;
  const { namespace } = release;
  const slices = await client.list<EndpointSlice>(ENDPOINT_SLICES, { namespace, labelSelector, signal });
  const own = new Set(COLORS.flatMap((color) => snapshot.sides[color].pods.map(({ uid }) => uid)));
  if (!endpointsOf(slices).some(({ ready, podUid }) => ready && !own.has(podUid))) return undefined;
  return {
    reason: 'ServiceSelectsOtherPods',
    message: `Service "${name}" has endpoints that are not of this release: name their Deployment in spec.workload.deploymentRef, so that it is taken over, or remove those pods`,
  };
}

/** An autoscaler that nobody named would take away the pods that a release counts on. */
async function judgeUnnamed(
  client: KubeClient,
  { release, pair }: Scene,
  signal: AbortSignal,
): Promise<Problem | undefined> {
  if (pair === undefined) return undefined;
  const { namespace } = release;
  const all = await client.list<HorizontalPodAutoscaler>(HORIZONTAL_POD_AUTOSCALERS, { namespace, signal });
  for (const color of COLORS) {
    const { kind, name } = standingOn(release, color);
    const found = all.find(
      ({ metadata, spec: { scaleTargetRef } }) =>
        metadata.name !== autoscalerOn(release, color) &&
        scaleTargetRef.kind === kind &&
        scaleTargetRef.name === name,
    );
    if (found === undefined) continue;
    const field = `spec.workload.pair.${color}.autoscalerRef`;
    return {
      reason: 'AutoscalingUnstated',
      message: `HorizontalPodAutoscaler "${found.metadata.name}" scales ${sideInWords(release, color)}: name it in ${field}, or delete it`,
    };
  }
  return undefined;
}

interface Query {
  readonly source: string;
  readonly query: string;
  readonly field: string;
}

function queries({ release }: Scene): Query[] {
  const idle = release.spec.traffic.drain?.until.prometheus;
  const drain = idle && { ...idle, field: 'spec.traffic.drain.until.prometheus.query' };
  return [...(drain === undefined ? [] : [drain]), ...checkQueries(release)];
}

function checkQueries(release: Scene['release']): Query[] {
  return release.spec.observation.checks.flatMap(({ prometheus }, index) => {
    const { source, query, requestsQuery } = prometheus;
    const field = `spec.observation.checks[${index}].prometheus`;
    const all = [{ source, query, field: `${field}.query` }];
    return requestsQuery === undefined
      ? all
      : [...all, { source, query: requestsQuery, field: `${field}.requestsQuery` }];
  });
}

async function judgeQuery(
  sources: Sources,
  { release }: Scene,
  { source, query, field }: Query,
  signal: AbortSignal,
): Promise<Problem | undefined> {
  const { namespace, name } = release;
  const expanded = expandQuery(query, { color: 'blue', revision: 'r0', release: name, namespace });
  const verdict = await sources.validate({ namespace, source, query: expanded }, signal);
  if (verdict.ok !== false) return undefined;
  return { reason: 'InvalidQuery', message: `${field}: ${verdict.message}` };
}

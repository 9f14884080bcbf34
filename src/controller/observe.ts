/** Gathers once everything that is known about a release: from the cache, and by reads where the cache cannot know. */
import {
  ANNOTATION_ACTION,
  ANNOTATION_ON_DELETE,
  ANNOTATION_PARKED_AT,
  ANNOTATION_STORED_AUTOSCALER,
  FINALIZER,
  LABEL_POD_TEMPLATE_HASH,
  LABEL_RELEASE,
  twinName,
} from '../api/names.ts';
import type { ParsedRelease } from '../api/parse.ts';
import type { ReleaseSpec } from '../api/schema.ts';
import { COLORS, type Color } from '../api/status.ts';
import { parseTime } from '../api/time.ts';
import { type External, workloadOf } from '../api/workload.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeClient, KubeObject } from '../kube/ports.ts';
import {
  CONTROLLER_REVISIONS,
  type ConfigMap,
  type ControllerRevision,
  DEPLOYMENTS,
  type Deployment,
  ENDPOINT_SLICES,
  type EndpointSlice,
  HORIZONTAL_POD_AUTOSCALERS,
  type HorizontalPodAutoscaler,
  NAMESPACES,
  REPLICA_SETS,
  type ReplicaSet,
  SERVICES,
  type Service,
} from '../kube/types.ts';
import type { Marked } from '../release/mark.ts';
import { pairWish } from '../release/pair.ts';
import { explainsMarks } from '../release/roles.ts';
import type {
  ConfigView,
  Observations,
  ReleaseView,
  RevisionView,
  ServiceView,
  Snapshot,
  SourceView,
  WishView,
} from '../release/snapshot.ts';
import { contentOfReplicaSet, fingerprint } from '../workload/content.ts';
import { externalContent } from '../workload/external.ts';
import { inlineDeployment } from '../workload/inline.ts';
import type { ReleaseRef } from '../workload/render.ts';
import { BY_RELEASE, BY_SERVICE, type Cache, keyOf, LABEL_JOB_NAME, LABEL_SERVICE_NAME } from './cache.ts';
import { sourceFingerprint } from './identities.ts';
import { configView } from './named-config.ts';
import { type Pair, pairView, readPair } from './pair.ts';
import { readPublished, viewEndpoint } from './published.ts';
import { foreignBudgets, podsOf, sidesOf } from './sides.ts';
import { markedOf } from './switch-mark.ts';
import { endpointsOf } from './views/endpoint.ts';
import { jobView } from './views/job.ts';
import { type Aliases, revisionView } from './views/revision.ts';
import { leftoverView, previewView, serviceView, twinView } from './views/service.ts';
import { lastWriter } from './writers.ts';

export interface Observer {
  readonly cache: Cache;
  readonly client: KubeClient;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The objects behind a snapshot, for whoever turns effects into writes. */
export interface Scene {
  readonly snapshot: Snapshot;
  readonly release: ReleaseRef;
  readonly source: Deployment | undefined;
  readonly pair: Pair | undefined;
  /** What people wish for: the source, what stands in the release, or a side of a pair. */
  readonly wished: Deployment | undefined;
  /** In the order of the spec. */
  readonly services: readonly (Service | undefined)[];
  readonly previews: readonly (Service | undefined)[];
  /** The ConfigMap that consumers of an external workload read. */
  readonly published: ConfigMap | undefined;
  /** Services of this release that its spec no longer names. */
  readonly leftovers: readonly Service[];
  /** The ReplicaSet that the adoption would keep. */
  readonly liveReplicaSet: ReplicaSet | undefined;
  readonly sourceAutoscalers: readonly HorizontalPodAutoscaler[];
}

export async function observe(
  observer: Observer,
  parsed: ParsedRelease,
  observations: Observations,
  aliases: Aliases = {},
): Promise<Scene> {
  const { cache } = observer;
  const { metadata, spec } = parsed;
  const namespace = metadata.namespace ?? '';
  const release: ReleaseRef = { namespace, name: metadata.name, uid: metadata.uid ?? '', spec };
  const readServices = (named: readonly { readonly name: string }[]) =>
    Promise.all(named.map(({ name }) => readService(observer, release, name)));
  const [source, pair, published, services, previews] = await Promise.all([
    readSource(observer, release),
    readPair(observer, release),
    readPublished(observer, release),
    readServices(spec.traffic.services),
    readServices(spec.traffic.previewServices),
  ]);
  const stated = statedIn(release) ?? source;
  const views = await Promise.all(
    services.map((service, index) =>
      viewService(observer, release, spec.traffic.services[index]?.name ?? '', service),
    ),
  );
  const config = configView(cache, release);
  const wish = statedWish(release, stated, config);
  const marked = [...views, markedOf(published, release.uid)];
  const revisions = await currentRevisions(observer, release, marked, () =>
    revisionsOf(cache, release, aliases, wish?.fingerprint),
  );
  const leftovers = leftoversOf(cache, release);
  const adopting = revisions.every(({ facts }) => facts?.committedAt === undefined);
  const deleting = metadata.deletionTimestamp !== undefined;
  const [readySets, sourceAutoscalers, namespaceEnding, scaledBy, sides, endpoint] = await Promise.all([
    (revisions.length === 0 || deleting) && source ? readReadyReplicaSets(observer.client, source) : [],
    adopting && source ? readAutoscalers(observer.client, source) : [],
    deleting && isEnding(observer.client, namespace),
    source && sourceScaler(observer, source),
    sidesOf(observer, release, pair, revisions),
    viewEndpoint(observer, release, published, revisions),
  ]);
  const [liveReplicaSet] = readySets;
  const seen: Snapshot = {
    now: observer.now(),
    release: releaseView(parsed, release, namespaceEnding),
    previous: parsed.status,
    source: source && {
      ...sourceView(source, readySets, sourceAutoscalers, config),
      scaledBy,
    },
    config,
    wish,
    services: views,
    endpoint,
    previews: spec.traffic.previewServices.map(({ name }, index) =>
      previewView(name, previews[index], release, isRelease(cache, release)),
    ),
    leftovers: leftovers
      .map((service) => leftoverView(service, isRelease(cache, release), release))
      .filter((view) => view !== undefined),
    sides,
    pair: pair && pairView(cache, release, pair),
    foreignBudgets: foreignBudgets(cache, release, stated),
    revisions,
    jobs: jobsOf(cache, release),
    observations,
  };
  return {
    ...withWish(seen, pair, stated),
    release,
    source,
    pair,
    services,
    previews,
    published,
    leftovers,
    liveReplicaSet,
    sourceAutoscalers,
  };
}

function releaseView(
  { metadata, spec }: ParsedRelease,
  ref: ReleaseRef,
  namespaceEnding: boolean,
): ReleaseView {
  const { annotations, deletionTimestamp, generation = 0, finalizers = [] } = metadata;
  return {
    namespace: ref.namespace,
    name: ref.name,
    uid: ref.uid,
    generation,
    deleting: deletionTimestamp !== undefined,
    deletedAt: parseTime(deletionTimestamp),
    namespaceEnding,
    onDelete: annotations?.[ANNOTATION_ON_DELETE],
    hasFinalizer: finalizers.includes(FINALIZER),
    spec,
    action: annotations?.[ANNOTATION_ACTION],
  };
}

function statedIn({ spec }: ReleaseRef): Deployment | undefined {
  const workload = workloadOf(spec);
  return workload.kind === 'Deployment' ? inlineDeployment(workload.deployment) : undefined;
}

/** Of a pair it depends on the roles. Where nothing is wished for, what the active revision was need not stand any more. */
function withWish(
  seen: Snapshot,
  pair: Pair | undefined,
  stated: Deployment | undefined,
): Pick<Scene, 'snapshot' | 'wished'> {
  if (pair === undefined) return { snapshot: seen, wished: stated };
  const wish = pairWish(seen);
  const color = COLORS.find((each) => seen.sides[each].deployment?.fingerprint === wish?.fingerprint);
  return { snapshot: { ...seen, wish }, wished: color && pair[color].workload };
}

/**
 * Watches of two kinds may tell of two writes in the wrong order. The facts are written before the mark that needs
 * them: a mark that the cache cannot explain is drift only if facts that are read after it cannot either. Otherwise a
 * process that just started would undo a switch of the one before.
 */
async function currentRevisions(
  { cache, client }: Observer,
  { namespace, name }: ReleaseRef,
  carriers: readonly Marked[],
  cached: () => RevisionView[],
): Promise<RevisionView[]> {
  const known = cached();
  if (explainsMarks(carriers, known)) return known;
  const labelSelector = `${LABEL_RELEASE}=${name}`;
  const current = await client.list<ControllerRevision>(CONTROLLER_REVISIONS, { namespace, labelSelector });
  for (const revision of current) cache.revisions.note(revision);
  return cached();
}

function revisionsOf(
  cache: Cache,
  release: ReleaseRef,
  aliases: Aliases,
  wished: string | undefined,
): RevisionView[] {
  return cache.revisions
    .byIndex(BY_RELEASE, keyOf(release.namespace, release.name))
    .filter(
      ({ metadata }) =>
        metadata.deletionTimestamp === undefined && isOwnedBy(metadata.ownerReferences, release.uid),
    )
    .map((revision) => revisionView(revision, aliases, wished))
    .filter((view) => view !== undefined)
    .sort((a, b) => a.number - b.number);
}

/** The spec under which this release last started something, as it was frozen. */
export function lastSpec(cache: Cache, { metadata }: KubeObject): ReleaseSpec | undefined {
  const { namespace, name, uid = '' } = metadata;
  return cache.revisions
    .byIndex(BY_RELEASE, keyOf(namespace, name))
    .filter((revision) => isOwnedBy(revision.metadata.ownerReferences, uid))
    .toSorted((a, b) => b.revision - a.revision)
    .map((revision) => revisionView(revision)?.frozen)
    .find((spec) => spec !== undefined);
}

/** Revisions and Jobs of an earlier release of the same name tell of another life. */
function isOwnedBy(owners: readonly { uid: string }[] | undefined, uid: string): boolean {
  return owners?.some((owner) => owner.uid === uid) ?? false;
}

/** From the cache once it carries our label; before that nobody watches it for us. */
async function readSource({ cache, client }: Observer, release: ReleaseRef): Promise<Deployment | undefined> {
  const workload = workloadOf(release.spec);
  if (workload.kind !== 'DeploymentRef') return undefined;
  const key = { namespace: release.namespace, name: workload.name };
  return cache.deployments.get(key) ?? (await client.get<Deployment>(DEPLOYMENTS, key));
}

async function readService(
  { cache, client }: Observer,
  release: ReleaseRef,
  name: string,
): Promise<Service | undefined> {
  const key = { namespace: release.namespace, name };
  return cache.services.get(key) ?? (await client.get<Service>(SERVICES, key));
}

/** Those whose pods are ready, the largest first: what the Deployment wishes for does not matter. */
async function readReadyReplicaSets(client: KubeClient, source: Deployment): Promise<ReplicaSet[]> {
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

/** Where it may not be asked, the release alone is taken to be deleted: then a deadline ends the wait. */
async function isEnding(client: KubeClient, namespace: string): Promise<boolean> {
  try {
    const found = await client.get(NAMESPACES, { name: namespace });
    return found?.metadata.deletionTimestamp !== undefined;
  } catch (error) {
    if (isKubeError(error, 'Forbidden')) return false;
    throw error;
  }
}

async function readAutoscalers(client: KubeClient, source: Deployment): Promise<HorizontalPodAutoscaler[]> {
  const { namespace = '', name } = source.metadata;
  const all = await client.list<HorizontalPodAutoscaler>(HORIZONTAL_POD_AUTOSCALERS, { namespace });
  return all.filter(
    ({ spec }) => spec.scaleTargetRef.kind === 'Deployment' && spec.scaleTargetRef.name === name,
  );
}

/** Of an environment nothing is known but what people say of it. */
function externalWish(external: External): WishView {
  const content = externalContent(external, external.active);
  return { fingerprint: fingerprint(content), podLabels: {}, replicas: 0 };
}

/** Of a pair it depends on the roles: `withWish`. */
function statedWish(
  { spec }: ReleaseRef,
  stated: Deployment | undefined,
  config: ConfigView,
): WishView | undefined {
  const workload = workloadOf(spec);
  return workload.kind === 'External' ? externalWish(workload.external) : stated && wishView(stated, config);
}

function wishView(wished: Deployment, config: ConfigView): WishView {
  const { replicas = 1, template } = wished.spec;
  return {
    fingerprint: sourceFingerprint(wished, config.found),
    podLabels: template.metadata?.labels ?? {},
    replicas,
  };
}

function sourceView(
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

async function viewService(
  observer: Observer,
  release: ReleaseRef,
  name: string,
  service: Service | undefined,
): Promise<ServiceView> {
  const { cache } = observer;
  const twin = (color: Color) => {
    const twinKey = { namespace: release.namespace, name: twinName(name, color) };
    return twinView(
      cache.services.get(twinKey),
      service,
      release,
      color,
      endpointsAt(cache, release, twinKey.name),
    );
  };
  const view = serviceView(
    name,
    service,
    release,
    { blue: twin('blue'), green: twin('green') },
    service === undefined ? [] : await endpointsBehind(observer, release, name),
    isRelease(cache, release),
  );
  return { ...view, selectorWriter: await selectorWriter(observer, release, view) };
}

/** Nearly always our own: the others are looked through for a stranger's claim only. */
const isRelease =
  (cache: Cache, release: ReleaseRef) =>
  (uid: string): boolean =>
    uid === release.uid ||
    cache.releases.list(release.namespace).some(({ metadata }) => metadata.uid === uid);

/** What carries our label and is named in the spec neither itself nor as the Service that it is a twin of. */
function leftoversOf(cache: Cache, release: ReleaseRef): Service[] {
  const { services, previewServices } = release.spec.traffic;
  const named = [
    ...services.flatMap(({ name }) => [name, ...COLORS.map((color) => twinName(name, color))]),
    ...previewServices.map(({ name }) => name),
  ];
  return cache.services
    .byIndex(BY_RELEASE, keyOf(release.namespace, release.name))
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined && !named.includes(metadata.name));
}

function endpointsAt(cache: Cache, release: ReleaseRef, service: string): ServiceView['endpoints'] {
  return endpointsOf(cache.slices.byIndex(BY_SERVICE, keyOf(release.namespace, service)));
}

/**
 * Slices carry the labels of their Service, and what lacks ours is not watched: those of a Service that was replaced
 * without it are asked for. Taken for dark while its pods serve, it would be put back to a side that is dead.
 */
async function endpointsBehind(
  { cache, client }: Observer,
  release: ReleaseRef,
  service: string,
): Promise<ServiceView['endpoints']> {
  const { namespace } = release;
  const known = cache.slices.byIndex(BY_SERVICE, keyOf(namespace, service));
  if (known.length > 0) return endpointsOf(known);
  const labelSelector = `${LABEL_SERVICE_NAME}=${service}`;
  return endpointsOf(await client.list<EndpointSlice>(ENDPOINT_SLICES, { namespace, labelSelector }));
}

/** Asked only when a selector is not what its own mark says: the cache does not keep managedFields. */
async function selectorWriter(
  { cache, client }: Observer,
  release: ReleaseRef,
  view: ServiceView,
): Promise<string | undefined> {
  const known = cache.revisions
    .byIndex(BY_RELEASE, keyOf(release.namespace, release.name))
    .map((revision) => revisionView(revision));
  if (!view.found || !known.some((revision) => revision?.facts?.verifiedAt !== undefined)) return undefined;
  const marked = known.find((revision) => revision?.name === view.mark?.revision)?.facts?.color;
  const selected = view.selector[release.spec.traffic.selectorLabel];
  if (marked !== undefined && marked === selected) return undefined;
  return lastWriter(client, SERVICES, { namespace: release.namespace, name: view.name }, [
    'spec',
    'selector',
  ]);
}

/** Asked only when it was parked, and has pods again. */
function sourceScaler(
  { client }: Observer,
  { metadata, spec }: Deployment,
): Promise<string | undefined> | undefined {
  if (metadata.annotations?.[ANNOTATION_PARKED_AT] === undefined || spec.replicas === 0) return undefined;
  const { namespace = '', name } = metadata;
  return lastWriter(client, DEPLOYMENTS, { namespace, name }, ['spec', 'replicas']);
}

function jobsOf(cache: Cache, release: ReleaseRef): Snapshot['jobs'] {
  const pods = podsOf(cache, release);
  return cache.jobs
    .byIndex(BY_RELEASE, keyOf(release.namespace, release.name))
    .filter(
      ({ metadata }) =>
        metadata.deletionTimestamp === undefined && isOwnedBy(metadata.ownerReferences, release.uid),
    )
    .map((job) =>
      jobView(
        job,
        pods.filter((pod) => pod.metadata.labels?.[LABEL_JOB_NAME] === job.metadata.name),
      ),
    );
}

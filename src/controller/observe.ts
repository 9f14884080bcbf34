/** Gathers once everything that is known about a release: from the cache, and by reads where the cache cannot know. */
import { ANNOTATION_ACTION, ANNOTATION_ON_DELETE, FINALIZER, LABEL_JOB_NAME } from '../api/names.ts';
import type { ParsedRelease } from '../api/parse.ts';
import { parseTime } from '../api/time.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeClient } from '../kube/ports.ts';
import {
  type ConfigMap,
  type Deployment,
  type HorizontalPodAutoscaler,
  NAMESPACES,
  type ReplicaSet,
  type Service,
} from '../kube/types.ts';
import type { Observations, ReleaseView, Snapshot } from '../release/snapshot.ts';
import type { ReleaseRef } from '../workload/render.ts';
import { BY_RELEASE, type Cache, keyOf, type Reader } from './cache.ts';
import { configView } from './named-config.ts';
import { type Pair, pairView, readPair } from './pair.ts';
import { readPublished, viewEndpoint } from './published.ts';
import { currentRevisions, isOwnedBy, revisionsOf } from './revisions.ts';
import { isRelease, leftoversOf, readService, viewService } from './services.ts';
import { foreignBudgets, podsOf, sidesOf } from './sides.ts';
import { readAutoscalers, readReadyReplicaSets, readSource, sourceScaler, sourceView } from './source.ts';
import { markedOf } from './switch-mark.ts';
import { jobView } from './views/job.ts';
import type { Aliases } from './views/revision.ts';
import { leftoverView, previewView } from './views/service.ts';
import { statedIn, wishView, withWish } from './wish.ts';

export interface Observer extends Reader {
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
  // Of a pair it depends on the roles, and of an external workload on what is published.
  const wish = stated && wishView(stated, config);
  const marked = [...views, markedOf(published, release.uid)];
  const revisions = await currentRevisions(observer, release, marked, () =>
    revisionsOf(cache, release, aliases, wish?.fingerprint),
  );
  const leftovers = leftoversOf(cache, release);
  const adopting = revisions.every(({ facts }) => facts?.committedAt === undefined);
  const deleting = metadata.deletionTimestamp !== undefined;
  // Named config may change until something of it has served, and people may have rolled something else out; then what
  // really runs is frozen anew, as where an adoption was given up.
  const underWay = revisions.find(({ facts }) => facts !== undefined && facts.outcome === undefined);
  const freezing =
    adopting && (spec.config !== undefined || underWay?.fingerprint !== wish?.fingerprint || !underWay);
  const [readySets, sourceAutoscalers, namespaceEnding, scaledBy, sides, endpoint] = await Promise.all([
    (freezing || deleting) && source ? readReadyReplicaSets(observer.client, source) : [],
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

/** What an external workload has published, and how far its consumers are. They carry no label of ours: they are asked for. */
import { endpointAnnotation, LABEL_CONFIG, LABEL_RELEASE, restartedAtAnnotation } from '../api/names.ts';
import type { ReleaseSpec } from '../api/schema.ts';
import { COLORS, type Color } from '../api/status.ts';
import { parseTime } from '../api/time.ts';
import { workloadOf } from '../api/workload.ts';
import { isKubeError } from '../kube/errors.ts';
import type { Urgency } from '../kube/ports.ts';
import { CONFIG_MAPS, type ConfigMap, type Deployment, type StatefulSet } from '../kube/types.ts';
import type { ConsumerView, CredentialsView, EndpointView } from '../release/endpoint-view.ts';
import type { RevisionView } from '../release/snapshot.ts';
import { dataOf, saysSame } from '../traffic/endpoint.ts';
import { publishedDigest } from '../workload/config.ts';
import { fingerprint } from '../workload/content.ts';
import { externalContent } from '../workload/external.ts';
import type { ReleaseRef } from '../workload/render.ts';
import { type Cache, keyOf, type Reader } from './cache.ts';
import { viewCredentials } from './credentials.ts';
import { markedOf } from './switch-mark.ts';
import { WORKLOADS } from './workloads.ts';
import { lastWriter } from './writers.ts';

/** From the cache once it is ours; before that no more than a digest of it is kept. */
export async function readPublished(
  { cache, client }: Reader,
  { namespace, spec }: ReleaseRef,
): Promise<ConfigMap | undefined> {
  const { endpoint } = spec.traffic;
  if (endpoint === undefined) return undefined;
  const key = { namespace, name: endpoint.configMapRef.name };
  const known = cache.configMaps.get(key);
  return known?.data === undefined ? client.get<ConfigMap>(CONFIG_MAPS, key) : known;
}

/** undefined for a workload that is not external. */
export async function viewEndpoint(
  reader: Reader,
  release: ReleaseRef,
  published: ConfigMap | undefined,
  revisions: readonly RevisionView[],
): Promise<EndpointView | undefined> {
  const { endpoint } = release.spec.traffic;
  const workload = workloadOf(release.spec);
  if (endpoint === undefined || workload.kind !== 'External') return undefined;
  const { name } = endpoint.configMapRef;
  const { data = {}, metadata } = published ?? {};
  const view = {
    name,
    uid: metadata?.uid ?? '',
    resourceVersion: metadata?.resourceVersion ?? '',
    ...ownership(reader.cache, release, published),
    ...markedOf(published, release.uid),
    data,
  };
  const urgency = view.mark?.direction === 'Back' ? 'rescue' : 'normal';
  const [consumers, writer, credentials] = await Promise.all([
    Promise.all(endpoint.restart.map((named) => readConsumer(reader, release, named, urgency))),
    writerOf(reader, release, view, revisions),
    viewCredentials(reader, release, revisions, urgency),
  ]);
  return {
    ...view,
    consumers,
    writer,
    credentials,
    digests: digestsOf(revisions, credentials),
    fingerprints: fingerprintsOf(release.spec, credentials),
  };
}

function ownership(
  cache: Cache,
  release: ReleaseRef,
  published: ConfigMap | undefined,
): Pick<EndpointView, 'state' | 'owner'> {
  const { namespace, name } = release;
  if (published === undefined) return { state: 'Absent', owner: undefined };
  const labels = published.metadata.labels ?? {};
  const owner = labels[LABEL_RELEASE];
  const isWatched = labels[LABEL_CONFIG] !== undefined;
  if (owner === name) return { state: isWatched ? 'Ours' : 'Free', owner: undefined };
  // What a release that is no more has left behind is nobody's.
  const isTaken = owner !== undefined && cache.releases.get({ namespace, name: owner }) !== undefined;
  if (isTaken) return { state: 'Foreign', owner };
  // Whoever took its labels away left our mark: it is ours to label again.
  const isMarked = markedOf(published, release.uid).mark !== undefined;
  return { state: isWatched || isMarked ? 'Free' : 'Foreign', owner: undefined };
}

function digestsOf(
  revisions: readonly RevisionView[],
  credentials: CredentialsView | undefined,
): EndpointView['digests'] {
  const entries = revisions.flatMap((revision) => {
    const data = dataOf(revision);
    if (data === undefined) return [];
    // Of what the Secret holds nothing is computed: whoever sees a consumer could compare it with a guess.
    const copyOf = credentials?.mark?.revision === revision.name ? credentials.copyOf : undefined;
    return [[revision.name, publishedDigest(data, copyOf)] as const];
  });
  return Object.fromEntries(entries);
}

function fingerprintsOf(
  spec: ReleaseSpec,
  credentials: CredentialsView | undefined,
): EndpointView['fingerprints'] {
  const of = (color: Color): string =>
    fingerprint(externalContent(spec, color, credentials?.versions[color]));
  return { blue: of('blue'), green: of('green') };
}

type Named = Pick<ConsumerView, 'kind' | 'name'>;

/** Asked only when it does not say what its own mark says: the cache does not keep managedFields. */
async function writerOf(
  { client }: Reader,
  { namespace }: ReleaseRef,
  { name, data, mark, state }: Pick<EndpointView, 'name' | 'data' | 'mark' | 'state'>,
  revisions: readonly RevisionView[],
): Promise<string | undefined> {
  const marked = revisions.find((revision) => revision.name === mark?.revision);
  const wanted = marked && dataOf(marked);
  const isBegun = revisions.some(({ facts }) => facts?.verifiedAt !== undefined);
  if (!isBegun || state === 'Absent' || (wanted !== undefined && saysSame(data, wanted))) return undefined;
  return lastWriter(client, CONFIG_MAPS, { namespace, name }, ['data']);
}

/** So long a consumer may keep every decision waiting, milliseconds. */
const READ_MS = 2000;

/** One that cannot be read keeps no way back from being published: it is told, and is not done. */
async function readConsumer(
  reader: Reader,
  release: ReleaseRef,
  named: Named,
  urgency: Urgency,
): Promise<ConsumerView> {
  const key = { namespace: release.namespace, name: named.name };
  const options = { urgency, deadlineMs: READ_MS };
  try {
    const { type } = WORKLOADS[named.kind];
    const found = await reader.client.get<Deployment | StatefulSet>(type, key, options);
    return consumerView(reader, release, named, found);
  } catch (error) {
    // The reconcile itself was broken off.
    if (!isKubeError(error) || error.reason === 'Aborted') throw error;
    const progress = `it cannot be read (${error.message})`;
    const obstacle = `cannot be read (${error.message}): let the operator read it`;
    return { ...consumerView(reader, release, named, undefined), found: true, progress, obstacle };
  }
}

function consumerView(
  { cache }: Reader,
  { namespace, name: release }: ReleaseRef,
  { kind, name }: Named,
  found: Deployment | StatefulSet | undefined,
): ConsumerView {
  const owner = found?.metadata.labels?.[LABEL_RELEASE];
  const isManaged = owner !== undefined && cache.releases.get({ namespace, name: owner }) !== undefined;
  const obstacle = found && (isManaged ? managedBy(keyOf(namespace, owner)) : obstacleOf(found));
  return {
    kind,
    name,
    found: found !== undefined,
    uid: found?.metadata.uid ?? '',
    digest: found?.spec.template.metadata?.annotations?.[endpointAnnotation(release)],
    restartedWith: found?.metadata.annotations?.[endpointAnnotation(release)],
    restartedAt: parseTime(found?.metadata.annotations?.[restartedAtAnnotation(release)]),
    ...progressOf(found),
    obstacle,
  };
}

const managedBy = (release: string): string =>
  `belongs to release "${release}", which would take a restart for an edit: restart it by that release`;

function obstacleOf({ spec }: Deployment | StatefulSet): string | undefined {
  if ('paused' in spec && spec.paused) return 'is paused, so that a restart would never end: resume it';
  const strategy = 'updateStrategy' in spec ? spec.updateStrategy : undefined;
  if (strategy?.type === 'OnDelete')
    return 'has updateStrategy OnDelete, so that a restart would replace no pod: make it RollingUpdate';
  if ((strategy?.rollingUpdate?.partition ?? 0) > 0)
    return 'has a partition in its updateStrategy, so that a restart would leave pods as they are: make it 0';
  return undefined;
}

/** As `kubectl rollout status` judges it, and available besides. */
function progressOf(
  found: Deployment | StatefulSet | undefined,
): Pick<ConsumerView, 'complete' | 'progress'> {
  if (found === undefined) return { complete: false, progress: 'it does not exist' };
  const { metadata, spec, status = {} } = found;
  const wanted = spec.replicas ?? 1;
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0, observedGeneration = 0 } = status;
  const isObserved = observedGeneration >= (metadata.generation ?? 0);
  const isOne = !('updateRevision' in status) || status.currentRevision === status.updateRevision;
  const complete =
    isObserved &&
    isOne &&
    updatedReplicas >= wanted &&
    replicas === updatedReplicas &&
    availableReplicas >= wanted;
  const old = Math.max(0, replicas - updatedReplicas);
  const progress = `${Math.min(updatedReplicas, availableReplicas)} of ${wanted} pods are new and available${old === 0 ? '' : `, ${old} old`}`;
  return { complete, progress: isObserved ? progress : 'its controller has not seen it yet' };
}

/** The side that is published. */
export function servingOf({ data }: Pick<EndpointView, 'data'>): Color | undefined {
  return COLORS.find((color) => color === data.color);
}

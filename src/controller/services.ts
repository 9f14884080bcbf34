/** The Services of a release with the endpoints behind them, and those that it has left behind. */
import { LABEL_REVISION, LABEL_SERVICE_NAME, twinName } from '../api/names.ts';
import { COLORS, type Color } from '../api/status.ts';
import {
  type ControllerRevision,
  ENDPOINT_SLICES,
  type EndpointSlice,
  SERVICES,
  type Service,
} from '../kube/types.ts';
import type { ServiceView } from '../release/snapshot.ts';
import type { ReleaseRef } from '../workload/render.ts';
import { BY_RELEASE, BY_SERVICE, type Cache, keyOf, type Reader } from './cache.ts';
import { endpointsOf } from './views/endpoint.ts';
import { revisionView } from './views/revision.ts';
import { serviceView, twinView } from './views/service.ts';
import { lastWriter } from './writers.ts';

export async function readService(
  { cache, client }: Reader,
  release: ReleaseRef,
  name: string,
): Promise<Service | undefined> {
  const key = { namespace: release.namespace, name };
  return cache.services.get(key) ?? (await client.get<Service>(SERVICES, key));
}

export async function viewService(
  reader: Reader,
  release: ReleaseRef,
  name: string,
  service: Service | undefined,
): Promise<ServiceView> {
  const { cache } = reader;
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
    service === undefined ? [] : await endpointsBehind(reader, release, name),
    isRelease(cache, release),
  );
  return { ...view, selectorWriter: await selectorWriter(reader, release, view) };
}

/** Nearly always our own: the others are looked through for a stranger's claim only. */
export const isRelease =
  (cache: Cache, release: ReleaseRef) =>
  (uid: string): boolean =>
    uid === release.uid ||
    cache.releases.list(release.namespace).some(({ metadata }) => metadata.uid === uid);

/** What carries our label and is named in the spec neither itself nor as the Service that it is a twin of. */
export function leftoversOf(cache: Cache, release: ReleaseRef): Service[] {
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
  { cache, client }: Reader,
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
  { cache, client }: Reader,
  release: ReleaseRef,
  view: ServiceView,
): Promise<string | undefined> {
  if (!view.found) return undefined;
  const known = cache.revisions.byIndex(BY_RELEASE, keyOf(release.namespace, release.name));
  const factsOf = (revision: ControllerRevision) => revisionView(revision)?.facts;
  const marked =
    view.mark && known.find(({ metadata }) => metadata.labels?.[LABEL_REVISION] === view.mark?.revision);
  const color = marked && factsOf(marked)?.color;
  if (color !== undefined && color === view.selector[release.spec.traffic.selectorLabel]) return undefined;
  if (!known.some((revision) => factsOf(revision)?.verifiedAt !== undefined)) return undefined;
  return lastWriter(client, SERVICES, { namespace: release.namespace, name: view.name }, [
    'spec',
    'selector',
  ]);
}

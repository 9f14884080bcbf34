/** Services, as rules read them: those that traffic follows, their twins, previews, and what is left of earlier ones. */
import { sameJson } from '../../api/json.ts';
import { ANNOTATION_CLAIM, LABEL_COLOR } from '../../api/names.ts';
import { COLORS, type Color } from '../../api/status.ts';
import type { Service } from '../../kube/types.ts';
import type {
  Endpoint,
  LeftoverView,
  Locality,
  PreviewView,
  ServiceView,
  TwinView,
} from '../../release/snapshot.ts';
import { type ReleaseRef, renderTwin } from '../../workload/render.ts';
import { markedOf } from '../switch-mark.ts';
import { isOurs } from './common.ts';

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
    ports = [],
  } = service?.spec ?? {};
  const { rawMark, mark, switchedAt, switchReason } = markedOf(service, release.uid);
  return {
    name,
    found: service !== undefined,
    uid: service?.metadata.uid ?? '',
    resourceVersion: service?.metadata.resourceVersion ?? '',
    type,
    headless: clusterIP === 'None',
    ports: ports.map(({ port }) => port),
    locality: locality(service),
    publishNotReadyAddresses,
    selector,
    rawMark,
    mark,
    switchedAt,
    switchReason,
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
  const { name, uid = '', resourceVersion = '', labels, annotations } = metadata;
  const left = { name, uid, resourceVersion, selector: spec.selector ?? {} };
  const color = COLORS.find((each) => labels?.[LABEL_COLOR] === each && name.endsWith(`-${each}`));
  if (color !== undefined) return { ...left, twinOf: { service: name.slice(0, -color.length - 1), color } };
  const claim = annotations?.[ANNOTATION_CLAIM];
  const isOurs = claim !== undefined && (claim === release.uid || !exists(claim));
  return isOurs ? { ...left, twinOf: undefined } : undefined;
}

/**
 * Counting pods at the endpoints. A pod counts by its uid, and only when every address family and port of the
 * Service has it ready: half a pod serves half the requests.
 */
import { memo } from '../api/memo.ts';
import { COLORS, type Color } from '../api/status.ts';
import type { Endpoint, ServiceView, Snapshot } from './snapshot.ts';

/** The other colour. */
export function otherColor(color: Color): Color {
  return color === 'blue' ? 'green' : 'blue';
}

function groupsOf(endpoints: readonly Endpoint[]): Set<string> {
  return new Set(endpoints.map((endpoint) => endpoint.group));
}

/** uids of the pods that are ready in every group that the list has: asked for by most rules. */
export const readyPods: (endpoints: readonly Endpoint[]) => ReadonlySet<string> = memo((endpoints) =>
  readyIn(endpoints, groupsOf(endpoints)),
);

/** uids of the pods that are ready in every one of these groups. */
function readyIn(endpoints: readonly Endpoint[], groups: ReadonlySet<string>): Set<string> {
  const readyGroups = new Map<string, Set<string>>();
  for (const endpoint of endpoints) {
    if (!endpoint.ready) continue;
    const seen = readyGroups.get(endpoint.podUid) ?? new Set<string>();
    readyGroups.set(endpoint.podUid, seen.add(endpoint.group));
  }
  return new Set(
    [...readyGroups].filter(([, seen]) => [...groups].every((group) => seen.has(group))).map(([uid]) => uid),
  );
}

/** uids of a colour's pods: those its twin lists, and those that carry its labels. */
export function podsOf(snapshot: Snapshot, service: ServiceView, color: Color): Set<string> {
  return new Set([
    ...service.twins[color].endpoints.map((endpoint) => endpoint.podUid),
    ...snapshot.sides[color].pods.map((pod) => pod.uid),
  ]);
}

interface Usable {
  readonly behind: readonly Endpoint[];
  readonly ready: ReadonlySet<string>;
}

/** As often asked for; by the list of the twin, beside that of its Service. */
const usableByTwin = new WeakMap<readonly Endpoint[], Usable>();

/** Pods of a colour that production could use through this Service now, also while it does not. */
export function readyOfColor({ endpoints, twins }: ServiceView, color: Color): ReadonlySet<string> {
  const twin = twins[color].endpoints;
  const known = usableByTwin.get(twin);
  if (known?.behind === endpoints) return known.ready;
  // A port that only the other side's pods have must not be lost in the switch.
  const ready = readyIn(twin, groupsOf([...endpoints, ...twin]));
  usableByTwin.set(twin, { behind: endpoints, ready });
  return ready;
}

/**
 * The Services that tell something about the sides: through them a pod of either can be reached. One whose selector was
 * damaged, or that was named a moment ago and has no twins yet, must not stand in the way back of the others. Where none
 * tells anything, all do: no pod is ready.
 */
export function telling({ services }: Snapshot): readonly ServiceView[] {
  const reachable = services.filter(({ twins }) =>
    COLORS.some((color) => twins[color].endpoints.some(({ ready }) => ready)),
  );
  return reachable.length === 0 ? services : reachable;
}

/** What a colour can do for production as a whole: the smallest number over the Services. */
export function readyCount(snapshot: Snapshot, color: Color): number {
  return smallest(telling(snapshot).map((service) => readyOfColor(service, color).size));
}

/**
 * Nothing is known against these pods: no endpoint tells of them, since the twin is gone that would, and they say
 * themselves that they are ready.
 */
export function isUntold(snapshot: Snapshot, color: Color, revision: string): boolean {
  const pods = snapshot.sides[color].pods.filter((pod) => pod.revision === revision);
  const own = new Set(pods.map(({ uid }) => uid));
  const silent = telling(snapshot).filter((service) => readyOfColor(service, color).size === 0);
  return (
    silent.length > 0 &&
    silent.every(
      ({ twins, endpoints }) => !twins[color].found && !endpoints.some(({ podUid }) => own.has(podUid)),
    ) &&
    pods.some(({ ready }) => ready)
  );
}

/** The Service through which a colour has fewest ready pods: what is moved to it, moves with all of them. */
export function weakest(
  { services }: Snapshot,
  color: Color,
): { readonly service: string; readonly ready: number } {
  const counts = services.map((service) => ({
    service: service.name,
    ready: readyOfColor(service, color).size,
  }));
  return counts.toSorted((a, b) => a.ready - b.ready)[0] ?? { service: '', ready: 0 };
}

/** Ready pods that take production traffic now, whoever they belong to; the smallest number over the Services. */
export function servingCount(snapshot: Snapshot): number {
  return smallest(telling(snapshot).map((service) => readyPods(service.endpoints).size));
}

/** Whatever takes production traffic now is of this colour, which of them need not select. */
export function servesAlone(snapshot: Snapshot, color: Color): boolean {
  return telling(snapshot).every(
    (service) => readyPods(service.endpoints).size === servingThrough(snapshot, service, color),
  );
}

/** Ready pods of one colour that take production traffic now; the smallest number over the Services. */
export function servingOfColor(snapshot: Snapshot, color: Color): number {
  return smallest(telling(snapshot).map((service) => servingThrough(snapshot, service, color)));
}

/** Ready pods of a colour that this Service gives traffic to now. */
export function servingThrough(snapshot: Snapshot, service: ServiceView, color: Color): number {
  const own = podsOf(snapshot, service, color);
  let serving = 0;
  for (const uid of readyPods(service.endpoints)) if (own.has(uid)) serving += 1;
  return serving;
}

export function smallest(counts: readonly number[]): number {
  return counts.length === 0 ? 0 : Math.min(...counts);
}

export interface Convergence {
  readonly converged: boolean;
  /** Ready pods of the colour behind the Service. */
  readonly ready: number;
  /** Ready or serving endpoints of any other pod. */
  readonly foreign: number;
}

/**
 * The proof of a switch at one Service: no ready or serving endpoint of a pod of another side, and as many ready pods
 * of this side as `required`. The twin is asked too, so that one pod's blip is not taken for a failed switch.
 */
export function convergence(
  snapshot: Snapshot,
  service: ServiceView,
  color: Color,
  required: number,
): Convergence {
  const own = podsOf(snapshot, service, color);
  const foreign = new Set(
    service.endpoints
      .filter((endpoint) => (endpoint.ready || endpoint.serving) && !own.has(endpoint.podUid))
      .map((endpoint) => endpoint.podUid),
  ).size;
  const ready = servingThrough(snapshot, service, color);
  const wanted = Math.max(1, Math.min(required, readyOfColor(service, color).size));
  return { converged: foreign === 0 && ready >= wanted, ready, foreign };
}

/** The colour that the selector of a Service names, if any. */
export function selectedColor(service: Pick<ServiceView, 'selector'>, label: string): Color | undefined {
  const value = service.selector[label];
  return COLORS.find((color) => color === value);
}

/** The colour that production is on, as the first Service says that names one. */
export function activeColor(services: readonly ServiceView[], label: string): Color | undefined {
  return services.map((service) => selectedColor(service, label)).find((color) => color !== undefined);
}

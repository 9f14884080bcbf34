/**
 * Services that keep traffic near the client: a node (or zone) where production has a ready pod and the other side has
 * none would drop what comes to it after a switch, or send it far away.
 */
import type { Color } from '../api/status.ts';
import { readyOfColor } from './endpoints.ts';
import type { Endpoint, Locality, ServiceView, Snapshot } from './snapshot.ts';

/** What keeps a colour from taking the traffic everywhere where there is some, in a clause; undefined: nothing. */
export function uncovered({ services }: Snapshot, color: Color): string | undefined {
  for (const service of services) {
    if (service.locality === undefined) continue;
    const { kind, field } = service.locality;
    const place = firstGap(service, color, kind);
    if (place === undefined) continue;
    return `${kind} "${place}" has ready pods behind Service "${service.name}" (${field}) and none of them is ${color}: spread the pods, by a topology spread constraint in the template, over every ${kind} that gets traffic`;
  }
  return undefined;
}

function firstGap(service: ServiceView, color: Color, kind: Locality['kind']): string | undefined {
  const able = readyOfColor(service, color);
  const covered = places(
    service.twins[color].endpoints.filter(({ podUid }) => able.has(podUid)),
    kind,
  );
  const now = places(
    service.endpoints.filter(({ ready }) => ready),
    kind,
  );
  return [...now].filter((place) => !covered.has(place)).toSorted()[0];
}

/** Endpoints of which nobody knows where they are keep nothing. */
function places(endpoints: readonly Endpoint[], kind: Locality['kind']): Set<string> {
  return new Set(endpoints.map((endpoint) => endpoint[kind]).filter((place) => place !== undefined));
}

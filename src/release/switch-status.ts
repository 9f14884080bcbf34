/** The last move of traffic, Service by Service, with its times: what the status and the metrics say of it. */
import type { SwitchStatus } from '../api/status.ts';
import { formatPreciseTime } from '../api/time.ts';
import { credentialsDue } from '../traffic/credentials.ts';
import { runsWith } from '../traffic/endpoint.ts';
import { wouldDarken } from './effects.ts';
import type { EndpointView } from './endpoint-view.ts';
import { convergence } from './endpoints.ts';
import { formatMark } from './mark.ts';
import type { Command, Roles } from './roles.ts';
import { isOn, known, refusalOf } from './services.ts';
import type { ServiceView, Snapshot } from './snapshot.ts';

type ServiceStatus = NonNullable<SwitchStatus['services']>[number];

export function switchStatus(snapshot: Snapshot, roles: Roles): SwitchStatus | undefined {
  const { command } = roles;
  if (command === undefined) return undefined;
  const { color, mark, decidedAt } = command;
  const decided = decidedAt === undefined ? undefined : formatPreciseTime(decidedAt);
  const last = snapshot.previous.switch;
  const isSame =
    last?.revision === mark.revision && last.direction === mark.direction && last.decidedAt === decided;
  const before = isSame ? last : undefined;
  if (snapshot.endpoint !== undefined)
    return endpointStatus(snapshot, snapshot.endpoint, roles, command, before);
  const services = snapshot.services.map((service) => serviceStatus(snapshot, command, service, before));
  const proving = new Set(known(snapshot, roles).map(({ name }) => name));
  const proofs = services.filter(({ name }) => proving.has(name));
  const patchedAt = before?.patchedAt ?? latest(proofs.map((service) => service.patchedAt));
  const convergedAt =
    before?.convergedAt ??
    (proofs.every(({ converged }) => converged) ? formatPreciseTime(snapshot.now) : undefined);
  return {
    direction: mark.direction,
    to: color,
    revision: mark.revision,
    ...(decided !== undefined && { decidedAt: decided }),
    ...(patchedAt !== undefined && { patchedAt }),
    ...(convergedAt !== undefined && { convergedAt }),
    services,
  };
}

function endpointStatus(
  snapshot: Snapshot,
  { name, rawMark, consumers, digests, credentials }: EndpointView,
  roles: Roles,
  { color, mark, decidedAt, revision }: Command,
  before: SwitchStatus | undefined,
): SwitchStatus {
  const { now, observations } = snapshot;
  const digest = digests[mark.revision];
  const isOrdered = rawMark === formatMark(mark);
  const due = credentialsDue(snapshot, revision, roles);
  const isPublished = isOrdered && due === undefined;
  const isDone = isPublished && consumers.every((consumer) => runsWith(consumer, digest));
  const patch = observations.patches[name];
  const patchedAt =
    before?.patchedAt ?? (isOrdered && patch?.mark === rawMark ? formatPreciseTime(patch.at) : undefined);
  const convergedAt = before?.convergedAt ?? (isDone ? formatPreciseTime(now) : undefined);
  return {
    direction: mark.direction,
    to: color,
    revision: mark.revision,
    ...(decidedAt !== undefined && { decidedAt: formatPreciseTime(decidedAt) }),
    ...(patchedAt !== undefined && { patchedAt }),
    ...(convergedAt !== undefined && { convergedAt }),
    endpoint: {
      configMap: name,
      ...(credentials !== undefined && { secret: credentials.name }),
      inSync: isPublished,
      consumers: consumers.map((consumer) => ({
        kind: consumer.kind,
        name: consumer.name,
        restarted: consumer.digest === digest,
        converged: runsWith(consumer, digest),
        message: consumer.progress,
      })),
    },
  };
}

/** undefined unless all of them are known. */
function latest(times: readonly (string | undefined)[]): string | undefined {
  const all = times.filter((time) => time !== undefined).toSorted();
  return all.length === times.length ? all.at(-1) : undefined;
}

/** Times are those of this move; what an earlier process saw stands in the status before. */
function serviceStatus(
  snapshot: Snapshot,
  { color, mark }: Command,
  service: ServiceView,
  last: SwitchStatus | undefined,
): ServiceStatus {
  const { name, rawMark, switchedAt } = service;
  const before = last?.services?.find((each) => each.name === name);
  const { converged, ready } = convergence(snapshot, service, color, 1);
  const isOrdered = rawMark === formatMark(mark);
  const patch = snapshot.observations.patches[name];
  const patchedAt =
    before?.patchedAt ?? (isOrdered && patch?.mark === rawMark ? formatPreciseTime(patch.at) : undefined);
  const convergedAt =
    before?.convergedAt ?? (isOrdered && converged ? formatPreciseTime(snapshot.now) : undefined);
  const inSync = isOn(snapshot, service, color);
  // What one process was refused may have been done by another, which does not know of it: each would write the other's
  // status away, for ever. And what is left astray is not written: a refusal is not what keeps it there.
  const message =
    inSync || wouldDarken(service, color) ? undefined : refusalOf(snapshot, service)?.message.slice(0, 256);
  return {
    name,
    inSync,
    converged,
    ready,
    ...(isOrdered && switchedAt !== undefined && { decidedAt: formatPreciseTime(switchedAt) }),
    ...(patchedAt !== undefined && { patchedAt }),
    ...(convergedAt !== undefined && { convergedAt }),
    ...(message !== undefined && { message }),
  };
}

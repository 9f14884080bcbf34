/** Ports at which pods are asked something: a pod without a name for its port is found by that of the production Service. */
import type { ReleaseSpec } from '../api/schema.ts';
import type { Problem, Snapshot } from './snapshot.ts';

const ASKED: readonly (readonly [field: string, port: (spec: ReleaseSpec) => number | undefined])[] = [
  ['spec.preparation.warmUp.port', ({ preparation }) => preparation.warmUp?.port],
  ['spec.traffic.drain.until.podMetrics.port', ({ traffic }) => traffic.drain?.until.podMetrics?.port],
];

/** No pod could be asked, and a candidate would wait for its deadline, or the old side for the end of its time. */
export function portMissing({ services, release }: Snapshot): Problem | undefined {
  const [service] = services;
  if (service === undefined) return undefined;
  for (const [field, portOf] of ASKED) {
    const port = portOf(release.spec);
    if (port === undefined || service.ports.includes(port)) continue;
    return {
      reason: 'ServicePortNotFound',
      message: `${field}: Service "${service.name}" has no port ${port} (it has ${service.ports.join(', ')}): name one that it has, or leave ${field} out for its first`,
    };
  }
  return undefined;
}

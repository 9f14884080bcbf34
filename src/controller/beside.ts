/**
 * Work that takes long runs beside the loop and comes back as an observation: a slow Prometheus delays no release.
 *
 * What is kept here is only what was measured since the last status write, and the verdict on the present input. A
 * restart loses nothing that the status does not have.
 */

import type { Measurement } from '../analysis/measurement.ts';
import type { CheckStatus, ReleaseStatus } from '../api/status.ts';
import { parseTime } from '../api/time.ts';
import { describeThrown } from '../kube/log.ts';
import { expandQuery } from '../metrics/expand.ts';
import type { Sources } from '../metrics/sources.ts';
import type { Request } from '../release/plan.ts';
import type { Observations, Preflight } from '../release/snapshot.ts';
import type { Scene } from './observe.ts';
import type { PreflightAnswer } from './preflight.ts';
import type { Aliases } from './views.ts';

/** Bounded, with a deadline for each piece of work; one at a time for each key. */
export type RunBeside = (key: string, work: (signal: AbortSignal) => Promise<void>) => void;

export interface BesideOptions {
  readonly run: RunBeside;
  readonly sources: Sources;
  readonly preflight: (scene: Scene, signal: AbortSignal) => Promise<PreflightAnswer>;
  readonly now: () => number;
  /** Something came back: the release should be looked at. */
  readonly wake: (key: string) => void;
  readonly onMeasurement: (measurement: Measurement) => void;
}

export interface Beside {
  /** What is known of a release: from its status, and from what came back since. */
  observations(key: string, uid: string, status: ReleaseStatus): Observations;
  /** What the API server of today makes of stored contents, as far as it was asked. */
  aliases(key: string): Aliases;
  request(key: string, scene: Scene, request: Request): void;
  forget(key: string): void;
}

/** More than any failureLimit asks for. */
const KEPT = 10;

interface Memory {
  readonly uid: string;
  attempt: number;
  measurements: Map<string, Measurement[]>;
  preflight: Preflight | undefined;
  aliases: Aliases;
}

export function createBeside(options: BesideOptions): Beside {
  const memories = new Map<string, Memory>();

  function memoryOf(key: string, uid: string): Memory {
    const known = memories.get(key);
    if (known?.uid === uid) return known;
    const fresh: Memory = { uid, attempt: 0, measurements: new Map(), preflight: undefined, aliases: {} };
    memories.set(key, fresh);
    return fresh;
  }

  function measure(key: string, scene: Scene, request: Extract<Request, { kind: 'Measure' }>): void {
    const { check, revision, attempt, color } = request;
    const { namespace, name, uid } = scene.release;
    const memory = memoryOf(key, uid);
    if (memory.attempt !== attempt) {
      memory.attempt = attempt;
      memory.measurements = new Map();
    }
    const variables = { color, revision, release: name, namespace };
    const { source, query, requestsQuery, max, min } = check.prometheus;
    options.run(`measure/${key}/${attempt}/${check.name}`, async (signal) => {
      const measurement = await options.sources.measure(
        {
          namespace,
          source,
          query: expandQuery(query, variables),
          requestsQuery: requestsQuery && expandQuery(requestsQuery, variables),
          minRequests: check.minRequests,
          max,
          min,
          now: options.now,
        },
        signal,
      );
      options.onMeasurement(measurement);
      if (memories.get(key) !== memory || memory.attempt !== attempt) return;
      memory.measurements.set(
        check.name,
        [...(memory.measurements.get(check.name) ?? []), measurement].slice(-KEPT),
      );
      options.wake(key);
    });
  }

  function preflight(key: string, scene: Scene, wanted: string): void {
    const memory = memoryOf(key, scene.release.uid);
    options.run(`preflight/${key}/${wanted}`, async (signal) => {
      const { aliases, ...answer } = await options.preflight(scene, signal).catch(unanswered);
      if (memories.get(key) !== memory) return;
      memory.preflight = { key: wanted, at: options.now(), ...answer };
      memory.aliases = { ...memory.aliases, ...aliases };
      options.wake(key);
    });
  }

  return {
    observations(key, uid, status) {
      const memory = memories.get(key);
      const own = memory?.uid === uid ? memory : undefined;
      return {
        measurements: mergeMeasurements(status.checks ?? [], own?.measurements),
        preflight: own?.preflight,
      };
    },
    request(key, scene, request) {
      switch (request.kind) {
        case 'Measure':
          return measure(key, scene, request);
        case 'Preflight':
          return preflight(key, scene, request.key);
        default:
          return request satisfies never;
      }
    },
    aliases: (key) => memories.get(key)?.aliases ?? {},
    forget: (key) => void memories.delete(key),
  };
}

/** A webhook that is down, a server that is busy: people wait for the answer, and want to know what keeps it. */
function unanswered(error: unknown): PreflightAnswer & { unanswered: string } {
  return { problems: [], aliases: {}, unanswered: describeThrown(error) };
}

/**
 * The status has what an earlier process measured; memory has what is too new to be in the status. Neither overrides the
 * other: two processes at once would write each other's measurements away, for ever.
 */
function mergeMeasurements(
  checks: readonly CheckStatus[],
  memory: Memory['measurements'] | undefined,
): Observations['measurements'] {
  const merged: Record<string, Measurement[]> = {};
  for (const check of checks) merged[check.name] = fromStatus(check);
  for (const [name, fresh] of memory ?? []) {
    const known = new Set(fresh.map(({ at }) => at));
    const others = (merged[name] ?? []).filter(({ at }) => !known.has(at));
    merged[name] = [...others, ...fresh].sort((a, b) => a.at - b.at).slice(-KEPT);
  }
  return merged;
}

function fromStatus(check: CheckStatus): Measurement[] {
  return (check.measurements ?? []).flatMap(({ at, verdict, reason, value, message }) => {
    const time = parseTime(at);
    if (time === undefined) return [];
    const known = { at: time, verdict, reason: reason as Measurement['reason'], message: message ?? '' };
    return [value === undefined ? known : { ...known, value: Number(value) }];
  });
}

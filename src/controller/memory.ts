/**
 * What came back from work beside the loop and is too new to stand in a status: what was measured since the last status
 * write, and the verdict on the present input. A restart loses nothing that the status does not have.
 */
import type { Measurement } from '../analysis/measurement.ts';
import type { CheckStatus, ReleaseStatus } from '../api/status.ts';
import { parseTime } from '../api/time.ts';
import type { Observations, Preflight, ScrapeSeen, WarmUpSeen } from '../release/snapshot.ts';
import type { WorkloadContent } from '../workload/content.ts';
import type { Stored } from './preflight.ts';
import type { Aliases } from './views/revision.ts';

/** More than any failureLimit asks for. */
const KEPT = 10;

/** Of one life of a release: a new object under its name begins a new one. */
export interface Memory {
  readonly uid: string;
  attempt: number;
  measurements: Map<string, Measurement[]>;
  preflight: Preflight | undefined;
  aliases: Aliases;
  stored: Stored | undefined;
  /** By pod uid; of the attempt. */
  warmUps: Map<string, WarmUpSeen>;
  /** By pod uid; of the attempt. */
  scrapes: Map<string, Scraped>;
}

/** `reading`: what was read, to be compared with the next. */
export interface Scraped extends ScrapeSeen {
  readonly reading?: string;
}

export interface Memories {
  /** Begins anew where the object is another one. */
  of(key: string, uid: string): Memory;
  /** Whether it still is what is remembered. */
  holds(key: string, memory: Memory): boolean;
  /** From the status, and from what came back since. */
  observations(key: string, uid: string, status: ReleaseStatus): Omit<Observations, 'refusals' | 'patches'>;
  aliases(key: string): Aliases;
  takeStored(key: string, fingerprint: string): WorkloadContent | undefined;
  forget(key: string): void;
}

/** The same each time: what is worked out with it stays known. */
const NONE: Aliases = {};

export function createMemories(): Memories {
  const memories = new Map<string, Memory>();
  return {
    of(key, uid) {
      const known = memories.get(key);
      if (known?.uid === uid) return known;
      const fresh: Memory = {
        uid,
        attempt: 0,
        measurements: new Map(),
        preflight: undefined,
        aliases: NONE,
        stored: undefined,
        warmUps: new Map(),
        scrapes: new Map(),
      };
      memories.set(key, fresh);
      return fresh;
    },
    holds: (key, memory) => memories.get(key) === memory,
    observations(key, uid, status) {
      const memory = memories.get(key);
      const own = memory?.uid === uid ? memory : undefined;
      return {
        measurements: mergeMeasurements(status.checks ?? [], own?.measurements),
        preflight: own?.preflight,
        warmUps: Object.fromEntries(own?.warmUps ?? []),
        scrapes: Object.fromEntries(own?.scrapes ?? []),
      };
    },
    aliases: (key) => memories.get(key)?.aliases ?? NONE,
    takeStored(key, fingerprint) {
      const memory = memories.get(key);
      if (memory?.stored?.fingerprint !== fingerprint) return undefined;
      const { content } = memory.stored;
      memory.stored = undefined;
      return content;
    },
    forget: (key) => void memories.delete(key),
  };
}

/** What is known of another attempt says nothing of this one. */
export function beginAttempt(memory: Memory, attempt: number): void {
  if (memory.attempt === attempt) return;
  memory.attempt = attempt;
  memory.measurements = new Map();
  memory.warmUps = new Map();
  memory.scrapes = new Map();
}

export function remember(memory: Memory, check: string, measurement: Measurement): void {
  const before = memory.measurements.get(check) ?? [];
  memory.measurements.set(check, [...before, measurement].slice(-KEPT));
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

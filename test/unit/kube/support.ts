import { setTimeout as realSleep } from 'node:timers/promises';
import type { Clock } from '../../../src/kube/clock.ts';
import type { Logger } from '../../../src/kube/log.ts';

/** Resolves once it holds; the test runner's own time-out ends it where it never does. */
export async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await realSleep(2);
}

/** Lets promises and sockets that are ready go on. */
export async function settle(rounds = 5): Promise<void> {
  for (let round = 0; round < rounds; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

export interface VirtualClock extends Clock {
  /** Moves time on, timer by timer in their order, and lets what they start go on in between. */
  advance(ms: number): Promise<void>;
  /** Milliseconds until each timer that waits, the next one first. */
  readonly pending: number[];
}

export function virtualClock(startMs: number = Date.UTC(2030, 0, 1)): VirtualClock {
  let elapsed = 0;
  let ids = 0;
  const timers = new Map<number, { at: number; run: () => void }>();

  function due(until: number): [number, { at: number; run: () => void }] | undefined {
    let first: [number, { at: number; run: () => void }] | undefined;
    for (const entry of timers) {
      if (entry[1].at <= until && (first === undefined || entry[1].at < first[1].at)) first = entry;
    }
    return first;
  }

  return {
    now: () => startMs + elapsed,
    monotonic: () => elapsed,
    after(ms, run) {
      ids += 1;
      const id = ids;
      timers.set(id, { at: elapsed + Math.max(0, ms), run });
      return () => timers.delete(id);
    },
    async advance(ms) {
      const until = elapsed + ms;
      await settle();
      for (let next = due(until); next !== undefined; next = due(until)) {
        elapsed = Math.max(elapsed, next[1].at);
        timers.delete(next[0]);
        next[1].run();
        await settle();
      }
      elapsed = until;
      await settle();
    },
    get pending() {
      return [...timers.values()].map((timer) => timer.at - elapsed).sort((a, b) => a - b);
    },
  };
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export function memoryLog(): Logger & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const write =
    (level: string) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      lines.push({ level, message, fields });
    };
  return { lines, debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<any> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

/**
 * Virtual time: events in the order of their time, and of their making where that is the same. Between two events
 * everything that was awaited runs to its end, so that a run is the same each time.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createHeap } from '../../src/kube/heap.ts';

export interface Timeline {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Events that were run. */
  readonly steps: number;
  /** Runs `event` once after so many milliseconds; the answer takes it back. */
  after(ms: number, event: () => void): () => void;
  /** For code that awaits. */
  sleep(ms: number): Promise<void>;
  /** Starts code that awaits, from within an event. */
  start(run: () => Promise<void>): void;
  /** Runs everything up to and including this time. `afterEach` is asked after every event; false ends the run. */
  runUntil(time: number, afterEach: () => boolean): Promise<void>;
}

interface Event {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/**
 * Everything that was awaited has run to its end: a tick comes when no promise has anything left to do. A turn of the
 * event loop would say the same, and is dearer than most events.
 */
const settled = (): Promise<void> =>
  new Promise((resolve) => queueMicrotask(() => process.nextTick(resolve)));

export function createTimeline(start: number): Timeline {
  const events = createHeap<Event>((a, b) => (a.at === b.at ? a.order < b.order : a.at < b.at));
  let now = start;
  let order = 0;
  let steps = 0;
  /** Somebody who awaits was woken: their code has to run before the next event. */
  let awaited = false;

  function after(ms: number, run: () => void): () => void {
    const event: Event = { at: now + Math.max(0, Math.round(ms)), order: order++, run };
    events.push(event);
    return () => {
      event.run = undefined;
    };
  }

  return {
    get now() {
      return now;
    },
    get steps() {
      return steps;
    },
    after,
    sleep: (ms) =>
      new Promise((resolve) => {
        after(ms, () => {
          awaited = true;
          resolve();
        });
      }),
    start(run) {
      awaited = true;
      void run();
    },
    async runUntil(time, afterEach) {
      // The process has timers and messages of its own.
      await nextTurn();
      for (let event = events.peek(); event !== undefined && event.at <= time; event = events.peek()) {
        events.pop();
        if (event.run === undefined) continue;
        now = event.at;
        steps += 1;
        event.run();
        if (awaited) await settled();
        awaited = false;
        if (!afterEach()) return;
      }
      now = Math.max(now, time);
    },
  };
}

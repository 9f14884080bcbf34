/**
 * What is to be reconciled: keys, each at most once, none of them twice at a time.
 *
 *     add ---> dirty, waiting ---get---> processing ---done---> (gone, or waiting again where it became dirty since)
 *
 * Guarantees, as client-go's util/workqueue/queue.go:
 * - fair: keys come out in the order they went in, whatever the number of adds for one of them;
 * - stingy: a key that is added many times before it is got is got once;
 * - one at a time: a key that is being processed is not given out until `done`, and then again if it was added since.
 *
 * Beyond client-go, a lane for what is urgent: it goes in front of everything that is not, also where the key was
 * already waiting; and a worker can ask for urgent work only, so that some are always free for it.
 */

import { type BackoffOptions, exponential } from './backoff.ts';
import { type Clock, systemClock } from './clock.ts';
import { createFifo } from './fifo.ts';
import { createHeap } from './heap.ts';

export interface AddOptions {
  readonly urgent?: boolean;
}

export interface WorkItem {
  readonly key: string;
  readonly urgent: boolean;
}

export interface WorkQueue {
  add(key: string, options?: AddOptions): void;
  /** After so many milliseconds; where it is already to be added later, the earlier time counts. */
  addAfter(key: string, ms: number, options?: AddOptions): void;
  /** After a delay that doubles with each call, until `forget`. */
  addRateLimited(key: string, options?: AddOptions): void;
  /** It went well: the next failure is the first. */
  forget(key: string): void;
  /** Calls of `addRateLimited` since the last `forget`. */
  failures(key: string): number;
  /** Waits for work; undefined after `stop`. */
  get(options?: { readonly urgentOnly?: boolean }): Promise<WorkItem | undefined>;
  /** Of a key that is being processed: resolves when it is added, or everything stops. */
  nextAdd(key: string): Promise<void>;
  /**
   * Whether a key that is being processed was added since; if so, whoever processes it looks at it again himself, and
   * it will not be given out for it.
   */
  absorb(key: string): { readonly urgent: boolean } | undefined;
  /** To be called for each item that `get` gave, whatever came of it. */
  done(key: string): void;
  /** Nothing is given out any more, and what waits is forgotten: a controller is level-based, and begins anew. */
  stop(): void;
  stats(): QueueStats;
}

export interface QueueStats {
  /** Keys that wait to be got: workqueue_depth. */
  readonly depth: number;
  readonly urgentDepth: number;
  /** Keys that will be added later. */
  readonly delayed: number;
  /** Sum over what is being processed: workqueue_unfinished_work_seconds. */
  readonly unfinishedSeconds: number;
  /** workqueue_longest_running_processor_seconds. */
  readonly longestSeconds: number;
}

/** What client-go's queue metrics are made of. Called synchronously: it must be quick and not throw. */
export interface QueueObserver {
  /** workqueue_adds_total: a key that was not waiting does now. */
  onAdd(): void;
  /** workqueue_queue_duration_seconds: from the add to the get. */
  onGet(waitedSeconds: number): void;
  /** workqueue_work_duration_seconds: from the get to the done. */
  onDone(workedSeconds: number): void;
  /** workqueue_retries_total: an `addAfter` or `addRateLimited`. */
  onRetry(): void;
}

export interface WorkQueueOptions {
  readonly backoff?: BackoffOptions;
  readonly observer?: QueueObserver;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** client-go's ceiling is 1000 s; a cluster that was repaired should not have to wait that long to be believed. */
const DEFAULT_BACKOFF: BackoffOptions = { baseMs: 10, maxMs: 60_000 };

interface Entry {
  readonly key: string;
  readonly addedAt: number;
  urgent: boolean;
}

interface Processing {
  readonly since: number;
  onAdd: () => void;
}

interface Delayed {
  readonly key: string;
  readonly at: number;
  readonly urgent: boolean;
}

type Waiter = (item: WorkItem | undefined) => void;

export function createWorkQueue(options: WorkQueueOptions = {}): WorkQueue {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? Math.random;
  const backoff = options.backoff ?? DEFAULT_BACKOFF;
  const { observer } = options;
  /** What must be processed: everything that waits, and of what is processed what was added since. */
  const dirty = new Map<string, Entry>();
  const processing = new Map<string, Processing>();
  /** Each entry that waits is in its lane; one that became urgent is in both, and skipped in the ordinary one. */
  const lanes = { urgent: createFifo<Entry>(), ordinary: createFifo<Entry>() };
  const depth = { urgent: 0, ordinary: 0 };
  const waiters = { urgentOnly: [] as Waiter[], any: [] as Waiter[] };
  const failures = new Map<string, number>();
  const delays = createDelays(clock, (due) => add(due.key, due));
  let stopped = false;

  function add(key: string, addOptions: AddOptions = {}): void {
    if (stopped) return;
    const urgent = addOptions.urgent === true;
    const known = dirty.get(key);
    if (known !== undefined) {
      if (urgent && !known.urgent) promote(known);
      return;
    }
    const entry: Entry = { key, urgent, addedAt: clock.monotonic() };
    dirty.set(key, entry);
    observer?.onAdd();
    const under = processing.get(key);
    if (under === undefined) enqueue(entry);
    else under.onAdd();
  }

  function addAfter(key: string, ms: number, addOptions: AddOptions = {}): void {
    if (stopped) return;
    observer?.onRetry();
    if (ms <= 0) add(key, addOptions);
    else delays.add({ key, at: clock.monotonic() + ms, urgent: addOptions.urgent === true });
  }

  function promote(entry: Entry): void {
    entry.urgent = true;
    if (processing.has(entry.key)) return;
    depth.ordinary -= 1;
    enqueue(entry);
  }

  function enqueue(entry: Entry): void {
    const lane = entry.urgent ? 'urgent' : 'ordinary';
    lanes[lane].push(entry);
    depth[lane] += 1;
    handOut();
  }

  /** Ordinary workers first, for urgent work too: the reserved ones are for when those are busy. */
  function handOut(): void {
    const waiter = waiters.any[0] ?? (depth.urgent > 0 ? waiters.urgentOnly[0] : undefined);
    if (waiter === undefined) return;
    const entry = next(waiter === waiters.any[0] ? 'any' : 'urgentOnly');
    if (entry === undefined) return;
    if (waiter === waiters.any[0]) waiters.any.shift();
    else waiters.urgentOnly.shift();
    waiter(take(entry));
  }

  function next(wanted: 'any' | 'urgentOnly'): Entry | undefined {
    if (depth.urgent > 0) return lanes.urgent.shift();
    if (wanted === 'urgentOnly' || depth.ordinary === 0) return undefined;
    let entry = lanes.ordinary.shift();
    while (entry?.urgent === true) entry = lanes.ordinary.shift();
    return entry;
  }

  function take(entry: Entry): WorkItem {
    const now = clock.monotonic();
    depth[entry.urgent ? 'urgent' : 'ordinary'] -= 1;
    dirty.delete(entry.key);
    processing.set(entry.key, { since: now, onAdd: () => undefined });
    observer?.onGet((now - entry.addedAt) / 1000);
    return { key: entry.key, urgent: entry.urgent };
  }

  return {
    add,

    addAfter,

    addRateLimited(key, addOptions) {
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      // Between a half and the whole, so that what failed together does not come back together.
      addAfter(key, exponential(backoff, count) * (0.5 + 0.5 * random()), addOptions);
    },

    forget(key) {
      failures.delete(key);
    },

    failures: (key) => failures.get(key) ?? 0,

    get(getOptions) {
      const wanted = getOptions?.urgentOnly === true ? 'urgentOnly' : 'any';
      if (stopped) return Promise.resolve(undefined);
      const entry = next(wanted);
      if (entry !== undefined) return Promise.resolve(take(entry));
      return new Promise((resolve) => waiters[wanted].push(resolve));
    },

    nextAdd(key) {
      const under = processing.get(key);
      return new Promise((resolve) => {
        if (under === undefined || stopped || dirty.has(key)) resolve();
        else under.onAdd = resolve;
      });
    },

    absorb(key) {
      const entry = processing.has(key) ? dirty.get(key) : undefined;
      if (entry !== undefined) dirty.delete(key);
      return entry;
    },

    done(key) {
      const under = processing.get(key);
      if (under === undefined) return;
      processing.delete(key);
      observer?.onDone((clock.monotonic() - under.since) / 1000);
      const entry = dirty.get(key);
      if (entry !== undefined && !stopped) enqueue(entry);
    },

    stop() {
      stopped = true;
      delays.clear();
      dirty.clear();
      depth.urgent = 0;
      depth.ordinary = 0;
      for (const { onAdd } of processing.values()) onAdd();
      for (const waiter of [...waiters.any.splice(0), ...waiters.urgentOnly.splice(0)]) waiter(undefined);
    },

    stats() {
      const now = clock.monotonic();
      const seconds = [...processing.values()].map(({ since }) => (now - since) / 1000);
      return {
        depth: depth.urgent + depth.ordinary,
        urgentDepth: depth.urgent,
        delayed: delays.size(),
        unfinishedSeconds: seconds.reduce((sum, value) => sum + value, 0),
        longestSeconds: Math.max(0, ...seconds),
      };
    },
  };
}

interface Delays {
  add(delayed: Delayed): void;
  clear(): void;
  size(): number;
}

/** One timer, for the earliest; a key that is moved forward leaves its old place in the heap, to be skipped there. */
function createDelays(clock: Clock, fire: (due: Delayed) => void): Delays {
  const heap = createHeap<Delayed>((a, b) => a.at < b.at);
  const byKey = new Map<string, Delayed>();
  let cancel: () => void = () => undefined;
  let timerAt = Number.POSITIVE_INFINITY;

  function schedule(): void {
    const at = heap.peek()?.at ?? Number.POSITIVE_INFINITY;
    if (at === timerAt) return;
    cancel();
    timerAt = at;
    if (at !== Number.POSITIVE_INFINITY) cancel = clock.after(at - clock.monotonic(), run);
  }

  function run(): void {
    timerAt = Number.POSITIVE_INFINITY;
    const now = clock.monotonic();
    for (let first = heap.peek(); first !== undefined && first.at <= now; first = heap.peek()) {
      heap.pop();
      if (byKey.get(first.key) === first) {
        byKey.delete(first.key);
        fire(first);
      }
    }
    schedule();
  }

  return {
    add(delayed) {
      const known = byKey.get(delayed.key);
      const later = known !== undefined && known.at <= delayed.at;
      if (later && (known.urgent || !delayed.urgent)) return;
      // Urgent later and ordinary sooner: urgent sooner.
      const merged = {
        ...delayed,
        at: later ? known.at : delayed.at,
        urgent: delayed.urgent || known?.urgent === true,
      };
      byKey.set(merged.key, merged);
      heap.push(merged);
      schedule();
    },
    clear() {
      cancel();
      byKey.clear();
      while (heap.pop() !== undefined);
      timerAt = Number.POSITIVE_INFINITY;
    },
    size: () => byKey.size,
  };
}

/**
 * Workers that take keys from a queue and reconcile them.
 *
 * A reconcile gets a key and nothing else: what it acts upon it reads itself, when its turn comes. It ends in one of
 * four ways, which are also the labels of controller_runtime_reconcile_total (controller-runtime's
 * pkg/internal/controller/controller.go, reconcileHandler):
 *
 *     throws                 error           again after its back-off
 *     'requeue'              requeue         again after its back-off, without being an error
 *     'requeue_after', ms    requeue_after   again then; the back-off starts anew
 *     'success'              success         again when something changes; the back-off starts anew
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Clock, systemClock } from './clock.ts';
import { describeThrown, type Logger } from './log.ts';
import type { WorkItem, WorkQueue } from './workqueue.ts';

export type ReconcileResult =
  | { readonly result: 'success' }
  | { readonly result: 'requeue'; readonly urgent?: boolean }
  | { readonly result: 'requeue_after'; readonly afterMs: number; readonly urgent?: boolean };

export interface ReconcileContext {
  /** Aborts when the process stops; every call that is made on the way should have it. */
  readonly signal: AbortSignal;
  /** Whether it came through the urgent lane, or was added to it since. */
  readonly urgent: boolean;
  /** Lets the event loop look at its sockets before the work goes on, unless this is urgent. */
  readonly pause: () => Promise<void>;
  /**
   * Waits for the end of this work, or so many milliseconds, and no longer than until the key is added. True: it was,
   * and is not given out again for that: whoever asks looks again.
   */
  readonly news: (until: Promise<unknown> | number) => Promise<boolean>;
}

export interface StuckReconcile {
  readonly key: string;
  readonly forMs: number;
}

/** What controller-runtime's metrics are made of. */
export interface LoopObserver {
  /** controller_runtime_active_workers. */
  onActive(workers: number): void;
  /** controller_runtime_reconcile_total and controller_runtime_reconcile_time_seconds. */
  onReconcile(result: 'success' | 'requeue' | 'requeue_after' | 'error', seconds: number): void;
}

export interface LoopOptions {
  readonly queue: WorkQueue;
  readonly reconcile: (key: string, context: ReconcileContext) => Promise<ReconcileResult>;
  /** Reconciles at a time. */
  readonly concurrency: number;
  /** Further workers that take urgent keys only, so that slow calls of others cannot keep them all. */
  readonly urgentConcurrency?: number;
  /** Milliseconds after which a reconcile counts as stuck. It is named, once, and not stopped: nothing can be. */
  readonly stuckAfterMs: number;
  readonly onStuck: (stuck: StuckReconcile) => void;
  readonly observer?: LoopObserver;
  readonly log: Logger;
  readonly clock?: Clock;
}

export interface Loop {
  /** Reconciles under way. */
  readonly active: number;
  /** Takes nothing more, gives what is under way `graceMs` before its signal aborts, and resolves when it has ended. */
  stop(graceMs?: number): Promise<void>;
}

const DEFAULT_URGENT_CONCURRENCY = 4;

interface Run {
  readonly key: string;
  readonly startedAt: number;
  named: boolean;
}

export function runLoop(options: LoopOptions): Loop {
  const { queue, log, observer } = options;
  const clock = options.clock ?? systemClock;
  const stopping = new AbortController();
  const runs = new Set<Run>();
  const turn = createTurnstile();
  let left = false;
  const stopWatchdog = watchForStuck(options, clock, runs);

  async function work(urgentOnly: boolean): Promise<void> {
    for (;;) {
      const item = await queue.get({ urgentOnly });
      if (item === undefined) return;
      await process(item);
    }
  }

  async function process(item: WorkItem): Promise<void> {
    const run: Run = { key: item.key, startedAt: clock.monotonic(), named: false };
    runs.add(run);
    observer?.onActive(runs.size);
    try {
      const outcome = await attempt(item);
      settle(item, outcome);
      observer?.onReconcile(outcome.result, (clock.monotonic() - run.startedAt) / 1000);
    } finally {
      runs.delete(run);
      observer?.onActive(runs.size);
      queue.done(item.key);
    }
  }

  async function attempt(item: WorkItem): Promise<ReconcileResult | { readonly result: 'error' }> {
    try {
      const context = contextOf(item);
      await context.pause();
      // What has not begun when everything stops does not begin any more.
      if (left) return { result: 'requeue' };
      return await options.reconcile(item.key, context);
    } catch (error) {
      if (!stopping.signal.aborted) {
        log.error('reconcile failed', {
          key: item.key,
          error: describeThrown(error),
          failures: queue.failures(item.key) + 1,
        });
      }
      return { result: 'error' };
    }
  }

  function contextOf({ key, ...item }: WorkItem): ReconcileContext {
    let { urgent } = item;
    const pause = async (): Promise<void> => {
      if (!urgent) await turn();
    };
    return {
      signal: stopping.signal,
      get urgent() {
        return urgent;
      },
      pause,
      async news(until) {
        let cancel = (): void => undefined;
        const end =
          typeof until === 'number'
            ? new Promise<void>((resolve) => {
                cancel = clock.after(until, resolve);
              })
            : until.catch(() => undefined);
        await Promise.race([queue.nextAdd(key), end]);
        cancel();
        const added = queue.absorb(key);
        urgent ||= added?.urgent === true;
        return added !== undefined;
      },
    };
  }

  function settle(item: WorkItem, outcome: ReconcileResult | { readonly result: 'error' }): void {
    switch (outcome.result) {
      case 'error':
        // What was urgent is no less so for having failed.
        queue.addRateLimited(item.key, { urgent: item.urgent });
        return;
      case 'requeue':
        queue.addRateLimited(item.key, { urgent: outcome.urgent ?? item.urgent });
        return;
      case 'requeue_after':
        queue.forget(item.key);
        queue.addAfter(item.key, outcome.afterMs, { urgent: outcome.urgent ?? false });
        return;
      case 'success':
        queue.forget(item.key);
        return;
      default:
        outcome satisfies never;
    }
  }

  const workers = [
    ...Array.from({ length: options.concurrency }, () => work(false)),
    ...Array.from({ length: options.urgentConcurrency ?? DEFAULT_URGENT_CONCURRENCY }, () => work(true)),
  ];

  return {
    get active() {
      return runs.size;
    },
    async stop(graceMs = 0) {
      left = true;
      queue.stop();
      const cancel = clock.after(graceMs, () => stopping.abort());
      await Promise.all(workers);
      cancel();
      stopWatchdog();
    },
  };
}

/**
 * Lets one reconcile go on in each turn of the event loop. Reconciles that find all they need in a cache, or whose
 * answers come together, would otherwise follow one another without a look at the sockets, where the event may wait that
 * makes one urgent.
 */
function createTurnstile(): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    last = last.then(() => nextTurn());
    return last;
  };
}

function watchForStuck(options: LoopOptions, clock: Clock, runs: ReadonlySet<Run>): () => void {
  let cancel: () => void = () => undefined;

  function look(): void {
    for (const run of runs) {
      const forMs = clock.monotonic() - run.startedAt;
      if (run.named || forMs < options.stuckAfterMs) continue;
      run.named = true;
      options.log.error('a reconcile is stuck', { key: run.key, seconds: Math.round(forMs / 1000) });
      tellStuck(options, { key: run.key, forMs });
    }
    cancel = clock.after(options.stuckAfterMs / 4, look);
  }

  look();
  return () => cancel();
}

/** From a timer, where nobody would catch. */
function tellStuck(options: LoopOptions, stuck: StuckReconcile): void {
  try {
    options.onStuck(stuck);
  } catch (error) {
    options.log.error('a handler failed', { key: stuck.key, error: describeThrown(error) });
  }
}

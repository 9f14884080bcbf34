/**
 * A bounded pool for long I/O: measurements, HTTP gates, data loads. A reconcile asks for a task and goes on; what
 * came of it comes back by a callback, which puts it where the next reconcile observes it.
 *
 * - One task at a time for each key: asking again while it is under way changes nothing.
 * - The deadline covers the wait for a place too, since that is what the one who asked waits for.
 * - A task that does not heed its signal keeps its place and its key until it ends; its outcome is told at the
 *   deadline all the same. Places are bounded, so that such a task cannot pile up.
 */

import { type Clock, systemClock } from './clock.ts';
import { createFifo } from './fifo.ts';
import { describeThrown, type Logger } from './log.ts';

export type TaskOutcome<R> =
  | { readonly status: 'done'; readonly value: R }
  | { readonly status: 'failed'; readonly error: unknown }
  /** `started`: whether it had a place, or was still waiting for one. */
  | { readonly status: 'timeout'; readonly started: boolean }
  | { readonly status: 'cancelled' };

export interface Task<R> {
  readonly key: string;
  readonly run: (signal: AbortSignal) => Promise<R>;
  /** Milliseconds from the asking to the outcome. */
  readonly deadlineMs: number;
  /** Called exactly once for a task that was accepted, never before `submit` has returned. */
  readonly onEnd: (outcome: TaskOutcome<R>) => void;
}

/** What became of the asking; the last three mean that nothing will be called back. */
export type Submission = 'started' | 'queued' | 'busy' | 'full' | 'stopped';

export interface Pool {
  submit<R>(task: Task<R>): Submission;
  /** Whether a task of this key waits or runs. */
  has(key: string): boolean;
  /** Ends it with 'cancelled', waiting or running. False where there is none. */
  cancel(key: string): boolean;
  readonly running: number;
  readonly queued: number;
  /** Cancels everything, and resolves when nothing runs any more. */
  stop(): Promise<void>;
}

export interface PoolOptions {
  /** Tasks that run at a time. */
  readonly size: number;
  /** Tasks that may wait. */
  readonly queueLimit: number;
  readonly log: Logger;
  readonly clock?: Clock;
}

interface Job {
  readonly key: string;
  readonly start: (signal: AbortSignal) => Promise<TaskOutcome<unknown>>;
  readonly tell: (outcome: TaskOutcome<unknown>) => void;
  readonly abort: AbortController;
  started: boolean;
  told: boolean;
  stopTimer: () => void;
}

export function createPool(options: PoolOptions): Pool {
  const clock = options.clock ?? systemClock;
  const jobs = new Map<string, Job>();
  const waiting = createFifo<Job>();
  const settled = new Set<() => void>();
  let running = 0;
  let queued = 0;
  let stopped = false;

  function end(job: Job, outcome: TaskOutcome<unknown>): void {
    if (job.told) return;
    job.told = true;
    job.stopTimer();
    if (!job.started) {
      // Its place in the queue is skipped when its turn comes.
      queued -= 1;
      jobs.delete(job.key);
    }
    // Apart, so that nobody is called back from inside `submit` or `cancel`.
    queueMicrotask(() => {
      try {
        job.tell(outcome);
      } catch (error) {
        options.log.error('a handler failed', { task: job.key, error: describeThrown(error) });
      }
    });
    job.abort.abort();
  }

  async function run(job: Job): Promise<void> {
    job.started = true;
    running += 1;
    end(job, await job.start(job.abort.signal));
    running -= 1;
    jobs.delete(job.key);
    startNext();
    if (running === 0) for (const resolve of settled) resolve();
  }

  function startNext(): void {
    while (running < options.size) {
      const job = waiting.shift();
      if (job === undefined) return;
      if (job.told) continue;
      queued -= 1;
      void run(job);
    }
  }

  return {
    submit(task) {
      if (stopped) return 'stopped';
      if (jobs.has(task.key)) return 'busy';
      const startsNow = running < options.size;
      if (!startsNow && queued >= options.queueLimit) return 'full';
      const job = createJob(task);
      job.stopTimer = clock.after(task.deadlineMs, () =>
        end(job, { status: 'timeout', started: job.started }),
      );
      jobs.set(task.key, job);
      waiting.push(job);
      queued += 1;
      startNext();
      return startsNow ? 'started' : 'queued';
    },
    has: (key) => jobs.has(key),
    cancel(key) {
      const job = jobs.get(key);
      if (job === undefined || job.told) return false;
      end(job, { status: 'cancelled' });
      return true;
    },
    get running() {
      return running;
    },
    get queued() {
      return queued;
    },
    stop() {
      stopped = true;
      for (const job of jobs.values()) end(job, { status: 'cancelled' });
      return running === 0 ? Promise.resolve() : new Promise((resolve) => settled.add(resolve));
    },
  };
}

/** The one place where the type of the result is known; from here on a job is like any other. */
function createJob<R>(task: Task<R>): Job {
  return {
    key: task.key,
    start: async (signal) => {
      try {
        return { status: 'done', value: await task.run(signal) };
      } catch (error) {
        return { status: 'failed', error };
      }
    },
    tell: (outcome) => task.onEnd(outcome as TaskOutcome<R>),
    abort: new AbortController(),
    started: false,
    told: false,
    stopTimer: () => undefined,
  };
}

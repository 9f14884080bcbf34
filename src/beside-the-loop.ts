/**
 * Where work beside the loop is done: each kind of it, the first part of its key, in a pool of its own. A measurement,
 * which may say that production is bad, waits for no metrics of pods that nobody can reach.
 */
import type { RunBeside } from './controller/beside.ts';
import type { Clock } from './kube/clock.ts';
import { describeThrown, type Logger } from './kube/log.ts';
import { createPool, type Pool } from './kube/pool.ts';

/** Of each kind at a time, and waiting. */
const POOL = { size: 64, queueLimit: 4096 };
const TASK_DEADLINE_MS = 30_000;

export interface BesideTheLoop {
  readonly run: RunBeside;
  /** Cancels everything, and resolves when nothing runs any more. */
  readonly stop: () => Promise<void>;
}

export function createBesideTheLoop(options: { readonly log: Logger; readonly clock: Clock }): BesideTheLoop {
  const { log } = options;
  const pools = new Map<string, Pool>();
  let stopped = false;

  function poolFor(key: string): Pool {
    const [kind = ''] = key.split('/', 1);
    const pool = pools.get(kind) ?? createPool({ ...POOL, ...options });
    pools.set(kind, pool);
    return pool;
  }

  return {
    run: (key, work) => {
      // The pool of a kind that comes only now would know nothing of the end.
      if (stopped) return;
      poolFor(key).submit({
        key,
        run: work,
        deadlineMs: TASK_DEADLINE_MS,
        onEnd: (outcome) => {
          if (outcome.status === 'failed')
            log.warn('work beside the loop failed', { task: key, error: describeThrown(outcome.error) });
          if (outcome.status === 'timeout') log.warn('work beside the loop took too long', { task: key });
        },
      });
    },
    stop: async () => {
      stopped = true;
      await Promise.all([...pools.values()].map((pool) => pool.stop()));
    },
  };
}

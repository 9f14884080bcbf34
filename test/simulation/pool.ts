/** Lives in worker threads: each takes the next one when it has ended its own. */
import { Worker } from 'node:worker_threads';
import type { Level } from './faults.ts';
import type { LifeResult } from './life.ts';

export interface Pool {
  live(seed: number): Promise<LifeResult>;
  end(): Promise<void>;
}

interface Waiting {
  readonly seed: number;
  readonly resolve: (life: LifeResult) => void;
  readonly reject: (error: Error) => void;
}

export function createPool(threads: number, faults: Level): Pool {
  const waiting: Waiting[] = [];
  const all = Array.from({ length: threads }, () => new Worker(new URL('worker.ts', import.meta.url)));
  const idle = [...all];
  let ended = false;

  function next(): void {
    while (idle.length > 0 && waiting.length > 0) play(idle.pop() as Worker, waiting.shift() as Waiting);
  }

  function play(worker: Worker, { seed, resolve, reject }: Waiting): void {
    const failed = (error: Error): void => {
      if (!ended) reject(error);
    };
    worker.once('error', failed);
    worker.once('message', (life: LifeResult) => {
      worker.off('error', failed);
      resolve(life);
      idle.push(worker);
      next();
    });
    worker.postMessage({ seed, faults });
  }

  return {
    live(seed) {
      const life = new Promise<LifeResult>((resolve, reject) => waiting.push({ seed, resolve, reject }));
      next();
      return life;
    },
    async end() {
      ended = true;
      await Promise.all(all.map((worker) => worker.terminate()));
    },
  };
}

/** One thread of a run: a seed comes in, a life goes out. What nobody will read stays here. */
import { parentPort } from 'node:worker_threads';
import type { Level } from './faults.ts';
import { live } from './life.ts';

parentPort?.on('message', async ({ seed, faults }: { seed: number; faults: Level }) => {
  const life = await live(seed, faults);
  parentPort?.postMessage(life.violation === undefined ? { ...life, trace: [], happened: [] } : life);
});

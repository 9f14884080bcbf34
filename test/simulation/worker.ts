/** One thread of a run: a seed comes in, a life goes out. What nobody will read stays here. */
import { parentPort } from 'node:worker_threads';
import type { Level } from './faults.ts';
import { live } from './life.ts';

// Calls are refused thousands of times in a life, and nobody reads from where: `--threads 1` tells.
Error.stackTraceLimit = 0;

async function play({ seed, faults }: { seed: number; faults: Level }): Promise<void> {
  const life = await live(seed, faults);
  parentPort?.postMessage(life.violation === undefined ? { ...life, trace: [], happened: [] } : life);
}

parentPort?.on('message', (wanted: { seed: number; faults: Level }) => void play(wanted));

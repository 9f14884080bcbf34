/** One thread of a run: a seed comes in, a life goes out. What nobody will read stays here. */
import { enableCompileCache } from 'node:module';
import { parentPort } from 'node:worker_threads';
import type { Level } from './faults.ts';

// Each thread compiles the operator for itself; most of that another one has done before.
enableCompileCache();
const { live } = await import('./life.ts');

// Calls are refused thousands of times in a life, and nobody reads from where: `--threads 1` tells.
Error.stackTraceLimit = 0;

async function play({ seed, faults }: { seed: number; faults: Level }): Promise<void> {
  const life = await live(seed, faults);
  parentPort?.postMessage(life.violation === undefined ? { ...life, trace: [], happened: [] } : life);
}

parentPort?.on('message', (wanted: { seed: number; faults: Level }) => void play(wanted));

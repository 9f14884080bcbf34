/** Many lives from one seed, until so many releases were made, or until a promise is broken where that ends it. */
import { availableParallelism } from 'node:os';
import { digestOf } from './digest.ts';
import type { Level } from './faults.ts';
import { type Counts, count } from './happenings.ts';
import type { LifeResult } from './life.ts';
import { createPool, type Pool } from './pool.ts';
import { createRandom } from './random.ts';
import { MOST_SEED } from './scenario.ts';

export interface Totals {
  lives: number;
  releases: number;
  steps: number;
  checks: number;
  writes: number;
  reconciles: number;
  /** Virtual milliseconds. */
  lasted: number;
  readonly outcomes: Counts;
  readonly faults: Counts;
  readonly pairs: Counts;
  readonly effects: Counts;
  /** Of each life: its steps for each of its releases. */
  readonly stepsPerRelease: number[];
  /** Of all lives in their order; see `LifeResult`. */
  digest: string;
}

export interface RunOptions {
  /** The lives are drawn from it. */
  readonly seed: number;
  readonly releases: number;
  readonly faults: Level;
  /** Threads; 1: everything runs in this one. */
  readonly threads?: number;
  /** Who plays them, where it is not the threads of this process. */
  readonly pool?: Pool;
  /** Plays on where a promise was broken. */
  readonly keepsGoing?: boolean;
  readonly onLife?: (totals: Totals) => void;
}

export interface RunResult {
  readonly totals: Totals;
  /** The first life in which a promise was broken; its `violation` says which, its `steps` how soon. */
  readonly broken: LifeResult | undefined;
  /** Of all lives in which one was, in their order: without what happened in them, which is long. */
  readonly violations: readonly Violation[];
}

export interface Violation {
  readonly life: number;
  readonly violation: string;
}

/** The same lives in the same order, whatever the number of threads: results are taken in the order of the seeds. */
export async function runLives({
  seed,
  releases,
  faults,
  threads = availableParallelism(),
  pool: players,
  keepsGoing = false,
  onLife,
}: RunOptions): Promise<RunResult> {
  const seeds = createRandom(seed);
  const next = () => seeds.between(1, MOST_SEED);
  const pool = players ?? (threads > 1 ? createPool(threads, faults) : await playHere(faults));
  const totals = createTotals();
  const ahead: Promise<LifeResult>[] = [];
  const violations: Violation[] = [];
  let broken: LifeResult | undefined;
  try {
    while (totals.releases < releases && (keepsGoing || broken === undefined)) {
      while (ahead.length < 4 * threads - 3) ahead.push(pool.live(next()));
      const life = await (ahead.shift() as Promise<LifeResult>);
      add(totals, life);
      onLife?.(totals);
      if (life.violation === undefined) continue;
      violations.push({ life: life.seed, violation: life.violation });
      broken ??= life;
    }
    return { totals, broken, violations };
  } finally {
    await pool.end();
  }
}

/** Whoever leaves it to other threads need not load what is played. */
async function playHere(faults: Level): Promise<Pool> {
  const { live } = await import('./life.ts');
  return { live: (seed) => live(seed, faults), end: () => Promise.resolve() };
}

function createTotals(): Totals {
  return {
    lives: 0,
    releases: 0,
    steps: 0,
    checks: 0,
    writes: 0,
    reconciles: 0,
    lasted: 0,
    outcomes: new Map(),
    faults: new Map(),
    pairs: new Map(),
    effects: new Map(),
    stepsPerRelease: [],
    digest: '',
  };
}

function add(totals: Totals, life: LifeResult): void {
  totals.lives += 1;
  for (const key of ['releases', 'steps', 'checks', 'writes', 'reconciles', 'lasted'] as const)
    totals[key] += life[key];
  for (const key of ['outcomes', 'faults', 'pairs', 'effects'] as const)
    for (const [name, times] of life[key]) count(totals[key], name, times);
  totals.digest = digestOf([totals.digest, life.digest]);
  if (life.releases > 0) totals.stepsPerRelease.push(life.steps / life.releases);
}

/** The end of what happened, as people read it. */
export function story({ seed, violation, trace }: LifeResult, lines = 60): string {
  return [...trace.slice(-lines), '', `life ${seed}: ${violation ?? 'every promise was kept'}`].join('\n');
}

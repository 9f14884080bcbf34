/** Many lives, one after the other, until so many releases were made or a promise was broken. */
import { type Counts, count, type Level } from './faults.ts';
import { type LifeResult, live } from './life.ts';
import { createRandom } from './random.ts';

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
  readonly effects: Counts;
}

export interface RunOptions {
  readonly seed: number;
  readonly releases: number;
  readonly level: Level;
  readonly onLife?: (life: LifeResult, totals: Totals) => void;
}

export interface RunResult {
  readonly totals: Totals;
  /** The life in which a promise was broken. */
  readonly broken: LifeResult | undefined;
}

export async function run({ seed, releases, level, onLife }: RunOptions): Promise<RunResult> {
  const seeds = createRandom(seed);
  const totals = createTotals();
  while (totals.releases < releases) {
    const life = await live(seeds.between(1, 0x7fff_ffff), level);
    add(totals, life);
    onLife?.(life, totals);
    if (life.violation !== undefined) return { totals, broken: life };
  }
  return { totals, broken: undefined };
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
    effects: new Map(),
  };
}

function add(totals: Totals, life: LifeResult): void {
  totals.lives += 1;
  for (const key of ['releases', 'steps', 'checks', 'writes', 'reconciles', 'lasted'] as const)
    totals[key] += life[key];
  for (const key of ['outcomes', 'faults', 'effects'] as const)
    for (const [name, times] of life[key]) count(totals[key], name, times);
}

/** The end of what happened, as people read it. */
export function story({ seed, violation, trace }: LifeResult, lines = 60): string {
  return [...trace.slice(-lines), '', `life ${seed}: ${violation ?? 'every promise was kept'}`].join('\n');
}

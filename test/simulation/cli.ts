/**
 * npm run simulate -- [--seed S] [--releases N] [--faults mild|harsh|hostile] [--life SEED] [--threads N] [--trace FILE]
 *                     [--json FILE]
 *
 * Releases in a model cluster with virtual time, and everything that can go wrong, from one seed. It stops at the first
 * promise that is broken, and tells the shortest life that still breaks it; `--life` plays one life again.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { type Coverage, coverageOf, percent } from './coverage.ts';
import { LEVELS, type Level } from './faults.ts';
import type { Counts } from './happenings.ts';
import type { LifeResult } from './life.ts';
import { runLives, story, type Totals } from './run.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    releases: { type: 'string', default: '1000' },
    faults: { type: 'string', default: 'harsh' },
    life: { type: 'string' },
    threads: { type: 'string' },
    trace: { type: 'string' },
    json: { type: 'string' },
  },
});

/** A run that is shorter says nothing about how rare something is. */
const ENOUGH_FOR_COVERAGE = 5000;

const level = LEVELS.find((each) => each === values.faults);
if (level === undefined) throw new Error(`--faults must be ${LEVELS.join(', ')}`);
process.exitCode = values.life === undefined ? await many(level) : await one(Number(values.life), level);

async function one(seed: number, faults: Level): Promise<number> {
  const { live } = await import('./life.ts');
  const life = await live(seed, faults);
  await tell(life, faults);
  await write({ faults, life: seed, violation: life.violation, steps: life.steps });
  return life.violation === undefined ? 0 : 1;
}

async function many(faults: Level): Promise<number> {
  const seed = values.seed === undefined ? Math.floor(Math.random() * 0x7fff_ffff) : Number(values.seed);
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1000;
  console.log(`seed ${seed}, ${values.releases} releases, ${faults} faults`);
  let told = 0;
  const { totals, broken } = await runLives({
    seed,
    releases: Number(values.releases),
    faults,
    ...(values.threads !== undefined && { threads: Number(values.threads) }),
    onLife(now) {
      if (elapsed() - told < 10) return;
      told = elapsed();
      console.log(`${now.releases} releases in ${now.lives} lives after ${Math.round(told)} s`);
    },
  });
  const seconds = elapsed();
  const coverage = coverageOf(totals);
  report(totals, coverage, seconds);
  await write({
    seed,
    level: faults,
    ...totals,
    stepsPerRelease: undefined,
    days: Math.round(totals.lasted / 86_400_000),
    seconds: Math.round(seconds * 10) / 10,
    releasesPerSecond: perSecond(totals, seconds),
    coverage,
    life: broken?.seed,
    violation: broken?.violation,
  });
  if (broken !== undefined) {
    await tell(broken, faults);
    return 1;
  }
  if (totals.releases < ENOUGH_FOR_COVERAGE || coverage.gaps.length === 0) return 0;
  console.log(`too little was seen: ${coverage.gaps.join('; ')}`);
  return 1;
}

function perSecond({ releases }: Totals, seconds: number): number {
  return Math.round((releases / seconds) * 10) / 10;
}

function report(totals: Totals, coverage: Coverage, seconds: number): void {
  const { lives, releases, steps, checks, writes, reconciles, lasted, digest } = totals;
  const { committed, rolledBack, medianSteps, rarest } = coverage;
  console.log(
    `${releases} releases in ${lives} lives, ${Math.round(lasted / 86_400_000)} simulated days, ${steps} steps, ${checks} checks, ${reconciles} reconciles, ${writes} writes; ${seconds.toFixed(1)} s, ${perSecond(totals, seconds)} releases a second; digest ${digest}`,
  );
  for (const part of ['outcomes', 'faults', 'effects'] as const)
    console.log(`${part}: ${sorted(totals[part]).join(', ')}`);
  console.log(
    `seen: ${percent(committed)} committed, ${percent(rolledBack)} rolled back after a switch, ${medianSteps} steps a release in the median; the rarest pair of a phase and a fault is ${rarest.pair}, ${rarest.times} times`,
  );
}

function sorted(counts: Counts): string[] {
  return [...counts].toSorted(([, a], [, b]) => b - a).map(([name, times]) => `${name} ${times}`);
}

async function tell(life: LifeResult, faults: Level): Promise<void> {
  if (life.violation === undefined) return print(life);
  console.log(`life ${life.seed}: ${life.violation}`);
  console.log(`again: npm run simulate -- --life ${life.seed} --faults ${faults}`);
  const { shrink } = await import('./shrink.ts');
  const shrunk = await shrink(life, faults);
  const left = shrunk.life.happened;
  console.log(
    `${shrunk.tried} lives were tried: of ${life.happened.length} things that happened in it, ${left.length} are enough: ${left.join(', ')}`,
  );
  await print(shrunk.life);
}

async function print(life: LifeResult): Promise<void> {
  if (values.trace !== undefined) await writeFile(values.trace, `${story(life, Number.POSITIVE_INFINITY)}\n`);
  console.log(story(life));
}

async function write(result: object): Promise<void> {
  if (values.json === undefined) return;
  const plain = (_: string, value: unknown) => (value instanceof Map ? Object.fromEntries(value) : value);
  await writeFile(values.json, `${JSON.stringify(result, plain, 2)}\n`);
}

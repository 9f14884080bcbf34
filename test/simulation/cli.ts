/** `npm run simulate`: see the usage. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { commandLine, oneOf, whole } from '../support/command-line.ts';
import { type Coverage, coverageOf, percent } from './coverage.ts';
import { LEVELS, type Level } from './faults.ts';
import type { Counts } from './happenings.ts';
import type { LifeResult } from './life.ts';
import { runLives, story, type Totals, type Violation } from './run.ts';
import { MOST_SEED } from './scenario.ts';

const USAGE = `Releases in a model cluster with virtual time, and everything that can go wrong, from one seed. It stops at the first
promise that is broken, and tells the shortest life that still breaks it; or it goes on, and lists the lives.

  npm run simulate -- [--seed N] [--releases N] [--faults LEVEL] [--threads N] [--keep-going] [--trace FILE] [--json FILE]
  npm run simulate -- --life N [--faults LEVEL] [--trace FILE] [--json FILE]

  --seed N           the lives are drawn from it (default: another one each time)
  --releases N       goes on until so many were made (default 1000)
  --faults LEVEL     ${LEVELS.join(', ')} (default harsh)
  --threads N        lives that are played side by side (default: as many as there are processors)
  --keep-going       plays on where a promise is broken, and lists those lives in the end
  --life N           plays the one life of this seed
  --trace FILE       writes there all that happened in the life that broke a promise, or in that of --life
  --json FILE        writes the result there
`;

const FLAGS = {
  seed: { type: 'string' },
  releases: { type: 'string', default: '1000' },
  faults: { type: 'string', default: 'harsh' },
  life: { type: 'string' },
  threads: { type: 'string' },
  'keep-going': { type: 'boolean', default: false },
  trace: { type: 'string' },
  json: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

const options = commandLine(USAGE, (args) => {
  const { values } = parseArgs({ args: [...args], options: FLAGS });
  if (values.help) return undefined;
  const seedOf = (flag: 'seed' | 'life'): number | undefined =>
    values[flag] === undefined ? undefined : whole(flag, values[flag], 0, MOST_SEED);
  return {
    seed: seedOf('seed') ?? Math.floor(Math.random() * 0x7fff_ffff),
    releases: whole('releases', values.releases, 1, 999_999_999),
    faults: oneOf('faults', values.faults, LEVELS),
    life: seedOf('life'),
    ...(values.threads !== undefined && { threads: whole('threads', values.threads) }),
    keepsGoing: values['keep-going'],
    trace: values.trace,
    json: values.json,
  };
});

/** A run that is shorter says nothing about how rare something is. */
const ENOUGH_FOR_COVERAGE = 5000;

process.exitCode =
  options.life === undefined ? await many(options.faults) : await one(options.life, options.faults);

async function one(seed: number, faults: Level): Promise<number> {
  const { live } = await import('./life.ts');
  const life = await live(seed, faults);
  await tell(life, faults);
  await write({ faults, life: seed, violation: life.violation, steps: life.steps });
  return life.violation === undefined ? 0 : 1;
}

async function many(faults: Level): Promise<number> {
  const { seed, releases, threads, keepsGoing } = options;
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1000;
  console.log(`seed ${seed}, ${releases} releases, ${faults} faults`);
  let told = 0;
  const { totals, broken, violations } = await runLives({
    seed,
    releases,
    faults,
    keepsGoing,
    ...(threads !== undefined && { threads }),
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
    violations,
  });
  if (keepsGoing) list(violations, totals);
  else if (broken !== undefined) await tell(broken, faults);
  if (broken !== undefined) return 1;
  if (totals.releases < ENOUGH_FOR_COVERAGE || coverage.gaps.length === 0) return 0;
  console.log(`too little was seen: ${coverage.gaps.join('; ')}`);
  return 1;
}

function list(violations: readonly Violation[], { lives }: Totals): void {
  console.log(`${violations.length} of ${lives} lives broke a promise`);
  for (const { life, violation } of violations) console.log(`life ${life}: ${violation}`);
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
  if (options.trace !== undefined)
    await writeFile(options.trace, `${story(life, Number.POSITIVE_INFINITY)}\n`);
  console.log(story(life));
}

async function write(result: object): Promise<void> {
  if (options.json === undefined) return;
  const plain = (_: string, value: unknown) => (value instanceof Map ? Object.fromEntries(value) : value);
  await writeFile(options.json, `${JSON.stringify(result, plain, 2)}\n`);
}

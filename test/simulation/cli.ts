/**
 * npm run simulate -- [--seed S] [--releases N] [--faults mild|harsh|hostile] [--life SEED] [--trace FILE]
 *
 * Releases in a model cluster with virtual time, and everything that can go wrong, from one seed. It stops at the first
 * promise that is broken; `--life` plays that one life again.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { LEVELS, type Level } from './faults.ts';
import { type LifeResult, live } from './life.ts';
import { run, story, type Totals } from './run.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    releases: { type: 'string', default: '1000' },
    faults: { type: 'string', default: 'harsh' },
    life: { type: 'string' },
    trace: { type: 'string' },
  },
});

const level = LEVELS.find((each) => each === values.faults);
if (level === undefined) throw new Error(`--faults must be ${LEVELS.join(', ')}`);
process.exitCode = values.life === undefined ? await many(level) : await one(Number(values.life), level);

async function one(seed: number, faults: Level): Promise<number> {
  const life = await live(seed, faults);
  await tell(life);
  return life.violation === undefined ? 0 : 1;
}

async function many(faults: Level): Promise<number> {
  const seed = values.seed === undefined ? Math.floor(Math.random() * 0x7fff_ffff) : Number(values.seed);
  const began = performance.now();
  console.log(`seed ${seed}, ${values.releases} releases, ${faults} faults`);
  let told = began;
  const { totals, broken } = await run({
    seed,
    releases: Number(values.releases),
    level: faults,
    onLife: (_, now) => {
      if (performance.now() - told < 10_000) return;
      told = performance.now();
      console.log(`${now.releases} releases, ${now.lives} lives`);
    },
  });
  report(totals, (performance.now() - began) / 1000);
  if (broken === undefined) return 0;
  await tell(broken);
  console.log(`again: npm run simulate -- --life ${broken.seed} --faults ${faults}`);
  return 1;
}

function report(totals: Totals, seconds: number): void {
  const { lives, releases, steps, checks, writes, reconciles, lasted } = totals;
  const perSecond = Math.round(releases / seconds);
  console.log(
    `${releases} releases in ${lives} lives, ${Math.round(lasted / 86_400_000)} simulated days, ${steps} steps, ${checks} checks, ${reconciles} reconciles, ${writes} writes; ${seconds.toFixed(1)} s, ${perSecond} releases a second`,
  );
  for (const part of ['outcomes', 'faults', 'effects'] as const)
    console.log(`${part}: ${[...totals[part]].map(([name, times]) => `${name} ${times}`).join(', ')}`);
}

async function tell(life: LifeResult): Promise<void> {
  if (values.trace !== undefined) await writeFile(values.trace, `${story(life, Number.POSITIVE_INFINITY)}\n`);
  console.log(story(life));
}

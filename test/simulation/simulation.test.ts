import { expect } from 'chai';
import type { Level } from './faults.ts';
import { live } from './life.ts';
import { runLives, story } from './run.ts';

/** Seeds of lives in which a promise was broken once. */
const FAILED_ONCE: readonly (readonly [number, Level, string])[] = [
  [198, 'mild', 'two processes at once: the mark of a switch was seen before its proof, and undone'],
  [39, 'mild', 'production was scaled to 0 with an autoscaler, and nobody brought it back'],
  [1029, 'harsh', 'two processes at once wrote each other’s measurements away, for ever'],
  [1047, 'harsh', 'two processes at once began two revisions under one attempt'],
  [1061, 'harsh', 'a version that had died was tried again and again'],
];

const RELEASES = Number(process.env.SIMULATED_RELEASES ?? 60);

/**
 * Known seeds, so that a change that breaks a promise is told from a life that nobody has seen before. Fresh ones are for
 * `npm run simulate`, and for SIMULATION_SEED.
 */
const SEEDS: Readonly<Record<'mild' | 'harsh', number>> = { mild: 11, harsh: 22 };

describe('a release in a model cluster', function () {
  this.timeout(600_000);

  for (const level of ['mild', 'harsh'] as const) {
    it(`keeps every promise through ${RELEASES} releases with ${level} faults`, async () => {
      const seed = Number(process.env.SIMULATION_SEED ?? SEEDS[level]);
      console.log(`      npm run simulate -- --seed ${seed} --releases ${RELEASES} --faults ${level}`);
      const { broken } = await runLives({ seed, releases: RELEASES, faults: level, threads: 1 });
      expect(broken === undefined ? '' : story(broken)).to.equal('');
    });
  }

  for (const [seed, level, what] of FAILED_ONCE) {
    it(`does not fail again: ${what}`, async () => {
      const life = await live(seed, level);
      expect(life.violation, story(life)).to.equal(undefined);
    });
  }

  it('the same seed is the same life, to the letter', async () => {
    const [first, second] = [await live(7, 'harsh'), await live(7, 'harsh')];
    expect(second).to.deep.equal(first);
    expect(first.trace.length).to.be.greaterThan(20);
  });
});

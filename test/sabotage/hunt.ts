/**
 * Plays lives in the simulator, more and more of them and under worse and worse faults, until a promise is broken or the
 * bound is reached. Runs inside a copy of the sources, and says in one line of JSON what came of it.
 */
import type { Level } from '../simulation/faults.ts';
import { live } from '../simulation/life.ts';

/** What of it the simulator found. */
export interface Catch {
  /** The promise that was broken, in the simulator's words; undefined: it found nothing. */
  readonly caughtBy: string | undefined;
  /** Lives that break a promise without sabotage. */
  readonly broken: readonly string[];
  readonly level: Level;
  readonly seed: number;
  readonly lives: number;
  readonly releases: number;
  readonly steps: number;
  readonly seconds: number;
}

/** Mild ones first: the less happens, the less patience a promise needs. */
const ROUNDS: readonly { readonly level: Level; readonly lives: number }[] = [
  { level: 'mild', lives: 10 },
  { level: 'harsh', lives: 10 },
  { level: 'mild', lives: 40 },
  { level: 'harsh', lives: 40 },
  { level: 'hostile', lives: 10 },
  { level: 'mild', lives: 150 },
  { level: 'harsh', lives: 150 },
  { level: 'hostile', lives: 40 },
];

/** `control`: the lives in which it finds something without any sabotage, as `harsh 16`; undefined: this finds them. */
async function hunt(factor: number, control: readonly string[] | undefined): Promise<Catch> {
  const began = performance.now();
  const total = { lives: 0, releases: 0, steps: 0 };
  const broken: string[] = [];
  let seed = 0;
  let level: Level = 'mild';
  for (const round of ROUNDS) {
    level = round.level;
    for (let each = 0; each < round.lives * factor; each++) {
      seed += 1;
      if (control?.includes(`${level} ${seed}`)) continue;
      const { violation, releases, steps } = await live(seed, level);
      total.lives += 1;
      total.releases += releases;
      total.steps += steps;
      if (violation === undefined) continue;
      if (control !== undefined) return found(violation);
      broken.push(`${level} ${seed}`);
      console.error(`${level} ${seed}: ${violation}`);
    }
  }
  return found(undefined);

  function found(caughtBy: string | undefined): Catch {
    return { caughtBy, broken, level, seed, ...total, seconds: (performance.now() - began) / 1000 };
  }
}

if (import.meta.main) {
  const [factor = '1', control] = process.argv.slice(2);
  console.log(JSON.stringify(await hunt(Number(factor), control?.split(',').filter(Boolean))));
}

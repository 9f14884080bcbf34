/**
 * Plays lives in the simulator, of the kinds that it is told and then of all kinds, until a promise is broken or the bound
 * is reached. Runs inside a copy of the sources, and says in one line of JSON what came of it.
 */
import type { Level } from '../simulation/faults.ts';
import type { Focus } from '../simulation/focus.ts';
import { live } from '../simulation/life.ts';

/** One life, as it can be played again. */
export interface LifeName {
  readonly level: Level;
  readonly seed: number;
  /** What comes more often in it, by its name in the table of kinds. */
  readonly kind: string | undefined;
}

export interface Kind {
  readonly name: string;
  readonly level: Level;
  readonly focus: Focus;
}

export interface Task {
  readonly kinds: readonly Kind[];
  /** So many times as many lives as usual. */
  readonly factor: number;
  /** Lives that prove nothing: they break a promise without any sabotage. */
  readonly skipped: readonly LifeName[];
  /** Plays this one alone. */
  readonly only?: LifeName;
}

/** What of it the simulator found. */
export interface Catch extends LifeName {
  /** The promise that was broken, in the simulator's words; undefined: it found nothing. */
  readonly caughtBy: string | undefined;
  readonly lives: number;
  readonly releases: number;
  /** Until it was caught. */
  readonly steps: number;
  readonly seconds: number;
}

/** Of each kind that is named, in turns. */
const DIRECTED = 30;

/** Then all that there is. Mild ones first: the less happens, the less patience a promise needs. */
const ROUNDS: readonly { readonly level: Level; readonly lives: number }[] = [
  { level: 'mild', lives: 10 },
  { level: 'harsh', lives: 10 },
  { level: 'hostile', lives: 10 },
  { level: 'mild', lives: 30 },
  { level: 'harsh', lives: 30 },
  { level: 'hostile', lives: 20 },
];

function* lifeNames({ kinds, factor, only }: Task): Generator<LifeName> {
  if (only !== undefined) return yield only;
  for (let seed = 1; seed <= DIRECTED * factor; seed++)
    for (const { name, level } of kinds) yield { level, seed, kind: name };
  let seed = 0;
  for (const { level, lives } of ROUNDS)
    for (let each = 0; each < lives * factor; each++) yield { level, seed: ++seed, kind: undefined };
}

async function hunt(task: Task): Promise<Catch> {
  const began = performance.now();
  const total = { lives: 0, releases: 0, steps: 0 };
  let last: LifeName = { level: 'mild', seed: 0, kind: undefined };
  for (const name of lifeNames(task)) {
    if (task.skipped.some((each) => isSame(each, name))) continue;
    last = name;
    const { level, seed, kind } = name;
    const focus = task.kinds.find((each) => each.name === kind)?.focus;
    const { violation, releases, steps } = await live(seed, level, undefined, focus);
    total.lives += 1;
    total.releases += releases;
    total.steps += steps;
    if (violation !== undefined) return found(violation);
  }
  return found(undefined);

  function found(caughtBy: string | undefined): Catch {
    return { ...last, caughtBy, ...total, seconds: (performance.now() - began) / 1000 };
  }
}

function isSame(a: LifeName, b: LifeName): boolean {
  return a.level === b.level && a.seed === b.seed && a.kind === b.kind;
}

if (import.meta.main) console.log(JSON.stringify(await hunt(JSON.parse(process.argv[2] ?? ''))));

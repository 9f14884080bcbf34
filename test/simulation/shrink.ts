/**
 * The shortest life that still breaks the promise: what went wrong and what people did is left out, first much of it
 * at once and then one by one (delta debugging), as long as the same promise is broken.
 */
import type { Level } from './faults.ts';
import { type LifeResult, live } from './life.ts';

export interface Shrunk {
  readonly life: LifeResult;
  /** What has to be left out to see it. */
  readonly without: readonly string[];
  /** Lives that were played to find it. */
  readonly tried: number;
}

export async function shrink(broken: LifeResult, level: Level, most = 400): Promise<Shrunk> {
  const wanted = kindOf(broken.violation);
  let best = broken;
  let without: readonly string[] = [];
  let tried = 0;

  /** Leaves these out as well, if the promise is broken all the same. */
  async function leaveOut(these: readonly string[]): Promise<boolean> {
    tried += 1;
    const all = [...without, ...these];
    const life = await live(broken.seed, level, new Set(all));
    if (kindOf(life.violation) !== wanted) return false;
    best = life;
    without = all;
    return true;
  }

  for (let size = Math.ceil(best.happened.length / 2); size >= 1 && tried < most; ) {
    let less = false;
    // From the end: what came last is most often what a violation needs least.
    for (let from = best.happened.length - size; from > -size && tried < most; from -= size) {
      const these = best.happened.slice(Math.max(0, from), from + size);
      if (these.length > 0 && (await leaveOut(these))) less = true;
    }
    if (!less || size > 1) size = size === 1 ? 0 : Math.ceil(size / 2);
  }
  return { life: best, without, tried };
}

/** The promise, whatever the numbers and colours are. */
function kindOf(violation: string | undefined): string | undefined {
  return violation?.replaceAll(/\d+/g, '#').replaceAll(/blue|green/g, 'a colour');
}

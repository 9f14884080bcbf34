/** What the controllers of the model share: they hear of changes late, and look at the whole object again. */
import type { Random } from '../random.ts';
import type { Timeline } from '../timeline.ts';
import type { Api } from './api.ts';

/** How slow things are, milliseconds: the most that one step takes. */
export interface Pace {
  controllers: number;
  endpoints: number;
}

export interface Surroundings {
  readonly api: Api;
  readonly timeline: Timeline;
  readonly random: Random;
  readonly pace: Pace;
}

/** Syncs a key soon; a key that waits already is not added again. */
export function createSoon(
  { timeline, random }: Surroundings,
  most: () => number,
  sync: (key: string) => void,
): (key: string) => void {
  const waiting = new Set<string>();
  return (key) => {
    if (waiting.has(key)) return;
    waiting.add(key);
    timeline.after(random.between(1, Math.max(1, most())), () => {
      waiting.delete(key);
      sync(key);
    });
  };
}

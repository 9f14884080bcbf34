/**
 * Moments in which something happens. What comes soon after a change of the phase comes at the worst moment. And in half
 * of all lives more comes in the phases that are short or seldom, so that each fault is seen in each of them
 * (`coverage.ts`): a life with such moments is that of the seed `MANY_MOMENTS` below, with more in it.
 */
import type { Faults } from './faults.ts';
import type { Mishaps } from './mishaps.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';
import type { Users } from './users.ts';

export const MANY_MOMENTS = 2 ** 32;

export const hasManyMoments = (seed: number): boolean => seed >= MANY_MOMENTS;

/** Mishaps on average, each time that a release comes to the phase. */
const MORE: Readonly<Record<string, number>> = {
  Deleting: 3,
  Suspended: 3,
  RollingBack: 1.5,
  Held: 0.8,
  Stalled: 0.5,
  Switching: 0.3,
};

/** Milliseconds after the change of the phase. */
const SOON_MS = 4000;

interface Cast {
  readonly timeline: Timeline;
  readonly users: Users;
  readonly mishaps: Mishaps;
  readonly faults: Faults;
}

export function worsen({ timeline, users, mishaps, faults }: Cast, random: Random): void {
  if (!random.chance(faults.worst)) return;
  const meddles = random.chance(0.4);
  timeline.after(random.between(0, SOON_MS), () => (meddles ? users.meddle(random) : mishaps.happen(random)));
}

export function worsenMore({ timeline, mishaps }: Cast, random: Random, phase: string): void {
  for (let left = MORE[phase] ?? 0; left > 0; left -= 1) {
    if (!random.chance(left)) continue;
    const own = random.fork();
    timeline.after(own.between(0, SOON_MS), () => mishaps.happen(own));
  }
}

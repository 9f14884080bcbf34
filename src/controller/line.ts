/**
 * A line that people stand in: so many are served at a time, in the order in which they came. Who is in a hurry leaves
 * it, and is served beside the others.
 */
import { createFifo } from '../kube/fifo.ts';

/** Serves one more: `work` runs when its turn comes or `hurry` resolves, and what it gives or throws is the answer. */
export type Line = <T>(work: () => Promise<T>, hurry: Promise<void>) => Promise<T>;

export function createLine(places: number): Line {
  /** Each says whether it takes the place: it does not where it has left. */
  const waiting = createFifo<() => boolean>();
  let free = places;

  /** False: it left before it was served. */
  function place(hurry: Promise<void>): Promise<boolean> {
    return new Promise((resolve) => {
      let waits = true;
      const end = (served: boolean): boolean => {
        const takes = waits;
        waits = false;
        resolve(served);
        return takes;
      };
      waiting.push(() => end(true));
      void hurry.then(() => end(false));
    });
  }

  /** Whoever is next takes the place over, or somebody who comes just now would be before them. */
  function leave(): void {
    let next = waiting.shift();
    while (next !== undefined && !next()) next = waiting.shift();
    if (next === undefined) free++;
  }

  return async (work, hurry) => {
    let placed = true;
    if (free > 0) free--;
    else placed = await place(hurry);
    try {
      return await work();
    } finally {
      if (placed) leave();
    }
  };
}

/** A line that people stand in: so many are served at a time, in the order in which they came. */
import { createFifo } from '../kube/fifo.ts';

/** Serves one more: `work` runs when its turn comes, and what it gives or throws is the answer. */
export type Line = <T>(work: () => Promise<T>) => Promise<T>;

export function createLine(places: number): Line {
  const waiting = createFifo<() => void>();
  let free = places;
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((served) => waiting.push(served));
    try {
      return await work();
    } finally {
      // Whoever is next takes the place over, or somebody who comes just now would be before them.
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}

/**
 * What goes wrong in a life, and what people do in it. Everything of that kind asks here first: so it is counted, by the
 * phase in which it came; and a life can be played again without some of it, to find out what mattered.
 */

/** How often, by name. */
export type Counts = Map<string, number>;

export function count(counts: Counts, name: string, by = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}

export interface Happenings {
  readonly counts: Counts;
  /** By phase of the release and name, as `Switching/call failed`. */
  readonly pairs: Counts;
  /** In order, as `call failed#7`: the seventh failed call of this life. */
  readonly told: readonly string[];
  /** This is about to happen. False: it is left out. */
  happens(name: string): boolean;
}

/** `phase`: that of the release now; undefined while there is none. */
export function createHappenings(
  phase: () => string | undefined,
  without: ReadonlySet<string> = new Set(),
): Happenings {
  const times: Counts = new Map();
  const counts: Counts = new Map();
  const pairs: Counts = new Map();
  const told: string[] = [];
  return {
    counts,
    pairs,
    told,
    happens(name) {
      count(times, name);
      const which = `${name}#${times.get(name)}`;
      if (without.has(which)) return false;
      told.push(which);
      count(counts, name);
      const now = phase();
      if (now !== undefined) count(pairs, `${now}/${name}`);
      return true;
    },
  };
}

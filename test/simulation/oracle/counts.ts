/**
 * How many ready endpoints each Service had in the last moments: what an operator may believe. The source has no Service of
 * its own: its pods are counted by their `pod-template-hash`.
 */

interface Count {
  /** Since when. */
  readonly at: number;
  readonly ready: number;
}

export interface ReadyCounts {
  note(service: string, now: number, ready: number): void;
  /** Since this time. */
  range(service: string, since: number): { most: number; fewest: number };
}

/** More than any staleness, milliseconds. */
const KEPT_MS = 120_000;

export function createReadyCounts(): ReadyCounts {
  const histories = new Map<string, Count[]>();

  return {
    note(service, now, ready) {
      const history = histories.get(service) ?? [];
      histories.set(service, history);
      if (history.at(-1)?.ready === ready) return;
      history.push({ at: now, ready });
      while ((history[1]?.at ?? now) < now - KEPT_MS) history.shift();
    },
    range(service, since) {
      const history = histories.get(service) ?? [];
      const seen = history.filter((_, index) => (history[index + 1]?.at ?? Number.POSITIVE_INFINITY) > since);
      const counts = seen.map(({ ready }) => ready);
      return { most: Math.max(0, ...counts), fewest: counts.length === 0 ? 0 : Math.min(...counts) };
    },
  };
}

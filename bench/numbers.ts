/** The value that this share of all values does not exceed (nearest rank): what was measured, never in between. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);

/** Milliseconds since the epoch, with the fraction that Date.now does not give. */
export const wallClock = (): number => performance.timeOrigin + performance.now();

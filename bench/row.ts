/** One number that was measured, with the bar that it is held to. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** In words, such as `at most 14`; absent for what is shown for comparison only. */
  readonly bar?: string;
  /** Absent where there is no bar. */
  readonly ok?: boolean;
}

/** Rounded to what can be read: three significant digits, whole numbers as they are. */
export function rounded(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(3));
}

export const plain = (name: string, value: number, unit: string): Row => ({
  name,
  value: rounded(value),
  unit,
});

export const atMost = (name: string, value: number, unit: string, limit: number): Row => ({
  ...plain(name, value, unit),
  bar: `at most ${limit}`,
  ok: value <= limit,
});

export const below = (name: string, value: number, unit: string, limit: number): Row => ({
  ...plain(name, value, unit),
  bar: `under ${rounded(limit)}`,
  ok: value < limit,
});

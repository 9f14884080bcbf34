/** What counts as failed: the demo's verdict on the requests. */
import { answersOf, type Counts, settledOf } from './load/tally.ts';

/** It answers every fifth request with an error, on purpose. */
export const BAD_VERSION = 'v3';
export const BAD_ERROR_RATE = 0.2;

/** The four ways to fail. An answer but 2xx is a wrong one, unless it is the bad version's own 5xx. */
export interface Failures {
  readonly connectionErrors: number;
  readonly timeouts: number;
  readonly notSent: number;
  readonly wrongAnswers: number;
}

export function failuresOf(counts: Counts): Failures {
  const { connectionErrors, timeouts, notSent } = counts;
  const wrong = answersOf(counts).filter((answer) => !isGood(answer.status) && !isOnPurpose(answer));
  return {
    connectionErrors: connectionErrors.new + connectionErrors.kept,
    timeouts: timeouts.new + timeouts.kept,
    notSent,
    wrongAnswers: wrong.reduce((sum, { count }) => sum + count, 0),
  };
}

export function failedOf(counts: Counts): number {
  return Object.values(failuresOf(counts)).reduce((sum, count) => sum + count, 0);
}

/** The 5xx that the bad version sent: without them the demo proves nothing. */
export function serverErrorsOf(counts: Counts): number {
  return answersOf(counts)
    .filter(isOnPurpose)
    .reduce((sum, { count }) => sum + count, 0);
}

export function byVersion(counts: Counts): Record<string, number> {
  const result: Record<string, number> = {};
  for (const { version, count } of answersOf(counts)) result[version] = (result[version] ?? 0) + count;
  return Object.fromEntries(Object.entries(result).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Requests of which nothing is known although the run is over; not 0 is a fault of the count. */
export function unaccounted(counts: Counts): number {
  return counts.due - settledOf(counts);
}

const isGood = (status: number): boolean => status >= 200 && status <= 299;

function isOnPurpose({ version, status }: { version: string; status: number }): boolean {
  return version === BAD_VERSION && status >= 500;
}

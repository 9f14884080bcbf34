/** Counts bad measurements in a row. */
import type { Measurement } from './measurement.ts';

export type OnUnknown = 'Hold' | 'Ignore' | 'Fail';

/**
 * Bad measurements at the end of the list (oldest first), as long as no good one stands between them. An unknown one
 * neither counts nor resets the count, unless the check says `Fail`.
 */
export function failuresInARow(measurements: readonly Measurement[], onUnknown: OnUnknown): number {
  let failures = 0;
  for (const measurement of measurements.toReversed()) {
    if (measurement.verdict === 'Good') return failures;
    if (measurement.verdict === 'Bad' || onUnknown === 'Fail') failures++;
  }
  return failures;
}

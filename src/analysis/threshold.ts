/** Judges one sample against its bounds. */
import type { Bounds, Measurement, Sample } from './measurement.ts';

/** Six significant digits: enough to read, too few to smuggle anything. */
export function round(value: number): number {
  return Number(value.toPrecision(6));
}

/** The bounds are inclusive: a value equal to `max` or `min` is good. */
export function judge(sample: Sample, bounds: Bounds, at: number): Measurement {
  if (sample.kind === 'unknown') {
    return { at, verdict: 'Unknown', reason: sample.reason, message: sample.message };
  }
  const value = round(sample.value);
  if (bounds.max !== undefined && sample.value > Number(bounds.max)) {
    return {
      at,
      verdict: 'Bad',
      reason: 'AboveMax',
      value,
      message: `${value} is above the maximum of ${bounds.max}`,
    };
  }
  if (bounds.min !== undefined && sample.value < Number(bounds.min)) {
    return {
      at,
      verdict: 'Bad',
      reason: 'BelowMin',
      value,
      message: `${value} is below the minimum of ${bounds.min}`,
    };
  }
  return { at, verdict: 'Good', reason: 'WithinBounds', value, message: `${value} is within bounds` };
}

/** With too few requests behind it a number says nothing, however good or bad it looks. */
export function requireRequests(sample: Sample, requests: Sample, minimum: number): Sample {
  if (sample.kind === 'unknown') return sample;
  if (requests.kind === 'unknown') return requests;
  if (requests.value >= minimum) return sample;
  return {
    kind: 'unknown',
    reason: 'TooFewRequests',
    message: `${round(requests.value)} requests so far, ${minimum} are needed for a verdict`,
  };
}

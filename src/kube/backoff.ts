/**
 * Exponential back-off with full jitter: a delay between zero and a ceiling that doubles.
 *
 * Full jitter rather than a small one, because what we back off from is usually an API server that restarts, and
 * every client of it starts again in the same instant.
 * Source: AWS Architecture Blog, "Exponential Backoff and Jitter"; client-go backs off its reflectors likewise.
 */

export interface BackoffOptions {
  /** Ceiling of the first delay, in milliseconds. */
  readonly baseMs: number;
  /** Ceiling that is never passed, in milliseconds. */
  readonly maxMs: number;
}

/** The delay in milliseconds after `failures` failures in a row (1 is the first); `random` answers in [0, 1). */
export function fullJitter(options: BackoffOptions, failures: number, random: () => number): number {
  return random() * exponential(options, failures);
}

/** The same ceiling without jitter: client-go's ItemExponentialFailureRateLimiter. */
export function exponential(options: BackoffOptions, failures: number): number {
  // 2 ** 1024 is Infinity, which min() brings back to the ceiling.
  return Math.min(options.maxMs, options.baseMs * 2 ** Math.max(0, failures - 1));
}

import { type Clock, sleep } from './clock.ts';

export interface RateLimitOptions {
  /** Sustained calls a second. */
  readonly perSecond: number;
  /** Calls that may go at once after a quiet time. */
  readonly burst: number;
}

export interface RateLimiter {
  /**
   * Takes one token, waiting for it where there is none. False, at once and without taking a token, where it would
   * take longer than `atMostMs`: a call that cannot make its deadline must not delay those behind it.
   */
  take(atMostMs: number, signal?: AbortSignal): Promise<boolean>;
  /** Takes one token where there is one now. Never waits. */
  tryTake(): boolean;
}

/**
 * A token bucket that hands out reservations in order of asking, as golang.org/x/time/rate does: the count goes
 * below zero, and each waiter sleeps until its own token is there.
 */
export function createRateLimiter(options: RateLimitOptions, clock: Clock): RateLimiter {
  let tokens = options.burst;
  let asOf = clock.monotonic();

  function refill(): void {
    const now = clock.monotonic();
    tokens = Math.min(options.burst, tokens + ((now - asOf) / 1000) * options.perSecond);
    asOf = now;
  }

  function waitMs(): number {
    refill();
    return tokens >= 1 ? 0 : ((1 - tokens) / options.perSecond) * 1000;
  }

  return {
    async take(atMostMs, signal) {
      const wait = waitMs();
      if (wait > atMostMs) return false;
      tokens -= 1;
      return wait === 0 ? true : sleep(clock, wait, signal);
    },
    tryTake() {
      if (waitMs() > 0) return false;
      tokens -= 1;
      return true;
    },
  };
}

/**
 * Time as a port, so that tests run hours of back-off and lease expiry in milliseconds.
 *
 * Two clocks, because they answer different questions: `now` is what people and other machines read, and may jump
 * (NTP, a suspended VM); `monotonic` is what durations, deadlines and leases are measured with, and only goes on.
 */

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds since some fixed moment; never goes back. */
  monotonic(): number;
  /** Calls `run` once after `ms` milliseconds, unless the returned function was called before. */
  after(ms: number, run: () => void): () => void;
}

/** setTimeout fires at once for anything above this (about 24.8 days). */
const LONGEST_TIMER_MS = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, Math.min(Math.max(0, ms), LONGEST_TIMER_MS));
    return () => {
      clearTimeout(timer);
    };
  },
};

/** Waits, but no longer than until the signal; it tells which by returning false when it was cut short. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<boolean> {
  if (signal?.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const cut = (): void => {
      cancel();
      resolve(false);
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', cut);
      resolve(true);
    });
    signal?.addEventListener('abort', cut, { once: true });
  });
}

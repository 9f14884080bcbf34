/**
 * Whether this process is alive (/healthz: the kubelet restarts it if not) and ready (/readyz).
 *
 * A restart must help: an API server that is down fails no check, because the process would come back blind, and
 * after some restarts late. What fails is what only this process has: an event loop that is always behind, or one
 * watch that hears nothing while others do.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Handler, text } from './http.ts';

/** `message`: one short sentence. */
export type Check = () => { readonly ok: boolean; readonly message: string };

/** 200 if all checks hold, else 503 with a line for each that does not. A check that throws does not hold. */
export function healthHandler(checks: readonly Check[]): Handler {
  return () => {
    const failed = checks.map(run).filter(({ ok }) => !ok);
    return failed.length === 0 ? text(200, 'ok') : text(503, failed.map(({ message }) => message).join('\n'));
  };
}

function run(check: Check): ReturnType<Check> {
  try {
    return check();
  } catch {
    return { ok: false, message: 'a health check failed' };
  }
}

const RESOLUTION_MS = 100;
const MAX_MEAN_LAG_MS = 1_000;

/** What is read of the event loop; times in nanoseconds. */
export interface LoopDelay {
  readonly mean: number;
  reset(): void;
}

/** Starts to measure now, for as long as the process lives; the measuring keeps no process alive. */
export function startLoopDelay(): LoopDelay {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  return delay;
}

/**
 * The event loop is alive when it is, on average since the last look, less than a second behind. One long pause is
 * over when this is asked; that it was is seen in nodejs_eventloop_lag_seconds.
 */
export function eventLoopCheck(delay: LoopDelay): Check {
  return () => {
    const lagMs = delay.mean / 1e6 - RESOLUTION_MS;
    delay.reset();
    // NaN where nothing has been measured yet.
    if (!(lagMs > MAX_MEAN_LAG_MS)) return { ok: true, message: 'the event loop is alive' };
    return { ok: false, message: `the event loop is ${(lagMs / 1000).toFixed(1)} s behind` };
  };
}

/** A watch, as its reflector shows it. */
export interface WatchView {
  readonly type: { readonly plural: string };
  /** Monotonic milliseconds of the last word from the server; undefined before the first. */
  readonly lastContactMs: number | undefined;
}

/** Bookmarks come each minute, and a watch without a word for longer is begun anew. */
const MAX_SILENCE_MS = 300_000;

/** All watches are alive when none has been silent for minutes more than the one that was heard last. */
export function watchesCheck(watches: () => readonly WatchView[]): Check {
  return () => {
    const heard = watches().flatMap(({ type, lastContactMs }) =>
      lastContactMs === undefined ? [] : [{ plural: type.plural, lastContactMs }],
    );
    const last = Math.max(...heard.map(({ lastContactMs }) => lastContactMs));
    const silent = heard.find(({ lastContactMs }) => last - lastContactMs > MAX_SILENCE_MS);
    if (silent === undefined) return { ok: true, message: 'the watches are alive' };
    const seconds = Math.round((last - silent.lastContactMs) / 1000);
    return { ok: false, message: `the watch of ${silent.plural} has been silent for ${seconds} s` };
  };
}

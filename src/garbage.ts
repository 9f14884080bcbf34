/**
 * Gives back to the system what a start leaves behind. A first list of everything makes about as much garbage as it
 * brings objects, and at rest nothing is allocated: V8 would find no occasion to collect it for hours, while the
 * container's limit counts it.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

/** A pause of some hundred milliseconds with ten thousand releases: once, when nothing waits. */
export function releaseGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as Collect;
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** Looks every few seconds until nothing is left to do, then calls once. The timer keeps no process alive. */
export function whenIdle(isIdle: () => boolean, everyMs: number, call: () => void): () => void {
  const timer = setInterval(() => {
    if (!isIdle()) return;
    clearInterval(timer);
    call();
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

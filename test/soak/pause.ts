import { setTimeout as sleep } from 'node:timers/promises';

/** False: the signal came first. */
export const pause = (ms: number, signal: AbortSignal): Promise<boolean> =>
  sleep(ms, undefined, { signal }).then(
    () => true,
    () => false,
  );

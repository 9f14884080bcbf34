/**
 * Which failures may be over the next time. A busy API server answers 504, a restart of it breaks connections: the same
 * write succeeds a moment later, and a release must not look broken in between.
 */
import { isKubeError } from '../kube/errors.ts';

/** What has failed for so long is somebody's to mend. Milliseconds. */
const PATIENCE_MS = 60_000;

/** The API server could be asked, but not a webhook that it asks itself: that does not pass by itself. */
export function isWebhookDown(error: unknown): boolean {
  return isKubeError(error, 'ServerError') && error.message.includes('failed calling webhook');
}

function isTransient(error: unknown): boolean {
  return isKubeError(error, 'Timeout', 'Network', 'TooManyRequests', 'ServerError') && !isWebhookDown(error);
}

export interface Troubles {
  /** Whether this failure may be over soon. */
  mayPass(key: string, error: unknown): boolean;
  forget(key: string): void;
}

/** `now`: milliseconds since the epoch. Another process is as patient as the one before it was. */
export function createTroubles(now: () => number): Troubles {
  const since = new Map<string, number>();
  return {
    mayPass(key, error) {
      if (!isTransient(error)) return false;
      const first = since.get(key) ?? now();
      since.set(key, first);
      return now() - first < PATIENCE_MS;
    },
    forget: (key) => void since.delete(key),
  };
}

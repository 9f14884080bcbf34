/** A bound on how many are inside at once; the others wait in order of arrival. */

export interface Gate {
  /** Resolves when there is room, or at the abort, with whether there was room. Who got in calls `leave` once. */
  enter(signal: AbortSignal): Promise<boolean>;
  leave(): void;
}

export function createGate(size: number): Gate {
  let inside = 0;
  const waiting = new Set<() => void>();

  return {
    enter(signal) {
      if (signal.aborted) return Promise.resolve(false);
      if (inside < size) {
        inside += 1;
        return Promise.resolve(true);
      }
      return new Promise((resolve) => {
        const giveUp = (): void => {
          waiting.delete(admit);
          resolve(false);
        };
        const admit = (): void => {
          signal.removeEventListener('abort', giveUp);
          resolve(true);
        };
        waiting.add(admit);
        signal.addEventListener('abort', giveUp, { once: true });
      });
    },
    leave() {
      const next = waiting.values().next();
      if (next.done === true) {
        inside -= 1;
        return;
      }
      // The place is handed over, so that a newcomer cannot slip in between.
      waiting.delete(next.value);
      next.value();
    },
  };
}

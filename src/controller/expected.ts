/**
 * What was done or asked for is told in one status with what comes of it. What presses does not wait for long while one
 * thing follows another.
 */
import type { Plan } from '../release/plan.ts';
import { isWithin } from './age.ts';
import type { Rush } from './rush.ts';

export interface Expected {
  /** Milliseconds in which an answer may come that the same status can tell of; 0: it is told at once. */
  afterMs(plan: Pick<Plan, 'effects' | 'requests'>): number;
  told(): void;
}

/** So long a status that presses waits for what would be told with it. */
const PRESSES_MS = 500;

/** Of one reconcile. `presses`: whether the status that would be told now does. `now`: milliseconds since the epoch. */
export function expectAnswers(
  { now, rush }: { readonly now: () => number; readonly rush: Pick<Rush, 'answerMs'> },
  presses: () => boolean,
): Expected {
  let isExpecting = false;
  let pressesSince: number | undefined;
  return {
    afterMs({ effects, requests }) {
      isExpecting ||= effects.length + requests.length > 0;
      pressesSince = presses() ? (pressesSince ?? now()) : undefined;
      if (!isExpecting) return 0;
      if (pressesSince === undefined) return rush.answerMs;
      const age = now() - pressesSince;
      return isWithin(age, PRESSES_MS) ? Math.min(rush.answerMs, PRESSES_MS - age) : 0;
    },
    told() {
      isExpecting = false;
    },
  };
}

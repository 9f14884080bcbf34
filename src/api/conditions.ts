/**
 * Conditions, in one place. kstatus reads Ready, Reconciling and Stalled; the last two are absent when normal.
 * Source: https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
 */
import type { Condition } from './status.ts';
import { formatTime } from './time.ts';

export type ConditionType =
  | 'Ready'
  | 'Reconciling'
  | 'Stalled'
  | 'CandidateReady'
  | 'Validated'
  | 'TrafficSwitched'
  | 'TrafficInSync'
  | 'Healthy'
  | 'RollbackAvailable';

export interface ConditionInput {
  readonly type: ConditionType;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

const MAX_REASON = 128;
const MAX_MESSAGE = 1024;

/** The time of a condition moves only with its status. */
export function mergeConditions(
  previous: readonly Condition[] | undefined,
  next: readonly ConditionInput[],
  observedGeneration: number,
  now: number,
): Condition[] {
  return next.map(({ type, status, reason, message }) => {
    const before = previous?.find((condition) => condition.type === type);
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : formatTime(now);
    return {
      type,
      status,
      observedGeneration,
      lastTransitionTime,
      reason: reason.slice(0, MAX_REASON),
      message: message.slice(0, MAX_MESSAGE),
    };
  });
}

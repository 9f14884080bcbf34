/**
 * Which news of a status can wait. A phase, a reason or an outcome is written at once. Counts that move within a phase,
 * and what is done there for a reason that was told before (a preview that is pointed, a side that is shrunk), are for
 * people to read: they are written two seconds later, with all that came meanwhile. Pods become ready, and end, in
 * batches about a second apart; what follows the last of them tells of all.
 */

import { sameJson } from '../api/json.ts';
import type { Condition, ReleaseStatus } from '../api/status.ts';
import { isWithin } from './age.ts';

export const PROGRESS_WAITS_MS = 2_000;

/** Whether the two differ only in how far something has come. */
export function isProgress(before: ReleaseStatus, after: ReleaseStatus): boolean {
  return sameJson(news(before), news(after));
}

function news(status: ReleaseStatus): unknown {
  const { phase, attempt, revision, observedGeneration, history, rejected, checks } = status;
  const conditions = status.conditions?.map(({ type, status: value, reason }) => [type, value, reason]);
  const gates = status.gates?.map(({ name, state }) => [name, state]);
  const move = status.switch && [
    status.switch.decidedAt,
    status.switch.convergedAt,
    status.switch.services?.map(({ convergedAt }) => convergedAt ?? null),
  ];
  return {
    phase,
    attempt,
    revision,
    observedGeneration,
    history,
    rejected,
    checks,
    conditions,
    gates,
    move,
  };
}

export interface Pace {
  /** Milliseconds for which this status should wait; 0: it is written now. */
  waitMs(key: string, before: ReleaseStatus, after: ReleaseStatus): number;
  /** Nothing of this release waits any more. */
  forget(key: string): void;
}

/** `now`: milliseconds since the epoch. */
export function createPace(now: () => number): Pace {
  const waitsSince = new Map<string, number>();
  return {
    waitMs(key, before, after) {
      const since = waitsSince.get(key) ?? now();
      const age = now() - since;
      // A clock that was set back must not silence a release.
      const waits = isProgress(before, after) && isWithin(age, PROGRESS_WAITS_MS);
      if (waits) waitsSince.set(key, since);
      else waitsSince.delete(key);
      return waits ? PROGRESS_WAITS_MS - age : 0;
    },
    forget: (key) => void waitsSince.delete(key),
  };
}

/** Phases that people must act upon, or ordered. */
const ALARMS: ReadonlySet<string | undefined> = new Set([
  'Stalled',
  'Split',
  'Failed',
  'RollingBack',
  'RolledBack',
  'Held',
]);

/**
 * What waits in no line: an alarm, and the first word of what is seen to go wrong; nor may `kubectl wait` find a release
 * ready that is not any more: whoever changes a Deployment and waits for Ready must not be told of the time before. Who
 * changes the release itself is not: `kubectl wait` and kstatus pass over what was said of an older generation than
 * `generation`, which the object has now.
 */
export function isPressing(before: ReleaseStatus, after: ReleaseStatus, generation: number): boolean {
  const ready = conditionOf(before, 'Ready');
  const isOfToday = (ready?.observedGeneration ?? generation) >= generation;
  const endsReady = ready?.status === 'True' && isOfToday && conditionOf(after, 'Ready')?.status !== 'True';
  const isBad = (status: ReleaseStatus): boolean => conditionOf(status, 'Healthy')?.status === 'False';
  return ALARMS.has(after.phase) || endsReady || (!isBad(before) && isBad(after));
}

function conditionOf({ conditions }: ReleaseStatus, wanted: Condition['type']): Condition | undefined {
  return conditions?.find(({ type }) => type === wanted);
}

/** What stands, with what was seen of production since: the checks remember since when pods are missing. */
export function withSeen(before: ReleaseStatus, { checks, conditions }: ReleaseStatus): ReleaseStatus {
  const healthy = conditions?.find(({ type }) => type === 'Healthy');
  const kept = before.conditions?.map((known) => (known.type === 'Healthy' ? (healthy ?? known) : known));
  return { ...before, ...(checks && { checks }), ...(kept && { conditions: kept }) };
}

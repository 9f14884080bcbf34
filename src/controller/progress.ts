/**
 * Which news of a status can wait. Counts that move within a phase are written once a second at most, however many pods
 * start at a time: they are for people to read. A phase, a reason, a decision or an outcome is written at once, unless
 * many releases have news at a time: then they take turns, and a release whose turn comes tells of all that happened to
 * it since. What waits is kept, so that the next decision adds to it: no decision is left out.
 */
import type { ReleaseStatus } from '../api/status.ts';
import { sameJson } from './json.ts';

export const PROGRESS_EVERY_MS = 1_000;

/** Whether the two differ only in how far something has come. */
export function isProgress(before: ReleaseStatus, after: ReleaseStatus): boolean {
  return sameJson(news(before), news(after));
}

function news(status: ReleaseStatus): unknown {
  const { phase, attempt, revision, observedGeneration, decisions, history, rejected, checks } = status;
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
    decisions,
    history,
    rejected,
    checks,
    conditions,
    gates,
    move,
  };
}

export interface Pace {
  /** What was decided last and is not written yet; undefined where somebody wrote another status since. */
  kept(key: string, written: ReleaseStatus): ReleaseStatus | undefined;
  /** Milliseconds for which this status should wait, and is kept; 0: it is written now, and counts as written. */
  waitMs(key: string, before: ReleaseStatus, after: ReleaseStatus): number;
  /** A status was written in so many milliseconds. */
  took(ms: number): void;
  forget(key: string): void;
}

/**
 * Statuses of a crowd: a tenth of the calls that the client may send in a second, so many at once after a quiet time, and
 * fewer where the API server is slow, so that on average no more than these are under way. To the API server a status is
 * dearer than the write that it tells of: unbounded, those of releases that only began would stand before the
 * production patches of others. Milliseconds.
 */
const TURNS = { apart: 50, mostApart: 200, burst: 20, underWay: 4 };

/** Phases that people must act upon, or ordered. */
const ALARMS: ReadonlySet<string | undefined> = new Set([
  'Stalled',
  'Split',
  'Failed',
  'RollingBack',
  'RolledBack',
  'Held',
]);

/** What waits for nobody's turn; nor may `kubectl wait` find a release ready that is not any more. */
function isPressing(before: ReleaseStatus, after: ReleaseStatus): boolean {
  return ALARMS.has(after.phase) || (isReady(before) && !isReady(after));
}

function isReady({ conditions }: ReleaseStatus): boolean {
  return conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

interface Telling {
  /** Milliseconds since the epoch. */
  readonly writtenAt: number;
  /** When its turn was asked for, and when it comes. */
  turn?: { readonly askedAt: number; readonly at: number };
  /** Not written yet, and what stood in the cluster when it was decided. */
  kept?: { readonly before: ReleaseStatus; readonly after: ReleaseStatus };
}

/** `now`: milliseconds since the epoch. A release that this process has not written yet has no progress to wait for. */
export function createPace(now: () => number): Pace {
  const tellings = new Map<string, Telling>();
  const turns = createTurns();

  /** However often it changes in between, a status has one turn. A clock that was set back must not silence a release. */
  function turnMs(telling: Telling): number {
    const at = now();
    telling.turn ??= { askedAt: at, at: turns.next(at) };
    return at < telling.turn.askedAt ? 0 : Math.max(0, telling.turn.at - at);
  }

  function holdBackMs(telling: Telling, before: ReleaseStatus, after: ReleaseStatus): number {
    const since = now() - telling.writtenAt;
    if (since >= 0 && since < PROGRESS_EVERY_MS && isProgress(before, after))
      return PROGRESS_EVERY_MS - since;
    return isPressing(before, after) ? 0 : turnMs(telling);
  }

  return {
    kept(key, written) {
      const kept = tellings.get(key)?.kept;
      return kept !== undefined && sameJson(kept.before, written) ? kept.after : undefined;
    },
    waitMs(key, before, after) {
      const telling = tellings.get(key) ?? { writtenAt: Number.NEGATIVE_INFINITY };
      const { writtenAt } = telling;
      const isTold = sameJson(before, after);
      const ms = isTold ? 0 : holdBackMs(telling, before, after);
      if (ms > 0) tellings.set(key, { ...telling, kept: { before, after } });
      else tellings.set(key, { writtenAt: isTold ? writtenAt : now() });
      return ms;
    },
    took: (ms) => turns.took(ms),
    forget: (key) => void tellings.delete(key),
  };
}

interface Turns {
  /** `now` and the answer: milliseconds since the epoch. */
  next(now: number): number;
  took(ms: number): void;
}

/** How much of what is known of the time that a write takes is the last one. */
const LAST_SHARE = 0.2;

/** Gives out times in the order of asking; after a quiet time some at once. */
function createTurns(): Turns {
  let last = Number.NEGATIVE_INFINITY;
  let askedAt = Number.NEGATIVE_INFINITY;
  let usualMs = 0;
  return {
    next(now) {
      const apart = Math.min(TURNS.mostApart, Math.max(TURNS.apart, usualMs / TURNS.underWay));
      if (now < askedAt) last = Number.NEGATIVE_INFINITY;
      askedAt = now;
      last = Math.max(last, now - TURNS.burst * apart) + apart;
      return last;
    },
    took(ms) {
      usualMs += LAST_SHARE * (ms - usualMs);
    },
  };
}

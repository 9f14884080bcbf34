/** The new side has the traffic and is watched: it is kept, or the traffic goes back. */

import { formatTime, parseTime } from '../../api/time.ts';
import { wishInWords } from '../../api/workload.ts';
import { availability } from '../../checks/availability.ts';
import type { Breach, CheckVerdict } from '../../checks/check.ts';
import { prometheusCheck } from '../../checks/prometheus.ts';
import { sideDrainedAt } from '../drain.ts';
import { recordFacts } from '../effects.ts';
import { readyCount, servingCount } from '../endpoints.ts';
import { soonest } from '../look-again.ts';
import { holdOldSide, waitsForDrain } from '../old-side.ts';
import type { Effect, Request, Verdict } from '../plan.ts';
import { serviceMissing } from '../problems.ts';
import type { Roles, StartedRevision } from '../roles.ts';
import type { Snapshot } from '../snapshot.ts';
import { isChanged } from '../start.ts';
import { tidying } from '../tidying.ts';
import { LOCK_AFTER_SWITCH_MS, upkeep } from '../upkeep.ts';
import { goBack, isWished } from './back.ts';
import { giveWay, PATIENCE_MS } from './give-way.ts';
import { OF_THE_SWITCH } from './returning.ts';

export function observing(snapshot: Snapshot, roles: Roles): Verdict {
  const { subject } = roles;
  if (subject === undefined) return { phase: 'Observing', reason: 'Nothing', message: 'nothing is watched' };
  const wanted = subject.facts.returnWanted;
  const over = whyNoLonger(snapshot, subject, wanted?.reason);
  if (over !== undefined) return watchedOn(subject, over);
  if (wanted !== undefined && roles.target !== undefined) return goBack(snapshot, roles, subject, wanted);
  const reverted = revertedTo(snapshot, roles, subject);
  if (reverted !== undefined) return goBack(snapshot, roles, subject, reverted);
  const { verdicts, requests } = watch(snapshot, roles, subject);
  const breach = verdicts.find((verdict) => verdict.breach !== undefined)?.breach;
  const isWell = verdicts.every(({ hold }) => hold === undefined);
  const cause = breach ?? (isWell ? undefined : wanted);
  if (cause !== undefined) {
    const back = goBack(snapshot, roles, subject, cause);
    // With no way back it may become well again: it is measured on.
    return roles.target === undefined ? { ...back, requests } : back;
  }
  if (wanted !== undefined) return watchedOn(subject, 'no side is able to take over, and no check fails now');
  const dead = deadSince(snapshot, subject, verdicts);
  const forward = dead === undefined ? undefined : giveWay(snapshot, roles, subject, dead);
  if (forward !== undefined) return forward;
  return { ...settle(snapshot, roles, subject, verdicts, dead), requests };
}

/** Whatever is measured: why there is no reason any more for the way back that was wanted. */
function whyNoLonger(
  snapshot: Snapshot,
  subject: StartedRevision,
  reason: string | undefined,
): string | undefined {
  // A Service that is not where it should be would be told of first.
  if (reason !== undefined && OF_THE_SWITCH.has(reason))
    return `the switch to ${subject.facts.color} is proven after all`;
  // People took their revert back before the side that they went back to was able to take over.
  if (reason === 'Reverted' && isWished(snapshot, subject))
    return `${wishInWords(snapshot.release.spec)} says what has the traffic again`;
  return undefined;
}

/** The way back is wanted no more. */
function watchedOn(subject: StartedRevision, why: string): Verdict {
  const { returnWanted: _, ...facts } = subject.facts;
  const message = `${why}: revision ${subject.name} is watched on`;
  return { phase: 'Observing', reason: 'ReturnForgotten', message, effects: [recordFacts(subject, facts)] };
}

/** People wish for what had the traffic before: they need not wait for the end of the observation. */
export function revertedTo(
  snapshot: Snapshot,
  { target }: Roles,
  subject: StartedRevision,
): Breach | undefined {
  const isReverted = snapshot.wish?.fingerprint !== subject.fingerprint && isWished(snapshot, target);
  if (!isReverted) return undefined;
  const message = `${wishInWords(snapshot.release.spec)} says what revision ${target?.name} is, which stands by`;
  return { reason: 'Reverted', message };
}

/** Since when no pod of the watched side is ready; as long as another side could take over, the rescue was quicker. */
function deadSince(
  snapshot: Snapshot,
  subject: StartedRevision,
  [available]: readonly CheckVerdict[],
): number | undefined {
  if (servingCount(snapshot) > 0 || readyCount(snapshot, subject.facts.color) > 0) return undefined;
  return parseTime(available?.status.since);
}

interface Watch {
  readonly verdicts: readonly CheckVerdict[];
  readonly requests: readonly Request[];
}

/** Every check's verdict, and the measurements that are due. `from`: since when the new side is used, where that is not proven. */
export function watch(snapshot: Snapshot, roles: Roles, subject: StartedRevision, from?: number): Watch {
  const { attempt, color } = subject.facts;
  const checks = subject.frozen.observation.checks.map((check) => ({
    check,
    verdict: prometheusCheck(snapshot, subject, check, from),
  }));
  return {
    verdicts: [availability(snapshot, roles, subject), ...checks.map(({ verdict }) => verdict)],
    requests: checks
      .filter(({ verdict }) => verdict.due)
      .map(({ check }) => ({ kind: 'Measure', check, revision: subject.name, attempt, color })),
  };
}

function settle(
  snapshot: Snapshot,
  roles: Roles,
  subject: StartedRevision,
  verdicts: readonly CheckVerdict[],
  dead: number | undefined,
): Verdict {
  const { color, verifiedAt = snapshot.now } = subject.facts;
  const until = verifiedAt + subject.frozen.observation.durationSeconds * 1000;
  const again = soonest(snapshot.now, [
    ...verdicts.map((verdict) => verdict.lookAgainAt),
    until,
    verifiedAt + LOCK_AFTER_SWITCH_MS,
    dead === undefined ? undefined : dead + PATIENCE_MS,
    waitsForDrain(snapshot, roles, subject) ? sideDrainedAt(snapshot, subject) : undefined,
  ]);
  const kept = keepOldSide(snapshot, roles, subject);
  if (kept.length > 0) return { phase: 'Observing', ...whyKept(subject, kept), effects: kept, ...again };
  const hold = verdicts.find((verdict) => verdict.hold !== undefined)?.hold;
  if (snapshot.now < until) {
    const message = `revision ${subject.name} (${color}) has the traffic and is watched until ${formatTime(until)}${hold ? `; ${hold}` : ''}${queued(snapshot, subject)}`;
    return { phase: 'Observing', reason: 'Observing', message, ...again };
  }
  const gone = serviceMissing(snapshot, roles);
  if (gone !== undefined) {
    // With the commit begins a window, and the old side may become smaller: on a proof that nobody can see any more.
    const message = `${gone.message}; revision ${subject.name} is watched on and not committed until then (bluegreen.dev/action=promote@${subject.facts.attempt} or rollback@${subject.facts.attempt} decides it)`;
    return { phase: 'Held', reason: gone.reason, message, stalled: true, ...again };
  }
  if (hold !== undefined) {
    const message = `${hold}; revision ${subject.name} keeps the traffic and is not committed until that is known (bluegreen.dev/action=promote@${subject.facts.attempt} or rollback@${subject.facts.attempt} decides it)`;
    return { phase: 'Held', reason: 'Held', message, ...again };
  }
  return commit(
    snapshot,
    subject,
    `no check failed in ${subject.frozen.observation.durationSeconds} seconds`,
  );
}

/** What people wish for meanwhile is not forgotten; only the latest of it will be released. */
function queued(snapshot: Snapshot, subject: StartedRevision): string {
  if (!isChanged(snapshot, subject)) return '';
  return `; ${wishInWords(snapshot.release.spec)} has changed since: that is released after it`;
}

/** The side that must be able to take over follows production's size, up only. */
function keepOldSide(snapshot: Snapshot, roles: Roles, subject: StartedRevision): Effect[] {
  const { target } = roles;
  const kept = upkeep(snapshot, roles);
  // Another process wrote over it while it got the traffic: what served from it has connections to end.
  if (target === undefined || waitsForDrain(snapshot, roles, subject)) return kept;
  return [...kept, ...holdOldSide(snapshot, roles, target)];
}

function whyKept(
  { name, facts }: StartedRevision,
  effects: readonly Effect[],
): Pick<Verdict, 'reason' | 'message'> {
  const recycles = effects.some(({ kind }) => kind === 'RecyclePods');
  return {
    reason: recycles ? 'RecyclingOldSide' : 'KeepingOldSide',
    message: `revision ${name} (${facts.color}) is watched, and the old side kept able to take over: ${tidying(effects)}`,
  };
}

export function commit(snapshot: Snapshot, subject: StartedRevision, why: string): Verdict {
  const now = snapshot.now;
  const windowUntil = now + subject.frozen.rollback.windowSeconds * 1000;
  const message = `revision ${subject.name} is committed: ${why}; the old side is kept until ${formatTime(windowUntil)}`;
  const { inconclusive: _, returnWanted: __, ...facts } = subject.facts;
  return {
    phase: 'Committed',
    reason: 'Committed',
    message,
    effects: [
      recordFacts(subject, {
        ...facts,
        committedAt: now,
        windowUntil,
        outcome: { kind: 'Committed', at: now, reason: 'Committed', message },
      }),
    ],
  };
}

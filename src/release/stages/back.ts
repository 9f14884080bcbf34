/**
 * The way back. It depends on the side it returns to and on nothing else: whatever the failing side does may relax
 * what is asked, never tighten or delay it (invariant 2).
 */
import { formatTime } from '../../api/time.ts';
import { refusalOf } from '../../traffic/endpoint.ts';
import { holdColor, moveTraffic, recordFacts } from '../effects.ts';
import { soonest } from '../look-again.ts';
import type { Effect, Verdict } from '../plan.ts';
import type { Roles, StartedRevision } from '../roles.ts';
import { neededToReturn, readyToReturn } from '../rollback.ts';
import type { Snapshot } from '../snapshot.ts';
import { withTidying } from '../tidying.ts';
import { groundwork, LOCK_AFTER_SWITCH_MS, upkeep } from '../upkeep.ts';
import { giveWay } from './give-way.ts';

interface Cause {
  readonly reason: string;
  readonly message: string;
}

/**
 * People wish for what stands by. What is named and missing for a moment is in no wish, which may then be what it was
 * before somebody named it: nobody asked for that.
 */
export function isWished({ wish, config }: Snapshot, target: StartedRevision | undefined): boolean {
  if (wish === undefined || config.missing.length > 0) return false;
  return wish.fingerprint === target?.fingerprint;
}

export function goBack(snapshot: Snapshot, roles: Roles, from: StartedRevision, cause: Cause): Verdict {
  const { target } = roles;
  const wantedAt = from.facts.returnWanted?.at ?? snapshot.now;
  const noted = from.facts.returnWanted
    ? []
    : [recordFacts(from, { ...from.facts, returnWanted: { at: snapshot.now, ...cause } })];
  if (target === undefined)
    return giveWay(snapshot, roles, from, wantedAt) ?? stay(snapshot, roles, from, cause.message, noted);
  const color = target.facts.color;
  const ready = readyToReturn(snapshot, target);
  const needed = neededToReturn(snapshot, from);
  // So long a standby that is too small may take to grow; then any ready pod is better than a bad side.
  const patience = wantedAt + from.frozen.rollback.scaleUpSeconds * 1000;
  const enough = ready >= needed || snapshot.now >= patience;
  if (ready > 0 && enough) return orderBack(snapshot, target, from, cause);
  const forward = ready === 0 ? giveWay(snapshot, roles, from, wantedAt) : undefined;
  if (forward !== undefined) return forward;
  const wanted = Math.max(needed, 1, snapshot.sides[color].deployment?.desired ?? 0);
  return {
    phase: 'RollingBack',
    reason: cause.reason,
    message: `${cause.message}; ${ready} of ${wanted} ${color} pods (revision ${target.name}) are ready to take the traffic back, waiting until ${formatTime(patience)}`,
    // Without its twin no pod of it counts as ready.
    effects: [...noted, ...holdColor(snapshot, color, target.name, wanted), ...groundwork(snapshot)],
    ...soonest(snapshot.now, [patience, from.facts.windowUntil]),
    stalled: snapshot.now >= patience,
  };
}

function orderBack(
  snapshot: Snapshot,
  target: StartedRevision,
  from: StartedRevision,
  cause: Cause,
): Verdict {
  const mark = {
    uid: snapshot.release.uid,
    revision: target.name,
    attempt: from.facts.attempt,
    direction: 'Back' as const,
  };
  const color = target.facts.color;
  const refusal = refusalOf(snapshot);
  const trouble = refusal && `; that is refused (${refusal.message}), and tried again every second`;
  return {
    phase: 'RollingBack',
    reason: cause.reason,
    message: `${cause.message}; putting the traffic back to ${color} (revision ${target.name})${trouble ?? ''}`,
    stalled: refusal !== undefined,
    effects: moveTraffic(snapshot, {
      color,
      mark,
      reason: `${cause.reason}: ${cause.message}`,
      rescue: true,
    }),
  };
}

/** What serves, bad as it is, is kept as it should be: nothing else will serve. */
function stay(
  snapshot: Snapshot,
  roles: Roles,
  from: StartedRevision,
  why: string,
  noted: readonly Effect[],
): Verdict {
  const kept = upkeep(snapshot, roles);
  const verdict = cannotGoBack(from, why);
  const message = withTidying(verdict.message, kept);
  const unlocked = (from.facts.verifiedAt ?? 0) + LOCK_AFTER_SWITCH_MS;
  return { ...verdict, message, effects: [...noted, ...kept], ...soonest(snapshot.now, [unlocked]) };
}

export function cannotGoBack(from: StartedRevision, why: string): Verdict {
  return {
    phase: 'Held',
    reason: 'RollbackImpossible',
    message: `${why}; the traffic stays on ${from.facts.color} (revision ${from.name}), because no side is able to take over`,
    stalled: true,
  };
}

/** No release is under way: keep both sides as they should be, and start one when another content is wished for. */

import { COLORS } from '../../api/status.ts';
import { formatTime } from '../../api/time.ts';
import { sideInWords, wishInWords, workloadInWords } from '../../api/workload.ts';
import type { Breach } from '../../checks/check.ts';
import { consumerInWords, follow } from '../../traffic/endpoint.ts';
import { unheard } from '../actions.ts';
import { autoscalingBounds, standbySize } from '../capacity.ts';
import { dropCopies } from '../copies.ts';
import { sideDrainedAt } from '../drain.ts';
import { recordFacts, scaleColor } from '../effects.ts';
import { otherColor } from '../endpoints.ts';
import { soonest } from '../look-again.ts';
import { holdOldSide, noteSize, waitsForDrain } from '../old-side.ts';
import type { Effect, Verdict } from '../plan.ts';
import { pointPreviews } from '../preview.ts';
import { recycle } from '../recycle.ts';
import type { Roles, StartedRevision } from '../roles.ts';
import type { Snapshot } from '../snapshot.ts';
import { judgeInput, judgeObjects, notNow, startAttempt, whatChanged, wishedRevision } from '../start.ts';
import { withTidying } from '../tidying.ts';
import { upkeep } from '../upkeep.ts';
import { goBack, isWished } from './back.ts';
import { isFixWished } from './give-way.ts';
import { REVISIONS_LOST } from './lost.ts';
import { takeEdited } from './paired.ts';
import { watchWindow } from './window.ts';

export function resting(snapshot: Snapshot, roles: Roles): Verdict {
  const { active } = roles;
  // An adoption that ended without a commit never happens; a release whose revisions were deleted starts over.
  if (active === undefined) return REVISIONS_LOST;
  const window = watchWindow(snapshot, roles);
  const breach = window?.verdicts.find((verdict) => verdict.breach !== undefined)?.breach;
  if (breach !== undefined && snapshot.release.spec.rollback.afterCommit === 'Rollback') {
    const back = goBack(snapshot, roles, active, breach);
    // The way back stays shut, and a fix is wished for: that is the way forward.
    if (!back.stalled || !isFixWished(snapshot, roles, active)) return back;
  }
  const verdict = standing(snapshot, roles, active);
  // What starts now will have its own wishes for both sides.
  if (verdict.effects !== undefined || verdict.specPending) return verdict;
  const effects = housekeeping(snapshot, roles, active);
  const times = [verdict, ...(window?.verdicts ?? [])].map(({ lookAgainAt }) => lookAgainAt);
  if (waitsForDrain(snapshot, roles, active)) times.push(sideDrainedAt(snapshot, active));
  return {
    ...verdict,
    message: withTidying(verdict.message, effects),
    effects,
    requests: [...(verdict.requests ?? []), ...(window?.requests ?? [])],
    ...(breach !== undefined && { alert: alertOf(active, breach) }),
    ...soonest(snapshot.now, times),
  };
}

function alertOf({ name, facts }: StartedRevision, { reason, message }: Breach): Breach {
  const remedy = `bluegreen.dev/action=rollback@${facts.attempt} puts it back`;
  return {
    reason,
    message: `${message}; revision ${name} keeps the traffic (rollback.afterCommit): ${remedy}`,
  };
}

function housekeeping(snapshot: Snapshot, roles: Roles, active: StartedRevision): Effect[] {
  // A preview leaves a side before its pods end.
  return [
    ...upkeep(snapshot, roles),
    ...pointPreviews(snapshot, roles),
    ...sizeOther(snapshot, roles, active),
    ...prune(snapshot, roles),
    ...COLORS.flatMap((color) => dropCopies(snapshot, color)),
  ];
}

/** Inside the window the old side can take over; what was rejected, or never had traffic, is kept at 0. */
function sizeOther(snapshot: Snapshot, roles: Roles, active: StartedRevision): Effect[] {
  const color = otherColor(active.facts.color);
  const { target, overwritten } = roles;
  if (waitsForDrain(snapshot, roles, active)) return [];
  // People may put it back, and then it can take over again.
  if (overwritten !== undefined) return [];
  if (target !== undefined) {
    const held = holdOldSide(snapshot, roles, target);
    return held.length > 0 ? held : noteSize(snapshot, roles, active, target);
  }
  const size = standbySize(snapshot, roles);
  const desired = snapshot.sides[color].deployment?.desired ?? 0;
  // An autoscaler that is on shrinks the side itself, down to its minimum.
  const left = size > 0 && desired > size && autoscalingBounds(snapshot, color) !== undefined;
  const scaled = left ? [] : scaleColor(snapshot, color, size);
  // What goes to 0 ends by itself.
  if (scaled.length > 0 || size === 0) return scaled;
  // Nothing is promised of a standby after its window: one of them may be missing for a moment.
  return recycle(snapshot, roles, color, size - 1);
}

function prune(snapshot: Snapshot, roles: Roles): Effect[] {
  const { active, subject, target, overwritten } = roles;
  const used = new Set([active, subject, target, overwritten].map((revision) => revision?.name));
  for (const side of Object.values(snapshot.sides)) used.add(side.deployment?.revision);
  const wished = wishedRevision(snapshot)?.name;
  return snapshot.revisions
    .slice(0, Math.max(0, snapshot.revisions.length - snapshot.release.spec.historyLimit))
    .filter(({ name }) => !used.has(name) && name !== wished)
    .map(({ name }) => ({ kind: 'DeleteRevision', revision: name }));
}

/** What the release waits for, or starts. */
function standing(snapshot: Snapshot, roles: Roles, active: StartedRevision): Verdict {
  const { wish } = snapshot;
  const edit = takeEdited(snapshot, roles, active);
  if (edit !== undefined) return edit;
  if (wish !== undefined && wish.fingerprint === active.fingerprint)
    return satisfied(snapshot, roles, active);
  if (snapshot.release.spec.suspend) {
    const message = `spec.suspend is set: revision ${active.name} stays active and nothing is started`;
    return { phase: 'Suspended', reason: 'Suspended', message };
  }
  const { target } = roles;
  if (target !== undefined && isWished(snapshot, target)) {
    const message = `${wishInWords(snapshot.release.spec)} says what revision ${target.name} is, which stands by`;
    return goBack(snapshot, roles, active, { reason: 'Reverted', message });
  }
  return notNow(snapshot, roles) ?? judgeInput(snapshot, roles) ?? start(snapshot, roles);
}

function start(snapshot: Snapshot, roles: Roles): Verdict {
  const { target } = roles;
  const window = target && `; from now on revision ${target.name} can no longer take over`;
  const known = wishedRevision(snapshot);
  const why =
    known?.facts?.inconclusive === undefined
      ? whatChanged(snapshot, roles.active)
      : `revision ${known.name} was inconclusive and is tried again`;
  return {
    phase: 'Preparing',
    reason: 'ReleaseStarted',
    message: `${why}: starting attempt ${roles.attempt + 1}${window ?? ''}`,
    effects: [startAttempt(snapshot, roles)],
  };
}

function satisfied(snapshot: Snapshot, roles: Roles, active: StartedRevision): Verdict {
  const seen = snapshot.previous.observedGeneration;
  const changed = seen !== undefined && seen < snapshot.release.generation;
  const refusal = changed || snapshot.previous.phase === 'Stalled' ? judgeInput(snapshot, roles) : undefined;
  if (refusal !== undefined) return refusal;
  const problem = judgeObjects(snapshot, roles);
  if (problem !== undefined) return problem;
  const told = edited(snapshot, active) ?? heldConsumer(snapshot, active) ?? forgetReturn(active);
  if (told !== undefined) return told;
  const { windowUntil } = active.facts;
  if (roles.target !== undefined && windowUntil !== undefined) {
    const message = `revision ${active.name} is active on ${active.facts.color}; ${roles.target.facts.color} (revision ${roles.target.name}) can take over until ${formatTime(windowUntil)}`;
    return { phase: 'Committed', reason: 'Committed', message };
  }
  const message = `revision ${active.name} is active on ${active.facts.color}${unheard(snapshot, roles)}`;
  return { phase: 'Idle', reason: 'Idle', message };
}

/** Pods that serve are not replaced behind people's backs: what somebody changed about them is told, not undone. */
function edited({ release, sides }: Snapshot, active: StartedRevision): Verdict | undefined {
  const { color } = active.facts;
  const { deployment } = sides[color];
  if (deployment === undefined || (deployment.revision === active.name && deployment.matches))
    return undefined;
  const remedy =
    release.spec.workload.pair === undefined
      ? `put it back, or change ${workloadInWords(release.spec)}, which starts a release`
      : 'put it back, or wait until it has rolled out and is ready, which makes it a revision of its own';
  return {
    phase: 'Stalled',
    reason: 'ActiveEdited',
    message: `${sideInWords(release, color)} was edited${deployment.writer === undefined ? '' : ` by ${deployment.writer}`} and is no longer what revision ${active.name} is: ${remedy}`,
    stalled: true,
  };
}

/** A consumer that does not run with what is published, and that no restart helps. */
function heldConsumer(snapshot: Snapshot, active: StartedRevision): Verdict | undefined {
  const { behind, hold } = follow(snapshot, active, true);
  if (behind === undefined || hold === undefined) return undefined;
  const again =
    hold.reason === 'ConsumerContested' ? `; it is restarted again at ${formatTime(hold.until)}` : '';
  const message = `${consumerInWords(behind)} ${hold.clause}${again}`;
  return { phase: 'Stalled', reason: hold.reason, message, stalled: true };
}

/** A way back that was wanted once and is no more: the next one must be given its own time. */
function forgetReturn(active: StartedRevision): Verdict | undefined {
  const { returnWanted, ...facts } = active.facts;
  if (returnWanted === undefined) return undefined;
  const message = `revision ${active.name} stays active: going back is no longer wanted`;
  return { phase: 'Idle', reason: 'ReturnForgotten', message, effects: [recordFacts(active, facts)] };
}

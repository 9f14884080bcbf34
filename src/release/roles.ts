/**
 * Who plays which part, derived from the Services and the ControllerRevisions alone. Nothing here is remembered: a
 * restart, a lost status or a second operator derive the same.
 *
 *     the Services' marks ──> command: the last switch that was ordered ──┐
 *                                                                         ├──> stage, active, current
 *     the revisions' facts ─> subject: the latest attempt ────────────────┘
 *
 *     stage       subject's outcome   command
 *     Unadopted   (no subject)        none: the source has the traffic
 *     Adopting    none, adoption      none, or forward to the subject
 *     Preparing   none                of an earlier attempt
 *     Switching   none                forward to the subject, not verified yet
 *     Observing   none                forward to the subject, verified
 *     Returning   any                 back, and the revision that lost the traffic is not RolledBack yet
 *     Resting     any                 any other
 */
import type { Color } from '../api/status.ts';
import { otherColor } from './endpoints.ts';
import type { RevisionFacts } from './facts.ts';
import { isLater, type SwitchMark } from './mark.ts';
import type { RevisionView, Snapshot } from './snapshot.ts';

export type Stage =
  | 'Unadopted'
  | 'Adopting'
  | 'Preparing'
  | 'Switching'
  | 'Observing'
  | 'Returning'
  | 'Resting';

/** A revision that was started at least once. */
export interface StartedRevision extends RevisionView {
  readonly facts: RevisionFacts;
}

/** The last switch that was ordered, as the Services tell. */
export interface Command {
  readonly mark: SwitchMark;
  readonly revision: StartedRevision;
  readonly color: Color;
  readonly decidedAt: number | undefined;
  readonly reason: string | undefined;
}

export interface Roles {
  readonly stage: Stage;
  /** The revision that production traffic belongs to; undefined while that is the source. */
  readonly active: StartedRevision | undefined;
  /** The revision of the latest attempt, under way or not. */
  readonly subject: StartedRevision | undefined;
  /** What the active colour's rollback would return to: committed once, not rejected, inside its window. */
  readonly target: StartedRevision | undefined;
  readonly command: Command | undefined;
  /** On the way back: the revision that loses the traffic. */
  readonly loser: StartedRevision | undefined;
  readonly attempt: number;
}

export function rolesOf(snapshot: Snapshot): Roles {
  const started = snapshot.revisions.filter(isStarted);
  const subject = latest(started, (revision) => revision.facts.attempt);
  const command = commandOf(snapshot, started);
  const loser = loserOf(started, command);
  const stage = loser === undefined ? stageOf(subject, command) : 'Returning';
  const active = command?.revision ?? recordedActive(started);
  return {
    stage,
    active,
    subject,
    target: active && targetOf(snapshot, started, active, subject),
    command,
    loser,
    attempt: subject?.facts.attempt ?? 0,
  };
}

function isStarted(revision: RevisionView): revision is StartedRevision {
  return revision.facts !== undefined;
}

function latest<T>(items: readonly T[], key: (item: T) => number | undefined): T | undefined {
  let best: T | undefined;
  let bestKey = Number.NEGATIVE_INFINITY;
  for (const item of items) {
    const value = key(item) ?? Number.NEGATIVE_INFINITY;
    if (value > bestKey) {
      best = item;
      bestKey = value;
    }
  }
  return best;
}

/** The latest mark that the facts confirm. A mark alone proves nothing: whoever may patch a Service can write one. */
function commandOf(snapshot: Snapshot, started: readonly StartedRevision[]): Command | undefined {
  let command: Command | undefined;
  for (const service of snapshot.services) {
    const mark = service.mark;
    const revision = mark && started.find((candidate) => candidate.name === mark.revision);
    if (mark === undefined || revision === undefined || !isConfirmed(mark, revision)) continue;
    if (command === undefined || isLater(mark, command.mark)) {
      const color = revision.facts.color;
      command = { mark, revision, color, decidedAt: service.switchedAt, reason: service.switchReason };
    }
  }
  return command;
}

/** Forward only to what was validated in that attempt, back only to what was committed before. */
function isConfirmed(mark: SwitchMark, revision: StartedRevision): boolean {
  const facts = revision.facts;
  if (mark.direction === 'Back') return facts.committedAt !== undefined;
  return facts.attempt === mark.attempt && facts.validatedAt !== undefined;
}

/**
 * Where the annotations were lost: the subject if its switch was verified, else the last commit that was kept. Not a
 * colour that is being adopted: without its key the source serves with it, and the adoption knows what to do.
 */
function recordedActive(started: readonly StartedRevision[]): StartedRevision | undefined {
  const observed = started.find(
    ({ facts }) => facts.outcome === undefined && facts.verifiedAt !== undefined && !facts.adoption,
  );
  return (
    observed ?? latest(started, (revision) => (isKept(revision) ? revision.facts.committedAt : undefined))
  );
}

/** Committed, and not rolled back since. A later failed attempt of the same revision does not undo its commit. */
function isKept(revision: StartedRevision): boolean {
  return revision.facts.committedAt !== undefined && revision.facts.outcome?.kind !== 'RolledBack';
}

function stageOf(subject: StartedRevision | undefined, command: Command | undefined): Stage {
  if (subject === undefined) return 'Unadopted';
  const facts = subject.facts;
  if (facts.outcome !== undefined) return 'Resting';
  if (facts.adoption) return 'Adopting';
  if (facts.verifiedAt !== undefined) return 'Observing';
  return command?.mark.attempt === facts.attempt ? 'Switching' : 'Preparing';
}

/** A way back is ordered under the attempt of the revision that it takes the traffic from. */
function loserOf(
  started: readonly StartedRevision[],
  command: Command | undefined,
): StartedRevision | undefined {
  if (command?.mark.direction !== 'Back') return undefined;
  const loser = started.find((revision) => revision.facts.attempt === command.mark.attempt);
  return loser?.facts.outcome?.kind === 'RolledBack' ? undefined : loser;
}

/** Rejected, or under way again: what it was once says nothing about the attempt that is not finished. */
function isUnproven(revision: StartedRevision): boolean {
  return revision.facts.rejected !== undefined || revision.facts.outcome === undefined;
}

/**
 * Before the commit the way back needs no window: it leads to the side that had the traffic. After it, the window that
 * was opened with the commit must be open still.
 */
function targetOf(
  snapshot: Snapshot,
  started: readonly StartedRevision[],
  active: StartedRevision,
  subject: StartedRevision | undefined,
): StartedRevision | undefined {
  const underWatch = active === subject && active.facts.outcome === undefined;
  const windowOpen = active.facts.windowUntil !== undefined && snapshot.now < active.facts.windowUntil;
  if (!underWatch && !windowOpen) return undefined;
  const color = otherColor(active.facts.color);
  const committed = started.filter(
    (revision) => revision.facts.color === color && isKept(revision) && !isUnproven(revision),
  );
  return latest(committed, (revision) => revision.facts.committedAt);
}

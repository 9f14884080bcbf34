/**
 * Who plays which part, derived from the Services (or what is published) and the ControllerRevisions alone. Nothing here is remembered: a
 * restart, a lost status or a second operator derive the same.
 *
 *     the Services' marks ──> command: the last switch that was ordered ──┐
 *                                                                         ├──> stage, active, current
 *     the revisions' facts ─> subject: the latest attempt ────────────────┘
 *
 *     stage       subject's outcome   command
 *     Unadopted   (no subject)        none: the source has the traffic
 *     Adopting    none, adoption      none, or forward to the subject
 *     Adopting    Superseded, adoption  none: nothing of it ever served, and it begins anew
 *     Preparing   none                of an earlier attempt
 *     Switching   none                forward to the subject, not verified yet
 *     Observing   none                forward to the subject, verified
 *     Returning   any                 back, and the revision that lost the traffic is not RolledBack yet
 *     Resting     any                 any other
 */
import { memo } from '../api/memo.ts';
import type { Color } from '../api/status.ts';
import { otherColor } from './endpoints.ts';
import type { RevisionFacts } from './facts.ts';
import { isLater, type Marked, type SwitchMark } from './mark.ts';
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
  /** Of a pair: what would be the target, if its side still held it. */
  readonly overwritten: StartedRevision | undefined;
  readonly command: Command | undefined;
  /** On the way back: the revision that loses the traffic. */
  readonly loser: StartedRevision | undefined;
  readonly attempt: number;
}

export function rolesOf(snapshot: Snapshot): Roles {
  const started = startedOf(snapshot.revisions);
  const subject = latest(started);
  const command = commandOf(snapshot, started);
  const loser = loserOf(started, command);
  const active = command?.revision ?? recordedActive(started);
  const stage = loser === undefined ? stageOf(snapshot, subject, active, command) : 'Returning';
  const kept = active && targetOf(snapshot, started, active, subject);
  const isHeld = kept !== undefined && isTakable(snapshot, kept);
  return {
    stage,
    active,
    subject,
    target: isHeld ? kept : undefined,
    overwritten: isHeld ? undefined : kept,
    command,
    loser,
    attempt: lastAttempt(snapshot, subject),
  };
}

/** Of a revision that was deleted the Jobs and the mark may be left: what they say must not be said of another attempt. */
function lastAttempt(snapshot: Snapshot, subject: StartedRevision | undefined): number {
  const marks = marked(snapshot).map(({ mark }) => mark?.attempt ?? 0);
  const left = [...snapshot.jobs.map(({ attempt }) => attempt), ...marks];
  return Math.max(subject?.facts.attempt ?? 0, ...left.filter(Number.isSafeInteger));
}

/** What carries the mark of a switch. */
function marked({ services, endpoint }: Snapshot): readonly Marked[] {
  return endpoint === undefined ? services : [...services, endpoint];
}

/** The same list each time, as long as no revision has changed. */
export const startedOf: (revisions: readonly RevisionView[]) => readonly StartedRevision[] = memo(
  (revisions) => revisions.filter(isStarted),
);

function isStarted(revision: RevisionView): revision is StartedRevision {
  return revision.facts !== undefined;
}

/** The revision of this attempt. Two processes at once may have begun two: the newer one is what went on. */
function startedIn(started: readonly StartedRevision[], attempt: number): StartedRevision | undefined {
  return started.findLast(({ facts }) => facts.attempt === attempt);
}

/** By attempt: the only clock that never jumps. */
function latest(revisions: readonly StartedRevision[]): StartedRevision | undefined {
  return revisions.toSorted((a, b) => a.facts.attempt - b.facts.attempt).at(-1);
}

/** The latest mark that the facts confirm. A mark alone proves nothing: whoever may patch a Service can write one. */
function commandOf(snapshot: Snapshot, started: readonly StartedRevision[]): Command | undefined {
  let command: Command | undefined;
  for (const carrier of marked(snapshot)) {
    const { mark, switchedAt } = carrier;
    const revision = mark && started.find((candidate) => candidate.name === mark.revision);
    if (mark === undefined || revision === undefined) continue;
    if (!isConfirmed(mark, revision, started, switchedAt)) continue;
    if (command === undefined || isLater(mark, command.mark, started)) {
      const color = revision.facts.color;
      command = { mark, revision, color, decidedAt: switchedAt, reason: carrier.switchReason };
    }
  }
  return command;
}

/** Whether the facts explain every mark of ours that stands in the cluster. */
export function explainsMarks(carriers: readonly Marked[], revisions: readonly RevisionView[]): boolean {
  const started = startedOf(revisions);
  return carriers.every(({ mark, switchedAt }) => {
    const revision = mark && started.find(({ name }) => name === mark.revision);
    if (mark === undefined) return true;
    return revision !== undefined && isConfirmed(mark, revision, started, switchedAt);
  });
}

/**
 * Whether the facts allow what a mark says: one step beyond them, or what they say themselves. Anything else is drift,
 * such as a Service that was restored from a backup with the mark of an earlier switch.
 */
function isConfirmed(
  mark: SwitchMark,
  revision: StartedRevision,
  started: readonly StartedRevision[],
  switchedAt: number | undefined,
): boolean {
  if (mark.direction === 'Back') return isConfirmedBack(mark, revision, started, switchedAt);
  const { attempt, validatedAt, outcome } = revision.facts;
  if (attempt !== mark.attempt || validatedAt === undefined) return false;
  return outcome === undefined || revision === recordedActive(started);
}

/** Back to what was committed, from a revision that was under watch or inside its window when that was ordered. */
function isConfirmedBack(
  mark: SwitchMark,
  revision: StartedRevision,
  started: readonly StartedRevision[],
  switchedAt: number | undefined,
): boolean {
  if (!isKept(revision)) return false;
  const active = recordedActive(started);
  const loser = startedIn(started, mark.attempt);
  // Done long ago, and the loser was tried again since or forgotten: true as far as the facts say the same.
  if (loser === undefined || loser.facts.outcome?.kind === 'RolledBack') return revision === active;
  if (loser.facts.color === revision.facts.color) return false;
  if (loser.facts.outcome === undefined) return loser.facts.validatedAt !== undefined;
  return loser === active && switchedAt !== undefined && switchedAt < (loser.facts.windowUntil ?? 0);
}

/**
 * What the facts alone say: the subject if its switch was verified, else the last commit that was kept. Not a colour
 * that is being adopted: without its key the source serves with it, and the adoption knows what to do.
 */
function recordedActive(started: readonly StartedRevision[]): StartedRevision | undefined {
  return recorded(started).active;
}

/** Asked for each mark. */
const recorded = memo((started: readonly StartedRevision[]) => ({ active: findRecorded(started) }));

function findRecorded(started: readonly StartedRevision[]): StartedRevision | undefined {
  const watched = started.find(
    ({ facts }) => facts.outcome === undefined && facts.verifiedAt !== undefined && !facts.adoption,
  );
  return watched ?? latest(started.filter(isKept));
}

/** Committed in its last attempt, and not rolled back since. */
function isKept({ facts }: StartedRevision): boolean {
  return facts.outcome?.kind === 'Committed' && facts.rejected === undefined;
}

function stageOf(
  snapshot: Snapshot,
  subject: StartedRevision | undefined,
  active: StartedRevision | undefined,
  command: Command | undefined,
): Stage {
  if (subject === undefined) return 'Unadopted';
  const facts = subject.facts;
  if (facts.outcome !== undefined)
    return active === undefined && beginsAnew(snapshot, subject) ? 'Adopting' : 'Resting';
  if (facts.adoption) return 'Adopting';
  if (facts.verifiedAt !== undefined) return 'Observing';
  return command?.mark.attempt === facts.attempt ? 'Switching' : 'Preparing';
}

/**
 * An adoption was given up before anything of it served. Unless something took its place, and its revision was deleted:
 * a mark or a Job of its attempt is left, or its pods.
 */
function beginsAnew(snapshot: Snapshot, subject: StartedRevision): boolean {
  const { adoption, outcome, attempt, color } = subject.facts;
  if (!adoption || outcome?.kind !== 'Superseded') return false;
  const known = new Set(snapshot.revisions.map(({ name }) => name));
  const isUnknown = snapshot.sides[color].pods.some(
    ({ ready, revision }) => ready && (revision === undefined || !known.has(revision)),
  );
  return lastAttempt(snapshot, subject) === attempt && !isUnknown;
}

/** A way back is ordered under the attempt of the revision that it takes the traffic from. */
function loserOf(
  started: readonly StartedRevision[],
  command: Command | undefined,
): StartedRevision | undefined {
  if (command?.mark.direction !== 'Back') return undefined;
  const loser = startedIn(started, command.mark.attempt);
  return loser?.facts.outcome?.kind === 'RolledBack' ? undefined : loser;
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
  return latest(started.filter((revision) => revision.facts.color === color && isKept(revision)));
}

/** What people have written over is written back by nobody but people. */
function isTakable({ pair, sides }: Snapshot, { name, facts }: StartedRevision): boolean {
  return pair === undefined || sides[facts.color].deployment?.revision === name;
}

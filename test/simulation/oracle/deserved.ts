/** Invariants 5 and 6: what ended an attempt was really so. */
import { COLORS } from '../../../src/api/status.ts';
import type { RevisionFacts } from '../../../src/release/facts.ts';
import { wishedName } from '../content.ts';
import type { RevisionTruth } from './truth.ts';
import { fail, fewestReady, isRecent, type View } from './view.ts';

/** Reasons that say something against the revision, or that people gave. */
const BLAMES: ReadonlySet<string> = new Set([
  'CandidateCrashed',
  'GateFailed',
  'CheckFailed',
  'AvailabilityBreached',
  'NoReadyEndpoints',
  'Aborted',
  'Requested',
  // The reason was lost with the annotation that held it.
  'RolledBack',
]);

/** An attempt after which the same content is not tried again by itself. */
export function isBlamed({ outcome, rejected }: RevisionFacts): boolean {
  if (rejected !== undefined) return true;
  return (outcome?.kind === 'RolledBack' || outcome?.kind === 'Failed') && BLAMES.has(outcome.reason);
}

export function guardOutcome(view: View, now: RevisionTruth, old: RevisionFacts | undefined): void {
  const { rejected, outcome, returnWanted } = now.facts;
  if (rejected !== undefined && old?.rejected === undefined && !BLAMES.has(rejected.reason))
    fail(`${now.name} was rejected for ${rejected.reason}, which is nobody's fault`);
  if (returnWanted?.reason === 'AvailabilityBreached' && old?.returnWanted === undefined)
    guardBreach(view, now);
  if (outcome === undefined || old?.outcome !== undefined) return;
  ENDS[outcome.reason]?.(view, now);
}

const ENDS: Readonly<Record<string, (view: View, now: RevisionTruth) => void>> = {
  Aborted: (view, now) => guardOrdered(view, now, 'abort'),
  Requested: (view, now) => guardOrdered(view, now, 'rollback', 'abort'),
  CheckFailed: guardFailed,
  Committed: guardCommitted,
  GaveWay: guardGaveWay,
};

/** An order may be meant for a later attempt than the one it ends: the latest that there was. */
function guardOrdered(view: View, { name, facts }: RevisionTruth, ...verbs: string[]): void {
  const asked = view.users().orders.some(({ text }) => {
    const [verb = '', attempt] = text.split('@');
    return verbs.includes(verb) && Number(attempt) >= facts.attempt;
  });
  if (!asked) fail(`${name} ended as if people had asked for it (${verbs[0]}), and nobody had`);
}

function answersSince({ world }: View, { facts }: RevisionTruth): readonly string[] {
  return world.metrics.answers
    .filter(({ at, color }) => color === facts.color && at > (facts.verifiedAt ?? 0))
    .map(({ verdict }) => verdict);
}

/** Times that were written by a clock that jumped cannot be compared. */
function isConfused(view: View): boolean {
  return view.clockError() > 0;
}

function guardFailed(view: View, now: RevisionTruth): void {
  if (isConfused(view)) return;
  if (!answersSince(view, now).includes('Bad'))
    fail(`${now.name} was put back for a failed check, and no measurement since its switch was bad`);
}

/** Answers that an operator lost with its life do not count. */
const LATEST = 5;

function guardCommitted(view: View, now: RevisionTruth): void {
  const { facts, frozen, name } = now;
  const promoted = facts.outcome?.message.includes('promoted by annotation');
  if (promoted) guardOrdered(view, now, 'promote');
  if (facts.adoption || promoted || isConfused(view)) return;
  if (!frozen.observation?.checks?.some(({ onUnknown }) => onUnknown === 'Hold')) return;
  const answers = answersSince(view, now);
  if (!answers.includes('Good')) fail(`${name} was committed, and no measurement was ever good`);
  const latest = answers.slice(-LATEST);
  if (latest.length === LATEST && !latest.includes('Good'))
    fail(`${name} was committed, and the last ${LATEST} measurements were not good`);
}

function guardGaveWay(view: View, { name, image }: RevisionTruth): void {
  const { wished, wishedAt } = view.users();
  if (wishedName(view.world, wished) !== image || isRecent(view, wishedAt)) return;
  fail(`${name} gave way, and it is what people wish for`);
}

/** When it was decided that too few pods are ready. */
export function guardBreach(view: View, { name, facts, frozen }: RevisionTruth): void {
  const { minReadyPercent = 50 } = frozen.observation?.availability ?? {};
  const needed = Math.ceil(((facts.verifiedReady ?? 0) * minReadyPercent) / 100);
  const fewest = fewestReady(view, facts.color);
  if (COLORS.includes(facts.color) && fewest >= Math.max(1, needed))
    fail(
      `${name} lost the traffic for its availability, and ${fewest} of ${facts.verifiedReady} pods were ready`,
    );
}

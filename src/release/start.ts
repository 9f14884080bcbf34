/**
 * How a release starts: what is wished for is compared with what is there, the input is judged, and the revision is
 * frozen before the first effect.
 */

import { changedConfig, writtenSecrets } from '../api/config.ts';
import { revisionLabel } from '../api/names.ts';
import type { Color } from '../api/status.ts';
import { formatTime } from '../api/time.ts';
import { wishInWords } from '../api/workload.ts';
import { recordFacts } from './effects.ts';
import { otherColor } from './endpoints.ts';
import { freshAttempt, type RevisionFacts } from './facts.ts';
import type { Effect, Verdict } from './plan.ts';
import { configMissing, firstProblem } from './problems.ts';
import type { Roles } from './roles.ts';
import type { Problem, RevisionView, Snapshot } from './snapshot.ts';

/** A refusal is asked again after this time: what is missing may have been created meanwhile. Milliseconds. */
const ASK_AGAIN_MS = 15_000;

/** What is asked of the API server and the metric sources is this, and is asked anew when this changes. */
export function preflightKey({ release, wish }: Snapshot, { attempt }: Roles): string {
  return `${release.generation}/${wish?.fingerprint ?? ''}/${attempt}`;
}

/** undefined: the input is good. Otherwise what is wrong with it, or that the answer is awaited. */
export function judgeInput(snapshot: Snapshot, roles: Roles): Verdict | undefined {
  const problem = judgeObjects(snapshot, roles);
  if (problem !== undefined) return problem;
  const key = preflightKey(snapshot, roles);
  const { preflight } = snapshot.observations;
  const requests = [{ kind: 'Preflight' as const, key }];
  if (preflight?.key !== key)
    return { ...unanswered(snapshot), ...(preflight === undefined && toldBefore(snapshot)), requests };
  const refusal = preflight.problems[0];
  if (refusal === undefined && preflight.unanswered === undefined) return undefined;
  const again = preflight.at + ASK_AGAIN_MS;
  return {
    ...(refusal === undefined ? unanswered(snapshot, preflight.unanswered) : refused(refusal)),
    ...(snapshot.now < again
      ? { lookAgainAt: again }
      : { requests, lookAgainAt: snapshot.now + ASK_AGAIN_MS }),
  };
}

/** The answer itself wakes the loop; the time is for an answer that never comes. */
function unanswered({ now }: Snapshot, why?: string): Verdict {
  const message = 'asking the API server and the metric sources whether they accept the release';
  return {
    phase: 'Idle',
    reason: why === undefined ? 'Preflight' : 'PreflightUnanswered',
    message: why === undefined ? message : `${message}: ${why}`,
    specPending: true,
    lookAgainAt: now + ASK_AGAIN_MS,
  };
}

/**
 * A process that has just begun knows no answer yet: what people have to do, or the release waits for, as the one before
 * told, may be so still.
 */
function toldBefore({ previous, release }: Snapshot): Partial<Verdict> | undefined {
  const { phase, conditions = [], observedGeneration } = previous;
  if (observedGeneration !== release.generation) return undefined;
  const told = (type: string) => conditions.find((condition) => condition.type === type);
  const [stalled, ready] = [told('Stalled'), told('Ready')];
  if (phase === 'Stalled' && stalled !== undefined) return refused(stalled);
  const waits = phase === 'Adopting' && ready?.reason === 'WaitingForSource';
  return waits ? { phase, reason: ready.reason, message: ready.message } : undefined;
}

/** What can be seen without asking anybody. */
export function judgeObjects(snapshot: Snapshot, roles: Roles): Verdict | undefined {
  const problem = firstProblem(snapshot, roles);
  return problem && { ...refused(problem), lookAgainAt: snapshot.now + ASK_AGAIN_MS };
}

/** People must act before anything goes on. */
export function refused({ reason, message }: Problem): Verdict {
  return { phase: 'Stalled', reason, message, stalled: true };
}

/** People wish for something else than this; where nobody says what they wish for, they do not. */
export function isChanged({ wish }: Snapshot, { fingerprint }: RevisionView): boolean {
  return wish !== undefined && wish.fingerprint !== fingerprint;
}

/** What people wish for now and did not when this revision was frozen. */
export function whatChanged({ config, release }: Snapshot, since: RevisionView | undefined): string {
  const differing = release.spec.workload.external === undefined ? changedConfig : writtenSecrets;
  const names = differing(since?.config, config.found);
  return `${names.length === 0 ? wishInWords(release.spec) : names.join(' and ')} changed`;
}

/** The newest revision with the content that people wish for now. */
export function wishedRevision(snapshot: Snapshot): RevisionView | undefined {
  const wished = snapshot.wish?.fingerprint;
  return snapshot.revisions.findLast((revision) => revision.fingerprint === wished);
}

/** Starts an attempt: the same revision again if nothing about it has changed, else a new one. */
export function startAttempt(snapshot: Snapshot, roles: Roles): Effect {
  const color: Color = roles.active === undefined ? 'blue' : otherColor(roles.active.facts.color);
  const known = wishedRevision(snapshot);
  const fresh = { color, attempt: roles.attempt + 1, startedAt: snapshot.now };
  if (known !== undefined && isSameSpec(known, snapshot) && known.facts?.rejected === undefined) {
    return recordFacts(known, freshAttempt(known.facts, fresh));
  }
  return freeze(snapshot, 'source', snapshot.wish?.fingerprint ?? '', { ...fresh, ...carried(known) });
}

/** Failures in a row belong to the content, not to the name: a new name for the same content keeps counting. */
function carried(known: RevisionView | undefined): { inconclusive?: { count: number; retryAt: number } } {
  const inconclusive = known?.facts?.inconclusive;
  return inconclusive === undefined ? {} : { inconclusive };
}

function isSameSpec(revision: RevisionView, snapshot: Snapshot): boolean {
  return JSON.stringify(revision.frozen, undirected) === JSON.stringify(snapshot.release.spec, undirected);
}

/** Which side of a pair people wish for says nothing about what stands on it. */
function undirected(key: string, value: unknown): unknown {
  return key === 'pair' ? { ...(value as object), active: undefined } : value;
}

export function nextNumber({ revisions }: Snapshot): number {
  return (revisions.at(-1)?.number ?? 0) + 1;
}

export function freeze(
  snapshot: Snapshot,
  from: 'source' | 'live' | Color,
  fingerprint: string,
  facts: RevisionFacts,
  number: number = nextNumber(snapshot),
): Effect {
  return { kind: 'CreateRevision', revision: revisionLabel(number), number, from, fingerprint, facts };
}

/** Why the wished revision does not start although nothing is wrong with the input; undefined: it may start. */
export function notNow(snapshot: Snapshot, roles: Roles): Verdict | undefined {
  const known = wishedRevision(snapshot);
  const { rejected, inconclusive } = known?.facts ?? {};
  if (known !== undefined && rejected !== undefined) {
    return {
      phase:
        roles.active !== undefined && known.facts?.outcome?.kind === 'RolledBack' ? 'RolledBack' : 'Failed',
      reason: 'RevisionRejected',
      message: `revision ${known.name} was rejected and is not tried again by itself (${rejected.message}); change ${wishInWords(snapshot.release.spec)}, or annotate bluegreen.dev/action=retry@${roles.attempt}`,
      stalled: true,
    };
  }
  if (known !== undefined && inconclusive !== undefined && snapshot.now < inconclusive.retryAt) {
    return {
      phase: 'Failed',
      reason: known.facts?.outcome?.reason ?? 'Inconclusive',
      message: `${known.facts?.outcome?.message ?? 'the last attempt was inconclusive'}; trying revision ${known.name} again at ${formatTime(inconclusive.retryAt)}`,
      lookAgainAt: inconclusive.retryAt,
    };
  }
  const problem = configMissing(snapshot);
  return problem && { ...refused(problem), lookAgainAt: snapshot.now + ASK_AGAIN_MS };
}

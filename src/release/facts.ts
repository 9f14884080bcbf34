/**
 * What safety needs to know about a revision, kept on its ControllerRevision: losing the status loses nothing.
 * All times are milliseconds since the epoch.
 */
import { COLORS, type Color } from '../api/status.ts';

export type OutcomeKind =
  | 'Committed' // watched to the end, and kept
  | 'RolledBack' // had the traffic and lost it
  | 'Failed' // the candidate's own fault, production never touched
  | 'Inconclusive' // nobody's fault that we know: retried with backoff
  | 'Superseded'; // another revision was wanted before this one had the traffic

export interface Outcome {
  readonly kind: OutcomeKind;
  readonly at: number;
  readonly reason: string;
  readonly message: string;
}

export interface RevisionFacts {
  readonly color: Color;
  /** The attempt in which it is, or was last, the candidate. */
  readonly attempt: number;
  readonly startedAt: number;
  /** The first revision of a release: the running Deployment taken over. */
  readonly adoption?: boolean;
  /** Since when the candidate is no longer ready, after its gates had begun: the deadline counts from there. */
  readonly unreadySince?: number;
  /** All gates passed, in this attempt. Written before the switch: without it a mark is worth nothing. */
  readonly validatedAt?: number;
  /** How long the slowest of its pods took to become ready when it was validated: what a rollback to it would wait for. */
  readonly startUpSeconds?: number;
  readonly decidedAt?: number;
  /** The endpoints of every Service proved the switch. */
  readonly verifiedAt?: number;
  /** Ready pods at that moment: the base of the availability check. */
  readonly verifiedReady?: number;
  /** The side that lost the traffic to it was seen idle (`traffic.drain.until`). */
  readonly drainedAt?: number;
  /** Since when its old side has more pods than asked for, and the most that was asked for since. */
  readonly tooLarge?: { readonly since: number; readonly most: number };
  /** A way back is wanted, and the side it returns to must first be scaled up. */
  readonly returnWanted?: { readonly at: number; readonly reason: string; readonly message: string };
  readonly outcome?: Outcome;
  /** Set with the commit; survives a later rollback, for it says that this revision once was good. */
  readonly committedAt?: number;
  readonly windowUntil?: number;
  /** Not tried again by itself. */
  readonly rejected?: { readonly at: number; readonly reason: string; readonly message: string };
  /** Inconclusive attempts in a row, and when the next may start. */
  readonly inconclusive?: { readonly count: number; readonly retryAt: number };
  /** Of the first revision of a pair: the content that stood on the other side then. No release begins for it by itself. */
  readonly beside?: string;
  /** The number of pods of the source when it was adopted. */
  readonly sourceReplicas?: number;
  /** The ReplicaSet of the source that it was frozen from. */
  readonly replicaSet?: string;
}

/** undefined for an annotation that is absent or not ours to read: such a revision counts as never started. */
export function parseFacts(text: string | undefined): RevisionFacts | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isFacts(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isFacts(value: unknown): value is RevisionFacts {
  const { color, attempt, startedAt }: Partial<RevisionFacts> = Object(value);
  return (
    COLORS.some((each) => each === color) && typeof attempt === 'number' && typeof startedAt === 'number'
  );
}

export function formatFacts(facts: RevisionFacts): string {
  return JSON.stringify(facts);
}

/** A fresh attempt of a revision keeps what its history says and forgets the proofs of the previous attempt. */
export function freshAttempt(
  previous: RevisionFacts | undefined,
  fresh: Pick<
    RevisionFacts,
    'color' | 'attempt' | 'startedAt' | 'adoption' | 'sourceReplicas' | 'replicaSet'
  >,
): RevisionFacts {
  return {
    ...fresh,
    ...(previous?.committedAt !== undefined && { committedAt: previous.committedAt }),
    ...(previous?.inconclusive !== undefined && { inconclusive: previous.inconclusive }),
  };
}

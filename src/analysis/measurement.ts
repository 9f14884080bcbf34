/**
 * What a metric source answered, and what that answer means.
 *
 * Three-valued on purpose: no data, NaN and an unreachable source are neither good nor bad (invariant 5), and each
 * way of not knowing has a name of its own, because each needs another remedy.
 */

export type Verdict = 'Good' | 'Bad' | 'Unknown';

/** The ways of not knowing. */
export type UnknownReason =
  | 'NoData' // an empty vector
  | 'NotANumber' // 0/0: no traffic is not an error rate
  | 'SeveralSeries' // the query does not say which number is meant
  | 'WrongType' // a matrix or a string
  | 'StaleSample' // older than the source's staleness limit
  | 'SourceError' // the source answered 5xx or something unreadable
  | 'SourceTimeout'
  | 'SourceUnreachable'
  | 'SourceDenied' // 401 or 403
  | 'InvalidQuery' // the source refused the query itself
  | 'UnknownSource' // no administrator has named this source, or not for this namespace
  | 'TooFewRequests';

/** One number, or the reason why there is none. `message` is one sentence without any response body. */
export type Sample =
  | { readonly kind: 'value'; readonly value: number }
  | { readonly kind: 'unknown'; readonly reason: UnknownReason; readonly message: string };

/** One measurement of a check. `at`: milliseconds since the epoch, when the answer was there. */
export interface Measurement {
  readonly at: number;
  readonly verdict: Verdict;
  readonly reason: 'WithinBounds' | 'AboveMax' | 'BelowMin' | UnknownReason;
  readonly value?: number;
  readonly message: string;
}

/** Decimal strings, as the resource has them. */
export interface Bounds {
  readonly max?: string | undefined;
  readonly min?: string | undefined;
}

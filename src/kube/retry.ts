/**
 * Which calls may be sent again, and when.
 *
 * The question is never whether a second try would help, but what happens if the first one was carried out and only
 * its answer was lost, or arrives late, after a newer write:
 *
 * - reads change nothing;
 * - a JSON patch with a `test`, a replace or merge with a resourceVersion, and a delete with a uid are carried out
 *   once at most: the second one fails with 'Invalid', 'Conflict' or NotFound, and the caller reads again, as after
 *   any lost race;
 * - server-side apply and writes of a status state a whole intent which the next reconcile would repeat anyway;
 * - a create with a name is carried out once at most: where the answer of the first was lost, the second ends in
 *   'AlreadyExists', although the object is ours. Who creates looks at what is there before it calls that a failure;
 * - anything else (a bare merge patch, a JSON patch without a test, a generated name) is sent again only where the
 *   server cannot have seen it: connection refused, 429, 401.
 *
 * Sources: client-go rest/with_retry.go (429, Retry-After), net/http's isReplayable.
 */

import { type BackoffOptions, fullJitter } from './backoff.ts';
import type { Patch, Subresource } from './ports.ts';

export type Outcome =
  | { readonly kind: 'answer'; readonly status: number; readonly retryAfterMs?: number }
  /** No answer. `sent`: the server may have carried it out. */
  | { readonly kind: 'lost'; readonly sent: boolean };

const BACKOFF: BackoffOptions = { baseMs: 100, maxMs: 2_000 };
/** Tries for what failed without a word about when to come back; a 429 is waited out until the deadline. */
const MOST_TRIES = 6;

/** Milliseconds to wait before the next try, or undefined where this outcome is final. */
export function retryDelayMs(
  outcome: Outcome,
  tries: number,
  repeatable: boolean,
  random: () => number,
): number | undefined {
  if (outcome.kind === 'lost') {
    return repeatable || !outcome.sent ? backoffMs(tries, random) : undefined;
  }
  // A 429 was turned away before anything was done.
  if (outcome.status === 429) return askedMs(outcome.retryAfterMs ?? 1_000, random);
  if (outcome.status < 500 || !repeatable) return undefined;
  if (outcome.retryAfterMs !== undefined && tries < MOST_TRIES) return askedMs(outcome.retryAfterMs, random);
  return backoffMs(tries, random);
}

function backoffMs(tries: number, random: () => number): number | undefined {
  return tries < MOST_TRIES ? fullJitter(BACKOFF, tries, random) : undefined;
}

/** What the server asked for, and up to a tenth more, so that all it turned away do not come back as one. */
function askedMs(ms: number, random: () => number): number {
  return ms * (1 + 0.1 * random());
}

/** The Retry-After header: seconds, or a date. */
export function parseRetryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined || value.trim() === '') return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

export function isRepeatablePatch(patch: Patch, subresource: Subresource | undefined): boolean {
  switch (patch.type) {
    case 'json':
      return patch.operations.some((operation) => operation.op === 'test');
    case 'apply':
      return true;
    case 'merge':
      return subresource === 'status' || hasResourceVersion(patch.body);
    default:
      return patch satisfies never;
  }
}

function hasResourceVersion(body: unknown): boolean {
  const metadata = (body as { metadata?: { resourceVersion?: unknown } } | null)?.metadata;
  return typeof metadata?.resourceVersion === 'string';
}

/** Errors that say that not one byte of the request left. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_PRX_CONN',
]);

/** Looks for the code in what undici throws, and in what it wraps (happy eyeballs throws an AggregateError). */
export function networkErrorCode(thrown: unknown): string {
  for (let error: unknown = thrown, depth = 0; error instanceof Error && depth < 4; depth += 1) {
    const { code } = error as { code?: unknown };
    if (typeof code === 'string' && code !== 'UND_ERR') return code;
    error = error.cause ?? (error as { errors?: unknown[] }).errors?.[0];
  }
  return thrown instanceof Error ? thrown.name : 'unknown';
}

export function wasSent(code: string): boolean {
  return (
    !NOT_SENT.has(code) &&
    !code.includes('CERT') &&
    !code.startsWith('ERR_TLS') &&
    !code.startsWith('ERR_SSL')
  );
}

/**
 * Where a release can stand, as pictures. In all of them r1 was adopted on blue an hour ago; r2 is, was, or will be
 * released on green.
 */
import type { RevisionFacts } from '../../../src/release/facts.ts';
import { HOUR, MINUTE, NOON, type Picture, SECOND, UID } from './world.ts';

export const ADOPTED_AT: number = NOON - HOUR;

export const r1: RevisionFacts = {
  color: 'blue',
  attempt: 1,
  startedAt: ADOPTED_AT,
  adoption: true,
  sourceReplicas: 3,
  validatedAt: ADOPTED_AT,
  verifiedAt: ADOPTED_AT,
  verifiedReady: 3,
  committedAt: ADOPTED_AT,
  outcome: { kind: 'Committed', at: ADOPTED_AT, reason: 'Adopted', message: 'adopted' },
};

/** r2, just started. */
export const r2: RevisionFacts = { color: 'green', attempt: 2, startedAt: NOON - MINUTE };
export const r2Validated: RevisionFacts = { ...r2, validatedAt: NOON - 10 * SECOND };
export const r2Verified: RevisionFacts = { ...r2Validated, verifiedAt: NOON - 5 * SECOND, verifiedReady: 3 };
export const r2Committed: RevisionFacts = {
  ...r2Verified,
  committedAt: NOON - SECOND,
  windowUntil: NOON + 48 * HOUR,
  outcome: { kind: 'Committed', at: NOON - SECOND, reason: 'Committed', message: 'kept' },
};
export const r2RolledBack: RevisionFacts = {
  ...r2Verified,
  outcome: { kind: 'RolledBack', at: NOON - SECOND, reason: 'CheckFailed', message: 'too many errors' },
  rejected: { at: NOON - SECOND, reason: 'CheckFailed', message: 'too many errors' },
};

export const FORWARD_1 = `${UID}/r1/1`;
export const FORWARD_2 = `${UID}/r2/2`;
export const BACK_1 = `${UID}/r1/2/back`;

/** Nothing of the release exists yet: the source serves with three pods. */
export const fresh: Picture = {
  source: { replicas: 3, claimedBy: undefined, live: { fingerprint: 'v1', replicaSet: 'checkout-abc' } },
};

/** r1 serves, and is what people wish for. */
export const idle: Picture = {
  route: 'blue',
  mark: FORWARD_1,
  switchedAt: ADOPTED_AT,
  blue: { revision: 'r1', ready: 3 },
  revisions: { r1 },
};

/** r2 is wished for and under way; its colour is not written yet. */
export const started: Picture = { ...idle, source: { fingerprint: 'v2' }, revisions: { r1, r2 } };

/** r2 stands ready on green, and no gate has been asked. */
export const built: Picture = { ...started, green: { revision: 'r2', ready: 3 } };

/** r2 passed its gates. */
export const validated: Picture = { ...built, revisions: { r1, r2: r2Validated } };

/** The selector names r2; the endpoints have followed. */
export const switched: Picture = {
  ...validated,
  route: 'green',
  mark: FORWARD_2,
  switchedAt: NOON - 5 * SECOND,
};

/** r2 is watched. */
export const observed: Picture = { ...switched, revisions: { r1, r2: r2Verified } };

/** r2 was kept; r1 stands by. */
export const committed: Picture = { ...observed, revisions: { r1, r2: r2Committed } };

/** The way back to r1 is ordered. */
export const returning: Picture = {
  ...observed,
  route: 'blue',
  mark: BACK_1,
  switchedAt: NOON - SECOND,
  switchReason: 'CheckFailed: too many errors',
};

/** r2 lost the traffic and is rejected; people still wish for it. */
export const rolledBack: Picture = { ...returning, revisions: { r1, r2: r2RolledBack } };

/** By the phase that a person would name. */
export const SITUATIONS: Readonly<Record<string, Picture>> = {
  fresh,
  idle,
  started,
  built,
  validated,
  switched,
  observed,
  committed,
  returning,
  rolledBack,
};

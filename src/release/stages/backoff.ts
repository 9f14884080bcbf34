/** When an inconclusive attempt may be tried again. */
import type { RevisionFacts } from '../facts.ts';

const FIRST_MS = 30_000;
const MOST_MS = 1_800_000;

/** Doubles from 30 seconds to half an hour. */
export function backoff(facts: RevisionFacts, now: number): { count: number; retryAt: number } {
  const count = (facts.inconclusive?.count ?? 0) + 1;
  return { count, retryAt: now + Math.min(MOST_MS, FIRST_MS * 2 ** (count - 1)) };
}

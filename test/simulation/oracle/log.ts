/** Invariant 10: every effect stands in the decision log. One of these for each operator process. */
import type { Decision } from '../../../src/api/status.ts';
import { describe } from '../../../src/release/describe.ts';
import type { Effect } from '../../../src/release/plan.ts';
import { fail } from './view.ts';

export interface LogGuard {
  /** `uid`: of the release as it stands. */
  onEffect(uid: string | undefined, effect: Effect, result: string): void;
  /** After it wrote the status. */
  check(uid: string | undefined, decisions: readonly Decision[]): void;
}

export function createLogGuard(): LogGuard {
  let done: { readonly uid: string | undefined; readonly text: string }[] = [];
  let missed = new Set<string>();
  return {
    onEffect(uid, effect, result) {
      if (result === 'applied') done.push({ uid, text: describe(effect).slice(0, 256) });
    },
    check(uid, decisions) {
      const told = new Set(decisions.flatMap(({ effects }) => effects ?? []));
      // A release that is gone tells of nothing any more.
      done = done.filter((effect) => effect.uid === uid && !told.has(effect.text));
      const again = done.find(({ text }) => missed.has(text));
      if (again !== undefined) fail(`the decision log does not tell of: ${again.text}`);
      // A status that was decided before the effect may be written after it: the next one must tell of it.
      missed = new Set(done.map(({ text }) => text));
    },
  };
}

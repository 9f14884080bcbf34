/** Invariant 10: every effect stands in the decision log. One of these for each operator process. */
import type { Decision } from '../../../src/api/status.ts';
import { describe } from '../../../src/release/describe.ts';
import type { Effect } from '../../../src/release/plan.ts';
import { fail } from './view.ts';

export interface LogGuard {
  begin(): void;
  onEffect(effect: Effect, result: string): void;
  /** After it wrote the status. */
  check(decisions: readonly Decision[]): void;
}

export function createLogGuard(): LogGuard {
  let done: string[] = [];
  let missed = new Set<string>();
  let failed = false;
  return {
    begin() {
      done = [];
      missed = new Set();
      failed = false;
    },
    onEffect(effect, result) {
      // What was done of a plan before it failed is decided anew.
      if (result !== 'applied') {
        failed = true;
        done = [];
      } else if (!failed) done.push(describe(effect).slice(0, 256));
    },
    check(decisions) {
      const told = new Set(decisions.flatMap(({ effects }) => effects ?? []));
      const secret = done.filter((effect) => !told.has(effect));
      const again = secret.find((effect) => missed.has(effect));
      if (again !== undefined) fail(`the decision log does not tell of: ${again}`);
      // A status that was decided before the effect may be written after it: the next one must tell of it.
      missed = new Set(secret);
    },
  };
}

/** Invariant 10: every effect stands in the decision log. One of these for each operator process. */
import { memo } from '../../../src/api/memo.ts';
import type { Decision } from '../../../src/api/status.ts';
import { describe } from '../../../src/release/describe.ts';
import type { Effect } from '../../../src/release/plan.ts';
import { fail } from './view.ts';

/** As it stands. */
interface Log {
  /** Of the release. */
  readonly uid: string | undefined;
  readonly decisions: readonly Decision[];
}

export interface LogGuard {
  onEffect(log: Log, effect: Effect, result: string): void;
  /** All effects of this decision have been tried: a status that was decided after them tells of them. */
  onDecision(): void;
  /** After it wrote the status. */
  check(log: Log): void;
}

export function createLogGuard(): LogGuard {
  interface Done {
    readonly uid: string | undefined;
    readonly text: string;
  }

  let done: Done[] = [];
  /** Of a decision that others of its effects keep: what is written meanwhile was decided before it. */
  let underWay: Done[] = [];
  let missed = new Set<string>();
  let before: ReadonlySet<string> = new Set();
  return {
    onEffect(log, effect, result) {
      const text = describe(effect).slice(0, 256);
      // What is put back again and again is told of once a minute: the log may be lost in between, and that is seen late.
      if (result === 'applied' && !toldBy(log.decisions).has(text) && !before.has(text))
        underWay.push({ uid: log.uid, text });
      // Who has let go of it writes no status any more, however long others keep the object (a foreground delete).
      if (result !== 'applied' || effect.kind !== 'RemoveFinalizer') return;
      done = done.filter(({ uid }) => uid !== log.uid);
      underWay = underWay.filter(({ uid }) => uid !== log.uid);
    },
    onDecision() {
      done.push(...underWay);
      underWay = [];
    },
    check(log) {
      const known = toldBy(log.decisions);
      before = known;
      // A release that is gone tells of nothing any more. Of a long list of effects not all are named.
      const isTold = ({ text }: Done): boolean =>
        known.has(text) || [...known].some((each) => MORE.test(each));
      done = done.filter((effect) => effect.uid === log.uid && !isTold(effect));
      const again = done.find(({ text }) => missed.has(text));
      if (again !== undefined) fail(`the decision log does not tell of: ${again.text}`);
      // A status that was decided before the effect may be written after it: the next one must tell of it.
      missed = new Set(done.map(({ text }) => text));
    },
  };
}

const MORE = /^and \d+ more$/;

const toldBy = memo(
  (decisions: readonly Decision[]): ReadonlySet<string> =>
    new Set(decisions.flatMap(({ effects }) => effects ?? [])),
);

/**
 * Lines of the decision log that tell what this process did, and that it has written in no status yet: somebody else had
 * been quicker, the write failed, or its turn has not come. Or the same stood there already, and may be lost by now. What
 * they tell of is done, so that the next status has them. A process that dies takes them with it.
 */

import { sameJson } from '../api/json.ts';
import { memo } from '../api/memo.ts';
import type { Decision, ReleaseStatus } from '../api/status.ts';
import { describe } from '../release/describe.ts';
import type { Effect } from '../release/plan.ts';

/** Another release may come under the same key. */
interface Subject {
  readonly key: string;
  readonly uid: string | undefined;
}

export interface Untold {
  lines(of: Subject): readonly Decision[];
  /** What stands in the cluster, and what this process did since. */
  withThem(of: Subject, written: ReleaseStatus): ReleaseStatus;
  keep(of: Subject, lines: readonly Decision[]): void;
  /** And `decided` is to be written as it is, unless another one was written meanwhile: what changed since is news once. */
  keepWhole(of: Subject, lines: readonly Decision[], written: ReleaseStatus, decided: ReleaseStatus): void;
  forget(key: string): void;
}

/** As many as a status may hold. */
const MOST = 20;

interface Kept {
  readonly uid: string | undefined;
  readonly lines: readonly Decision[];
  readonly whole?: { readonly written: ReleaseStatus; readonly decided: ReleaseStatus };
}

export function createUntold(): Untold {
  const untold = new Map<string, Kept>();
  const known = ({ key, uid }: Subject): Kept | undefined => {
    const kept = untold.get(key);
    return kept?.uid === uid ? kept : undefined;
  };
  return {
    lines: (of) => known(of)?.lines ?? [],
    withThem(of, written) {
      const { lines = [], whole } = known(of) ?? {};
      if (whole !== undefined && sameJson(whole.written, written)) return whole.decided;
      const { decisions = [] } = written;
      const missing = lines.filter(isNoneOf(decisions));
      return missing.length === 0
        ? written
        : { ...written, decisions: [...decisions, ...missing].slice(-MOST) };
    },
    keep({ key, uid }, lines) {
      if (lines.length === 0) untold.delete(key);
      else untold.set(key, { uid, lines });
    },
    keepWhole({ key, uid }, lines, written, decided) {
      untold.set(key, { uid, lines, whole: { written, decided } });
    },
    forget: (key) => void untold.delete(key),
  };
}

/**
 * Of the log as it is now: what was untold `before`, unless a full log has left it out or a newer line stands for it, and
 * what tells of all that was `done`. A retry, and what is put back again and again, has no line of its own.
 */
export function untoldIn(
  log: readonly Decision[],
  before: readonly Decision[],
  done: readonly Effect[],
): readonly Decision[] {
  const isNew = isNoneOf(before);
  const telling = new Set(done.map(describe).map((text) => lineOf(log, text)));
  return log.filter((line) => !isNew(line) || telling.has(line));
}

/** Of a long list of effects not all are named. */
function lineOf(log: readonly Decision[], text: string): Decision | undefined {
  return log.findLast(({ effects }) => effects?.includes(text)) ?? log.at(-1);
}

export function isNoneOf(lines: readonly Decision[] = []): (line: Decision) => boolean {
  const identities = new Set(lines.map(identity));
  return (line) => !identities.has(identity(line));
}

const identity = memo(({ at, effects = [] }: Decision) => [at, ...effects].join('\n'));

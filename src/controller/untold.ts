/**
 * Decisions of a reconcile that ended before its status was written: somebody else had been quicker, the write failed,
 * or its turn has not come. What they did is done, so that the next status tells of them. A process that dies takes them
 * with it.
 */

import { sameJson } from '../api/json.ts';
import { memo } from '../api/memo.ts';
import type { Decision, ReleaseStatus } from '../api/status.ts';

/** Another release may come under the same key. */
interface Subject {
  readonly key: string;
  readonly uid: string | undefined;
}

export interface Untold {
  /** What stands in the cluster, and what was decided since. */
  withThem(of: Subject, written: ReleaseStatus): ReleaseStatus;
  /** `base`: what `decided` was decided on. What that told of, and a full log no more, was left out as too old. */
  keep(of: Subject, written: ReleaseStatus, decided: ReleaseStatus, base: ReleaseStatus): void;
  /** It is to be written as it is, unless another one was written meanwhile: what changed since is news once. */
  keepWhole(of: Subject, written: ReleaseStatus, decided: ReleaseStatus): void;
  forget(key: string): void;
}

/** As many as a status may hold. */
const MOST = 20;

interface Kept {
  readonly uid: string | undefined;
  readonly decisions: readonly Decision[];
  readonly whole?: { readonly written: ReleaseStatus; readonly decided: ReleaseStatus };
}

export function createUntold(): Untold {
  const untold = new Map<string, Kept>();
  return {
    withThem({ key, uid }, written) {
      const known = untold.get(key);
      const { whole } = known ?? {};
      if (whole !== undefined && known?.uid === uid && sameJson(whole.written, written)) return whole.decided;
      const missing = known?.uid === uid ? without(written, known?.decisions) : [];
      if (missing.length === 0) return written;
      return { ...written, decisions: [...(written.decisions ?? []), ...missing].slice(-MOST) };
    },
    keep({ key, uid }, written, decided, base) {
      const isFull = (written.decisions ?? []).length >= MOST;
      const missing = without(written, decided.decisions);
      untold.set(key, { uid, decisions: isFull ? without(base, missing) : missing });
    },
    keepWhole({ key, uid }, written, decided) {
      const decisions = without(written, decided.decisions);
      untold.set(key, { uid, decisions, whole: { written, decided } });
    },
    forget: (key) => void untold.delete(key),
  };
}

function without(written: ReleaseStatus, decisions: readonly Decision[] = []): readonly Decision[] {
  const told = new Set(written.decisions?.map(identity));
  return decisions.filter((decision) => !told.has(identity(decision)));
}

const identity = memo(({ at, effects = [] }: Decision) => [at, ...effects].join('\n'));

/**
 * Decisions of a reconcile that ended before its status was written: somebody else had been quicker, or the write
 * failed. What they did is done, so that the next status tells of them. A process that dies takes them with it.
 */
import type { Decision, ReleaseStatus } from '../api/status.ts';

/** Another release may come under the same key. */
interface Subject {
  readonly key: string;
  readonly uid: string | undefined;
}

export interface Untold {
  /** What stands in the cluster, and what was decided since. */
  withThem(of: Subject, written: ReleaseStatus): ReleaseStatus;
  keep(of: Subject, written: ReleaseStatus, decided: ReleaseStatus): void;
  forget(key: string): void;
}

/** As many as a status may hold. */
const MOST = 20;

export function createUntold(): Untold {
  const untold = new Map<
    string,
    { readonly uid: string | undefined; readonly decisions: readonly Decision[] }
  >();
  return {
    withThem({ key, uid }, written) {
      const known = untold.get(key);
      const missing = known?.uid === uid ? without(written, known?.decisions) : [];
      if (missing.length === 0) return written;
      return { ...written, decisions: [...(written.decisions ?? []), ...missing].slice(-MOST) };
    },
    keep({ key, uid }, written, decided) {
      untold.set(key, { uid, decisions: without(written, decided.decisions) });
    },
    forget: (key) => void untold.delete(key),
  };
}

function without(written: ReleaseStatus, decisions: readonly Decision[] = []): readonly Decision[] {
  const told = new Set(written.decisions?.map(identity));
  return decisions.filter((decision) => !told.has(identity(decision)));
}

function identity({ at, effects = [] }: Decision): string {
  return [at, ...effects].join('\n');
}

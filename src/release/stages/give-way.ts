/**
 * The watched revision is bad or dead, the way back has been shut for a while, and people wish for something else: that
 * is the way forward. A fix must never wait for what it fixes to become well.
 */
import { recordFacts } from '../effects.ts';
import type { Verdict } from '../plan.ts';
import type { Roles, StartedRevision } from '../roles.ts';
import type { Snapshot } from '../snapshot.ts';
import { notNow } from '../start.ts';

/** How long a standby may take to become ready before any other way is better than a bad side. Milliseconds. */
export const PATIENCE_MS = 60_000;

/** `since`: from when on neither side could serve as it should. */
export function giveWay(
  snapshot: Snapshot,
  roles: Roles,
  watched: StartedRevision,
  since: number,
): Verdict | undefined {
  if (snapshot.now < since + PATIENCE_MS || watched.facts.outcome !== undefined) return undefined;
  if (!isFixWished(snapshot, roles, watched)) return undefined;
  const at = snapshot.now;
  const message = `revision ${watched.name} is no longer watched: it cannot serve, no side is able to take over, and another revision is wished for`;
  const { returnWanted: _, inconclusive: __, ...facts } = watched.facts;
  return {
    phase: 'Committed',
    reason: 'GaveWay',
    message,
    effects: [
      recordFacts(watched, {
        ...facts,
        committedAt: at,
        windowUntil: at + watched.frozen.rollback.windowSeconds * 1000,
        outcome: { kind: 'Committed', at, reason: 'GaveWay', message },
      }),
    ],
  };
}

/** Another revision than the two sides hold, which may start now. */
export function isFixWished(snapshot: Snapshot, roles: Roles, watched: StartedRevision): boolean {
  const wished = snapshot.wish?.fingerprint;
  if (wished === undefined || snapshot.release.spec.suspend) return false;
  if (wished === watched.fingerprint || wished === roles.target?.fingerprint) return false;
  return notNow(snapshot, roles) === undefined;
}

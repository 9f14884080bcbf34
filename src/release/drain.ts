/** When connections that were made before a switch have had their time. */
import type { StartedRevision } from './roles.ts';

/** How long after the proof of a switch a node's proxy may still make connections to the other side, milliseconds. */
export const PROXIES_FOLLOW_MS = 5000;

/** From when on the side that lost the traffic to this revision may be touched. */
export function drainedAt({ facts, frozen }: StartedRevision): number {
  return (facts.verifiedAt ?? 0) + frozen.traffic.drainSeconds * 1000;
}

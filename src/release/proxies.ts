import type { StartedRevision } from './roles.ts';

/** How long after the proof of a switch a node's proxy may still make connections to the other side, milliseconds. */
export const PROXIES_FOLLOW_MS = 5000;

/** When the proxies of all nodes have followed the switch to this revision. */
export const followedAt = ({ facts }: StartedRevision): number => (facts.verifiedAt ?? 0) + PROXIES_FOLLOW_MS;

/** How long after the proof of a switch a node's proxy may still make connections to the other side, milliseconds. */
export const PROXIES_FOLLOW_MS = 5000;

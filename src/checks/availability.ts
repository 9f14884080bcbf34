/**
 * The built-in check. Its base is what was ready when the switch was verified, and never more than is asked for now: neither
 * a scale-out in progress nor a scale-in, of an autoscaler or of people, says anything against the revision. Moving away
 * helps only if the other side is better.
 */
import { formatTime, parseTime } from '../api/time.ts';
import { isUntold, readyCount, servingOfColor } from '../release/endpoints.ts';
import type { Roles, StartedRevision } from '../release/roles.ts';
import type { Snapshot } from '../release/snapshot.ts';
import type { CheckVerdict } from './check.ts';

const AVAILABILITY = 'availability';

export function availability(snapshot: Snapshot, roles: Roles, watched: StartedRevision): CheckVerdict {
  if (snapshot.endpoint !== undefined) {
    const message = 'there are no pods here to count: the other checks say whether the environment is good';
    return { status: { name: AVAILABILITY, state: 'Unknown', message } };
  }
  const { minReadyPercent, forSeconds } = watched.frozen.observation.availability;
  const { color, verifiedReady = 0 } = watched.facts;
  // A side that was deleted, or scaled to 0, is brought back.
  const asked = Math.max(1, snapshot.sides[color].deployment?.desired ?? 0);
  const base = Math.min(verifiedReady, asked);
  // Pods that are ready and not behind the Service: the Service is gone or astray, which is not the revision's fault.
  const ready = Math.max(servingOfColor(snapshot, color), readyCount(snapshot, color));
  const needed = Math.ceil((base * minReadyPercent) / 100);
  if (ready >= needed) {
    return {
      status: {
        name: AVAILABILITY,
        state: 'Good',
        message: `${ready} pods are ready, at least ${needed} are needed`,
      },
    };
  }
  if (isUntold(snapshot, color, watched.name)) {
    const message = `the twin that would tell of ${color} pods is gone, and they say themselves that they are ready`;
    return { status: { name: AVAILABILITY, state: 'Unknown', message }, hold: message };
  }
  const since = sinceOf(snapshot);
  const limit = since + forSeconds * 1000;
  const message = `${ready} of ${base} pods are ready since ${formatTime(since)}, at least ${needed} are needed`;
  const status = { name: AVAILABILITY, state: 'Bad' as const, since: formatTime(since), message };
  const better = roles.target !== undefined && readyCount(snapshot, roles.target.facts.color) > ready;
  if (!better || snapshot.now < limit)
    return { status, hold: message, ...(better && { lookAgainAt: limit }) };
  return { status, breach: { reason: 'AvailabilityBreached', message } };
}

/** The status remembers since when; without it, or when the clock was set back, the time starts again. */
function sinceOf(snapshot: Snapshot): number {
  const before = snapshot.previous.checks?.find((check) => check.name === AVAILABILITY);
  const since = before?.state === 'Bad' ? parseTime(before.since) : undefined;
  return Math.min(since ?? snapshot.now, snapshot.now);
}

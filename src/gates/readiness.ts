/**
 * The gate that every release has: the colour runs the revision and nothing else, and the endpoints of each twin hold
 * as many ready pods as production needs now.
 */
import { formatTime } from '../api/time.ts';
import { requiredReady } from '../release/capacity.ts';
import { weakest } from '../release/endpoints.ts';
import { uncovered } from '../release/places.ts';
import type { Roles, StartedRevision } from '../release/roles.ts';
import { runsOnly } from '../release/runs-only.ts';
import type { SideView, Snapshot } from '../release/snapshot.ts';
import type { GateVerdict } from './gate.ts';

const READINESS = 'readiness';

/** Container states that are the application's own doing; all others may pass or be somebody else's. */
const CANDIDATE_AT_FAULT = new Set([
  'CrashLoopBackOff',
  'Error',
  'OOMKilled',
  'RunContainerError',
  'StartError',
]);

/** `since`: when this candidate was started or last found ready; the deadline counts from there. */
export function readiness(
  snapshot: Snapshot,
  roles: Roles,
  candidate: StartedRevision,
  since: number,
): GateVerdict {
  if (snapshot.endpoint !== undefined) {
    const message = 'there are no pods here to wait for: the gates say whether the environment is good';
    return { name: READINESS, state: 'Passed', reason: 'External', message };
  }
  const color = candidate.facts.color;
  const required = requiredReady(snapshot, roles);
  const { service, ready } = weakest(snapshot, color);
  const side = snapshot.sides[color];
  const gap = uncovered(snapshot, color);
  const { available = 0, desired = 0 } = side.deployment ?? {};
  const isReady = ready >= required && available >= desired && runsOnly(snapshot, color, candidate.name);
  if (isReady && gap === undefined) {
    return {
      name: READINESS,
      state: 'Passed',
      reason: 'Ready',
      message: `${ready} of ${required} pods are ready`,
    };
  }
  const deadline = since + candidate.frozen.preparation.deadlineSeconds * 1000;
  // With several Services: a pod may be ready and not have the port that one of them asks for.
  const where = snapshot.services.length > 1 ? ` behind Service "${service}"` : '';
  const missing = isReady ? `; ${gap}` : unfinished(side);
  const progress = `${ready} of ${required} ${color} pods are ready${where}${ready < required ? '' : missing}`;
  const trouble = troubleOf(side);
  if (snapshot.now < deadline) {
    const until = `${trouble ? ` (${trouble.message})` : ''}, waiting until ${formatTime(deadline)}`;
    return {
      name: READINESS,
      state: 'Running',
      reason: trouble?.reason ?? 'WaitingForReadiness',
      message: progress + until,
      lookAgainAt: deadline,
    };
  }
  return {
    name: READINESS,
    state: trouble?.atFault ? 'Failed' : 'Inconclusive',
    reason: trouble?.atFault ? 'CandidateCrashed' : 'PreparationDeadlineExceeded',
    message: `${progress} after ${candidate.frozen.preparation.deadlineSeconds} seconds${trouble ? `: ${trouble.message}` : ''}`,
  };
}

/** Enough pods are ready, and still something is waited for. */
function unfinished({ deployment }: SideView): string {
  const { desired = 0, available = 0, pods = 0, updated = 0 } = deployment ?? {};
  if (pods === updated && available < desired) return `, ${available} of ${desired} available`;
  return ', those of an earlier revision are still being replaced';
}

interface Trouble {
  readonly reason: string;
  readonly message: string;
  readonly atFault: boolean;
}

/** The first reason why pods are missing, in the words of whoever knows. */
function troubleOf(side: SideView): Trouble | undefined {
  const failure = side.deployment?.replicaFailure;
  if (failure !== undefined) return { reason: 'ReplicaFailure', message: failure, atFault: false };
  for (const pod of side.pods) {
    if (pod.ready) continue;
    if (pod.trouble !== undefined) {
      const { reason, container, restarts } = pod.trouble;
      const after = restarts === 0 ? '' : ` after ${restarts} ${restarts === 1 ? 'restart' : 'restarts'}`;
      const message = `pod ${pod.name}, container ${container}: ${reason}${after}`;
      return { reason, message, atFault: CANDIDATE_AT_FAULT.has(reason) };
    }
    if (pod.unschedulable !== undefined) {
      return { reason: 'Unschedulable', message: `pod ${pod.name}: ${pod.unschedulable}`, atFault: false };
    }
  }
  return undefined;
}

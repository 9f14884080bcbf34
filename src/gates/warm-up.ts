/**
 * Requests to each candidate pod before it counts (`preparation.warmUp`): caches are filled, code is compiled, pools are
 * open when the traffic comes. Which pod was asked how often is an observation: a restart asks again, which does no harm.
 * What a pod answers proves nothing here; that it answers at all is awaited, for as long as the preparation may take.
 */
import type { Color } from '../api/status.ts';
import { formatTime } from '../api/time.ts';
import { readyOfColor } from '../release/endpoints.ts';
import type { Request } from '../release/plan.ts';
import type { StartedRevision } from '../release/roles.ts';
import type { PodView, Snapshot } from '../release/snapshot.ts';
import type { GateVerdict } from './gate.ts';

const WARM_UP = 'warm-up';
/** Between two tries of a pod that did not answer, milliseconds. */
const TRY_EVERY_MS = 5000;

export interface WarmUpVerdict extends GateVerdict {
  readonly requests: readonly Request[];
}

/** undefined: none is asked for. `since`: the deadline counts from there. */
export function warmUp(
  snapshot: Snapshot,
  { name, facts, frozen }: StartedRevision,
  since: number,
): WarmUpVerdict | undefined {
  const asked = frozen.preparation.warmUp;
  if (asked === undefined) return undefined;
  const { color, attempt } = facts;
  const { warmUps } = snapshot.observations;
  const counted = readyAnywhere(snapshot, color);
  const cold = counted.filter((uid) => (warmUps[uid]?.answered ?? 0) < asked.requests);
  const done = `${counted.length - cold.length} of ${counted.length} pods answered ${asked.requests} warm-up requests each`;
  const verdict = { name: WARM_UP, requests: [] };
  if (cold.length === 0) return { ...verdict, state: 'Passed', reason: 'WarmedUp', message: done };
  const deadline = since + frozen.preparation.deadlineSeconds * 1000;
  const pods = snapshot.sides[color].pods.filter(({ uid }) => cold.includes(uid));
  const message = `${done}${troubleIn(snapshot, pods)}`;
  if (snapshot.now >= deadline)
    return { ...verdict, state: 'Inconclusive', reason: 'WarmUpUnanswered', message };
  const due = pods.filter((pod) => isDue(snapshot, pod));
  return {
    name: WARM_UP,
    state: 'Running',
    reason: 'WarmingUp',
    message: `${message}, waiting until ${formatTime(deadline)}`,
    requests: due.map(({ name: pod, uid }) => ({
      kind: 'WarmUp',
      revision: name,
      attempt,
      color,
      pod,
      uid,
      asked,
    })),
    lookAgainAt: Math.min(deadline, snapshot.now + TRY_EVERY_MS),
  };
}

/** uids: news of a pod may come after that of its endpoint, through which it would get the traffic. */
function readyAnywhere({ sides, services }: Snapshot, color: Color): string[] {
  const own = sides[color].pods.filter(({ ready }) => ready).map(({ uid }) => uid);
  return [...new Set([...own, ...services.flatMap((service) => [...readyOfColor(service, color)])])];
}

function isDue({ observations, now }: Snapshot, { uid }: PodView): boolean {
  const known = observations.warmUps[uid];
  return known?.trouble === undefined || now >= known.at + TRY_EVERY_MS;
}

function troubleIn({ observations }: Snapshot, cold: readonly PodView[]): string {
  for (const { uid, name } of cold) {
    const trouble = observations.warmUps[uid]?.trouble;
    if (trouble !== undefined) return ` (pod ${name}: ${trouble})`;
  }
  return '';
}

/**
 * What goes before everything else in every stage: production has endpoints, and its selectors are where the last
 * legitimate switch put them.
 */
import type { Color } from '../api/status.ts';
import { parseTime } from '../api/time.ts';
import type { Breach } from '../checks/check.ts';
import { credentialsDue } from '../traffic/credentials.ts';
import { claimEndpoint, publish, refusalOf, unpublished } from '../traffic/endpoint.ts';
import { resolve } from './capacity.ts';
import { describe } from './describe.ts';
import { moveTraffic, wouldDarken } from './effects.ts';
import { foreign } from './endpoint-problems.ts';
import type { EndpointView } from './endpoint-view.ts';
import {
  isUntold,
  otherColor,
  readyCount,
  readyOfColor,
  selectedColor,
  servesAlone,
  servingCount,
} from './endpoints.ts';
import type { Verdict } from './plan.ts';
import type { Roles, Stage, StartedRevision } from './roles.ts';
import { readyToReturn } from './rollback.ts';
import { runsOnly } from './runs-only.ts';
import { isOn, known, moveInForce } from './services.ts';
import type { ServiceView, Snapshot } from './snapshot.ts';
import { isOverdue } from './split.ts';
import { cannotGoBack, goBack } from './stages/back.ts';
import { isFixWished } from './stages/give-way.ts';
import { revertedTo } from './stages/observing.ts';
import { refused } from './start.ts';
import { groundwork, holdActive } from './upkeep.ts';

const MAY_GO_BACK: ReadonlySet<Stage> = new Set<Stage>(['Switching', 'Observing', 'Resting']);

/**
 * The active side has no ready endpoint and the rollback target has: at once, nothing can become worse. Where Services
 * lost their key the target's pods may be all that serves: they go back to where their traffic is.
 */
export function rescue(snapshot: Snapshot, roles: Roles): Verdict | undefined {
  const { active, target, stage } = roles;
  if (active === undefined || target === undefined || !MAY_GO_BACK.has(stage)) return undefined;
  const to = target.facts.color;
  const isBack = servesAlone(snapshot, to) && runsOnly(snapshot, to, target.name);
  if ((servingCount(snapshot) > 0 && !isBack) || readyCount(snapshot, active.facts.color) > 0)
    return undefined;
  if (readyCount(snapshot, to) === 0 || isUntold(snapshot, active.facts.color, active.name)) return undefined;
  const back = goBack(snapshot, roles, active, {
    reason: 'NoReadyEndpoints',
    message: `no ${active.facts.color} pod (revision ${active.name}) is ready`,
  });
  // What is ready there is of another revision, and stays so: a fix does not wait for it.
  const isShut = stage === 'Resting' && back.stalled && readyToReturn(snapshot, target) === 0;
  return isShut && isFixWished(snapshot, roles, active) ? undefined : back;
}

const AT_REST: ReadonlySet<Verdict['phase']> = new Set([
  'Observing',
  'Held',
  'Committed',
  'Idle',
  'Suspended',
]);

/**
 * No pod of the active side is ready, and no other side may take over: nothing can be done but to say so. A verdict
 * that does something, or waits for something, says that instead.
 */
export function tellOutage(snapshot: Snapshot, { active, stage }: Roles, verdict: Verdict): Verdict {
  // Of an external workload nobody here can tell.
  if (snapshot.endpoint !== undefined) return verdict;
  if (active === undefined || !MAY_GO_BACK.has(stage) || !AT_REST.has(verdict.phase)) return verdict;
  if (verdict.stalled || verdict.specPending || (verdict.effects ?? []).length > 0) return verdict;
  if (servingCount(snapshot) > 0 || readyCount(snapshot, active.facts.color) > 0) return verdict;
  if (isUntold(snapshot, active.facts.color, active.name)) return verdict;
  const message = `no ${active.facts.color} pod (revision ${active.name}) is ready`;
  return { ...verdict, ...cannotGoBack(active, message) };
}

/**
 * A Service that is not where the last order put it: another writer replaced its selector, or a crash came between
 * two patches of one switch. Both are mended by the same patch. Drift is never taken for progress (invariant 7).
 */
export function align(snapshot: Snapshot, roles: Roles): Verdict | undefined {
  const { active, stage } = roles;
  if (active === undefined || isOverdue(snapshot, roles)) return undefined;
  const unfinished = whyUnfinished(snapshot, roles, active);
  if (unfinished !== undefined) return goBack(snapshot, roles, active, unfinished);
  if (snapshot.endpoint !== undefined) return alignEndpoint(snapshot, roles, active, snapshot.endpoint);
  const { color } = active.facts;
  const services = known(snapshot, roles);
  const moves = moveTraffic(snapshot, moveInForce(snapshot, active, roles), services);
  const label = snapshot.release.spec.traffic.selectorLabel;
  if (moves.length === 0) return leaveAstray(snapshot, roles, active, label);
  const { name, seen, writer } = astrayIn(services, color, label);
  const [first] = moves;
  const message =
    seen === color && first?.kind === 'PatchSelector'
      ? `Service "${first.service}" selects ${color} and lacks the mark of the last switch; writing it (revision ${active.name})`
      : `Service "${name}" selected ${seen}${writer}; putting it back to ${color} (revision ${active.name})${remedy(snapshot, name)}`;
  return {
    phase: PHASE_WHILE_ALIGNING[stage],
    reason: 'SelectorRestored',
    message,
    effects: moves,
    drift: moves.every((move) => isRecent(snapshot, TELL_AGAIN_MS, describe(move))) ? 'Told' : 'New',
  };
}

/** Within this time the rest of a switch may be under way, of which this process has not heard yet. Milliseconds. */
const CUT_IN_HALF_MS = 15_000;

/**
 * A crash came between two patches of one switch, and it is not to be finished: people wish for what it moves away from
 * again, or what serves behind the other Services has grown since, and they are not moved to fewer pods than a candidate
 * must have.
 */
function whyUnfinished(snapshot: Snapshot, roles: Roles, active: StartedRevision): Breach | undefined {
  const { stage, target, command } = roles;
  if (stage !== 'Switching' || target === undefined || readyToReturn(snapshot, target) === 0)
    return undefined;
  const left = snapshot.services.filter((each) => isOn(snapshot, each, target.facts.color));
  if (left.length === 0) return undefined;
  const reverted = revertedTo(snapshot, roles, active);
  if (reverted !== undefined) return reverted;
  if (snapshot.now < (command?.decidedAt ?? snapshot.now) + CUT_IN_HALF_MS) return undefined;
  const outgrown = left.map((service) => outgrownBehind(service, target, active));
  return outgrown.find((each) => each !== undefined);
}

function outgrownBehind(
  service: ServiceView,
  target: StartedRevision,
  { name, facts, frozen }: StartedRevision,
): Breach | undefined {
  const { color } = target.facts;
  const serving = readyOfColor(service, color).size;
  const ready = readyOfColor(service, facts.color).size;
  if (ready >= resolve(frozen.capacity.candidate, serving)) return undefined;
  const message = `Service "${service.name}" has ${serving} ready ${color} pods by now, and ${facts.color} (revision ${name}) has ${ready}`;
  return { reason: 'SwitchNotConverged', message };
}

const WHAT_IS_LOST: Partial<Record<EndpointView['state'], string>> = {
  Absent: 'is gone',
  Free: 'lost our labels',
};

/** The same for what is published: deleted, or written by somebody else. */
function alignEndpoint(
  snapshot: Snapshot,
  roles: Roles,
  active: StartedRevision,
  endpoint: EndpointView,
): Verdict | undefined {
  const { name, facts } = active;
  const taken = foreign(snapshot, endpoint);
  if (taken !== undefined) return refused(taken);
  const claimed = claimEndpoint(snapshot);
  const move = moveInForce(snapshot, { name, facts }, roles);
  const refusal = refusalOf(snapshot);
  if (claimed.length === 0 && unpublished(snapshot, move).length === 0)
    return alignCredentials(snapshot, roles, active);
  const effects = claimed.length > 0 ? claimed : publish(snapshot, move);
  if (claimed.length === 0 && refusal !== undefined) {
    const message = `ConfigMap "${endpoint.name}" does not say what it should, and cannot be patched (${refusal.message}); it is tried again every second`;
    return { phase: 'Stalled', reason: 'EndpointRefused', message, effects, stalled: true };
  }
  const writer = endpoint.writer === undefined ? '' : ` (last written by ${endpoint.writer})`;
  const gone = WHAT_IS_LOST[endpoint.state] ?? `does not say what it should${writer}`;
  return {
    phase: PHASE_WHILE_ALIGNING[roles.stage],
    reason: 'EndpointRestored',
    message: `ConfigMap "${endpoint.name}" ${gone}: ${facts.color} (revision ${name}) is published again`,
    effects,
    drift: effects.every((effect) => isRecent(snapshot, TELL_AGAIN_MS, describe(effect))) ? 'Told' : 'New',
  };
}

/** Stages in which the order is new, and the Secret is expected to lack behind. */
const ORDERING: ReadonlySet<Stage> = new Set<Stage>(['Adopting', 'Switching', 'Returning']);

/** The Secret follows the ConfigMap. What keeps it from that is told by the stages: it must keep no way back from being found. */
function alignCredentials(snapshot: Snapshot, roles: Roles, active: StartedRevision): Verdict | undefined {
  const { stage } = roles;
  const due = credentialsDue(snapshot, active, roles);
  const { color } = active.facts;
  const secret = snapshot.endpoint?.credentials?.name;
  if (due === undefined || due.effects.length === 0) return undefined;
  const phase = PHASE_WHILE_ALIGNING[stage];
  const { effects } = due;
  if (ORDERING.has(stage)) {
    const message = `publishing the credentials of ${color} (revision ${active.name}) in Secret "${secret}"`;
    return { phase, reason: 'PublishingCredentials', message, effects };
  }
  const message = `Secret "${secret}" does not hold what it should: the credentials of ${color} (revision ${active.name}) are published again`;
  const isTold = effects.every((effect) => isRecent(snapshot, TELL_AGAIN_MS, describe(effect)));
  return { phase, reason: 'CredentialsRestored', message, effects, drift: isTold ? 'Told' : 'New' };
}

/** So long a selector that is put back again and again is not told of anew. Milliseconds. */
const TELL_AGAIN_MS = 60_000;
/** Within this time once is an accident, and again is a writer that goes on. Milliseconds. */
const CONTESTED_MS = 600_000;

/** What ends a fight that the operator will not give up. */
function remedy(snapshot: Snapshot, service: string): string {
  if (!isRecent(snapshot, CONTESTED_MS)) return '';
  return `; it was put back before: leave /spec/selector of Service "${service}" out of what is applied (Argo CD: ignoreDifferences, with RespectIgnoreDifferences=true), or install deploy/policies/selector-keeper.yaml`;
}

const RESTORED: ReadonlySet<string> = new Set([
  'SelectorRestored',
  'EndpointRestored',
  'CredentialsRestored',
]);

/** Whether a selector was put back within so many milliseconds, as far as was told; `effect`: this one, to this colour. */
function isRecent({ now, previous }: Snapshot, withinMs: number, effect?: string): boolean {
  const told = previous.decisions?.findLast(
    ({ reason, effects }) => RESTORED.has(reason) && (effect === undefined || effects?.includes(effect)),
  );
  const at = parseTime(told?.at) ?? Number.NEGATIVE_INFINITY;
  return at <= now && now < at + withinMs;
}

/** The Service to tell of, and who made it so. */
function astrayIn(
  services: readonly ServiceView[],
  color: Color,
  label: string,
): { name: string; seen: string; writer: string } {
  const service = services.find((each) => selectedColor(each, label) !== color) ?? services[0];
  return {
    name: service?.name ?? '',
    seen: (service && selectedColor(service, label)) ?? 'no colour',
    writer: service?.selectorWriter === undefined ? '' : ` (last written by ${service.selectorWriter})`,
  };
}

/** What still serves is not ended for the sake of order. */
function leaveAstray(
  snapshot: Snapshot,
  roles: Roles,
  active: StartedRevision,
  label: string,
): Verdict | undefined {
  const { color } = active.facts;
  const left = known(snapshot, roles).filter(
    (service) => service.found && !isOn(snapshot, service, color) && wouldDarken(service, color),
  );
  if (left.length === 0 || goesForward(snapshot, roles, active, left)) return undefined;
  // Where the source is being adopted still, it serves again wherever the colour does not.
  if (roles.stage === 'Adopting' && snapshot.source?.ready) return undefined;
  const { name, seen, writer } = astrayIn(left, color, label);
  return {
    phase: 'Stalled',
    reason: 'SelectorAstray',
    message: `Service "${name}" selects ${seen}${writer} and is left so: it has ready endpoints, and no ${color} pod (revision ${active.name}), where it should point, is ready`,
    // Without its twin no pod of the side where it should point counts as ready.
    effects: [...holdActive(snapshot, roles), ...groundwork(snapshot)],
    stalled: true,
  };
}

/**
 * A fix must not wait for what it fixes: its switch moves what is left as well. But it takes no side of which another
 * revision serves there.
 */
function goesForward(
  snapshot: Snapshot,
  roles: Roles,
  active: StartedRevision,
  left: readonly ServiceView[],
): boolean {
  const { stage, subject } = roles;
  const isUnderWay = stage === 'Preparing';
  if (!isUnderWay && !(stage === 'Resting' && isFixWished(snapshot, roles, active))) return false;
  const color = otherColor(active.facts.color);
  const own = isUnderWay ? subject?.name : undefined;
  const taken = new Set(
    snapshot.sides[color].pods.flatMap(({ uid, revision }) => (revision === own ? [] : [uid])),
  );
  return left.every(
    (service) =>
      !isOn(snapshot, service, color) &&
      !service.endpoints.some(({ ready, podUid }) => ready && taken.has(podUid)),
  );
}

const PHASE_WHILE_ALIGNING: Record<Stage, Verdict['phase']> = {
  Unadopted: 'Adopting',
  Adopting: 'Adopting',
  Preparing: 'Preparing',
  Switching: 'Switching',
  Observing: 'Observing',
  Returning: 'RollingBack',
  Resting: 'Idle',
};

/**
 * What goes before everything else in every stage: production has endpoints, and its selectors are where the last
 * legitimate switch put them.
 */
import { COLORS, type Color } from '../api/status.ts';
import { moveTraffic } from './effects.ts';
import { readyCount, selectedColor, servingCount } from './endpoints.ts';
import type { SwitchMark } from './mark.ts';
import type { Verdict } from './plan.ts';
import type { Roles, Stage, StartedRevision } from './roles.ts';
import type { Snapshot } from './snapshot.ts';
import { cannotGoBack, goBack } from './stages/back.ts';

const MAY_GO_BACK: ReadonlySet<Stage> = new Set<Stage>(['Switching', 'Observing', 'Resting']);

/** The active side has no ready endpoint and the rollback target has: at once, nothing can become worse. */
export function rescue(snapshot: Snapshot, roles: Roles): Verdict | undefined {
  const { active, target, stage } = roles;
  if (active === undefined || target === undefined || !MAY_GO_BACK.has(stage)) return undefined;
  if (servingCount(snapshot) > 0 || readyCount(snapshot, active.facts.color) > 0) return undefined;
  if (readyCount(snapshot, target.facts.color) === 0) return undefined;
  return goBack(snapshot, roles, active, {
    reason: 'NoReadyEndpoints',
    message: `no ${active.facts.color} pod (revision ${active.name}) is ready`,
  });
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
  if (active === undefined || !MAY_GO_BACK.has(stage) || !AT_REST.has(verdict.phase)) return verdict;
  if (verdict.stalled || verdict.specPending || (verdict.effects ?? []).length > 0) return verdict;
  if (servingCount(snapshot) > 0 || readyCount(snapshot, active.facts.color) > 0) return verdict;
  const message = `no ${active.facts.color} pod (revision ${active.name}) is ready`;
  return { ...verdict, ...cannotGoBack(active, { reason: 'NoReadyEndpoints', message }) };
}

/**
 * A Service that is not where the last order put it: another writer replaced its selector, or a crash came between
 * two patches of one switch. Both are mended by the same patch. Drift is never taken for progress (invariant 7).
 */
export function align(snapshot: Snapshot, roles: Roles): Verdict | undefined {
  const { active, command, stage } = roles;
  if (active === undefined) return undefined;
  const mark = command?.mark ?? reconstructedMark(snapshot, active);
  const label = snapshot.release.spec.traffic.selectorLabel;
  const color = active.facts.color;
  const moves = moveTraffic(snapshot, {
    color,
    mark,
    reason: command?.reason ?? 'SelectorRestored',
    rescue: true,
  });
  const ours = moves.filter(
    (effect) => effect.kind === 'PatchSelector' && isKnown(snapshot, roles, effect.service),
  );
  if (ours.length === 0) return undefined;
  if (wouldDarken(snapshot, color, label)) return leaveAstray(snapshot, active, label);
  const { name, seen, writer } = astrayIn(snapshot, color, label);
  return {
    phase: PHASE_WHILE_ALIGNING[stage],
    reason: 'SelectorRestored',
    message: `Service "${name}" selected ${seen}${writer}; putting it back to ${color} (revision ${active.name})`,
    effects: ours,
  };
}

/** The Service to tell of, and who made it so. */
function astrayIn(
  { services }: Snapshot,
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

/** Putting a selector back to a side without ready pods would end what still serves, and help nobody. */
function wouldDarken(snapshot: Snapshot, color: Color, label: string): boolean {
  const moves = snapshot.services.some((service) => selectedColor(service, label) !== color);
  return moves && readyCount(snapshot, color) === 0 && servingCount(snapshot) > 0;
}

function leaveAstray(snapshot: Snapshot, active: StartedRevision, label: string): Verdict {
  const { color } = active.facts;
  const { name, seen, writer } = astrayIn(snapshot, color, label);
  return {
    phase: 'Stalled',
    reason: 'SelectorAstray',
    message: `Service "${name}" selects ${seen}${writer} and is left so: it has ready endpoints, and no ${color} pod (revision ${active.name}), where it should point, is ready`,
    stalled: true,
  };
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

/** A Service that the release took over, as opposed to one that was named in the spec since. */
function isKnown(snapshot: Snapshot, roles: Roles, name: string): boolean {
  const service = snapshot.services.find((candidate) => candidate.name === name);
  if (service === undefined) return false;
  const label = snapshot.release.spec.traffic.selectorLabel;
  const frozen = roles.active?.frozen.traffic.services.some((entry) => entry.name === name) ?? false;
  // A new Service that names the active colour already may be taken: nothing moves.
  return (
    frozen || service.mark !== undefined || COLORS.some((color) => selectedColor(service, label) === color)
  );
}

/** All annotations are lost: what the facts say the active revision was switched to with. */
function reconstructedMark(snapshot: Snapshot, active: NonNullable<Roles['active']>): SwitchMark {
  const { uid } = snapshot.release;
  return { uid, revision: active.name, attempt: active.facts.attempt, direction: 'Forward' };
}

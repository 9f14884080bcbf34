/**
 * A Service is not where the last order put it, and cannot be written: a policy, a webhook or the rights of the operator
 * forbid it, or another writer is always quicker. The traffic of one release is on two sides. All go back where that
 * unites them; where it does not, nothing else happens until the Service can be written (invariant 9).
 */

import { selectedColor } from './endpoints.ts';
import type { Verdict } from './plan.ts';
import type { Roles, StartedRevision } from './roles.ts';
import { readyToReturn } from './rollback.ts';
import { isOn, refusalOf, stuck } from './services.ts';
import type { ServiceView, Snapshot } from './snapshot.ts';
import { goBack } from './stages/back.ts';
import { groundwork, holdActive, upkeep } from './upkeep.ts';

const MAY_UNITE: ReadonlySet<Roles['stage']> = new Set<Roles['stage']>(['Switching', 'Observing']);
const MOVING: ReadonlySet<Roles['stage']> = new Set<Roles['stage']>(['Switching', 'Returning']);

/**
 * A switch whose time is over although a Service could not be written: it is not tried any further, where all can go back.
 * Where they cannot, the Service is tried on: nothing else ends the split.
 */
export function isOverdue(snapshot: Snapshot, roles: Roles): boolean {
  const { stage, command, active, target } = roles;
  if (stage !== 'Switching' || active === undefined || target === undefined) return false;
  const since = command?.decidedAt ?? active.facts.validatedAt ?? snapshot.now;
  const isLate = snapshot.now >= since + active.frozen.traffic.convergeSeconds * 1000;
  const isolated = stuck(snapshot, roles);
  return (
    isLate && isolated.length > 0 && unites(snapshot, isolated, target) && readyToReturn(snapshot, target) > 0
  );
}

/** These Services never left the side that the others would go back to. */
function unites(snapshot: Snapshot, isolated: readonly ServiceView[], { facts }: StartedRevision): boolean {
  return isolated.every((service) => isOn(snapshot, service, facts.color));
}

export function split(snapshot: Snapshot, roles: Roles): Verdict | undefined {
  const { active, target, stage } = roles;
  const [first, ...more] = stuck(snapshot, roles);
  if (active === undefined || first === undefined) return undefined;
  const isolated = [first, ...more];
  const message = inWords(snapshot, active, first);
  if (target !== undefined && unites(snapshot, isolated, target) && MAY_UNITE.has(stage))
    return goBack(snapshot, roles, active, { reason: 'ServiceRefused', message });
  const isApart = snapshot.services.some((service) => isOn(snapshot, service, active.facts.color));
  return {
    phase: isApart ? 'Split' : 'Stalled',
    reason: 'ServiceRefused',
    message: `${message}; it is tried again every second`,
    effects: MOVING.has(stage)
      ? [...holdActive(snapshot, roles), ...groundwork(snapshot)]
      : upkeep(snapshot, roles),
    stalled: true,
  };
}

function inWords(snapshot: Snapshot, active: StartedRevision, service: ServiceView): string {
  const label = snapshot.release.spec.traffic.selectorLabel;
  const seen = selectedColor(service, label) ?? 'no colour';
  const others = snapshot.services.filter((each) => isOn(snapshot, each, active.facts.color));
  const elsewhere =
    others.length === 0
      ? `instead of ${active.facts.color}`
      : `while ${others.map(({ name }) => `"${name}"`).join(', ')} ${others.length === 1 ? 'selects' : 'select'} ${active.facts.color}`;
  const why = refusalOf(snapshot, service)?.message ?? '';
  return `Service "${service.name}" selects ${seen} ${elsewhere} (revision ${active.name}), and cannot be patched (${why})`;
}

/**
 * Which of the Services count for what. They move together or not at all; but one that was named since the last release
 * has yet to join, one that is gone has nothing to prove, and one that cannot be written splits the release.
 */
import type { Color } from '../api/status.ts';
import type { Move } from './effects.ts';
import { podsOf, readyCount, readyOfColor, selectedColor, telling } from './endpoints.ts';
import type { Roles, StartedRevision } from './roles.ts';
import type { Refusal, ServiceView, Snapshot } from './snapshot.ts';

/** Services that the release has taken over, as opposed to those that were named in its spec since. */
export function known({ services, release }: Snapshot, { active }: Roles): readonly ServiceView[] {
  if (active === undefined) return services;
  const frozen = new Set(active.frozen.traffic.services.map(({ name }) => name));
  const { selectorLabel } = release.spec.traffic;
  return services.filter(
    (service) =>
      frozen.has(service.name) ||
      service.mark !== undefined ||
      // One that names a colour already may be taken: nothing moves that should not.
      selectedColor(service, selectorLabel) !== undefined,
  );
}

/**
 * What every Service of the release should say: the order in force, or what the facts say where all marks are lost. Without
 * its key the source serves behind a Service while it is being adopted, until that is put back.
 */
export function moveInForce(
  { release, now }: Snapshot,
  active: Pick<StartedRevision, 'name' | 'facts'>,
  { command, stage }: Roles,
): Move {
  const { color, attempt, decidedAt, verifiedAt } = active.facts;
  return {
    color,
    mark: command?.mark ?? { uid: release.uid, revision: active.name, attempt, direction: 'Forward' },
    reason: command?.reason ?? 'SelectorRestored',
    rescue: true,
    decidedAt: stage === 'Adopting' ? now : (command?.decidedAt ?? decidedAt ?? verifiedAt),
  };
}

/** Services that were named since, and have yet to join the others. */
export function newcomers(snapshot: Snapshot, roles: Roles): readonly ServiceView[] {
  const taken = new Set(known(snapshot, roles));
  return snapshot.services.filter((service) => service.found && !taken.has(service));
}

/** A newcomer joins when the active side has as many pods for it as for the others, and nobody else has any. */
export function canJoin(snapshot: Snapshot, roles: Roles, service: ServiceView): boolean {
  const { active } = roles;
  if (active === undefined || service.claimedBy !== snapshot.release.uid) return false;
  const { color } = active.facts;
  const { found, matches } = service.twins[color];
  const others = { ...snapshot, services: known(snapshot, roles) };
  const enough = readyOfColor(service, color).size >= Math.max(1, readyCount(others, color));
  return found && matches && enough && !hasStrangers(snapshot, service);
}

/** Ready pods behind a Service that are of neither side. */
export function hasStrangers(snapshot: Snapshot, service: ServiceView): boolean {
  const own = new Set([...podsOf(snapshot, service, 'blue'), ...podsOf(snapshot, service, 'green')]);
  return service.endpoints.some(({ ready, podUid }) => ready && !own.has(podUid));
}

/** Services that have to prove a way back: what is gone, or reaches no pod of either side, proves nothing. */
export function provable(snapshot: Snapshot, roles: Roles): readonly ServiceView[] {
  const reachable = new Set(telling(snapshot));
  const services = known(snapshot, roles);
  const able = services.filter((service) => service.found && reachable.has(service));
  return able.length === 0 ? services : able;
}

/** Services that are not where the last order put them, and that could not be written. */
export function stuck(snapshot: Snapshot, roles: Roles): readonly ServiceView[] {
  const { active } = roles;
  if (active === undefined) return [];
  return known(snapshot, roles).filter(
    (service) =>
      service.found &&
      !isOn(snapshot, service, active.facts.color) &&
      refusalOf(snapshot, service) !== undefined,
  );
}

export function isOn({ release }: Snapshot, service: ServiceView, color: Color): boolean {
  return selectedColor(service, release.spec.traffic.selectorLabel) === color;
}

/** A Service that is astray and was refused for good is tried again after this time, milliseconds. */
const TRY_AGAIN_MS = 1000;
/** What is right where it is, and only not labelled as it should be, can wait. */
const TIDY_AGAIN_MS = 15_000;

export function refusalOf(
  { observations }: Snapshot,
  service: Pick<ServiceView, 'name'>,
): Refusal | undefined {
  return observations.refusals[service.name];
}

/** When a selector that points elsewhere may be written (again). What may pass is tried as often as the loop does. */
export function moveDueAt(snapshot: Snapshot, service: ServiceView): number {
  const refusal = refusalOf(snapshot, service);
  return refusal?.final ? refusal.at + TRY_AGAIN_MS : 0;
}

/** When anything else about a Service may be written (again). */
export function tidyDueAt(snapshot: Snapshot, service: Pick<ServiceView, 'name'>): number {
  const refusal = refusalOf(snapshot, service);
  return refusal === undefined ? 0 : refusal.at + TIDY_AGAIN_MS;
}

/**
 * What must hold in every stage, whoever broke it: the twins stand, the autoscalers and budgets say what they should, the
 * source and the Services carry our label, the active side stands. All of it is idempotent; nothing of it ends a pod that serves,
 * unless people ask for fewer.
 */
import { COLORS, type Color } from '../api/status.ts';
import { credentialsDue } from '../traffic/credentials.ts';
import { claimEndpoint, follow } from '../traffic/endpoint.ts';
import { budgets } from './budgets.ts';
import { autoscalingBounds, candidateSize, standbySize, windowSize } from './capacity.ts';
import { keepCopies } from './copies.ts';
import { moveTraffic, scaleColor, writeColor } from './effects.ts';
import { selectedColor } from './endpoints.ts';
import { claimPaired, lockAutoscaler, releaseLeftovers } from './pair.ts';
import type { Effect } from './plan.ts';
import type { Roles } from './roles.ts';
import { canJoin, moveInForce, newcomers, tidyDueAt } from './services.ts';
import type { LeftoverView, Snapshot, SourceView, TwinView } from './snapshot.ts';

/** How long the capacity locks outlive the proof of a switch, milliseconds. */
export const LOCK_AFTER_SWITCH_MS = 60_000;

export function upkeep(snapshot: Snapshot, roles: Roles): Effect[] {
  if (snapshot.endpoint !== undefined) return endpointUpkeep(snapshot, roles);
  return [
    ...groundwork(snapshot),
    ...claimSource(snapshot, roles),
    ...claimPaired(snapshot),
    ...releaseLeftovers(snapshot),
    ...joins(snapshot, roles),
    ...letGoOfLeftovers(snapshot, roles),
    ...autoscalers(snapshot, roles),
    ...budgets(snapshot, roles),
    ...labels(snapshot),
    ...parkSource(snapshot, roles),
    ...holdActive(snapshot, roles),
  ];
}

/** A consumer that was put back to an earlier template reads what is published, and does not say so. */
function endpointUpkeep(snapshot: Snapshot, roles: Roles): Effect[] {
  const { active } = roles;
  const kept = claims(snapshot);
  if (active === undefined) return kept;
  const isDue = credentialsDue(snapshot, active, roles) !== undefined;
  return isDue ? kept : [...kept, ...follow(snapshot, active, true).effects];
}

/**
 * The side with the traffic: deleted, or scaled to 0, by another writer, its pods come back: at 0 an autoscaler is
 * switched off, and would not bring them. Fixed replicas apply in place, while
 * a release is under way upwards only: it counts on what production had.
 */
export function holdActive(snapshot: Snapshot, { active, stage }: Roles): Effect[] {
  if (active === undefined) return [];
  const { replicas } = snapshot.release.spec;
  const { color, verifiedReady } = active.facts;
  const { deployment } = snapshot.sides[color];
  const size = Math.max(1, replicas ?? verifiedReady ?? autoscalingBounds(snapshot, color)?.min ?? 1);
  if (deployment === undefined) return writeColor(snapshot, color, active.name, size);
  if (deployment.desired === 0) return scaleColor(snapshot, color, size);
  if (replicas === undefined || (stage !== 'Resting' && replicas < deployment.desired)) return [];
  return scaleColor(snapshot, color, replicas);
}

/**
 * Wherever pods are waited for: what they begin with, and what tells that they are ready. Without our labels the endpoints
 * of a Service that was replaced are not heard of.
 */
export function groundwork(snapshot: Snapshot): Effect[] {
  return [...claims(snapshot), ...twins(snapshot), ...keepCopies(snapshot)];
}

/** Labels and claims that another writer took away. */
export function claims(snapshot: Snapshot): Effect[] {
  const services = snapshot.services
    .filter((service) => service.found && (service.claimedBy !== snapshot.release.uid || !service.labelled))
    .filter((service) => snapshot.now >= tidyDueAt(snapshot, service))
    .map(
      ({ name, uid, resourceVersion }): Effect => ({
        kind: 'ClaimService',
        service: name,
        uid,
        resourceVersion,
      }),
    );
  return [...services, ...claimEndpoint(snapshot)];
}

/** Before it has been adopted the claim and the pause are one write. */
function claimSource({ source }: Snapshot, { active }: Roles): Effect[] {
  if (source === undefined || source.claimedBy !== undefined || active === undefined) return [];
  return [{ kind: 'ClaimSource', uid: source.uid }];
}

export function twins(snapshot: Snapshot): Effect[] {
  return snapshot.services
    .filter((service) => service.found && snapshot.now >= tidyDueAt(snapshot, service))
    .flatMap((service) =>
      COLORS.filter((color) => needsTwin(service.twins[color])).map(
        (color): Effect => ({ kind: 'WriteTwin', service: service.name, color }),
      ),
    );
}

/** Services that were named since the last release get the key of the side that serves: nothing of theirs moves. */
function joins(snapshot: Snapshot, roles: Roles): Effect[] {
  const { active } = roles;
  if (active === undefined) return [];
  const joining = newcomers(snapshot, roles).filter((service) => canJoin(snapshot, roles, service));
  return moveTraffic(snapshot, moveInForce(snapshot, active, roles), joining);
}

/** Services that the spec names no more lose their twins, claim and mark. */
function letGoOfLeftovers(snapshot: Snapshot, { active }: Roles): Effect[] {
  return active === undefined ? [] : dismiss(snapshot, [active.facts.color]);
}

/** `kept`: the colours that go on serving. */
export function dismiss(snapshot: Snapshot, kept: readonly Color[]): Effect[] {
  return snapshot.leftovers
    .filter((leftover) => snapshot.now >= tidyDueAt(snapshot, leftover))
    .map((leftover) =>
      leftover.twinOf === undefined
        ? letGo(snapshot, leftover, kept)
        : { kind: 'RemoveTwin', ...leftover.twinOf },
    );
}

/** The key stays, or both sides' pods would answer; a Service that names a side without traffic is put to another, or to none. */
export function letGo(
  { release }: Snapshot,
  service: Pick<LeftoverView, 'name' | 'uid' | 'resourceVersion' | 'selector'>,
  kept: readonly Color[],
): Effect {
  const selected = selectedColor(service, release.spec.traffic.selectorLabel);
  const isLost = selected !== undefined && !kept.includes(selected);
  const color = isLost ? (kept[0] ?? 'None') : undefined;
  return {
    kind: 'ReleaseService',
    service: service.name,
    uid: service.uid,
    resourceVersion: service.resourceVersion,
    ...(color !== undefined && { color }),
  };
}

/**
 * They are ours alone: another release of the Service could not make its own while they stand. Nobody would remove those
 * of a Service that is not there in the moment in which the release goes.
 */
export function removeTwins({ services }: Snapshot): Effect[] {
  return services.flatMap(({ name, twins }) =>
    COLORS.filter((color) => twins[color].found && twins[color].ours).map(
      (color): Effect => ({ kind: 'RemoveTwin', service: name, color }),
    ),
  );
}

/**
 * Services and previews of a release that goes. A Service that Git replaced has lost our claim, and still tells of the
 * switch that came after. `kept`: the colours that go on serving.
 */
export function returnServices(snapshot: Snapshot, kept: readonly Color[]): Effect[] {
  const { services, previews, release } = snapshot;
  const told = services.filter(
    ({ claimedBy, switchedAt }) => claimedBy === undefined && switchedAt !== undefined,
  );
  return [...[...services, ...previews].filter(({ claimedBy }) => claimedBy === release.uid), ...told]
    .filter(({ found }) => found)
    .map((service) => letGo(snapshot, service, kept));
}

/** A stranger's Service under that name is left alone: it is reported as a problem. */
function needsTwin(twin: TwinView): boolean {
  return !twin.found || (twin.ours && !twin.matches);
}

/** One autoscaler for each colour that has a Deployment; none where the spec has none. */
export function autoscalers(snapshot: Snapshot, roles: Roles): Effect[] {
  return COLORS.flatMap((color): Effect[] => {
    if (snapshot.pair !== undefined) return lockAutoscaler(snapshot, color, floor(snapshot, roles, color));
    const bounds = autoscalingBounds(snapshot, color);
    const { autoscaler, deployment } = snapshot.sides[color];
    if (bounds === undefined) {
      if (autoscaler?.ours !== true) return [];
      return [{ kind: 'RemoveAutoscaler', name: `${snapshot.release.name}-${color}`, uid: autoscaler.uid }];
    }
    // A stranger's autoscaler under that name is left alone: it is reported as a problem.
    if (deployment === undefined || autoscaler?.ours === false) return [];
    const minReplicas = Math.min(bounds.max, Math.max(bounds.min, floor(snapshot, roles, color)));
    if (autoscaler?.matches && autoscaler.minReplicas === minReplicas) return [];
    return [{ kind: 'WriteAutoscaler', color, minReplicas }];
  });
}

/** Other people's tools look for a Deployment by its labels. */
function labels({ sides }: Snapshot): Effect[] {
  return COLORS.flatMap((color): Effect[] => {
    const { deployment } = sides[color];
    if (deployment?.ours !== true || deployment.carriesStated) return [];
    const { uid, resourceVersion } = deployment;
    return [{ kind: 'LabelColor', color, uid, resourceVersion }];
  });
}

/** The capacity lock of a colour: pods that its autoscaler must not take away. 0: none. */
function floor(snapshot: Snapshot, roles: Roles, color: Color): number {
  const { subject, active, target, stage } = roles;
  const desired = snapshot.sides[color].deployment?.desired ?? 0;
  const atRest = stage === 'Resting';
  if (!atRest && subject?.facts.color === color && subject.facts.verifiedAt === undefined) {
    return candidateSize(snapshot, roles, color);
  }
  if (target?.facts.color === color) return windowSize(snapshot, roles, color);
  if (active?.facts.color === color) return !atRest && isLocked(snapshot, roles) ? desired : 0;
  return atRest ? standbySize(snapshot, roles) : 0;
}

/** From the last gate until a minute after the proof: production may scale in while its candidate is being prepared. */
function isLocked(snapshot: Snapshot, { subject, active, stage }: Roles): boolean {
  const { validatedAt, verifiedAt } = subject?.facts ?? {};
  if (validatedAt === undefined) return false;
  if (stage !== 'Observing' || active !== subject || verifiedAt === undefined) return true;
  return snapshot.now < verifiedAt + LOCK_AFTER_SWITCH_MS;
}

/** How long a source that somebody scaled up again is left alone, milliseconds: parking it must not become a fight. */
const PARK_AGAIN_MS = 60_000;

/** A sync of the source's manifest scaled it up again: back to 0. Its pods get no traffic, so there is no hurry. */
function parkSource(snapshot: Snapshot, roles: Roles): Effect[] {
  const { source, now } = snapshot;
  if (source === undefined || !isAstray(snapshot, roles) || now < parkAgainAt(source)) return [];
  return [
    { kind: 'ScaleSource', uid: source.uid, from: source.replicas, to: 0, at: now, by: source.scaledBy },
  ];
}

/** When a source that runs although it should not may be parked next; undefined: it is parked, or may be now. */
export function parkingDue(snapshot: Snapshot, roles: Roles): number | undefined {
  if (snapshot.source === undefined || !isAstray(snapshot, roles)) return undefined;
  const due = parkAgainAt(snapshot.source);
  return due > snapshot.now ? due : undefined;
}

/** A Service that names no colour, left so or named a moment ago, may rest on its pods. */
function isAstray({ source, services, release }: Snapshot, { active, stage }: Roles): boolean {
  const { selectorLabel } = release.spec.traffic;
  return (
    source !== undefined &&
    active !== undefined &&
    stage !== 'Adopting' &&
    (source.replicas > 0 || source.paused) &&
    services.every((service) => !service.found || selectedColor(service, selectorLabel) !== undefined)
  );
}

function parkAgainAt({ parkedAt }: SourceView): number {
  return parkedAt === undefined ? 0 : parkedAt + PARK_AGAIN_MS;
}

/** Builders for the effects that several rules order, so that a precondition is written down once. */
import type { Color } from '../api/status.ts';
import { publish } from '../traffic/endpoint.ts';
import { writeCopies } from './copies.ts';
import { selectedColor } from './endpoints.ts';
import type { RevisionFacts } from './facts.ts';
import { formatMark, isLater, type SwitchMark } from './mark.ts';
import type { Effect } from './plan.ts';
import { moveDueAt, tidyDueAt } from './services.ts';
import type { RevisionView, ServiceView, Snapshot } from './snapshot.ts';

/** Replaces the facts of a revision, provided that nobody else did in the meantime. */
export function recordFacts(revision: RevisionView, facts: RevisionFacts): Effect {
  return { kind: 'RecordFacts', revision: revision.name, expected: revision.rawFacts, facts };
}

export interface Move {
  /** undefined, both: without key and mark, as before the adoption. */
  readonly color: Color | undefined;
  readonly mark: SwitchMark | undefined;
  readonly reason: string;
  readonly rescue: boolean;
  /** When that was decided; absent: now. */
  readonly decidedAt?: number | undefined;
}

/** The Service does not point where this move wants it, or does not say so, and may be written. */
function isDue(snapshot: Snapshot, service: ServiceView, { color, mark }: Move): boolean {
  if (!service.found) return false;
  const label = snapshot.release.spec.traffic.selectorLabel;
  if (selectedColor(service, label) !== color)
    return !wouldDarken(service, color) && snapshot.now >= moveDueAt(snapshot, service);
  return service.rawMark !== (mark && formatMark(mark)) && snapshot.now >= tidyDueAt(snapshot, service);
}

/** Putting a selector to a side without ready pods would end what still serves, and help nobody. */
export function wouldDarken(service: ServiceView, color: Color | undefined): boolean {
  if (color === undefined || !service.endpoints.some(({ ready }) => ready)) return false;
  return !service.twins[color].endpoints.some(({ ready }) => ready);
}

/**
 * What stands there is a later order, of another process that had not seen what this one knows: the side that it gave
 * the traffic to loses it now, and not when the order in force was given.
 */
function isUndone({ revisions }: Snapshot, { mark }: ServiceView, move: Move): boolean {
  return mark !== undefined && move.mark !== undefined && isLater(mark, move.mark, revisions);
}

/** One patch for each Service that is not there yet: all of them move together. Or what is published. */
export function moveTraffic(
  snapshot: Snapshot,
  move: Move,
  services: readonly ServiceView[] = snapshot.services,
): Effect[] {
  const patches = services
    .filter((service) => isDue(snapshot, service, move))
    .map(
      (service): Effect => ({
        kind: 'PatchSelector',
        service: service.name,
        uid: service.uid,
        from: service.selector,
        expectedMark: service.rawMark,
        color: move.color,
        mark: move.mark,
        decidedAt: isUndone(snapshot, service, move) ? snapshot.now : (move.decidedAt ?? snapshot.now),
        reason: move.reason,
        rescue: move.rescue,
      }),
    );
  return [...patches, ...publish(snapshot, move)];
}

/** Scales a colour's Deployment if it has another number of replicas. */
export function scaleColor(snapshot: Snapshot, color: Color, to: number): Effect[] {
  const deployment = snapshot.sides[color].deployment;
  if (deployment === undefined || !deployment.ours || deployment.desired === to) return [];
  return [{ kind: 'ScaleColor', color, uid: deployment.uid, from: deployment.desired, to }];
}

/** Writes a revision to a colour if that is not what stands there. */
export function writeColor(snapshot: Snapshot, color: Color, revision: string, replicas: number): Effect[] {
  // What people write is not written, whatever stands there.
  if (snapshot.pair !== undefined) return [];
  const deployment = snapshot.sides[color].deployment;
  if (deployment?.revision === revision && deployment.matches) return [];
  // A stranger's Deployment under that name is never taken: it is reported as a problem.
  if (deployment?.ours === false) return [];
  const expected = deployment && { uid: deployment.uid, resourceVersion: deployment.resourceVersion };
  const written = snapshot.revisions.find(({ name }) => name === revision);
  return [
    ...writeCopies(snapshot, color, written),
    { kind: 'WriteColor', color, revision, replicas, expected },
  ];
}

/** A colour that holds this revision with so many pods: written if it is not that, else scaled. */
export function holdColor(snapshot: Snapshot, color: Color, revision: string, replicas: number): Effect[] {
  const written = writeColor(snapshot, color, revision, replicas);
  return written.length > 0 ? written : scaleColor(snapshot, color, replicas);
}

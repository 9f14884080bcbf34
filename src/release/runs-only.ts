/**
 * Which sides may carry production traffic. One table; nothing else ever does, not even when everything else is dead.
 *
 *     stage       active's colour   the other colour
 *     Unadopted   -                 -                        (the source has the traffic)
 *     Adopting    once validated    -
 *     Preparing   yes               once validated in this attempt
 *     Switching   yes               the rollback target
 *     Observing   yes               the rollback target
 *     Returning   yes               -                        (it is the side that failed)
 *     Resting     yes               the rollback target, inside its window
 */
import type { Color } from '../api/status.ts';
import type { Roles, StartedRevision } from './roles.ts';
import type { Snapshot } from './snapshot.ts';

/** The revision with which this colour may carry traffic, or undefined. */
export function eligibleRevision(roles: Roles, color: Color): StartedRevision | undefined {
  if (roles.active?.facts.color === color) return roles.active;
  const other = ELIGIBLE_OTHER[roles.stage](roles);
  return other?.facts.color === color ? other : undefined;
}

const validated = ({ subject }: Roles) => (subject?.facts.validatedAt === undefined ? undefined : subject);
const target = (roles: Roles) => roles.target;
const none = () => undefined;

const ELIGIBLE_OTHER: Record<Roles['stage'], (roles: Roles) => StartedRevision | undefined> = {
  Unadopted: none,
  Adopting: validated,
  Preparing: validated,
  Switching: target,
  Observing: target,
  Returning: none,
  Resting: target,
};

/** The colour's Deployment holds this revision and nothing else: no old pods, no foreign edits. */
export function runsOnly(snapshot: Snapshot, color: Color, revision: string): boolean {
  const { deployment, pods } = snapshot.sides[color];
  return (
    deployment?.ours === true &&
    deployment.revision === revision &&
    deployment.matches &&
    deployment.observed &&
    deployment.updated === deployment.pods &&
    pods.every((pod) => pod.revision === revision)
  );
}

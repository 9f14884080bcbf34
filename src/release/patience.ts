/**
 * What nobody waits for: what follows a switch that was proven. Where many releases are on their way to theirs at once,
 * it may come after them. Meanwhile the new side goes on being watched, and the old one stands as it stood.
 */
import type { Color } from '../api/status.ts';
import { isLargeEnough } from './capacity.ts';
import type { Effect, Verdict } from './plan.ts';
import type { Roles } from './roles.ts';
import type { Snapshot } from './snapshot.ts';

/** Whether all that is to be done may be done a while later. */
export function isPatient(snapshot: Snapshot, roles: Roles, verdict: Verdict): boolean {
  const { effects = [], reason } = verdict;
  return effects.length > 0 && effects.every((effect) => mayWait(snapshot, roles, effect, reason));
}

function mayWait(snapshot: Snapshot, roles: Roles, effect: Effect, reason: string): boolean {
  switch (effect.kind) {
    case 'RecyclePods':
    case 'DeleteRevision':
    case 'RemoveCopy':
      return true;
    case 'RecordFacts':
      // The end of a watch that went well, and the notes of a release at rest; what a person orders is done at once.
      return reason === 'Committed' && snapshot.release.action === undefined;
    case 'ScaleColor':
      return isSpare(snapshot, roles, effect.color);
    default:
      return false;
  }
}

/** It has no traffic, and what stands of it is as much as it may have to be. */
function isSpare(snapshot: Snapshot, roles: Roles, color: Color): boolean {
  const { active, stage, target } = roles;
  if (active === undefined || active.facts.color === color) return false;
  if (stage !== 'Observing' && stage !== 'Resting') return false;
  return target === undefined ? stage === 'Resting' : isLargeEnough(snapshot, roles, color);
}

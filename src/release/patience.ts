/**
 * What nobody waits for: what follows a switch that was proven. Where many releases are on their way to theirs at once,
 * it may come after them. Meanwhile the new side goes on being watched, and the old one stands as it stood.
 */
import type { Color } from '../api/status.ts';
import { isLargeEnough } from './capacity.ts';
import type { Effect, EffectKind, Verdict } from './plan.ts';
import type { Roles } from './roles.ts';
import type { Snapshot } from './snapshot.ts';

type Patience = (snapshot: Snapshot, roles: Roles, effect: never, verdict: Verdict) => boolean;

/** Of any other kind somebody waits for it. */
const PATIENCE: { [Kind in EffectKind]?: Patience } = {
  RecyclePods: () => true,
  DeleteRevision: () => true,
  RemoveCopy: () => true,
  // The end of a watch that went well, and the notes of a release at rest; what a person orders is done at once.
  RecordFacts: ({ release }, _, __, { reason }) => reason === 'Committed' && release.action === undefined,
  ScaleColor: (snapshot, roles, { color }: Extract<Effect, { kind: 'ScaleColor' }>) =>
    isSpare(snapshot, roles, color),
};

/** Whether all that is to be done may be done a while later. */
export function isPatient(snapshot: Snapshot, roles: Roles, verdict: Verdict): boolean {
  const { effects = [], phase, stalled, alert } = verdict;
  // Production may be bad: a way back that has to grow first must not stand back, nor what people must hear.
  if (phase === 'RollingBack' || stalled || alert !== undefined) return false;
  const mayWait = (effect: Effect): boolean =>
    PATIENCE[effect.kind]?.(snapshot, roles, effect as never, verdict) ?? false;
  return effects.length > 0 && effects.every(mayWait);
}

/** It has no traffic, and what stands of it is as much as it may have to be. */
function isSpare(snapshot: Snapshot, roles: Roles, color: Color): boolean {
  const { active, stage, target } = roles;
  if (active === undefined || active.facts.color === color) return false;
  if (stage !== 'Observing' && stage !== 'Resting') return false;
  return target === undefined ? stage === 'Resting' : isLargeEnough(snapshot, roles, color);
}

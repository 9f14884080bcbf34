/** The side that can take over: it holds what it held, is as large as production asks, and lets old connections end. */
import { keptWhileRecycling, sizeNote, windowSize } from './capacity.ts';
import { sideDrainedAt } from './drain.ts';
import { holdColor, recordFacts } from './effects.ts';
import { otherColor } from './endpoints.ts';
import type { Effect } from './plan.ts';
import { recycle } from './recycle.ts';
import type { Roles, StartedRevision } from './roles.ts';
import type { Snapshot } from './snapshot.ts';

/** What could take over now keeps its pods anyway; anything else on that side goes only when it has drained. */
export function waitsForDrain(snapshot: Snapshot, { target }: Roles, active: StartedRevision): boolean {
  const held = snapshot.sides[otherColor(active.facts.color)].deployment?.revision;
  return held !== undefined && held !== target?.name && snapshot.now < sideDrainedAt(snapshot, active);
}

export function holdOldSide(snapshot: Snapshot, roles: Roles, { name, facts }: StartedRevision): Effect[] {
  // The other environment is kept, or not, by whoever runs it.
  if (snapshot.endpoint !== undefined) return [];
  const { color } = facts;
  const held = holdColor(snapshot, color, name, windowSize(snapshot, roles, color));
  if (held.length > 0) return held;
  return recycle(snapshot, roles, color, keptWhileRecycling(snapshot, roles, color));
}

/** Since when it is too large, written down: nothing is remembered between two looks. */
export function noteSize(
  snapshot: Snapshot,
  roles: Roles,
  active: StartedRevision,
  target: StartedRevision,
): Effect[] {
  const { tooLarge: known, ...facts } = active.facts;
  const tooLarge = sizeNote(snapshot, roles, target.facts.color);
  if (known?.most === tooLarge?.most) return [];
  return [recordFacts(active, { ...facts, ...(tooLarge !== undefined && { tooLarge }) })];
}

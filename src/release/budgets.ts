/**
 * How many pods of a colour an eviction must leave: what people ask for protects the side with the traffic. Any other
 * side must not keep a node from being drained, whatever its size is at the moment.
 */
import type { BudgetSpec } from '../api/schema.ts';
import { COLORS, type Color } from '../api/status.ts';
import { resolve } from './capacity.ts';
import type { Effect } from './plan.ts';
import { isRecycled } from './recycle.ts';
import type { Roles } from './roles.ts';
import type { Snapshot } from './snapshot.ts';

export function budgets(snapshot: Snapshot, roles: Roles): Effect[] {
  return COLORS.flatMap((color): Effect[] => {
    const { budget } = snapshot.sides[color];
    // A stranger's budget under that name is left alone: it is reported as a problem.
    if (budget?.ours === false) return [];
    const asks = budgetFor(snapshot, roles, color);
    if (asks === undefined) return removeBudget(snapshot, color);
    return isSame(budget?.asks, asks) ? [] : [{ kind: 'WriteBudget', color, asks }];
  });
}

export function removeBudget({ sides }: Snapshot, color: Color): Effect[] {
  const { budget } = sides[color];
  return budget?.ours ? [{ kind: 'RemoveBudget', color, uid: budget.uid }] : [];
}

/** undefined: none. Beside another one that selects the same pods ours would make every eviction fail. */
function budgetFor(snapshot: Snapshot, roles: Roles, color: Color): BudgetSpec | undefined {
  const asked = snapshot.release.spec.podDisruptionBudget;
  const { deployment } = snapshot.sides[color];
  const size = deployment?.ours ? deployment.desired : 0;
  if (asked === undefined || size === 0 || snapshot.foreignBudgets.length > 0) return undefined;
  if (roles.active?.facts.color === color) return asked;
  if (isRecycled(snapshot, roles, color)) return undefined;
  return letsOneGo(asked, size) ? asked : { maxUnavailable: 1 };
}

/** Both round up, as Kubernetes does. */
function letsOneGo({ minAvailable, maxUnavailable }: BudgetSpec, size: number): boolean {
  if (minAvailable !== undefined) return resolve(minAvailable, size) < size;
  return maxUnavailable !== undefined && resolve(maxUnavailable, size) > 0;
}

export function budgetInWords({ minAvailable, maxUnavailable }: BudgetSpec): string {
  return minAvailable === undefined ? `maxUnavailable ${maxUnavailable}` : `minAvailable ${minAvailable}`;
}

function isSame(a: BudgetSpec | undefined, b: BudgetSpec): boolean {
  return a?.minAvailable === b.minAvailable && a?.maxUnavailable === b.maxUnavailable;
}

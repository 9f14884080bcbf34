/** Invariants 3, 8 and 11: a budget protects what serves, and keeps no node from being drained by what does not. */
import { COLORS } from '../../../src/api/status.ts';
import {
  DEPLOYMENTS,
  type Deployment,
  POD_DISRUPTION_BUDGETS,
  type PodDisruptionBudget,
} from '../../../src/kube/types.ts';
import { RELEASE } from '../scenario.ts';
import { selectedColor, type World } from '../world.ts';
import { fail } from './view.ts';

/** At rest. */
export function checkBudgets({ api, scenario }: World): void {
  const asked = scenario.spec.podDisruptionBudget;
  const active = selectedColor(api);
  for (const color of COLORS) {
    const name = `${RELEASE}-${color}`;
    const spec = api.get<PodDisruptionBudget>(POD_DISRUPTION_BUDGETS, name)?.spec;
    const size = api.get<Deployment>(DEPLOYMENTS, name)?.spec.replicas ?? 0;
    if (color === active) {
      const isSame =
        spec?.minAvailable === asked?.minAvailable && spec?.maxUnavailable === asked?.maxUnavailable;
      if (!isSame) fail(`at rest: ${color} serves, and its budget is not what people ask for`);
    } else if (spec !== undefined && size === 0) fail(`at rest: ${color} has no pods, and a budget`);
    else if (spec !== undefined && allowed(spec, size) < 1)
      fail(`at rest: the budget of ${color} lets none of its ${size} pods be evicted`);
  }
}

/** Both round up, as Kubernetes does. */
function allowed({ minAvailable, maxUnavailable }: PodDisruptionBudget['spec'], size: number): number {
  return minAvailable === undefined ? share(maxUnavailable ?? 0, size) : size - share(minAvailable, size);
}

function share(value: number | string, size: number): number {
  return typeof value === 'number' ? value : Math.ceil((Number.parseInt(value, 10) * size) / 100);
}

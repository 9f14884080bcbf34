/** Invariant 4: what takes production over was asked as often as was frozen with it, wherever an operator could see it ready. */
import { PODS } from '../../../src/kube/types.ts';
import { SERVICE } from '../scenario.ts';
import { LABEL } from '../world.ts';
import type { RevisionTruth } from './truth.ts';
import { fail, type View } from './view.ts';

export function guardWarm(view: View, { name, facts: { color }, frozen }: RevisionTruth): void {
  const { requests } = frozen.preparation?.warmUp ?? {};
  if (requests === undefined) return;
  const { api, warmed } = view.world;
  const pods = api.list(PODS, `${LABEL}=${color}`);
  const warm = pods.filter(({ metadata }) => (warmed.get(metadata.uid ?? '') ?? 0) >= requests).length;
  const { fewest } = view.range(`${SERVICE}-${color}`);
  if (warm < fewest)
    fail(`traffic was moved to ${name}, and of ${fewest} ready pods ${warm} were asked ${requests} times`);
}

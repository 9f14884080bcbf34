/** Invariant 4: what takes production over was asked as often as was frozen with it, wherever an operator could see it ready. */
import { LABEL_REVISION } from '../../../src/api/names.ts';
import { PODS, type Pod } from '../../../src/kube/types.ts';
import { isReady } from '../cluster/deployments.ts';
import { SERVICE } from '../scenario.ts';
import { LABEL } from '../world.ts';
import type { RevisionTruth } from './truth.ts';
import { fail, type View } from './view.ts';

export function guardWarm(view: View, { name, facts: { color }, frozen }: RevisionTruth): void {
  const { requests } = frozen.preparation?.warmUp ?? {};
  if (requests === undefined) return;
  const { api, warmed } = view.world;
  const pods = api.list<Pod>(PODS, `${LABEL}=${color},${LABEL_REVISION}=${name}`);
  const warm = pods.filter(({ metadata }) => (warmed.get(metadata.uid ?? '') ?? 0) >= requests).length;
  // A moment ago those of an earlier revision were behind the twin, and nobody asks them.
  const fewest = Math.min(pods.filter(isReady).length, view.range(`${SERVICE}-${color}`).fewest);
  if (warm < fewest)
    fail(`traffic was moved to ${name}, and of ${fewest} ready pods ${warm} were asked ${requests} times`);
}

/** Invariant 3 for single pods: those that an operator ends, so that connections made before a switch end. */
import { LABEL_REVISION } from '../../../src/api/names.ts';
import type { Color } from '../../../src/api/status.ts';
import type { KubeObject } from '../../../src/kube/ports.ts';
import { PODS, type Pod } from '../../../src/kube/types.ts';
import { isReady } from '../cluster/deployments.ts';
import { LABEL, type World } from '../world.ts';
import { guardDraining, isTarget, productionOf, windowOf } from './sides.ts';
import { isColor } from './truth.ts';
import { fail, isRecent, isTouched, type View } from './view.ts';

export interface RecyclingGuard {
  /** An operator ends this pod. */
  around(view: View, look: () => Pod | undefined, end: () => void): void;
}

export function createRecyclingGuard({ api, timeline }: World): RecyclingGuard {
  /** When a side last lost a ready pod that no operator had ended. */
  const lostAt = new Map<Color, number>();
  let isEnding = false;

  api.onChange(({ type, event, object, before }) => {
    const color = before?.metadata.labels?.[LABEL];
    if (type !== PODS || isEnding || !isColor(color)) return;
    if (stands(before) && (event === 'DELETED' || !stands(object))) lostAt.set(color, timeline.now);
  });

  return {
    around(view, look, end) {
      const pod = look();
      isEnding = true;
      end();
      isEnding = false;
      const color = pod?.metadata.labels?.[LABEL];
      if (pod === undefined || !isColor(color)) return;
      if (isRecent(view, view.selectedAt()) || isTouched(view, 'service')) return;
      guardEnded(view, color, pod);
      if (stands(pod) && isTarget(view, color) && !isRecent(view, lostAt.get(color)))
        guardLeft(view, color, pod);
    },
  };
}

const stands = (pod: KubeObject | undefined): boolean =>
  pod !== undefined && pod.metadata.deletionTimestamp === undefined && isReady(pod as Pod);

/** Of the side without traffic, older than the switch, and drained. */
function guardEnded(view: View, color: Color, { metadata }: Pod): void {
  const { name, creationTimestamp = '', labels } = metadata;
  if (view.truth.selected() === color) fail(`${color} serves, and its pod ${name} was ended`);
  const proven = view.truth.revisions();
  // A foreground delete takes away first what tells when the traffic had left.
  if (proven.length === 0) return;
  const provenAt = Math.max(...proven.map(({ facts }) => facts.verifiedAt ?? 0));
  if (Date.parse(creationTimestamp) > provenAt + 5000)
    fail(`pod ${name} of ${color} was ended although it is younger than the switch`);
  guardDraining(view, color, labels?.[LABEL_REVISION], `robbed of pod ${name}`);
}

/**
 * While pods are replaced the side stays able to take over: what the window asks for is ready, or one fewer where there
 * is no room for one more. Nobody else has taken a pod of it, which an operator might not have heard of.
 */
function guardLeft(view: View, color: Color, { metadata: { name } }: Pod): void {
  const left = view.truth.readyPods(color).length;
  const wanted = windowOf(view.world.scenario, productionOf(view));
  if (left < Math.max(1, wanted - 1))
    fail(`pod ${name} of the rollback target on ${color} was ended, and ${left} of ${wanted} are left ready`);
}

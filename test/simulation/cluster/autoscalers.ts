/** The HPA controller: pods for the load that a Deployment carries; one at 0 replicas is switched off. */
import {
  DEPLOYMENTS,
  type Deployment,
  HORIZONTAL_POD_AUTOSCALERS,
  type HorizontalPodAutoscaler,
  PODS,
  type Pod,
} from '../../../src/kube/types.ts';
import { matches } from './api.ts';
import type { Surroundings } from './controller.ts';

const PERIOD_MS = 15_000;
/** Kubernetes waits five minutes; shorter here, so that more happens. */
const STABLE_MS = 60_000;

export function startAutoscalers(
  { api, timeline }: Surroundings,
  /** Pods that the traffic of this Deployment needs. */
  loadOf: (deployment: Deployment) => number,
): void {
  const lowerSince = new Map<string, number>();

  let ticking = false;

  function tick(): void {
    const all = api.list<HorizontalPodAutoscaler>(HORIZONTAL_POD_AUTOSCALERS);
    const off = ambiguous(all);
    for (const autoscaler of all) {
      tell(autoscaler, off.has(autoscaler));
      if (!off.has(autoscaler)) adjust(autoscaler);
    }
    ticking = all.length > 0;
    if (ticking) timeline.after(PERIOD_MS, tick);
  }

  /** Those whose pods another one counts as its own too: Kubernetes switches them all off. */
  function ambiguous(all: readonly HorizontalPodAutoscaler[]): Set<HorizontalPodAutoscaler> {
    const pods = api.list<Pod>(PODS);
    const podsOf = all.map(({ spec }) => {
      const selector = api.get<Deployment>(DEPLOYMENTS, spec.scaleTargetRef.name)?.spec.selector.matchLabels;
      return selector === undefined ? [] : pods.filter((pod) => matches(selector, pod));
    });
    return new Set(
      all.filter((_, index) =>
        podsOf.some((other, each) => each !== index && podsOf[index]?.some((pod) => other.includes(pod))),
      ),
    );
  }

  function tell({ metadata }: HorizontalPodAutoscaler, off: boolean): void {
    const conditions = off
      ? [{ type: 'ScalingActive', status: 'False' as const, reason: 'AmbiguousSelector' }]
      : [];
    api.update<HorizontalPodAutoscaler>(HORIZONTAL_POD_AUTOSCALERS, metadata.name, (object) =>
      object.status === undefined && !off ? object : { ...object, status: { conditions } },
    );
  }

  function adjust({ spec }: HorizontalPodAutoscaler): void {
    const { name } = spec.scaleTargetRef;
    const deployment = api.get<Deployment>(DEPLOYMENTS, name);
    const now = deployment?.spec.replicas ?? 1;
    if (deployment === undefined || now === 0) return;
    const low = spec.minReplicas ?? 1;
    const wanted = Math.min(spec.maxReplicas, Math.max(low, loadOf(deployment)));
    const outside = now < low || now > spec.maxReplicas;
    if (wanted >= now) lowerSince.delete(name);
    else if (!lowerSince.has(name)) lowerSince.set(name, timeline.now);
    const patient = wanted < now && !outside && timeline.now - (lowerSince.get(name) ?? 0) < STABLE_MS;
    if (wanted === now || patient) return;
    api.update<Deployment>(DEPLOYMENTS, name, (object) => ({
      ...object,
      spec: { ...object.spec, replicas: wanted },
    }));
  }

  api.onChange(({ type }) => {
    if (type !== HORIZONTAL_POD_AUTOSCALERS || ticking) return;
    ticking = true;
    timeline.after(PERIOD_MS, tick);
  });
}

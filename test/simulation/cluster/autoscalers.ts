/** The HPA controller: pods for the load that a Deployment carries; one at 0 replicas is switched off. */
import {
  DEPLOYMENTS,
  type Deployment,
  HORIZONTAL_POD_AUTOSCALERS,
  type HorizontalPodAutoscaler,
} from '../../../src/kube/types.ts';
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

  function tick(): void {
    for (const autoscaler of api.list<HorizontalPodAutoscaler>(HORIZONTAL_POD_AUTOSCALERS))
      adjust(autoscaler);
    timeline.after(PERIOD_MS, tick);
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

  timeline.after(PERIOD_MS, tick);
}

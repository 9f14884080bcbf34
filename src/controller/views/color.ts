/** What stands on a side: its Deployment, its autoscaler, and its disruption budget. */

import { sameJson } from '../../api/json.ts';
import { memo } from '../../api/memo.ts';
import { ANNOTATION_SPEC_HASH, LABEL_REVISION } from '../../api/names.ts';
import type { ReleaseSpec } from '../../api/schema.ts';
import type { Color } from '../../api/status.ts';
import type {
  Condition,
  Deployment,
  HorizontalPodAutoscaler,
  PodDisruptionBudget,
  PodTemplate,
} from '../../kube/types.ts';
import type { AutoscalerView, BudgetView, ColorDeploymentView } from '../../release/snapshot.ts';
import { statedConfig } from '../../workload/config.ts';
import type { WorkloadContent } from '../../workload/content.ts';
import { demandOf } from '../../workload/demand.ts';
import { autoscalerHash, autoscalerSpec, type ReleaseRef, renderBudget } from '../../workload/render.ts';
import { carriesStated } from '../../workload/stated.ts';
import { colorIdentity } from '../identities.ts';
import { isOurs, MAX_MESSAGE } from './common.ts';

interface Viewed {
  readonly spec: ReleaseSpec;
  readonly stored: WorkloadContent | undefined;
  readonly view: ColorDeploymentView;
}

const deploymentViews = new WeakMap<Deployment, Viewed>();

/** `stored`: the content of the revision that the Deployment was written for. */
export function deploymentView(
  deployment: Deployment,
  release: ReleaseRef,
  stored: WorkloadContent | undefined,
): ColorDeploymentView {
  const { spec } = release;
  const known = deploymentViews.get(deployment);
  if (known?.spec === spec && known.stored === stored) return known.view;
  const view = viewDeployment(deployment, release, stored);
  deploymentViews.set(deployment, { spec, stored, view });
  return view;
}

function viewDeployment(
  deployment: Deployment,
  release: ReleaseRef,
  stored: WorkloadContent | undefined,
): ColorDeploymentView {
  const { metadata, spec, status = {} } = deployment;
  const { matches, fingerprint: identity } = colorIdentity(
    deployment,
    release.spec.traffic.selectorLabel,
    stored,
  );
  return {
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    ours: isOurs(deployment, release.name),
    revision: metadata.labels?.[LABEL_REVISION],
    matches,
    fingerprint: identity,
    config: statedConfig(deployment),
    carriesStated: carriesStated(deployment, release.spec),
    observed: (status.observedGeneration ?? 0) >= (metadata.generation ?? 0),
    desired: spec.replicas ?? 1,
    pods: status.replicas ?? 0,
    updated: status.updatedReplicas ?? 0,
    ready: status.readyReplicas ?? 0,
    available: status.availableReplicas ?? 0,
    replicaFailure: conditionMessage(status.conditions, 'ReplicaFailure'),
    images: imagesOf(deployment),
    requests: requestsOf(spec.template.spec),
    podLabels: spec.template.metadata?.labels ?? {},
  };
}

function imagesOf(deployment: Deployment): string[] {
  const containers = deployment.spec.template.spec.containers;
  if (!Array.isArray(containers)) return [];
  return containers.map((container) => String((container as { image?: string }).image ?? ''));
}

type Requests = ColorDeploymentView['requests'];

/** As the template says; what a LimitRange adds to its pods is not seen here. */
const requestsOf = memo(
  (podSpec: PodTemplate['spec']): Requests => ({
    cpu: demandOf('requests.cpu', podSpec, [])?.perPod ?? 0,
    memory: demandOf('requests.memory', podSpec, [])?.perPod ?? 0,
  }),
);

function conditionMessage(conditions: readonly Condition[] | undefined, type: string): string | undefined {
  const condition = conditions?.find((each) => each.type === type && each.status === 'True');
  return condition && (condition.message ?? condition.reason ?? type).slice(0, MAX_MESSAGE);
}

export function autoscalerView(
  autoscaler: HorizontalPodAutoscaler,
  release: ReleaseRef,
  color: Color,
): AutoscalerView {
  const { metadata, spec } = autoscaler;
  return {
    uid: metadata.uid ?? '',
    ours: isOurs(autoscaler, release.name),
    minReplicas: spec.minReplicas ?? 1,
    maxReplicas: spec.maxReplicas,
    matches:
      release.spec.autoscaling !== undefined &&
      metadata.annotations?.[ANNOTATION_SPEC_HASH] === autoscalerHash(release, color) &&
      spec.maxReplicas === autoscalerSpec(release, color).maxReplicas,
    ambiguous: isAmbiguous(autoscaler),
  };
}

/** Kubernetes switches both off when two autoscalers select the same pods. */
export function isAmbiguous({ status }: HorizontalPodAutoscaler): boolean {
  return status?.conditions?.some(({ reason }) => reason === 'AmbiguousSelector') ?? false;
}

export function budgetView(budget: PodDisruptionBudget, release: ReleaseRef, color: Color): BudgetView {
  const { metadata, spec } = budget;
  const { minAvailable, maxUnavailable } = spec;
  const asks = {
    ...(minAvailable !== undefined && { minAvailable }),
    ...(maxUnavailable !== undefined && { maxUnavailable }),
  };
  // Member by member: a newer API server may add some of its own.
  const wanted = renderBudget(release, color, asks).spec;
  const isOfColor =
    sameJson(spec.selector, wanted.selector) &&
    spec.unhealthyPodEvictionPolicy === wanted.unhealthyPodEvictionPolicy;
  return {
    uid: metadata.uid ?? '',
    ours: isOurs(budget, release.name),
    asks: isOfColor ? asks : undefined,
  };
}

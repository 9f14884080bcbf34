/**
 * What is wrong with the input, seen before anything is touched. Each problem is one sentence: object, field, what to
 * do. The first is shown; production stays as it is; the release goes on by itself when the problem is mended.
 */
import { LABEL_CONFIG, LABEL_POD_TEMPLATE_HASH } from '../api/names.ts';
import { COLORS } from '../api/status.ts';
import { autoscalerOn, sideInWords, workloadInWords, workloadOf } from '../api/workload.ts';
import { autoscalingBounds, candidateColor, requiredReady } from './capacity.ts';
import { endpointProblem } from './endpoint-problems.ts';
import { selectedColor } from './endpoints.ts';
import { pairUnfit } from './pair-problems.ts';
import { portMissing } from './port-problems.ts';
import { judgePreview } from './preview.ts';
import type { Roles } from './roles.ts';
import { selects } from './selects.ts';
import { hasStrangers, newcomers, refusalOf, tidyDueAt } from './services.ts';
import type { ColorDeploymentView, Problem, ServiceView, Snapshot } from './snapshot.ts';

export type Rule = (snapshot: Snapshot, roles: Roles) => Problem | undefined;

/** In the order in which a person would mend them. */
const RULES: readonly Rule[] = [
  sourceMissing,
  sourceClaimed,
  configMissing,
  configTooLarge,
  serviceMissing,
  serviceKind,
  serviceWithoutSelector,
  serviceClaimed,
  serviceRefused,
  serviceMissesPods,
  serviceServesStrangers,
  servicesDisagree,
  portMissing,
  pairUnfit,
  previewUnfit,
  foreignObjects,
  autoscalerUnstated,
  autoscalerTooSmall,
  autoscalerAmbiguous,
  budgetTwice,
  jobPodsSelected,
  endpointProblem,
];

export function firstProblem(snapshot: Snapshot, roles: Roles): Problem | undefined {
  for (const rule of RULES) {
    const problem = rule(snapshot, roles);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function sourceMissing({ source, release }: Snapshot): Problem | undefined {
  const workload = workloadOf(release.spec);
  if (source !== undefined || workload.kind !== 'DeploymentRef') return undefined;
  const { name } = workload;
  return {
    reason: 'WorkloadNotFound',
    message: `Deployment "${name}" does not exist in namespace "${release.namespace}": create it or correct spec.workload.deploymentRef.name`,
  };
}

function sourceClaimed({ source, release }: Snapshot): Problem | undefined {
  if (source?.claimedBy === undefined || source.claimedBy === release.name) return undefined;
  return {
    reason: 'WorkloadClaimed',
    message: `Deployment "${source.name}" belongs to release "${source.claimedBy}": name another Deployment or delete that release`,
  };
}

export function configMissing({ config, release, endpoint }: Snapshot): Problem | undefined {
  const [first] = config.missing;
  // What is missing of credentials has sentences of its own.
  if (first === undefined || endpoint !== undefined) return undefined;
  const { kind, name, field, forbidden } = first;
  if (forbidden)
    return {
      reason: 'ConfigForbidden',
      message: `${field}: the operator may not watch ${kind}s, and would not see ${kind} "${name}" change: its administrator can give it the ClusterRole bluegreen-operator-secrets (deploy/kustomize/secrets-rbac.yaml); or name no ${kind}`,
    };
  return {
    reason: 'ConfigNotFound',
    message: `${field}: no ${kind} "${name}" with the label ${LABEL_CONFIG} exists in namespace "${release.namespace}": create it, label it (kubectl label ${kind.toLowerCase()} ${name} ${LABEL_CONFIG}=true -n ${release.namespace}) or correct the name`,
  };
}

/** Each revision keeps what they hold, and a ControllerRevision of more than about 1.5 MB cannot be stored. */
const MAX_CONFIG_BYTES = 512 * 1024;

function configTooLarge({ config }: Snapshot): Problem | undefined {
  if (config.bytes <= MAX_CONFIG_BYTES) return undefined;
  const kib = Math.ceil(config.bytes / 1024);
  return {
    reason: 'ConfigTooLarge',
    message: `spec.config.configMaps: together they hold ${kib} KiB, and a revision keeps at most 512: name fewer, or bring large files with the image`,
  };
}

function perService(
  judge: (service: ServiceView, field: string, snapshot: Snapshot, roles: Roles) => Problem | undefined,
): Rule {
  return (snapshot, roles) => {
    for (const [index, service] of snapshot.services.entries()) {
      const field = `spec.traffic.services[${index}].name`;
      const problem = judge(service, field, snapshot, roles);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
}

export function serviceMissing(snapshot: Snapshot, roles: Roles): Problem | undefined {
  return perService((service, field, { release }) =>
    service.found
      ? undefined
      : {
          reason: 'ServiceNotFound',
          message: `Service "${service.name}" does not exist in namespace "${release.namespace}": create it or correct ${field}`,
        },
  )(snapshot, roles);
}

function serviceKind(snapshot: Snapshot, roles: Roles): Problem | undefined {
  return perService((service) => {
    const refuse = (what: string, why: string) => ({
      reason: 'ServiceUnsupported',
      message: `Service "${service.name}" ${what}: ${why}`,
    });
    if (service.type === 'ExternalName')
      return refuse(
        'is of type ExternalName',
        'it has no endpoints to switch; use a Service with a selector',
      );
    if (service.headless)
      return refuse(
        'is headless',
        'its clients resolve pod addresses themselves, so a switch cannot be proven; use a Service with a cluster IP',
      );
    if (service.publishNotReadyAddresses)
      return refuse(
        'has publishNotReadyAddresses set',
        'its endpoints would not prove readiness; remove that field',
      );
    return undefined;
  })(snapshot, roles);
}

function serviceWithoutSelector(snapshot: Snapshot, roles: Roles): Problem | undefined {
  return perService((service) =>
    Object.keys(service.selector).length > 0
      ? undefined
      : {
          reason: 'ServiceWithoutSelector',
          message: `Service "${service.name}" has no selector: give it one that matches the pods of the workload`,
        },
  )(snapshot, roles);
}

function serviceClaimed(snapshot: Snapshot, roles: Roles): Problem | undefined {
  return perService((service, field, { release }) =>
    service.claimedBy === undefined || service.claimedBy === release.uid
      ? undefined
      : {
          reason: 'ServiceClaimed',
          message: `Service "${service.name}" belongs to another release: remove it from one of the two (${field} here)`,
        },
  )(snapshot, roles);
}

/** Before the adoption a Service needs the source's pods, and one that is named later those of the side that serves. */
function serviceMissesPods(snapshot: Snapshot, roles: Roles): Problem | undefined {
  const { active } = roles;
  const { release, wish, sides, pair } = snapshot;
  const label = release.spec.traffic.selectorLabel;
  const name =
    active === undefined ? workloadInWords(release.spec) : sideInWords(release, active.facts.color);
  const labels = active === undefined ? wish?.podLabels : sides[active.facts.color].deployment?.podLabels;
  const joining = new Set(active === undefined ? snapshot.services : newcomers(snapshot, roles));
  // Both sides of a pair stand there to be looked at: `pairUnfit`.
  if (labels === undefined || pair !== undefined) return undefined;
  // An ejection that did not end, of an earlier release of that name, left the hash: the switch takes it away.
  const apart = [label, LABEL_POD_TEMPLATE_HASH];
  return perService((service) =>
    !joining.has(service) || selects(service.selector, labels, apart)
      ? undefined
      : {
          reason: 'ServiceSelectsOtherPods',
          message: `Service "${service.name}" does not select the pods of ${name}: its selector and the labels of spec.template must match`,
        },
  )(snapshot, roles);
}

function previewUnfit(snapshot: Snapshot, roles: Roles): Problem | undefined {
  for (const preview of snapshot.previews) {
    const problem = judgePreview(snapshot, roles, preview);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** A Service named after the adoption: putting our key into its selector would take traffic from pods we do not know. */
function serviceServesStrangers(snapshot: Snapshot, roles: Roles): Problem | undefined {
  const { active } = roles;
  if (active === undefined) return undefined;
  const label = snapshot.release.spec.traffic.selectorLabel;
  const joining = new Set(newcomers(snapshot, roles));
  return perService((service) =>
    joining.has(service) && hasStrangers(snapshot, service)
      ? {
          reason: 'ServiceSelectsOtherPods',
          message: `Service "${service.name}" also has endpoints that are not of this release: remove those pods from it, or add ${label}: ${active.facts.color} to its selector`,
        }
      : undefined,
  )(snapshot, roles);
}

/** A release that is created again takes over what an earlier one left serving: that must be one side. */
function servicesDisagree(snapshot: Snapshot, roles: Roles): Problem | undefined {
  const label = snapshot.release.spec.traffic.selectorLabel;
  const named = snapshot.services.filter((service) => selectedColor(service, label) !== undefined);
  // A key of sides that do not exist leads nowhere: the adoption writes it anew.
  if (named.every((service) => standingSide(snapshot, service) === undefined)) return undefined;
  const [first] = named;
  const other = named.find(
    (service) => first && selectedColor(service, label) !== selectedColor(first, label),
  );
  if (roles.stage !== 'Unadopted' || first === undefined || other === undefined) return undefined;
  return {
    reason: 'ServicesDisagree',
    message: `Service "${first.name}" selects ${selectedColor(first, label)} and Service "${other.name}" ${selectedColor(other, label)}: set ${label} to the same colour in the selectors of both`,
  };
}

/** The Deployment of the side that a Service names. */
function standingSide({ release, sides }: Snapshot, service: ServiceView): ColorDeploymentView | undefined {
  const color = selectedColor(service, release.spec.traffic.selectorLabel);
  return color && sides[color].deployment;
}

/** The API server said no to the last write; after a while it is asked again. */
export function serviceRefused(snapshot: Snapshot, roles: Roles): Problem | undefined {
  return perService((service) => {
    const refusal = refusalOf(snapshot, service);
    if (!refusal?.final || snapshot.now >= tidyDueAt(snapshot, service)) return undefined;
    return {
      reason: 'ServiceRefused',
      message: `Service "${service.name}" or a twin of it cannot be written: ${refusal.message}`,
    };
  })(snapshot, roles);
}

/** An existing object without our label is never taken. */
function foreignObjects(snapshot: Snapshot): Problem | undefined {
  const { release } = snapshot;
  const taken = (kind: string, name: string): Problem => ({
    reason: 'NameTaken',
    message: `${kind} "${name}" exists and does not belong to this release: rename or delete it, the operator needs that name`,
  });
  for (const color of COLORS) {
    const side = snapshot.sides[color];
    if (snapshot.pair === undefined && side.deployment?.ours === false)
      return taken('Deployment', `${release.name}-${color}`);
    if (snapshot.pair === undefined && side.autoscaler?.ours === false)
      return taken('HorizontalPodAutoscaler', `${release.name}-${color}`);
    if (side.budget?.ours === false) return taken('PodDisruptionBudget', `${release.name}-${color}`);
    for (const service of snapshot.services) {
      const twin = service.twins[color];
      if (twin.found && !twin.ours) return taken('Service', `${service.name}-${color}`);
    }
  }
  return undefined;
}

/** Taking a Deployment from its autoscaler must be somebody's decision. */
function autoscalerUnstated(snapshot: Snapshot, roles: Roles): Problem | undefined {
  const { source, release } = snapshot;
  const autoscaler = source?.autoscalers[0];
  if (roles.subject !== undefined || source === undefined || autoscaler === undefined) return undefined;
  if (release.spec.autoscaling !== undefined || release.spec.replicas !== undefined) return undefined;
  return {
    reason: 'AutoscalingUnstated',
    message: `HorizontalPodAutoscaler "${autoscaler.name}" scales Deployment "${source.name}": copy its spec without scaleTargetRef to spec.autoscaling.spec, or set spec.replicas`,
  };
}

function autoscalerTooSmall(snapshot: Snapshot, roles: Roles): Problem | undefined {
  const color = candidateColor(roles);
  const bounds = autoscalingBounds(snapshot, color);
  if (bounds === undefined) return undefined;
  const required = requiredReady(snapshot, roles);
  if (required <= bounds.max) return undefined;
  const paired = snapshot.pair?.[color].autoscaler;
  const field = 'spec.autoscaling.spec.maxReplicas';
  const where = paired === undefined ? field : `spec.maxReplicas of HorizontalPodAutoscaler "${paired.name}"`;
  return {
    reason: 'AutoscalerTooSmall',
    message: `${where} is ${bounds.max}, but the candidate needs ${required} ready pods to take over: raise maxReplicas`,
  };
}

/** The source's own autoscaler came back: by Kubernetes' rules both are switched off, and production stops to scale. */
function autoscalerAmbiguous({ sides, release }: Snapshot): Problem | undefined {
  const color = COLORS.find((each) => sides[each].autoscaler?.ambiguous);
  if (color === undefined) return undefined;
  const name = autoscalerOn(release, color) ?? '';
  return {
    reason: 'AutoscalerAmbiguous',
    message: `HorizontalPodAutoscaler "${name}" is switched off, because another one selects the same pods: delete ${release.spec.workload.pair === undefined ? `that of ${workloadInWords(release.spec)}` : 'the other one'}, and remove it where it comes from`,
  };
}

/** Kubernetes refuses to evict a pod that two of them select: no node could be drained. */
function budgetTwice({ foreignBudgets }: Snapshot): Problem | undefined {
  const [name] = foreignBudgets;
  if (name === undefined) return undefined;
  return {
    reason: 'DisruptionBudgetTwice',
    message: `PodDisruptionBudget "${name}" selects the same pods as those of spec.podDisruptionBudget, and Kubernetes evicts no pod that has two: delete it where it comes from, or remove spec.podDisruptionBudget`,
  };
}

/** A Job's pods behind a production Service would be answered by a validation script. */
function jobPodsSelected(snapshot: Snapshot): Problem | undefined {
  for (const [index, gate] of snapshot.release.spec.gates.entries()) {
    const labels = jobPodLabels(gate.job);
    for (const service of [...snapshot.services, ...snapshot.previews]) {
      const selector = Object.entries(service.selector).filter(
        ([key]) => key !== snapshot.release.spec.traffic.selectorLabel,
      );
      if (selector.length === 0 || !selector.every(([key, value]) => labels[key] === value)) continue;
      const field = `spec.gates[${index}].job.spec.template.metadata.labels`;
      return {
        reason: 'JobPodsSelected',
        message: `the pods of gate "${gate.name}" would be selected by Service "${service.name}": change ${field} so that they do not match its selector`,
      };
    }
  }
  return undefined;
}

function jobPodLabels(job: Record<string, unknown>): Record<string, unknown> {
  let value: unknown = job;
  for (const key of ['spec', 'template', 'metadata', 'labels']) {
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
  }
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

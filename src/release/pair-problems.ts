/** What keeps a pair from being released: what people wrote for its two sides must be able to take turns. */
import { COLORS, type Color } from '../api/status.ts';
import { autoscalerOn, sideInWords } from '../api/workload.ts';
import { otherColor, selectedColor } from './endpoints.ts';
import { scalesSide, servingSide } from './pair.ts';
import type { Roles } from './roles.ts';
import { selects } from './selects.ts';
import type { PairView, Problem, Snapshot } from './snapshot.ts';

type Paired = Snapshot & { readonly pair: PairView };
type SideRule = (snapshot: Paired, color: Color, field: string) => Problem | undefined;

/** In the order in which a person would mend them. */
const SIDE_RULES: readonly SideRule[] = [
  missing,
  claimed,
  unlabelled,
  overlapping,
  unselected,
  autoscalerMissing,
  autoscalerElsewhere,
  autoscalerClaimed,
];

export function pairUnfit(snapshot: Snapshot, roles: Roles): Problem | undefined {
  const { pair } = snapshot;
  if (pair === undefined) return undefined;
  const paired = { ...snapshot, pair };
  for (const rule of SIDE_RULES) {
    for (const color of COLORS) {
      const problem = rule(paired, color, `spec.workload.pair.${color}`);
      if (problem !== undefined) return problem;
    }
  }
  return undecided(snapshot, roles);
}

function missing(snapshot: Paired, color: Color, field: string): Problem | undefined {
  const { release, sides } = snapshot;
  if (sides[color].deployment !== undefined) return undefined;
  return {
    reason: 'WorkloadNotFound',
    message: `${sideInWords(release, color)} does not exist in namespace "${release.namespace}": create it (with 0 replicas, where it is not needed yet), or correct ${field}.name`,
  };
}

function claimed(snapshot: Paired, color: Color): Problem | undefined {
  const { release, pair } = snapshot;
  const by = pair[color].claimedBy;
  if (by === undefined || by === release.name) return undefined;
  return {
    reason: 'WorkloadClaimed',
    message: `${sideInWords(release, color)} belongs to release "${by}": name another workload or delete that release`,
  };
}

function unlabelled(snapshot: Paired, color: Color): Problem | undefined {
  const { release, pair } = snapshot;
  const { lacks } = pair[color];
  if (lacks.length === 0) return undefined;
  return {
    reason: 'PodsUnlabelled',
    message: `the pods of ${sideInWords(release, color)} lack the ${lacks.length === 1 ? 'label' : 'labels'} ${lacks.join(' and ')}: add ${lacks.length === 1 ? 'it' : 'them'} to its spec.template.metadata.labels, by which its pods are told from those of the other side`,
  };
}

function overlapping(snapshot: Paired, color: Color): Problem | undefined {
  const { release, pair } = snapshot;
  if (!pair[color].selectsOther) return undefined;
  const other = sideInWords(release, otherColor(color));
  return {
    reason: 'WorkloadsOverlap',
    message: `the selector of ${sideInWords(release, color)} matches the pods of ${other} as well: create one of them anew, with a selector that holds ${release.spec.traffic.selectorLabel}`,
  };
}

/** Before and after a switch each Service must find the pods of the side that it names. */
function unselected(snapshot: Paired, color: Color): Problem | undefined {
  const { release, services, sides } = snapshot;
  const labels = sides[color].deployment?.podLabels ?? {};
  const service = services.find(
    ({ found, selector }) => found && !selects(selector, labels, [release.spec.traffic.selectorLabel]),
  );
  if (service === undefined) return undefined;
  return {
    reason: 'ServiceSelectsOtherPods',
    message: `Service "${service.name}" does not select the pods of ${sideInWords(release, color)}: its selector and the labels of spec.template must match on both sides`,
  };
}

function autoscalerMissing(snapshot: Paired, color: Color, field: string): Problem | undefined {
  const { release, pair } = snapshot;
  const name = autoscalerOn(release, color);
  if (name === undefined || pair[color].autoscaler !== undefined) return undefined;
  return {
    reason: 'AutoscalerNotFound',
    message: `HorizontalPodAutoscaler "${name}" does not exist in namespace "${release.namespace}": create it, or correct or remove ${field}.autoscalerRef`,
  };
}

function autoscalerElsewhere(snapshot: Paired, color: Color, field: string): Problem | undefined {
  const { release, pair } = snapshot;
  const { autoscaler } = pair[color];
  if (autoscaler === undefined || scalesSide(release, color, autoscaler)) return undefined;
  const { name, target } = autoscaler;
  return {
    reason: 'AutoscalerElsewhere',
    message: `HorizontalPodAutoscaler "${name}" scales ${target.kind} "${target.name}" and not ${sideInWords(release, color)}: correct ${field}.autoscalerRef.name or its scaleTargetRef`,
  };
}

function autoscalerClaimed({ release, pair }: Paired, color: Color): Problem | undefined {
  const { autoscaler } = pair[color];
  if (autoscaler?.claimedBy === undefined || autoscaler.claimedBy === release.name) return undefined;
  return {
    reason: 'AutoscalerClaimed',
    message: `HorizontalPodAutoscaler "${autoscaler.name}" belongs to release "${autoscaler.claimedBy}": name another one or delete that release`,
  };
}

/** Nothing is guessed about which side has the traffic. */
function undecided(snapshot: Snapshot, { active }: Roles): Problem | undefined {
  const { services, release } = snapshot;
  const label = release.spec.traffic.selectorLabel;
  if (active !== undefined || servingSide(snapshot) !== undefined) return undefined;
  const service = services.find((each) => selectedColor(each, label) === undefined);
  if (service === undefined) return undefined;
  return {
    reason: 'ActiveUnknown',
    message: `Service "${service.name}" does not say which side serves: add ${label}: blue or ${label}: green to its selector`,
  };
}

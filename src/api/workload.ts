/** The kinds of workload, told apart in one place. */
import { colorName } from './names.ts';
import type { PairMember, PairSpec } from './schema/pair.ts';
import type { ReleaseSpec } from './schema.ts';
import type { Color } from './status.ts';

export type InlineDeployment = NonNullable<ReleaseSpec['workload']['deployment']>;

export type External = NonNullable<ReleaseSpec['workload']['external']>;

export type Workload =
  | { readonly kind: 'DeploymentRef'; readonly name: string }
  | { readonly kind: 'Deployment'; readonly deployment: InlineDeployment }
  | { readonly kind: 'External'; readonly external: External }
  /** Nothing derives from it: what stands on the two sides is written by people. */
  | { readonly kind: 'Pair'; readonly pair: PairSpec };

/** The schema vouches for one of them. */
export function workloadOf({
  workload: { deploymentRef, deployment, external, pair },
}: ReleaseSpec): Workload {
  if (external !== undefined) return { kind: 'External', external };
  if (pair !== undefined) return { kind: 'Pair', pair };
  return deployment === undefined
    ? { kind: 'DeploymentRef', name: deploymentRef?.name ?? '' }
    : { kind: 'Deployment', deployment };
}

/** Which keys of which Secret are the credentials of a side, and the Secret that they are published in. */
export interface Credentials {
  readonly source: string;
  readonly keys: readonly string[];
  readonly published: string;
}

/** undefined: none are published. */
export function credentialsOf({ workload, traffic }: ReleaseSpec, color: Color): Credentials | undefined {
  const source = workload.external?.[color].secretRef;
  const { secretRef } = traffic.endpoint ?? {};
  return source && secretRef && { source: source.name, keys: secretRef.keys, published: secretRef.name };
}

/** What people change for a release, as messages call it. */
export function workloadInWords(spec: ReleaseSpec): string {
  const workload = workloadOf(spec);
  switch (workload.kind) {
    case 'DeploymentRef':
      return `Deployment "${workload.name}"`;
    case 'Deployment':
      return 'spec.workload.deployment';
    case 'External':
      return 'spec.workload.external';
    case 'Pair':
      return 'spec.workload.pair';
    default:
      return workload satisfies never;
  }
}

/** As the subject of a sentence about what people wish for now. */
export function wishInWords(spec: ReleaseSpec): string {
  const { kind } = workloadOf(spec);
  return kind === 'Pair' || kind === 'External' ? workloadInWords(spec) : 'the Deployment';
}

/** What runs pods, of apps/v1. */
export type WorkloadKind = PairMember['kind'];

/** Kind and name of what stands on a side. */
export function standingOn(
  { name, spec }: { readonly name: string; readonly spec: ReleaseSpec },
  color: Color,
): { readonly kind: WorkloadKind; readonly name: string } {
  const { pair } = spec.workload;
  return pair === undefined ? { kind: 'Deployment', name: colorName(name, color) } : pair[color];
}

/** What stands on a side, as messages call it. */
export function sideInWords(
  release: { readonly name: string; readonly spec: ReleaseSpec },
  color: Color,
): string {
  const { kind, name } = standingOn(release, color);
  return `${kind} "${name}"`;
}

/** Name of the autoscaler of a side; undefined: a pair's side that has none. */
export function autoscalerOn(
  { name, spec }: { readonly name: string; readonly spec: ReleaseSpec },
  color: Color,
): string | undefined {
  const { pair } = spec.workload;
  return pair === undefined ? colorName(name, color) : pair[color].autoscalerRef?.name;
}

/** The kinds of workload, told apart in one place. */
import type { ReleaseSpec } from './schema.ts';

export type InlineDeployment = NonNullable<ReleaseSpec['workload']['deployment']>;

export type Workload =
  | { readonly kind: 'DeploymentRef'; readonly name: string }
  | { readonly kind: 'Deployment'; readonly deployment: InlineDeployment };

/** The schema vouches for one of them. */
export function workloadOf({ workload: { deploymentRef, deployment } }: ReleaseSpec): Workload {
  return deployment === undefined
    ? { kind: 'DeploymentRef', name: deploymentRef?.name ?? '' }
    : { kind: 'Deployment', deployment };
}

/** What people change for a release, as messages call it. */
export function workloadInWords(spec: ReleaseSpec): string {
  const workload = workloadOf(spec);
  return workload.kind === 'Deployment' ? 'spec.workload.deployment' : `Deployment "${workload.name}"`;
}

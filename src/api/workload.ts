/** The kinds of workload, told apart in one place. */
import type { ReleaseSpec } from './schema.ts';

export type InlineDeployment = NonNullable<ReleaseSpec['workload']['deployment']>;

export type External = NonNullable<ReleaseSpec['workload']['external']>;

export type Workload =
  | { readonly kind: 'DeploymentRef'; readonly name: string }
  | { readonly kind: 'Deployment'; readonly deployment: InlineDeployment }
  | { readonly kind: 'External'; readonly external: External };

/** The schema vouches for one of them. */
export function workloadOf({ workload: { deploymentRef, deployment, external } }: ReleaseSpec): Workload {
  if (external !== undefined) return { kind: 'External', external };
  return deployment === undefined
    ? { kind: 'DeploymentRef', name: deploymentRef?.name ?? '' }
    : { kind: 'Deployment', deployment };
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
    default:
      return workload satisfies never;
  }
}

/** What people wish for: what their Deployment says, what stands in the release, a side of a pair, or an environment. */
import { COLORS } from '../api/status.ts';
import { type External, workloadOf } from '../api/workload.ts';
import type { Deployment } from '../kube/types.ts';
import type { EndpointView } from '../release/endpoint-view.ts';
import { pairWish } from '../release/pair.ts';
import type { ConfigView, Snapshot, WishView } from '../release/snapshot.ts';
import { inlineDeployment } from '../workload/inline.ts';
import type { ReleaseRef } from '../workload/render.ts';
import { sourceFingerprint } from './identities.ts';
import { credentialConfig } from './named-config.ts';
import type { Scene } from './observe.ts';
import type { Pair } from './pair.ts';

export function statedIn({ spec }: ReleaseRef): Deployment | undefined {
  const workload = workloadOf(spec);
  return workload.kind === 'Deployment' ? inlineDeployment(workload.deployment) : undefined;
}

/** Of a pair it depends on the roles, and of an external workload on what is published. Where nothing is wished for, what the active revision was need not stand any more. */
export function withWish(
  seen: Snapshot,
  pair: Pair | undefined,
  stated: Deployment | undefined,
): Pick<Scene, 'snapshot' | 'wished'> {
  const workload = workloadOf(seen.release.spec);
  if (workload.kind === 'External' && seen.endpoint !== undefined) {
    const said = externalWish(seen.endpoint, workload.external);
    return { snapshot: { ...seen, ...said }, wished: undefined };
  }
  if (pair === undefined) return { snapshot: seen, wished: stated };
  const wish = pairWish(seen);
  const color = COLORS.find((each) => seen.sides[each].deployment?.fingerprint === wish?.fingerprint);
  return { snapshot: { ...seen, wish }, wished: color && pair[color].workload };
}

/** Of an environment nothing is known but what people say of it, and which version its credentials are of. */
function externalWish(endpoint: EndpointView, { active }: External): Pick<Snapshot, 'wish' | 'config'> {
  return {
    wish: { fingerprint: endpoint.fingerprints[active], podLabels: {}, replicas: 0 },
    config: credentialConfig(endpoint.credentials, active),
  };
}

export function wishView(wished: Deployment, config: ConfigView): WishView {
  const { replicas = 1, template } = wished.spec;
  return {
    fingerprint: sourceFingerprint(wished, config.found),
    podLabels: template.metadata?.labels ?? {},
    replicas,
  };
}

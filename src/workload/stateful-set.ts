/** A StatefulSet in the words of a Deployment: what the rules read of either means the same. Made once for each. */
import type { Deployment, StatefulSet } from '../kube/types.ts';

const made = new WeakMap<StatefulSet, Deployment>();

export function asDeployment(set: StatefulSet): Deployment {
  const known = made.get(set) ?? translate(set);
  made.set(set, known);
  return known;
}

/** Its strategy, ordinals and volume claims are no content: most of that cannot be changed, and none of it runs. */
function translate({ metadata, spec, status }: StatefulSet): Deployment {
  const { replicas, selector, template, minReadySeconds } = spec;
  return {
    metadata,
    spec: {
      selector,
      template,
      ...(replicas !== undefined && { replicas }),
      ...(minReadySeconds !== undefined && { minReadySeconds }),
    },
    ...(status !== undefined && { status }),
  };
}

/** The Deployment that stands in a release, as if it stood on its own: made once for each. */
import type { InlineDeployment } from '../api/workload.ts';
import type { Deployment } from '../kube/types.ts';

const made = new WeakMap<InlineDeployment, Deployment>();

/** Its selector is nobody's: only what it says of pods is ever read. */
export function inlineDeployment(inline: InlineDeployment): Deployment {
  const known = made.get(inline) ?? {
    metadata: { name: 'spec.workload.deployment' },
    spec: { ...(inline.spec as unknown as Deployment['spec']), selector: {} },
  };
  made.set(inline, known);
  return known;
}

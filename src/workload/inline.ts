/** The Deployment that stands in a release, as if it stood on its own: made once for each. */
import { memo } from '../api/memo.ts';
import type { InlineDeployment } from '../api/workload.ts';
import type { Deployment } from '../kube/types.ts';

/** Its selector is nobody's: only what it says of pods is ever read. */
export const inlineDeployment: (inline: InlineDeployment) => Deployment = memo(({ spec }) => ({
  metadata: { name: 'spec.workload.deployment' },
  spec: { ...(spec as unknown as Deployment['spec']), selector: {} },
}));

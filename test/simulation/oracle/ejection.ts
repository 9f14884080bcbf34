/** Ejection: the source takes production back with its pods ready, and in the end nothing tells of the release. */
import { LABEL_POD_TEMPLATE_HASH } from '../../../src/api/names.ts';
import {
  DEPLOYMENTS,
  type Deployment,
  HORIZONTAL_POD_AUTOSCALERS,
  PODS,
  type Pod,
  SERVICES,
  type Service,
} from '../../../src/kube/types.ts';
import { isReady } from '../cluster/deployments.ts';
import { SERVICE } from '../scenario.ts';
import { LABEL, type World } from '../world.ts';
import { fail, type View } from './view.ts';

/** A selector that an operator narrows to the source must leave as much as it takes away, but for a moment's change. */
export function guardHandBack(view: View, { spec: { selector = {} } }: Service): void {
  const hash = selector[LABEL_POD_TEMPLATE_HASH];
  if (hash === undefined) return;
  if (view.truth.release()?.metadata.deletionTimestamp === undefined)
    fail('the source got the traffic from a release that nobody had deleted');
  const serving = view.range(SERVICE).fewest;
  const { length } = view.world.api
    .list<Pod>(PODS)
    .filter((pod) => pod.metadata.labels?.[LABEL_POD_TEMPLATE_HASH] === hash && isReady(pod));
  if (serving > 0 && length === 0)
    fail(`traffic was moved to the source, which has no ready pod, while ${serving} endpoints were ready`);
}

export function checkGivenBack({ api, scenario }: World): void {
  const { metadata, spec } = api.get<Service>(SERVICES, SERVICE) ?? { metadata: {}, spec: {} };
  if (spec.selector?.[LABEL_POD_TEMPLATE_HASH] !== undefined)
    fail('at rest: the release is gone, and the Service selects by pod-template-hash still');
  const source = api.get<Deployment>(DEPLOYMENTS, 'checkout');
  if (source?.spec.paused) fail('at rest: the release is gone, and the source is paused still');
  const left = Object.keys({ ...metadata.labels, ...metadata.annotations, ...source?.metadata.labels });
  if (left.length > 0) fail(`at rest: the release is gone, and ${left.join(', ')} is left`);
  if (spec.selector?.[LABEL] !== undefined || (source?.spec.replicas ?? 0) === 0) return;
  if (
    scenario.spec.autoscaling !== undefined &&
    api.get(HORIZONTAL_POD_AUTOSCALERS, 'checkout') === undefined
  )
    fail('at rest: the source serves again, without its autoscaler');
}

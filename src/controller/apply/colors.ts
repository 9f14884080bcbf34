/** The sides: their Deployments, autoscalers and budgets. */
import { ANNOTATION_STORED_AUTOSCALER, colorName, revisionObjectName } from '../../api/names.ts';
import type { Color } from '../../api/status.ts';
import {
  DEPLOYMENTS,
  type Deployment,
  HORIZONTAL_POD_AUTOSCALERS,
  POD_DISRUPTION_BUDGETS,
  PODS,
  type Service,
} from '../../kube/types.ts';
import type { WorkloadContent } from '../../workload/content.ts';
import { renderAutoscaler, renderBudget, renderColor } from '../../workload/render.ts';
import { outdatedKeys, statedMetadata } from '../../workload/stated.ts';
import type { Scene } from '../observe.ts';
import { storedContent } from '../views/revision.ts';
import type { Applier, Appliers, Apply } from './applier.ts';
import { StaleError } from './errors.ts';
import { scalePaired } from './pair.ts';
import { colorDeployment, servicesNow, storedAutoscaler } from './present.ts';
import { create, patch, remove, removeMembers, setMembers, test, write } from './writes.ts';

function contentOfRevision({ cache }: Applier, { release }: Scene, revision: string): WorkloadContent {
  const key = { namespace: release.namespace, name: revisionObjectName(release.name, revision) };
  const content = storedContent(cache.revisions.get(key));
  if (content === undefined) throw new StaleError(`ControllerRevision "${key.name}" is gone`);
  return content;
}

/** Whatever was planned: what people wrote for a pair is neither written nor deleted. */
function mustBeOurs({ pair }: Scene): void {
  if (pair !== undefined) throw new Error('the workloads of a pair are written by people alone');
}

/** What was planned for a side without traffic is not done to one that another process has given it since. */
async function mustBeIdle(applier: Applier, scene: Scene, color: Color): Promise<void> {
  const label = scene.release.spec.traffic.selectorLabel;
  const isOn = (service: Service | undefined): boolean => service?.spec.selector?.[label] === color;
  if (scene.services.some(isOn)) return;
  if ((await servicesNow(applier, scene)).some(isOn))
    throw new StaleError(`${color} has the traffic again: it stays as it is`);
}

/** Full write. The selector of a Deployment is immutable, so a Deployment of ours always has the right one. */
const writeColor: Apply<'WriteColor'> = async (applier, scene, effect) => {
  mustBeOurs(scene);
  if (effect.expected !== undefined) await mustBeIdle(applier, scene, effect.color);
  const content = contentOfRevision(applier, scene, effect.revision);
  const body = renderColor(scene.release, effect.color, effect.revision, content, effect.replicas);
  const stored = storedAutoscaler(applier, scene);
  if (stored !== undefined)
    body.metadata.annotations = { ...body.metadata.annotations, [ANNOTATION_STORED_AUTOSCALER]: stored };
  const { deployments } = applier.cache;
  if (effect.expected === undefined)
    return create<Deployment>(applier, deployments, DEPLOYMENTS, scene, body);
  const { uid, resourceVersion } = effect.expected;
  const metadata = { ...body.metadata, uid, resourceVersion };
  deployments.note(await applier.client.replace<Deployment>(DEPLOYMENTS, { ...body, metadata }));
};

/** Not through the scale subresource: the test on the present number is the precondition. */
const scaleColor: Apply<'ScaleColor'> = async (applier, scene, { color, uid, from, to }) => {
  if (to < from) await mustBeIdle(applier, scene, color);
  if (scene.pair !== undefined)
    return scalePaired(applier, scene, { kind: 'ScaleColor', color, uid, from, to });
  await patch(applier, applier.cache.deployments, DEPLOYMENTS, scene, colorName(scene.release.name, color), [
    test('/metadata/uid', uid),
    test('/spec/replicas', from),
    { op: 'replace', path: '/spec/replicas', value: to },
  ]);
};

const labelColor: Apply<'LabelColor'> = async (applier, scene, { color, uid, resourceVersion }) => {
  const { release } = scene;
  const deployment = colorDeployment(applier, scene, color);
  const { name, labels, annotations } = deployment.metadata;
  const stated = statedMetadata(release.spec);
  const outdated = outdatedKeys(deployment, release.spec);
  await patch(applier, applier.cache.deployments, DEPLOYMENTS, scene, name, [
    test('/metadata/uid', uid),
    test('/metadata/resourceVersion', resourceVersion),
    ...setMembers('/metadata/labels', labels, stated.labels),
    ...setMembers('/metadata/annotations', annotations, stated.annotations),
    ...removeMembers('/metadata/labels', labels, outdated.labels),
    ...removeMembers('/metadata/annotations', annotations, outdated.annotations),
  ]);
};

/**
 * Deleted, not evicted: as when a Deployment rolls, the number that stays is what protects the side, and a budget that
 * people wrote for both colours at once would keep old connections for ever.
 */
const recyclePods: Apply<'RecyclePods'> = async (applier, scene, { color, pods }) => {
  const label = scene.release.spec.traffic.selectorLabel;
  for (const service of await servicesNow(applier, scene)) {
    const selected = service?.spec.selector?.[label];
    if (selected === undefined || selected === color)
      throw new StaleError(`${color} may have the traffic again: its pods stay`);
  }
  await Promise.all(pods.map(({ name, uid }) => remove(applier, applier.cache.pods, PODS, scene, name, uid)));
};

/** Without a key in its selector a Service rests on the source: what is deleted then has drained. */
const deleteColor: Apply<'DeleteColor'> = async (applier, scene, { color, uid }) => {
  mustBeOurs(scene);
  const { release } = scene;
  for (const service of await servicesNow(applier, scene))
    if (service === undefined || service.spec.selector?.[release.spec.traffic.selectorLabel] === color)
      throw new StaleError(`${color} may have the traffic again: it stays`);
  await remove(applier, applier.cache.deployments, DEPLOYMENTS, scene, colorName(release.name, color), uid);
};

export const colorAppliers: Appliers<
  | 'WriteColor'
  | 'ScaleColor'
  | 'LabelColor'
  | 'RecyclePods'
  | 'DeleteColor'
  | 'WriteAutoscaler'
  | 'RemoveAutoscaler'
  | 'WriteBudget'
  | 'RemoveBudget'
> = {
  WriteColor: writeColor,
  ScaleColor: scaleColor,
  LabelColor: labelColor,
  RecyclePods: recyclePods,
  DeleteColor: deleteColor,
  WriteAutoscaler: (applier, scene, { color, minReplicas }) => {
    const body = renderAutoscaler(scene.release, color, minReplicas);
    return write(applier, applier.cache.autoscalers, HORIZONTAL_POD_AUTOSCALERS, scene, body);
  },
  RemoveAutoscaler: (applier, scene, { name, uid }) =>
    remove(applier, applier.cache.autoscalers, HORIZONTAL_POD_AUTOSCALERS, scene, name, uid),
  WriteBudget: (applier, scene, { color, asks }) => {
    const body = renderBudget(scene.release, color, asks);
    return write(applier, applier.cache.budgets, POD_DISRUPTION_BUDGETS, scene, body);
  },
  RemoveBudget: (applier, scene, { color, uid }) => {
    const { budgets } = applier.cache;
    return remove(applier, budgets, POD_DISRUPTION_BUDGETS, scene, colorName(scene.release.name, color), uid);
  },
};

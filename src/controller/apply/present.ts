/** What an effect is about, as it stands in the scene or, where a moment matters, on the API server. */
import { ANNOTATION_STORED_AUTOSCALER, colorName } from '../../api/names.ts';
import { COLORS, type Color } from '../../api/status.ts';
import { type Deployment, SERVICES, type Service } from '../../kube/types.ts';
import type { Scene } from '../observe.ts';
import type { Applier } from './applier.ts';
import { StaleError } from './errors.ts';

export function sourceOf(scene: Scene): Deployment {
  if (scene.source === undefined) throw new StaleError('the source Deployment is gone');
  return scene.source;
}

/**
 * The autoscaler of the source, as it was taken over. It stands on the source and on each colour that was written since:
 * a source that is deleted and brought back has lost it, and the colours serve all the while.
 */
export function storedAutoscaler({ cache }: Applier, { release, source }: Scene): string | undefined {
  const { namespace } = release;
  const colors = COLORS.map((color) =>
    cache.deployments.get({ namespace, name: colorName(release.name, color) }),
  );
  return [source, ...colors]
    .map((deployment) => deployment?.metadata.annotations?.[ANNOTATION_STORED_AUTOSCALER])
    .find((stored) => stored !== undefined);
}

export function serviceOf(scene: Scene, name: string): Service {
  const all = [...scene.services, ...scene.previews, ...scene.leftovers];
  const service = all.find((each) => each?.metadata.name === name);
  if (service === undefined) throw new StaleError(`Service "${name}" is gone`);
  return service;
}

export function colorDeployment({ cache }: Applier, { release }: Scene, color: Color): Deployment {
  const deployment = cache.deployments.get({
    namespace: release.namespace,
    name: colorName(release.name, color),
  });
  if (deployment === undefined) throw new StaleError(`the Deployment of ${color} is gone`);
  return deployment;
}

/**
 * The production Services as the API server has them now, and not a moment ago: another process may have moved them, and
 * what was planned for a side without traffic must not hit one that has it again.
 */
export function servicesNow(
  { client }: Applier,
  { release, snapshot }: Scene,
): Promise<(Service | undefined)[]> {
  const { namespace } = release;
  return Promise.all(snapshot.services.map(({ name }) => client.get<Service>(SERVICES, { namespace, name })));
}

/** What is published of an external workload, and the consumers that are to read it anew. */
import {
  ANNOTATION_COPY_OF,
  endpointAnnotation,
  LABEL_CONFIG,
  LABEL_RELEASE,
  restartedAtAnnotation,
} from '../../api/names.ts';
import { formatPreciseTime } from '../../api/time.ts';
import type { JsonPatchOperation, Patch } from '../../kube/ports.ts';
import { CONFIG_MAPS, type ConfigMap, SECRETS } from '../../kube/types.ts';
import type { ConsumerView } from '../../release/endpoint-view.ts';
import { publishedDigest } from '../../workload/config.ts';
import type { Scene } from '../observe.ts';
import { markedOf, SWITCH_ANNOTATIONS, switchAnnotations } from '../switch-mark.ts';
import { WORKLOADS } from '../workloads.ts';
import type { Applier, Appliers, Apply } from './applier.ts';
import { StaleError } from './errors.ts';
import { assertInForce, assertUncommitted } from './in-force.ts';
import { assertStands } from './standing.ts';
import { create, patch, removeMembers, setMembers, test, testMark } from './writes.ts';

function publishedOf({ published }: Scene): ConfigMap {
  if (published === undefined) throw new StaleError('the published ConfigMap is gone');
  return published;
}

function labels({ release }: Scene): Record<string, string> {
  return { [LABEL_RELEASE]: release.name, [LABEL_CONFIG]: 'published' };
}

const claimEndpoint: Apply<'ClaimEndpoint'> = async (applier, scene, { configMap: name, expected }) => {
  const { configMaps } = applier.cache;
  if (expected === undefined) {
    const metadata = { namespace: scene.release.namespace, name, labels: labels(scene) };
    const body: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
    return create(applier, configMaps, CONFIG_MAPS, scene, body as never);
  }
  const { metadata } = publishedOf(scene);
  await assertStands(applier, scene);
  await patch(applier, configMaps, CONFIG_MAPS, scene, name, [
    test('/metadata/uid', expected.uid),
    test('/metadata/resourceVersion', expected.resourceVersion),
    ...setMembers('/metadata/labels', metadata.labels, {
      [LABEL_RELEASE]: scene.release.name,
      ...(metadata.labels?.[LABEL_CONFIG] === undefined && { [LABEL_CONFIG]: 'published' }),
    }),
  ]);
};

/** Mark, time and reason travel in the same patch: no crash can separate them. */
const publish: Apply<'Publish'> = async (applier, scene, effect) => {
  const { metadata, data } = publishedOf(scene);
  // The API server leaves an empty map out, so that there is nothing to test: whoever fills it writes a new version.
  const isEmpty = Object.keys(data ?? {}).length === 0;
  const urgency = effect.rescue ? 'rescue' : 'normal';
  await Promise.all([
    effect.expectedMark === undefined ? assertInForce(applier, scene, effect.mark, urgency) : undefined,
    assertUncommitted(applier, scene, effect, urgency),
  ]);
  return patch(
    applier,
    applier.cache.configMaps,
    CONFIG_MAPS,
    scene,
    effect.configMap,
    [
      test('/metadata/uid', effect.uid),
      ...(isEmpty ? [] : [test('/data', effect.from)]),
      testMark(isEmpty ? undefined : effect.expectedMark, metadata),
      { op: 'add', path: '/data', value: { ...effect.data } },
      ...setMembers('/metadata/annotations', metadata.annotations, switchAnnotations(effect)),
    ],
    { urgency },
  );
};

/** Another template, and the same pods: as `kubectl rollout restart` does it. `at`: milliseconds since the epoch. */
export function restartPatch(
  release: string,
  { uid }: Pick<ConsumerView, 'uid'>,
  digest: string,
  at: number,
): Patch {
  const said = { [endpointAnnotation(release)]: digest };
  const body = {
    metadata: { uid, annotations: { ...said, [restartedAtAnnotation(release)]: formatPreciseTime(at) } },
    spec: { template: { metadata: { annotations: said } } },
  };
  return { type: 'merge', body };
}

/**
 * Only with what the API server says is published now, and not a moment ago: another process may have switched since, and
 * its consumers must not be put back.
 */
const restartConsumer: Apply<'RestartConsumer'> = async ({ client }, scene, effect) => {
  const { consumer, name, digest, at } = effect;
  const { namespace, name: release } = scene.release;
  const key = { namespace, name };
  const map = publishedOf(scene).metadata.name;
  const { credentials } = scene.snapshot.endpoint ?? {};
  const [said, secret] = await Promise.all([
    client.get<ConfigMap>(CONFIG_MAPS, { namespace, name: map }),
    credentials && client.get(SECRETS, { namespace, name: credentials.name }),
  ]);
  const { uid } = scene.release;
  const isFollowed = markedOf(secret, uid).mark?.revision === markedOf(said, uid).mark?.revision;
  const copyOf = isFollowed ? secret?.metadata.annotations?.[ANNOTATION_COPY_OF] : undefined;
  if (publishedDigest(said?.data ?? {}, copyOf) !== digest)
    throw new StaleError(`ConfigMap "${map}" says something else by now`);
  await client.patch(WORKLOADS[consumer].type, key, restartPatch(release, effect, digest, at));
};

const releaseEndpoint = (applier: Applier, scene: Scene, name: string, uid: string): Promise<void> => {
  const { metadata } = publishedOf(scene);
  const operations: JsonPatchOperation[] = [
    test('/metadata/uid', uid),
    ...removeMembers('/metadata/labels', metadata.labels, [LABEL_RELEASE]),
    ...removeMembers('/metadata/annotations', metadata.annotations, SWITCH_ANNOTATIONS),
  ];
  return patch(applier, applier.cache.configMaps, CONFIG_MAPS, scene, name, operations);
};

export const endpointAppliers: Appliers<'ClaimEndpoint' | 'Publish' | 'ReleaseEndpoint' | 'RestartConsumer'> =
  {
    ClaimEndpoint: claimEndpoint,
    Publish: publish,
    ReleaseEndpoint: (applier, scene, { configMap, uid }) => releaseEndpoint(applier, scene, configMap, uid),
    RestartConsumer: restartConsumer,
  };

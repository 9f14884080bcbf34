/** Revisions: their content, what their ConfigMaps held, and their facts. */
import {
  ANNOTATION_FACTS,
  colorName,
  copyName,
  LABEL_RELEASE,
  LABEL_REVISION,
  revisionObjectName,
} from '../../api/names.ts';
import { API_VERSION, KIND } from '../../api/schema.ts';
import type { Color } from '../../api/status.ts';
import { workloadOf } from '../../api/workload.ts';
import type { KubeObject } from '../../kube/ports.ts';
import {
  CONFIG_MAPS,
  CONTROLLER_REVISIONS,
  type ControllerRevision,
  DEPLOYMENTS,
  type Deployment,
  type JsonObject,
} from '../../kube/types.ts';
import { formatFacts, type OutcomeKind } from '../../release/facts.ts';
import { configDigest } from '../../workload/config.ts';
import {
  contentOf,
  contentOfColor,
  contentOfPaired,
  contentOfReplicaSet,
  fingerprint,
  type RevisionData,
  type WorkloadContent,
} from '../../workload/content.ts';
import { type ExternalContent, externalContent } from '../../workload/external.ts';
import { nameless, renderColor, renderCopy } from '../../workload/render.ts';
import { readConfigMap } from '../named-config.ts';
import type { Scene } from '../observe.ts';
import type { Pair } from '../pair.ts';
import { markedOf } from '../switch-mark.ts';
import type { Applier, Appliers, Apply, Of } from './applier.ts';
import { StaleError } from './errors.ts';
import { colorDeployment, servicesNow, sourceOf } from './present.ts';
import { create, patch, pointer, remove, setMembers, test } from './writes.ts';

function contentFor(
  scene: Scene,
  applier: Applier,
  { from, facts }: Of<'CreateRevision'>,
): WorkloadContent | ExternalContent {
  const { config, endpoint: { credentials } = {} } = scene.snapshot;
  const workload = workloadOf(scene.release.spec);
  if (workload.kind === 'External')
    return externalContent(scene.release.spec, facts.color, credentials?.versions[facts.color]);
  if (scene.pair !== undefined) return contentOfPaired(pairedOn(scene.pair, facts.color));
  if (from === 'source') return contentOf(scene.wished ?? sourceOf(scene), config.found);
  if (from === 'live') {
    const content =
      scene.liveReplicaSet && contentOfReplicaSet(scene.liveReplicaSet, sourceOf(scene), config.found);
    if (content === undefined) throw new StaleError('no ReplicaSet of the source has ready pods');
    return content;
  }
  return contentOfColor(colorDeployment(applier, scene, from), scene.release.spec.traffic.selectorLabel);
}

function pairedOn(pair: Pair, color: Color): Deployment {
  const { workload } = pair[color];
  if (workload === undefined) throw new StaleError(`the workload of ${color} is gone`);
  return workload;
}

/** What the ConfigMaps of this content hold: the colour's copies where it is a colour's, else those that people wrote. */
async function heldBy(
  { client }: Applier,
  { release }: Scene,
  content: WorkloadContent | ExternalContent,
  from: Of<'CreateRevision'>['from'],
): Promise<RevisionData['configMaps']> {
  const { configMaps = {} } = ('template' in content && content.config) || {};
  const digests = Object.entries(configMaps);
  if (digests.length === 0) return undefined;
  const isColor = from === 'blue' || from === 'green';
  const read = digests.map(async ([name, digest]) => {
    const copy = isColor ? copyName(release.name, from, name, digest) : undefined;
    const copied = copy && (await readConfigMap(client, release.namespace, copy, digest));
    // A copy that is gone may say what people write still: what stands there is known by its digest.
    const held = copied || (await readConfigMap(client, release.namespace, name, digest));
    if (held === undefined && copy !== undefined)
      throw new Error(`ConfigMap "${copy}", with which ${from} runs, is gone or changed: put it back`);
    if (held === undefined) throw new StaleError(`ConfigMap "${name}" changed while it was frozen`);
    return [name, held] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}

const writeCopy: Apply<'WriteCopy'> = async (applier, scene, { color, revision, configMap, digest }) => {
  const { client, cache } = applier;
  const { namespace, name } = scene.release;
  // The cache keeps no contents.
  const key = { namespace, name: revisionObjectName(name, revision) };
  const stored = await client.get<ControllerRevision>(CONTROLLER_REVISIONS, key);
  if (stored === undefined) throw new StaleError(`ControllerRevision "${key.name}" is gone`);
  const held = (stored.data as unknown as RevisionData).configMaps?.[configMap];
  if (held === undefined || configDigest(held) !== digest)
    throw new Error(`ControllerRevision "${key.name}" does not hold ConfigMap "${configMap}" any more`);
  const body = renderCopy(scene.release, color, configMap, held);
  const other = cache.configMaps.get({ namespace, name: body.metadata.name });
  // Deleted by somebody, and made again with another content.
  if (other?.metadata.labels?.[LABEL_RELEASE] === name)
    await remove(applier, cache.configMaps, CONFIG_MAPS, scene, body.metadata.name, other.metadata.uid ?? '');
  await create<KubeObject>(applier, cache.configMaps, CONFIG_MAPS, scene, body);
};

/** What the API server would make of it: only that can be compared with what a colour runs. */
async function asStored(
  { client, takeStored }: Applier,
  { release }: Scene,
  { revision, facts, fingerprint: asked }: Of<'CreateRevision'>,
  content: WorkloadContent,
): Promise<WorkloadContent> {
  const known = takeStored?.(asked);
  if (known !== undefined) return known;
  const body = nameless(renderColor(release, facts.color, revision, content, 1));
  const answer = await client.create<Deployment>(DEPLOYMENTS, body, { dryRun: true });
  return contentOfColor(answer, release.spec.traffic.selectorLabel);
}

const createRevision: Apply<'CreateRevision'> = async (applier, scene, effect) => {
  const { release } = scene;
  const content = contentFor(scene, applier, effect);
  if (fingerprint(content) !== effect.fingerprint)
    throw new StaleError('the workload changed while it was frozen');
  const configMaps = await heldBy(applier, scene, content, effect.from);
  const inline =
    effect.from === 'source' && workloadOf(release.spec).kind === 'Deployment' && 'template' in content
      ? content
      : undefined;
  const data: RevisionData = {
    spec: release.spec,
    content: inline === undefined ? content : await asStored(applier, scene, effect, inline),
    ...(inline !== undefined && { inline: true }),
    ...(configMaps && { configMaps }),
  };
  await create<ControllerRevision>(applier, applier.cache.revisions, CONTROLLER_REVISIONS, scene, {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      namespace: release.namespace,
      name: revisionObjectName(release.name, effect.revision),
      labels: { [LABEL_RELEASE]: release.name, [LABEL_REVISION]: effect.revision },
      annotations: { [ANNOTATION_FACTS]: formatFacts(effect.facts) },
      ownerReferences: [
        { apiVersion: API_VERSION, kind: KIND, name: release.name, uid: release.uid, controller: true },
      ],
    },
    data: data as unknown as JsonObject,
    revision: effect.number,
  });
};

/** Ends of a candidate, as opposed to those of what had the traffic. */
const GIVEN_UP: ReadonlySet<OutcomeKind | undefined> = new Set<OutcomeKind>([
  'Failed',
  'Inconclusive',
  'Superseded',
]);

/** Another process may have given it the traffic a moment ago: that switch would be taken for drift from then on. */
async function mustNotServe(
  applier: Applier,
  scene: Scene,
  { revision, facts }: Of<'RecordFacts'>,
): Promise<void> {
  const { namespace } = scene.release;
  const { endpoint } = scene.snapshot;
  const published =
    endpoint && (await applier.client.get<KubeObject>(CONFIG_MAPS, { namespace, name: endpoint.name }));
  for (const carrier of [...(await servicesNow(applier, scene)), published]) {
    const { mark } = markedOf(carrier, scene.release.uid);
    const isItsOwn = mark?.revision === revision && mark.attempt === facts.attempt;
    if (isItsOwn && mark.direction === 'Forward')
      throw new StaleError(`revision ${revision} was given the traffic: it is no candidate any more`);
  }
}

/**
 * A Service that another process has just switched, and that was not seen there: it has yet to go back. What was seen, and
 * is left there for a reason, keeps nobody waiting.
 */
async function mustHaveLost(
  applier: Applier,
  scene: Scene,
  { revision, facts }: Of<'RecordFacts'>,
): Promise<void> {
  const label = scene.release.spec.traffic.selectorLabel;
  for (const [index, service] of (await servicesNow(applier, scene)).entries()) {
    const seen = scene.snapshot.services[index]?.selector[label];
    if (service?.spec.selector?.[label] === facts.color && seen !== facts.color)
      throw new StaleError(
        `Service "${service.metadata.name}" selects ${facts.color}: revision ${revision} has its traffic still`,
      );
  }
}

const recordFacts: Apply<'RecordFacts'> = async (applier, scene, effect) => {
  const { revision, expected, facts } = effect;
  // Nothing is switched to before it is validated.
  if (facts.validatedAt !== undefined && GIVEN_UP.has(facts.outcome?.kind))
    await mustNotServe(applier, scene, effect);
  if (facts.outcome?.kind === 'RolledBack') await mustHaveLost(applier, scene, effect);
  const { revisions } = applier.cache;
  const name = revisionObjectName(scene.release.name, revision);
  const known = revisions.get({ namespace: scene.release.namespace, name })?.metadata;
  const path = '/metadata/annotations';
  await patch(applier, revisions, CONTROLLER_REVISIONS, scene, name, [
    expected === undefined
      ? test('/metadata/resourceVersion', known?.resourceVersion)
      : test(`${path}/${pointer(ANNOTATION_FACTS)}`, expected),
    ...setMembers(path, known?.annotations, { [ANNOTATION_FACTS]: formatFacts(facts) }),
  ]);
};

/** Another process may have built its colour of it anew a moment ago: the cache has not heard of that. */
const deleteRevision: Apply<'DeleteRevision'> = async (applier, scene, { revision }) => {
  const { namespace, name } = scene.release;
  const { revisions } = applier.cache;
  const uid = revisions.get({ namespace, name: revisionObjectName(name, revision) })?.metadata.uid;
  if (uid === undefined) return;
  const color = scene.snapshot.revisions.find((each) => each.name === revision)?.facts?.color;
  const key = color !== undefined && scene.pair === undefined && { namespace, name: colorName(name, color) };
  const holder = key ? await applier.client.get<Deployment>(DEPLOYMENTS, key) : undefined;
  if (holder?.metadata.labels?.[LABEL_REVISION] === revision)
    throw new StaleError(`${color} holds revision ${revision}: it is not forgotten`);
  await remove(applier, revisions, CONTROLLER_REVISIONS, scene, revisionObjectName(name, revision), uid);
};

export const revisionAppliers: Appliers<
  'CreateRevision' | 'RecordFacts' | 'DeleteRevision' | 'WriteCopy' | 'RemoveCopy'
> = {
  CreateRevision: createRevision,
  RecordFacts: recordFacts,
  DeleteRevision: deleteRevision,
  WriteCopy: writeCopy,
  RemoveCopy: (applier, scene, { name, uid }) =>
    remove(applier, applier.cache.configMaps, CONFIG_MAPS, scene, name, uid),
};

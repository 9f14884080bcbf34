/**
 * Turns effects into writes, one applier for each kind. Every write is idempotent and carries its precondition; its
 * answer goes into the cache at once, so that the next decision sees it.
 */
import {
  ANNOTATION_CLAIM,
  ANNOTATION_FACTS,
  ANNOTATION_PARKED_AT,
  ANNOTATION_STORED_AUTOSCALER,
  ANNOTATION_SWITCH,
  ANNOTATION_SWITCH_REASON,
  ANNOTATION_SWITCHED_AT,
  colorName,
  copyName,
  FINALIZER,
  LABEL_POD_TEMPLATE_HASH,
  LABEL_RELEASE,
  LABEL_REVISION,
  revisionObjectName,
  twinName,
} from '../api/names.ts';
import { type BlueGreenReleaseObject, RELEASES } from '../api/resource.ts';
import { API_VERSION, KIND } from '../api/schema.ts';
import type { Color } from '../api/status.ts';
import { formatPreciseTime, formatTime } from '../api/time.ts';
import { workloadOf } from '../api/workload.ts';
import { isKubeError } from '../kube/errors.ts';
import type {
  CallOptions,
  JsonPatchOperation,
  KubeClient,
  KubeObject,
  ObjectMeta,
  ResourceType,
  Store,
} from '../kube/ports.ts';
import {
  CONFIG_MAPS,
  CONTROLLER_REVISIONS,
  type ControllerRevision,
  DEPLOYMENTS,
  type Deployment,
  HORIZONTAL_POD_AUTOSCALERS,
  type HorizontalPodAutoscaler,
  JOBS,
  type Job,
  type JsonObject,
  POD_DISRUPTION_BUDGETS,
  PODS,
  SERVICES,
  type Service,
} from '../kube/types.ts';
import { activeColor } from '../release/endpoints.ts';
import { formatFacts, type OutcomeKind } from '../release/facts.ts';
import { formatMark, parseMark } from '../release/mark.ts';
import type { Effect, EffectKind } from '../release/plan.ts';
import { configDigest } from '../workload/config.ts';
import {
  contentOf,
  contentOfColor,
  contentOfReplicaSet,
  fingerprint,
  type RevisionData,
  type WorkloadContent,
} from '../workload/content.ts';
import {
  nameless,
  renderAutoscaler,
  renderBudget,
  renderColor,
  renderCopy,
  renderJob,
  renderTwin,
} from '../workload/render.ts';
import type { Cache } from './cache.ts';
import { readConfigMap } from './named-config.ts';
import type { Scene } from './observe.ts';
import { storedContent } from './views.ts';

export interface Applier {
  readonly client: KubeClient;
  readonly cache: Cache;
}

type Of<K extends EffectKind> = Extract<Effect, { kind: K }>;
type Apply<K extends EffectKind> = (applier: Applier, scene: Scene, effect: Of<K>) => Promise<void>;

/** The world is not what the effect was planned for: look again, decide again. */
export class StaleError extends Error {}

/** What an effect was planned for has changed; nothing is wrong with the effect. */
export function isStale(error: unknown): boolean {
  return error instanceof StaleError || isKubeError(error, 'Conflict', 'NotFound');
}

/** A name that the operator needs belongs to somebody else. */
export class NameTakenError extends Error {}

export async function applyEffect<K extends EffectKind>(
  applier: Applier,
  scene: Scene,
  effect: Of<K>,
): Promise<void> {
  const apply = APPLIERS[effect.kind] as Apply<K>;
  await apply(applier, scene, effect);
}

/** A key in a JSON pointer, RFC 6901. */
export const pointer = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

const test = (path: string, value: unknown): JsonPatchOperation => ({ op: 'test', path, value });

/** As the API server, its admission policies and its webhooks say no to what would come of a patch. */
const REFUSAL = / is (invalid|forbidden): | denied the request/;

/** A patch of an object that we own, noted in its store. */
async function patch<T extends KubeObject>(
  { client }: Applier,
  store: Store<T>,
  type: ResourceType,
  { release }: { release: { namespace: string } },
  name: string,
  operations: JsonPatchOperation[],
  options?: CallOptions,
): Promise<void> {
  const key = { namespace: release.namespace, name };
  try {
    const answer = await client.patch<T>(type, key, { type: 'json', operations }, options);
    // What carries no label is not watched: once in the cache it would never change again.
    if (type === RELEASES || answer.metadata.labels?.[LABEL_RELEASE] !== undefined) store.note(answer);
  } catch (error) {
    // A JSON patch whose `test` failed is answered 422: the object is not what the plan was made for. So is one whose
    // result is refused, in other words; looking again would not help that one, and people must hear of it.
    if (isKubeError(error, 'Invalid') && !REFUSAL.test(error.message))
      throw new StaleError(`${type.kind} "${name}" changed in the meantime`);
    throw error;
  }
}

/**
 * A create; where the object exists already it must be ours, and then the next decision sees it. What an earlier release
 * of this name left behind would never be seen, and is removed.
 */
async function create<T extends KubeObject>(
  applier: Applier,
  store: Store<T>,
  type: ResourceType,
  scene: Scene,
  body: T,
): Promise<void> {
  try {
    store.note(await applier.client.create<T>(type, body));
  } catch (error) {
    if (!isKubeError(error, 'AlreadyExists')) throw error;
    const { namespace = '', name } = body.metadata;
    const existing = await applier.client.get<T>(type, { namespace, name });
    if (existing === undefined) throw new StaleError(`${type.kind} "${name}" was deleted while it was read`);
    if (existing.metadata.labels?.[LABEL_RELEASE] !== scene.release.name) {
      throw new NameTakenError(
        `${type.kind} "${name}" exists and does not belong to this release: rename or delete it, the operator needs that name`,
      );
    }
    if (!hasOwnersOf(existing, body) || (type === JOBS && !isOfRevision(existing, body))) {
      await remove(applier, store, type, scene, name, existing.metadata.uid ?? '');
      throw new StaleError(`${type.kind} "${name}" was left behind by an earlier release`);
    }
    store.note(existing);
  }
}

/** A full write of what is ours alone. */
async function write<T extends KubeObject>(
  applier: Applier,
  store: Store<T>,
  type: ResourceType,
  scene: Scene,
  body: T,
): Promise<void> {
  const { namespace = '', name } = body.metadata;
  const known = store.get({ namespace, name });
  if (known === undefined) return create(applier, store, type, scene, body);
  const { uid = '', resourceVersion = '' } = known.metadata;
  store.note(
    await applier.client.replace<T>(type, { ...body, metadata: { ...body.metadata, uid, resourceVersion } }),
  );
}

/** Two processes at once may each start a revision under the same attempt: the Job of the other one proves nothing. */
function isOfRevision(existing: KubeObject, body: KubeObject): boolean {
  return existing.metadata.labels?.[LABEL_REVISION] === body.metadata.labels?.[LABEL_REVISION];
}

function hasOwnersOf(existing: KubeObject, body: KubeObject): boolean {
  const present = new Set(existing.metadata.ownerReferences?.map(({ uid }) => uid));
  return (body.metadata.ownerReferences ?? []).every(({ uid }) => present.has(uid));
}

async function remove<T extends KubeObject>(
  applier: Applier,
  store: Store<T>,
  type: ResourceType,
  scene: Scene,
  name: string,
  uid: string,
): Promise<void> {
  const key = { namespace: scene.release.namespace, name };
  await applier.client.delete(type, key, { uid, propagation: 'Background' });
  const known = store.get(key);
  if (known !== undefined) store.noteDeleted(known);
}

const patchSource = (
  applier: Applier,
  scene: Scene,
  uid: string,
  operations: JsonPatchOperation[],
): Promise<void> =>
  patch(applier, applier.cache.deployments, DEPLOYMENTS, scene, sourceOf(scene).metadata.name, [
    test('/metadata/uid', uid),
    ...operations,
  ]);

const patchService = (
  applier: Applier,
  scene: Scene,
  name: string,
  operations: JsonPatchOperation[],
  options?: CallOptions,
): Promise<void> => patch(applier, applier.cache.services, SERVICES, scene, name, operations, options);

/** Sets members of a map that may be absent. */
function setMembers(
  path: string,
  present: Record<string, string> | undefined,
  members: Record<string, string>,
): JsonPatchOperation[] {
  if (present === undefined) return [{ op: 'add', path, value: members }];
  return Object.entries(members).map(([key, value]) => ({
    op: 'add',
    path: `${path}/${pointer(key)}`,
    value,
  }));
}

function removeMembers(
  path: string,
  present: Record<string, string> | undefined,
  keys: readonly string[],
): JsonPatchOperation[] {
  return keys
    .filter((key) => present?.[key] !== undefined)
    .map((key) => ({ op: 'remove', path: `${path}/${pointer(key)}` }));
}

function sourceOf(scene: Scene): Deployment {
  if (scene.source === undefined) throw new StaleError('the source Deployment is gone');
  return scene.source;
}

function serviceOf(scene: Scene, name: string): Service {
  const all = [...scene.services, ...scene.previews, ...scene.leftovers];
  const service = all.find((each) => each?.metadata.name === name);
  if (service === undefined) throw new StaleError(`Service "${name}" is gone`);
  return service;
}

function contentFor(scene: Scene, applier: Applier, from: Of<'CreateRevision'>['from']): WorkloadContent {
  const { config } = scene.snapshot;
  if (from === 'source') return contentOf(scene.wished ?? sourceOf(scene), config.found);
  if (from === 'live') {
    const content =
      scene.liveReplicaSet && contentOfReplicaSet(scene.liveReplicaSet, sourceOf(scene), config.found);
    if (content === undefined) throw new StaleError('no ReplicaSet of the source has ready pods');
    return content;
  }
  return contentOfColor(colorDeployment(applier, scene, from), scene.release.spec.traffic.selectorLabel);
}

function colorDeployment({ cache }: Applier, { release }: Scene, color: Color): Deployment {
  const deployment = cache.deployments.get({
    namespace: release.namespace,
    name: colorName(release.name, color),
  });
  if (deployment === undefined) throw new StaleError(`the Deployment of ${color} is gone`);
  return deployment;
}

function contentOfRevision({ cache }: Applier, { release }: Scene, revision: string): WorkloadContent {
  const key = { namespace: release.namespace, name: revisionObjectName(release.name, revision) };
  const content = storedContent(cache.revisions.get(key));
  if (content === undefined) throw new StaleError(`ControllerRevision "${key.name}" is gone`);
  return content;
}

/** What the ConfigMaps of this content hold: the colour's copies where it is a colour's, else those that people wrote. */
async function heldBy(
  { client }: Applier,
  { release }: Scene,
  { config }: WorkloadContent,
  from: Of<'CreateRevision'>['from'],
): Promise<RevisionData['configMaps']> {
  const digests = Object.entries(config?.configMaps ?? {});
  if (digests.length === 0) return undefined;
  const isColor = from === 'blue' || from === 'green';
  const read = digests.map(async ([name, digest]) => {
    const stands = isColor ? copyName(release.name, from, name, digest) : name;
    const held = await readConfigMap(client, release.namespace, stands, digest);
    if (held === undefined && isColor)
      throw new Error(`ConfigMap "${stands}", with which ${from} runs, is gone or changed: put it back`);
    if (held === undefined) throw new StaleError(`ConfigMap "${stands}" changed while it was frozen`);
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
  { client }: Applier,
  { release }: Scene,
  { revision, facts }: Of<'CreateRevision'>,
  content: WorkloadContent,
): Promise<WorkloadContent> {
  const body = nameless(renderColor(release, facts.color, revision, content, 1));
  const answer = await client.create<Deployment>(DEPLOYMENTS, body, { dryRun: true });
  return contentOfColor(answer, release.spec.traffic.selectorLabel);
}

const createRevision: Apply<'CreateRevision'> = async (applier, scene, effect) => {
  const { release } = scene;
  const content = contentFor(scene, applier, effect.from);
  if (fingerprint(content) !== effect.fingerprint)
    throw new StaleError('the workload changed while it was frozen');
  const configMaps = await heldBy(applier, scene, content, effect.from);
  const isInline = effect.from === 'source' && workloadOf(release.spec).kind === 'Deployment';
  const data: RevisionData = {
    spec: release.spec,
    content: isInline ? await asStored(applier, scene, effect, content) : content,
    ...(isInline && { inline: true }),
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
  for (const service of await servicesNow(applier, scene)) {
    const mark = parseMark(service?.metadata.annotations?.[ANNOTATION_SWITCH], scene.release.uid);
    const isItsOwn = mark?.revision === revision && mark.attempt === facts.attempt;
    if (isItsOwn && mark.direction === 'Forward')
      throw new StaleError(`revision ${revision} was given the traffic: it is no candidate any more`);
  }
}

const recordFacts: Apply<'RecordFacts'> = async (applier, scene, effect) => {
  const { revision, expected, facts } = effect;
  // Nothing is switched to before it is validated.
  if (facts.validatedAt !== undefined && GIVEN_UP.has(facts.outcome?.kind))
    await mustNotServe(applier, scene, effect);
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

/** A Service that became dual stack has twins that do: a pod counts only where every family has it. */
function familiesOf({ spec: { ipFamilies, ipFamilyPolicy } }: Service): JsonPatchOperation[] {
  if (ipFamilies === undefined || ipFamilyPolicy === undefined) return [];
  return [
    { op: 'add', path: '/spec/ipFamilyPolicy', value: ipFamilyPolicy },
    { op: 'add', path: '/spec/ipFamilies', value: ipFamilies },
  ];
}

const SWITCH_ANNOTATIONS = [ANNOTATION_SWITCH, ANNOTATION_SWITCHED_AT, ANNOTATION_SWITCH_REASON];

/** A preview must not keep the release waiting that it shows. */
const PREVIEW_DEADLINE_MS = 2000;

/** The production selector. Mark, time and reason travel in the same patch: no crash can separate them. */
const patchSelector: Apply<'PatchSelector'> = (applier, scene, effect) => {
  const label = scene.release.spec.traffic.selectorLabel;
  const service = serviceOf(scene, effect.service);
  const annotations = service.metadata.annotations;
  const path = `/spec/selector/${pointer(label)}`;
  const markPath = `/metadata/annotations/${pointer(ANNOTATION_SWITCH)}`;
  const marks = effect.mark && {
    [ANNOTATION_SWITCH]: formatMark(effect.mark),
    [ANNOTATION_SWITCHED_AT]: formatPreciseTime(effect.decidedAt),
    [ANNOTATION_SWITCH_REASON]: effect.reason.slice(0, 512),
  };
  const operations: JsonPatchOperation[] = [
    test('/metadata/uid', effect.uid),
    test('/spec/selector', effect.from),
    ...(effect.expectedMark === undefined ? [] : [test(markPath, effect.expectedMark)]),
    ...(effect.color === undefined
      ? removeMembers('/spec/selector', service.spec.selector, [label])
      : [{ op: 'add' as const, path, value: effect.color }]),
    ...(marks === undefined
      ? removeMembers('/metadata/annotations', annotations, SWITCH_ANNOTATIONS)
      : setMembers('/metadata/annotations', annotations, marks)),
  ];
  return patchService(applier, scene, effect.service, operations, {
    urgency: effect.rescue ? 'rescue' : 'normal',
  });
};

/** Deleted and brought back, the source has lost our label, and nobody would hear of it. What another release has is left. */
function claimSource(scene: Scene): JsonPatchOperation[] {
  const { labels } = sourceOf(scene).metadata;
  if (labels?.[LABEL_RELEASE] !== undefined) return [];
  return setMembers('/metadata/labels', labels, { [LABEL_RELEASE]: scene.release.name });
}

/** Without the mark: what the source runs is no switch of this release. When it was done says when it has drained. */
const handBack: Apply<'HandBack'> = (applier, scene, effect) => {
  const {
    [LABEL_POD_TEMPLATE_HASH]: _,
    [scene.release.spec.traffic.selectorLabel]: __,
    ...rest
  } = effect.from;
  const { annotations } = serviceOf(scene, effect.service).metadata;
  const path = '/metadata/annotations';
  return patchService(applier, scene, effect.service, [
    test('/metadata/uid', effect.uid),
    test('/spec/selector', effect.from),
    ...(effect.expectedMark === undefined
      ? []
      : [test(`${path}/${pointer(ANNOTATION_SWITCH)}`, effect.expectedMark)]),
    {
      op: 'add',
      path: '/spec/selector',
      value: { ...rest, ...(effect.hash !== undefined && { [LABEL_POD_TEMPLATE_HASH]: effect.hash }) },
    },
    ...removeMembers(path, annotations, [ANNOTATION_SWITCH]),
    ...setMembers(path, annotations, {
      [ANNOTATION_SWITCHED_AT]: formatPreciseTime(effect.decidedAt),
      [ANNOTATION_SWITCH_REASON]: effect.reason.slice(0, 512),
    }),
  ]);
};

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
  if (effect.expected !== undefined) await mustBeIdle(applier, scene, effect.color);
  const content = contentOfRevision(applier, scene, effect.revision);
  const body = renderColor(scene.release, effect.color, effect.revision, content, effect.replicas);
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
  await patch(applier, applier.cache.deployments, DEPLOYMENTS, scene, colorName(scene.release.name, color), [
    test('/metadata/uid', uid),
    test('/spec/replicas', from),
    { op: 'replace', path: '/spec/replicas', value: to },
  ]);
};

/**
 * The production Services as the API server has them now, and not a moment ago: another process may have moved them, and
 * what was planned for a side without traffic must not hit one that has it again.
 */
function servicesNow({ client }: Applier, { release, snapshot }: Scene): Promise<(Service | undefined)[]> {
  const { namespace } = release;
  return Promise.all(snapshot.services.map(({ name }) => client.get<Service>(SERVICES, { namespace, name })));
}

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
  const { release } = scene;
  for (const service of await servicesNow(applier, scene))
    if (service === undefined || service.spec.selector?.[release.spec.traffic.selectorLabel] === color)
      throw new StaleError(`${color} may have the traffic again: it stays`);
  await remove(applier, applier.cache.deployments, DEPLOYMENTS, scene, colorName(release.name, color), uid);
};

const holdSource: Apply<'HoldSource'> = (applier, scene, { uid, resourceVersion, autoscaler }) => {
  const { labels, annotations } = sourceOf(scene).metadata;
  const stored = scene.sourceAutoscalers.find(({ metadata }) => metadata.name === autoscaler);
  return patchSource(applier, scene, uid, [
    test('/metadata/resourceVersion', resourceVersion),
    ...setMembers('/metadata/labels', labels, { [LABEL_RELEASE]: scene.release.name }),
    ...(stored === undefined
      ? []
      : setMembers('/metadata/annotations', annotations, {
          [ANNOTATION_STORED_AUTOSCALER]: storable(stored),
        })),
    { op: 'add', path: '/spec/paused', value: true },
  ]);
};

/** What is needed to create it again. */
function storable({ metadata, spec }: HorizontalPodAutoscaler): string {
  const { name, namespace, labels, annotations } = metadata;
  const kept = {
    name,
    ...(namespace && { namespace }),
    ...(labels && { labels }),
    ...(annotations && { annotations }),
  };
  return JSON.stringify({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: kept,
    spec,
  });
}

const releaseSource: Apply<'ReleaseSource'> = async (applier, scene, { uid }) => {
  const { labels, annotations } = sourceOf(scene).metadata;
  const stored = annotations?.[ANNOTATION_STORED_AUTOSCALER];
  // Only where the source serves again: an autoscaler of a Deployment at 0 is switched off, and would wait for Git.
  const restored = stored !== undefined && (sourceOf(scene).spec.replicas ?? 1) > 0;
  if (restored) {
    const body = JSON.parse(stored) as HorizontalPodAutoscaler;
    await applier.client.create(HORIZONTAL_POD_AUTOSCALERS, body).catch((error: unknown) => {
      if (!isKubeError(error, 'AlreadyExists')) throw error;
    });
  }
  await patchSource(applier, scene, uid, [
    ...removeMembers('/metadata/labels', labels, [LABEL_RELEASE]),
    ...removeMembers('/metadata/annotations', annotations, [
      ANNOTATION_PARKED_AT,
      ...(restored ? [ANNOTATION_STORED_AUTOSCALER] : []),
    ]),
    { op: 'add', path: '/spec/paused', value: false },
  ]);
};

const finalizers = (
  applier: Applier,
  { namespace = '', name, uid }: Pick<ObjectMeta, 'namespace' | 'name' | 'uid'>,
  change: (present: string[]) => string[],
): Promise<void> => {
  const { releases } = applier.cache;
  const object = releases.get({ namespace, name });
  const operations: JsonPatchOperation[] = [
    test('/metadata/uid', uid),
    test('/metadata/resourceVersion', object?.metadata.resourceVersion),
    { op: 'add', path: '/metadata/finalizers', value: change(object?.metadata.finalizers ?? []) },
  ];
  return patch(applier, releases, RELEASES, { release: { namespace } }, name, operations);
};

const without = (present: string[]): string[] => present.filter((each) => each !== FINALIZER);

/** Takes our finalizer from a release of which nothing else is known. */
export async function letGo(applier: Applier, { metadata }: BlueGreenReleaseObject): Promise<void> {
  if (metadata.finalizers?.includes(FINALIZER)) await finalizers(applier, metadata, without);
}

const APPLIERS: { [K in EffectKind]: Apply<K> } = {
  AddFinalizer: (applier, scene) =>
    finalizers(applier, scene.release, (present) => [...new Set([...present, FINALIZER])]),
  RemoveFinalizer: (applier, scene) => finalizers(applier, scene.release, without),
  CreateRevision: createRevision,
  RecordFacts: recordFacts,
  DeleteRevision: async (applier, scene, { revision }) => {
    const name = revisionObjectName(scene.release.name, revision);
    const uid = applier.cache.revisions.get({ namespace: scene.release.namespace, name })?.metadata.uid;
    if (uid !== undefined)
      await remove(applier, applier.cache.revisions, CONTROLLER_REVISIONS, scene, name, uid);
  },
  ClaimService: (applier, scene, { service, uid, resourceVersion }) => {
    const { labels, annotations } = serviceOf(scene, service).metadata;
    return patchService(applier, scene, service, [
      test('/metadata/uid', uid),
      test('/metadata/resourceVersion', resourceVersion),
      ...setMembers('/metadata/labels', labels, { [LABEL_RELEASE]: scene.release.name }),
      ...setMembers('/metadata/annotations', annotations, { [ANNOTATION_CLAIM]: scene.release.uid }),
    ]);
  },
  ReleaseService: (applier, scene, { service, uid, color }) => {
    const { labels, annotations } = serviceOf(scene, service).metadata;
    const path = `/spec/selector/${pointer(scene.release.spec.traffic.selectorLabel)}`;
    const pointed =
      color === 'None' ? { op: 'remove' as const, path } : { op: 'add' as const, path, value: color };
    return patchService(applier, scene, service, [
      test('/metadata/uid', uid),
      ...(color === undefined ? [] : [pointed]),
      ...removeMembers('/metadata/labels', labels, [LABEL_RELEASE]),
      ...removeMembers('/metadata/annotations', annotations, [ANNOTATION_CLAIM, ...SWITCH_ANNOTATIONS]),
    ]);
  },
  PointPreview: (applier, scene, { service, uid, resourceVersion, color }) => {
    const { labels, annotations } = serviceOf(scene, service).metadata;
    const path = `/spec/selector/${pointer(scene.release.spec.traffic.selectorLabel)}`;
    const operations: JsonPatchOperation[] = [
      test('/metadata/uid', uid),
      test('/metadata/resourceVersion', resourceVersion),
      ...setMembers('/metadata/labels', labels, { [LABEL_RELEASE]: scene.release.name }),
      ...setMembers('/metadata/annotations', annotations, { [ANNOTATION_CLAIM]: scene.release.uid }),
      // Those of a time when it was a production Service.
      ...removeMembers('/metadata/annotations', annotations, SWITCH_ANNOTATIONS),
      { op: 'add', path, value: color },
    ];
    return patchService(applier, scene, service, operations, { deadlineMs: PREVIEW_DEADLINE_MS });
  },
  ClaimSource: (applier, scene, { uid }) => patchSource(applier, scene, uid, claimSource(scene)),
  HoldSource: holdSource,
  ReleaseSource: releaseSource,
  ScaleSource: (applier, scene, { uid, from, to, at }) =>
    patchSource(applier, scene, uid, [
      test('/spec/replicas', from),
      ...setMembers('/metadata/annotations', sourceOf(scene).metadata.annotations, {
        [ANNOTATION_PARKED_AT]: formatTime(at),
      }),
      ...claimSource(scene),
      { op: 'replace', path: '/spec/replicas', value: to },
      { op: 'add', path: '/spec/paused', value: false },
    ]),
  RemoveAutoscaler: (applier, scene, { name, uid }) =>
    remove(applier, applier.cache.autoscalers, HORIZONTAL_POD_AUTOSCALERS, scene, name, uid),
  WriteTwin: async (applier, scene, { service, color }) => {
    const body = renderTwin(scene.release, serviceOf(scene, service), color);
    const { services } = applier.cache;
    const known = services.get({ namespace: scene.release.namespace, name: twinName(service, color) });
    if (known === undefined) return create<Service>(applier, services, SERVICES, scene, body);
    await patchService(applier, scene, body.metadata.name, [
      test('/metadata/uid', known.metadata.uid),
      { op: 'add', path: '/spec/selector', value: body.spec.selector },
      { op: 'add', path: '/spec/ports', value: body.spec.ports },
      ...familiesOf(body),
    ]);
  },
  RemoveTwin: async (applier, scene, { service, color }) => {
    const name = twinName(service, color);
    const { services } = applier.cache;
    const uid = services.get({ namespace: scene.release.namespace, name })?.metadata.uid;
    if (uid !== undefined) await remove(applier, services, SERVICES, scene, name, uid);
  },
  WriteCopy: writeCopy,
  RemoveCopy: (applier, scene, { name, uid }) =>
    remove(applier, applier.cache.configMaps, CONFIG_MAPS, scene, name, uid),
  WriteColor: writeColor,
  ScaleColor: scaleColor,
  RecyclePods: recyclePods,
  WriteAutoscaler: (applier, scene, { color, minReplicas }) => {
    const body = renderAutoscaler(scene.release, color, minReplicas);
    return write(applier, applier.cache.autoscalers, HORIZONTAL_POD_AUTOSCALERS, scene, body);
  },
  WriteBudget: (applier, scene, { color, asks }) => {
    const body = renderBudget(scene.release, color, asks);
    return write(applier, applier.cache.budgets, POD_DISRUPTION_BUDGETS, scene, body);
  },
  RemoveBudget: (applier, scene, { color, uid }) => {
    const { budgets } = applier.cache;
    return remove(applier, budgets, POD_DISRUPTION_BUDGETS, scene, colorName(scene.release.name, color), uid);
  },
  DeleteColor: deleteColor,
  PatchSelector: patchSelector,
  HandBack: handBack,
  CreateJob: async (applier, scene, { gate, revision, attempt, color }) => {
    const { release, snapshot } = scene;
    const frozen = snapshot.revisions.find(({ name }) => name === revision)?.frozen;
    const spec = frozen?.gates.find(({ name }) => name === gate);
    if (frozen === undefined || spec === undefined)
      throw new StaleError(`gate "${gate}" of revision ${revision} is gone`);
    const serving = activeColor(snapshot.services, release.spec.traffic.selectorLabel);
    const subject = { revision, attempt, color, activeColor: serving, services: scene.services };
    await create<Job>(applier, applier.cache.jobs, JOBS, scene, renderJob(release, spec, subject));
  },
};

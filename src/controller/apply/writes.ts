/** The writes that effects are made of; each answer goes into the cache at once. */
import { ANNOTATION_SWITCH, LABEL_RELEASE, LABEL_REVISION } from '../../api/names.ts';
import { RELEASES } from '../../api/resource.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { CallOptions, JsonPatchOperation, KubeObject, ResourceType, Store } from '../../kube/ports.ts';
import { JOBS } from '../../kube/types.ts';
import type { Scene } from '../observe.ts';
import type { Applier } from './applier.ts';
import { NameTakenError, StaleError } from './errors.ts';
import { assertStands } from './standing.ts';

/** A key in a JSON pointer, RFC 6901. */
export const pointer = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

export const test = (path: string, value: unknown): JsonPatchOperation => ({ op: 'test', path, value });

/**
 * The switch that the plan was made after is still the last one. What is not there cannot be tested: where there was none,
 * nothing at all may have been written since.
 */
export function testMark(
  expected: string | undefined,
  { resourceVersion }: KubeObject['metadata'],
): JsonPatchOperation {
  return expected === undefined
    ? test('/metadata/resourceVersion', resourceVersion)
    : test(`/metadata/annotations/${pointer(ANNOTATION_SWITCH)}`, expected);
}

/** As the API server, its admission policies and its webhooks say no to what would come of a patch. */
const REFUSAL = / is (invalid|forbidden): | denied the request/;

/** A patch of an object that we own, noted in its store. */
export async function patch<T extends KubeObject>(
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
    throw whyUnpatched(error, `${type.kind} "${name}"`);
  }
}

/**
 * A JSON patch whose `test` failed is answered 422: the object is not what the plan was made for. So is one whose
 * result is refused, in other words; looking again would not help that one, and people must hear of it.
 */
export function whyUnpatched(error: unknown, object: string): unknown {
  const isRaced = isKubeError(error, 'Invalid') && !REFUSAL.test(error.message);
  return isRaced ? new StaleError(`${object} changed in the meantime`) : error;
}

/**
 * A create; where the object exists already it must be ours, and then the next decision sees it. What an earlier release
 * of this name left behind would never be seen, and is removed.
 */
export async function create<T extends KubeObject>(
  applier: Applier,
  store: Store<T>,
  type: ResourceType,
  scene: Scene,
  body: T,
): Promise<void> {
  // What has an owner goes with it, whenever it was made.
  if (body.metadata.ownerReferences === undefined) await assertStands(applier, scene);
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
export async function write<T extends KubeObject>(
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

export async function remove<T extends KubeObject>(
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
  // Another one may have been made under its name meanwhile.
  if (known !== undefined && known.metadata.uid === uid) store.noteDeleted(known);
}

/** Sets members of a map that may be absent. */
export function setMembers(
  path: string,
  present: Record<string, string> | undefined,
  members: Record<string, string>,
): JsonPatchOperation[] {
  if (Object.keys(members).length === 0) return [];
  if (present === undefined) return [{ op: 'add', path, value: members }];
  return Object.entries(members).map(([key, value]) => ({
    op: 'add',
    path: `${path}/${pointer(key)}`,
    value,
  }));
}

export function removeMembers(
  path: string,
  present: Record<string, string> | undefined,
  keys: readonly string[],
): JsonPatchOperation[] {
  return keys
    .filter((key) => present?.[key] !== undefined)
    .map((key) => ({ op: 'remove', path: `${path}/${pointer(key)}` }));
}

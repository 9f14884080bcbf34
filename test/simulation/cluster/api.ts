/**
 * The API server of the model: objects under versions, preconditions, finalizers, the status subresource. Writes are
 * atomic and in one order, as in etcd. Objects that are stored are never changed: each write makes a new one.
 */
import { KubeError } from '../../../src/kube/errors.ts';
import type {
  DeleteOptions,
  KubeErrorReason,
  KubeObject,
  Patch,
  ResourceType,
  Subresource,
} from '../../../src/kube/ports.ts';
import { jsonPatch, mergePatch, PatchError } from './patch.ts';

export const NAMESPACE = 'shop';

export interface Change {
  readonly type: ResourceType;
  readonly event: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
  readonly before: KubeObject | undefined;
}

export interface Api {
  /** Why an admission policy refuses to let `plural/name` be patched. */
  readonly forbidden: Map<string, string>;
  readonly version: string;
  /** Of the last change of an object of this kind; 0: there was none. */
  versionOf(type: ResourceType): number;
  get<T extends KubeObject>(type: ResourceType, name: string): T | undefined;
  list<T extends KubeObject>(type: ResourceType, labelSelector?: string): T[];
  create<T extends KubeObject>(type: ResourceType, body: T, dryRun?: boolean): T;
  replace<T extends KubeObject>(type: ResourceType, body: T): T;
  patch<T extends KubeObject>(type: ResourceType, name: string, patch: Patch, subresource?: Subresource): T;
  delete(type: ResourceType, name: string, options?: DeleteOptions): void;
  /** What a controller does to its own objects: no precondition, status included. Nothing happens where it is gone. */
  update<T extends KubeObject>(type: ResourceType, name: string, change: (object: T) => T): void;
  /** Ends a pod whose time is up. */
  remove(type: ResourceType, name: string): void;
  /** Gives what ends it. */
  onChange(listener: (change: Change) => void): () => void;
}

/** Kinds whose delete leaves the object for a while: the kubelet ends it. */
const GRACEFUL = new Set(['pods']);
const STATUS = new Set([
  'deployments',
  'jobs',
  'pods',
  'replicasets',
  'bluegreenreleases',
  'horizontalpodautoscalers',
]);

export function createApi(now: () => number): Api {
  const kinds = new Map<string, Map<string, KubeObject>>();
  const listeners = new Set<(change: Change) => void>();
  const forbidden = new Map<string, string>();
  let version = 1000;
  /** As text, which is asked for after every event. */
  let known = { version, text: String(version) };
  /** Of the last change of each kind. */
  const changed = new Map<ResourceType, number>();
  let uids = 0;

  const objectsOf = (type: ResourceType): Map<string, KubeObject> => {
    const known = kinds.get(type.plural);
    if (known !== undefined) return known;
    const fresh = new Map<string, KubeObject>();
    kinds.set(type.plural, fresh);
    return fresh;
  };

  const fail = (reason: KubeErrorReason, verb: string, type: ResourceType, name: string, message: string) =>
    new KubeError({
      reason,
      status: STATUS_CODES[reason] ?? 500,
      call: `${verb} ${type.plural} ${name}`,
      message,
    });

  function tell(change: Change): void {
    changed.set(change.type, version);
    for (const listener of listeners) listener(change);
  }

  function found(verb: string, type: ResourceType, name: string): KubeObject {
    const object = objectsOf(type).get(name);
    if (object === undefined) throw fail('NotFound', verb, type, name, `${type.kind} "${name}" not found`);
    return object;
  }

  function remove(type: ResourceType, object: KubeObject): void {
    objectsOf(type).delete(object.metadata.name);
    version += 1;
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    tell({ type, event: 'DELETED', object: last, before: object });
  }

  /** A write that changes nothing makes no version. */
  function store(type: ResourceType, before: KubeObject, next: KubeObject): KubeObject {
    const { metadata } = next;
    const { metadata: old } = before;
    const specChanged = !sameBody(before, next);
    const kept = metadata === old && !specChanged ? old : keptOf(metadata, old, specChanged);
    if (!specChanged && isSame(statusOf(next), statusOf(before)) && isSame(kept, old)) return before;
    version += 1;
    const stored: KubeObject = { ...next, metadata: { ...kept, resourceVersion: String(version) } };
    if (stored.metadata.deletionTimestamp !== undefined && isReleased(type, stored)) {
      remove(type, stored);
      return stored;
    }
    objectsOf(type).set(stored.metadata.name, stored);
    tell({ type, event: 'MODIFIED', object: stored, before });
    return stored;
  }

  function patched<T extends KubeObject>(type: ResourceType, before: T, patch: Patch): T {
    try {
      if (patch.type === 'json') return jsonPatch(before, patch.operations);
      if (patch.type === 'merge') return mergePatch(before, patch.body);
      throw new PatchError('the model knows no server-side apply');
    } catch (error) {
      if (!(error instanceof PatchError)) throw error;
      throw fail('Invalid', 'patch', type, before.metadata.name, error.message);
    }
  }

  function terminate(type: ResourceType, before: KubeObject, finalizers: string[]): void {
    const { metadata } = before;
    version += 1;
    const object = {
      ...before,
      metadata: {
        ...metadata,
        deletionTimestamp: new Date(now()).toISOString(),
        resourceVersion: String(version),
        ...(finalizers.length > 0 && { finalizers }),
      },
    };
    objectsOf(type).set(metadata.name, object);
    tell({ type, event: 'MODIFIED', object, before });
  }

  function checked(verb: string, type: ResourceType, before: KubeObject, next: KubeObject): KubeObject {
    const { name } = before.metadata;
    if (type.plural === 'deployments' && !isSame((before as any).spec.selector, (next as any).spec?.selector))
      throw fail('Invalid', verb, type, name, 'spec.selector: field is immutable');
    return next;
  }

  return {
    forbidden,
    get version() {
      if (known.version !== version) known = { version, text: String(version) };
      return known.text;
    },
    versionOf: (type) => changed.get(type) ?? 0,
    get: (type, name) => objectsOf(type).get(name) as any,
    list(type, labelSelector) {
      const all = [...objectsOf(type).values()] as any[];
      return labelSelector === undefined ? all : all.filter((object) => selects(labelSelector, object));
    },

    create(type, body, dryRun = false) {
      const { name } = body.metadata;
      if (objectsOf(type).has(name))
        throw fail('AlreadyExists', 'create', type, name, `${type.plural} "${name}" already exists`);
      const { status: _, ...rest } = body as any;
      const object = {
        ...rest,
        metadata: {
          ...body.metadata,
          namespace: NAMESPACE,
          uid: `uid-${++uids}`,
          generation: 1,
          creationTimestamp: new Date(now()).toISOString(),
        },
      };
      if (dryRun) return object;
      version += 1;
      object.metadata.resourceVersion = String(version);
      objectsOf(type).set(name, object);
      tell({ type, event: 'ADDED', object, before: undefined });
      return object;
    },

    replace(type, body) {
      const { name, uid, resourceVersion } = body.metadata;
      const before = found('replace', type, name);
      const stale = resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion;
      if (stale || (uid !== undefined && uid !== before.metadata.uid))
        throw fail('Conflict', 'replace', type, name, 'the object has been modified');
      const next = STATUS.has(type.plural) ? { ...body, status: (before as any).status } : body;
      return store(type, before, checked('replace', type, before, compact(next))) as any;
    },

    patch(type, name, patch, subresource) {
      const before = found('patch', type, name);
      const refusal = forbidden.get(`${type.plural}/${name}`);
      if (refusal !== undefined) throw fail('Forbidden', 'patch', type, name, refusal);
      const expected = patch.type === 'merge' ? versionIn(patch.body) : undefined;
      if (expected !== undefined && expected !== before.metadata.resourceVersion)
        throw fail('Conflict', 'patch', type, name, 'the object has been modified');
      const next = only(subresource, type, before, patched(type, before, patch));
      return store(type, before, checked('patch', type, before, next)) as any;
    },

    delete(type, name, options = {}) {
      const before = found('delete', type, name);
      const { metadata } = before;
      const { uid = metadata.uid, resourceVersion = metadata.resourceVersion } = options;
      if (uid !== metadata.uid || resourceVersion !== metadata.resourceVersion)
        throw fail('Conflict', 'delete', type, name, 'the precondition does not match');
      const foreground = options.propagation === 'Foreground' ? ['foregroundDeletion'] : [];
      const finalizers = [...(metadata.finalizers ?? []), ...foreground];
      if (finalizers.length === 0 && !GRACEFUL.has(type.plural)) remove(type, before);
      else if (metadata.deletionTimestamp === undefined) terminate(type, before, finalizers);
    },

    update(type, name, change) {
      const before = objectsOf(type).get(name);
      if (before !== undefined) store(type, before, change(before as any));
    },

    remove(type, name) {
      const object = objectsOf(type).get(name);
      if (object !== undefined) remove(type, object);
    },

    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

const STATUS_CODES: Partial<Record<KubeErrorReason, number>> = {
  NotFound: 404,
  AlreadyExists: 409,
  Conflict: 409,
  Forbidden: 403,
  Invalid: 422,
};

const IDENTITY = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'generation',
  'resourceVersion',
  'deletionTimestamp',
] as const;

/** With what no writer changes. */
function keptOf(
  written: KubeObject['metadata'],
  old: KubeObject['metadata'],
  specChanged: boolean,
): KubeObject['metadata'] {
  const kept: Record<string, unknown> = { ...written };
  for (const key of IDENTITY) if (old[key] !== undefined) kept[key] = old[key];
  if (specChanged && old.generation !== undefined) kept.generation = old.generation + 1;
  return kept as unknown as KubeObject['metadata'];
}

/** A merge patch that names a version has it as its precondition. */
function versionIn(body: unknown): string | undefined {
  return (body as { metadata?: { resourceVersion?: string } }).metadata?.resourceVersion;
}

/** But for the metadata and the status. Most writes keep the rest as it is, member by member. */
function sameBody(before: KubeObject, next: KubeObject): boolean {
  const [old, fresh] = [before, next] as unknown as Record<string, unknown>[];
  const keys = membersOf(next);
  return keys.length === membersOf(before).length && keys.every((key) => isSame(old?.[key], fresh?.[key]));
}

function membersOf(object: KubeObject): string[] {
  return Object.keys(object).filter((key) => key !== 'metadata' && key !== 'status');
}

const statusOf = (object: KubeObject): unknown => (object as { status?: unknown }).status;

/** Of JSON. Most of what is compared is the same object. */
function isSame(a: any, b: any): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const keys = Object.keys(a);
  if (Array.isArray(a) !== Array.isArray(b) || keys.length !== Object.keys(b).length) return false;
  for (const key of keys) if (!(key in b && isSame(a[key], b[key]))) return false;
  return true;
}

function compact<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

/** A write to the object leaves its status alone, a write to its status everything else. */
function only(subresource: Subresource | undefined, type: ResourceType, before: any, next: any): KubeObject {
  if (subresource === 'status') return { ...before, status: next.status };
  return STATUS.has(type.plural) ? compact({ ...next, status: before.status }) : next;
}

function isReleased(type: ResourceType, { metadata }: KubeObject): boolean {
  return (metadata.finalizers ?? []).length === 0 && !GRACEFUL.has(type.plural);
}

/** `key`, `key=value`, joined by commas. */
export function selects(selector: string | undefined, { metadata }: KubeObject): boolean {
  if (selector === undefined || selector === '') return true;
  return partsOf(selector).every(([key, value]) => {
    const label = metadata.labels?.[key];
    return value === undefined ? label !== undefined : label === value;
  });
}

type Part = readonly [key: string, value: string | undefined];

/** There are few, and each watch asks of each change. */
const parsed = new Map<string, readonly Part[]>();

function partsOf(selector: string): readonly Part[] {
  const known = parsed.get(selector) ?? selector.split(',').map(partOf);
  parsed.set(selector, known);
  return known;
}

function partOf(text: string): Part {
  const [key = '', value] = text.split('=');
  return [key, value];
}

export function matches(selector: Readonly<Record<string, string>> | undefined, object: KubeObject): boolean {
  return Object.entries(selector ?? {}).every(([key, value]) => object.metadata.labels?.[key] === value);
}

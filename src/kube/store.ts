/**
 * A cache of one kind: what a reflector keeps current and everybody else reads.
 *
 * Two sources feed it, the watch and the answers of our own writes, and they overtake each other. Versions of one
 * kind can be compared (src/kube/resource-version.ts), and all of them are measured against one number:
 *
 *     version: every change up to it has been heard of, by a list, an event or a bookmark.
 *
 * From that follows, without any other book-keeping:
 * - an object newer than `version` came from an own write, and is the only kind that survives a list without it;
 * - an own write at or below `version` whose object is not here was deleted since, and must not bring it back.
 *
 * The one exception to "never goes backwards": a list older than `version` means that the cluster was restored from
 * a backup, and then the list is the truth.
 */

import { createObjectIndex, type ObjectIndex } from './object-index.ts';
import type { KubeObject, ObjectKey, ObjectList, ObjectMeta, Store } from './ports.ts';
import { compareResourceVersions } from './resource-version.ts';

export type ChangeType = 'added' | 'updated' | 'deleted';

export interface Change<T extends KubeObject> {
  readonly type: ChangeType;
  /** As it is now; for a deleted object, as it last was. */
  readonly object: T;
  /** As it was before; with 'updated'. */
  readonly old?: T;
}

export type Indexes<T extends KubeObject> = Readonly<Record<string, (object: T) => readonly string[]>>;

export interface StoreOptions<T extends KubeObject> {
  readonly indexes?: Indexes<T>;
  /** Takes out what nobody reads, and leaves its argument as it was. managedFields are always taken out. */
  readonly trim?: (object: T) => T;
}

/** What feeds a store; it gives back what changed, for whoever is to be told. */
export interface FedStore<T extends KubeObject> extends Store<T> {
  readonly size: number;
  /** Every change up to this version is in; undefined before the first list. */
  readonly version: string | undefined;
  /** One event of the watch. */
  apply(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): Change<T>[];
  /** The watch has heard of everything up to here. False: that is before what was heard of already. */
  bookmark(resourceVersion: string): boolean;
  /** A whole list, at its version. */
  replace(list: ObjectList<T>): Change<T>[];
  /** The trimmed object; the stored one where it is the same version, so that a list under way costs no second copy. */
  adopt(object: T): T;
}

export function createStore<T extends KubeObject>(options: StoreOptions<T> = {}): FedStore<T> {
  const objects = createObjectMap<T>();
  const indexes = new Map<string, ObjectIndex<T>>();
  for (const [name, valuesOf] of Object.entries(options.indexes ?? {})) {
    indexes.set(name, createObjectIndex(valuesOf));
  }
  /** Own deletes that the watch has not confirmed: uid to the version that was deleted. */
  const buried = new Map<string, string>();
  let version: string | undefined;

  function put(object: T): Change<T>[] {
    const old = objects.get(object.metadata);
    objects.set(object);
    for (const index of indexes.values()) {
      if (old !== undefined) index.remove(old);
      index.add(object);
    }
    if (old === undefined) return [{ type: 'added', object }];
    if (old.metadata.uid === object.metadata.uid) return [{ type: 'updated', object, old }];
    // Deleted and made anew under its name while nobody looked.
    return [
      { type: 'deleted', object: old },
      { type: 'added', object },
    ];
  }

  function drop(object: T): Change<T>[] {
    objects.delete(object.metadata);
    for (const index of indexes.values()) index.remove(object);
    return [{ type: 'deleted', object }];
  }

  function trimmed(object: T): T {
    const { managedFields: _, ...metadata } = object.metadata as ObjectMeta & { managedFields?: unknown };
    object.metadata = metadata;
    return options.trim === undefined ? object : options.trim(object);
  }

  function adopt(object: T): T {
    const known = objects.get(object.metadata);
    const same =
      known !== undefined &&
      known.metadata.uid === object.metadata.uid &&
      known.metadata.resourceVersion === object.metadata.resourceVersion;
    return same ? known : trimmed(object);
  }

  function isBuried(object: T): boolean {
    const { uid, resourceVersion } = object.metadata;
    const deleted = uid === undefined ? undefined : buried.get(uid);
    return deleted !== undefined && isAtMost(resourceVersion, deleted);
  }

  /** Whether what is stored is this version or a newer one. */
  function isKnown(object: T): boolean {
    return isAtMost(object.metadata.resourceVersion, objects.get(object.metadata)?.metadata.resourceVersion);
  }

  function applyDelete(object: T): Change<T>[] {
    if (object.metadata.uid !== undefined) buried.delete(object.metadata.uid);
    const old = objects.get(object.metadata);
    if (old === undefined || isOlder(object.metadata.resourceVersion, old.metadata.resourceVersion))
      return [];
    return drop(old);
  }

  /** Whether what is stored is an own write that this list does not know yet: nothing else can be newer than it. */
  function outlives(object: T, list: ObjectList<T>): boolean {
    return isOlder(list.resourceVersion, object.metadata.resourceVersion);
  }

  function replaceOne(object: T, list: ObjectList<T>, restored: boolean): Change<T>[] {
    const old = objects.get(object.metadata);
    if (old === undefined) return isBuried(object) ? [] : put(object);
    if (old === object || old.metadata.resourceVersion === object.metadata.resourceVersion) return [];
    if (!restored && outlives(old, list)) return [];
    return put(object);
  }

  return {
    get: (key) => objects.get(key),
    list: (namespace) => objects.list(namespace),
    byIndex(name, value) {
      const index = indexes.get(name);
      if (index === undefined) throw new RangeError(`there is no index "${name}"`);
      return index.get(value);
    },
    get synced() {
      return version !== undefined;
    },
    get size() {
      return objects.size;
    },
    get version() {
      return version;
    },

    apply(type, object) {
      version = newer(version, object.metadata.resourceVersion);
      if (type === 'DELETED') return applyDelete(object);
      if (isKnown(object) || isBuried(object)) return [];
      return put(trimmed(object));
    },

    bookmark(resourceVersion) {
      if (isOlder(resourceVersion, version)) return false;
      version = resourceVersion;
      return true;
    },

    replace(list) {
      const restored = isOlder(list.resourceVersion, version);
      if (restored) buried.clear();
      const listed = createObjectMap<T>();
      const changes: Change<T>[] = [];
      for (const item of list.items) {
        const object = adopt(item);
        listed.set(object);
        changes.push(...replaceOne(object, list, restored));
      }
      for (const object of objects.list()) {
        const vanished = listed.get(object.metadata) === undefined;
        if (vanished && (restored || !outlives(object, list))) changes.push(...drop(object));
      }
      forgetBuried(buried, list.items);
      version = list.resourceVersion;
      return changes;
    },

    adopt,

    note(object) {
      if (isKnown(object) || isBuried(object)) return;
      // The watch has passed this version and knows no such object: it is gone, or not of those we watch.
      if (objects.get(object.metadata) === undefined && isAtMost(object.metadata.resourceVersion, version))
        return;
      // What the API client gave back is its caller's, who goes on reading it: a copy is trimmed.
      put(trimmed({ ...object }));
    },

    noteDeleted(object) {
      // With finalizers it stays, for a time that only the watch knows.
      if ((object.metadata.finalizers ?? []).length > 0) return;
      const { uid, resourceVersion } = object.metadata;
      const known = objects.get(object.metadata);
      if (known !== undefined && (uid === undefined || known.metadata.uid === uid)) drop(known);
      if (known !== undefined && uid !== undefined && resourceVersion !== undefined)
        buried.set(uid, resourceVersion);
    },
  };
}

/** Deletes that a list confirms need not be remembered. */
function forgetBuried(buried: Map<string, string>, items: readonly KubeObject[]): void {
  if (buried.size === 0) return;
  const listed = new Set(items.map((item) => item.metadata.uid));
  for (const uid of buried.keys()) {
    if (!listed.has(uid)) buried.delete(uid);
  }
}

function isOlder(a: string | undefined, b: string | undefined): boolean {
  const order = compareResourceVersions(a, b);
  return order !== undefined && order < 0;
}

function isAtMost(a: string | undefined, b: string | undefined): boolean {
  const order = compareResourceVersions(a, b);
  return order !== undefined && order <= 0;
}

function newer(a: string | undefined, b: string | undefined): string | undefined {
  return a === undefined || b === undefined || isAtMost(b, a) ? a : b;
}

interface ObjectMap<T extends KubeObject> {
  readonly size: number;
  get(key: ObjectKey): T | undefined;
  set(object: T): void;
  delete(key: ObjectKey): void;
  list(namespace?: string): T[];
}

/** By namespace, then by name: one namespace is listed without a look at the others. */
function createObjectMap<T extends KubeObject>(): ObjectMap<T> {
  const namespaces = new Map<string, Map<string, T>>();
  let size = 0;

  return {
    get size() {
      return size;
    },
    get: (key) => namespaces.get(key.namespace ?? '')?.get(key.name),
    set(object) {
      const { namespace = '', name } = object.metadata;
      let names = namespaces.get(namespace);
      if (names === undefined) {
        names = new Map();
        namespaces.set(namespace, names);
      }
      if (!names.has(name)) size += 1;
      names.set(name, object);
    },
    delete(key) {
      const names = namespaces.get(key.namespace ?? '');
      if (names?.delete(key.name) !== true) return;
      size -= 1;
      if (names.size === 0) namespaces.delete(key.namespace ?? '');
    },
    list(namespace) {
      if (namespace !== undefined) return [...(namespaces.get(namespace)?.values() ?? [])];
      return [...namespaces.values()].flatMap((names) => [...names.values()]);
    },
  };
}

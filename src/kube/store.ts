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

import { createKeptMap, type KeptMap } from './kept-map.ts';
import { createObjectIndex, type ObjectIndex } from './object-index.ts';
import type { KubeObject, ObjectKey, ObjectList, ObjectMeta, Store } from './ports.ts';
import { compareResourceVersions, isOlder } from './resource-version.ts';
import { createShelf, type Kept } from './shelf.ts';

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
  /** Forgets everything, and is as before the first list: nobody tells of it any more. */
  lose(): Change<T>[];
  /**
   * A list that comes in piece by piece. It changes nothing before its end, but where nothing was ever listed: nobody acts
   * upon a store that is not `synced`, and ten thousand objects need not be put away and fetched again.
   */
  listing(): Listing<T>;
}

/** Holds what the store has where it is the same version, so that a list under way costs no second copy. */
export interface Listing<T extends KubeObject> {
  /** Instead of one of the same name that was taken before. */
  take(object: T): Change<T>[];
  drop(key: ObjectKey): void;
  /** It was whole, and true at this version. */
  end(resourceVersion: string): Change<T>[];
}

export function createStore<T extends KubeObject>(options: StoreOptions<T> = {}): FedStore<T> {
  const shelf = createShelf<T>();
  const objects = createKeptMap<T>();
  const indexes = new Map<string, ObjectIndex<Kept<T>>>();
  for (const [name, valuesOf] of Object.entries(options.indexes ?? {})) {
    indexes.set(
      name,
      createObjectIndex((kept) => valuesOf(shelf.read(kept))),
    );
  }
  /** Own deletes that the watch has not confirmed: uid to the version that was deleted. */
  const buried = new Map<string, string>();
  let version: string | undefined;

  function put(kept: Kept<T>): Change<T>[] {
    const before = objects.get(kept);
    const old = before && shelf.read(before);
    const object = shelf.read(kept);
    if (before !== undefined) takeOut(before);
    objects.set(kept);
    for (const index of indexes.values()) index.add(kept);
    if (old === undefined) return [{ type: 'added', object }];
    if (old.metadata.uid === kept.uid) return [{ type: 'updated', object, old }];
    // Deleted and made anew under its name while nobody looked.
    return [
      { type: 'deleted', object: old },
      { type: 'added', object },
    ];
  }

  function takeOut(kept: Kept<T>): void {
    for (const index of indexes.values()) index.remove(kept);
    objects.delete(kept);
    shelf.forget(kept);
  }

  function drop(kept: Kept<T>): Change<T>[] {
    const object = shelf.read(kept);
    takeOut(kept);
    return [{ type: 'deleted', object }];
  }

  function trimmed(object: T): T {
    const { managedFields: _, ...metadata } = object.metadata as ObjectMeta & { managedFields?: unknown };
    object.metadata = metadata;
    return options.trim === undefined ? object : options.trim(object);
  }

  /** What the store has, where it is the same version. */
  function adopt(object: T): Kept<T> {
    const known = objects.get(object.metadata);
    const { uid, resourceVersion } = object.metadata;
    const same = known !== undefined && known.uid === uid && known.resourceVersion === resourceVersion;
    return same ? known : shelf.keep(trimmed(object), true);
  }

  /** After its delete an object is gone or ending: without that it is as it was before, however late this is heard of. */
  function isBuried({ metadata }: T): boolean {
    const { uid, resourceVersion, deletionTimestamp } = metadata;
    const deleted = uid === undefined ? undefined : buried.get(uid);
    if (deleted === undefined) return false;
    return deletionTimestamp === undefined || isAtMost(resourceVersion, deleted);
  }

  const isKeptBuried = (kept: Kept<T>): boolean => buried.size > 0 && isBuried(shelf.read(kept));

  /** Whether what is stored is this version or a newer one. */
  function isKnown(identity: ObjectKey & Identity): boolean {
    return isAtMost(identity.resourceVersion, objects.get(identity)?.resourceVersion);
  }

  function applyDelete({ metadata }: T): Change<T>[] {
    if (metadata.uid !== undefined) buried.delete(metadata.uid);
    const old = objects.get(metadata);
    if (old === undefined || isOlder(metadata.resourceVersion, old.resourceVersion)) return [];
    return drop(old);
  }

  function replaceOne(kept: Kept<T>, listVersion: string, restored: boolean): Change<T>[] {
    const old = objects.get(kept);
    if (old === undefined) return isKeptBuried(kept) ? [] : put(kept);
    if (old === kept || old.resourceVersion === kept.resourceVersion) return [];
    if (!restored && isNewer(old, listVersion)) return [];
    return put(kept);
  }

  function replaceAll(listed: KeptMap<T>, listVersion: string): Change<T>[] {
    const restored = isOlder(listVersion, version);
    if (restored) buried.clear();
    const changes: Change<T>[] = [];
    for (const kept of listed.list()) changes.push(...replaceOne(kept, listVersion, restored));
    for (const kept of objects.list()) {
      const vanished = listed.get(kept) === undefined;
      if (vanished && (restored || !isNewer(kept, listVersion))) changes.push(...drop(kept));
    }
    forgetBuried(buried, listed);
    version = listVersion;
    return changes;
  }

  function listing(): Listing<T> {
    const listed = createKeptMap<T>();
    return {
      take(object) {
        const kept = adopt(object);
        listed.set(kept);
        return version === undefined && !isKnown(kept) && !isBuried(object) ? put(kept) : [];
      },
      drop: (key) => listed.delete(key),
      end: (resourceVersion) => replaceAll(listed, resourceVersion),
    };
  }

  return {
    get(key) {
      const kept = objects.get(key);
      return kept && shelf.read(kept);
    },
    list: (namespace) => objects.list(namespace).map((kept) => shelf.read(kept)),
    keys: () => objects.list(),
    byIndex(name, value) {
      const index = indexes.get(name);
      if (index === undefined) throw new RangeError(`there is no index "${name}"`);
      return index.get(value).map((kept) => shelf.read(kept));
    },
    get synced() {
      return version !== undefined;
    },
    isSyncedIn: () => version !== undefined,
    get size() {
      return objects.size;
    },
    get version() {
      return version;
    },

    apply(type, object) {
      version = newer(version, object.metadata.resourceVersion);
      if (type === 'DELETED') return applyDelete(object);
      if (isKnown(object.metadata) || isBuried(object)) return [];
      return put(shelf.keep(trimmed(object)));
    },

    bookmark(resourceVersion) {
      if (isOlder(resourceVersion, version)) return false;
      version = resourceVersion;
      return true;
    },

    replace(list) {
      const whole = listing();
      const taken = list.items.flatMap((item) => whole.take(item));
      return [...taken, ...whole.end(list.resourceVersion)];
    },

    listing,

    lose() {
      buried.clear();
      version = undefined;
      return objects.list().flatMap(drop);
    },

    note(object) {
      if (isKnown(object.metadata) || isBuried(object)) return;
      // The watch has passed this version and knows no such object: it is gone, or not of those we watch.
      if (objects.get(object.metadata) === undefined && isAtMost(object.metadata.resourceVersion, version))
        return;
      // What the API client gave back is its caller's, who goes on reading it: a copy is trimmed.
      put(shelf.keep(trimmed({ ...object })));
    },

    noteDeleted(object) {
      // With finalizers it stays, for a time that only the watch knows.
      if ((object.metadata.finalizers ?? []).length > 0) return;
      const { uid, resourceVersion } = object.metadata;
      const known = objects.get(object.metadata);
      if (known !== undefined && (uid === undefined || known.uid === uid)) drop(known);
      if (known !== undefined && uid !== undefined && resourceVersion !== undefined)
        buried.set(uid, resourceVersion);
    },
  };
}

interface Identity {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

/** Newer than a list: nothing but an own write, which the list does not know yet, can be. */
function isNewer({ resourceVersion }: Identity, listVersion: string): boolean {
  return isOlder(listVersion, resourceVersion);
}

/** Deletes that a list confirms need not be remembered. */
function forgetBuried<T extends KubeObject>(buried: Map<string, string>, listed: KeptMap<T>): void {
  if (buried.size === 0) return;
  const uids = new Set(listed.list().map(({ uid }) => uid));
  for (const uid of buried.keys()) {
    if (!uids.has(uid)) buried.delete(uid);
  }
}

function isAtMost(a: string | undefined, b: string | undefined): boolean {
  const order = compareResourceVersions(a, b);
  return order !== undefined && order <= 0;
}

function newer(a: string | undefined, b: string | undefined): string | undefined {
  return a === undefined || b === undefined || isAtMost(b, a) ? a : b;
}

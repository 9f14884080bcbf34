/**
 * Objects as a cache keeps them: those that were read lately as they are, all others folded. A cluster at rest is not
 * read at all, and folded an object takes a tenth of its memory and is one thing to the garbage collector instead of a
 * hundred. To fold or unfold one costs some ten microseconds.
 */
import { createDelta } from './delta.ts';
import type { KubeObject } from './ports.ts';

export interface Kept<T extends KubeObject> {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  /** One of the two is there. What is folded stays so, because what is kept never changes. */
  object: T | undefined;
  folded: string | undefined;
  /** It was unfolded before. */
  cameBack: boolean;
  /** Since it was last its turn to be folded. */
  isRead: boolean;
}

export interface Shelf<T extends KubeObject> {
  /** `isListed`: not because it changed, so nobody may ask for it. */
  keep(object: T, isListed?: boolean): Kept<T>;
  /** The same object each time, as long as it is read often enough. */
  read(kept: Kept<T>): T;
  /** It will not be read again. */
  forget(kept: Kept<T>): void;
}

/** Objects of one kind that stay as they are: enough for what some hundred releases under way read again and again. */
const AT_HAND = 1024;
/**
 * What is read for the first time since long may not be read again soon, like all objects at a start: they stay for one
 * look at their release, drive away nothing that is read again and again, and die before the garbage collector has
 * copied them twice.
 */
const PASSING = 48;

export function createShelf<T extends KubeObject>(atHand: number = AT_HAND): Shelf<T> {
  /** Whoever was read when it is its turn has a second chance, and is the last again: so to read one costs next to nothing. */
  const recent = new Set<Kept<T>>();
  const passing = new Set<Kept<T>>();
  const delta = createDelta();

  function put(place: Set<Kept<T>>, most: number, kept: Kept<T>): void {
    kept.isRead = false;
    if (place.size >= most) makeRoom(place);
    place.add(kept);
  }

  function makeRoom(place: Set<Kept<T>>): void {
    for (const oldest of place) {
      place.delete(oldest);
      if (place === passing || !oldest.isRead) {
        fold(oldest);
        return;
      }
      oldest.isRead = false;
      place.add(oldest);
    }
  }

  function fold(kept: Kept<T>): void {
    kept.folded ??= delta.fold(JSON.stringify(kept.object));
    kept.object = undefined;
  }

  function unfold(kept: Kept<T>): T {
    const object = JSON.parse(delta.unfold(kept.folded ?? '')) as T;
    kept.object = object;
    if (kept.cameBack) put(recent, atHand, kept);
    else put(passing, PASSING, kept);
    kept.cameBack = true;
    return object;
  }

  return {
    keep(object, isListed = false) {
      const { namespace = '', name, uid, resourceVersion } = object.metadata;
      const identity = { namespace, name, uid, resourceVersion };
      const kept = { ...identity, object, folded: undefined, cameBack: false, isRead: false };
      if (isListed) put(passing, PASSING, kept);
      else put(recent, atHand, kept);
      return kept;
    },
    read(kept) {
      if (kept.object === undefined) return unfold(kept);
      kept.isRead = true;
      return kept.object;
    },
    forget(kept) {
      recent.delete(kept);
      passing.delete(kept);
    },
  };
}

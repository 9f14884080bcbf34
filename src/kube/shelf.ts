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
}

export interface Shelf<T extends KubeObject> {
  keep(object: T): Kept<T>;
  /** The same object each time, as long as it is read often enough. */
  read(kept: Kept<T>): T;
  /** It will not be read again. */
  forget(kept: Kept<T>): void;
}

/** Objects of one kind that stay as they are: enough for what some hundred releases under way read again and again. */
const AT_HAND = 1024;
export function createShelf<T extends KubeObject>(atHand: number = AT_HAND): Shelf<T> {
  /** The one that was read last is the last. */
  const recent = new Set<Kept<T>>();
  const delta = createDelta();

  function touch(kept: Kept<T>): void {
    recent.delete(kept);
    recent.add(kept);
    const [oldest] = recent.size > atHand ? recent : [];
    if (oldest !== undefined) putAway(oldest);
  }

  function putAway(kept: Kept<T>): void {
    recent.delete(kept);
    kept.folded ??= delta.fold(JSON.stringify(kept.object));
    kept.object = undefined;
  }

  return {
    keep(object) {
      const { namespace = '', name, uid, resourceVersion } = object.metadata;
      const kept = { namespace, name, uid, resourceVersion, object, folded: undefined };
      touch(kept);
      return kept;
    },
    read(kept) {
      kept.object ??= JSON.parse(delta.unfold(kept.folded ?? '')) as T;
      touch(kept);
      return kept.object;
    },
    forget: (kept) => void recent.delete(kept),
  };
}

/**
 * Objects as a cache keeps them: those that were read lately as they are, all others folded. A cluster at rest is not
 * read at all, and folded an object takes a tenth of its memory and is one thing to the garbage collector instead of a
 * hundred. To fold or unfold one costs some ten microseconds.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
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
/** The fastest, with no more memory than objects of a few kilobytes need. */
const DEFLATE = { level: 1, memLevel: 7, chunkSize: 4096 };
/** Most objects in one piece. */
const INFLATE = { chunkSize: 8192 };

export function createShelf<T extends KubeObject>(atHand: number = AT_HAND): Shelf<T> {
  /** The one that was read last is the last. */
  const recent = new Set<Kept<T>>();
  /** The first text of all: objects of one kind have most of their words in common. */
  let dictionary: Buffer | undefined;

  function touch(kept: Kept<T>): void {
    recent.delete(kept);
    recent.add(kept);
    const [oldest] = recent.size > atHand ? recent : [];
    if (oldest !== undefined) putAway(oldest);
  }

  function putAway(kept: Kept<T>): void {
    recent.delete(kept);
    kept.folded ??= fold(kept.object);
    kept.object = undefined;
  }

  /** A string of bytes: a Buffer would keep memory outside of the heap for each. */
  function fold(object: T | undefined): string {
    const text = Buffer.from(JSON.stringify(object));
    dictionary ??= text;
    return deflateRawSync(text, { ...DEFLATE, dictionary }).toString('latin1');
  }

  function unfold(folded: string): T {
    const bytes = Buffer.from(folded, 'latin1');
    const text = inflateRawSync(bytes, dictionary === undefined ? INFLATE : { ...INFLATE, dictionary });
    return JSON.parse(text.toString()) as T;
  }

  return {
    keep(object) {
      const { namespace = '', name, uid, resourceVersion } = object.metadata;
      const kept = { namespace, name, uid, resourceVersion, object, folded: undefined };
      touch(kept);
      return kept;
    },
    read(kept) {
      kept.object ??= unfold(kept.folded ?? '');
      touch(kept);
      return kept.object;
    },
    forget: (kept) => void recent.delete(kept),
  };
}

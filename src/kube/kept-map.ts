import type { KubeObject, ObjectKey } from './ports.ts';
import type { Kept } from './shelf.ts';

/** By namespace, then by name: one namespace is listed without a look at the others. */
export interface KeptMap<T extends KubeObject> {
  readonly size: number;
  get(key: ObjectKey): Kept<T> | undefined;
  set(kept: Kept<T>): void;
  delete(key: ObjectKey): void;
  list(namespace?: string): Kept<T>[];
}

export function createKeptMap<T extends KubeObject>(): KeptMap<T> {
  const namespaces = new Map<string, Map<string, Kept<T>>>();
  let size = 0;

  return {
    get size() {
      return size;
    },
    get: (key) => namespaces.get(key.namespace ?? '')?.get(key.name),
    set(kept) {
      let names = namespaces.get(kept.namespace);
      if (names === undefined) {
        names = new Map();
        namespaces.set(kept.namespace, names);
      }
      if (!names.has(kept.name)) size += 1;
      names.set(kept.name, kept);
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

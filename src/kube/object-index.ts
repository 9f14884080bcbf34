/** From a value to the objects that have it. */

export interface ObjectIndex<T> {
  add(object: T): void;
  remove(object: T): void;
  get(value: string): T[];
}

/** `valuesOf` must answer the same for the same object, since that is how an object is found to be taken out. */
export function createObjectIndex<T>(valuesOf: (object: T) => readonly string[]): ObjectIndex<T> {
  // Most values have one object: it stands there itself, and a Set (200 bytes) comes with the second.
  const entries = new Map<string, T | Set<T>>();

  function addValue(value: string, object: T): void {
    const entry = entries.get(value);
    if (entry === undefined) entries.set(value, object);
    else if (entry instanceof Set) entry.add(object);
    else if (entry !== object) entries.set(value, new Set([entry, object]));
  }

  function removeValue(value: string, object: T): void {
    const entry = entries.get(value);
    if (entry === object) entries.delete(value);
    else if (entry instanceof Set && entry.delete(object) && entry.size === 0) entries.delete(value);
  }

  return {
    add(object) {
      for (const value of valuesOf(object)) addValue(value, object);
    },
    remove(object) {
      for (const value of valuesOf(object)) removeValue(value, object);
    },
    get(value) {
      const entry = entries.get(value);
      if (entry === undefined) return [];
      return entry instanceof Set ? [...entry] : [entry];
    },
  };
}

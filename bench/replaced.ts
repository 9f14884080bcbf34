/** A JSON patch (RFC 6902) that replaces what stands at each of these pointers. */
import type { Patch } from '../src/kube/ports.ts';

export const replaced = (values: Readonly<Record<string, string | number>>): Patch => ({
  type: 'json',
  operations: Object.entries(values).map(([path, value]) => ({ op: 'replace', path, value })),
});

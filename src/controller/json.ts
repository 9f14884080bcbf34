/** Comparing JSON values. */

/** Deep equality; the order of keys does not matter, absent and undefined members are the same. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const keys = Object.keys(left);
  if (!keys.every((key) => sameJson(left[key], right[key]))) return false;
  return Object.keys(right).every((key) => right[key] === undefined || left[key] !== undefined);
}

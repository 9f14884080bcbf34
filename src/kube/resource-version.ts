/**
 * Resource versions of one type can be compared as integers (guaranteed from Kubernetes 1.35 on, true of every
 * etcd-backed type long before: KEP-5504, k8s.io/apimachinery/pkg/util/resourceversion).
 */

/**
 * Below zero: `a` is older. Zero: the same. Above zero: `a` is newer. undefined: they cannot be compared (an
 * aggregated API with opaque versions), and the caller takes the last thing it heard.
 */
export function compareResourceVersions(a: string | undefined, b: string | undefined): number | undefined {
  if (a === undefined || b === undefined) return undefined;
  if (a === b) return 0;
  if (!isInteger(a) || !isInteger(b)) return undefined;
  // No leading zeros: the longer one is the larger one, whatever their size. No number type to overflow.
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : 1;
}

/** Not where they cannot be compared. */
export function isOlder(a: string | undefined, b: string | undefined): boolean {
  const order = compareResourceVersions(a, b);
  return order !== undefined && order < 0;
}

function isInteger(version: string): boolean {
  return /^[1-9][0-9]*$/.test(version);
}

/** Quantities of the API (`500m`, `2Gi`, `1e3`) as plain numbers, and back in the words of people. */

const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** Cores, bytes or pieces; undefined for what is no quantity. */
export function parseQuantity(value: unknown): number | undefined {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([numkMGTPE]?|[KMGTPE]i)$/.exec(String(value));
  const factor = match === null ? undefined : SUFFIXES[match[2] ?? ''];
  return factor === undefined ? undefined : Number(match?.[1]) * factor;
}

const GIB = 2 ** 30;
const MIB = 2 ** 20;

/** At most three digits after the point: more say nothing. */
const rounded = (value: number): string => String(Number(value.toFixed(3)));

/** `12 CPU`, `24 GiB`, `6 pods`, by the name that a ResourceQuota has for it. */
export function inWords(resource: string, value: number): string {
  if (resource.endsWith('pods')) return `${value} ${value === 1 ? 'pod' : 'pods'}`;
  const name = resource.replace(/^requests\./, '');
  if (name.endsWith('cpu')) return `${rounded(value)} CPU${name.startsWith('limits') ? ' of limits' : ''}`;
  const size = value < GIB ? `${rounded(value / MIB)} MiB` : `${rounded(value / GIB)} GiB`;
  if (name === 'memory') return size;
  return name === 'limits.memory' ? `${size} of limits` : `${size} of ${name}`;
}

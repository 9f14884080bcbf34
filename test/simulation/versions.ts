/** How each version of the application behaves: what it is, and when it shows. */
import type { Random } from './random.ts';

export interface Version {
  readonly image: string;
  /** Milliseconds from the start of a pod until it is ready. */
  readonly startMs: readonly [number, number];
  /** It never becomes ready: it crashes, or its image cannot be pulled. */
  readonly broken?: 'crash' | 'pull';
  /** What its smoke Job says. */
  readonly smoke: 'pass' | 'fail' | 'hang';
  /** Its error rate under traffic. */
  readonly errors: 'none' | 'many';
  /** Milliseconds under traffic after which all of its pods stop being ready, for good. */
  readonly diesAfterMs?: number;
  /** Its pods lose readiness now and then; or run out of memory, and start again. */
  readonly flaps?: 'probe' | 'memory';
}

/** Nothing about it can stop a release for good. */
export function isGood({ broken, smoke, errors, diesAfterMs }: Version): boolean {
  return broken !== 'crash' && smoke === 'pass' && errors === 'none' && diesAfterMs === undefined;
}

export function drawVersion(random: Random, number: number): Version {
  const image = `shop/checkout:v${number}`;
  const quick: readonly [number, number] = random.chance(0.8) ? [500, 8000] : [20_000, 90_000];
  const good = { image, startMs: quick, smoke: 'pass' as const, errors: 'none' as const };
  if (number === 1 || random.chance(0.55))
    return { ...good, ...(random.chance(0.1) && { flaps: 'probe' as const }) };
  return random.pick<Version>([
    { ...good, broken: 'crash' },
    { ...good, broken: 'pull' },
    { ...good, smoke: 'fail' },
    { ...good, smoke: 'hang' },
    { ...good, errors: 'many' },
    { ...good, errors: 'many' },
    { ...good, diesAfterMs: random.between(1000, 200_000) },
    { ...good, flaps: 'probe' },
    { ...good, flaps: 'memory' },
  ]);
}

/** How each version of the application behaves: what it is, and when it shows. */
import type { Random } from './random.ts';

/** Between an image and what the ConfigMap says that is read by it. */
export const WITH = ' with ';

/** As `shop/checkout:v2 with s3`; without config the image alone. */
export function contentName(image: string, settings: string | undefined): string {
  return settings === undefined ? image : `${image}${WITH}${settings}`;
}

export interface Version {
  /** With what is read by it, as `contentName` has it. */
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

/** With config, each version changes the image or what the ConfigMap says: never both, seen from the one before it. */
export function withSettings(random: Random, versions: readonly Version[]): Version[] {
  let [image, settings] = [1, 1];
  return versions.map((version, index) => {
    if (random.chance(0.5)) image = index + 1;
    else settings = index + 1;
    return { ...version, image: contentName(`shop/checkout:v${image}`, `s${settings}`) };
  });
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

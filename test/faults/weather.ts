/** All failures at random, from a seed: each request draws what happens to it. */
import { createRandom, type Random } from '../simulation/random.ts';
import { type Asked, isWrite } from './asked.ts';
import type { Fault, WatchEnd } from './switchboard.ts';

export interface WeatherOptions {
  readonly seed: number;
  /** What share of requests something happens to. */
  readonly share: number;
  /** Milliseconds after which a watch that is to break does, at most. */
  readonly watchMs: number;
}

export function createWeather(options: WeatherOptions): (asked: Asked) => Fault | undefined {
  const random = createRandom(options.seed);
  return (asked) => {
    // Most of them are meant to break some day: a healthy one lives for minutes.
    if (asked.verb === 'watch') return random.chance(0.8) ? breakWatch(random, options.watchMs) : undefined;
    if (!random.chance(options.share)) return undefined;
    return random.pick(asked.verb === 'list' && asked.query.has('continue') ? PAGES : faultsOf(asked))(
      random,
    );
  };
}

function breakWatch(random: Random, atMostMs: number): Fault {
  // Silence is what a client finds out last: a while of it is enough.
  const ends: readonly WatchEnd[] = ['truncated', 'truncated', 'expired', 'expired', 'closed', 'silent'];
  return { kind: 'watch', end: random.pick(ends), afterMs: random.between(0, atMostMs) };
}

type Draw = (random: Random) => Fault;

const refused =
  (status: number): Draw =>
  () => ({ kind: 'refused', status });

const ANYTHING: readonly Draw[] = [
  (random) => ({ kind: 'latency', ms: random.between(5, 800) }),
  (random) => ({ kind: 'latency', ms: random.between(5, 800) }),
  () => ({ kind: 'reset' }),
  refused(500),
  refused(503),
  refused(401),
  () => ({ kind: 'refused', status: 429, retryAfterSeconds: 1 }),
  (random) => ({ kind: 'slow body', pieceBytes: 500, everyMs: random.between(1, 20) }),
];

const WRITES: readonly Draw[] = [
  ...ANYTHING,
  refused(409),
  () => ({ kind: 'answer lost' }),
  () => ({ kind: 'answer lost' }),
];

/** The token of a page is too old. */
const PAGES: readonly Draw[] = [refused(410)];

function faultsOf(asked: Asked): readonly Draw[] {
  return isWrite(asked) ? WRITES : ANYTHING;
}

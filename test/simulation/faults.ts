/** What goes wrong beside the application: how often, and how slow everything is. */
import type { Random } from './random.ts';

export const LEVELS = ['mild', 'harsh', 'hostile'] as const;
export type Level = (typeof LEVELS)[number];

export interface Faults {
  /** Of a call of the operator: it fails without having been done. */
  callFails: number;
  /** It was done, and its answer was lost. */
  answerLost: number;
  /** The operator dies before or after it. */
  crash: number;
  /** Milliseconds, at most: half a call. */
  latency: number;
  /** Milliseconds, at most: how late a watch tells. */
  lag: number;
  /** Of an event: the watch ends and the kind is listed anew. */
  relist: number;
  /** Milliseconds between two mishaps of the cluster, on average. */
  mishapEvery: number;
  /** Milliseconds between two deeds of people, on average. */
  deedEvery: number;
  /** Of the deeds: one that somebody means badly, or does not know what it does. */
  foreign: number;
  /** After each change of the phase: the chance of something more, in the moment when it is worst. */
  worst: number;
  /** Milliseconds, at most: how far a clock jumps. */
  clockJump: number;
  controllers: number;
  endpoints: number;
  /** Deeds and mishaps by name, of which those are drawn that come; undefined: all of them. */
  only?: readonly string[];
}

const TABLE: Readonly<Record<Level, Faults>> = {
  mild: {
    callFails: 0.002,
    answerLost: 0.002,
    crash: 0.0005,
    latency: 20,
    lag: 200,
    relist: 0.001,
    mishapEvery: 1_200_000,
    deedEvery: 240_000,
    foreign: 0.2,
    worst: 0.02,
    clockJump: 5000,
    controllers: 200,
    endpoints: 200,
  },
  harsh: {
    callFails: 0.02,
    answerLost: 0.02,
    crash: 0.01,
    latency: 200,
    lag: 3000,
    relist: 0.01,
    mishapEvery: 240_000,
    deedEvery: 150_000,
    foreign: 0.5,
    worst: 0.15,
    clockJump: 30_000,
    controllers: 1500,
    endpoints: 2000,
  },
  hostile: {
    callFails: 0.08,
    answerLost: 0.08,
    crash: 0.03,
    latency: 1000,
    lag: 10_000,
    relist: 0.03,
    mishapEvery: 90_000,
    deedEvery: 90_000,
    foreign: 0.7,
    worst: 0.3,
    clockJump: 120_000,
    controllers: 4000,
    endpoints: 8000,
  },
};

export function faultsOf(level: Level): Faults {
  return { ...TABLE[level] };
}

/** What may come, of those that could. */
export function namesOf(could: object, { only }: Faults): string[] {
  return Object.keys(could).filter((name) => only?.includes(name) ?? true);
}

/** Nothing goes wrong any more; what is slow by nature stays so. */
export function endFaults(faults: Faults): void {
  Object.assign(faults, { callFails: 0, answerLost: 0, crash: 0, relist: 0, latency: 20, lag: 200 });
}

/** When the next of such events comes, around a mean. */
export function nextIn(random: Random, mean: number): number {
  return Math.round(-Math.log(1 - random.next()) * mean);
}

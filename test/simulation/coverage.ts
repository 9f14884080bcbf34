/** Whether a run has seen enough to mean something: a simulation that never switches breaks no promise either. */
import type { Counts } from './happenings.ts';
import type { Totals } from './run.ts';

const PHASES = [
  'Idle',
  'Adopting',
  'Preparing',
  'Validating',
  'Switching',
  'Observing',
  'Held',
  'Committed',
  'RollingBack',
  'RolledBack',
  'Failed',
  'Stalled',
  'Suspended',
  'Deleting',
];

const FAULTS = [
  'call failed',
  'answer lost',
  'crash before a write',
  'crash after a write',
  'watch ended',
  'a pod is evicted',
  'a pod runs out of memory',
  'a node is lost',
  'the quota is exhausted',
  'the registry is away',
  'the metric source is away',
  'the clock jumps',
  'the operator is killed',
  'two operators work at once',
  'the status is lost',
];

/** Of the attempts. */
const LEAST_COMMITTED = 0.3;
const LEAST_ROLLED_BACK = 0.1;
const LEAST_MEDIAN_STEPS = 40;
/** Times that each fault must have come in each phase, for each release. */
const LEAST_PAIRS = 500 / 100_000;

export interface Coverage {
  readonly committed: number;
  readonly rolledBack: number;
  readonly medianSteps: number;
  /** The pair of a phase and a fault that came least often. */
  readonly rarest: { readonly pair: string; readonly times: number };
  /** What was seen too little of, in sentences. */
  readonly gaps: readonly string[];
}

export function coverageOf({ releases, outcomes, pairs, stepsPerRelease }: Totals): Coverage {
  const share = (kind: string): number => (outcomes.get(kind) ?? 0) / Math.max(1, releases);
  const committed = share('Committed');
  const rolledBack = share('RolledBack');
  const medianSteps = median(stepsPerRelease);
  const counted = countedPairs(pairs);
  const [rarest] = counted;
  const least = Math.floor(LEAST_PAIRS * releases);
  const gaps = [
    ...(committed < LEAST_COMMITTED ? [`only ${percent(committed)} of the releases were committed`] : []),
    ...(rolledBack < LEAST_ROLLED_BACK
      ? [`only ${percent(rolledBack)} were rolled back after a switch`]
      : []),
    ...(medianSteps < LEAST_MEDIAN_STEPS ? [`a release had only ${medianSteps} steps in the median`] : []),
    ...counted
      .filter(({ times }) => times < least)
      .map(({ pair, times }) => `${pair} came ${times} times, fewer than ${least}`),
  ];
  return { committed, rolledBack, medianSteps, rarest: rarest ?? { pair: '', times: 0 }, gaps };
}

/** Rarest first. */
function countedPairs(pairs: Counts): { pair: string; times: number }[] {
  return PHASES.flatMap((phase) => FAULTS.map((fault) => `${phase}/${fault}`))
    .map((pair) => ({ pair, times: pairs.get(pair) ?? 0 }))
    .toSorted((a, b) => a.times - b.times);
}

function median(values: readonly number[]): number {
  return Math.round(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0);
}

export function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}

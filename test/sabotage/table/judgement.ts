/** What is good, bad or unknown, and what follows from it. */
import type { Sabotage } from '../sabotage.ts';
import { UNGUARDED } from './unguarded.ts';

const PROMETHEUS = 'src/checks/prometheus.ts';

export const JUDGEMENT: readonly Sabotage[] = [
  {
    name: 'unknown-is-bad',
    invariant: 5,
    breaks: 'A metric source that is away makes a check fail.',
    file: 'src/analysis/failures.ts',
    find: `|| onUnknown === 'Fail') failures++;`,
    replace: `|| measurement.verdict === 'Unknown') failures++;`,
  },
  {
    name: 'unknown-is-good',
    invariant: 5,
    breaks: 'A release is committed while a check that must hold it is unknown.',
    file: PROMETHEUS,
    find: `if (last.verdict === 'Unknown' && check.onUnknown === 'Hold')`,
    replace: `if (last.verdict === 'Unknown' && check.onUnknown === 'Fail')`,
    also: [UNGUARDED],
  },
  {
    name: 'not-measured-is-good',
    invariant: 5,
    breaks: 'A release is committed before its check was measured once.',
    file: PROMETHEUS,
    find: `return check.onUnknown === 'Ignore' ? undefined :`,
    replace: 'return check.name.length > 0 ? undefined :',
    also: [UNGUARDED],
  },
  {
    name: 'measured-before-the-switch',
    invariant: 5,
    breaks: 'What was measured of the revision before counts against the next one.',
    file: PROMETHEUS,
    find: '.filter(({ at }) => at > from);',
    replace: '.filter(({ at }) => at > 0);',
  },
  {
    name: 'availability-of-the-wish',
    invariant: 5,
    breaks:
      'Availability is measured against the pods that are wished for, not those that the switch was proven with.',
    file: 'src/checks/availability.ts',
    find: 'const base = outcome === undefined ? verifiedReady : Math.min(verifiedReady, desired);',
    replace: 'const base = outcome === undefined ? desired : Math.min(verifiedReady, desired);',
  },
  {
    name: 'late-is-rejected',
    invariant: 5,
    breaks: 'A candidate that was not ready in time is rejected, though nobody knows whose fault that is.',
    file: 'src/gates/readiness.ts',
    find: `state: trouble?.atFault ? 'Failed' : 'Inconclusive',`,
    replace: `state: 'Failed',`,
  },
  {
    name: 'hanging-gate-is-rejected',
    invariant: 5,
    breaks: 'A gate that took too long rejects the candidate.',
    file: 'src/gates/job.ts',
    find: `            'Inconclusive',
            'GateTimedOut',`,
    replace: `            'Failed',
            'GateTimedOut',`,
  },
  {
    name: 'rejected-is-tried-again',
    invariant: 6,
    breaks: 'What was rejected is tried again by itself.',
    file: 'src/release/start.ts',
    find: 'if (known !== undefined && rejected !== undefined) {',
    replace: 'if (known !== undefined && rejected !== undefined && snapshot.now < 0) {',
    also: [UNGUARDED],
  },
  {
    name: 'loser-not-rejected',
    invariant: 6,
    breaks: 'A revision that was put back for its faults is tried again.',
    file: 'src/release/stages/returning.ts',
    find: '...(!BLAMELESS.has(reason) && { rejected: { at, reason, message } }),',
    replace: '',
  },
  {
    name: 'failure-not-rejected',
    invariant: 6,
    breaks: 'A candidate that failed by its own fault is tried again.',
    file: 'src/release/stages/preparing.ts',
    find: `...(kind === 'Failed' && { rejected: { at, reason, message } }),`,
    replace: '',
  },
  {
    name: 'deadline-blames',
    invariant: 5,
    breaks: 'A switch whose endpoints did not follow in time rejects the revision.',
    file: 'src/release/stages/returning.ts',
    find: `new Set(['SwitchNotConverged', 'ServiceRefused', 'Reverted'])`,
    replace: `new Set(['ServiceRefused', 'Reverted'])`,
  },
];

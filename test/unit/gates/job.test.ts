import { expect } from 'chai';
import { jobGate } from '../../../src/gates/job.ts';
import { rolesOf } from '../../../src/release/roles.ts';
import type { JobView } from '../../../src/release/snapshot.ts';
import { built } from '../release/situations.ts';
import { world } from '../release/world.ts';

const gates = [
  { name: 'smoke', timeoutSeconds: 60, job: { spec: { template: { spec: { containers: [] } } } } },
];

function asked(...jobs: Partial<JobView>[]) {
  const snapshot = world({ ...built, spec: { gates }, jobs });
  const { subject } = rolesOf(snapshot);
  const [gate] = subject?.frozen.gates ?? [];
  if (subject === undefined || gate === undefined) throw new Error('there is a candidate with a gate');
  return jobGate(snapshot, subject, gate);
}

describe('a Job as a gate', () => {
  const table: [string, Partial<JobView>, string, string, string][] = [
    [
      'runs',
      { state: 'Running' },
      'Running',
      'JobRunning',
      'gate "smoke": waiting for Job checkout-smoke-2, for at most 60 seconds',
    ],
    [
      'completed',
      { state: 'Complete' },
      'Passed',
      'JobComplete',
      'gate "smoke": Job checkout-smoke-2 completed',
    ],
    ['failed', { state: 'Failed' }, 'Failed', 'GateFailed', 'gate "smoke": Job checkout-smoke-2 failed'],
    [
      'failed and says why',
      { state: 'Failed', message: 'no checkout' },
      'Failed',
      'GateFailed',
      'gate "smoke": Job checkout-smoke-2 failed: no checkout',
    ],
    [
      'took too long',
      { state: 'Failed', deadlineExceeded: true, message: 'it hangs' },
      'Inconclusive',
      'GateTimedOut',
      'gate "smoke": Job checkout-smoke-2 took longer than 60 seconds: it hangs',
    ],
  ];
  for (const [what, job, state, reason, message] of table) {
    it(`that ${what} is ${state}`, () => {
      expect(asked(job)).to.deep.equal({ name: 'smoke', state, reason, message });
    });
  }

  const others: [string, Partial<JobView>][] = [
    ['gate', { gate: 'load' }],
    ['attempt', { attempt: 1 }],
    ['revision', { revision: 'r1' }],
  ];
  for (const [what, job] of others) {
    it(`is started whatever the Job of another ${what} says`, () => {
      expect(asked({ state: 'Complete', ...job })).to.deep.equal({
        name: 'smoke',
        state: 'Running',
        reason: 'JobStarting',
        message: 'gate "smoke": starting Job checkout-smoke-2',
        effects: [{ kind: 'CreateJob', gate: 'smoke', revision: 'r2', attempt: 2, color: 'green' }],
      });
    });
  }
});

import { expect } from 'chai';
import type { Measurement } from '../../../src/analysis/measurement.ts';
import type { CheckSpec } from '../../../src/api/schema.ts';
import { prometheusCheck } from '../../../src/checks/prometheus.ts';
import { rolesOf } from '../../../src/release/roles.ts';
import { observed } from '../release/situations.ts';
import { NOON, SECOND, world } from '../release/world.ts';

const spec: CheckSpec = {
  name: 'errors',
  intervalSeconds: 10,
  failureLimit: 2,
  onUnknown: 'Hold',
  prometheus: { source: 'default', query: 'sum(errors)', max: '0.01' },
};
const VERIFIED_AT = NOON - 5 * SECOND;

const bad = (at: number): Measurement => ({
  at,
  verdict: 'Bad',
  reason: 'AboveMax',
  value: 0.5,
  message: '0.5 is above 0.01',
});

function checked(measurements: readonly Measurement[], now = NOON, change: Partial<CheckSpec> = {}) {
  const snapshot = world({ ...observed, now, observations: { measurements: { errors: measurements } } });
  const { subject } = rolesOf(snapshot);
  if (subject === undefined) throw new Error('something is watched');
  return prometheusCheck(snapshot, subject, { ...spec, ...change });
}

describe('a check against Prometheus', () => {
  it('is first due one interval after the switch was verified', () => {
    expect(checked([], VERIFIED_AT + 10 * SECOND - 1)).to.deep.include({
      due: false,
      lookAgainAt: VERIFIED_AT + 10 * SECOND,
    });
    expect(checked([], VERIFIED_AT + 10 * SECOND).due).to.equal(true);
  });

  it('is due again one interval after the last answer', () => {
    const last = bad(NOON);
    expect(checked([last], NOON + 10 * SECOND - 1).due).to.equal(false);
    expect(checked([last], NOON + 10 * SECOND).due).to.equal(true);
  });

  it('when it is due, the answer is what wakes the loop, or else the next interval', () => {
    expect(checked([], NOON + 5 * SECOND).lookAgainAt).to.equal(NOON + 15 * SECOND);
  });

  it('ignores what was measured before any traffic reached the new side', () => {
    const { status, breach } = checked([bad(VERIFIED_AT - 1), bad(VERIFIED_AT)]);
    expect(breach).to.equal(undefined);
    expect([status.state, status.failures, status.measurements]).to.deep.equal(['Pending', 0, []]);
  });

  it('is breached at the limit, not before', () => {
    const two = [bad(NOON - SECOND), bad(NOON)];
    expect(checked(two.slice(1)).breach).to.equal(undefined);
    expect(checked(two).breach).to.deep.equal({
      reason: 'CheckFailed',
      message: 'check "errors" failed 2 times in a row: 0.5 is above 0.01',
    });
    expect(checked(two, NOON, { failureLimit: 3 }).breach).to.equal(undefined);
  });

  it('may be breached by one, and says so', () => {
    expect(checked([bad(NOON)], NOON, { failureLimit: 1 }).breach?.message).to.equal(
      'check "errors" failed 1 time: 0.5 is above 0.01',
    );
  });

  it('that is good keeps nothing waiting, and shows what it was', () => {
    const good: Measurement = { ...bad(NOON), verdict: 'Good', reason: 'WithinBounds', message: 'fine' };
    expect(checked([good])).to.deep.equal({
      status: {
        name: 'errors',
        state: 'Good',
        query: 'sum(errors)',
        failures: 0,
        message: 'fine at 2026-06-01T12:00:00Z',
        measurements: [
          {
            at: '2026-06-01T12:00:00.000Z',
            verdict: 'Good',
            reason: 'WithinBounds',
            value: '0.5',
            message: 'fine',
          },
        ],
      },
      due: false,
      lookAgainAt: NOON + 10 * SECOND,
    });
  });

  it('that is unknown shows no number', () => {
    const unknown: Measurement = { at: NOON, verdict: 'Unknown', reason: 'NoData', message: 'no series' };
    expect(checked([unknown]).status.measurements).to.deep.equal([
      { at: '2026-06-01T12:00:00.000Z', verdict: 'Unknown', reason: 'NoData', message: 'no series' },
    ]);
  });

  it('shows the query, the count and the last ten measurements', () => {
    const many = Array.from({ length: 12 }, (_, index) => bad(NOON - (11 - index) * 100));
    const { status } = checked(many, NOON, { failureLimit: 10 });
    expect(status).to.deep.include({ name: 'errors', state: 'Bad', query: 'sum(errors)', failures: 12 });
    expect(status.measurements).to.have.lengthOf(10);
    expect(status.measurements?.at(-1)).to.deep.equal({
      at: '2026-06-01T12:00:00.000Z',
      verdict: 'Bad',
      reason: 'AboveMax',
      value: '0.5',
      message: '0.5 is above 0.01',
    });
  });
});

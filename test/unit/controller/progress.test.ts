import { expect } from 'chai';
import type { ReleaseStatus } from '../../../src/api/status.ts';
import { createPace, isProgress, PROGRESS_EVERY_MS } from '../../../src/controller/progress.ts';

const condition = (reason: string, message: string) => ({
  type: 'Ready' as const,
  status: 'False' as const,
  reason,
  message,
  lastTransitionTime: '2026-01-01T00:00:00Z',
});

const waiting = (ready: number): ReleaseStatus => ({
  phase: 'Preparing',
  message: `${ready} of 3 pods are ready`,
  candidate: { color: 'green', ready, desired: 3 },
  conditions: [condition('WaitingForReadiness', `${ready} of 3 pods are ready`)],
});

describe('the pace of status writes', () => {
  it('takes counts and sentences that move within a phase for progress', () => {
    expect(isProgress(waiting(0), waiting(1))).to.equal(true);
  });
  it('takes a phase, a reason, a decision, a gate or an outcome for news', () => {
    const base = waiting(1);
    const changes: ReleaseStatus[] = [
      { ...base, phase: 'Switching' },
      { ...base, conditions: [condition('ImagePullBackOff', '1 of 3 pods are ready')] },
      { ...base, decisions: [{ at: '2026-01-01T00:00:00.000Z', reason: 'Switching', message: 'moving' }] },
      { ...base, gates: [{ name: 'smoke', state: 'Passed' }] },
      { ...base, history: [{ revision: 'r1', attempt: 1, outcome: 'Committed', startedAt: 'then' }] },
      { ...base, observedGeneration: 2 },
    ];
    for (const change of changes) expect(isProgress(base, change), JSON.stringify(change)).to.equal(false);
  });
  it('writes news at once, and progress once a second', () => {
    let now = 5_000;
    const pace = createPace(() => now);
    expect(pace.waitMs('a', {}, waiting(0))).to.equal(0);
    now += 200;
    expect(pace.waitMs('a', waiting(0), waiting(1))).to.equal(PROGRESS_EVERY_MS - 200);
    expect(pace.waitMs('a', waiting(0), { ...waiting(1), phase: 'Switching' })).to.equal(0);
    now += PROGRESS_EVERY_MS;
    expect(pace.waitMs('a', waiting(1), waiting(2))).to.equal(0);
  });
  it('holds back nothing for another release, for one that was forgotten, or after the clock was set back', () => {
    let now = 5_000;
    const pace = createPace(() => now);
    pace.waitMs('a', {}, waiting(0));
    expect(pace.waitMs('b', waiting(0), waiting(1))).to.equal(0);
    pace.forget('a');
    expect(pace.waitMs('a', waiting(0), waiting(1))).to.equal(0);
    now -= 3_600_000;
    expect(pace.waitMs('a', waiting(1), waiting(2))).to.equal(0);
  });

  const phases = (phase: ReleaseStatus['phase']): ReleaseStatus => ({ ...waiting(0), phase });

  /** Twenty releases that had news in this moment. */
  function crowded(now: () => number): ReturnType<typeof createPace> {
    const pace = createPace(now);
    for (let index = 0; index < 20; index += 1)
      expect(pace.waitMs(`other-${index}`, {}, waiting(0)), `release ${index}`).to.equal(0);
    return pace;
  }

  it('lets the releases of a crowd take turns, in the order in which they had news', () => {
    let now = 5_000;
    const pace = crowded(() => now);
    expect(pace.waitMs('a', {}, waiting(0))).to.equal(50);
    expect(pace.waitMs('b', {}, waiting(0))).to.equal(100);
    now += 50;
    expect(pace.waitMs('b', {}, phases('Switching'))).to.equal(50);
    expect(pace.waitMs('a', {}, phases('Switching'))).to.equal(0);
    now += 10_000;
    expect(pace.waitMs('a', waiting(0), phases('Observing'))).to.equal(0);
  });
  it('keeps what waits for its turn, until it is written or somebody else writes', () => {
    let now = 5_000;
    const pace = crowded(() => now);
    const before = phases('Idle');
    pace.waitMs('a', before, phases('Preparing'));
    pace.waitMs('a', before, phases('Switching'));
    expect(pace.kept('a', before)).to.deep.equal(phases('Switching'));
    expect(pace.kept('a', phases('Held'))).to.equal(undefined);
    now += 50;
    pace.waitMs('a', before, phases('Switching'));
    expect(pace.kept('a', before)).to.equal(undefined);
  });
  it('lets nothing wait that people must act upon, or ordered', () => {
    const pace = crowded(() => 5_000);
    for (const phase of ['Stalled', 'Split', 'Failed', 'RollingBack', 'RolledBack', 'Held'] as const)
      expect(pace.waitMs('a', waiting(0), phases(phase)), phase).to.equal(0);
  });
  it('lets nobody find a release ready that is not any more', () => {
    const pace = crowded(() => 5_000);
    const ready: ReleaseStatus = { conditions: [{ ...condition('Committed', ''), status: 'True' }] };
    expect(pace.waitMs('a', ready, waiting(0))).to.equal(0);
    expect(pace.waitMs('b', waiting(0), ready)).to.equal(50);
  });
  it('gives turns further apart where the API server is slow', () => {
    const pace = crowded(() => 5_000);
    for (let count = 0; count < 100; count += 1) pace.took(600);
    const first = pace.waitMs('a', {}, waiting(0));
    expect(Math.round(pace.waitMs('b', {}, waiting(0)) - first)).to.equal(150);
  });
  it('silences nobody when the clock is set back', () => {
    let now = 5_000_000;
    const pace = crowded(() => now);
    pace.waitMs('a', {}, waiting(0));
    now -= 3_600_000;
    expect(pace.waitMs('a', {}, waiting(0))).to.equal(0);
    expect(pace.waitMs('b', {}, waiting(0))).to.equal(0);
  });
});

import { expect } from 'chai';
import type { ReleaseStatus } from '../../../src/api/status.ts';
import {
  createPace,
  isPressing,
  isProgress,
  type Pace,
  PROGRESS_WAITS_MS,
  withSeen,
} from '../../../src/controller/progress.ts';

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
  let now: number;
  let pace: Pace;
  beforeEach(() => {
    now = 5_000;
    pace = createPace(() => now);
  });

  it('takes counts and sentences that move within a phase for progress', () => {
    expect(isProgress(waiting(0), waiting(1))).to.equal(true);
  });
  it('takes a phase, a reason, a gate or an outcome for news', () => {
    const base = waiting(1);
    const changes: ReleaseStatus[] = [
      { ...base, phase: 'Switching' },
      { ...base, conditions: [condition('ImagePullBackOff', '1 of 3 pods are ready')] },
      { ...base, gates: [{ name: 'smoke', state: 'Passed' }] },
      { ...base, history: [{ revision: 'r1', attempt: 1, outcome: 'Committed', startedAt: 'then' }] },
      { ...base, observedGeneration: 2 },
    ];
    for (const change of changes) expect(isProgress(base, change), JSON.stringify(change)).to.equal(false);
  });
  it('takes what is done for a reason that is told already for progress: a preview that is pointed', () => {
    const pointed = { at: '2026-01-01T00:00:00.000Z', reason: 'WaitingForReadiness', message: 'pointed' };
    expect(isProgress(waiting(0), { ...waiting(1), decisions: [pointed] })).to.equal(true);
  });
  it('writes news at once, and progress two seconds later with all that came meanwhile', () => {
    expect(pace.waitMs('a', {}, waiting(0))).to.equal(0);
    now += 60_000;
    expect(pace.waitMs('a', waiting(0), waiting(1))).to.equal(PROGRESS_WAITS_MS);
    now += 1_200;
    expect(pace.waitMs('a', waiting(0), waiting(2))).to.equal(PROGRESS_WAITS_MS - 1_200);
    now += 800;
    expect(pace.waitMs('a', waiting(0), waiting(2))).to.equal(0);
    now += 100;
    expect(pace.waitMs('a', waiting(2), waiting(3))).to.equal(PROGRESS_WAITS_MS);
  });
  it('tells of progress with the news that come before its time, and lets what comes next wait anew', () => {
    pace.waitMs('a', waiting(0), waiting(1));
    now += 900;
    expect(pace.waitMs('a', waiting(0), { ...waiting(3), phase: 'Switching' })).to.equal(0);
    now += 900;
    expect(pace.waitMs('a', waiting(0), waiting(1))).to.equal(PROGRESS_WAITS_MS);
  });
  it('lets each release wait by itself, one that was forgotten anew, and none after the clock was set back', () => {
    pace.waitMs('a', waiting(0), waiting(1));
    now += 500;
    expect(pace.waitMs('b', waiting(0), waiting(1))).to.equal(PROGRESS_WAITS_MS);
    pace.forget('a');
    expect(pace.waitMs('a', waiting(0), waiting(1))).to.equal(PROGRESS_WAITS_MS);
    now -= 3_600_000;
    expect(pace.waitMs('a', waiting(0), waiting(2))).to.equal(0);
  });
});

describe('a status that waits in no line', () => {
  const ready: ReleaseStatus = { conditions: [{ ...condition('Committed', ''), status: 'True' }] };

  for (const phase of ['Stalled', 'Split', 'Failed', 'RollingBack', 'RolledBack', 'Held'] as const)
    it(`is one that people must act upon, or ordered: ${phase}`, () => {
      expect(isPressing({}, { phase }, 1)).to.equal(true);
    });

  it('is the first that finds a release ready no more', () => {
    expect(isPressing(ready, { phase: 'Observing' }, 1)).to.equal(true);
  });

  it('is none where that was said of an older generation: nobody takes it for what is wished for today', () => {
    const readyOf = (observedGeneration: number): ReleaseStatus => ({
      conditions: [{ ...condition('Committed', ''), status: 'True', observedGeneration }],
    });
    const waits: ReleaseStatus = { phase: 'Preparing', conditions: [condition('WaitingForReadiness', '')] };
    expect(isPressing(readyOf(3), waits, 4)).to.equal(false);
    expect(isPressing(readyOf(4), waits, 4)).to.equal(true);
  });

  it('is the first that finds production bad', () => {
    const bad: ReleaseStatus = { conditions: [{ ...condition('Bad', ''), type: 'Healthy' }] };
    expect([isPressing(ready, { ...ready, ...bad }, 1), isPressing({}, bad, 1)]).to.deep.equal([true, true]);
    expect(isPressing(bad, bad, 1)).to.equal(false);
  });

  it('is no other', () => {
    expect(isPressing({}, { phase: 'Preparing' }, 1)).to.equal(false);
    expect(isPressing({ phase: 'Observing' }, ready, 1)).to.equal(false);
  });
});

describe('what is seen while what was decided stands back', () => {
  const healthy = { ...condition('PodsReady', 'yes'), type: 'Healthy' as const, status: 'True' as const };
  const reconciling = { ...condition('Observing', 'watched'), type: 'Reconciling' as const };
  const before: ReleaseStatus = {
    phase: 'Observing',
    message: 'watched',
    conditions: [reconciling, healthy],
  };

  it('is told: since when pods are missing, and that production is not healthy', () => {
    const checks = [
      { name: 'availability', state: 'Bad' as const, since: '2026-01-01T00:00:00Z', message: '1 of 3' },
    ];
    const low = { ...healthy, status: 'False' as const, reason: 'AvailabilityLow' };
    const decided = { ...condition('Committed', 'kept'), type: 'Reconciling' as const };
    const after: ReleaseStatus = { phase: 'Committed', message: 'kept', checks, conditions: [decided, low] };
    expect(withSeen(before, after)).to.deep.equal({ ...before, checks, conditions: [reconciling, low] });
  });

  it('changes nothing where nothing was looked at', () => {
    expect(withSeen(before, { phase: 'Committed' })).to.deep.equal(before);
  });
});

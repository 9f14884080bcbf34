import { expect } from 'chai';
import type { Measurement } from '../../../src/analysis/measurement.ts';
import type { ReleaseSpecInput } from '../../../src/api/schema.ts';
import { createMemories } from '../../../src/controller/memory.ts';
import { eventFor } from '../../../src/controller/report.ts';
import type { RevisionFacts } from '../../../src/release/facts.ts';
import { rolesOf } from '../../../src/release/roles.ts';
import { watchWindow } from '../../../src/release/stages/window.ts';
import { condition, decided } from './decided.ts';
import { committed, fresh, idle, observed, r1, r2, r2Committed, r2Verified } from './situations.ts';
import { HOUR, MINUTE, NOON, type Picture, SECOND, world } from './world.ts';

const check = { name: 'errors', prometheus: { query: 'q', max: '0.01' } };
const watched = (afterCommit: 'Alert' | 'Rollback'): Partial<ReleaseSpecInput> => ({
  observation: { checks: [check] },
  rollback: { afterCommit },
});
const bad = (...minutes: number[]): Measurement[] =>
  minutes.map((minute) => ({
    at: NOON + minute * MINUTE,
    verdict: 'Bad',
    reason: 'AboveMax',
    value: 0.3,
    message: '0.3 is above 0.01',
  }));
/** Five minutes into the window; measured so often since. */
const inWindow = (afterCommit: 'Alert' | 'Rollback', errors: Measurement[]): Picture => ({
  ...committed,
  now: NOON + 5 * MINUTE,
  spec: watched(afterCommit),
  observations: { measurements: { errors } },
});
const said = 'check "errors" failed 2 times in a row: 0.3 is above 0.01';

describe('inside the rollback window', () => {
  it('the checks are measured on, once a minute at most', () => {
    const due = decided(inWindow('Alert', bad(4)));
    expect(due.plan.requests.map((request) => request.kind)).to.deep.equal(['Measure']);
    const early = decided({ ...inWindow('Alert', bad(4)), now: NOON + 4 * MINUTE + 30 * SECOND });
    expect(early.plan.requests).to.deep.equal([]);
    expect(early.plan.lookAgainAt).to.equal(NOON + 5 * MINUTE);
  });

  it('is watched only where something was committed, rests, and can be gone back from', () => {
    const watch = (picture: Picture): readonly string[] | undefined => {
      const snapshot = world(picture);
      return watchWindow(snapshot, rolesOf(snapshot))?.verdicts.map(({ status }) => status.name);
    };
    const { committedAt: _, ...unnoted } = r2Committed;
    expect(watch(inWindow('Alert', []))).to.deep.equal(['availability', 'errors']);
    expect(watch({ ...inWindow('Alert', []), revisions: { r1, r2: unnoted } })).to.equal(undefined);
    const r3 = { ...r2, color: 'blue' as const, attempt: 3 };
    const begun = { ...inWindow('Alert', []), revisions: { r1, r2: r2Committed, r3 } };
    for (const picture of [fresh, idle, observed, begun]) expect(watch(picture)).to.equal(undefined);
  });

  it('the checks are measured as often as they ask for, where that is rarer', () => {
    const rare = { observation: { checks: [{ ...check, intervalSeconds: 90 }] } };
    const at = (seconds: number) =>
      decided({ ...inWindow('Alert', bad(4)), spec: rare, now: NOON + 4 * MINUTE + seconds * SECOND }).plan;
    expect(at(89).requests).to.deep.equal([]);
    expect(at(90).requests).to.have.lengthOf(1);
  });

  it('is looked at when it closes, whatever it rests in: the old side is kept no longer', () => {
    const resting = { ...committed, source: { fingerprint: 'v3' }, spec: { suspend: true } };
    const { phase, plan } = decided(resting);
    expect([phase, plan.lookAgainAt]).to.deep.equal(['Suspended', r2Committed.windowUntil]);
    const { effects } = decided({ ...resting, now: r2Committed.windowUntil ?? 0 });
    expect(effects).to.deep.equal(['ScaleColor blue 3 -> 0']);
  });

  it('also while a candidate that stands in its place is taken no further', () => {
    const r3 = { ...r2, color: 'blue' as const, attempt: 3 };
    const under = {
      ...committed,
      revisions: { r1, r2: r2Committed, r3 },
      blue: { revision: 'r3', ready: 3 },
    };
    const { phase, plan } = decided({ ...under, source: { fingerprint: 'v3' }, spec: { suspend: true } });
    expect([phase, plan.lookAgainAt]).to.deep.equal(['Suspended', r2Committed.windowUntil]);
  });

  it('and no longer when it is over, or where nothing can be gone back to', () => {
    const over = { ...inWindow('Rollback', bad(3, 4)), now: NOON + 49 * HOUR };
    const alone = {
      ...idle,
      spec: watched('Rollback'),
      observations: { measurements: { errors: bad(-4, -3) } },
    };
    for (const picture of [over, alone]) {
      const { phase, plan } = decided(picture);
      expect([phase, plan.requests]).to.deep.equal(['Idle', []]);
    }
  });

  it('a breach alerts: the condition says so, and an event, once', () => {
    const { phase, effects, plan } = decided(inWindow('Alert', bad(3, 4)));
    const message = `${said}; revision r2 keeps the traffic (rollback.afterCommit): bluegreen.dev/action=rollback@2 puts it back`;
    expect([phase, effects]).to.deep.equal(['Committed', []]);
    expect(plan.verdict.alert).to.deep.equal({ reason: 'CheckFailed', message });
    expect([condition(plan.status, 'Healthy'), condition(plan.status, 'Ready')]).to.deep.equal([
      'False',
      'True',
    ]);
    const object = { metadata: { name: 'checkout' } } as Parameters<typeof eventFor>[0];
    const before = { ...plan.status, conditions: [] };
    const { type, reason, note } = eventFor(object, before, plan.verdict) ?? {};
    expect([type, reason, note]).to.deep.equal(['Warning', 'CheckFailed', message]);
    expect(eventFor(object, plan.status, plan.verdict)).to.equal(undefined);
  });

  it('a breach stands in the status in full: a process that has measured nothing tells the same of it', () => {
    const known = [{ name: 'errors', state: 'Bad' as const, failures: 1 }];
    for (const checks of [known, undefined]) {
      const previous = { attempt: 2, ...(checks && { checks }) };
      const breached = decided({ ...inWindow('Alert', bad(3, 4)), previous }).plan;
      const told = createMemories().observations('shop/checkout', 'uid', breached.status);
      const another = decided({ ...inWindow('Alert', []), observations: told, previous: breached.status });
      expect(another.plan.verdict.alert).to.deep.equal(breached.verdict.alert);
      expect(another.plan.status).to.deep.equal(breached.status);
    }
  });

  it('or puts the traffic back', () => {
    const { phase, reason, effects, message } = decided(inWindow('Rollback', bad(3, 4)));
    expect([phase, reason, effects]).to.deep.equal([
      'RollingBack',
      'CheckFailed',
      ['PatchSelector checkout -> blue'],
    ]);
    expect(message).to.equal(`${said}; putting the traffic back to blue (revision r1)`);
  });

  it('or scales the old side up first', () => {
    const small = { ...inWindow('Rollback', bad(3, 4)), blue: { revision: 'r1', desired: 3, ready: 1 } };
    expect(decided(small).effects).to.deep.equal(['RecordFacts r2 Committed']);
  });

  it('only what was measured after the commit counts: whoever promoted it has seen the rest', () => {
    expect(decided(inWindow('Rollback', bad(-2, -1))).phase).to.equal('Committed');
  });

  it('and only what was measured since the traffic last came back: the rest was said of what it came back from', () => {
    const lost: RevisionFacts = {
      ...r2Verified,
      color: 'blue',
      attempt: 3,
      startedAt: NOON,
      outcome: { kind: 'RolledBack', at: NOON + 4 * MINUTE, reason: 'CheckFailed', message: 'bad' },
    };
    const picture = inWindow('Rollback', bad(2, 3));
    const { phase } = decided({ ...picture, revisions: { ...picture.revisions, r3: lost } });
    expect(phase).to.equal('Committed');
  });

  it('an attempt that failed meanwhile takes nothing back of what was measured, nor does one that nobody can read', () => {
    const failed: RevisionFacts = {
      color: 'blue',
      attempt: 3,
      startedAt: NOON,
      outcome: { kind: 'Failed', at: NOON + 4 * MINUTE, reason: 'GateFailed', message: 'bad' },
    };
    const picture = inWindow('Alert', bad(2, 3));
    const { plan } = decided({ ...picture, revisions: { r0: undefined, ...picture.revisions, r3: failed } });
    expect(plan.verdict.alert?.reason).to.equal('CheckFailed');
  });

  it('a way back that stays shut is no obstacle to a fix, and ends with the window', () => {
    const shut = { ...inWindow('Rollback', bad(3, 4)), blue: { revision: 'r1', desired: 3, ready: 0 } };
    const returnWanted = { at: NOON, reason: 'CheckFailed', message: said };
    const waiting = { ...shut, revisions: { r1, r2: { ...r2Committed, returnWanted } } };
    const told = decided(waiting);
    expect([told.phase, told.plan.verdict.stalled]).to.deep.equal(['RollingBack', true]);
    expect(told.plan.lookAgainAt).to.equal(r2Committed.windowUntil);
    expect(decided({ ...waiting, source: { fingerprint: 'v3' } }).effects).to.deep.equal([
      'CreateRevision r3 from source',
    ]);
  });

  it('fewer pods than at the switch are no breach when fewer are asked for', () => {
    const many = { r1, r2: { ...r2Committed, verifiedReady: 10 } };
    const picture = { ...inWindow('Rollback', []), revisions: many };
    const { phase, plan } = decided({ ...picture, green: { revision: 'r2', ready: 3 } });
    expect([phase, plan.verdict.alert]).to.deep.equal(['Committed', undefined]);
  });
});

describe('how long a rollback would take', () => {
  const switchTook3s = { decidedAt: NOON - 8 * SECOND, verifiedAt: NOON - 5 * SECOND };
  const estimate = (picture: Picture): number | undefined =>
    decided(picture).plan.status.rollback?.estimatedSeconds;
  const window = (startUpSeconds?: number): Picture => ({
    ...committed,
    revisions: {
      r1: { ...r1, ...(startUpSeconds !== undefined && { startUpSeconds }) },
      r2: { ...r2Committed, ...switchTook3s },
    },
  });

  it('is what the last switch took, when the old side is ready', () => {
    expect(estimate(window(40))).to.equal(3);
    expect(estimate({ ...observed, revisions: { r1, r2: { ...r2Verified, ...switchTook3s } } })).to.equal(3);
  });

  it('and the start of its pods besides, when it has none', () => {
    expect(estimate({ ...window(40), blue: { revision: 'r1', desired: 3, ready: 0 } })).to.equal(43);
  });

  it('but no longer than scaleUpSeconds, when it has some', () => {
    const some = { revision: 'r1', desired: 3, ready: 1 };
    expect(estimate({ ...window(90), blue: some })).to.equal(63);
    expect(estimate({ ...window(90), blue: some, spec: { rollback: { scaleUpSeconds: 10 } } })).to.equal(13);
  });

  it('is not told where nothing was measured, or nothing can be gone back to', () => {
    expect(estimate({ ...window(), blue: { revision: 'r1', desired: 3, ready: 0 } })).to.equal(undefined);
    expect(estimate(committed)).to.equal(undefined);
    expect(estimate(idle)).to.equal(undefined);
  });

  it('is measured when the revision is validated: its slowest pod', () => {
    const pods = [4, 12, 7].map((seconds) => ({
      createdAt: NOON - MINUTE,
      readySince: NOON - MINUTE + seconds * SECOND,
    }));
    const { plan } = decided({ ...built(), green: { revision: 'r2', ready: 3, pods } });
    const [effect] = plan.effects;
    expect(effect?.kind === 'RecordFacts' && effect.facts.startUpSeconds).to.equal(12);
  });

  const built = (): Picture => ({
    ...idle,
    source: { fingerprint: 'v2' },
    revisions: { r1, r2: { color: 'green', attempt: 2, startedAt: NOON - MINUTE } },
  });
});

it('a rollback waits for an old side that is too small for scaleUpSeconds, and then takes what there is', () => {
  const wanted = { at: NOON, reason: 'CheckFailed', message: 'too many errors' };
  const small: Picture = {
    ...observed,
    spec: { rollback: { scaleUpSeconds: 20 } },
    blue: { revision: 'r1', desired: 3, ready: 1 },
    revisions: { r1, r2: { ...r2Verified, returnWanted: wanted } },
  };
  expect(decided({ ...small, now: NOON + 19 * SECOND }).plan.lookAgainAt).to.equal(NOON + 20 * SECOND);
  expect(decided({ ...small, now: NOON + 20 * SECOND }).effects).to.deep.equal([
    'PatchSelector checkout -> blue',
  ]);
});

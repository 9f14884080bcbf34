/** What people read must say what is waited for, and why something is done that nobody asked for. */
import { expect } from 'chai';
import { decided, decidedOn } from './decided.ts';
import { built, committed, idle, observed, r1, r2, started } from './situations.ts';
import { editDeployment, HOUR, NOON, SECOND, world } from './world.ts';

const afterWindow = { now: NOON + 49 * HOUR };

describe('the words of a decision', () => {
  it('say why the old side loses its pods', () => {
    expect(decided({ ...committed, ...afterWindow }).message).to.equal(
      'revision r2 is active on green; blue is no longer needed: no pods',
    );
  });

  it('say what another writer broke', () => {
    const { message } = decided({ ...idle, source: { replicas: 3 }, service: { labelled: false } });
    expect(message).to.equal(
      'revision r1 is active on blue; Service "checkout" lost our label or claim; the source was scaled up or paused by another writer and gets no traffic: back to 0',
    );
  });

  it('say each thing once', () => {
    const twin = { found: false, ours: true, matches: true, endpoints: [] };
    const { effects, message } = decided({ ...idle, service: { twins: { blue: twin, green: twin } } });
    expect(effects).to.deep.equal(['WriteTwin checkout-blue', 'WriteTwin checkout-green']);
    expect(message).to.equal(
      'revision r1 is active on blue; Service "checkout-blue" is not as it should be; Service "checkout-green" is not as it should be',
    );
  });

  it('say that a Deployment lacks the labels that are stated for it', () => {
    const blue = { revision: 'r1', ready: 3, deployment: { carriesStated: false } };
    const { effects, message } = decided({ ...idle, blue });
    expect([effects, message]).to.deep.equal([
      ['LabelColor blue'],
      'revision r1 is active on blue; the Deployment of blue is to carry the labels and annotations that are stated',
    ]);
  });

  it('say what a release under watch keeps waiting', () => {
    expect(decided({ ...observed, source: { fingerprint: 'v3' } }).message).to.equal(
      'revision r2 (green) has the traffic and is watched until 2026-06-01T12:09:55Z; the Deployment has changed since: that is released after it',
    );
  });

  it('say of nothing that it is kept waiting where the Deployment is gone', () => {
    expect(decidedOn({ ...world(observed), source: undefined, wish: undefined }).message).to.equal(
      'revision r2 (green) has the traffic and is watched until 2026-06-01T12:09:55Z',
    );
  });

  it('do not call a second try a change', () => {
    const outcome = { kind: 'Inconclusive' as const, at: NOON, reason: 'X', message: 'the quota is used up' };
    const inconclusive = { count: 1, retryAt: NOON };
    const picture = { ...started, revisions: { r1, r2: { ...r2, outcome, inconclusive } } };
    expect(decided(picture).message).to.equal(
      'revision r2 was inconclusive and is tried again: starting attempt 3',
    );
  });

  it('say whose time to take over ends with a new release', () => {
    expect(decided({ ...committed, source: { fingerprint: 'v3' } }).message).to.equal(
      'the Deployment changed: starting attempt 3; from now on revision r1 can no longer take over',
    );
  });

  it('say what a candidate with enough ready pods waits for', () => {
    const rolling = editDeployment(world(built), 'green', { pods: 4, updated: 3 });
    expect(decidedOn(rolling).message).to.equal(
      '3 of 3 green pods are ready, those of an earlier revision are still being replaced, waiting until 2026-06-01T12:09:00Z',
    );
    const few = editDeployment(world(built), 'green', { available: 2 });
    expect(decidedOn(few).message).to.equal(
      '3 of 3 green pods are ready, 2 of 3 available, waiting until 2026-06-01T12:09:00Z',
    );
  });

  it('answer an order that nothing can come of', () => {
    const late = { ...committed, ...afterWindow, blue: { revision: 'r1' } };
    const { message, effects } = decided({ ...late, release: { action: 'rollback@2' } });
    expect([message, effects]).to.deep.equal([
      'revision r2 is active on green; rollback@2 is not possible: no earlier revision stands by inside a rollback window',
      [],
    ]);
    expect(decided({ ...late, release: { action: 'rollback@1' } }).message).to.equal(
      'revision r2 is active on green',
    );
  });

  it('tell a lost mark from a selector that was moved', () => {
    const { message, effects } = decided({ ...idle, mark: undefined });
    expect([message, effects]).to.deep.equal([
      'Service "checkout" selects blue and lacks the mark of the last switch; writing it (revision r1)',
      ['PatchSelector checkout -> blue'],
    ]);
  });

  it('note the same decision once while it is tried, and again when it is taken anew', () => {
    const first = decided({ ...idle, source: { replicas: 3 } }).plan.status;
    const again = (now: number) =>
      decided({ ...idle, now, source: { replicas: 3 }, previous: first }).plan.status.decisions?.length;
    expect([first.decisions?.length, again(NOON + SECOND), again(NOON + 60 * SECOND)]).to.deep.equal([
      1, 1, 2,
    ]);
  });

  it('say no more of an order that was carried out', () => {
    const at = NOON - 60 * SECOND;
    const message = 'a rollback of revision r2 was requested by annotation';
    const gone = { ...r2, outcome: { kind: 'RolledBack' as const, at, reason: 'Requested', message } };
    const picture = { ...idle, revisions: { r1, r2: { ...gone, startedAt: at - SECOND } } };
    expect(decided({ ...picture, release: { action: 'rollback@2' } }).message).to.equal(
      'revision r1 is active on blue',
    );
  });
});

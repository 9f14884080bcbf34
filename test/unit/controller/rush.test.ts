import { expect } from 'chai';
import { createRush, type Rush } from '../../../src/controller/rush.ts';
import type { Plan } from '../../../src/release/plan.ts';

const effect = { kind: 'AddFinalizer' } as const;
const planOf = (phase: Plan['verdict']['phase'], rest: Partial<Plan> = {}): Plan => ({
  verdict: { phase, reason: 'Any', message: 'any' },
  effects: [effect],
  requests: [],
  status: {},
  lookAgainAt: undefined,
  patient: false,
  ...rest,
});
const moving = planOf('Preparing');
const patient = planOf('Committed', { patient: true });

describe('a rush', () => {
  let now: number;
  let rush: Rush;
  beforeEach(() => {
    now = 1_000_000;
    rush = createRush(() => now);
  });
  const begin = (count: number, plan: Plan = moving): void => {
    for (let index = 0; index < count; index++) rush.look(`demo/app-${index}`, plan);
  };

  it('begins with the eighth release on its way: what is patient stands back, and statuses wait for more to tell', () => {
    begin(7);
    expect([rush.look('demo/done', patient), rush.answerMs]).to.deep.equal([0, 100]);
    begin(8);
    expect([rush.look('demo/done', patient), rush.answerMs]).to.deep.equal([5_000, 1_000]);
  });

  it('is not over as long as three of them are on their way', () => {
    begin(9);
    expect(rush.look('demo/done', patient)).to.equal(5_000);
    begin(6, planOf('Observing'));
    expect(rush.look('demo/done', patient)).to.equal(5_000);
    begin(7, planOf('Observing'));
    expect(rush.look('demo/done', patient)).to.equal(0);
    rush.look('demo/app-0', moving);
    expect(rush.look('demo/done', patient)).to.equal(0);
  });

  it('never keeps back what is not patient', () => {
    begin(8);
    expect(rush.look('demo/other', planOf('Observing'))).to.equal(0);
    expect(rush.look('demo/other', planOf('RollingBack'))).to.equal(0);
  });

  it('keeps nobody back for longer than five minutes', () => {
    for (let seconds = 0; seconds < 300; seconds += 4) {
      begin(8);
      expect(rush.look('demo/done', patient)).to.equal(Math.min(5_000, 300_000 - 1_000 * seconds));
      now += 4_000;
    }
    begin(8);
    expect(rush.look('demo/done', patient)).to.equal(0);
  });

  it('gives a release five minutes for all that follows its switch, and the next one its own', () => {
    begin(8);
    rush.look('demo/done', patient);
    now += 300_000;
    begin(8);
    rush.look('demo/done', planOf('Committed'));
    expect(rush.look('demo/done', patient)).to.equal(0);
    rush.look('demo/done', moving);
    expect(rush.look('demo/done', patient)).to.equal(5_000);
  });

  it('looks less often at each the more stand back, and every twenty seconds at least', () => {
    begin(8);
    const standing = (count: number): number => {
      let waits = 0;
      for (let index = 0; index < count; index++) waits = rush.look(`demo/done-${index}`, patient);
      return waits;
    };
    expect([100, 101, 400, 1_000].map(standing)).to.deep.equal([5_000, 5_050, 20_000, 20_000]);
  });

  for (const [what, end] of [
    ['the releases have been switched', () => begin(8, planOf('Observing'))],
    ['nothing was done for them in three minutes', () => (now += 180_000)],
    ['they are gone', () => Array.from({ length: 8 }, (_, index) => rush.forget(`demo/app-${index}`))],
    ['the clock was set back', () => (now -= 90_000)],
  ] as const) {
    it(`is over when ${what}`, () => {
      begin(8);
      rush.look('demo/done', patient);
      end();
      expect([rush.look('demo/done', patient), rush.answerMs]).to.deep.equal([0, 100]);
    });
  }

  it('counts a release that waits for the answer about its input, and not one that waits for its pods', () => {
    begin(8, planOf('Idle', { effects: [], requests: [{ kind: 'Preflight', key: 'any' }] }));
    expect(rush.answerMs).to.equal(1_000);
    now += 179_000;
    begin(8, planOf('Preparing', { effects: [] }));
    expect(rush.answerMs).to.equal(1_000);
    now += 1_000;
    expect(rush.answerMs).to.equal(100);
  });

  it('lets statuses take turns, one a second, and all of them at once when it is over', () => {
    const keys = ['demo/a', 'demo/b', 'demo/c'];
    const turns = (): number[] => keys.map((key) => rush.turn(key));
    expect(turns()).to.deep.equal([0, 0, 0]);
    begin(8);
    expect(turns()).to.deep.equal([0, 1_000, 2_000]);
    now += 1_000;
    expect(turns()).to.deep.equal([2_000, 0, 1_000]);
    begin(8, planOf('Observing'));
    expect(turns()).to.deep.equal([0, 0, 0]);
  });

  it('lets a status wait for two minutes at most, however many wait', () => {
    const last = 'demo/status-999';
    for (let index = 0; index < 1_000; index++) {
      begin(8);
      rush.turn(`demo/status-${index}`);
    }
    for (let seconds = 0; seconds < 120; seconds += 3) {
      begin(8);
      expect(rush.turn(last)).to.equal(Math.min(20_000, 120_000 - 1_000 * seconds));
      now += 3_000;
    }
    begin(8);
    expect(rush.turn(last)).to.equal(0);
  });
});

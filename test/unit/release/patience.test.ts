import { expect } from 'chai';
import { decided } from './decided.ts';
import {
  ADOPTED_AT,
  committed,
  idle,
  observed,
  r1,
  r2Verified,
  returning,
  SITUATIONS,
  switched,
} from './situations.ts';
import { HOUR, NOON, type Picture, SECOND, type SidePicture } from './world.ts';

const returnWanted = { at: NOON - SECOND, reason: 'CheckFailed', message: 'too many errors' };
const check = { name: 'errors', prometheus: { query: 'q', max: '0.01' } };
const bad = { at: NOON + 20 * SECOND, verdict: 'Bad' as const, reason: 'AboveMax' as const, message: 'm' };
const drained = { now: NOON + 25 * SECOND };
const old = { createdAt: ADOPTED_AT };
const blue = (pods: number, more: Partial<SidePicture> = {}): SidePicture => ({
  revision: 'r1',
  ready: pods,
  pods: Array.from({ length: pods }, () => old),
  ...more,
});
const watched = { ...observed, now: NOON + HOUR, blue: { revision: 'r1', ready: 3 } };
const young = Array.from({ length: 3 }, () => ({ createdAt: NOON }));
const afterWindow: Picture = { ...committed, now: NOON + 49 * HOUR, blue: { ...blue(3), pods: young } };

describe('what nobody waits for', () => {
  for (const [what, picture, effects] of [
    [
      'the commit of what was watched long enough',
      { ...watched, blue: { ...blue(3), pods: young } },
      'RecordFacts r2 Committed',
    ],
    [
      'more pods beside old ones that are to be replaced',
      { ...observed, ...drained, blue: blue(3) },
      'ScaleColor blue 3 -> 4',
    ],
    ['the end of old pods', { ...observed, ...drained, blue: blue(4) }, 'RecyclePods blue: checkout-blue-0'],
    ['a side whose window is over', afterWindow, 'ScaleColor blue 3 -> 0'],
  ] as const) {
    it(`is ${what}`, () => {
      const { plan, effects: seen } = decided(picture);
      expect([seen, plan.patient]).to.deep.equal([[effects], true]);
    });
  }
});

describe('what somebody waits for', () => {
  for (const [what, picture, effects] of [
    [
      'a commit that a person ordered',
      { ...watched, release: { action: 'promote@2' } },
      ['RecordFacts r2 Committed'],
    ],
    [
      'an old side that is smaller than production',
      { ...observed, blue: blue(2) },
      ['ScaleColor blue 2 -> 3'],
    ],
    ['the side with the traffic', { ...idle, spec: { replicas: 5 } }, ['ScaleColor blue 3 -> 5']],
    ['the proof of a switch', { ...switched, green: { revision: 'r2', ready: 3 } }, ['RecordFacts r2']],
    [
      'a way back',
      { ...observed, release: { action: 'rollback@2' }, blue: blue(3) },
      ['PatchSelector checkout -> blue'],
    ],
    [
      'a way back whose side has to grow first',
      {
        ...observed,
        spec: { capacity: { window: '50%' } },
        blue: blue(2),
        revisions: { r1, r2: { ...r2Verified, returnWanted } },
      },
      ['ScaleColor blue 2 -> 3'],
    ],
    [
      'what is done beside an alert',
      {
        ...committed,
        ...drained,
        spec: { capacity: { window: '50%' }, observation: { checks: [check] } },
        blue: blue(3),
        observations: { measurements: { errors: [bad, bad] } },
      },
      ['RecyclePods blue: checkout-blue-0'],
    ],
    ['the end of a way back', { ...returning, blue: blue(3) }, ['RecordFacts r2 RolledBack']],
  ] as const) {
    it(`is ${what}`, () => {
      const { plan, effects: seen } = decided(picture as Picture);
      expect([seen, plan.patient]).to.deep.equal([effects, false]);
    });
  }

  it('is whatever comes before a switch', () => {
    for (const name of ['fresh', 'started', 'built', 'validated'])
      expect(decided(SITUATIONS[name] as Picture).plan.patient, name).to.equal(false);
  });

  it('is nothing where nothing is done', () => {
    expect(decided(idle).plan.patient).to.equal(false);
  });
});

/** What is known of a side is read from its twins: whatever waits for pods puts back the twin that would tell of them. */
import { expect } from 'chai';
import type { Color } from '../../../src/api/status.ts';
import type { Snapshot } from '../../../src/release/snapshot.ts';
import { decidedOn } from './decided.ts';
import { committed, idle, observed, r1, r2Verified, returning, switched } from './situations.ts';
import { editServices, MINUTE, NOON, type Picture, SECOND, world } from './world.ts';

/** Somebody deleted the twin of this colour, whose pods are all ready. */
function without(color: Color, picture: Picture): Snapshot {
  const snapshot = world(picture);
  const [service] = snapshot.services;
  if (service === undefined) throw new Error('there is a Service');
  const gone = { ...service.twins[color], found: false, endpoints: [] };
  return editServices(snapshot, { twins: { ...service.twins, [color]: gone } });
}

describe('the twin of a side that somebody deleted', () => {
  const stripped: Picture = { route: undefined };
  for (const [when, color, picture] of [
    ['at rest', 'blue', idle],
    ['in the switch', 'green', switched],
    ['while it is watched', 'green', observed],
    ['on the way back', 'blue', returning],
    ['inside the window', 'green', committed],
  ] as const)
    it(`is put back where the Service lost its key as well, and is left so until then, ${when}`, () => {
      const { reason, effects } = decidedOn(without(color, { ...picture, ...stripped }));
      expect([reason, effects]).to.deep.equal(['SelectorAstray', [`WriteTwin checkout-${color}`]]);
      const { reason: then } = decidedOn(world({ ...picture, ...stripped }));
      expect(then, 'when its pods are told of').to.equal('SelectorRestored');
    });

  const returnWanted = { at: NOON - 10 * SECOND, reason: 'CheckFailed', message: 'too many errors' };
  const bad: Picture = { ...observed, revisions: { r1, r2: { ...r2Verified, returnWanted } } };

  it('is put back where the traffic is to go back to it, which waits for its pods', () => {
    for (const now of [NOON, NOON + 10 * MINUTE]) {
      const { phase, message, effects } = decidedOn(without('blue', { ...bad, now }));
      expect([phase, effects]).to.deep.equal(['RollingBack', ['WriteTwin checkout-blue']]);
      expect(message).to.match(/^too many errors; 0 of 3 blue pods \(revision r1\) are ready to take/);
    }
    const { effects } = decidedOn(world(bad));
    expect(effects, 'when its pods are told of').to.deep.equal(['PatchSelector checkout -> blue']);
  });

  it('is put back together with what an order to go back writes down', () => {
    const { effects } = decidedOn(without('blue', { ...observed, release: { action: 'abort@2' } }));
    expect(effects).to.deep.equal(['RecordFacts r2', 'WriteTwin checkout-blue']);
  });
});

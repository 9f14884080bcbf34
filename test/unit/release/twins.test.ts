/** What is known of a side is read from its twins: whatever waits for pods puts back the twin that would tell of them. */
import { expect } from 'chai';
import type { Color } from '../../../src/api/status.ts';
import { formatTime } from '../../../src/api/time.ts';
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

  it('says nothing against its pods, which are ready: a Service that Git brings back meanwhile goes back to them', () => {
    for (const picture of [switched, observed, committed]) {
      const dark = editServices(without('green', { ...picture, ...stripped }), { endpoints: [] });
      const { reason, effects } = decidedOn(dark);
      expect([reason, effects]).to.deep.equal(['SelectorRestored', ['PatchSelector checkout -> green']]);
    }
  });

  it('says nothing against them either where one of them is not ready yet', () => {
    const dark: Picture = { ...observed, ...stripped, green: { revision: 'r2', desired: 3, ready: 2 } };
    const { reason, effects } = decidedOn(editServices(without('green', dark), { endpoints: [] }));
    expect([reason, effects]).to.deep.equal(['SelectorRestored', ['PatchSelector checkout -> green']]);
  });

  it('says nothing against them where they serve behind another Service', () => {
    const services = ['checkout', 'till'];
    const picture: Picture = {
      ...observed,
      services,
      spec: { traffic: { services: services.map((name) => ({ name })) } },
    };
    const [, till] = editServices(without('green', { ...picture, ...stripped }), { endpoints: [] }).services;
    const whole = world(picture);
    const [checkout] = whole.services;
    if (checkout === undefined || till === undefined) throw new Error('two Services');
    const { reason, effects } = decidedOn({ ...whole, services: [checkout, till] });
    expect([reason, effects]).to.deep.equal(['SelectorRestored', ['PatchSelector till -> green']]);
  });

  it('says nothing against them either while that Service is gone', () => {
    const checks = [{ name: 'availability', state: 'Bad' as const, since: formatTime(NOON - MINUTE) }];
    const gone = without('green', { ...observed, previous: { checks } });
    const { phase, reason, effects, plan } = decidedOn(editServices(gone, { found: false, endpoints: [] }));
    expect([phase, reason, effects]).to.deep.equal(['Observing', 'Observing', []]);
    expect(plan.status.checks?.[0]).to.deep.equal({
      name: 'availability',
      state: 'Unknown',
      message: 'the twin that would tell of green pods is gone, and they say themselves that they are ready',
    });
  });

  it('but where they are not ready either the traffic goes back at once', () => {
    const dead: Picture = { ...observed, ...stripped, green: { revision: 'r2', desired: 3, ready: 0 } };
    const { reason, effects } = decidedOn(editServices(without('green', dead), { endpoints: [] }));
    expect([reason, effects]).to.deep.equal(['NoReadyEndpoints', ['PatchSelector checkout -> blue']]);
  });

  it('and where those that are ready there are of another revision', () => {
    const pods = [{ revision: 'r7', ready: true }, {}, {}];
    const green = { revision: 'r2', desired: 3, ready: 0, pods };
    const snapshot = without('green', { ...observed, ...stripped, green });
    const { reason, effects } = decidedOn(editServices(snapshot, { endpoints: [] }));
    expect([reason, effects]).to.deep.equal(['NoReadyEndpoints', ['PatchSelector checkout -> blue']]);
  });

  it('and where another Service tells that none of them is ready', () => {
    const services = ['checkout', 'till'];
    const spec = { traffic: { services: services.map((name) => ({ name })) } };
    const [hidden] = without('green', { ...observed, ...stripped, spec, services }).services;
    const dead = world({
      ...observed,
      ...stripped,
      spec,
      services,
      green: { revision: 'r2', desired: 3, ready: 0 },
    });
    const [, till] = dead.services;
    if (hidden === undefined || till === undefined) throw new Error('two Services');
    const told = { ...world({ ...observed, spec, services }), services: [hidden, till] };
    expect(decidedOn(editServices(told, { endpoints: [] })).reason).to.equal('NoReadyEndpoints');
  });

  it('and where the Service itself tells that too few of them are: the availability is bad', () => {
    const checks = [{ name: 'availability', state: 'Bad' as const, since: formatTime(NOON - MINUTE) }];
    const dying: Picture = {
      ...observed,
      green: { revision: 'r2', desired: 3, ready: 1 },
      previous: { checks },
    };
    expect(decidedOn(without('green', dying)).reason).to.equal('AvailabilityBreached');
  });
});

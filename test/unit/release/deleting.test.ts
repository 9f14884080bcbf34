import { expect } from 'chai';
import type { ServiceView } from '../../../src/release/snapshot.ts';
import { decided, decidedOn } from './decided.ts';
import { built, committed, idle, observed, returning, SITUATIONS, started } from './situations.ts';
import { editServices, endpointsOf, LABEL, MINUTE, NOON, type Picture, SECOND, world } from './world.ts';

/** A minute after whatever was switched last. */
const LATER = NOON + MINUTE;
/** The source says something else than what serves, so that it cannot take over. */
const deleting = (picture: Picture): Picture => ({
  now: LATER,
  ...picture,
  source: { fingerprint: 'v7', ...(picture.source?.claimedBy && { claimedBy: picture.source.claimedBy }) },
  release: { deleting: true, deletedAt: NOON - MINUTE },
});
const BECAUSE =
  'because Deployment "checkout" says something else than green runs; everything else is removed';
const gone = [
  'RemoveTwin checkout-blue',
  'RemoveTwin checkout-green',
  'ReleaseSource',
  'ReleaseService checkout',
  'RemoveFinalizer',
];

describe('deleting the release of a source that says something else', () => {
  it('keeps what serves and discards the rest', () => {
    const { phase, message, effects } = decided(deleting(committed));
    expect([phase, effects]).to.deep.equal(['Deleting', ['DeleteColor blue', ...gone]]);
    expect(message).to.equal(`green goes on serving, ${BECAUSE}`);
  });

  const table: [string, Picture, string[]][] = [
    ['idle', idle, []],
    ['a release that has just begun', started, []],
    ['a candidate under proof', built, ['DeleteColor green']],
    ['a switch under watch', observed, ['DeleteColor blue']],
    ['a way back', returning, ['DeleteColor green']],
  ];
  for (const [name, picture, discarded] of table) {
    it(`${name}: ${discarded.join() || 'nothing to discard'}`, () => {
      expect(decided(deleting(picture)).effects).to.deep.equal([...discarded, ...gone]);
    });
  }

  for (const [name, picture] of Object.entries(SITUATIONS)) {
    it(`${name}: with all ControllerRevisions gone it does the same`, () => {
      expect(decided(deleting({ ...picture, revisions: {} })).effects).to.deep.equal(
        decided(deleting(picture)).effects,
      );
    });
  }

  it('waits with what lost the traffic until its connections have drained', () => {
    const soon = decided({ ...deleting(observed), now: NOON });
    expect([soon.phase, soon.effects]).to.deep.equal(['Deleting', []]);
    expect(soon.plan.lookAgainAt).to.equal(NOON + 30 * SECOND);
    expect(soon.message).to.equal(
      `green goes on serving, ${BECAUSE}, when connections made before the last switch have drained, at 2026-06-01T12:00:30Z`,
    );
    const { effects } = decided({ ...deleting(observed), now: NOON + 30 * SECOND });
    expect(effects).to.deep.equal(['DeleteColor blue', ...gone]);
  });

  it('waits for endpoints that do not follow a selector that was stripped a moment ago', () => {
    const { route: _, mark: __, ...stripped } = idle;
    const source = { fingerprint: 'v9', replicas: 3 };
    const picture = { ...deleting(stripped), source };
    const { sides } = world(picture);
    const soon = decidedOn(editServices(world(picture), { endpoints: endpointsOf(sides.blue.pods) }));
    expect([soon.message, soon.effects]).to.deep.equal([
      'the source serves: the colours are removed and the source is given back, when the endpoints of Service "checkout" have followed its selector',
      [],
    ]);
    expect(decided(picture).effects).to.deep.equal(['DeleteColor blue', ...gone]);
  });

  it('does not wait for a time that the clock has not reached: it was set back', () => {
    const { effects } = decided({ ...deleting(observed), switchedAt: LATER + MINUTE });
    expect(effects).to.deep.equal(['DeleteColor blue', ...gone]);
  });

  it('discards the autoscaler with the colour', () => {
    const blue = { ...committed.blue, autoscaler: {} };
    const { effects } = decided(deleting({ ...committed, blue }));
    expect(effects.slice(0, 2)).to.deep.equal(['DeleteColor blue', 'RemoveAutoscaler checkout-blue']);
  });

  it('leaves no capacity lock behind', () => {
    const spec = { autoscaling: { spec: { minReplicas: 2, maxReplicas: 9 } } };
    const blue = { ...built.blue, autoscaler: { minReplicas: 7 } };
    expect(decided(deleting({ ...built, spec, blue })).effects[0]).to.equal(
      'WriteAutoscaler blue, minReplicas 2',
    );
  });

  it('in the middle of an adoption the source goes on serving, and the colour ends behind no Service', () => {
    const adopting: Picture = { source: { replicas: 3, paused: true }, blue: { revision: 'r1', ready: 3 } };
    const release = { deleting: true, deletedAt: NOON };
    expect(decided({ ...adopting, release }).effects).to.deep.equal(['HandBack checkout -> source (abc)']);
    const unready = { ...adopting, blue: { revision: 'r1', desired: 3 } };
    expect(decided({ ...unready, release }).effects).to.deep.equal(['DeleteColor blue', ...gone]);
  });

  it('while a selector has lost its key, every colour stays that serves more than the source', () => {
    const stripped = { ...committed, route: undefined, mark: undefined };
    const { message, effects } = decided(deleting(stripped));
    expect(effects).to.deep.equal(gone);
    expect(message).to.equal(
      'blue and green goes on serving; everything else is removed'.replace('goes', 'go'),
    );
  });

  it('but not one that is to have no pods, behind that Service or any other', () => {
    const parked = { ...committed, blue: { revision: 'r1', desired: 0 } };
    const snapshot = world(deleting({ ...parked, services: ['checkout', 'till'] }));
    const keyless = (service: ServiceView): ServiceView =>
      service.name === 'till' ? { ...service, selector: { app: 'checkout' } } : service;
    const { message, effects } = decidedOn({ ...snapshot, services: snapshot.services.map(keyless) });
    expect([message, effects[0]]).to.deep.equal([`green goes on serving, ${BECAUSE}`, 'DeleteColor blue']);
    expect(decided(deleting({ ...parked, route: undefined, mark: undefined })).message).to.equal(
      'green goes on serving; everything else is removed',
    );
  });

  it('while it has lost its key and nothing is ready, what it was last switched to stays, unless the source is to run', () => {
    const dead = { ...committed, route: undefined, blue: { revision: 'r1', desired: 3 } };
    const picture = deleting({ ...dead, green: { revision: 'r2', desired: 3 } });
    const left = ({ effects }: { readonly effects: readonly string[] }) =>
      effects.filter((each) => /Delete/.test(each));
    expect(left(decided(picture))).to.deep.equal(['DeleteColor blue']);
    expect(left(decided({ ...picture, mark: undefined }))).to.deep.equal([
      'DeleteColor blue',
      'DeleteColor green',
    ]);
    const begins = { ...picture, source: { fingerprint: 'v7', replicas: 2, ready: 0 } };
    expect(left(decided(begins))).to.deep.equal(['DeleteColor blue', 'DeleteColor green']);
  });

  it('the same after a crash that came when the twins were removed already', () => {
    const stripped = world(deleting({ ...committed, route: undefined, mark: undefined }));
    const { blue, green } = stripped.sides;
    const none = { found: false, ours: false, matches: false, endpoints: [] };
    const left = {
      twins: { blue: none, green: none },
      endpoints: endpointsOf([...blue.pods, ...green.pods]),
    };
    const { message, effects } = decidedOn(editServices(stripped, left));
    expect(effects).to.deep.equal(['ReleaseSource', 'ReleaseService checkout', 'RemoveFinalizer']);
    expect(message).to.equal('blue and green go on serving; everything else is removed');
  });

  it('while a selector points at nothing, nothing is discarded that could serve', () => {
    const wrong = editServices(world(deleting(committed)), {
      selector: { app: 'checkout', [LABEL]: 'purple' },
      endpoints: [],
    });
    expect(decidedOn(wrong).effects).to.deep.equal(gone);
  });

  it('while a Service cannot be read, everything stays that could serve', () => {
    const { effects } = decided(deleting({ ...committed, service: { found: false, endpoints: [] } }));
    expect(effects).to.deep.equal([
      'RemoveTwin checkout-blue',
      'RemoveTwin checkout-green',
      'ReleaseSource',
      'RemoveFinalizer',
    ]);
  });

  it('nor does a colour whose Deployment is gone go on serving: its last pods end, and the source has its own again', () => {
    const last = { pods: [{ name: 'last', uid: 'last' }] };
    const handed = { ...committed, route: undefined, mark: undefined, blue: {}, green: last };
    const picture = deleting({ ...handed, service: { found: false, endpoints: [] } });
    const { message, plan } = decided(picture);
    expect(message).to.equal('the source serves: the colours are removed and the source is given back');
    expect(plan.effects.find((effect) => effect.kind === 'ReleaseSource')).to.have.property('serves', true);
  });

  it('gives the source its autoscaler back only where no colour goes on serving, whose own it would switch off', () => {
    const given = (picture: Picture) =>
      decided(picture).plan.effects.find((effect) => effect.kind === 'ReleaseSource');
    const gives = { kind: 'ReleaseSource', uid: 'source-uid' };
    expect(given(deleting(committed))).to.deep.equal({ ...gives, serves: false });
    const unready = { ...committed, route: undefined, mark: undefined, blue: {}, green: {} };
    expect(given(deleting(unready))).to.deep.equal({ ...gives, serves: true });
  });

  it('gives the source its autoscaler also where it was given back before, for a colour that serves no more', () => {
    const left = (source: object) => ({
      ...deleting({ ...committed, route: undefined, mark: undefined, blue: {}, green: {} }),
      source: { claimedBy: undefined, storedAutoscaler: true, replicas: 3, ...source },
    });
    const given = (source: object = {}) => decided(left(source)).effects.includes('ReleaseSource');
    expect(given()).to.equal(true);
    expect(given({ storedAutoscaler: false })).to.equal(false);
    expect(given({ replicas: 0 })).to.equal(false);
    expect(given({ claimedBy: 'another' })).to.equal(false);
  });

  it('says in every step that it is deleting, and whether a colour stays', () => {
    const parts = (picture: Picture) => {
      const { phase, reason } = decided(picture);
      return [phase, reason];
    };
    expect(parts(deleting(committed))).to.deep.equal(['Deleting', 'ColorKept']);
    const gone = { ...committed, route: undefined, mark: undefined, blue: {}, green: {} };
    expect(parts(deleting(gone))).to.deep.equal(['Deleting', 'Deleting']);
  });

  it('writes no minimum to an autoscaler that has its own already, or of which the spec says nothing any more', () => {
    const spec = { autoscaling: { spec: { minReplicas: 2, maxReplicas: 9 } } };
    const left = (minReplicas: number, more: Picture) => {
      const green = { ...committed.green, autoscaler: { minReplicas } };
      return decided(deleting({ ...committed, green, ...more })).effects.filter((each) =>
        each.startsWith('WriteAutoscaler'),
      );
    };
    expect(left(7, { spec })).to.deep.equal(['WriteAutoscaler green, minReplicas 2']);
    expect(left(2, { spec })).to.deep.equal([]);
    expect(left(7, {})).to.deep.equal([]);
  });

  it('without a source what serves stays, and what nobody needs goes', () => {
    const without = (picture: Picture) => {
      const { message, effects } = decided({ ...deleting(picture), source: null });
      return [message, effects.filter((each) => /Color|Source/.test(each))];
    };
    const free = { ...committed, route: undefined };
    expect(without(free)).to.deep.equal([
      'blue and green go on serving, because the source Deployment is gone; everything else is removed',
      [],
    ]);
    const dead = { desired: 3, ready: 0 };
    expect(
      without({ ...free, blue: { revision: 'r1', ...dead }, green: { revision: 'r2', ...dead } }),
    ).to.deep.equal([
      'green goes on serving, because the source Deployment is gone; everything else is removed',
      ['DeleteColor blue'],
    ]);
    const nothing = { ...free, blue: {}, green: {} };
    expect(without(nothing)).to.deep.equal(['no Service leads to a colour: all of them are removed', []]);
  });

  it('without the finalizer there is nothing left to do', () => {
    expect(decided({ ...committed, release: { deleting: true, hasFinalizer: false } }).effects).to.deep.equal(
      [],
    );
  });

  it('does not touch what belongs to others', () => {
    const strange = { found: true, ours: false, matches: true, endpoints: [] };
    const { effects } = decided(
      deleting({
        ...committed,
        source: { claimedBy: 'another' },
        service: { claimedBy: 'another-uid', twins: { blue: strange, green: strange } },
        blue: { ...committed.blue, deployment: { ours: false } },
      }),
    );
    expect(effects).to.deep.equal(['RemoveFinalizer']);
  });
});

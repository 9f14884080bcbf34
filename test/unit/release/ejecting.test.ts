/** A release is deleted, and the source Deployment says what serves: it takes production back, step by step. */
import { expect } from 'chai';
import type { Color } from '../../../src/api/status.ts';
import type { ServiceView, Snapshot, SourceView } from '../../../src/release/snapshot.ts';
import { type Decided, decided, decidedOn, effectOf } from './decided.ts';
import { committed, idle } from './situations.ts';
import {
  endpointsOf,
  HOUR,
  LABEL,
  MINUTE,
  NOON,
  type Picture,
  SECOND,
  type SidePicture,
  world,
} from './world.ts';

const GONE: SidePicture = {};
const three = ['a', 'b', 'c'].map((name) => ({ uid: `source-${name}`, ready: true }));
const bluePods = ['0', '1', '2'].map((name) => ({ uid: `blue-pod-${name}`, ready: true }));

/** r1 serves on blue, its window is over, green holds nothing; somebody has deleted the release. */
const deleted: Picture = { ...idle, now: NOON, release: { deleting: true, deletedAt: NOON - SECOND } };
const sourceHas = (source: Partial<SourceView>): Picture => ({ ...deleted, source });
const READY: Partial<SourceView> = { replicas: 3, ready: 3, paused: true, readyHash: 'abc' };
const serviceHas = (service: Partial<ServiceView>): Picture => ({ ...sourceHas(READY), service });

/** The selectors name the source's pods since `ago` milliseconds. */
const handed = (ago: number, more: Picture = {}): Picture => ({
  ...sourceHas(READY),
  mark: undefined,
  service: {
    selector: { app: 'checkout', 'pod-template-hash': 'abc' },
    switchedAt: NOON - ago,
    endpoints: endpointsOf(three),
  },
  ...more,
});

const said = ({ reason, message, effects }: Decided): unknown => ({ reason, message, effects });

describe('a release is deleted whose source says what serves', () => {
  it('first the other colour makes room, when it has drained', () => {
    const other: Picture = {
      ...deleted,
      switchedAt: NOON - 10 * SECOND,
      green: { revision: 'r2', ready: 3, autoscaler: {} },
    };
    expect(said(decided(other))).to.deep.equal({
      reason: 'Draining',
      message:
        'blue serves until Deployment "checkout" takes over; green is removed when it has drained, at 2026-06-01T12:00:25Z',
      effects: [],
    });
    expect(said(decided({ ...other, switchedAt: NOON - 35 * SECOND }))).to.deep.equal({
      reason: 'RemovingColor',
      message: 'blue serves until Deployment "checkout" takes over; green is removed',
      effects: ['DeleteColor green', 'RemoveAutoscaler checkout-green'],
    });
  });

  it('the source gets as many pods as serve', () => {
    expect(said(decided(deleted))).to.deep.equal({
      reason: 'StartingSource',
      message: 'Deployment "checkout" gets 3 pods, to take over from blue',
      effects: ['ScaleSource 0 -> 3'],
    });
  });

  it('as many as serve now, where an autoscaler adds some meanwhile', () => {
    const grown = { ...sourceHas({ ...READY, paused: false }), blue: { revision: 'r1', ready: 5 } };
    expect(decided(grown).effects).to.deep.equal(['ScaleSource 3 -> 5']);
  });

  it('nothing moves before its pods are ready, all of one template', () => {
    const waiting = decided(sourceHas({ replicas: 3, ready: 2 }));
    expect(said(waiting)).to.deep.equal({
      reason: 'WaitingForSource',
      message:
        'blue serves until 3 pods of Deployment "checkout" are ready (2 are), until 2026-06-01T12:10:29Z',
      effects: [],
    });
    expect(waiting.plan.lookAgainAt).to.equal(NOON - SECOND + 630 * SECOND);
    expect(decided(sourceHas({ replicas: 3, rolledOut: false })).reason).to.equal('WaitingForSource');
    expect(decided(sourceHas({ replicas: 3, readyHash: undefined })).reason).to.equal('WaitingForSource');
  });

  it('it is paused, so that it makes no pods of another template, and then gets the traffic', () => {
    expect(said(decided(sourceHas({ replicas: 3 })))).to.deep.equal({
      reason: 'HoldingSource',
      message: 'Deployment "checkout" is ready to take over: pausing it for the switch',
      effects: ['HoldSource'],
    });
    const result = decided(sourceHas(READY));
    const message = 'Deployment "checkout" has 3 ready pods: moving the traffic from blue to it';
    expect(said(result)).to.deep.equal({
      reason: 'Ejecting',
      message,
      effects: ['HandBack checkout -> source (abc)'],
    });
    expect(effectOf(result, 'HandBack').reason).to.equal(`Ejected: ${message}`);
  });

  it('as many of its pods as are ready of the colour, where production itself is ill', () => {
    const ill = { ...sourceHas({ ...READY, ready: 1 }), blue: { revision: 'r1', desired: 3, ready: 1 } };
    expect(decided(ill).reason).to.equal('Ejecting');
  });

  it('a pause that its controller has yet to see is waited for, not undone', () => {
    const seen = decided(sourceHas({ ...READY, rolledOut: undefined }));
    expect([seen.reason, seen.effects]).to.deep.equal(['WaitingForSource', []]);
    const mixed = decided(sourceHas({ ...READY, rolledOut: false }));
    expect(mixed.effects).to.deep.equal(['ScaleSource 3 -> 3']);
  });

  it('what another process had put back to a colour meanwhile is moved again: it names both, and selects nothing', () => {
    const selector = { app: 'checkout', 'pod-template-hash': 'abc', [LABEL]: 'blue' };
    const result = decided(serviceHas({ selector }));
    expect(result.effects).to.deep.equal(['HandBack checkout -> source (abc)']);
    expect(effectOf(result, 'HandBack').from).to.deep.equal(selector);
  });

  it('of several Services those that a crash left behind follow', () => {
    const { plan, snapshot } = decided({ ...sourceHas(READY), services: ['checkout', 'checkout-grpc'] });
    const [first, second] = plan.effects;
    expect([first?.kind, second?.kind]).to.deep.equal(['HandBack', 'HandBack']);
    const [, service] = snapshot.services;
    expect(second).to.deep.include({ from: service?.selector, expectedMark: service?.rawMark });
  });

  it('the colour stays until the endpoints prove it and its connections have drained', () => {
    const behind = handed(HOUR);
    const both = {
      ...behind,
      service: { ...behind.service, endpoints: endpointsOf([...three, ...bluePods]) },
    };
    expect(said(decided(both))).to.deep.equal({
      reason: 'WaitingForEndpoints',
      message:
        'waiting until the endpoints of Service "checkout" are pods of Deployment "checkout" only, until 2026-06-01T12:10:29Z',
      effects: [],
    });
    const draining = decided(handed(10 * SECOND));
    expect(draining.message).to.equal(
      'Deployment "checkout" serves; the colours are removed when they have drained, at 2026-06-01T12:00:25Z',
    );
    expect([draining.effects, draining.plan.lookAgainAt]).to.deep.equal([[], NOON + 25 * SECOND]);
    expect(draining.reason).to.equal('Draining');
    expect(said(decided(handed(35 * SECOND)))).to.deep.equal({
      reason: 'RemovingColors',
      message: 'Deployment "checkout" serves and the colours have drained: removing them',
      effects: ['DeleteColor blue'],
    });
  });

  it('what a crash left of a colour goes too: its Deployment is deleted before its autoscaler', () => {
    expect(decided(handed(MINUTE, { blue: { autoscaler: {} } })).effects).to.deep.equal([
      'RemoveAutoscaler checkout-blue',
    ]);
  });

  it('the selector lets go of the hash when no pod of a colour is left, and all is given back', () => {
    const ending = decided(handed(MINUTE, { blue: { pods: [{ ready: false }] } }));
    expect(said(ending)).to.deep.equal({
      reason: 'WaitingForPods',
      message: 'Deployment "checkout" serves; 1 pods of the colours are still to end',
      effects: [],
    });
    const alone = decided(handed(MINUTE, { blue: GONE }));
    const message =
      'Deployment "checkout" serves alone: its Services select what they did before the adoption';
    expect(said(alone)).to.deep.equal({
      reason: 'Ejected',
      message,
      effects: ['HandBack checkout -> as before the adoption'],
    });
    expect(effectOf(alone, 'HandBack').reason).to.equal(`Ejected: ${message}`);
    const open = { ...sourceHas(READY), route: undefined, mark: undefined, blue: GONE };
    expect(decided(open).effects).to.deep.equal([
      'RemoveTwin checkout-blue',
      'RemoveTwin checkout-green',
      'ReleaseSource',
      'ReleaseService checkout',
      'RemoveFinalizer',
    ]);
  });

  it('a Service that Git replaced meanwhile has lost our claim, and loses what tells of the switch all the same', () => {
    const open: Picture = { ...sourceHas(READY), route: undefined, mark: undefined, blue: GONE };
    const given = (claimedBy: string | undefined, switchedAt: number | undefined) =>
      decided({ ...open, service: { claimedBy, switchedAt } }).effects.includes('ReleaseService checkout');
    expect(given(undefined, NOON - MINUTE)).to.equal(true);
    expect(given(undefined, undefined)).to.equal(false);
    expect(given('another-uid', NOON - MINUTE)).to.equal(false);
  });

  it('a source that dies under the traffic lets the colour serve again', () => {
    const dead = handed(SECOND, { source: { ...READY, ready: 0, readyHash: undefined } });
    const result = decided({ ...dead, service: { ...dead.service, endpoints: [] } });
    const message = 'no pod of Deployment "checkout" is ready: the colours serve again';
    expect(said(result)).to.deep.equal({
      reason: 'EjectionUndone',
      message,
      effects: ['HandBack checkout -> as before the adoption'],
    });
    expect(effectOf(result, 'HandBack').reason).to.equal(`EjectionUndone: ${message}`);
  });

  describe('and the pods of a source that is no more, ready until they have ended,', () => {
    const ended = (picture: Picture) => handed(HOUR, { source: { ...READY, ready: 0 }, ...picture });

    it('take no colour away', () => {
      const { reason, message, effects, plan } = decided(ended({}));
      expect([reason, message, effects]).to.deep.equal([
        'WaitingForSource',
        'the colours stay: Deployment "checkout" counts no ready pod, though some are behind its Services until they have ended; waiting until 2026-06-01T12:10:29Z',
        [],
      ]);
      expect(plan.lookAgainAt).to.equal(NOON + 629 * SECOND);
      expect(decided(ended({ source: null })).reason).to.equal('WaitingForSource');
    });

    it('keep nobody waiting for longer than a source may take to become ready', () => {
      const release = { deleting: true, deletedAt: NOON - 630 * SECOND };
      expect(decided(ended({ release })).reason).to.equal('EjectionUndone');
    });
  });

  it('endpoints that do not follow in time let the colour serve again', () => {
    const release = { deleting: true, deletedAt: NOON - 630 * SECOND };
    const late = handed(MINUTE, { release });
    expect(said(decided({ ...late, service: { ...late.service, endpoints: [] } }))).to.deep.equal({
      reason: 'EjectionUndone',
      message:
        'the endpoints did not follow to Deployment "checkout" by 2026-06-01T12:00:00Z: the colours serve again',
      effects: ['HandBack checkout -> as before the adoption'],
    });
  });

  const stillThere: [string, { ready: boolean; serving: boolean }][] = [
    ['is ready', { ready: true, serving: false }],
    ['is not ready and serves on', { ready: false, serving: true }],
  ];
  for (const [what, state] of stillThere) {
    it(`a pod of the colour that ${what} is waited for`, () => {
      const picture = handed(HOUR);
      const endpoints = [...endpointsOf(three), { podUid: 'blue-pod-0', ...state, group: 'IPv4/http' }];
      const { reason } = decided({ ...picture, service: { ...picture.service, endpoints } });
      expect(reason).to.equal('WaitingForEndpoints');
    });
  }

  it('a preview of the release is let go first, one of somebody else is left', () => {
    const preview = (name: string, claimedBy: string) => ({ ...world(idle).services[0], name, claimedBy });
    const previews = [preview('shown', 'uid-1'), preview('other', 'uid-9')] as never;
    const { reason, message, plan } = decided({ ...sourceHas(READY), previews });
    expect([reason, message]).to.deep.equal(['ReleasingPreviews', 'the preview Services show whatever runs']);
    expect(plan.effects).to.have.lengthOf(1);
    expect(plan.effects[0]).to.deep.include({ service: 'shown' });
  });

  it('without the key, as another writer left it, the colours are taken out before they end', () => {
    const stripped = { ...sourceHas(READY), route: undefined, mark: undefined };
    expect(decided(stripped).effects).to.deep.equal(['HandBack checkout -> source (abc)']);
  });

  it('in the middle of a rollout of the source both end behind the Service: no hash selects all of its pods', () => {
    const rolling = { ...sourceHas({ ...READY, readyHash: undefined }), route: undefined, mark: undefined };
    expect(decided(rolling).effects.slice(0, 1)).to.deep.equal(['DeleteColor blue']);
  });

  it('a source that Git replaced meanwhile carries no label of ours, and takes over all the same', () => {
    expect(decided(sourceHas({ ...READY, claimedBy: undefined })).reason).to.equal('Ejecting');
  });

  it('in the middle of its adoption the source serves, and takes over whatever people wish for by now', () => {
    const adopting = { ...sourceHas({ ...READY, fingerprint: 'v7' }), route: undefined, mark: undefined };
    expect(decided(adopting).effects).to.deep.equal(['HandBack checkout -> source (abc)']);
  });

  it('a source that has no ready pod yet is waited for, without the key as well', () => {
    const begins = { ...READY, ready: 0, readyHash: undefined };
    expect(decided({ ...sourceHas(begins), route: undefined, mark: undefined }).reason).to.equal(
      'WaitingForSource',
    );
  });

  it('a Service of an older spec keeps nothing that selects no colour, nor does a twin', () => {
    const left = (leftover: object) => {
      const old = { ...world(idle).services[0], name: 'old', twinOf: undefined, ...leftover } as never;
      return decided({ ...sourceHas(READY), leftovers: [old] }).reason;
    };
    expect(left({ selector: { app: 'checkout' } })).to.equal('Ejecting');
    expect(left({ twinOf: { service: 'old', color: 'blue' } })).to.equal('Ejecting');
  });

  it('endpoints of the colour that neither are ready nor serve are not waited for', () => {
    const picture = handed(MINUTE);
    const ended = { podUid: 'blue-pod-0', ready: false, serving: false, group: 'IPv4/http' };
    const endpoints = [...endpointsOf(three), ended];
    const { effects } = decided({ ...picture, service: { ...picture.service, endpoints } });
    expect(effects).to.deep.equal(['DeleteColor blue']);
  });

  it('a source that is deleted under the traffic lets the colour serve again', () => {
    const gone = handed(SECOND, { source: null });
    expect(said(decided({ ...gone, service: { ...gone.service, endpoints: [] } }))).to.deep.equal({
      reason: 'EjectionUndone',
      message: 'no pod of Deployment "checkout" is ready: the colours serve again',
      effects: ['HandBack checkout -> as before the adoption'],
    });
  });

  describe('where one of two Services has no key', () => {
    const keyless = (picture: Picture, change: Partial<ServiceView> = {}): Snapshot => {
      const snapshot = world({ ...picture, services: ['checkout', 'checkout-grpc'] });
      const [first, second] = snapshot.services as [ServiceView, ServiceView];
      const { endpoints } = world({ ...picture, route: undefined }).services[0] as ServiceView;
      const free = { selector: { app: 'checkout' }, endpoints, ...change };
      return { ...snapshot, services: [first, { ...second, ...free }] };
    };

    it('the source gets all the pods that the other one needs, and is waited for', () => {
      const short = decidedOn(keyless(sourceHas({ ...READY, replicas: 2, ready: 2 })));
      expect([short.reason, short.effects]).to.deep.equal(['StartingSource', ['ScaleSource 2 -> 3']]);
      const seen = decidedOn(keyless(sourceHas({ ...READY, rolledOut: undefined })));
      expect([seen.reason, seen.effects]).to.deep.equal(['WaitingForSource', []]);
      const rolling = decidedOn(keyless(sourceHas({ ...READY, readyHash: undefined })));
      expect([rolling.reason, rolling.effects]).to.deep.equal(['WaitingForSource', []]);
    });

    it('or both, and a twin of one is gone: the colour that the other knows is left', () => {
      const none = { found: false, ours: false, matches: false, endpoints: [] };
      const free = { ...sourceHas(READY), route: undefined, mark: undefined };
      const { effects } = decidedOn(keyless(free, { twins: { blue: none, green: none } }));
      expect(effects).to.deep.equal([
        'HandBack checkout -> source (abc)',
        'HandBack checkout-grpc -> source (abc)',
      ]);
    });
  });
});

describe('a release is deleted and the source cannot take over', () => {
  const past = { deleting: true, deletedAt: NOON - HOUR };
  const table: [string, Picture, string][] = [
    [
      'it says something else',
      sourceHas({ fingerprint: 'v7' }),
      'Deployment "checkout" says something else than blue runs',
    ],
    ['it is gone', { ...deleted, source: null }, 'the source Deployment is gone'],
    [
      'another release has it',
      sourceHas({ claimedBy: 'another' }),
      'Deployment "checkout" belongs to release "another"',
    ],
    [
      'a Service that was taken out of the spec selects a colour still',
      {
        ...sourceHas(READY),
        leftovers: [{ ...world(idle).services[0], name: 'old', twinOf: undefined } as never],
      },
      'Service "old", which the spec no longer names, selects a colour',
    ],
    [
      'its pods would not be selected',
      serviceHas({ selector: { app: 'shop', [LABEL]: 'blue' } }),
      'Service "checkout" would not select the pods of Deployment "checkout"',
    ],
    [
      'it is not ready in time',
      { ...sourceHas({ replicas: 3, ready: 0 }), release: past },
      'Deployment "checkout" was not ready to take over by 2026-06-01T11:10:30Z',
    ],
  ];
  for (const [name, picture, why] of table) {
    it(`${name}: the colour goes on serving, and it is said why`, () => {
      const { reason, message, effects } = decided(picture);
      expect(reason).to.equal('ColorKept');
      expect(message).to.equal(`blue goes on serving, because ${why}; everything else is removed`);
      expect(effects).to.not.include('DeleteColor blue');
      expect(effects.at(-1)).to.equal('RemoveFinalizer');
    });
  }

  describe('in the middle of an ejection', () => {
    /** The first Service names the source's pods, the second one a colour. */
    const apart = (picture: Picture, color: Color): Snapshot => {
      const snapshot = world({ ...picture, services: ['checkout', 'checkout-grpc'] });
      const [first, second] = snapshot.services as [ServiceView, ServiceView];
      return {
        ...snapshot,
        services: [first, { ...second, selector: { app: 'checkout', [LABEL]: color } }],
      };
    };
    const FREED = 'HandBack checkout -> as before the adoption';
    const changed = handed(MINUTE, { source: { ...READY, fingerprint: 'v7' } });

    it('no Service goes on naming pods by their hash: the next rollout of the source would leave it without any', () => {
      expect(said(decidedOn(apart(changed, 'blue')))).to.deep.equal({
        reason: 'ColorKept',
        message:
          'blue goes on serving, because Deployment "checkout" says something else than blue runs; everything else is removed',
        effects: [FREED],
      });
    });

    it('what is removed ends before, out of its sight', () => {
      const green: SidePicture = { revision: 'r2', ready: 0 };
      expect(decidedOn(apart({ ...changed, green }, 'blue')).effects).to.deep.equal(['DeleteColor green']);
      const blue: SidePicture = { revision: 'r1', ready: 2 };
      const ending: Picture = { ...changed, blue, green: { pods: [{ ready: true }] } };
      const waiting = decidedOn(apart(ending, 'blue'));
      expect(waiting.message).to.match(/; 1 ready pods are still to end$/);
      expect(waiting.effects).to.deep.equal([]);
      const ended = decidedOn(apart({ ...ending, green: { pods: [{ ready: false }] } }, 'blue'));
      expect(ended.effects).to.deep.equal([FREED]);
      expect(effectOf(ended, 'HandBack').reason).to.equal(`Left: ${ended.message}`);
    });

    it('a Service that another writer pointed to a colour that is gone follows the others', () => {
      expect(decidedOn(apart(handed(MINUTE), 'green')).effects).to.deep.equal([
        'HandBack checkout-grpc -> source (abc)',
      ]);
      const alone = { ...changed, blue: GONE };
      expect(decidedOn(apart(alone, 'green')).effects).to.deep.equal([FREED]);
    });

    it('nothing moves where the Services name both colours, or something else: nobody can tell what is left', () => {
      const other = (color: string, green: SidePicture) =>
        decidedOn(apart({ ...sourceHas(READY), green }, color as Color)).effects;
      const hasMoved = (effects: readonly string[]) => effects.some((each) => /source \(abc\)/.test(each));
      expect(hasMoved(other('green', { revision: 'r2', ready: 3 })), 'both serve').to.equal(false);
      expect(hasMoved(other('green', { revision: 'r2', desired: 0 })), 'it has no pod').to.equal(false);
      expect(hasMoved(other('green', { pods: [{ ready: true }] })), 'its last pods').to.equal(false);
      expect(hasMoved(other('purple', GONE)), 'another key').to.equal(false);
      expect(hasMoved(other('green', GONE)), 'nothing of it is left').to.equal(true);
    });

    it('a colour whose Deployment is gone has nothing that the source could be compared with', () => {
      const last: SidePicture = { pods: [{ ready: true }] };
      const { reason, message, effects } = decided({ ...sourceHas(READY), blue: last });
      expect([reason, message, effects.at(-1)]).to.deep.equal([
        'Deleting',
        'the source serves: the colours are removed and the source is given back',
        'RemoveFinalizer',
      ]);
    });
  });

  it('it has the time that it is given, and not a moment longer', () => {
    const release = { deleting: true, deletedAt: NOON - 630 * SECOND };
    expect(decided({ ...sourceHas({ replicas: 3, ready: 0 }), release }).reason).to.equal('ColorKept');
  });

  it('with bluegreen.dev/on-delete both colours stay as they are, without the capacity locks', () => {
    const spec = { autoscaling: { spec: { minReplicas: 2, maxReplicas: 9 } } };
    const green: SidePicture = { revision: 'r2', ready: 3, autoscaler: { minReplicas: 7 } };
    const release = { deleting: true, onDelete: 'Keep' };
    const { phase, reason, message, effects } = decided({ ...committed, spec, green, release });
    expect([phase, reason, message]).to.deep.equal([
      'Deleting',
      'Kept',
      'bluegreen.dev/on-delete is "Keep": the colours stay as they are',
    ]);
    expect(effects).to.deep.equal([
      'WriteAutoscaler green, minReplicas 2',
      'ReleaseSource',
      'ReleaseService checkout',
      'RemoveFinalizer',
    ]);
  });

  it('and so they do where one of two Services has lost its key', () => {
    const release = { deleting: true, onDelete: 'Keep' };
    const two = world({ ...sourceHas(READY), release, services: ['checkout', 'checkout-grpc'] });
    const [first, second] = two.services as [ServiceView, ServiceView];
    const services = [first, { ...second, selector: { app: 'checkout' } }];
    expect(decidedOn({ ...two, services }).reason).to.equal('Kept');
  });

  it('with the whole namespace nothing is touched', () => {
    const release = { deleting: true, namespaceEnding: true };
    expect(decided({ ...committed, release }).phase).to.equal('Deleting');
    expect(said(decided({ ...committed, release }))).to.deep.equal({
      reason: 'LeftAsItIs',
      message: 'the namespace is being deleted: everything is left as it is',
      effects: ['RemoveFinalizer'],
    });
  });
});

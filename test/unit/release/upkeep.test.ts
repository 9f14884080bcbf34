import { expect } from 'chai';
import { describe as inWords } from '../../../src/release/describe.ts';
import type { Effect } from '../../../src/release/plan.ts';
import { type Roles, rolesOf } from '../../../src/release/roles.ts';
import type { Snapshot } from '../../../src/release/snapshot.ts';
import {
  autoscalers,
  claims,
  dismiss,
  holdActive,
  letGo,
  parkingDue,
  removeTwins,
  returnServices,
  twins,
  upkeep,
} from '../../../src/release/upkeep.ts';
import { type ExternalPicture, external, onBlue } from './external.ts';
import {
  BACK_1,
  built,
  committed,
  FORWARD_1,
  fresh,
  idle,
  observed,
  r1,
  r2Verified,
  returning,
  started,
  switched,
  validated,
} from './situations.ts';
import { HOUR, LABEL, MINUTE, NOON, type Picture, SECOND, UID, world } from './world.ts';

type Asked = (snapshot: Snapshot, roles: Roles) => Effect[];
const done = (picture: Picture, ask: Asked): string[] => {
  const snapshot = world(picture);
  return ask(snapshot, rolesOf(snapshot)).map(inWords);
};
const hpa = { autoscaling: { spec: { minReplicas: 2, maxReplicas: 9 } } };
const refusedAt = (at: number): Picture => ({
  observations: { refusals: { checkout: { at, message: 'no', final: true } } },
});

describe('the side with the traffic', () => {
  const zero = { revision: 'r1', desired: 0, ready: 0 };
  const { verifiedReady: _, ...uncounted } = r1;

  for (const [what, picture, effects] of [
    ['is left as it stands', idle, []],
    ['is left with as many as somebody gave it', { ...idle, blue: { revision: 'r1', ready: 7 } }, []],
    ['comes back with what it had at the switch', { ...idle, blue: zero }, ['ScaleColor blue 0 -> 3']],
    [
      'comes back with spec.replicas, where people say so',
      { ...idle, blue: zero, spec: { replicas: 5 } },
      ['ScaleColor blue 0 -> 5'],
    ],
    [
      'comes back with one pod at least',
      { ...idle, blue: zero, revisions: { r1: { ...r1, verifiedReady: 0 } } },
      ['ScaleColor blue 0 -> 1'],
    ],
    [
      'comes back with the minimum of its autoscaler, where nobody noted what it had',
      { ...idle, blue: zero, spec: hpa, revisions: { r1: uncounted } },
      ['ScaleColor blue 0 -> 2'],
    ],
    [
      'comes back with one pod, where nobody knows more',
      { ...idle, blue: zero, revisions: { r1: uncounted } },
      ['ScaleColor blue 0 -> 1'],
    ],
    ['is written again where somebody deleted it', { ...idle, blue: {} }, ['WriteColor blue r1, 3 replicas']],
    ['shrinks to spec.replicas at rest', { ...idle, spec: { replicas: 2 } }, ['ScaleColor blue 3 -> 2']],
    ['has spec.replicas', { ...idle, spec: { replicas: 3 } }, []],
    ['does not shrink while a release is under way', { ...built, spec: { replicas: 2 } }, []],
    [
      'grows to spec.replicas while a release is under way',
      { ...built, spec: { replicas: 5 } },
      ['ScaleColor blue 3 -> 5'],
    ],
    ['is none before the first release', fresh, []],
  ] as readonly (readonly [string, Picture, readonly string[]])[])
    it(what, () => expect(done(picture, holdActive)).to.deep.equal(effects));
});

describe('our labels and twins', () => {
  const [service] = world(idle).services;
  if (service === undefined) throw new Error('there is a Service');
  const green = (change: object): Picture['service'] & object => ({
    twins: { ...service.twins, green: { ...service.twins.green, ...change } },
  });

  for (const [what, change, effects] of [
    ['are left where they stand', {}, []],
    ['are written where the claim was taken away', { claimedBy: undefined }, ['ClaimService checkout']],
    ['are written where a label was taken away', { labelled: false }, ['ClaimService checkout']],
    ['are nothing that a Service could get which is gone', { found: false, labelled: false }, []],
    ['are written where a twin is gone', green({ found: false }), ['WriteTwin checkout-green']],
    ['are written where a twin was edited', green({ matches: false }), ['WriteTwin checkout-green']],
    ['never replace what a stranger has under that name', green({ ours: false, matches: false }), []],
    ['are no twins of a Service that is gone', { found: false, ...green({ found: false }) }, []],
  ] as readonly (readonly [string, Picture['service'] & object, readonly string[]])[])
    it(what, () => {
      const ask: Asked = (snapshot) => [...claims(snapshot), ...twins(snapshot)];
      expect(done({ ...idle, service: change }, ask)).to.deep.equal(effects);
      const refused = (at: number): Picture => ({ ...idle, ...refusedAt(at), service: change });
      expect(done(refused(NOON - 15 * SECOND + 1), ask), 'refused a moment ago').to.deep.equal([]);
      expect(done(refused(NOON - 15 * SECOND), ask), 'refused a while ago').to.deep.equal(effects);
    });

  it('go from what a release leaves, as far as they are ours', () => {
    const ask: Asked = (snapshot) => removeTwins(snapshot);
    const left = (change: object): string[] => done({ ...idle, service: change }, ask);
    expect(left({})).to.deep.equal(['RemoveTwin checkout-blue', 'RemoveTwin checkout-green']);
    expect(left(green({ ours: false }))).to.deep.equal(['RemoveTwin checkout-blue']);
    expect(left(green({ found: false }))).to.deep.equal(['RemoveTwin checkout-blue']);
    // Where their Service is gone nobody else would remove them.
    expect(left({ found: false })).to.deep.equal(left({}));
  });
});

describe('a Service that is let go', () => {
  const of = (selector: Readonly<Record<string, string>>, kept: readonly ('blue' | 'green')[]): unknown => {
    const effect = letGo(
      world(idle),
      { name: 'till', uid: 'till-uid', resourceVersion: '1', selector },
      kept,
    );
    return effect.kind === 'ReleaseService' ? effect.color : effect;
  };

  it('is told apart by its uid, and gets no colour that it does not need', () => {
    const till = { name: 'till', uid: 'till-uid', resourceVersion: '1', selector: {} };
    expect(letGo(world(idle), till, ['blue'])).to.deep.equal({
      kind: 'ReleaseService',
      service: 'till',
      uid: 'till-uid',
      resourceVersion: '1',
    });
  });

  it('keeps the key of a side that goes on serving', () => {
    expect(of({ [LABEL]: 'blue' }, ['blue'])).to.equal(undefined);
    expect(of({ [LABEL]: 'green' }, ['blue', 'green'])).to.equal(undefined);
    expect(of({ app: 'checkout' }, ['blue'])).to.equal(undefined);
  });

  it('is put to a side that does, or loses its key where none does', () => {
    expect(of({ [LABEL]: 'green' }, ['blue'])).to.equal('blue');
    expect(of({ [LABEL]: 'green' }, [])).to.equal('None');
  });

  it('is one that was claimed or tells of a switch, and is there', () => {
    const ask: Asked = (snapshot) => returnServices(snapshot, ['blue']);
    expect(done(idle, ask)).to.deep.equal(['ReleaseService checkout']);
    expect(done({ ...idle, service: { claimedBy: 'another' } }, ask)).to.deep.equal([]);
    expect(done({ ...idle, service: { claimedBy: undefined } }, ask)).to.deep.equal([
      'ReleaseService checkout',
    ]);
    const untold = { claimedBy: undefined, switchedAt: undefined };
    expect(done({ ...idle, service: untold }, ask)).to.deep.equal([]);
    expect(done({ ...idle, service: { found: false } }, ask)).to.deep.equal([]);
  });

  it('is let go again 15 seconds after that was refused', () => {
    const till = { name: 'checkout', uid: 'u', resourceVersion: '1', selector: {}, twinOf: undefined };
    const ask: Asked = (snapshot) => dismiss(snapshot, ['blue']);
    const refused = (at: number): Picture => ({ ...idle, ...refusedAt(at), leftovers: [till] });
    expect(done(refused(NOON - 15 * SECOND + 1), ask)).to.deep.equal([]);
    expect(done(refused(NOON - 15 * SECOND), ask)).to.deep.equal(['ReleaseService checkout']);
    expect(
      done({ ...fresh, leftovers: [till] }, (snapshot, roles) => upkeep(snapshot, roles)),
    ).to.not.include('ReleaseService checkout');
  });
});

describe('the autoscaler of a side', () => {
  const scaled = (picture: Picture): string[] => done({ spec: hpa, ...picture }, autoscalers);
  const adopting = { color: 'blue' as const, attempt: 1, startedAt: NOON, adoption: true };
  const side = (revision: string, ready: number, minReplicas?: number, more: object = {}) => ({
    revision,
    ready,
    ...(minReplicas !== undefined && { autoscaler: { minReplicas, maxReplicas: 9, ...more } }),
  });

  for (const [what, picture, effects] of [
    [
      'is written where a side has none',
      { ...idle, blue: side('r1', 3) },
      ['WriteAutoscaler blue, minReplicas 2'],
    ],
    ['is left as it should be', { ...idle, blue: side('r1', 3, 2) }, []],
    [
      'is written where somebody edited it',
      { ...idle, blue: side('r1', 3, 2, { matches: false }) },
      ['WriteAutoscaler blue, minReplicas 2'],
    ],
    ['is left alone where it is somebody else’s', { ...idle, blue: side('r1', 3, 5, { ours: false }) }, []],
    ['is none of a side that is not there', { ...idle, blue: {} }, []],
    [
      'is removed where none is asked for any more',
      { ...idle, spec: {}, blue: side('r1', 3, 2) },
      ['RemoveAutoscaler checkout-blue'],
    ],
    ['is none where none is asked for', { ...idle, spec: {} }, []],
    [
      'is left alone where none is asked for and it is somebody else’s',
      { ...idle, spec: {}, blue: side('r1', 3, 2, { ours: false }) },
      [],
    ],
    [
      'keeps what a candidate has to have',
      { ...built, blue: side('r1', 4, 2), green: side('r2', 4, 2) },
      ['WriteAutoscaler green, minReplicas 4'],
    ],
    [
      'lets production scale in while its candidate is prepared',
      { ...built, blue: side('r1', 4, 4), green: side('r2', 4, 4) },
      ['WriteAutoscaler blue, minReplicas 2'],
    ],
    [
      'keeps production from the last gate on',
      { ...validated, blue: side('r1', 4, 2), green: side('r2', 4, 4) },
      ['WriteAutoscaler blue, minReplicas 4'],
    ],
    [
      'keeps both sides in the switch',
      { ...switched, blue: side('r1', 4, 2), green: side('r2', 4, 2) },
      ['WriteAutoscaler blue, minReplicas 4', 'WriteAutoscaler green, minReplicas 4'],
    ],
    [
      'keeps the new side for a minute after the proof',
      {
        ...observed,
        now: (r2Verified.verifiedAt ?? 0) + MINUTE - 1,
        blue: side('r1', 4, 4),
        green: side('r2', 4, 2),
      },
      ['WriteAutoscaler green, minReplicas 4'],
    ],
    [
      'lets the new side scale after that minute',
      {
        ...observed,
        now: (r2Verified.verifiedAt ?? 0) + MINUTE,
        blue: side('r1', 4, 4),
        green: side('r2', 4, 4),
      },
      ['WriteAutoscaler green, minReplicas 2'],
    ],
    [
      'keeps the old side able to take over as long as its window is open',
      { ...committed, blue: side('r1', 4, 2), green: side('r2', 4, 2) },
      ['WriteAutoscaler blue, minReplicas 4'],
    ],
    [
      'keeps production on the way back, however long ago the switch was proven',
      {
        ...returning,
        now: NOON + HOUR,
        blue: side('r1', 4, 2),
        green: side('r2', 4, 2),
      },
      ['WriteAutoscaler blue, minReplicas 4'],
    ],
    [
      'keeps no standby of what loses the traffic, before the way back has ended',
      {
        ...committed,
        route: 'blue',
        mark: BACK_1,
        spec: { ...hpa, capacity: { standby: 3 } },
        blue: side('r1', 4, 4),
        green: side('r2', 4, 2),
      },
      [],
    ],
    [
      'keeps what is adopted until the adoption has ended, however long ago its switch was proven',
      {
        ...idle,
        source: { replicas: 4, paused: true },
        revisions: { r1: { ...adopting, validatedAt: NOON - HOUR, verifiedAt: NOON - HOUR } },
        blue: side('r1', 4, 2),
      },
      ['WriteAutoscaler blue, minReplicas 4'],
    ],
    [
      'keeps no pods of what an earlier release left beside the adoption',
      {
        ...fresh,
        revisions: { r1: adopting },
        blue: side('r1', 3, 3),
        green: side('r0', 3, 5),
      },
      ['WriteAutoscaler green, minReplicas 2'],
    ],
    [
      'keeps a standby after the window',
      {
        ...committed,
        now: NOON + 49 * HOUR,
        spec: { ...hpa, capacity: { standby: 3 } },
        blue: side('r1', 4, 2),
        green: side('r2', 4, 2),
      },
      ['WriteAutoscaler blue, minReplicas 3'],
    ],
    [
      'asks for no more than its maximum',
      {
        ...committed,
        spec: { autoscaling: { spec: { maxReplicas: 3 } } },
        blue: side('r1', 5, 1),
        green: side('r2', 5, 1),
      },
      ['WriteAutoscaler blue, minReplicas 3'],
    ],
  ] as readonly (readonly [string, Picture, readonly string[]])[])
    it(what, () => expect(scaled(picture)).to.deep.equal(effects));
});

describe('a source that runs although it should not', () => {
  const parked = (picture: Picture): readonly [string[], number | undefined] => {
    const snapshot = world(picture);
    const roles = rolesOf(snapshot);
    const effects = upkeep(snapshot, roles).map(inWords);
    return [effects.filter((effect) => effect.startsWith('ScaleSource')), parkingDue(snapshot, roles)];
  };
  const running = { replicas: 3 };
  const none = [[], undefined];
  const now = [['ScaleSource 3 -> 0'], undefined];

  for (const [what, picture, expected] of [
    ['is parked', { ...idle, source: running }, now],
    ['is left alone once it is parked', idle, none],
    [
      'is nothing to look for again once it is parked',
      { ...idle, source: { parkedAt: NOON - SECOND } },
      none,
    ],
    [
      'is let go on where it was only paused',
      { ...idle, source: { paused: true } },
      [['ScaleSource 0 -> 0'], undefined],
    ],
    [
      'is parked while a release is under way',
      { ...started, source: { ...running, fingerprint: 'v2' } },
      now,
    ],
    [
      'is not parked again within a minute',
      { ...idle, source: { ...running, parkedAt: NOON - MINUTE + 1 } },
      [[], NOON + 1],
    ],
    ['is parked again after a minute', { ...idle, source: { ...running, parkedAt: NOON - MINUTE } }, now],
    ['is left alone while a Service may rest on it', { ...idle, route: undefined, source: running }, none],
    [
      'is parked, whatever a Service says that is gone',
      { ...idle, route: undefined, service: { found: false }, source: running },
      now,
    ],
    ['is left alone before the first release', fresh, none],
    [
      'is left alone while it is adopted',
      {
        ...idle,
        mark: FORWARD_1,
        source: running,
        revisions: {
          r1: {
            color: 'blue',
            attempt: 1,
            startedAt: NOON,
            adoption: true,
            validatedAt: NOON,
            verifiedAt: NOON,
          },
        },
      },
      none,
    ],
    ['is none where there is no source', { ...idle, source: null }, none],
    ['is left alone where nothing was released, whatever a Service names', { ...fresh, route: 'blue' }, none],
  ] as readonly (readonly [string, Picture, unknown])[])
    it(what, () => expect(parked(picture)).to.deep.equal(expected));
});

it('a source is left alone while one of several Services may rest on it', () => {
  const snapshot = world({ ...idle, services: ['shop', 'admin'], source: { replicas: 3 } });
  const [shop, admin] = snapshot.services;
  if (shop === undefined || admin === undefined) throw new Error('two Services');
  const apart = { ...snapshot, services: [shop, { ...admin, selector: { app: 'checkout' } }] };
  const parks = (seen: Snapshot): boolean =>
    upkeep(seen, rolesOf(seen)).some(({ kind }) => kind === 'ScaleSource');
  expect([parks(snapshot), parks(apart)]).to.deep.equal([true, false]);
});

describe('the upkeep of an external workload', () => {
  const kept = (picture: ExternalPicture): string[] => {
    const snapshot = external(picture);
    return upkeep(snapshot, rolesOf(snapshot)).map(inWords);
  };

  it('is the claim, before anything is published', () => {
    expect(kept({})).to.deep.equal(['ClaimEndpoint search']);
  });

  it('is that its consumers run with what is published', () => {
    expect(kept(onBlue)).to.deep.equal([]);
    expect(kept({ ...onBlue, runs: { worker: 'r1' } })).to.deep.equal(['RestartConsumer Deployment api']);
    expect(kept({ ...onBlue, endpoint: { state: 'Free' }, runs: { worker: 'r1' } })).to.deep.equal([
      'ClaimEndpoint search',
      'RestartConsumer Deployment api',
    ]);
  });

  it('passes over a consumer that somebody puts back again and again', () => {
    const api = { restartedWith: 'digest-r1', restartedAt: NOON - SECOND };
    expect(kept({ ...onBlue, runs: {}, consumers: { api } })).to.deep.equal([
      'RestartConsumer Deployment worker',
    ]);
  });

  it('restarts nobody before the credentials are published that go with it', () => {
    const secret = { mark: `${UID}/r1/1` };
    const behind = { ...onBlue, runs: { worker: 'r1' } };
    expect(kept({ ...behind, secret })).to.deep.equal(['RestartConsumer Deployment api']);
    expect(kept({ ...behind, secret: {} })).to.deep.equal([]);
  });
});

describe('what nobody may take away', () => {
  it('is the claim of the source, once something was released from it', () => {
    const unclaimed = { ...idle, source: { claimedBy: undefined } };
    expect(done(unclaimed, upkeep)).to.deep.equal(['ClaimSource']);
    expect(done({ ...idle, source: { claimedBy: UID } }, upkeep)).to.deep.equal([]);
    expect(done(fresh, upkeep)).to.not.include('ClaimSource');
    expect(done({ ...idle, source: null }, upkeep)).to.deep.equal([]);
  });

  it('are the labels of a side of ours', () => {
    const bare = (deployment: object): Picture => ({
      ...idle,
      blue: { revision: 'r1', ready: 3, deployment },
    });
    expect(done(bare({ carriesStated: false }), upkeep)).to.deep.equal(['LabelColor blue']);
    expect(done(bare({ carriesStated: false, ours: false }), upkeep)).to.deep.equal([]);
  });
});

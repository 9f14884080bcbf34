import { expect } from 'chai';
import { violations } from '../../../src/release/invariants.ts';
import {
  isCrowded,
  isRecycled,
  isSurgeOver,
  recycle,
  recyclingDue,
  surgeFor,
} from '../../../src/release/recycle.ts';
import { rolesOf } from '../../../src/release/roles.ts';
import type { PodView, Snapshot } from '../../../src/release/snapshot.ts';
import { decided, decidedOn } from './decided.ts';
import {
  ADOPTED_AT,
  committed,
  fresh,
  idle,
  observed,
  r1,
  r2,
  r2Committed,
  r2Verified,
  switched,
} from './situations.ts';
import {
  editServices,
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

/** Half a minute after the proof of the switch. */
const DRAINED = NOON + 25 * SECOND;
const drained = { now: DRAINED };
const old = { createdAt: ADOPTED_AT };
const young = { createdAt: DRAINED };
/** Blue holds r1, which lost the traffic; so many of its pods are ready. */
const blue = (pods: readonly Partial<PodView>[], more: Partial<SidePicture> = {}): SidePicture => ({
  revision: 'r1',
  ready: pods.length,
  pods,
  ...more,
});
const threeOld = blue([old, old, old]);
const withSurge = blue([old, old, old, young]);

describe('connections made before the switch', () => {
  it('have drainSeconds: nothing is touched, and it is looked at again when they are over', () => {
    const { effects, plan } = decided({ ...observed, blue: threeOld });
    expect(effects).to.deep.equal([]);
    expect(plan.lookAgainAt).to.equal(DRAINED);
  });

  it('have them too on a side that another process wrote over while it got the traffic', () => {
    const over = { ...observed, blue: { ...threeOld, revision: 'r0' } };
    const { effects, plan } = decided(over);
    expect([effects, plan.lookAgainAt]).to.deep.equal([[], DRAINED]);
    expect(decided({ ...over, ...drained }).effects).to.deep.equal(['WriteColor blue r1, 4 replicas']);
  });

  it('end with their pods, once a pod more is ready than the window asks for', () => {
    const grown = decided({ ...observed, ...drained, blue: threeOld });
    expect([grown.phase, grown.effects]).to.deep.equal(['Observing', ['ScaleColor blue 3 -> 4']]);
    const waiting = decided({ ...observed, ...drained, blue: { ...threeOld, desired: 4 } });
    expect(waiting.effects).to.deep.equal([]);
    const { reason, message, effects } = decided({ ...observed, ...drained, blue: withSurge });
    expect(effects).to.deep.equal(['RecyclePods blue: checkout-blue-0']);
    expect([reason, message]).to.deep.equal([
      'RecyclingOldSide',
      'revision r2 (green) is watched, and the old side kept able to take over: pods of blue are replaced, so that connections made before the switch end',
    ]);
  });

  it('end when a pod that takes the place of one is younger than the switch by the second that it tells of', () => {
    const spec = { traffic: { services: [{ name: 'checkout' }], drainSeconds: 5 } };
    const soon = { ...observed, spec, blue: threeOld };
    const { effects, plan } = decided({ ...soon, now: NOON + 0.5 * SECOND });
    expect([effects, plan.lookAgainAt]).to.deep.equal([[], NOON + SECOND]);
    expect(decided({ ...soon, now: NOON + SECOND }).effects).to.deep.equal(['ScaleColor blue 3 -> 4']);
    const replaced = blue([old, old, { createdAt: NOON + SECOND }, { createdAt: NOON + SECOND }]);
    expect(decided({ ...soon, now: NOON + 1.9 * SECOND, blue: replaced }).effects).to.deep.equal([
      'RecyclePods blue: checkout-blue-0',
    ]);
  });

  it('keep the pod that stands beside them until the first of them ends', () => {
    const spec = { traffic: { services: [{ name: 'checkout' }], drainSeconds: 5 } };
    const soon = { ...observed, spec, blue: blue([old, old, old, { createdAt: NOON - 20 * SECOND }]) };
    expect(decided({ ...soon, now: NOON + 0.5 * SECOND }).effects).to.deep.equal([]);
    expect(decided({ ...soon, now: NOON + SECOND }).effects).to.deep.equal([
      'RecyclePods blue: checkout-blue-0',
    ]);
  });

  it('end a quarter at a time', () => {
    const eight = Array.from({ length: 8 }, () => old);
    const green = { revision: 'r2', ready: 8 };
    const many = {
      ...observed,
      ...drained,
      green,
      revisions: { r1, r2: { ...r2Verified, verifiedReady: 8 } },
    };
    expect(decided({ ...many, blue: blue(eight) }).effects).to.deep.equal(['ScaleColor blue 8 -> 10']);
    expect(decided({ ...many, blue: blue([...eight, young, young]) }).effects).to.deep.equal([
      'RecyclePods blue: checkout-blue-0, checkout-blue-1',
    ]);
    const oneLeft = decided({ ...many, blue: { ...blue([...eight, young, young]), ready: 9, desired: 10 } });
    expect(oneLeft.effects).to.deep.equal(['RecyclePods blue: checkout-blue-0']);
  });

  it('end after the commit too, and the pods that stood beside them go with the last', () => {
    const all = [young, young, young, young];
    expect(decided({ ...committed, ...drained, blue: withSurge }).effects).to.deep.equal([
      'RecyclePods blue: checkout-blue-0',
    ]);
    expect(decided({ ...committed, ...drained, blue: blue(all) }).effects).to.deep.equal([
      'ScaleColor blue 4 -> 3',
    ]);
    const oneIsMissing = { ...blue(all), ready: 2, desired: 4 };
    expect(decided({ ...committed, ...drained, blue: oneIsMissing }).effects).to.deep.equal([
      'RecordFacts r2 Committed',
    ]);
  });

  it('keep the way back open all the while', () => {
    for (const picture of [threeOld, withSurge]) {
      const { plan } = decided({ ...committed, ...drained, blue: picture });
      expect(plan.status.rollback).to.deep.equal({
        available: true,
        until: '2026-06-03T12:00:00Z',
        message: 'blue (revision r1) is ready to take over',
      });
    }
  });
});

describe('no pod is ended', () => {
  const quiet: Readonly<Record<string, Picture>> = {
    'while a way back is wanted': {
      ...observed,
      ...drained,
      blue: { ...withSurge, ready: 0 },
      revisions: {
        r1,
        r2: { ...r2Verified, returnWanted: { at: NOON, reason: 'CheckFailed', message: '' } },
      },
    },
    'when it is younger than the switch': {
      ...committed,
      ...drained,
      blue: blue([young, young, young, young]),
    },
    'of a side that serves': { ...idle, ...drained, blue: threeOld },
    'when the pods that replace them do not become ready': {
      ...committed,
      ...drained,
      blue: blue(
        [old, old, old, { ...young, trouble: { reason: 'ImagePullBackOff', container: 'app', restarts: 0 } }],
        {
          ready: 3,
        },
      ),
    },
    'of a side with one pod, for which no second one can be had': {
      ...committed,
      ...drained,
      green: { revision: 'r2', ready: 1 },
      revisions: { r1, r2: { ...r2Committed, verifiedReady: 1 } },
      blue: blue([old, { ...young, unschedulable: 'no node has room' }], { ready: 1 }),
    },
  };
  for (const [when, picture] of Object.entries(quiet)) {
    it(when, () => {
      expect(decided(picture).effects.filter((effect) => effect.startsWith('Recycle'))).to.deep.equal([]);
    });
  }

  it('that a Service lists at its endpoints still', () => {
    const listed = world({ ...committed, ...drained, blue: withSurge });
    const both = endpointsOf([...listed.sides.green.pods, ...listed.sides.blue.pods]);
    const { effects } = decidedOn(editServices(listed, { endpoints: both }));
    expect(effects.filter((effect) => effect.startsWith('Recycle'))).to.deep.equal([]);
  });

  it('while a Service that the spec names no more selects it', () => {
    const left = {
      name: 'till',
      uid: 'till-uid',
      resourceVersion: '1',
      selector: { [LABEL]: 'blue' },
      twinOf: undefined,
    };
    const snapshot = { ...world({ ...committed, ...drained, blue: withSurge }), leftovers: [left] };
    const { effects } = decidedOn(snapshot);
    expect(effects.filter((effect) => effect.startsWith('Recycle'))).to.deep.equal([]);
    const pods = [{ name: 'checkout-blue-0', uid: 'blue-pod-0' }];
    expect(violations(snapshot, [{ kind: 'RecyclePods', color: 'blue', pods }])).to.deep.equal([
      'pods of blue would end although a Service may select them',
    ]);
  });

  it('before a selector that is astray has been put back', () => {
    const { effects } = decided({ ...committed, ...drained, blue: withSurge, route: 'blue' });
    expect(effects).to.deep.equal(['PatchSelector checkout -> green']);
  });
});

it('pods of the old side that are replaced are told of before what else is put right', () => {
  const tidied = { ...observed, ...drained, blue: withSurge, service: { labelled: false } };
  const { reason, effects } = decided(tidied);
  expect([reason, effects]).to.deep.equal([
    'RecyclingOldSide',
    ['ClaimService checkout', 'RecyclePods blue: checkout-blue-0'],
  ]);
});

describe('where no pod more can be had', () => {
  it('one of several is missing for as long as its successor takes', () => {
    const full = { replicaFailure: 'exceeded quota: pods=6' };
    const crowded = blue([old, old, old], { desired: 4, deployment: full });
    expect(decided({ ...committed, ...drained, blue: crowded }).effects).to.deep.equal([
      'RecyclePods blue: checkout-blue-0',
    ]);
    const oneGone = blue([old, old], { desired: 4, deployment: full });
    expect(decided({ ...committed, ...drained, blue: oneGone }).effects).to.deep.equal([]);
  });

  it('because the autoscaler is at its maximum, likewise', () => {
    const spec = { autoscaling: { spec: { minReplicas: 1, maxReplicas: 3 } } };
    const autoscaler = { minReplicas: 3, maxReplicas: 3 };
    const side = { ...threeOld, autoscaler };
    const green = { revision: 'r2', ready: 3, autoscaler: { minReplicas: 1, maxReplicas: 3 } };
    const { effects } = decided({ ...committed, ...drained, now: NOON + HOUR, spec, green, blue: side });
    expect(effects).to.deep.equal(['RecyclePods blue: checkout-blue-0']);
  });
});

it('a standby that is kept after its window lets its connections end as well', () => {
  const spec = { capacity: { standby: 2 }, rollback: { windowSeconds: 0 } };
  const over = { ...r2Committed, windowUntil: NOON };
  const after = { ...committed, now: NOON + MINUTE, spec, revisions: { r1, r2: over } };
  expect(decided({ ...after, blue: threeOld }).effects).to.deep.equal(['ScaleColor blue 3 -> 2']);
  expect(decided({ ...after, blue: blue([old, old]) }).effects).to.deep.equal([
    'RecyclePods blue: checkout-blue-0',
  ]);
  expect(decided({ ...after, blue: blue([old], { desired: 2 }) }).effects).to.deep.equal([]);
});

it('a side that has gone to 0 is left to end its pods itself', () => {
  const over = { ...r2Committed, windowUntil: NOON };
  const spec = { rollback: { windowSeconds: 0 } };
  const after = { ...committed, now: NOON + MINUTE, spec, revisions: { r1, r2: over } };
  expect(decided({ ...after, blue: threeOld }).effects).to.deep.equal(['ScaleColor blue 3 -> 0']);
  expect(decided({ ...after, blue: blue([old, old], { desired: 0 }) }).effects).to.deep.equal([]);
});

/** r2 was kept on green half a minute ago, and blue may be touched. */
const calm: Picture = { ...committed, ...drained, blue: threeOld };
const left = (name: string, twinOf?: Snapshot['leftovers'][number]['twinOf']): Snapshot['leftovers'] => [
  { name, uid: `${name}-uid`, resourceVersion: '1', selector: { [LABEL]: 'blue' }, twinOf },
];

describe('pods of a side are replaced', () => {
  const r3 = { ...r2, color: 'blue' as const, attempt: 3 };
  const proxiesFollow = (r2Committed.verifiedAt ?? 0) + 5 * SECOND;
  for (const [when, picture, color, expected] of [
    ['once it has drained', calm, 'blue', true],
    ['not before', { ...calm, now: DRAINED - 1 }, 'blue', false],
    ['not while it has the traffic', { ...calm, green: blue([old, old, old]) }, 'green', false],
    ['not where nothing was ever switched', { ...fresh, blue: threeOld }, 'blue', false],
    ['not in a switch', { ...switched, ...drained, blue: threeOld }, 'blue', false],
    [
      'not while a candidate is built there',
      { ...calm, revisions: { r1, r2: r2Committed, r3 } },
      'blue',
      false,
    ],
    [
      'where one began before each proxy had followed',
      { ...calm, blue: blue([{ createdAt: proxiesFollow - 1 }]) },
      'blue',
      true,
    ],
    [
      'not where all began after that',
      { ...calm, blue: blue([{ createdAt: proxiesFollow }]) },
      'blue',
      false,
    ],
    ['not while a Service is gone', { ...calm, service: { found: false } }, 'blue', false],
    [
      'not while a Service that the spec names no more selects it',
      { ...calm, leftovers: left('till') },
      'blue',
      false,
    ],
    [
      'although a Service is left that selects the other side',
      {
        ...calm,
        leftovers: [
          {
            name: 'till',
            uid: 'till-uid',
            resourceVersion: '1',
            selector: { [LABEL]: 'green' },
            twinOf: undefined,
          },
        ],
      },
      'blue',
      true,
    ],
    ['not while a Service is astray on it', { ...calm, route: 'blue' }, 'blue', false],
    [
      'not while a way back to it is wanted',
      {
        ...calm,
        revisions: {
          r1,
          r2: { ...r2Committed, returnWanted: { at: NOON, reason: 'CheckFailed', message: '' } },
        },
      },
      'blue',
      false,
    ],
    [
      'although a twin is left that selects it: nobody is served through that',
      { ...calm, leftovers: left('till-blue', { service: 'till', color: 'blue' }) },
      'blue',
      true,
    ],
  ] as readonly (readonly [string, Picture, 'blue' | 'green', boolean])[])
    it(when, () => {
      const snapshot = world(picture);
      expect(isRecycled(snapshot, rolesOf(snapshot), color)).to.equal(expected);
      expect(surgeFor(snapshot, rolesOf(snapshot), color, 5), 'pods besides').to.equal(expected ? 2 : 0);
    });

  it('not while one of several Services is astray on it, or gone', () => {
    const base = world({ ...calm, services: ['shop', 'admin'] });
    const [shop, admin] = base.services;
    if (shop === undefined || admin === undefined) throw new Error('two Services');
    for (const change of [{ selector: { [LABEL]: 'blue' } }, { found: false }]) {
      const snapshot = { ...base, services: [shop, { ...admin, ...change }] };
      expect(isRecycled(snapshot, rolesOf(snapshot), 'blue')).to.equal(false);
    }
    expect(isRecycled(base, rolesOf(base), 'blue')).to.equal(true);
  });

  it('from a moment on that is known while they drain, if there are any', () => {
    const due = (picture: Picture): number | undefined => {
      const snapshot = world(picture);
      return recyclingDue(snapshot, rolesOf(snapshot));
    };
    expect(due({ ...calm, now: DRAINED - 1 })).to.equal(DRAINED);
    expect(due({ ...calm, now: DRAINED - 1, blue: blue([young]) }), 'all are new').to.equal(undefined);
    expect(due(calm), 'it is time').to.equal(undefined);
    expect(due(fresh), 'nothing was ever switched').to.equal(undefined);
  });

  it('not ready ones first, then by their names, a quarter of the ready ones at once', () => {
    const ended = (picture: Picture, keep: number): readonly string[] => {
      const snapshot = world(picture);
      const effects = recycle(snapshot, rolesOf(snapshot), 'blue', keep);
      return effects.flatMap((effect) =>
        effect.kind === 'RecyclePods' ? effect.pods.map(({ name }) => name) : [],
      );
    };
    const named = ['d', 'b', 'c', 'a', 'f', 'e'].map((name) => ({ ...old, name }));
    const side = blue(
      named.map((pod, index) => ({ ...pod, ready: index !== 2 && index !== 4 })),
      { ready: 4 },
    );
    expect(ended({ ...calm, blue: blue(named) }, 3)).to.deep.equal(['a', 'b']);
    expect(ended({ ...calm, blue: side }, 3)).to.deep.equal(['c']);
    expect(ended({ ...calm, blue: side }, 4), 'none is to spare').to.deep.equal([]);
    const five = blue([
      { ...old, name: 'z', ready: false },
      ...named.map((pod) => ({ ...pod, ready: true })),
    ]);
    expect(ended({ ...calm, blue: five }, 1)).to.deep.equal(['z', 'a']);
  });

  it('never those of a Deployment that somebody else made under that name, or that is gone', () => {
    for (const side of [
      { ...threeOld, deployment: { ours: false } },
      { pods: [old, old, old], ready: 3 },
    ]) {
      const snapshot = world({ ...calm, blue: side });
      expect(recycle(snapshot, rolesOf(snapshot), 'blue', 1)).to.deep.equal([]);
    }
  });
});

describe('what stood beside pods that were replaced may go', () => {
  const may = (pods: readonly Partial<PodView>[], more: Partial<SidePicture> = {}, at = DRAINED): boolean => {
    const snapshot = world({ ...calm, now: at, blue: blue(pods, more) });
    return isSurgeOver(snapshot, rolesOf(snapshot), 'blue', 3);
  };
  const four = [young, young, young, young];

  it('when all of them have been, and as many as asked for are ready', () => {
    expect(may(four)).to.equal(true);
    expect(may(four, { ready: 3 })).to.equal(true);
    expect(may(four, { ready: 2 })).to.equal(false);
    expect(may([old, young, young, young])).to.equal(false);
  });

  it('not a minute after the last of them was made: by then it is production that has become smaller', () => {
    const [last] = [{ createdAt: DRAINED + MINUTE }];
    expect(may(four, {}, DRAINED + MINUTE - 1)).to.equal(true);
    expect(may(four, {}, DRAINED + MINUTE)).to.equal(false);
    expect(may([last, young, young, young], {}, DRAINED + MINUTE)).to.equal(true);
    expect(may([], { ready: 4, pods: [] })).to.equal(false);
  });

  it('not before they have drained, nor where nothing was ever switched', () => {
    expect(may(four, {}, DRAINED - 1)).to.equal(false);
    const begun = world({ ...fresh, blue: blue(four) });
    expect(isSurgeOver(begun, rolesOf(begun), 'blue', 3)).to.equal(false);
  });

  it('not where more stand there than that: production was as large', () => {
    expect(may([...four, young])).to.equal(false);
  });

  it('not of a side that somebody has edited, nor while it is put right', () => {
    expect(may(four, { deployment: { matches: false } })).to.equal(false);
    expect(may(four, { deployment: { observed: false } })).to.equal(false);
    expect(may(four, { deployment: { updated: 1 } })).to.equal(false);
    const edited = { ...calm, blue: blue(four, { deployment: { matches: false } }) };
    expect(decided(edited).effects).to.deep.equal(['WriteColor blue r1, 4 replicas']);
  });

  it('and is nothing where the Deployment is gone', () => {
    const snapshot = world({ ...calm, blue: { pods: four, ready: 4 } });
    expect(isSurgeOver(snapshot, rolesOf(snapshot), 'blue', 3)).to.equal(false);
  });
});

describe('a pod that stands by', () => {
  /** What the endpoints of blue say of its first pod at each of two Services. */
  const over = (atShop: boolean, atAdmin: boolean, isReady = true): boolean => {
    const pods = [{ ...young, ready: isReady }, young, young];
    const base = world({ ...calm, services: ['shop', 'admin'], blue: blue(pods) });
    const services = base.services.map((service) => {
      const listed = endpointsOf(base.sides.blue.pods).map((endpoint, index) =>
        index === 0 ? { ...endpoint, ready: service.name === 'shop' ? atShop : atAdmin } : endpoint,
      );
      return { ...service, twins: { ...service.twins, blue: { ...service.twins.blue, endpoints: listed } } };
    });
    const snapshot = { ...base, services };
    return isSurgeOver(snapshot, rolesOf(snapshot), 'blue', 3);
  };

  it('counts when it is ready at every Service', () => {
    expect(over(true, true)).to.equal(true);
    expect(over(true, false)).to.equal(false);
    expect(over(false, true)).to.equal(false);
  });

  it('counts no more while it is being ended, although its endpoints tell that late', () => {
    expect(over(true, true, false)).to.equal(false);
  });
});

describe('a side for which no pod more can be had', () => {
  for (const [what, side, expected] of [
    ['has a pod for which no node has room', blue([{ unschedulable: 'no node has room' }, {}, {}]), true],
    ['has used up its quota', blue([], { deployment: { replicaFailure: 'exceeded quota' } }), true],
    ['is not one whose pods all have a node', threeOld, false],
    ['is not one without a Deployment', {}, false],
  ] as readonly (readonly [string, SidePicture, boolean])[])
    it(what, () => {
      expect(isCrowded(world({ ...calm, blue: side }), 'blue')).to.equal(expected);
    });
});

describe('the guard in front of the cluster refuses to end', () => {
  const surged = world({ ...committed, ...drained, blue: withSurge });
  const order = (snapshot: Snapshot, ...names: number[]) =>
    violations(snapshot, [
      {
        kind: 'RecyclePods',
        color: 'blue',
        pods: names.map((index) => ({ name: `checkout-blue-${index}`, uid: `blue-pod-${index}` })),
      },
    ]);

  it('nothing that the rules end', () => {
    expect(order(surged, 0)).to.deep.equal([]);
  });

  it('the one of two that need not stay', () => {
    expect(order(world({ ...committed, ...drained, blue: blue([old, young]) }), 0)).to.deep.equal([]);
  });

  it('many at once of a side that nothing goes back to', () => {
    const { revisions: _, ...picture } = committed;
    const late = world({ ...picture, ...drained, blue: threeOld, revisions: { r2: r2Committed } });
    expect(order(late, 0, 1, 2)).to.deep.equal([]);
  });

  it('pods that only a twin selects', () => {
    const twin = {
      name: 'till-blue',
      uid: 'till-blue-uid',
      resourceVersion: '1',
      selector: { [LABEL]: 'blue' },
      twinOf: { service: 'till', color: 'blue' as const },
    };
    expect(order({ ...surged, leftovers: [twin] }, 0)).to.deep.equal([]);
  });

  const [service] = surged.services;
  const stale = editServices(surged, {
    endpoints: [...(service?.endpoints ?? []), ...endpointsOf([{ uid: 'blue-pod-0', ready: true }])],
  });
  const gone = service === undefined ? [] : [service, { ...service, name: 'till', found: false }];
  const cases: readonly (readonly [string, Snapshot, readonly number[], string])[] = [
    [
      'one that a Service lists still',
      { ...stale, sides: world({ ...committed, blue: blue(Array(8).fill(old)) }).sides },
      [1, 0],
      'pods of blue would end although a Service may select them',
    ],
    [
      'any while one of the Services is gone: it may come back without the key',
      { ...surged, services: gone },
      [0],
      'pods of blue would end although a Service may select them',
    ],
    [
      'pods of a side that a Service selects',
      world({ ...committed, ...drained, blue: withSurge, route: 'blue' }),
      [0],
      'pods of blue would end although a Service may select them',
    ],
    [
      'pods of a side that a Service without a colour may rest on',
      world({ ...committed, ...drained, blue: withSurge, route: undefined }),
      [0],
      'pods of blue would end although a Service may select them',
    ],
    ['many at once', surged, [0, 1], '2 of 4 ready pods of the rollback target r1 would end at once'],
    ['a pod that is not known', surged, [9], 'pod checkout-blue-9 is not known as one of blue'],
    [
      'the last ready one',
      world({ ...committed, ...drained, blue: { ...withSurge, ready: 1 } }),
      [0],
      '1 of 1 ready pods of the rollback target r1 would end at once',
    ],
  ];
  for (const [what, snapshot, names, sentence] of cases) {
    it(what, () => expect(order(snapshot, ...names)).to.deep.equal([sentence]));
  }
});

import { expect } from 'chai';
import fc from 'fast-check';
import { decide } from '../../../src/release/decide.ts';
import { violations } from '../../../src/release/invariants.ts';
import type { PodView, Snapshot } from '../../../src/release/snapshot.ts';
import { decided, decidedOn } from './decided.ts';
import { ADOPTED_AT, committed, idle, observed, r1, r2Committed, r2Verified } from './situations.ts';
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
    const left = { name: 'till', uid: 'till-uid', selector: { [LABEL]: 'blue' }, twinOf: undefined };
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

describe('the guard in front of the cluster refuses to end', () => {
  const calm = world({ ...committed, ...drained, blue: withSurge });
  const order = (snapshot: Snapshot, ...names: number[]) =>
    violations(snapshot, [
      {
        kind: 'RecyclePods',
        color: 'blue',
        pods: names.map((index) => ({ name: `checkout-blue-${index}`, uid: `blue-pod-${index}` })),
      },
    ]);

  it('nothing that the rules end', () => {
    expect(order(calm, 0)).to.deep.equal([]);
  });

  const cases: readonly (readonly [string, Snapshot, readonly number[], string])[] = [
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
    ['many at once', calm, [0, 1], '2 of 4 ready pods of the rollback target r1 would end at once'],
    ['a pod that is not known', calm, [9], 'pod checkout-blue-9 is not known as one of blue'],
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

/** That it is larger than it was is noted, and nothing else is done. */
const isBusy = (snapshot: Snapshot): boolean =>
  decide(snapshot).effects.some(({ kind }) => kind !== 'RecordFacts');

/** Plays the cluster: pods that were ended are gone, and successors stand ready at the next look. */
function replaced(snapshot: Snapshot, now: number): Snapshot {
  const plan = decide(snapshot);
  const ended = new Set(
    plan.effects.flatMap((effect) =>
      effect.kind === 'RecyclePods' ? effect.pods.map(({ uid }) => uid) : [],
    ),
  );
  const scaled = plan.effects.find((effect) => effect.kind === 'ScaleColor');
  const side = snapshot.sides.blue;
  const desired = scaled?.to ?? side.deployment?.desired ?? 0;
  const left = side.pods.filter(({ uid }) => !ended.has(uid));
  const fresh = Array.from(
    { length: desired - left.length },
    (_, index): PodView => ({
      uid: `${now}-${index}`,
      name: `fresh-${now}-${index}`,
      createdAt: now,
      readySince: now,
      revision: 'r1',
      ready: true,
      trouble: undefined,
      unschedulable: undefined,
    }),
  );
  const pods = [...left, ...fresh];
  const deployment = side.deployment && {
    ...side.deployment,
    desired,
    pods: desired,
    updated: desired,
    ready: desired,
  };
  const services = snapshot.services.map((service) => ({
    ...service,
    twins: { ...service.twins, blue: { ...service.twins.blue, endpoints: endpointsOf(pods) } },
  }));
  return { ...snapshot, now, services, sides: { ...snapshot.sides, blue: { ...side, pods, deployment } } };
}

it('however many there are: all old pods are replaced, never fewer stand ready than the window asks for, then it rests', function () {
  this.timeout(120_000); // many worlds: on a busy machine they take their time
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), fc.constantFrom('100%', '50%', 1), (size, window) => {
      const pods = Array.from({ length: size }, () => old);
      let snapshot = world({
        ...committed,
        ...drained,
        spec: { capacity: { window } },
        green: { revision: 'r2', ready: size },
        revisions: { r1, r2: { ...r2Committed, verifiedReady: size } },
        blue: blue(pods),
      });
      const asked = window === 1 ? 1 : Math.ceil((Number.parseInt(String(window), 10) * size) / 100);
      for (let step = 1; isBusy(snapshot); step++) {
        expect(step, 'steps').to.be.at.most(60);
        expect(violations(snapshot, decide(snapshot).effects)).to.deep.equal([]);
        const ended = decide(snapshot).effects.flatMap((effect) =>
          effect.kind === 'RecyclePods' ? effect.pods : [],
        );
        expect(snapshot.sides.blue.pods.length - ended.length).to.be.at.least(asked);
        snapshot = replaced(snapshot, DRAINED + step * SECOND);
      }
      expect(snapshot.sides.blue.pods.filter(({ createdAt }) => createdAt < NOON)).to.deep.equal([]);
    }),
    { numRuns: 100 },
  );
});

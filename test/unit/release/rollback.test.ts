import { expect } from 'chai';
import type { StartedRevision } from '../../../src/release/roles.ts';
import { rolesOf } from '../../../src/release/roles.ts';
import {
  estimatedSeconds,
  neededToReturn,
  readyToReturn,
  slowestStart,
} from '../../../src/release/rollback.ts';
import type { PodView } from '../../../src/release/snapshot.ts';
import { committed, idle, r1, r2Committed, r2Validated, switched } from './situations.ts';
import { editServices, endpointsOf, NOON, type Picture, SECOND, world } from './world.ts';

/** r2 serves on green, r1 could take over on blue. */
function sides(picture: Picture): { active: StartedRevision; target: StartedRevision } {
  const { active, target } = rolesOf(world(picture));
  if (active === undefined || target === undefined) throw new Error('there is a way back');
  return { active, target };
}

describe('pods that a way back would find', () => {
  for (const [what, blue, count] of [
    ['are those that are ready', { revision: 'r1', desired: 3, ready: 2 }, 2],
    ['are none where another revision stands there', { revision: 'r7', ready: 3 }, 0],
    [
      'are none where its Deployment was edited',
      { revision: 'r1', ready: 3, deployment: { matches: false } },
      0,
    ],
    ['are none where there is no Deployment', {}, 0],
    [
      'are none while one of another revision is ready beside them',
      { revision: 'r1', ready: 3, pods: [{}, { revision: 'r7' }, {}] },
      0,
    ],
    [
      'are not fewer for one of another revision that is not ready',
      { revision: 'r1', ready: 2, pods: [{}, {}, { revision: 'r7' }] },
      2,
    ],
  ] as readonly (readonly [string, Picture['blue'] & object, number])[])
    it(what, () => {
      expect(readyToReturn(world({ ...committed, blue }), sides(committed).target)).to.equal(count);
    });

  /** Pods of blue as their own watch tells, and those that the endpoints call ready. */
  const seen = (pods: readonly Partial<PodView>[], listed: readonly string[]): number => {
    const endpoints = endpointsOf(listed.map((uid) => ({ uid, ready: true })));
    const stands = { found: true, ours: true, matches: true };
    const twins = { blue: { ...stands, endpoints }, green: { ...stands, endpoints: [] } };
    const snapshot = world({ ...committed, blue: { revision: 'r1', desired: 1, pods }, service: { twins } });
    return readyToReturn(snapshot, sides(committed).target);
  };

  it('are none where the endpoints tell sooner than its pod that one of another revision is ready', () => {
    expect(seen([{ ready: false }, { ready: false, revision: 'r7' }], ['blue-pod-1'])).to.equal(0);
    expect(seen([{ ready: true }, { ready: false, revision: 'r7' }], ['blue-pod-0', 'blue-pod-1'])).to.equal(
      0,
    );
  });

  it('are none where the endpoints of one of several Services tell that', () => {
    const pods = [{}, { ready: false, revision: 'r7' }];
    const blue = { revision: 'r1', desired: 2, ready: 1, pods };
    const snapshot = world({ ...committed, blue, services: ['shop', 'admin'] });
    const [shop, admin] = snapshot.services;
    if (shop === undefined || admin === undefined) throw new Error('two Services');
    const { target } = sides(committed);
    expect(readyToReturn(snapshot, target)).to.equal(1);
    const endpoints = endpointsOf(snapshot.sides.blue.pods.map(({ uid }) => ({ uid, ready: true })));
    const twins = { ...admin.twins, blue: { ...admin.twins.blue, endpoints } };
    expect(readyToReturn({ ...snapshot, services: [shop, { ...admin, twins }] }, target)).to.equal(0);
  });

  it('are those that are known to be its own, of all that the endpoints tell', () => {
    expect(seen([{ ready: true }], ['blue-pod-0', 'ends-or-is-not-heard-of'])).to.equal(1);
    expect(seen([{ ready: false }], ['ends-or-is-not-heard-of'])).to.equal(0);
    expect(seen([{ ready: false }], ['blue-pod-0'])).to.equal(1);
  });

  for (const [what, ready, verifiedReady, needed] of [
    ['as many as production had at the switch, where it has more now', 5, 3, 3],
    ['as many as production has now, where it had more at the switch', 2, 3, 2],
    ['as many as production has now, where nobody noted what it had', 4, undefined, 4],
  ] as const)
    it(`are enough with ${what}`, () => {
      const { verifiedReady: _, ...unnoted } = r2Committed;
      const r2 = { ...unnoted, ...(verifiedReady !== undefined && { verifiedReady }) };
      const picture = { ...committed, green: { revision: 'r2', ready }, revisions: { r1, r2 } };
      expect(neededToReturn(world(picture), sides(picture).active)).to.equal(needed);
    });

  it('are enough with as many as the larger side has, where a Service without its key has both behind it', () => {
    const { verifiedReady: _, ...r2 } = r2Committed;
    const at = (blue: number, green: number): number => {
      const picture: Picture = {
        ...committed,
        blue: { revision: 'r1', ready: blue },
        green: { revision: 'r2', ready: green },
        revisions: { r1, r2 },
      };
      const pods = [...world(picture).sides.blue.pods, ...world(picture).sides.green.pods];
      const endpoints = endpointsOf([...pods, { uid: 'somebody' }].map(({ uid }) => ({ uid, ready: true })));
      return neededToReturn(editServices(world(picture), { endpoints }), sides(picture).active);
    };
    expect([at(2, 3), at(3, 2), at(0, 2)], 'with one that nobody knows').to.deep.equal([4, 4, 3]);
  });
});

describe('how long the slowest pod took to become ready', () => {
  const pod = (change: Partial<PodView>): PodView => ({
    uid: 'u',
    name: 'p',
    createdAt: NOON,
    readySince: NOON,
    revision: 'r1',
    ready: true,
    trouble: undefined,
    unschedulable: undefined,
    ...change,
  });
  for (const [what, pods, seconds] of [
    ['is that of the slowest, rounded up', [{ readySince: NOON + 7100 }, { readySince: NOON + SECOND }], 8],
    ['is nothing where it was ready at once', [{}], 0],
    ['is not known without pods', [], undefined],
    ['is not told by one that is not ready', [{ ready: false, readySince: NOON + SECOND }], undefined],
    ['is not told by one that does not say since when', [{ readySince: undefined }], undefined],
    ['is not told by clocks that disagree', [{ readySince: NOON - SECOND }], undefined],
  ] as readonly (readonly [string, readonly Partial<PodView>[], number | undefined])[])
    it(what, () => {
      expect(slowestStart(pods.map(pod))).to.equal(seconds);
    });
});

describe('how long a way back would take', () => {
  const estimate = (blue: Picture['blue'] & object, startUpSeconds?: number): number | undefined => {
    const r2 = { ...r2Committed, decidedAt: NOON - 9 * SECOND };
    const first = { ...r1, ...(startUpSeconds !== undefined && { startUpSeconds }) };
    const snapshot = world({ ...committed, blue, revisions: { r1: first, r2 } });
    return estimatedSeconds(snapshot, rolesOf(snapshot));
  };

  it('is as long as the endpoints took, where the old side is ready', () => {
    expect(estimate({ revision: 'r1', ready: 3 }, 40)).to.equal(4);
  });

  it('has the start of its pods added, where some are missing', () => {
    expect(estimate({ revision: 'r1', desired: 3, ready: 1 }, 40)).to.equal(44);
    expect(estimate({ revision: 'r1', desired: 3, ready: 0 }, 40)).to.equal(44);
  });

  it('waits no longer than scaleUpSeconds where one pod is ready, and as long as it takes where none is', () => {
    expect(estimate({ revision: 'r1', desired: 3, ready: 1 }, 400)).to.equal(64);
    expect(estimate({ revision: 'r1', desired: 3, ready: 0 }, 400)).to.equal(404);
  });

  it('has the start of its pods added, where production has none either', () => {
    const r2 = { ...r2Committed, decidedAt: NOON - 9 * SECOND };
    const dead = { desired: 3, ready: 0 };
    const snapshot = world({
      ...committed,
      blue: { revision: 'r1', ...dead },
      green: { revision: 'r2', ...dead },
      revisions: { r1: { ...r1, startUpSeconds: 40 }, r2 },
    });
    expect(estimatedSeconds(snapshot, rolesOf(snapshot))).to.equal(44);
  });

  it('is not known while the switch is not proven', () => {
    const snapshot = world({
      ...switched,
      revisions: { r1, r2: { ...r2Validated, decidedAt: NOON - 5 * SECOND } },
    });
    expect(estimatedSeconds(snapshot, rolesOf(snapshot))).to.equal(undefined);
  });

  it('is not known where nobody saw its pods start', () => {
    expect(estimate({ revision: 'r1', desired: 3, ready: 1 })).to.equal(undefined);
  });

  it('is not known where there is no way back, or the switch was not timed', () => {
    const revisions = { r1, r2: { ...r2Committed, decidedAt: NOON - 9 * SECOND } };
    const closed = { ...committed, now: r2Committed.windowUntil ?? 0, revisions };
    for (const picture of [idle, committed, closed, {}]) {
      const snapshot = world(picture);
      expect(estimatedSeconds(snapshot, rolesOf(snapshot))).to.equal(undefined);
    }
  });
});

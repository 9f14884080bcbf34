import { expect } from 'chai';
import { readiness } from '../../../src/gates/readiness.ts';
import { rolesOf } from '../../../src/release/roles.ts';
import { external, ready } from '../release/external.ts';
import { built } from '../release/situations.ts';
import { MINUTE, NOON, type Picture, type SidePicture, world } from '../release/world.ts';

function asked(green: SidePicture, more: Picture = {}) {
  const snapshot = world({ ...built, ...more, green: { revision: 'r2', ...green } });
  const roles = rolesOf(snapshot);
  if (roles.subject === undefined) throw new Error('there is a candidate');
  return readiness(snapshot, roles, roles.subject, NOON - MINUTE);
}

describe('readiness', () => {
  const replaced = '3 of 3 green pods are ready, those of an earlier revision are still being replaced';
  const incomplete: [string, SidePicture, string][] = [
    ['a pod is missing', { desired: 3, ready: 2 }, '2 of 3 green pods are ready'],
    [
      'the Deployment controller has not seen the latest write',
      { ready: 3, deployment: { observed: false } },
      replaced,
    ],
    ['a pod of an older template is left', { ready: 3, deployment: { pods: 4 } }, replaced],
    [
      'a pod of an older template is left, and one is not available yet',
      { ready: 3, deployment: { pods: 4, available: 2 } },
      replaced,
    ],
    [
      'a pod is ready but not available yet',
      { ready: 3, deployment: { available: 2 } },
      '3 of 3 green pods are ready, 2 of 3 available',
    ],
    ['the Deployment was edited', { ready: 3, deployment: { matches: false } }, replaced],
    ['the Deployment is another revision’s', { ready: 3, revision: 'r9' }, replaced],
    ['the Deployment is a stranger’s', { ready: 3, deployment: { ours: false } }, replaced],
    ['a pod carries another revision', { ready: 3, pods: [{}, {}, { revision: 'r9' }] }, replaced],
  ];
  for (const [why, green, progress] of incomplete) {
    it(`is not passed while ${why}`, () => {
      const { state, message } = asked(green);
      expect([state, message]).to.deep.equal(['Running', `${progress}, waiting until 2026-06-01T12:09:00Z`]);
    });
  }

  it('is passed with exactly the pods that are needed', () => {
    expect(asked({ ready: 3 })).to.deep.equal({
      name: 'readiness',
      state: 'Passed',
      reason: 'Ready',
      message: '3 of 3 pods are ready',
    });
  });

  it('is passed where the pods are not in this cluster: the gates have the word', () => {
    const snapshot = external(ready);
    const roles = rolesOf(snapshot);
    if (roles.subject === undefined) throw new Error('there is a candidate');
    expect(readiness(snapshot, roles, roles.subject, NOON)).to.deep.equal({
      name: 'readiness',
      state: 'Passed',
      reason: 'External',
      message: 'there are no pods here to wait for: the gates say whether the environment is good',
    });
  });

  it('counts through the endpoints of every Service, not by the Deployment’s word', () => {
    const { state } = asked({ ready: 3, pods: [{ ready: false }, {}, {}], deployment: { ready: 3 } });
    expect(state).to.equal('Running');
  });

  it('is asked of no more pods than production has', () => {
    expect(asked({ ready: 1 }, { blue: { revision: 'r1', ready: 1 } }).state).to.equal('Passed');
  });

  for (const reason of ['CrashLoopBackOff', 'Error', 'OOMKilled', 'RunContainerError', 'StartError']) {
    it(`${reason} until the deadline is the candidate’s fault`, () => {
      const trouble = { reason, container: 'app', restarts: 3 };
      const late = asked({ desired: 3, pods: [{ trouble }, {}, {}] }, { now: NOON + 9 * MINUTE });
      expect([late.state, late.reason]).to.deep.equal(['Failed', 'CandidateCrashed']);
    });
  }

  for (const reason of [
    'ImagePullBackOff',
    'ErrImagePull',
    'CreateContainerConfigError',
    'ContainerCreating',
  ]) {
    it(`${reason} until the deadline is nobody’s fault that we know`, () => {
      const trouble = { reason, container: 'app', restarts: 0 };
      const late = asked({ desired: 3, pods: [{ trouble }, {}, {}] }, { now: NOON + 9 * MINUTE });
      expect([late.state, late.reason]).to.deep.equal(['Inconclusive', 'PreparationDeadlineExceeded']);
    });
  }

  const restarted: [number, string][] = [
    [0, 'CrashLoopBackOff'],
    [1, 'CrashLoopBackOff after 1 restart'],
    [2, 'CrashLoopBackOff after 2 restarts'],
  ];
  for (const [restarts, words] of restarted) {
    it(`tells of a container that crashed: ${words}`, () => {
      const trouble = { reason: 'CrashLoopBackOff', container: 'app', restarts };
      expect(asked({ desired: 3, pods: [{ trouble }, {}, {}] }).message).to.equal(
        `0 of 3 green pods are ready (pod checkout-green-0, container app: ${words}), waiting until 2026-06-01T12:09:00Z`,
      );
    });
  }

  it('is not passed with fewer pods than production has, although all of its own are ready', () => {
    const { state, message } = asked({ ready: 3 }, { blue: { revision: 'r1', ready: 5 } });
    expect([state, message]).to.deep.equal([
      'Running',
      '3 of 5 green pods are ready, waiting until 2026-06-01T12:09:00Z',
    ]);
  });

  it('is not passed before there is a Deployment', () => {
    const snapshot = world({ ...built, green: {} });
    const roles = rolesOf(snapshot);
    if (roles.subject === undefined) throw new Error('there is a candidate');
    expect(readiness(snapshot, roles, roles.subject, NOON - MINUTE).message).to.equal(
      '0 of 3 green pods are ready, waiting until 2026-06-01T12:09:00Z',
    );
  });

  it('names the Service behind which pods are missing, where there are several', () => {
    const { message } = asked({ desired: 3, ready: 2 }, { services: ['shop', 'admin'] });
    expect(message).to.equal(
      '2 of 3 green pods are ready behind Service "shop", waiting until 2026-06-01T12:09:00Z',
    );
  });

  for (const [what, side, reason, words] of [
    [
      'a quota that is used up',
      { deployment: { replicaFailure: 'exceeded quota' } },
      'ReplicaFailure',
      'exceeded quota',
    ],
    [
      'a cluster without room',
      { pods: [{ unschedulable: 'no node has room' }, {}, {}] },
      'Unschedulable',
      'pod checkout-green-0: no node has room',
    ],
  ] as readonly (readonly [string, SidePicture, string, string])[])
    it(`${what} is told, and until the deadline nobody’s fault`, () => {
      const early = asked({ desired: 3, ...side });
      expect([early.reason, early.message]).to.deep.equal([
        reason,
        `0 of 3 green pods are ready (${words}), waiting until 2026-06-01T12:09:00Z`,
      ]);
      const late = asked({ desired: 3, ...side }, { now: NOON + 9 * MINUTE });
      expect([late.state, late.reason, late.message]).to.deep.equal([
        'Inconclusive',
        'PreparationDeadlineExceeded',
        `0 of 3 green pods are ready after 600 seconds: ${words}`,
      ]);
    });

  it('the trouble of a pod that is ready does not matter', () => {
    const trouble = { reason: 'CrashLoopBackOff', container: 'sidecar', restarts: 1 };
    const late = asked({ desired: 3, pods: [{ ready: true, trouble }, {}, {}] }, { now: NOON + 9 * MINUTE });
    expect(late.state).to.equal('Inconclusive');
  });
});

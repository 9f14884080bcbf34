import { expect } from 'chai';
import { readiness } from '../../../src/gates/readiness.ts';
import { rolesOf } from '../../../src/release/roles.ts';
import { built } from '../release/situations.ts';
import { MINUTE, NOON, type Picture, type SidePicture, world } from '../release/world.ts';

function asked(green: SidePicture, more: Picture = {}) {
  const snapshot = world({ ...built, ...more, green: { revision: 'r2', ...green } });
  const roles = rolesOf(snapshot);
  if (roles.subject === undefined) throw new Error('there is a candidate');
  return readiness(snapshot, roles, roles.subject, NOON - MINUTE);
}

describe('readiness', () => {
  const incomplete: [string, SidePicture][] = [
    ['a pod is missing', { desired: 3, ready: 2 }],
    [
      'the Deployment controller has not seen the latest write',
      { ready: 3, deployment: { observed: false } },
    ],
    ['a pod of an older template is left', { ready: 3, deployment: { pods: 4 } }],
    ['a pod is ready but not available yet', { ready: 3, deployment: { available: 2 } }],
    ['the Deployment was edited', { ready: 3, deployment: { matches: false } }],
    ['the Deployment is another revision’s', { ready: 3, revision: 'r9' }],
    ['the Deployment is a stranger’s', { ready: 3, deployment: { ours: false } }],
    ['a pod carries another revision', { ready: 3, pods: [{}, {}, { revision: 'r9' }] }],
  ];
  for (const [why, green] of incomplete) {
    it(`is not passed while ${why}`, () => {
      expect(asked(green).state).to.equal('Running');
    });
  }

  it('is passed with exactly the pods that are needed', () => {
    const { state, message } = asked({ ready: 3 });
    expect([state, message]).to.deep.equal(['Passed', '3 of 3 pods are ready']);
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

  it('the trouble of a pod that is ready does not matter', () => {
    const trouble = { reason: 'CrashLoopBackOff', container: 'sidecar', restarts: 1 };
    const late = asked({ desired: 3, pods: [{ ready: true, trouble }, {}, {}] }, { now: NOON + 9 * MINUTE });
    expect(late.state).to.equal('Inconclusive');
  });
});

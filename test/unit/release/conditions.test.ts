import { expect } from 'chai';
import { conditionsOf } from '../../../src/release/conditions.ts';
import type { Verdict } from '../../../src/release/plan.ts';
import { type Roles, rolesOf } from '../../../src/release/roles.ts';
import type { Snapshot } from '../../../src/release/snapshot.ts';
import * as external from './external.ts';
import { built, committed, idle, observed, r1, r2, rolledBack } from './situations.ts';
import { NOON, type Picture, SECOND, world } from './world.ts';

const VERDICT: Verdict = { phase: 'Idle', reason: 'Idle', message: 'nothing is under way' };

function told(
  snapshot: Snapshot,
  type: string,
  verdict: Partial<Verdict> = {},
  roles: Partial<Roles> = {},
): string {
  const all = conditionsOf(snapshot, { ...rolesOf(snapshot), ...roles }, { ...VERDICT, ...verdict });
  const found = all.filter((each) => each.type === type);
  return found.map(({ status, reason, message }) => `${status} ${reason}: ${message}`).join('; ');
}

describe('a condition', () => {
  const seen = (picture: Picture, type: string, verdict?: Partial<Verdict>, roles?: Partial<Roles>): string =>
    told(world(picture), type, verdict, roles);

  it('has a reason, also where nobody gave one', () => {
    expect(seen(idle, 'Ready', { reason: '' })).to.equal('True Unknown: nothing is under way');
  });

  it('Ready is false where nothing is wished for, and where nobody knows what has the traffic', () => {
    expect(seen({ ...idle, source: null }, 'Ready')).to.equal('False Idle: nothing is under way');
    const { blue: _, ...lost } = { ...rolledBack, route: undefined, mark: undefined };
    const going = { phase: 'Deleting' as const, reason: 'Deleting', message: 'the release is deleted' };
    const unknown = { active: undefined, stage: 'Resting' as const };
    expect(seen(lost, 'Ready', going, unknown)).to.equal('False Deleting: the release is deleted');
  });

  it('CandidateReady says what the first gate says', () => {
    const gate = { name: 'readiness', state: 'Running' as const };
    expect(seen(built, 'CandidateReady', { gates: [{ ...gate, message: '2 of 3' }] })).to.equal(
      'False Idle: 2 of 3',
    );
    expect(seen(built, 'CandidateReady', { gates: [gate] })).to.equal('False Idle: ');
    expect(seen(built, 'CandidateReady', { gates: [{ ...gate, state: 'Passed' }] })).to.equal('True Ready: ');
  });

  it('TrafficSwitched is not true on a way back, whatever was proven before', () => {
    expect(seen(observed, 'TrafficSwitched')).to.equal(
      'True Verified: the endpoints proved the switch to revision r2 at 2026-06-01T11:59:55Z',
    );
    expect(seen(observed, 'TrafficSwitched', {}, { stage: 'Returning' })).to.equal(
      'False Switching: revision r2 has the traffic',
    );
  });

  it('Healthy is false while an alert is told, and says which', () => {
    const alert = { reason: 'CheckFailed', message: 'too many errors' };
    expect(seen(committed, 'Healthy', { alert })).to.equal('False CheckFailed: too many errors');
    expect(seen(committed, 'Healthy')).to.equal('True PodsReady: green (revision r2) has ready pods: yes');
  });

  const NO_WAY = 'False TargetReplaced: blue does not hold revision r1 now';
  for (const [what, blue] of [
    ['is gone', {}],
    ['holds another revision', { revision: 'r7', ready: 3 }],
    ['was edited', { revision: 'r1', ready: 3, deployment: { matches: false } }],
  ] as const)
    it(`RollbackAvailable is false where the Deployment of the other side ${what}`, () => {
      expect(seen({ ...committed, blue }, 'RollbackAvailable')).to.equal(NO_WAY);
    });

  it('RollbackAvailable is false where people have written over the side of a pair', () => {
    const { target } = rolesOf(world(committed));
    expect(seen(committed, 'RollbackAvailable', {}, { target: undefined, overwritten: target })).to.equal(
      NO_WAY,
    );
  });

  it('RollbackAvailable says what keeps it from being true', () => {
    expect(seen({ ...idle, revisions: { r1, r2 } }, 'RollbackAvailable')).to.equal(
      'False CandidateInPlace: the other side holds the candidate of the release under way',
    );
    expect(seen(idle, 'RollbackAvailable')).to.equal(
      'False NoWindow: no earlier revision stands by inside a rollback window',
    );
    expect(seen({}, 'RollbackAvailable')).to.equal('False NotAdopted: nothing was switched yet');
  });
});

describe('a condition of an external workload', () => {
  const { switched, watched } = external;
  const IN_SYNC = 'True InSync: 2 of 2 consumers run with what ConfigMap "search" says';
  const seen = (picture: external.ExternalPicture, type: string): string =>
    told(external.external(picture), type);

  for (const [what, picture, expected] of [
    ['all consumers run with what is published', watched, IN_SYNC],
    [
      'one of them was not restarted yet',
      { ...watched, runs: { api: 'r1', worker: 'r2' } },
      'False ConsumerBehind: Deployment "api" does not run with what ConfigMap "search" says: it was not restarted with it yet',
    ],
    [
      'one of them is being restarted',
      { ...watched, runs: { api: 'r2', worker: 'r2!' } },
      'False ConsumerBehind: Deployment "worker" does not run with what ConfigMap "search" says: 0 of 2 pods are new and available, 2 old',
    ],
    [
      'one of them cannot be restarted',
      {
        ...watched,
        runs: { api: 'r1', worker: 'r2' },
        consumers: { api: { obstacle: 'has no pods: scale it up' } },
      },
      'False ConsumerBehind: Deployment "api" has no pods: scale it up',
    ],
    [
      'its credentials are not published',
      { ...switched, secret: { mark: `${external.FORWARD.replace('r2/2', 'r1/1')}` } },
      'False CredentialsBehind: the credentials of revision r2 are not published yet',
    ],
    [
      'its credentials cannot be published',
      {
        ...switched,
        secret: { mark: `${external.FORWARD.replace('r2/2', 'r1/1')}`, green: { state: 'Absent' } },
      },
      'False CredentialsBehind: Secret "search-green" does not exist: create it, with the label bluegreen.dev/config, or correct its name',
    ],
  ] as readonly (readonly [string, external.ExternalPicture, string])[])
    it(`TrafficInSync: ${what}`, () => {
      expect(seen(picture, 'TrafficInSync')).to.equal(expected);
    });

  it('Healthy is unknown: there are no pods to count', () => {
    expect(seen(watched, 'Healthy')).to.equal(
      'Unknown External: no check found anything bad; there are no pods here to count',
    );
  });

  it('RollbackAvailable is true without a look at what is gone back to', () => {
    expect(seen(external.committed, 'RollbackAvailable')).to.equal(
      'True External: what revision r1 published of blue can be published again; whether it still stands is not known here',
    );
  });

  it('RollbackAvailable ends with the window', () => {
    const { kept } = external;
    const over = { ...kept, windowUntil: NOON - SECOND };
    const picture = { ...external.committed, revisions: { r1: external.r1, r2: over } };
    expect(seen(picture, 'RollbackAvailable')).to.equal(
      'False NoWindow: no earlier revision stands by inside a rollback window',
    );
  });
});

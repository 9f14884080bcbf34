import { expect } from 'chai';
import { violations } from '../../../src/release/invariants.ts';
import { condition } from './decided.ts';
import {
  BACK,
  committed,
  decide,
  type ExternalPicture,
  external,
  FORWARD,
  goingBack,
  onBlue,
  r2,
  ready,
  type SecretPicture,
  switched,
  watched,
} from './external.ts';
import { MINUTE, NOON, SECOND, UID } from './world.ts';

const FIRST = `${UID}/r1/1`;
const blueHeld: SecretPicture = { mark: FIRST };
const greenHeld: SecretPicture = { mark: FORWARD };
/** Written since it was frozen. */
const WRITTEN = { version: 'green-uid/2' };
const JUST_NOW = NOON - 5 * SECOND;
const refused = (at: number): ExternalPicture['observations'] => ({
  refusals: { 'Secret/search-login': { at, message: 'the API server forbids it', final: true } },
});
const ROLE = 'let the operator get it by a Role of this namespace (docs/endpoint.md), or correct its name';
const VOID = 'Secret "search-green" was written after it was validated';

describe('the credentials of an external workload', () => {
  for (const [what, picture, reason, message, effects] of [
    [
      'follow the ConfigMap at the beginning, before anybody is restarted',
      {
        says: 'blue',
        mark: FIRST,
        revisions: { r1: { ...r2, color: 'blue', attempt: 1, adoption: true, validatedAt: NOON } },
        secret: {},
      },
      'PublishingCredentials',
      'publishing the credentials of blue (revision r1) in Secret "search-login"',
      ['PublishSecret search-login -> blue'],
    ],
    [
      'follow the ConfigMap when it says the other side, before anybody is restarted',
      { ...switched, secret: blueHeld },
      'PublishingCredentials',
      'publishing the credentials of green (revision r2) in Secret "search-login"',
      ['PublishSecret search-login -> green'],
    ],
    [
      'of the other side are another Secret, and none that changed',
      { ...onBlue, active: 'green', secret: blueHeld },
      'ReleaseStarted',
      'spec.workload.external changed: starting attempt 2',
      ['CreateRevision r2 from source'],
    ],
    [
      'are not moved before the ConfigMap is',
      { ...ready, secret: blueHeld },
      'Switching',
      'all gates passed: moving the traffic to revision r2',
      ['Publish search -> green'],
    ],
    [
      'have followed when they stand there: then consumers are restarted',
      { ...switched, secret: greenHeld },
      'RestartingConsumers',
      'restarting Deployment "api" (1 of 2)',
      ['RestartConsumer Deployment api'],
    ],
    [
      'follow on the way back, before anybody is restarted',
      { ...goingBack, secret: greenHeld, runs: { api: 'r2', worker: 'r2' } },
      'PublishingCredentials',
      'publishing the credentials of blue (revision r1) in Secret "search-login"',
      ['PublishSecret search-login -> blue'],
    ],
    [
      'are those of the side on the way back, whatever was written to its Secret since',
      {
        ...goingBack,
        secret: { ...greenHeld, blue: { version: 'blue-uid/7' } },
        runs: { api: 'r2', worker: 'r2' },
      },
      'PublishingCredentials',
      'publishing the credentials of blue (revision r1) in Secret "search-login"',
      ['PublishSecret search-login -> blue'],
    ],
    [
      'need not follow a way back that began before they had left',
      { ...goingBack, secret: blueHeld, runs: { api: 'r1', worker: 'r1' } },
      'RolledBack',
      'every consumer is back on blue (revision r1): too many errors',
      ['RecordFacts r2 RolledBack'],
    ],
    [
      'take those of the other side away on the way to a revision that was frozen without',
      { ...goingBack, secret: { ...greenHeld, without: ['r1'] }, runs: { api: 'r2', worker: 'r2' } },
      'PublishingCredentials',
      'publishing the credentials of blue (revision r1) in Secret "search-login"',
      ['PublishSecret search-login -> blue'],
    ],
    [
      'are put back where somebody else wrote them',
      { ...onBlue, secret: { ...blueHeld, blue: { same: false } } },
      'CredentialsRestored',
      'Secret "search-login" does not hold what it should: the credentials of blue (revision r1) are published again',
      ['PublishSecret search-login -> blue'],
    ],
    [
      'are put back where a key of them is gone, whatever was written to their Secret since',
      { ...onBlue, secret: { ...blueHeld, blue: { shaped: false, same: false, version: 'blue-uid/7' } } },
      'CredentialsRestored',
      'Secret "search-login" does not hold what it should: the credentials of blue (revision r1) are published again',
      ['PublishSecret search-login -> blue'],
    ],
    [
      'are not changed under their consumers',
      { ...onBlue, secret: { ...blueHeld, blue: { same: false, version: 'blue-uid/7' } } },
      'ServingSideChanged',
      'spec.workload.external.blue.secretRef: Secret "search-blue" does not hold what consumers use (revision r1), and credentials are not changed under them: put it back, or describe the environment with its new ones in green and set spec.workload.external.active to it',
      [],
    ],
    [
      'go back at once when what was validated stands nowhere any more',
      { ...switched, secret: { ...blueHeld, green: WRITTEN } },
      'CredentialsNotPublished',
      `${VOID}; putting the traffic back to blue (revision r1)`,
      ['Publish search -> blue'],
    ],
    [
      'keep what was validated from being switched to when they were written since',
      { ...ready, secret: { ...blueHeld, green: WRITTEN } },
      'Superseded',
      'revision r2 is no longer wanted: Secret "search-green" changed',
      ['RecordFacts r2 Superseded'],
    ],
    [
      'are waited for while they cannot be written',
      { ...switched, switchedAt: JUST_NOW, secret: blueHeld, observations: refused(NOON) },
      'PublishingCredentials',
      'Secret "search-login" cannot be written (the API server forbids it); waiting until 2026-06-01T12:00:25Z',
      [],
    ],
    [
      'are tried again a second later',
      { ...switched, switchedAt: JUST_NOW, secret: blueHeld, observations: refused(NOON - SECOND) },
      'PublishingCredentials',
      'publishing the credentials of green (revision r2) in Secret "search-login"',
      ['PublishSecret search-login -> green'],
    ],
    [
      'take everything back when they could not be written in time',
      { ...switched, secret: blueHeld, observations: refused(NOON) },
      'CredentialsNotPublished',
      'Secret "search-login" cannot be written (the API server forbids it); putting the traffic back to blue (revision r1)',
      ['Publish search -> blue'],
    ],
    [
      'keep consumers on the way back from being restarted without them',
      {
        ...goingBack,
        secret: { ...greenHeld, blue: { state: 'Absent' } },
        runs: { api: 'r2', worker: 'r2' },
      },
      'PublishingCredentials',
      'blue (revision r1) is published again, and nobody is restarted yet: Secret "search-blue" does not exist: create it, with the label bluegreen.dev/config, or correct its name',
      [],
    ],
    [
      'that cannot be read keep no rollback from being ordered',
      {
        ...committed,
        secret: { ...greenHeld, state: 'Unreadable' },
        release: { action: 'rollback@2' },
      },
      'Requested',
      'a rollback of revision r2 was requested by annotation; putting the traffic back to blue (revision r1)',
      ['Publish search -> blue'],
    ],
    [
      'of the other side that cannot be read keep no revision from being watched',
      { ...watched, secret: { ...greenHeld, blue: { state: 'Unreadable' } } },
      'Observing',
      'revision r2 (green) has the traffic and is watched until 2026-06-01T12:09:30Z',
      [],
    ],
  ] as readonly (readonly [string, ExternalPicture, string, string, readonly string[]])[]) {
    it(what, () => {
      const seen = decide(picture);
      expect([seen.reason, seen.message, seen.effects]).to.deep.equal([reason, message, effects]);
    });
  }

  for (const [what, secret, message] of [
    [
      'a published Secret that does not exist',
      { state: 'Absent' },
      'spec.traffic.endpoint.secretRef: Secret "search-login" does not exist: create it, empty and with the label bluegreen.dev/config, or correct spec.traffic.endpoint.secretRef.name',
    ],
    [
      'a published Secret that may not be read',
      { state: 'Unreadable' },
      'spec.traffic.endpoint.secretRef: Secret "search-login" cannot be read: let the operator get and patch it by a Role of this namespace (docs/endpoint.md), or correct spec.traffic.endpoint.secretRef.name',
    ],
    [
      'a published Secret that nobody has set free',
      { state: 'Foreign' },
      'spec.traffic.endpoint.secretRef: Secret "search-login" has no label bluegreen.dev/config, and is left alone: label it to let it be taken over, or name another one in spec.traffic.endpoint.secretRef.name',
    ],
    [
      'a published Secret of another release',
      { state: 'Foreign', owner: 'find' },
      'spec.traffic.endpoint.secretRef: Secret "search-login" belongs to release "find": name another one in spec.traffic.endpoint.secretRef.name, or delete that release',
    ],
    [
      'a published Secret that controllers act upon',
      { state: 'Unfit' },
      'spec.traffic.endpoint.secretRef: Secret "search-login" is immutable or not of type Opaque: name another one in spec.traffic.endpoint.secretRef.name',
    ],
    [
      'a published Secret that holds something else',
      { state: 'InUse' },
      'spec.traffic.endpoint.secretRef: Secret "search-login" holds something that neither side has, and that would be lost: empty it, or name another one in spec.traffic.endpoint.secretRef.name',
    ],
    [
      'a Secret of the new side that does not exist',
      { green: { state: 'Absent', version: '' } },
      'spec.workload.external.green.secretRef: Secret "search-green" does not exist: create it, with the label bluegreen.dev/config, or correct its name',
    ],
    [
      'a Secret of the new side that may not be read',
      { green: { state: 'Unreadable', version: '' } },
      `spec.workload.external.green.secretRef: Secret "search-green" cannot be read: ${ROLE}`,
    ],
    [
      'a Secret of the new side that nobody has set free',
      { green: { state: 'Unlabelled' } },
      'spec.workload.external.green.secretRef: Secret "search-green" has no label bluegreen.dev/config, and is left alone: label it to let a release publish it, or correct its name',
    ],
    [
      'a Secret of the new side that lacks a key',
      { green: { lacks: 'password' } },
      'spec.workload.external.green.secretRef: Secret "search-green" has no key "password", or nothing in it: add it, or correct spec.traffic.endpoint.secretRef.keys',
    ],
  ] as readonly (readonly [string, SecretPicture, string])[]) {
    for (const [when, picture] of [
      ['before a release', { ...onBlue, active: 'green' }],
      ['when its gates have passed', ready],
    ] as readonly (readonly [string, ExternalPicture])[])
      it(`do not move, ${when}, because of ${what}`, () => {
        const seen = decide({ ...picture, secret: { ...blueHeld, ...secret } });
        expect([
          seen.phase,
          seen.message.replace(/; the candidate is ready.*/, ''),
          seen.effects,
        ]).to.deep.equal(['Stalled', message, []]);
      });
  }

  for (const [what, secret] of [
    ['what is published', { state: 'Unanswered' }],
    ['what the side that serves has', { blue: { state: 'Unanswered', version: '' } }],
  ] as readonly (readonly [string, SecretPicture])[]) {
    it(`alarm nobody while ${what} cannot be read for a moment`, () => {
      const seen = decide({ ...onBlue, secret: { ...blueHeld, ...secret } });
      expect([seen.phase, seen.message, seen.effects]).to.deep.equal([
        'Idle',
        'revision r1 is active on blue',
        [],
      ]);
    });
  }

  it('move nothing while they cannot be read for a moment', () => {
    const green = { state: 'Unanswered', version: '' } as const;
    const { message, effects } = decide({ ...ready, secret: { ...blueHeld, green } });
    expect([message, effects]).to.deep.equal([
      'spec.workload.external.green.secretRef: Secret "search-green" could not be read just now; the candidate is ready, and no traffic moves before that',
      [],
    ]);
  });

  it('ask for the Secrets of both sides before the first revision, since either may serve', () => {
    const { phase, message } = decide({
      says: 'blue',
      active: 'green',
      secret: { blue: { lacks: 'password' } },
    });
    expect([phase, message]).to.deep.equal([
      'Stalled',
      'spec.workload.external.blue.secretRef: Secret "search-blue" has no key "password", or nothing in it: add it, or correct spec.traffic.endpoint.secretRef.keys',
    ]);
  });

  it('are told to be behind, also where nothing can be done about it', () => {
    const { plan } = decide({ ...watched, secret: { ...greenHeld, state: 'Unreadable' } });
    expect(condition(plan.status, 'TrafficInSync')).to.equal('False');
    expect(plan.status.switch?.endpoint).to.include({ secret: 'search-login', inSync: false });
  });

  it('are told to be in sync where they are', () => {
    const { plan } = decide({ ...watched, secret: greenHeld });
    expect(condition(plan.status, 'TrafficInSync')).to.equal('True');
    expect(plan.status.switch?.endpoint).to.include({ secret: 'search-login', inSync: true });
  });

  for (const [what, secret, effects] of [
    [
      'with its mark taken off',
      blueHeld,
      ['ReleaseSecret search-login', 'ReleaseEndpoint search', 'RemoveFinalizer'],
    ],
    ['as it is where it is not ours', { state: 'Foreign' }, ['ReleaseEndpoint search', 'RemoveFinalizer']],
    [
      'as it is where it cannot be read',
      { state: 'Unreadable' },
      ['ReleaseEndpoint search', 'RemoveFinalizer'],
    ],
  ] as readonly (readonly [string, SecretPicture, readonly string[]])[]) {
    it(`stay when the release is deleted, ${what}`, () => {
      const seen = decide({ ...onBlue, secret, release: { deleting: true } });
      expect([seen.message, seen.effects]).to.deep.equal([
        'ConfigMap "search" and Secret "search-login" stay as they are, and so do those who read them',
        effects,
      ]);
    });
  }

  describe('have a guard that refuses', () => {
    const picture: ExternalPicture = { ...switched, secret: blueHeld };
    const order = decide(picture).plan.effects[0] as any;
    for (const [what, seen, effect, sentence] of [
      [
        'to write what changed meanwhile',
        picture,
        { ...order, resourceVersion: '0' },
        'Secret search-login is written under a precondition that was not seen',
      ],
      [
        'to write what is not ours',
        { ...picture, secret: { ...blueHeld, state: 'InUse' } },
        order,
        'Secret search-login is not ours to write',
      ],
      [
        'to say what the ConfigMap does not',
        { ...ready, secret: blueHeld },
        order,
        'Secret search-login would say what ConfigMap search does not',
      ],
      [
        'to say what is of the other side',
        picture,
        { ...order, color: 'blue' },
        'what Secret search-login would say does not belong to blue',
      ],
      [
        'to say an address that no revision says',
        picture,
        { ...order, beside: { ...order.beside, url: 'https://evil.example.com' } },
        'what Secret search-login would say does not belong to green',
      ],
      [
        'to copy a Secret that nobody names',
        picture,
        { ...order, source: { name: 'admin', version: 'a/1' } },
        'Secret admin is not what anybody names for green',
      ],
    ] as readonly (readonly [string, ExternalPicture, any, string])[]) {
      it(what, () => {
        expect(violations(external(seen), [effect])).to.include(sentence);
      });
    }
  });

  it('are not those of an earlier way back', () => {
    const { effects } = decide({ ...watched, secret: { mark: BACK } });
    expect(effects).to.deep.equal(['PublishSecret search-login -> green']);
  });

  it('are looked at rarely at rest, also where people have to mend them', () => {
    const { plan } = decide({ ...onBlue, secret: { ...blueHeld, state: 'Unreadable' }, now: NOON + MINUTE });
    expect(plan.lookAgainAt).to.equal(NOON + MINUTE + 15 * SECOND);
  });
});

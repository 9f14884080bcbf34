import { expect } from 'chai';
import type { Measurement } from '../../../src/analysis/measurement.ts';
import type { Snapshot } from '../../../src/release/snapshot.ts';
import { effectOf } from './decided.ts';
import {
  decide,
  type ExternalPicture,
  FORWARD,
  goingBack,
  type SecretPicture,
  switched,
  valid,
  watched,
} from './external.ts';
import { MINUTE, NOON, SECOND, UID } from './world.ts';

const check = {
  name: 'errors',
  intervalSeconds: 10,
  failureLimit: 2,
  prometheus: { query: 'sum(errors)', max: '0.01' },
};
const measured = (verdict: 'Good' | 'Bad', ...times: number[]): Partial<Snapshot['observations']> => {
  const of = (at: number): Measurement => ({
    at,
    verdict,
    reason: verdict === 'Bad' ? 'AboveMax' : 'WithinBounds',
    value: 0.5,
    message: '0.5 is above 0.01',
  });
  return { measurements: { errors: times.map(of) } };
};

/** Of two consumers the first was restarted half a minute ago, and is done; the second one comes up. */
const halfWay: ExternalPicture = {
  ...switched,
  runs: { api: 'r2', worker: 'r2!' },
  consumers: { api: { restartedAt: NOON - 30 * SECOND }, worker: { restartedAt: NOON - 5 * SECOND } },
  spec: { observation: { checks: [check] } },
};
const BACK = '; putting the traffic back to blue (revision r1)';
const WAITING =
  'Deployment "worker" (2 of 2) does not run with it yet: 0 of 2 pods are new and available, 2 old, waiting until 2026-06-01T12:09:55Z';
const REVERTED =
  'spec.workload.external says what revision r1 is, which stands by; putting the traffic back to blue (revision r1)';

describe('while consumers are restarted', () => {
  for (const [what, picture, reason, message, effects] of [
    [
      'a check that fails takes everything back',
      { ...halfWay, observations: measured('Bad', NOON - 10 * SECOND, NOON - SECOND) },
      'CheckFailed',
      `check "errors" failed 2 times in a row: 0.5 is above 0.01${BACK}`,
      ['Publish search -> blue'],
    ],
    [
      'so does one that fails when the last of them is done',
      {
        ...halfWay,
        runs: { api: 'r2', worker: 'r2' },
        observations: measured('Bad', NOON - 10 * SECOND, NOON - SECOND),
      },
      'CheckFailed',
      `check "errors" failed 2 times in a row: 0.5 is above 0.01${BACK}`,
      ['Publish search -> blue'],
    ],
    [
      'one that is good lets them go on',
      { ...halfWay, observations: measured('Good', NOON - 10 * SECOND, NOON - SECOND) },
      'RestartingConsumers',
      WAITING,
      [],
    ],
    [
      'what was measured before any of them used the new side says nothing of it',
      { ...halfWay, observations: measured('Bad', NOON - 40 * SECOND, NOON - 30 * SECOND) },
      'RestartingConsumers',
      WAITING,
      [],
    ],
    [
      'nothing is held against it before the first of them is restarted',
      {
        ...halfWay,
        runs: { api: 'r1', worker: 'r1' },
        observations: measured('Bad', NOON - 10 * SECOND, NOON - SECOND),
      },
      'RestartingConsumers',
      'restarting Deployment "api" (1 of 2)',
      ['RestartConsumer Deployment api'],
    ],
    [
      'an edit back is a rollback',
      { ...halfWay, active: 'blue' },
      'Reverted',
      REVERTED,
      ['Publish search -> blue'],
    ],
    [
      'an edit back is a rollback before the first of them is restarted',
      { ...switched, active: 'blue' },
      'Reverted',
      REVERTED,
      ['Publish search -> blue'],
    ],
    [
      'an edit back is a rollback while the credentials cannot follow',
      { ...switched, active: 'blue', secret: { mark: `${UID}/r1/1`, state: 'Unreadable' } },
      'Reverted',
      REVERTED,
      ['Publish search -> blue'],
    ],
    [
      'an edit to something else waits until they are done',
      { ...halfWay, active: 'blue', blue: 'https://new.example.com' },
      'RestartingConsumers',
      WAITING,
      [],
    ],
  ] as readonly (readonly [string, ExternalPicture, string, string, readonly string[]])[]) {
    it(what, () => {
      const seen = decide(picture);
      expect([seen.reason, seen.message, seen.effects]).to.deep.equal([reason, message, effects]);
    });
  }

  for (const [what, picture, due] of [
    ['one interval after the first restart', halfWay, true],
    ['not before that', { ...halfWay, now: NOON - 21 * SECOND }, false],
    [
      'one interval after the last answer',
      { ...halfWay, observations: measured('Good', NOON - 10 * SECOND) },
      true,
    ],
    ['not sooner', { ...halfWay, observations: measured('Good', NOON - 9 * SECOND) }, false],
    ['not before one of them is restarted', { ...switched, spec: halfWay.spec }, false],
  ] as readonly (readonly [string, ExternalPicture, boolean])[]) {
    it(`checks are measured ${what}`, () => {
      const { requests } = decide(picture).plan;
      const asked = requests.map(
        (request) => request.kind === 'Measure' && [request.revision, request.color],
      );
      expect(asked).to.deep.equal(due ? [['r2', 'green']] : []);
    });
  }

  it('go on, whatever fails, where nothing is left that could be gone back to', () => {
    const failing = measured('Bad', NOON - 10 * SECOND, NOON - SECOND);
    const { reason, message, effects } = decide({
      ...halfWay,
      revisions: { r2: valid },
      observations: failing,
    });
    expect([reason, message, effects]).to.deep.equal(['RestartingConsumers', WAITING, []]);
  });

  it('credentials that cannot follow are waited for until the switch had its time, and not a moment longer', () => {
    const secret: SecretPicture = { mark: `${UID}/r1/1`, state: 'Unreadable' };
    const at = (ago: number) => decide({ ...switched, switchedAt: NOON - ago, secret }).reason;
    expect([at(29 * SECOND), at(30 * SECOND)]).to.deep.equal([
      'PublishingCredentials',
      'CredentialsNotPublished',
    ]);
  });

  it('checks are told, so that another process knows what was measured', () => {
    const { status } = decide({ ...halfWay, observations: measured('Bad', NOON - SECOND) }).plan;
    expect(status.checks?.map(({ name, state, failures }) => [name, state, failures])).to.deep.equal([
      ['availability', 'Unknown', undefined],
      ['errors', 'Bad', 1],
    ]);
  });

  it('checks that were measured then are not told as those of the watch that follows', () => {
    const { status } = decide({
      ...watched,
      spec: { observation: { checks: [check] } },
      observations: measured('Bad', NOON - 40 * SECOND),
    }).plan;
    expect(status.checks?.map(({ name, state }) => [name, state])).to.deep.equal([
      ['availability', 'Unknown'],
      ['errors', 'Pending'],
    ]);
  });

  it('what was measured then does not count in the watch that follows', () => {
    const now = NOON + MINUTE;
    const after = decide({ ...halfWay, now, runs: { api: 'r2', worker: 'r2' } });
    expect(after.reason).to.equal('SwitchVerified');
  });
});

describe('what is told of consumers', () => {
  const refused: ExternalPicture['observations'] = {
    refusals: { 'Deployment/api': { at: NOON, message: 'nobody restarts it', final: true } },
  };
  const greenHeld: SecretPicture = { mark: FORWARD };
  const noneBack: ExternalPicture = { ...goingBack, runs: { api: 'r2', worker: 'r2' } };
  const late = NOON + 9 * MINUTE;
  for (const [what, picture, phase, stalled] of [
    ['forward, while one is restarted', switched, 'Switching', undefined],
    [
      'forward, while credentials are waited for',
      {
        ...switched,
        switchedAt: NOON - SECOND,
        secret: { mark: `${UID}/r1/1` },
        observations: { refusals: { 'Secret/search-login': { at: NOON, message: 'no', final: true } } },
      },
      'Switching',
      undefined,
    ],
    [
      'forward, when all are done',
      { ...switched, runs: { api: 'r2', worker: 'r2' } },
      'Observing',
      undefined,
    ],
    ['back, while one is restarted', noneBack, 'RollingBack', false],
    [
      'back, while one is waited for',
      { ...goingBack, now: late - 1, runs: { api: 'r1!', worker: 'r1' } },
      'RollingBack',
      false,
    ],
    [
      'back, when one takes longer than it may',
      { ...goingBack, now: late, runs: { api: 'r1!', worker: 'r1' } },
      'RollingBack',
      true,
    ],
    [
      'back, when one takes longer than it may and another is restarted',
      { ...goingBack, now: late, runs: { api: 'r1!', worker: 'r2' } },
      'RollingBack',
      false,
    ],
    [
      'back, when one cannot be restarted',
      { ...goingBack, runs: { api: 'r2', worker: 'r1' }, observations: refused },
      'RollingBack',
      true,
    ],
    [
      'back, when one cannot be restarted and another is',
      { ...noneBack, observations: refused },
      'RollingBack',
      false,
    ],
    ['back, while credentials are published', { ...noneBack, secret: greenHeld }, 'RollingBack', undefined],
    [
      'back, when credentials cannot be published',
      { ...noneBack, secret: { ...greenHeld, blue: { state: 'Absent' } } },
      'RollingBack',
      true,
    ],
    ['back, when all are done', { ...goingBack, runs: { api: 'r1', worker: 'r1' } }, 'RolledBack', undefined],
  ] as readonly (readonly [string, ExternalPicture, string, boolean | undefined])[]) {
    it(`${what}: ${phase}${stalled ? ', stalled' : ''}`, () => {
      const seen = decide(picture);
      expect([seen.phase, seen.plan.verdict.stalled]).to.deep.equal([phase, stalled]);
    });
  }

  it('and recorded: when it was ordered, and when all of them ran with it', () => {
    const done = decide({ ...switched, runs: { api: 'r2', worker: 'r2' } });
    expect(effectOf(done, 'RecordFacts').facts).to.deep.equal({
      ...valid,
      decidedAt: NOON - MINUTE,
      verifiedAt: NOON,
    });
  });
});

import { expect } from 'chai';
import { rolesOf } from '../../../src/release/roles.ts';
import { preparing } from '../../../src/release/stages/preparing.ts';
import { decided, decidedOn, effectOf } from './decided.ts';
import {
  BACK_1,
  built,
  idle,
  r1,
  r2,
  r2Committed,
  r2RolledBack,
  r2Validated,
  returning,
  started,
  validated,
} from './situations.ts';
import {
  editDeployment,
  editServices,
  HOUR,
  LABEL,
  MINUTE,
  NOON,
  type Picture,
  SECOND,
  type SidePicture,
  UID,
  world,
} from './world.ts';

const smoke = { name: 'smoke', job: { spec: { template: { spec: {} } } }, timeoutSeconds: 300 };
const load = { name: 'load', job: { spec: { template: { spec: {} } } }, timeoutSeconds: 600 };
const gated: Picture = { ...built, spec: { gates: [smoke, load] } };

const wished: Picture = { ...idle, source: { fingerprint: 'v2' } };

describe('a release starts', () => {
  it('when the Deployment says something else than what is active: the revision is frozen first', () => {
    const result = decided(wished);
    expect([result.phase, result.reason]).to.deep.equal(['Preparing', 'ReleaseStarted']);
    expect(result.effects).to.deep.equal(['CreateRevision r2 from source']);
    expect(effectOf(result, 'CreateRevision')).to.deep.include({
      fingerprint: 'v2',
      facts: { color: 'green', attempt: 2, startedAt: NOON },
    });
  });

  it('not while it is suspended', () => {
    const { phase, effects } = decided({ ...wished, spec: { suspend: true } });
    expect([phase, effects]).to.deep.equal(['Suspended', []]);
  });

  it('not before the input was judged', () => {
    const { phase, reason, effects, plan } = decided({
      ...wished,
      observations: { preflight: { key: 'older', at: NOON, problems: [] } },
    });
    expect([phase, reason, effects]).to.deep.equal(['Idle', 'Preflight', []]);
    expect(plan.requests).to.deep.equal([{ kind: 'Preflight', key: '1/v2/1' }]);
  });

  it('not when the API server refuses what would be derived; it is asked again after 15 seconds', () => {
    const problems = [{ reason: 'PreflightFailed', message: 'Deployment "checkout-green" is invalid' }];
    const refused = (at: number) =>
      decided({ ...wished, observations: { preflight: { key: '1/v2/1', at, problems } } });
    const soon = refused(NOON - SECOND);
    expect([soon.phase, soon.reason, soon.effects]).to.deep.equal(['Stalled', 'PreflightFailed', []]);
    expect(soon.message).to.equal('Deployment "checkout-green" is invalid');
    expect([soon.plan.requests, soon.plan.lookAgainAt]).to.deep.equal([[], NOON + 14 * SECOND]);
    const later = refused(NOON - 15 * SECOND);
    expect(later.plan.requests).to.deep.equal([{ kind: 'Preflight', key: '1/v2/1' }]);
  });

  it('a process that begins asks for itself, and tells people meanwhile what they were told to do', () => {
    const problems = [{ reason: 'PreflightFailed', message: 'Deployment "checkout-green" is invalid' }];
    const refused = decided({
      ...wished,
      observations: { preflight: { key: '1/v2/1', at: NOON, problems } },
    });
    const previous = refused.plan.status;
    const begun = (more: Picture) => {
      const { observations, ...snapshot } = world({ ...wished, previous, ...more });
      return decidedOn({ ...snapshot, observations: { ...observations, preflight: undefined } });
    };
    const same = begun({});
    expect(same.plan.requests).to.deep.equal([{ kind: 'Preflight', key: '1/v2/1' }]);
    expect(same.plan.status).to.deep.equal(previous);
    const edited = begun({ release: { generation: 2 } });
    expect([edited.phase, edited.reason]).to.deep.equal(['Idle', 'Preflight']);
    const waiting = begun({ previous: { ...previous, phase: 'Failed' } });
    expect([waiting.phase, waiting.reason]).to.deep.equal(['Idle', 'Preflight']);
  });

  it('never under an attempt that was used: the Jobs of a revision that somebody deleted prove nothing', () => {
    const start = effectOf(decided({ ...wished, jobs: [{ state: 'Complete' }] }), 'CreateRevision');
    expect([start.revision, start.facts.attempt]).to.deep.equal(['r2', 3]);
  });

  it('says what keeps the answer, and asks again', () => {
    const unanswered = 'failed calling webhook "policy.example.com"';
    const observations = { preflight: { key: '1/v2/1', at: NOON, problems: [], unanswered } };
    const soon = decided({ ...idle, source: { fingerprint: 'v2' }, observations });
    expect([soon.phase, soon.reason, soon.effects]).to.deep.equal(['Idle', 'PreflightUnanswered', []]);
    expect(soon.message).to.match(/whether they accept the release: failed calling webhook "policy/);
    expect(soon.plan.requests).to.deep.equal([]);
    const later = decided({ ...idle, now: NOON + 15 * SECOND, source: { fingerprint: 'v2' }, observations });
    expect(later.plan.requests).to.deep.equal([{ kind: 'Preflight', key: '1/v2/1' }]);
  });

  it('not for a revision that was rejected', () => {
    const { phase, reason, message, effects } = decided({ ...wished, revisions: { r1, r2: r2RolledBack } });
    expect([phase, reason, effects]).to.deep.equal(['RolledBack', 'RevisionRejected', []]);
    expect(message).to.equal(
      'revision r2 was rejected and is not tried again by itself (too many errors); change the Deployment, or annotate bluegreen.dev/action=retry@2',
    );
  });

  it('for a rejected revision when a person asks: under a new name', () => {
    const result = decided({
      ...wished,
      revisions: { r1, r2: r2RolledBack },
      release: { action: 'retry@2' },
    });
    expect(result.effects).to.deep.equal(['CreateRevision r3 from source']);
    expect(effectOf(result, 'CreateRevision').facts.attempt).to.equal(3);
  });

  it('again for an inconclusive revision when its time has come, under the same name', () => {
    const outcome = { kind: 'Inconclusive' as const, at: NOON, reason: 'GateTimedOut', message: 'too slow' };
    const inconclusive = { count: 1, retryAt: NOON + 30 * SECOND };
    const picture = { ...wished, revisions: { r1, r2: { ...r2Validated, outcome, inconclusive } } };
    const waiting = decided(picture);
    expect([waiting.phase, waiting.reason, waiting.effects]).to.deep.equal(['Failed', 'GateTimedOut', []]);
    expect(waiting.message).to.equal('too slow; trying revision r2 again at 2026-06-01T12:00:30Z');
    expect(waiting.plan.lookAgainAt).to.equal(NOON + 30 * SECOND);
    const due = decided({ ...picture, now: NOON + 30 * SECOND });
    expect(effectOf(due, 'RecordFacts').facts).to.deep.equal({
      color: 'green',
      attempt: 3,
      startedAt: NOON + 30 * SECOND,
      inconclusive,
    });
  });

  it('for a superseded revision that is wished for once more', () => {
    const outcome = { kind: 'Superseded' as const, at: NOON, reason: 'Superseded', message: '' };
    const result = decided({ ...wished, revisions: { r1, r2: { ...r2, outcome } } });
    expect(result.effects).to.deep.equal(['RecordFacts r2']);
    expect(effectOf(result, 'RecordFacts').facts.attempt).to.equal(3);
  });
});

describe('the candidate is built', () => {
  it('as large as what production has ready now', () => {
    const { reason, effects } = decided(started);
    expect([reason, effects]).to.deep.equal(['BuildingCandidate', ['WriteColor green r2, 3 replicas']]);
  });

  it('larger when production grew meanwhile, and never smaller', () => {
    const grown = { ...built, blue: { revision: 'r1', ready: 5 } };
    expect(decided(grown).effects).to.deep.equal(['ScaleColor green 3 -> 5']);
    const shrunk = decided({ ...built, blue: { revision: 'r1', ready: 2 } });
    expect(shrunk.effects).to.deep.equal(['RecordFacts r2']);
  });

  it('with half of the pods where that is said', () => {
    const { effects } = decided({ ...started, spec: { capacity: { candidate: '50%' } } });
    expect(effects).to.deep.equal(['WriteColor green r2, 2 replicas']);
  });

  it('with its own minimum where production is dead: a fix waits for nobody', () => {
    const dead = { ...started, blue: { revision: 'r1', desired: 3, ready: 0 } };
    expect(decided(dead).effects).to.deep.equal(['WriteColor green r2, 3 replicas']);
    const ready = decided({ ...dead, green: { revision: 'r2', ready: 3 } });
    expect(ready.reason).to.equal('Validated');
  });

  it('anew where somebody edited it', () => {
    const edited = editDeployment(world(built), 'green', { matches: false });
    expect(decidedOn(edited).effects).to.deep.equal(['WriteColor green r2, 3 replicas']);
  });

  it('only after the connections made before the last switch have drained', () => {
    const busy = { ...started, now: NOON, green: { revision: 'r0', ready: 3 } };
    const recent = { ...r1, verifiedAt: NOON - 20 * SECOND };
    const waiting = decided({ ...busy, revisions: { r1: recent, r2 } });
    expect([waiting.reason, waiting.effects]).to.deep.equal(['Draining', []]);
    expect(waiting.plan.lookAgainAt).to.equal(NOON + 10 * SECOND);
    const drained = decided({ ...busy, now: NOON + 10 * SECOND, revisions: { r1: recent, r2 } });
    expect(drained.effects).to.deep.equal(['WriteColor green r2, 3 replicas']);
  });

  it('only after the connections to a side that gave the traffic back have drained', () => {
    const lost = { kind: 'RolledBack' as const, at: NOON - 20 * SECOND, reason: 'Reverted', message: '' };
    const reverted = { ...r2Committed, outcome: lost };
    const r3 = { ...r2, attempt: 3 };
    const busy = {
      ...started,
      source: { fingerprint: 'v3' },
      mark: BACK_1,
      green: { revision: 'r2', ready: 3 },
      revisions: { r1, r2: reverted, r3 },
    };
    const waiting = decided(busy);
    expect([waiting.reason, waiting.effects]).to.deep.equal(['Draining', []]);
    expect(waiting.plan.lookAgainAt).to.equal(NOON + 10 * SECOND);
    const drained = decided({ ...busy, now: NOON + 10 * SECOND });
    expect(drained.effects).to.deep.equal(['WriteColor green r3, 3 replicas']);
  });

  it('never on a colour that a Service selects', () => {
    const confused = { ...started, revisions: { r1, r2: { ...r2, color: 'blue' as const } } };
    const { phase, effects } = decided(confused);
    expect([phase, effects]).to.deep.equal(['Failed', ['RecordFacts r2 Inconclusive']]);
  });

  it('never on a colour that a Service selects, though it is astray, nor where the facts say that production is', () => {
    const stray = world({ ...started, services: ['checkout', 'till'] });
    const services = stray.services.map((service) =>
      service.name === 'till' ? { ...service, selector: { [LABEL]: 'green' } } : service,
    );
    const facts = world({ ...started, route: undefined, revisions: { r1, r2: { ...r2, color: 'blue' } } });
    for (const [snapshot, color] of [
      [{ ...stray, services }, 'green'],
      [facts, 'blue'],
    ] as const) {
      const { phase, reason, message } = preparing(snapshot, rolesOf(snapshot));
      expect([phase, reason, message]).to.deep.equal([
        'Failed',
        'ColorTaken',
        `revision r2 was to be built on ${color}, which has the traffic`,
      ]);
    }
  });

  it('and stays where it is built already, whatever drains', () => {
    const recent = { ...r1, verifiedAt: NOON - 20 * SECOND };
    expect(decided({ ...built, revisions: { r1: recent, r2 } }).reason).to.equal('Validated');
  });
});

describe('the candidate is proven', () => {
  const green = (side: SidePicture, more: Picture = {}) => decided({ ...started, green: side, ...more });

  it('it waits for readiness until the deadline', () => {
    const { phase, reason, message, plan } = green({ revision: 'r2', desired: 3, ready: 1 });
    expect([phase, reason]).to.deep.equal(['Preparing', 'WaitingForReadiness']);
    expect(message).to.equal('1 of 3 green pods are ready, waiting until 2026-06-01T12:09:00Z');
    expect(plan.lookAgainAt).to.equal(NOON + 9 * MINUTE);
    expect(plan.status.gates).to.deep.equal([{ name: 'readiness', state: 'Running', message }]);
  });

  const crashing = { reason: 'CrashLoopBackOff', container: 'app', restarts: 4 };
  const pulling = { reason: 'ImagePullBackOff', container: 'app', restarts: 0 };
  const late = { now: NOON + 9 * MINUTE };
  const troubles: [string, SidePicture, string, string, string][] = [
    [
      'a crash is the candidate’s fault',
      { revision: 'r2', desired: 3, pods: [{ trouble: crashing }, {}, {}] },
      'Failed',
      'CandidateCrashed',
      '0 of 3 green pods are ready after 600 seconds: pod checkout-green-0, container app: CrashLoopBackOff after 4 restarts',
    ],
    [
      'an image that cannot be pulled is nobody’s',
      { revision: 'r2', desired: 3, pods: [{ trouble: pulling }, {}, {}] },
      'Inconclusive',
      'PreparationDeadlineExceeded',
      '0 of 3 green pods are ready after 600 seconds: pod checkout-green-0, container app: ImagePullBackOff',
    ],
    [
      'nor is a quota',
      { revision: 'r2', desired: 3, pods: [], deployment: { replicaFailure: 'exceeded quota: pods=3' } },
      'Inconclusive',
      'PreparationDeadlineExceeded',
      '0 of 3 green pods are ready after 600 seconds: exceeded quota: pods=3',
    ],
    [
      'nor is a cluster without room',
      { revision: 'r2', desired: 3, pods: [{ unschedulable: '0/5 nodes are available' }, {}, {}] },
      'Inconclusive',
      'PreparationDeadlineExceeded',
      '0 of 3 green pods are ready after 600 seconds: pod checkout-green-0: 0/5 nodes are available',
    ],
    [
      'nor is slowness',
      { revision: 'r2', desired: 3, ready: 2 },
      'Inconclusive',
      'PreparationDeadlineExceeded',
      '2 of 3 green pods are ready after 600 seconds',
    ],
  ];
  for (const [name, side, kind, reason, message] of troubles) {
    it(`${name}: ${kind}`, () => {
      const early = green(side);
      expect([early.phase, early.effects]).to.deep.equal(['Preparing', []]);
      const result = green(side, late);
      expect([result.phase, result.reason, result.message]).to.deep.equal(['Failed', reason, message]);
      const { outcome, rejected, inconclusive } = effectOf(result, 'RecordFacts').facts;
      expect(outcome).to.deep.equal({ kind, at: late.now, reason, message });
      expect(rejected !== undefined).to.equal(kind === 'Failed');
      expect(inconclusive).to.deep.equal(
        kind === 'Failed' ? undefined : { count: 1, retryAt: late.now + 30 * SECOND },
      );
    });
  }

  it('the wait doubles with each inconclusive attempt, up to half an hour', () => {
    const after = (count: number) => {
      const facts = { ...r2, attempt: count + 2, inconclusive: { count, retryAt: NOON } };
      const result = green(
        { revision: 'r2', desired: 3, ready: 2 },
        { ...late, revisions: { r1, r2: facts } },
      );
      return (effectOf(result, 'RecordFacts').facts.inconclusive?.retryAt ?? 0) - late.now;
    };
    expect([1, 2, 5, 6, 20, 2000].map(after)).to.deep.equal(
      [60, 120, 960, 1800, 1800, 1800].map((seconds) => seconds * SECOND),
    );
  });

  it('pods of an older template do not count', () => {
    const mixed = green({
      revision: 'r2',
      ready: 3,
      pods: [{ revision: 'r0' }, {}, {}],
    });
    expect([mixed.reason, mixed.effects]).to.deep.equal(['WaitingForReadiness', []]);
    const unseen = editDeployment(world(built), 'green', { observed: false });
    expect(decidedOn(unseen).effects).to.deep.equal([]);
  });

  it('with readiness alone it is validated, and that is a fact before the switch', () => {
    const result = decided(built);
    expect([result.phase, result.reason]).to.deep.equal(['Validating', 'Validated']);
    expect(effectOf(result, 'RecordFacts').facts).to.deep.equal({ ...r2, validatedAt: NOON });
  });

  it('with how long the slowest of its pods took to start: a rollback to it would wait for that', () => {
    const pods = [12, 7, 9].map((seconds) => ({
      createdAt: NOON - 30 * SECOND,
      readySince: NOON - 30 * SECOND + seconds * SECOND,
    }));
    const result = decided({ ...built, green: { revision: 'r2', ready: 3, pods } });
    expect(effectOf(result, 'RecordFacts').facts).to.deep.equal({
      ...r2,
      validatedAt: NOON,
      startUpSeconds: 12,
    });
  });

  it('gates run in order, each as a Job', () => {
    const first = decided(gated);
    expect([first.phase, first.effects]).to.deep.equal(['Validating', ['CreateJob smoke for r2']]);
    expect(first.plan.status.gates?.map(({ name, state }) => [name, state])).to.deep.equal([
      ['readiness', 'Passed'],
      ['smoke', 'Running'],
      ['load', 'Pending'],
    ]);
    const second = decided({ ...gated, jobs: [{ state: 'Complete' }] });
    expect(second.effects).to.deep.equal(['CreateJob load for r2']);
    const both = [{ state: 'Complete' as const }, { gate: 'load', state: 'Complete' as const }];
    expect(decided({ ...gated, jobs: both }).effects).to.deep.equal(['RecordFacts r2']);
  });

  it('a Job that runs is waited for', () => {
    const { reason, message, effects } = decided({ ...gated, jobs: [{}] });
    expect([reason, effects]).to.deep.equal(['JobRunning', []]);
    expect(message).to.equal('gate "smoke": waiting for Job checkout-smoke-2, for at most 300 seconds');
  });

  it('a Job that failed rejects the revision with the words of its last pod', () => {
    const result = decided({ ...gated, jobs: [{ state: 'Failed', message: 'checkout answered 500' }] });
    expect([result.phase, result.reason]).to.deep.equal(['Failed', 'GateFailed']);
    expect(result.message).to.equal('gate "smoke": Job checkout-smoke-2 failed: checkout answered 500');
    expect(effectOf(result, 'RecordFacts').facts.rejected?.reason).to.equal('GateFailed');
  });

  it('a Job that took too long blames nobody', () => {
    const result = decided({ ...gated, jobs: [{ state: 'Failed', deadlineExceeded: true }] });
    expect(result.reason).to.equal('GateTimedOut');
    const { outcome, rejected } = effectOf(result, 'RecordFacts').facts;
    expect([outcome?.kind, rejected]).to.deep.equal(['Inconclusive', undefined]);
  });

  it('the Job of an earlier attempt, or of another revision, proves nothing', () => {
    for (const stale of [{ attempt: 1 }, { revision: 'r1' }]) {
      const { effects } = decided({ ...gated, jobs: [{ state: 'Complete', ...stale }] });
      expect(effects).to.deep.equal(['CreateJob smoke for r2']);
    }
  });

  it('gates are those that were frozen with the revision, not those of today', () => {
    const snapshot = world(gated);
    const spec = { ...snapshot.release.spec, gates: [] };
    expect(decidedOn({ ...snapshot, release: { ...snapshot.release, spec } }).effects).to.deep.equal([
      'CreateJob smoke for r2',
    ]);
  });

  it('the switch comes last, with the mark in the same patch', () => {
    const result = decided(validated);
    expect([result.phase, result.effects]).to.deep.equal(['Switching', ['PatchSelector checkout -> green']]);
    expect(effectOf(result, 'PatchSelector')).to.deep.include({
      mark: { uid: UID, revision: 'r2', attempt: 2, direction: 'Forward' },
      rescue: false,
      decidedAt: NOON,
      reason: 'Validated: all gates passed and 3 green pods are ready: moving the traffic to revision r2',
    });
  });

  it('a validated candidate that lost a pod is waited for before the switch', () => {
    const { phase, effects } = decided({ ...validated, green: { revision: 'r2', desired: 3, ready: 2 } });
    expect([phase, effects]).to.deep.equal(['Preparing', []]);
    const gatesRan = decided({
      ...validated,
      jobs: [{ state: 'Complete' }],
      green: { revision: 'r2', desired: 3, ready: 2 },
    });
    expect([gatesRan.phase, gatesRan.effects]).to.deep.equal(['Preparing', []]);
  });

  it('a validated candidate waits for people where a Service is gone', () => {
    const { phase, reason, effects, plan } = decided({ ...validated, service: { found: false } });
    expect([phase, reason, effects]).to.deep.equal(['Stalled', 'ServiceNotFound', []]);
    expect([plan.verdict.stalled, plan.lookAgainAt]).to.deep.equal([true, NOON + 2 * SECOND]);
  });
});

describe('a release ends before its switch', () => {
  it('when another content is wished for: its candidate is superseded', () => {
    for (const picture of [started, built, gated]) {
      const result = decided({ ...picture, source: { fingerprint: 'v3' } });
      expect([result.reason, result.effects]).to.deep.equal(['Superseded', ['RecordFacts r2 Superseded']]);
      expect(effectOf(result, 'RecordFacts').facts.rejected).to.equal(undefined);
    }
  });

  it('but not once it has passed its gates: a stream of new contents would let none of them serve', () => {
    const { reason, effects } = decided({ ...validated, source: { fingerprint: 'v3' } });
    expect([reason, effects]).to.deep.equal(['Switching', ['PatchSelector checkout -> green']]);
  });

  it('when the active content is wished for again', () => {
    expect(decided({ ...validated, source: { fingerprint: 'v1' } }).effects).to.deep.equal([
      'RecordFacts r2 Superseded',
    ]);
  });

  it('not because the Deployment vanished: the revision is frozen', () => {
    expect(decided({ ...validated, source: null }).effects).to.deep.equal([
      'PatchSelector checkout -> green',
    ]);
    expect(decided({ ...built, source: null }).reason).to.equal('Validated');
  });

  it('not while something is missing that the other content names: it may well be the same again', () => {
    const missing = [
      { kind: 'ConfigMap', name: 'settings', field: 'spec.config', forbidden: false } as const,
    ];
    const picture = { ...built, source: { fingerprint: 'v3' }, config: { missing } };
    expect(decided(picture).reason).to.equal('Validated');
    expect(decided({ ...picture, config: {} }).reason).to.equal('Superseded');
  });

  it('when a person aborts it', () => {
    const result = decided({ ...validated, release: { action: 'abort@2' } });
    expect([result.phase, result.reason, result.effects]).to.deep.equal([
      'Failed',
      'Aborted',
      ['RecordFacts r2 Failed'],
    ]);
  });

  it('not because a person aborted an earlier attempt', () => {
    expect(decided({ ...validated, release: { action: 'abort@1' } }).effects).to.deep.equal([
      'PatchSelector checkout -> green',
    ]);
  });

  it('suspended, it goes no further than where it is', () => {
    for (const picture of [started, built, validated]) {
      const { phase, effects } = decided({ ...picture, spec: { suspend: true } });
      expect([phase, effects]).to.deep.equal(['Suspended', []]);
    }
  });
});

describe('the candidate of a release that ended', () => {
  const ended = (kind: 'Failed' | 'Superseded' | 'Inconclusive', more: Picture = {}) =>
    decided({
      ...built,
      source: {},
      revisions: { r1, r2: { ...r2, outcome: { kind, at: NOON, reason: kind, message: '' } } },
      ...more,
    });

  it('is scaled to 0', () => {
    for (const kind of ['Failed', 'Superseded', 'Inconclusive'] as const) {
      expect(ended(kind).effects).to.deep.equal(['ScaleColor green 3 -> 0']);
    }
  });

  it('makes room for the rollback target whose window is still open', () => {
    const r3 = { ...r2, color: 'blue' as const, attempt: 3, validatedAt: undefined };
    const outcome = { kind: 'Failed' as const, at: NOON, reason: 'GateFailed', message: '' };
    const open = { ...r2Validated, verifiedAt: NOON - HOUR, verifiedReady: 3, windowUntil: NOON + HOUR };
    const committed = { kind: 'Committed' as const, at: NOON - HOUR, reason: 'Committed', message: '' };
    const { effects } = decided({
      ...built,
      source: { fingerprint: 'v2' },
      route: 'green',
      mark: `${UID}/r2/2`,
      blue: { revision: 'r3', ready: 3 },
      revisions: {
        r1,
        r2: { ...open, committedAt: NOON - HOUR, outcome: committed },
        r3: { color: r3.color, attempt: 3, startedAt: NOON, outcome },
      },
    });
    expect(effects).to.deep.equal(['WriteColor blue r1, 3 replicas']);
  });
});

it('a Service that selects the candidate’s colour by somebody’s hand is put back first', () => {
  const astray = editServices(world(built), {
    selector: { app: 'checkout', 'bluegreen.dev/color': 'green' },
  });
  expect(decidedOn(astray).effects).to.deep.equal(['PatchSelector checkout -> blue']);
});

describe('a candidate that loses a pod while its gates run', () => {
  /** Started half an hour ago: the ten minutes that it had are long over. */
  const facts = { ...r2, startedAt: NOON - 30 * MINUTE };
  const lost: Picture = {
    ...gated,
    jobs: [{}],
    green: { revision: 'r2', desired: 3, ready: 2 },
    revisions: { r1, r2: facts },
  };
  const known = { ...lost, revisions: { r1, r2: { ...facts, unreadySince: NOON - MINUTE } } };

  it('has the whole time again to become ready', () => {
    const noticed = decided(lost);
    expect([noticed.phase, noticed.reason]).to.deep.equal(['Preparing', 'NoLongerReady']);
    expect(effectOf(noticed, 'RecordFacts').facts).to.deep.equal({ ...facts, unreadySince: NOON });
    const waiting = decided(known);
    expect([waiting.phase, waiting.effects]).to.deep.equal(['Preparing', []]);
    expect(waiting.plan.lookAgainAt).to.equal(NOON + 9 * MINUTE);
  });

  it('but no longer', () => {
    const { reason } = decided({ ...known, now: NOON + 9 * MINUTE });
    expect(reason).to.equal('PreparationDeadlineExceeded');
  });

  it('goes on with its gates when it is ready again', () => {
    const again = decided({ ...known, green: { revision: 'r2', ready: 3 } });
    expect(effectOf(again, 'RecordFacts').facts).to.deep.equal(facts);
  });

  it('before the first gate it has the time that it was given once', () => {
    for (const jobs of [[], [{ attempt: 1 }], [{ revision: 'r1' }]])
      expect(decided({ ...lost, jobs }).reason).to.equal('PreparationDeadlineExceeded');
  });
});

describe('while a release is under way', () => {
  const idler = { ...built, spec: { gates: [smoke] }, jobs: [{}] };

  it('production grows when people ask for more, and is not made smaller', () => {
    const spec = { ...idler.spec, replicas: 5 };
    expect(decided({ ...idler, spec }).effects).to.deep.equal([
      'ScaleColor blue 3 -> 5',
      'ScaleColor green 3 -> 5',
    ]);
    expect(decided({ ...idler, spec: { ...spec, replicas: 2 } }).effects).to.deep.equal([]);
    expect(decided({ ...idler, spec: { ...spec, suspend: true } }).effects).to.deep.equal([
      'ScaleColor blue 3 -> 5',
    ]);
  });

  it('a Deployment of the active colour that is deleted comes back in every stage', () => {
    const { blue: _, ...without } = idler;
    const again = 'WriteColor blue r1, 3 replicas';
    expect(decided(without).effects).to.include(again);
    expect(decided({ ...without, spec: { suspend: true } }).effects).to.include(again);
    const { blue: __, ...back } = returning;
    expect(decided(back).effects).to.include(again);
  });
});

import { expect } from 'chai';
import type { Measurement } from '../../../src/analysis/measurement.ts';
import type { ServiceView } from '../../../src/release/snapshot.ts';
import { decided, decidedOn, effectOf } from './decided.ts';
import {
  committed,
  idle,
  observed,
  r1,
  r2Committed,
  r2RolledBack,
  r2Validated,
  r2Verified,
  returning,
  rolledBack,
  switched,
  validated,
} from './situations.ts';
import {
  editDeployment,
  editServices,
  endpointsOf,
  HOUR,
  MINUTE,
  NOON,
  type Picture,
  SECOND,
  UID,
  world,
} from './world.ts';

/** r1 can no longer take over. */
const lost = { ...r1, rejected: { at: NOON - MINUTE, reason: 'CheckFailed', message: 'too many errors' } };
const TO_BLUE = 'PatchSelector checkout -> blue';

describe('the switch is verified', () => {
  const blueStill = { endpoints: endpointsOf(world(switched).sides.blue.pods) };

  it('by endpoints that are green pods only', () => {
    const result = decided(switched);
    expect([result.phase, result.reason]).to.deep.equal(['Observing', 'SwitchVerified']);
    expect(effectOf(result, 'RecordFacts').facts).to.deep.equal({
      ...r2Validated,
      decidedAt: NOON - 5 * SECOND,
      verifiedAt: NOON,
      verifiedReady: 3,
    });
  });

  it('and waits for them for convergeSeconds', () => {
    const { reason, message, effects, plan } = decidedOn(editServices(world(switched), blueStill));
    expect([reason, effects]).to.deep.equal(['WaitingForEndpoints', []]);
    expect(message).to.equal(
      'Service "checkout" has 0 ready green endpoints and 3 of other pods, waiting until 2026-06-01T12:00:25Z',
    );
    expect(plan.lookAgainAt).to.equal(NOON + 25 * SECOND);
  });

  it('at a Service that was replaced meanwhile, once it is ours again: its endpoints are not heard of before', () => {
    const replaced = { labelled: false, endpoints: [] };
    const { phase, effects } = decidedOn(editServices(world(switched), replaced));
    expect([phase, effects]).to.deep.equal(['Switching', ['ClaimService checkout']]);
    const back = decidedOn(editServices(world(returning), replaced));
    expect([back.phase, back.effects]).to.deep.equal(['RollingBack', ['ClaimService checkout']]);
  });

  it('and goes back when they have not followed by then', () => {
    const late = editServices(world({ ...switched, now: NOON + 25 * SECOND }), blueStill);
    const result = decidedOn(late);
    expect([result.phase, result.reason, result.effects]).to.deep.equal([
      'RollingBack',
      'SwitchNotConverged',
      [TO_BLUE],
    ]);
    expect(effectOf(result, 'PatchSelector')).to.deep.include({
      mark: { uid: UID, revision: 'r1', attempt: 2, direction: 'Back' },
      rescue: true,
      reason:
        'SwitchNotConverged: Service "checkout" has 0 ready green endpoints and 3 of other pods after 30 seconds',
    });
  });

  it('and says which Service is gone meanwhile', () => {
    const gone = editServices(world(switched), { found: false, endpoints: [] });
    const { phase, reason, message } = decidedOn(gone);
    expect([phase, reason, message]).to.deep.equal([
      'Split',
      'ServiceNotFound',
      'Service "checkout" does not exist any more, waiting until 2026-06-01T12:00:25Z',
    ]);
  });

  it('and goes on waiting where nothing could be gone back to', () => {
    const alone = { ...switched, now: NOON + 25 * SECOND, revisions: { r1: lost, r2: r2Validated } };
    const { reason, message, effects, plan } = decidedOn(editServices(world(alone), blueStill));
    expect([reason, effects, plan.verdict.lookAgainAt]).to.deep.equal(['WaitingForEndpoints', [], undefined]);
    expect(message).to.equal(
      'Service "checkout" has 0 ready green endpoints and 3 of other pods, waiting until 2026-06-01T12:00:25Z',
    );
  });

  it('a pod that is ready through one port only is half a pod', () => {
    const green = world(switched).sides.green.pods;
    const grpc = (pods: typeof green) => endpointsOf(pods).map((each) => ({ ...each, group: 'IPv4/grpc' }));
    const whole = [...endpointsOf(green), ...grpc(green)];
    const half = [...endpointsOf(green), ...grpc(green.slice(0, 1))];
    const [service] = world(switched).services;
    if (service === undefined) throw new Error('there is a Service');
    const twins = { ...service.twins, green: { ...service.twins.green, endpoints: whole } };
    const behind = decidedOn(editServices(world(switched), { endpoints: half, twins }));
    expect(behind.reason).to.equal('WaitingForEndpoints');
    expect(decidedOn(editServices(world(switched), { endpoints: whole, twins })).reason).to.equal(
      'SwitchVerified',
    );
  });

  for (const reason of ['SwitchNotConverged', 'ServiceRefused', 'CredentialsNotPublished']) {
    it(`and watches on what was to go back for ${reason}, once the switch is proven after all`, () => {
      const returnWanted = { at: NOON - SECOND, reason, message: 'no' };
      const dead = { revision: 'r1', desired: 3, ready: 0 };
      const result = decided({
        ...observed,
        blue: dead,
        revisions: { r1, r2: { ...r2Verified, returnWanted } },
      });
      expect([result.phase, result.reason, result.effects]).to.deep.equal([
        'Observing',
        'ReturnForgotten',
        ['RecordFacts r2'],
      ]);
      expect(result.message).to.equal('the switch to green is proven after all: revision r2 is watched on');
      expect(effectOf(result, 'RecordFacts').facts.returnWanted).to.equal(undefined);
    });
  }

  it('the switch that did not converge is inconclusive, not rejected', () => {
    const result = decided({
      ...returning,
      switchReason: 'SwitchNotConverged: 0 endpoints',
      revisions: { r1, r2: r2Validated },
    });
    const { outcome, rejected, inconclusive } = effectOf(result, 'RecordFacts').facts;
    expect([outcome?.kind, rejected, inconclusive]).to.deep.equal([
      'RolledBack',
      undefined,
      { count: 1, retryAt: NOON + 30 * SECOND },
    ]);
  });
});

const check = {
  name: 'errors',
  intervalSeconds: 10,
  failureLimit: 2,
  prometheus: { query: 'errors', max: '0.01' },
};
const watched: Picture = { ...observed, spec: { observation: { checks: [check] } } };

const VALUES = { g: 0.001, b: 0.5 } as const;
/** 'g' good, 'b' bad, 'u' unknown; one second apart, the last one now. */
const measured = (letters: string, now = NOON): Measurement[] =>
  Array.from(letters, (letter, index): Measurement => {
    const at = now - (letters.length - 1 - index) * SECOND;
    if (letter === 'u') return { at, verdict: 'Unknown', reason: 'NoData', message: 'no data' };
    const value = VALUES[letter as 'g' | 'b'];
    return letter === 'g'
      ? { at, verdict: 'Good', reason: 'WithinBounds', value, message: `${value} is at most 0.01` }
      : { at, verdict: 'Bad', reason: 'AboveMax', value, message: `${value} is above 0.01` };
  });

const seen = (letters: string, more: Picture = {}) => {
  const now = more.now ?? NOON;
  return decided({ ...watched, ...more, observations: { measurements: { errors: measured(letters, now) } } });
};
const afterwards = { now: NOON + 10 * MINUTE };

describe('the new side is watched', () => {
  it('until durationSeconds are over', () => {
    const { phase, message, effects, plan } = decided(observed);
    expect([phase, effects]).to.deep.equal(['Observing', []]);
    expect(message).to.equal('revision r2 (green) has the traffic and is watched until 2026-06-01T12:09:55Z');
    expect(plan.lookAgainAt, 'the capacity locks end').to.equal(NOON + 55 * SECOND);
  });

  it('then it is committed, and the window opens', () => {
    const result = decided({ ...observed, ...afterwards });
    expect([result.phase, result.effects]).to.deep.equal(['Committed', ['RecordFacts r2 Committed']]);
    expect(effectOf(result, 'RecordFacts').facts).to.deep.include({
      committedAt: afterwards.now,
      windowUntil: afterwards.now + 48 * HOUR,
    });
  });

  it('the first measurement is taken one interval after the proof, the next ones on time', () => {
    expect(seen('').plan.requests).to.deep.equal([]);
    const due = seen('', { now: NOON + 5 * SECOND });
    expect(due.plan.requests.map((request) => request.kind)).to.deep.equal(['Measure']);
    expect(seen('g', { now: NOON + MINUTE }).plan.requests).to.deep.equal([]);
  });

  it('a measurement from before the proof does not count', () => {
    const early = measured('bb', NOON - 6 * SECOND);
    const { effects } = decided({ ...watched, observations: { measurements: { errors: early } } });
    expect(effects).to.deep.equal([]);
  });

  it('one bad measurement is not enough, two in a row are', () => {
    expect(seen('b').effects).to.deep.equal([]);
    const result = seen('bb');
    expect([result.phase, result.reason, result.effects]).to.deep.equal([
      'RollingBack',
      'CheckFailed',
      [TO_BLUE],
    ]);
    expect(result.message).to.equal(
      'check "errors" failed 2 times in a row: 0.5 is above 0.01; putting the traffic back to blue (revision r1)',
    );
  });

  it('unknown is neither bad nor good: it holds the commit', () => {
    expect(seen('buu').effects).to.deep.equal([]);
    const { phase, message, effects } = seen('guu', afterwards);
    expect([phase, effects]).to.deep.equal(['Held', []]);
    expect(message).to.equal(
      'check "errors" is unknown: no data; revision r2 keeps the traffic and is not committed until that is known (bluegreen.dev/action=promote@2 or rollback@2 decides it)',
    );
  });

  it('never measured holds the commit too', () => {
    expect(seen('', afterwards).phase).to.equal('Held');
  });

  it('one bad measurement holds the commit until a good one follows', () => {
    expect(seen('gb', afterwards).phase).to.equal('Held');
    expect(seen('gbg', afterwards).phase).to.equal('Committed');
  });

  it('is measured on where nothing can be gone back to', () => {
    const alone = { now: NOON + 10 * SECOND, revisions: { r1: lost, r2: r2Verified } };
    const { reason, message, plan } = seen('bb', { ...alone, now: NOON });
    expect([reason, plan.requests]).to.deep.equal(['RollbackImpossible', []]);
    expect(message).to.match(/because no side is able to take over$/);
    const later = decided({
      ...watched,
      ...alone,
      observations: { measurements: { errors: measured('bb', NOON) } },
    });
    expect(later.plan.requests.map((request) => request.kind)).to.deep.equal(['Measure']);
  });

  it('is kept as it should be where nothing can be gone back to: its pods come back', () => {
    const returnWanted = { at: NOON - SECOND, reason: 'CheckFailed', message: 'too many errors' };
    const alone = { revisions: { r1: lost, r2: { ...r2Verified, returnWanted } } };
    for (const [what, green, effect] of [
      ['scaled to 0', { revision: 'r2', desired: 0, ready: 0 }, 'ScaleColor green 0 -> 3'],
      ['deleted', {}, 'WriteColor green r2, 3 replicas'],
    ] as const) {
      const { reason, message, effects, plan } = seen('bb', { ...alone, green });
      expect(plan.lookAgainAt, 'when its autoscaler is its own again').to.equal(NOON + 55 * SECOND);
      expect([reason, effects], what).to.deep.equal(['RollbackImpossible', [effect]]);
      expect(message, what).to.match(/because no side is able to take over; green is to h/);
    }
  });

  const modes = { Ignore: ['Committed', 'Committed'], Fail: ['RollingBack', 'Held'] } as const;
  for (const [onUnknown, [twice, never]] of Object.entries(modes)) {
    it(`onUnknown ${onUnknown}: unknown twice is ${twice}, never measured is ${never}`, () => {
      const spec = {
        observation: { checks: [{ ...check, onUnknown: onUnknown as 'Ignore' | 'Fail' }] },
      };
      expect(seen('uu', { spec, ...afterwards }).phase).to.equal(twice);
      expect(seen('', { spec, ...afterwards }).phase).to.equal(never);
    });
  }

  it('promote commits what is held, rollback puts it back', () => {
    const held = { ...afterwards, release: { action: 'promote@2' } };
    expect(seen('guu', held).effects).to.deep.equal(['RecordFacts r2 Committed']);
    const back = seen('guu', { ...afterwards, release: { action: 'rollback@2' } });
    expect([back.reason, back.effects]).to.deep.equal(['Requested', [TO_BLUE]]);
  });

  it('promote that is given before the switch waits for it, and says that nothing will be watched', () => {
    const early = decided({ ...validated, release: { action: 'promote@2' } });
    expect(early.effects).to.deep.equal(['PatchSelector checkout -> green']);
    expect(early.message).to.match(
      /; promote@2 waits until the traffic has moved, and then commits without a watch$/,
    );
  });

  it('an order for an earlier attempt is not obeyed', () => {
    expect(seen('guu', { ...afterwards, release: { action: 'promote@1' } }).phase).to.equal('Held');
    expect(seen('guu', { ...afterwards, release: { action: 'promote@02' } }).phase).to.equal('Held');
    expect(seen('guu', { ...afterwards, release: { action: 'promote' } }).phase).to.equal('Held');
  });

  it('a new revision waits for the commit', () => {
    expect(decided({ ...observed, source: { fingerprint: 'v3' } }).effects).to.deep.equal([]);
  });

  it('the content of the old side, wished for again, is a rollback and not a rejection', () => {
    const result = decided({ ...observed, source: { fingerprint: 'v1' } });
    expect([result.reason, result.effects]).to.deep.equal(['Reverted', [TO_BLUE]]);
    const done = decided({
      ...returning,
      source: { fingerprint: 'v1' },
      switchReason: 'Reverted: the Deployment says what revision r1 is, which stands by',
    });
    expect(effectOf(done, 'RecordFacts').facts.rejected).to.equal(undefined);
  });

  it('and no longer, once people wish for what has the traffic again, while the old side is not ready', () => {
    const message = 'the Deployment says what revision r1 is, which stands by';
    const wanted = { ...r2Verified, returnWanted: { at: NOON - MINUTE, reason: 'Reverted', message } };
    const picture = {
      ...observed,
      revisions: { r1, r2: wanted },
      blue: { revision: 'r1', desired: 3, ready: 0 },
    };
    const reverted = decided({ ...picture, source: { fingerprint: 'v1' } });
    expect([reverted.phase, reverted.reason]).to.deep.equal(['RollingBack', 'Reverted']);
    const result = decided(picture);
    expect([result.phase, result.reason, result.effects]).to.deep.equal([
      'Observing',
      'ReturnForgotten',
      ['RecordFacts r2'],
    ]);
    expect(result.message).to.equal(
      'the Deployment says what has the traffic again: revision r2 is watched on',
    );
    expect(effectOf(result, 'RecordFacts').facts).to.deep.equal(r2Verified);
    const failed = { ...wanted, returnWanted: { ...wanted.returnWanted, reason: 'CheckFailed' } };
    expect(decided({ ...picture, revisions: { r1, r2: failed } }).reason).to.equal('CheckFailed');
  });

  it('suspended, it is watched and put back all the same', () => {
    const spec = { observation: { checks: [check] }, suspend: true };
    expect(seen('bb', { spec }).effects).to.deep.equal([TO_BLUE]);
  });

  it('the old side grows with production, and never shrinks', () => {
    const grown = { ...observed, green: { revision: 'r2', ready: 5 } };
    expect(decided(grown).effects).to.deep.equal(['ScaleColor blue 3 -> 5']);
    expect(decided({ ...observed, blue: { revision: 'r1', ready: 6 } }).effects).to.deep.equal([]);
  });

  it('the old side is built again when somebody deletes or edits it', () => {
    const { blue: _, ...without } = observed;
    expect(decided(without).effects).to.deep.equal(['WriteColor blue r1, 3 replicas']);
    const edited = editDeployment(world(observed), 'blue', { matches: false });
    expect(decidedOn(edited).effects).to.deep.equal(['WriteColor blue r1, 3 replicas']);
  });
});

describe('a Service that is gone', () => {
  const since = '2026-06-01T11:00:00Z';
  const previous = { attempt: 2, checks: [{ name: 'availability', state: 'Bad' as const, since }] };
  const gone = editServices(world({ ...observed, previous }), { found: false, endpoints: [] });

  it('is not the fault of the revision, whose pods are ready', () => {
    const { phase, effects } = decidedOn(gone);
    expect([phase, effects]).to.deep.equal(['Observing', []]);
  });

  it('keeps the revision from being committed; people may', () => {
    const later = { ...gone, now: NOON + HOUR };
    const { phase, reason, message, effects, plan } = decidedOn(later);
    expect([phase, reason, effects]).to.deep.equal(['Held', 'ServiceNotFound', []]);
    expect(message).to.equal(
      'Service "checkout" does not exist in namespace "shop": create it or correct spec.traffic.services[0].name; revision r2 is watched on and not committed until then (bluegreen.dev/action=promote@2 or rollback@2 decides it)',
    );
    expect(plan.status.conditions?.find(({ type }) => type === 'Stalled')?.reason).to.equal(
      'ServiceNotFound',
    );
    const ordered = { ...later, release: { ...later.release, action: 'promote@2' } };
    expect(decidedOn(ordered).phase).to.equal('Committed');
    expect(decidedOn({ ...world(observed), now: NOON + HOUR }).phase).to.equal('Committed');
  });

  it('is looked for by name in every stage: without our label it says nothing of itself when it is back', () => {
    for (const picture of [validated, switched, observed, returning, committed]) {
      const missing = editServices(world(picture), { found: false, labelled: false, endpoints: [] });
      expect(decidedOn(missing).plan.lookAgainAt).to.equal(NOON + 2 * SECOND);
    }
  });

  it('and so is a source that was replaced', () => {
    const { plan } = decided({ ...idle, source: { claimedBy: undefined } });
    expect(plan.lookAgainAt).to.equal(NOON + 15 * SECOND);
  });
});

describe('availability', () => {
  const one = { ...observed, green: { revision: 'r2', desired: 3, ready: 1 } };
  const bad = (since: string) => ({
    previous: { attempt: 2, checks: [{ name: 'availability', state: 'Bad' as const, since }] },
  });

  it('too few ready pods are told at once and a breach after forSeconds', () => {
    const first = decided(one);
    expect(first.effects).to.deep.equal([]);
    expect(first.plan.status.checks?.[0]).to.deep.equal({
      name: 'availability',
      state: 'Bad',
      since: '2026-06-01T12:00:00Z',
      message: '1 of 3 pods are ready since 2026-06-01T12:00:00Z, at least 2 are needed',
    });
    expect(first.plan.lookAgainAt).to.equal(NOON + 10 * SECOND);
    expect(decided({ ...one, ...bad('2026-06-01T11:59:51Z') }).effects).to.deep.equal([]);
    const breach = decided({ ...one, ...bad('2026-06-01T11:59:50Z') });
    expect([breach.reason, breach.effects]).to.deep.equal(['AvailabilityBreached', [TO_BLUE]]);
  });

  it('but not when the other side is no better', () => {
    const both = { ...one, blue: { revision: 'r1', desired: 3, ready: 1 } };
    expect(decided({ ...both, ...bad('2026-06-01T11:50:00Z') }).effects).to.deep.equal([]);
  });

  it('its base is what was ready at the proof, not what somebody wishes for', () => {
    const scaling = { ...observed, green: { revision: 'r2', desired: 9, ready: 3 } };
    expect(decided(scaling).plan.status.checks?.[0]?.state).to.equal('Good');
  });

  it('a clock that was set back does not stretch forSeconds', () => {
    const ahead = decided({ ...one, ...bad('2026-06-01T13:00:00Z') });
    expect(ahead.plan.lookAgainAt).to.equal(NOON + 10 * SECOND);
  });
});

describe('the active side dies', () => {
  const dead = { revision: 'r2', desired: 3, ready: 0 };

  for (const [name, picture] of Object.entries({ switched, observed, committed })) {
    it(`${name}: the traffic goes to the other side at once`, () => {
      const result = decided({ ...picture, green: dead });
      expect([result.phase, result.reason, result.effects]).to.deep.equal([
        'RollingBack',
        'NoReadyEndpoints',
        [TO_BLUE],
      ]);
    });

    it(`${name}: with both sides dead it stays`, () => {
      const { effects } = decided({
        ...picture,
        green: dead,
        blue: { revision: 'r1', desired: 3, ready: 0 },
      });
      expect(effects).to.deep.equal([]);
    });
  }

  it('after the window it stays: nothing else is eligible, not even when everything else is dead', () => {
    const { effects } = decided({ ...committed, now: NOON + 49 * HOUR, green: dead });
    expect(effects).to.not.include(TO_BLUE);
  });

  it('pods of another revision on the old side are no refuge', () => {
    const candidate = {
      revision: 'r1',
      ready: 3,
      pods: [{ revision: 'r3' }, { revision: 'r3' }, { revision: 'r3' }],
    };
    const result = decided({ ...committed, green: dead, blue: candidate });
    expect([result.phase, result.reason]).to.deep.equal(['RollingBack', 'NoReadyEndpoints']);
    expect(result.effects).to.deep.equal(['RecordFacts r2 Committed']);
  });

  it('and while they stay there, a fix does not wait for the way back', () => {
    const blue = { revision: 'r1', desired: 1, pods: [{ revision: 'r3', ready: true }, { ready: false }] };
    const at = (now: number, wish: string) => {
      const r2 = { ...r2Committed, returnWanted: { at: NOON, reason: 'NoReadyEndpoints', message: 'dead' } };
      const source = { fingerprint: wish };
      return decided({ ...committed, now, source, green: dead, blue, revisions: { r1, r2 } });
    };
    const soon = at(NOON + 59 * SECOND, 'v4');
    expect([soon.phase, soon.reason]).to.deep.equal(['RollingBack', 'NoReadyEndpoints']);
    const later = at(NOON + MINUTE, 'v4');
    expect([later.phase, later.reason]).to.deep.equal(['Preparing', 'ReleaseStarted']);
    expect(at(NOON + MINUTE, 'v2').phase, 'nothing else is wished for').to.equal('RollingBack');
  });
});

describe('the way back', () => {
  const bad = (more: Picture) => seen('bb', { ...more });

  it('a standby that is too small is scaled up first, for a minute at most', () => {
    const small = { blue: { revision: 'r1', ready: 1 } };
    const first = bad(small);
    expect([first.phase, first.effects]).to.deep.equal([
      'RollingBack',
      ['RecordFacts r2', 'ScaleColor blue 1 -> 3'],
    ]);
    const { returnWanted } = effectOf(first, 'RecordFacts').facts;
    expect(returnWanted?.at).to.equal(NOON);
    const facts = { ...r2Verified, ...(returnWanted && { returnWanted }) };
    const growing = { revision: 'r1', desired: 3, ready: 1 };
    const waiting = decided({ ...observed, blue: growing, revisions: { r1, r2: facts } });
    expect([waiting.effects, waiting.plan.lookAgainAt]).to.deep.equal([[], NOON + MINUTE]);
    const over = decided({ ...observed, now: NOON + MINUTE, blue: growing, revisions: { r1, r2: facts } });
    expect(over.effects, 'any ready pod is better than a bad side').to.deep.equal([TO_BLUE]);
  });

  it('a standby at 0 is scaled up, and the traffic waits for its first pod', () => {
    const none = { blue: { revision: 'r1', desired: 0, ready: 0 } };
    expect(bad(none).effects).to.deep.equal(['RecordFacts r2', 'ScaleColor blue 0 -> 3']);
    const facts = { ...r2Verified, returnWanted: { at: NOON - HOUR, reason: 'CheckFailed', message: '' } };
    const still = decided({
      ...observed,
      blue: { revision: 'r1', desired: 3, ready: 0 },
      revisions: { r1, r2: facts },
    });
    expect([still.effects, still.plan.verdict.stalled]).to.deep.equal([[], true]);
  });

  it('the failing side may fail further: that never delays it', () => {
    const facts = { ...r2Verified, returnWanted: { at: NOON, reason: 'CheckFailed', message: '' } };
    const small = { revision: 'r1', desired: 3, ready: 1 };
    const worse = decided({
      ...observed,
      blue: small,
      green: { revision: 'r2', desired: 3, ready: 1 },
      revisions: { r1, r2: facts },
    });
    expect(worse.effects).to.deep.equal([TO_BLUE]);
  });

  it('a standby whose Deployment is deleted is built again, as large as production', () => {
    expect(bad({ blue: {} }).effects).to.deep.equal(['RecordFacts r2', 'WriteColor blue r1, 3 replicas']);
  });

  it('a standby that has a ready pod is given its whole time to grow, whatever else people wish for', () => {
    const facts = { ...r2Verified, returnWanted: { at: NOON, reason: 'CheckFailed', message: '' } };
    const small = { revision: 'r1', desired: 3, ready: 1 };
    const spec = { rollback: { scaleUpSeconds: 600 } };
    const growing = { ...observed, spec, blue: small, revisions: { r1, r2: facts } };
    const { reason, effects } = decided({
      ...growing,
      now: NOON + 2 * MINUTE,
      source: { fingerprint: 'v3' },
    });
    expect([reason, effects]).to.deep.equal(['CheckFailed', []]);
  });

  it('a target that was edited or overwritten is built again first', () => {
    const edited = editDeployment(
      world({ ...watched, observations: { measurements: { errors: measured('bb') } } }),
      'blue',
      { matches: false },
    );
    expect(decidedOn(edited).effects).to.deep.equal(['RecordFacts r2', 'WriteColor blue r1, 3 replicas']);
  });

  it('and its old pods must be gone: they are not the target’s', () => {
    const mixed = {
      blue: { revision: 'r1', ready: 3, pods: [{ revision: 'r3' }, {}, {}] },
    };
    expect(bad(mixed).effects).to.not.include(TO_BLUE);
  });

  it('is proven before anything else happens', () => {
    const behind = editServices(world(returning), {
      endpoints: endpointsOf(world(returning).sides.green.pods),
    });
    const { phase, reason, effects } = decidedOn(behind);
    expect([phase, reason, effects]).to.deep.equal(['RollingBack', 'WaitingForEndpoints', []]);
  });

  it('is told as stalled while nobody is ready where the traffic goes to, and only then', () => {
    const both = endpointsOf([
      { uid: 'green-pod-0', ready: true },
      { uid: 'blue-pod-0', ready: true },
    ]);
    const stalled = (endpoints: typeof both): boolean | undefined =>
      decidedOn(editServices(world(returning), { endpoints })).plan.verdict.stalled;
    expect([stalled(both), stalled(both.slice(0, 1))]).to.deep.equal([false, true]);
  });

  it('ends with the loser rejected, for the reason that the switch annotation carries', () => {
    const result = decided(returning);
    expect([result.phase, result.effects]).to.deep.equal(['RolledBack', ['RecordFacts r2 RolledBack']]);
    expect(effectOf(result, 'RecordFacts').facts).to.deep.equal({
      ...r2Verified,
      outcome: { kind: 'RolledBack', at: NOON, reason: 'CheckFailed', message: 'too many errors' },
      rejected: { at: NOON, reason: 'CheckFailed', message: 'too many errors' },
    });
  });

  it('also when somebody has taken that annotation away', () => {
    const { message, plan } = decided({ ...returning, service: { switchReason: undefined } });
    expect(message).to.equal('the traffic is back on blue (revision r1): the reason was lost');
    expect(plan.effects[0]).to.have.nested.property('facts.outcome.reason', 'RolledBack');
  });

  it('also when somebody has written that annotation anew, at whatever length', () => {
    const outcomes = ['x'.repeat(2000), `${'R'.repeat(100)}: why`, `Requested: ${'y'.repeat(2000)}`, ''].map(
      (switchReason) => effectOf(decided({ ...returning, switchReason }), 'RecordFacts').facts.outcome,
    );
    expect(outcomes.map((outcome) => [outcome?.reason, outcome?.message.length])).to.deep.equal([
      ['RolledBack', 512],
      ['RolledBack', 105],
      ['Requested', 512],
      ['RolledBack', 'the reason was lost'.length],
    ]);
  });

  it('then the loser is scaled to 0, when the proxies of all nodes have followed', () => {
    const soon = decided(rolledBack);
    expect([soon.phase, soon.effects]).to.deep.equal(['RolledBack', []]);
    expect(soon.plan.lookAgainAt).to.equal(NOON + 4 * SECOND);
    const { phase, effects } = decided({ ...rolledBack, now: NOON + 4 * SECOND });
    expect([phase, effects]).to.deep.equal(['RolledBack', ['ScaleColor green 3 -> 0']]);
  });

  it('a loser that nothing is held against drains like any side that had the traffic', () => {
    const { rejected: _, ...blameless } = r2RolledBack;
    const reverted = { ...rolledBack, source: { fingerprint: 'v1' }, revisions: { r1, r2: blameless } };
    expect(decided({ ...reverted, now: NOON + 28 * SECOND }).effects).to.deep.equal([]);
    expect(decided({ ...reverted, now: NOON + 29 * SECOND }).effects).to.deep.equal([
      'ScaleColor green 3 -> 0',
    ]);
  });
});

describe('a revision that is watched', () => {
  it('is not measured on when the traffic goes back', () => {
    const checks = [
      { name: 'errors', failureLimit: 1, prometheus: { query: 'q', max: '1' } },
      { name: 'slow', prometheus: { query: 'q', max: '1' } },
    ];
    const watched = { ...observed, now: NOON + MINUTE, spec: { observation: { checks } } };
    const due = decided(watched).plan.requests.map((one) => one.kind === 'Measure' && one.check.name);
    expect(due).to.deep.equal(['errors', 'slow']);
    const bad = {
      at: NOON + 59 * SECOND,
      verdict: 'Bad' as const,
      reason: 'AboveMax' as const,
      message: 'm',
    };
    const { reason, plan } = decided({ ...watched, observations: { measurements: { errors: [bad] } } });
    expect([reason, plan.requests]).to.deep.equal(['CheckFailed', []]);
  });

  it('is not given up for what stands by with the same content', () => {
    expect(decided({ ...observed, source: {}, contents: { r2: 'v1' } }).reason).to.equal('Observing');
  });
});

describe('a fix, while the watched revision cannot serve and nothing can be gone back to', () => {
  const none = { desired: 3, ready: 0 };
  const checks = [{ name: 'availability', state: 'Bad' as const, since: '2026-06-01T11:59:30Z' }];
  const dead: Picture = {
    ...observed,
    source: { fingerprint: 'v3' },
    blue: { revision: 'r1', ...none },
    green: { revision: 'r2', ...none },
    previous: { attempt: 2, checks },
  };

  it('waits a minute for one of the sides, and then goes on', () => {
    const waiting = decided(dead);
    expect([waiting.effects, waiting.plan.lookAgainAt]).to.deep.equal([[], NOON + 30 * SECOND]);
    const result = decided({ ...dead, now: NOON + 30 * SECOND });
    expect([result.reason, result.effects]).to.deep.equal(['GaveWay', ['RecordFacts r2 Committed']]);
    expect(result.message).to.equal(
      'revision r2 is no longer watched: it cannot serve, no side is able to take over, and another revision is wished for',
    );
  });

  it('does so also when a way back was wanted and stayed shut', () => {
    const facts = { ...r2Verified, returnWanted: { at: NOON - MINUTE, reason: 'CheckFailed', message: '' } };
    const shut = { ...observed, blue: { revision: 'r1', ...none }, revisions: { r1, r2: facts } };
    expect(decided({ ...shut, source: { fingerprint: 'v3' } }).reason).to.equal('GaveWay');
    expect(decided(shut).reason, 'nobody wishes for anything else').to.equal('CheckFailed');
  });

  it('does not, when nothing else is wished for, or what is was rejected, or the release is suspended', () => {
    const later = { ...dead, now: NOON + MINUTE };
    expect(decided({ ...later, source: { fingerprint: 'v2' } }).effects).to.deep.equal([]);
    expect(decided({ ...later, spec: { suspend: true } }).effects).to.deep.equal([]);
    const r3 = { ...r2RolledBack, attempt: 1, startedAt: NOON - HOUR };
    expect(decided({ ...later, revisions: { r1, r2: r2Verified, r3 } }).effects).to.deep.equal([]);
  });

  it('does not wait for ever for the side that died on the way back to it', () => {
    const died = { ...returning, blue: { revision: 'r1', ...none }, green: { revision: 'r2', ...none } };
    const waiting = decided(died);
    expect([waiting.effects, waiting.plan.lookAgainAt]).to.deep.equal([[], NOON + 59 * SECOND]);
    const over = decided({ ...died, now: NOON + 59 * SECOND });
    expect([over.message, over.effects]).to.deep.equal([
      'the traffic is back on blue (revision r1), of which no pod is ready: too many errors',
      ['RecordFacts r2 RolledBack'],
    ]);
    const others = endpointsOf([{ uid: 'green-pod-0', ready: true }]);
    const served = editServices(world({ ...died, now: NOON + HOUR }), { endpoints: others });
    expect(decidedOn(served).effects, 'somebody else still serves').to.deep.equal([]);
  });

  it('but waits for it while it has a ready pod, or one of several Services is still served by others', () => {
    const alive = world({ ...returning, now: NOON + HOUR });
    expect(decidedOn(editServices(alive, { endpoints: [] })).reason).to.equal('WaitingForEndpoints');
    const dead = { blue: { revision: 'r1', ...none }, green: { revision: 'r2', ...none } };
    const two = world({ ...returning, ...dead, now: NOON + HOUR, services: ['checkout', 'admin'] });
    const [first, second] = two.services as [ServiceView, ServiceView];
    const others = endpointsOf([{ uid: 'green-pod-0', ready: true }]);
    const served = { ...two, services: [first, { ...second, endpoints: others }] };
    expect(decidedOn(served).reason).to.equal('WaitingForEndpoints');
  });

  it('does not while a pod is ready, behind the Service or not: that is better than none', () => {
    const later = { ...dead, now: NOON + MINUTE, green: { revision: 'r2', ready: 1, desired: 3 } };
    expect(decided(later).reason).to.equal('Observing');
    expect(decidedOn(editServices(world(later), { endpoints: [] })).reason).to.not.equal('GaveWay');
    const others = endpointsOf([{ uid: 'somebody', ready: true }]);
    const served = editServices(world({ ...dead, now: NOON + MINUTE }), { endpoints: others });
    expect(decidedOn(served).reason, 'somebody else serves').to.not.equal('GaveWay');
  });

  it('does not where the Deployment is gone, and nobody says what else', () => {
    expect(decided({ ...dead, now: NOON + MINUTE, source: null }).effects).to.deep.equal([]);
  });

  it('and then it starts', () => {
    const gone = {
      ...r2Committed,
      outcome: { kind: 'Committed' as const, at: NOON, reason: 'GaveWay', message: '' },
    };
    const { effects } = decided({ ...dead, revisions: { r1, r2: gone } });
    expect(effects).to.deep.equal(['CreateRevision r3 from source']);
  });
});

describe('after the commit', () => {
  it('r1 stands by until the window ends', () => {
    const { phase, message, effects, plan } = decided(committed);
    expect([phase, effects]).to.deep.equal(['Committed', []]);
    expect(message).to.equal(
      'revision r2 is active on green; blue (revision r1) can take over until 2026-06-03T12:00:00Z',
    );
    expect(plan.lookAgainAt).to.equal(NOON + 48 * HOUR);
  });

  it('then it goes to 0', () => {
    const { phase, effects } = decided({ ...committed, now: NOON + 48 * HOUR });
    expect([phase, effects]).to.deep.equal(['Idle', ['ScaleColor blue 3 -> 0']]);
  });

  it('a person can roll back inside the window', () => {
    const result = decided({ ...committed, release: { action: 'rollback@2' } });
    expect([result.reason, result.effects]).to.deep.equal(['Requested', [TO_BLUE]]);
  });

  it('not after it', () => {
    const { effects } = decided({
      ...committed,
      now: NOON + 49 * HOUR,
      blue: { revision: 'r1' },
      release: { action: 'rollback@2' },
    });
    expect(effects).to.deep.equal([]);
  });

  it('a git revert inside the window is a rollback without gates', () => {
    const result = decided({ ...committed, source: { fingerprint: 'v1' } });
    expect([result.reason, result.effects]).to.deep.equal(['Reverted', [TO_BLUE]]);
  });

  it('a git revert to a standby that was scaled down waits for it, and keeps house meanwhile', () => {
    const result = decided({
      ...committed,
      source: { fingerprint: 'v1' },
      blue: { revision: 'r1', ready: 0 },
    });
    expect(result.effects).to.deep.equal(['RecordFacts r2 Committed', 'ScaleColor blue 0 -> 3']);
  });

  it('a wish to go back that was given up is forgotten, so that the next one waits as long as it may', () => {
    const facts = { ...r2Committed, returnWanted: { at: NOON - HOUR, reason: 'Reverted', message: '' } };
    const result = decided({ ...committed, revisions: { r1, r2: facts } });
    expect(result.effects).to.deep.equal(['RecordFacts r2 Committed']);
    expect(effectOf(result, 'RecordFacts').facts.returnWanted).to.equal(undefined);
  });

  it('a promotion forgets it too', () => {
    const facts = { ...r2Verified, returnWanted: { at: NOON, reason: 'CheckFailed', message: '' } };
    const result = decided({ ...observed, revisions: { r1, r2: facts }, release: { action: 'promote@2' } });
    expect(effectOf(result, 'RecordFacts').facts.returnWanted).to.equal(undefined);
  });
});

describe('a rollback order is carried out once', () => {
  /** r2 was the target of r3, and has a window of its own in which r1 is the target. */
  const chained: Picture = {
    ...committed,
    source: { fingerprint: 'v3' },
    route: 'green',
    mark: `${UID}/r2/3/back`,
    blue: { revision: 'r1', ready: 3 },
    revisions: {
      r1,
      r2: r2Committed,
      r3: { ...r2RolledBack, color: 'blue', attempt: 3 },
    },
    release: { action: 'rollback@3' },
  };

  it('and not again from the side it returned to', () => {
    const { phase, effects } = decided(chained);
    expect([phase, effects]).to.deep.equal(['RolledBack', []]);
  });

  it('but a later attempt that never had the traffic may be followed by one', () => {
    const failed = { kind: 'Failed' as const, at: NOON, reason: 'GateFailed', message: '' };
    const { effects } = decided({
      ...committed,
      source: { fingerprint: 'v3' },
      revisions: {
        r1,
        r2: r2Committed,
        r3: { color: 'blue', attempt: 3, startedAt: NOON - SECOND, outcome: failed },
      },
      release: { action: 'rollback@3' },
    });
    expect(effects).to.deep.equal([TO_BLUE]);
  });
});

/**
 * What holds for every snapshot, however unlikely: snapshots are drawn at random, consistent in themselves (endpoints
 * follow from pods and selectors) and otherwise as confused as a cluster with bad luck.
 */
import { expect } from 'chai';
import fc from 'fast-check';
import type { Measurement } from '../../../src/analysis/measurement.ts';
import { type Color, statusSchema } from '../../../src/api/status.ts';
import { decide } from '../../../src/release/decide.ts';
import type { OutcomeKind, RevisionFacts } from '../../../src/release/facts.ts';
import { violations } from '../../../src/release/invariants.ts';
import { formatMark, parseMark } from '../../../src/release/mark.ts';
import type { Effect } from '../../../src/release/plan.ts';
import { rolesOf } from '../../../src/release/roles.ts';
import type { Snapshot } from '../../../src/release/snapshot.ts';
import { SITUATIONS } from './situations.ts';
import {
  endpointsOf,
  frozen,
  HOUR,
  NOON,
  type Picture,
  SECOND,
  type SidePicture,
  UID,
  world,
} from './world.ts';

const RUNS = 1000;
const color = fc.constantFrom<Color>('blue', 'green');
const moment = fc.integer({ min: -3600, max: 600 }).map((seconds) => NOON + seconds * SECOND);
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

/** Facts as the operator writes them: each stage has the proofs of those before it. */
type Progress = 'started' | 'validated' | 'verified' | 'committed' | 'rolledBack' | 'failed' | 'inconclusive';
const ENDED: readonly Progress[] = ['committed', 'rolledBack', 'failed', 'inconclusive'];
const UNDER_WAY: readonly Progress[] = ['started', 'validated', 'verified'];

const times = fc.record({ at: moment, ready: fc.nat(4), wanted: fc.boolean(), again: fc.boolean(), color });

function factsOf(
  attempt: number,
  progress: Progress,
  drawn: { at: number; ready: number; wanted: boolean; again: boolean; color: Color },
): RevisionFacts {
  const { at, ready } = drawn;
  const cause = { at, reason: 'CheckFailed', message: 'm' };
  const started: RevisionFacts = { color: drawn.color, attempt, startedAt: at };
  const early = {
    ...started,
    ...(drawn.again && { committedAt: at, inconclusive: { count: 1, retryAt: at } }),
  };
  const validatedFacts = { ...early, validatedAt: at };
  const verified = { ...validatedFacts, verifiedAt: at, verifiedReady: ready };
  const outcome = (kind: OutcomeKind) => ({ outcome: { kind, ...cause } });
  const table: Record<Progress, RevisionFacts> = {
    started: early,
    validated: validatedFacts,
    verified: { ...verified, ...(drawn.wanted && { returnWanted: cause }) },
    committed: { ...verified, committedAt: at, windowUntil: at + HOUR, ...outcome('Committed') },
    rolledBack: { ...verified, ...outcome('RolledBack'), ...(drawn.wanted && { rejected: cause }) },
    failed: { ...(drawn.again ? validatedFacts : started), ...outcome('Failed'), rejected: cause },
    inconclusive: { ...early, ...outcome(drawn.wanted ? 'Superseded' : 'Inconclusive') },
  };
  return table[progress];
}

const factsIn = (attempt: number, progress: readonly Progress[]): fc.Arbitrary<RevisionFacts> =>
  fc.tuple(fc.constantFrom(...progress), times).map(([stage, drawn]) => factsOf(attempt, stage, drawn));

/** Only the last attempt may be under way. */
const revisions = fc
  .integer({ min: 0, max: 3 })
  .chain((count) =>
    fc.tuple(
      ...Array.from({ length: count }, (_, index) =>
        factsIn(index + 1, index + 1 === count ? [...ENDED, ...UNDER_WAY] : ENDED),
      ),
    ),
  )
  .filter((list) => commitsAlternate(list))
  .map((list) => Object.fromEntries(list.map((facts, index) => [`r${index + 1}`, facts])));

/** A commit leaves the colour that the commit before it had: what is kept alternates. */
function commitsAlternate(list: readonly RevisionFacts[]): boolean {
  const kept = list.filter(({ outcome }) => outcome?.kind === 'Committed').map((facts) => facts.color);
  return kept.every((each, index) => index === 0 || each !== kept[index - 1]);
}

const side: fc.Arbitrary<SidePicture> = fc
  .record(
    {
      revision: fc.constantFrom('r1', 'r2', 'r3'),
      ready: fc.nat(4),
      deployment: fc.record({
        ours: fc.constantFrom(true, true, true, false),
        matches: fc.constantFrom(true, true, true, false),
        observed: fc.constantFrom(true, true, false),
      }),
      strangers: fc.nat(1),
      autoscaler: fc.record({
        minReplicas: fc.integer({ min: 1, max: 5 }),
        ours: fc.constantFrom(true, true, false),
      }),
    },
    { requiredKeys: ['ready'] },
  )
  .map(({ strangers, ...picture }): SidePicture => {
    const stranger = strangers ? [{ revision: 'r0' }] : [];
    const pods = [
      ...stranger,
      ...Array.from({ length: Math.max(0, picture.ready - stranger.length) }, () => ({})),
    ];
    return { ...picture, pods };
  });

const marks = ['r1/1', 'r2/2', 'r3/3', 'r1/2/back', 'r2/3/back', 'r1/3/back', 'r9/9', 'r1/99/back'];
const mark = fc.constantFrom(...marks.map((text) => `${UID}/${text}`), 'another-uid/r1/1', 'nonsense');

const measurement: fc.Arbitrary<Measurement> = fc.record({
  at: moment,
  verdict: fc.constantFrom('Good', 'Bad', 'Unknown' as const),
  reason: fc.constantFrom('WithinBounds', 'AboveMax', 'NoData' as const),
  message: fc.constant('m'),
});

const spec = fc.record(
  {
    replicas: fc.integer({ min: 1, max: 4 }),
    suspend: fc.boolean(),
    capacity: fc.record({
      candidate: fc.constantFrom('100%', '50%', '200%'),
      window: fc.constantFrom('100%', '200%', 0),
      standby: fc.constantFrom(0, 1, '100%'),
    }),
    autoscaling: fc.record({
      spec: fc.record({
        minReplicas: fc.integer({ min: 1, max: 3 }),
        maxReplicas: fc.integer({ min: 3, max: 5 }),
      }),
    }),
    gates: fc.constant([{ name: 'smoke', job: {} }]),
    observation: fc.constant({ checks: [{ name: 'errors', prometheus: { query: 'q', max: '1' } }] }),
  },
  { requiredKeys: [] },
);

const picture: fc.Arbitrary<Picture> = fc
  .record(
    {
      spec,
      route: maybe(color),
      mark: maybe(mark),
      switchedAt: moment,
      blue: side,
      green: side,
      source: fc.record({
        replicas: fc.nat(3),
        paused: fc.boolean(),
        fingerprint: fc.constantFrom('v1', 'v2', 'v3'),
        claimedBy: fc.constantFrom('checkout', undefined, 'another'),
      }),
      revisions,
      jobs: fc.array(
        fc.record({
          attempt: fc.constantFrom(2, 3),
          revision: fc.constantFrom('r2', 'r3'),
          state: fc.constantFrom('Running', 'Complete', 'Failed' as const),
          deadlineExceeded: fc.boolean(),
        }),
        { maxLength: 2 },
      ),
      observations: fc.record({
        measurements: fc.record({ errors: fc.array(measurement, { maxLength: 4 }) }),
        preflight: fc.constant(undefined),
      }),
      release: fc.record(
        {
          deleting: fc.constantFrom(false, false, false, true),
          action: fc.constantFrom('promote@2', 'rollback@3', 'retry@3', 'abort@2', 'abort@3', 'nonsense'),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: ['blue', 'green', 'revisions', 'source'] },
  )
  .map((drawn) => drawn as unknown as Picture);

const snapshots = picture.map((drawn) => world(drawn));

const holds = (arbitrary: fc.Arbitrary<Snapshot>, property: (snapshot: Snapshot) => void): void =>
  fc.assert(fc.property(arbitrary, property), { numRuns: RUNS });

const patchesOf = (effects: readonly Effect[]) => effects.filter((effect) => effect.kind === 'PatchSelector');

/** Many worlds: on a busy machine they take their time. */
const PATIENCE_MS = 120_000;

describe('for every snapshot', function () {
  this.timeout(PATIENCE_MS);
  it('the decision is the same each time, and changes nothing that it reads', () => {
    holds(snapshots, (snapshot) => {
      const first = decide(frozen(snapshot));
      expect(decide(structuredClone(snapshot))).to.deep.equal(first);
    });
  });

  it('no plan breaks an invariant', () => {
    holds(snapshots, (snapshot) => {
      expect(violations(snapshot, decide(snapshot).effects).join('; ')).to.equal('');
    });
  });

  it('the status fits its schema, and has the conditions that kstatus asks for', () => {
    holds(snapshots, (snapshot) => {
      const { status } = decide(snapshot);
      expect(statusSchema.strict().parse(status)).to.deep.equal(status);
      const types = status.conditions?.map(({ type }) => type) ?? [];
      expect(types).to.include('Ready');
      const ready = status.conditions?.find(({ type }) => type === 'Ready')?.status;
      if (ready === 'True') expect(types).to.not.include.members(['Reconciling']);
      if (types.includes('Stalled')) expect(ready).to.equal('False');
    });
  });

  it('it is looked at again in the future, never in the past', () => {
    holds(snapshots, (snapshot) => {
      const { lookAgainAt } = decide(snapshot);
      if (lookAgainAt !== undefined) expect(lookAgainAt).to.be.greaterThan(snapshot.now);
    });
  });

  it('traffic moves only to an eligible revision: the active one, one validated in this attempt, or the target', () => {
    holds(snapshots, (snapshot) => {
      const { active, subject, target } = rolesOf(snapshot);
      for (const { color: to, mark: order } of patchesOf(decide(snapshot).effects)) {
        if (to === undefined || active === undefined) continue;
        const eligible = [active, target, ...(subject?.facts.validatedAt === undefined ? [] : [subject])];
        expect(eligible.map((revision) => revision?.name)).to.include(order?.revision);
      }
    });
  });

  it('unknown is not bad: only bad measurements, dead pods, people or Git put traffic back', () => {
    holds(snapshots, (snapshot) => {
      const bad = (snapshot.observations.measurements.errors ?? []).some(({ verdict }) => verdict === 'Bad');
      const recorded = snapshot.revisions.some(({ facts: known }) => known?.returnWanted !== undefined);
      for (const { reason } of patchesOf(decide(snapshot).effects)) {
        if (reason.startsWith('CheckFailed:') && !recorded) expect(bad).to.equal(true);
      }
    });
  });

  it('the previous status changes no effect but the availability’s', () => {
    holds(snapshots, (snapshot) => {
      const { effects, status } = decide(snapshot);
      const { checks: _, ...rest } = status;
      const known = decide({ ...snapshot, previous: rest });
      expect(known.effects).to.deep.equal(effects);
    });
  });
});

describe('a way back', function () {
  this.timeout(PATIENCE_MS);
  /** Snapshots in which something is put back to the other side. */
  const returns = fc
    .record({
      name: fc.constantFrom('observed', 'committed', 'switched'),
      blueReady: fc.integer({ min: 1, max: 4 }),
      greenReady: fc.nat(4),
      cause: fc.constantFrom('rollback@2', 'breach'),
    })
    .map(({ name, blueReady, greenReady, cause }): Snapshot => {
      const bad = [1, 2].map(
        (at): Measurement => ({ at: NOON - at, verdict: 'Bad', reason: 'AboveMax', message: 'm' }),
      );
      return world({
        ...SITUATIONS[name],
        spec: { observation: { checks: [{ name: 'errors', prometheus: { query: 'q', max: '1' } }] } },
        blue: { revision: 'r1', ready: blueReady },
        green: { revision: 'r2', desired: 4, ready: greenReady },
        ...(cause === 'breach'
          ? { observations: { measurements: { errors: bad } } }
          : { release: { action: cause } }),
      });
    });

  const goesBack = (snapshot: Snapshot) =>
    patchesOf(decide(snapshot).effects).some(({ mark: order }) => order?.direction === 'Back');

  /** The failing side loses one more pod. */
  const worse = (snapshot: Snapshot): Snapshot => {
    const [head] = snapshot.sides.green.pods.filter(({ ready }) => ready);
    const pods = snapshot.sides.green.pods.map((pod) => (pod === head ? { ...pod, ready: false } : pod));
    const endpoints = endpointsOf(pods);
    return {
      ...snapshot,
      sides: { ...snapshot.sides, green: { ...snapshot.sides.green, pods } },
      services: snapshot.services.map((service) => ({
        ...service,
        endpoints,
        twins: { ...service.twins, green: { ...service.twins.green, endpoints } },
      })),
    };
  };

  it('is never delayed by the failing side becoming worse (invariant 2)', () => {
    holds(returns, (snapshot) => {
      for (let now = snapshot, left = 5; left > 0 && goesBack(now); left--) {
        now = worse(now);
        expect(goesBack(now)).to.equal(true);
      }
    });
  });

  it('waits for no status, no job, no source and no other Service annotation', () => {
    holds(returns, (snapshot) => {
      fc.pre(goesBack(snapshot));
      const bare = { ...snapshot, previous: {}, source: undefined, jobs: [] };
      expect(goesBack(bare)).to.equal(true);
    });
  });
});

describe('a crash between any two writes', function () {
  this.timeout(PATIENCE_MS);
  it('of one plan that moves several Services is mended by the rest of the same patches', () => {
    holds(
      fc.constantFrom('validated', 'observed').map((name) =>
        world({
          ...SITUATIONS[name],
          services: ['checkout', 'checkout-grpc', 'checkout-admin'],
          ...(name === 'observed' && { release: { action: 'rollback@2' } }),
        }),
      ),
      (snapshot) => {
        const patches = patchesOf(decide(snapshot).effects);
        for (let done = 1; done < patches.length; done++) {
          const half = patches.slice(0, done).reduce(patched, snapshot);
          expect(
            patchesOf(decide(half).effects).map(({ service, color: to }) => [service, to]),
          ).to.deep.equal(patches.slice(done).map(({ service, color: to }) => [service, to]));
        }
      },
    );
  });
});

/** The Service after the patch, its endpoints not yet. */
function patched(snapshot: Snapshot, effect: Extract<Effect, { kind: 'PatchSelector' }>): Snapshot {
  const rawMark = effect.mark && formatMark(effect.mark);
  return {
    ...snapshot,
    services: snapshot.services.map((service) =>
      service.name === effect.service && effect.color !== undefined
        ? {
            ...service,
            selector: { ...service.selector, [snapshot.release.spec.traffic.selectorLabel]: effect.color },
            rawMark,
            mark: parseMark(rawMark, UID),
            switchedAt: effect.decidedAt,
            switchReason: effect.reason,
          }
        : service,
    ),
  };
}

describe('marks', function () {
  this.timeout(PATIENCE_MS);
  it('what is written is what is read', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z0-9-]{1,36}$/),
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 1, max: 1e6 }),
        fc.boolean(),
        (uid, revision, attempt, isBack) => {
          const order = {
            uid,
            revision: `r${revision}`,
            attempt,
            direction: isBack ? ('Back' as const) : ('Forward' as const),
          };
          expect(parseMark(formatMark(order), uid)).to.deep.equal(order);
          expect(parseMark(formatMark(order), `${uid}x`)).to.equal(undefined);
        },
      ),
    );
  });
});

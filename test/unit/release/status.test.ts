import { expect } from 'chai';
import { type ReleaseStatus, statusSchema } from '../../../src/api/status.ts';
import { decide } from '../../../src/release/decide.ts';
import type { RevisionFacts } from '../../../src/release/facts.ts';
import type { Verdict } from '../../../src/release/plan.ts';
import { rolesOf } from '../../../src/release/roles.ts';
import { statusOf } from '../../../src/release/status.ts';
import { condition, decided } from './decided.ts';
import * as external from './external.ts';
import {
  built,
  committed,
  fresh,
  idle,
  observed,
  r1,
  r2,
  r2Committed,
  r2RolledBack,
  r2Verified,
  returning,
  rolledBack,
  SITUATIONS,
  switched,
} from './situations.ts';
import { HOUR, LABEL, MINUTE, NOON, type Picture, SECOND, world } from './world.ts';

const TYPES = [
  'Ready',
  'Reconciling',
  'Stalled',
  'Validated',
  'TrafficSwitched',
  'TrafficInSync',
  'RollbackAvailable',
];

describe('conditions', () => {
  /** kstatus: Current needs Ready=True; InProgress has Reconciling; Failed has Stalled. */
  const table: Record<string, string> = {
    fresh:
      'Ready Unknown, Reconciling True, Stalled absent, Validated False, TrafficSwitched False, TrafficInSync Unknown, RollbackAvailable False',
    idle: 'Ready True, Reconciling absent, Stalled absent, Validated True, TrafficSwitched True, TrafficInSync True, RollbackAvailable False',
    started:
      'Ready False, Reconciling True, Stalled absent, Validated False, TrafficSwitched False, TrafficInSync True, RollbackAvailable False',
    built:
      'Ready False, Reconciling True, Stalled absent, Validated False, TrafficSwitched False, TrafficInSync True, RollbackAvailable False',
    validated:
      'Ready False, Reconciling True, Stalled absent, Validated True, TrafficSwitched False, TrafficInSync True, RollbackAvailable False',
    switched:
      'Ready False, Reconciling True, Stalled absent, Validated True, TrafficSwitched False, TrafficInSync True, RollbackAvailable True',
    observed:
      'Ready False, Reconciling True, Stalled absent, Validated True, TrafficSwitched True, TrafficInSync True, RollbackAvailable True',
    committed:
      'Ready True, Reconciling absent, Stalled absent, Validated True, TrafficSwitched True, TrafficInSync True, RollbackAvailable True',
    returning:
      'Ready False, Reconciling True, Stalled absent, Validated True, TrafficSwitched False, TrafficInSync True, RollbackAvailable False',
    rolledBack:
      'Ready False, Reconciling absent, Stalled True, Validated True, TrafficSwitched False, TrafficInSync True, RollbackAvailable False',
  };
  for (const [name, picture] of Object.entries(SITUATIONS)) {
    it(`${name}: ${table[name]}`, () => {
      const { status } = decided(picture).plan;
      expect(TYPES.map((type) => `${type} ${condition(status, type)}`).join(', ')).to.equal(table[name]);
    });
  }

  it('suspended with a wish that waits: not ready, and neither working nor stuck', () => {
    const { status } = decided({ ...idle, source: { fingerprint: 'v2' }, spec: { suspend: true } }).plan;
    expect(['Ready', 'Reconciling', 'Stalled'].map((type) => condition(status, type))).to.deep.equal([
      'False',
      'absent',
      'absent',
    ]);
  });

  it('held: working, for it may end by itself', () => {
    const checks = [{ name: 'errors', prometheus: { query: 'q', max: '1' } }];
    const { phase, plan } = decided({ ...observed, now: NOON + HOUR, spec: { observation: { checks } } });
    expect([phase, condition(plan.status, 'Reconciling')]).to.deep.equal(['Held', 'True']);
  });

  it('both sides dead: not healthy', () => {
    const dead = { desired: 3, ready: 0 };
    const { plan } = decided({
      ...committed,
      blue: { revision: 'r1', ...dead },
      green: { revision: 'r2', ...dead },
    });
    expect(condition(plan.status, 'Healthy')).to.equal('False');
  });

  it('the time of a condition moves only with its status', () => {
    const first = decided(idle).plan.status;
    const later = decided({ ...idle, now: NOON + HOUR, previous: first }).plan.status;
    expect(later).to.deep.equal(first);
  });

  it('the reason is never empty', () => {
    for (const picture of Object.values(SITUATIONS)) {
      for (const { type, reason } of decided(picture).plan.status.conditions ?? []) {
        expect(reason, type).to.match(/^[A-Z][A-Za-z]+$/);
      }
    }
  });
});

describe('the status', () => {
  it('tells of the active side, and of the candidate or the standby', () => {
    const { plan } = decided(built);
    expect(plan.status.active).to.deep.include({ color: 'blue', revision: 'r1', ready: 3, desired: 3 });
    expect(plan.status.candidate).to.deep.include({ color: 'green', revision: 'r2' });
    expect(plan.status.standby).to.equal(undefined);
    const rest = decided(committed).plan.status;
    expect([rest.active?.color, rest.candidate, rest.standby?.color]).to.deep.equal([
      'green',
      undefined,
      'blue',
    ]);
    expect([rest.revision, rest.attempt, rest.replicas, rest.selector]).to.deep.equal([
      'r2',
      2,
      3,
      'bluegreen.dev/release=checkout,bluegreen.dev/color=green',
    ]);
  });

  it('tells of the switch with its times', () => {
    expect(decided(switched).plan.status.switch).to.deep.equal({
      direction: 'Forward',
      to: 'green',
      revision: 'r2',
      decidedAt: '2026-06-01T11:59:55.000Z',
      convergedAt: '2026-06-01T12:00:00.000Z',
      services: [
        {
          name: 'checkout',
          inSync: true,
          converged: true,
          ready: 3,
          decidedAt: '2026-06-01T11:59:55.000Z',
          convergedAt: '2026-06-01T12:00:00.000Z',
        },
      ],
    });
    expect(decided(returning).plan.status.switch?.direction).to.equal('Back');
  });

  it('tells of the way back', () => {
    expect(decided(committed).plan.status.rollback).to.deep.equal({
      available: true,
      until: '2026-06-03T12:00:00Z',
      message: 'blue (revision r1) is ready to take over',
    });
    expect(decided({ ...committed, blue: { revision: 'r1' } }).plan.status.rollback?.message).to.equal(
      'blue (revision r1) has no ready pod and would be scaled up first',
    );
  });

  it('a decision is noted when it does something, once, and the last twenty are kept', () => {
    const first = decided(switched).plan.status;
    expect(first.decisions).to.deep.equal([
      {
        at: '2026-06-01T12:00:00.000Z',
        reason: 'SwitchVerified',
        message: 'the endpoints of every Service are green pods only (3 ready): watching revision r2',
        effects: ['RecordFacts r2'],
      },
    ]);
    expect(decided({ ...switched, previous: first }).plan.status.decisions).to.deep.equal(first.decisions);
    expect(decided({ ...observed, previous: first }).plan.status.decisions).to.deep.equal(first.decisions);
    const many = Array.from({ length: 20 }, (_, index) => ({
      at: '2026-06-01T11:00:00.000Z',
      reason: `Reason${index}`,
      message: '',
    }));
    const last = decided({ ...switched, previous: { decisions: many } }).plan.status.decisions ?? [];
    expect([last.length, last[0]?.reason, last[19]?.reason]).to.deep.equal([20, 'Reason1', 'SwitchVerified']);
  });

  it('what it says as before is the same object', () => {
    const before = structuredClone(decided(committed).plan.status);
    const { status } = decided({ ...committed, previous: before }).plan;
    const members = Object.keys(before) as (keyof typeof before)[];
    expect(members.filter((name) => status[name] !== before[name])).to.deep.equal([]);
  });

  it('checks of another attempt are not shown', () => {
    const checks = [{ name: 'availability', state: 'Bad' as const }];
    expect(decided({ ...built, previous: { attempt: 1, checks } }).plan.status.checks).to.equal(undefined);
  });

  it('losing it loses nothing but the log: the plan is the same', () => {
    for (const picture of Object.values(SITUATIONS)) {
      const once = decide(world(picture));
      const remembered = decide(world({ ...picture, previous: once.status }));
      expect(remembered.effects).to.deep.equal(once.effects);
    }
  });

  const long = 'x'.repeat(5000);
  const loud: Record<string, Picture> = {
    'a quota message': {
      ...built,
      green: { revision: 'r2', desired: 3, deployment: { replicaFailure: long } },
    },
    'a container’s reason': {
      ...built,
      green: {
        revision: 'r2',
        desired: 3,
        pods: [{}, {}, { trouble: { reason: long, container: long, restarts: 1 } }],
      },
    },
    images: {
      ...idle,
      blue: { revision: 'r1', ready: 3, deployment: { images: Array.from({ length: 30 }, () => long) } },
    },
    'the message of a Job': {
      ...built,
      spec: { gates: [{ name: 'smoke', job: {} }] },
      jobs: [{ state: 'Failed', message: long }],
    },
    'a rejection': {
      ...rolledBack,
      revisions: {
        r1,
        r2: { ...r2RolledBack, rejected: { at: NOON, reason: 'CheckFailed', message: long } },
      },
    },
    'an outcome': {
      ...idle,
      revisions: {
        r1,
        r2: { ...r2, outcome: { kind: 'Inconclusive', at: NOON, reason: long, message: long } },
      },
    },
    'the reason of a switch': { ...returning, switchReason: `${long}: ${long}` },
    'a wish to go back': {
      ...observed,
      blue: { revision: 'r1', desired: 3, ready: 1 },
      revisions: {
        r1,
        r2: { ...r2Verified, returnWanted: { at: NOON, reason: 'CheckFailed', message: long } },
      },
    },
    'a measurement': {
      ...observed,
      spec: { observation: { checks: [{ name: 'errors', prometheus: { query: 'q', max: '1' } }] } },
      observations: {
        measurements: {
          errors: [{ at: NOON, verdict: 'Bad', reason: 'AboveMax', value: 1e300 / 3, message: long }],
        },
      },
    },
    'a writer of the selector': {
      ...committed,
      mark: undefined,
      service: { selectorWriter: long },
    },
    'a refusal': {
      ...idle,
      source: { fingerprint: 'v2' },
      observations: { preflight: { key: '1/v2/1', at: NOON, problems: [{ reason: long, message: long }] } },
    },
  };
  for (const [name, picture] of Object.entries(loud)) {
    it(`stays within its bounds whatever the cluster says: ${name}`, () => {
      const { status } = decide(world(picture));
      expect(statusSchema.safeParse(status).error?.issues ?? []).to.deep.equal([]);
    });
  }
});

describe('the status of each part', () => {
  const waiting: Verdict = { phase: 'Idle', reason: 'Idle', message: 'nothing is under way' };
  const statusIn = (picture: Picture, verdict: Partial<Verdict> = {}): ReleaseStatus => {
    const snapshot = world(picture);
    return statusOf(snapshot, rolesOf(snapshot), { ...waiting, ...verdict });
  };
  const r3: RevisionFacts = { color: 'blue', attempt: 3, startedAt: NOON };
  /** r2 serves inside its window, and r3 is built on the other side. */
  const next: Picture = { ...committed, revisions: { r1, r2: r2Committed, r3 } };

  it('holds nothing that is undefined: it is compared and sent as JSON', () => {
    for (const picture of Object.values(SITUATIONS))
      expect(Object.values(decided(picture).plan.status)).to.not.include(undefined);
  });

  it('tells of what is over with the same object, for as long as its revision is', () => {
    const snapshot = world(idle);
    const [first, second] = [1, 2].map(() => statusOf(snapshot, rolesOf(snapshot), waiting).history?.[0]);
    expect(first).to.be.an('object').that.equals(second);
  });

  it('an observed generation is one that was judged', () => {
    const release = { generation: 7 };
    expect(statusIn({ ...idle, release }).observedGeneration).to.equal(7);
    expect(statusIn({ ...idle, release }, { specPending: true }).observedGeneration).to.equal(0);
    const previous = { observedGeneration: 6 };
    expect(statusIn({ ...idle, release, previous }, { specPending: true }).observedGeneration).to.equal(6);
  });

  it('the active side is told of where its Deployment is gone', () => {
    const { active, replicas } = statusIn({ ...idle, blue: {} });
    expect([active, replicas]).to.deep.equal([{ color: 'blue', ready: 0, desired: 0 }, 0]);
  });

  it('a side is told of with its images', () => {
    const { active } = statusIn(idle);
    expect(active).to.deep.equal({
      color: 'blue',
      revision: 'r1',
      images: ['shop/checkout:1'],
      ready: 3,
      desired: 3,
    });
    const images = Array.from({ length: 17 }, (_, index) => `${index}${'x'.repeat(600)}`);
    const many = statusIn({ ...idle, blue: { revision: 'r1', ready: 3, deployment: { images } } });
    expect(many.active?.images?.map((image) => image.length)).to.deep.equal(Array(16).fill(512));
  });

  it('the pods of a pair are selected by the label that the release names', () => {
    const selectorLabel = 'shop.example.com/color';
    const pair = { blue: { name: 'app-blue' }, green: { name: 'app-green' } };
    const traffic = { services: [{ name: 'checkout' }], selectorLabel };
    const picture: Picture = { ...idle, source: null, spec: { workload: { pair }, traffic }, pair: {} };
    expect(statusIn(picture).selector).to.equal('bluegreen.dev/release=checkout,shop.example.com/color=blue');
    expect(statusIn({ ...idle, spec: { traffic } }).selector).to.equal(
      `bluegreen.dev/release=checkout,${LABEL}=blue`,
    );
  });

  it('while a candidate is built the other side is the candidate, and no standby', () => {
    const { active, candidate, standby } = statusIn(next);
    expect([active?.color, candidate?.color, standby]).to.deep.equal(['green', 'blue', undefined]);
    const adopting = statusIn({ ...fresh, revisions: { r1: { ...r3, attempt: 1, adoption: true } } });
    expect([adopting.active, adopting.candidate?.color]).to.deep.equal([undefined, 'blue']);
    expect(statusIn(idle).standby).to.equal(undefined);
  });

  it('of an external workload its revisions are told, and no pods', () => {
    const sides = (picture: external.ExternalPicture): unknown[] => {
      const snapshot = external.external(picture);
      const { active, candidate, standby } = statusOf(snapshot, rolesOf(snapshot), waiting);
      return [active, candidate, standby];
    };
    const blue = { color: 'blue', revision: 'r1', ready: 0, desired: 0 };
    const green = { color: 'green', revision: 'r2', ready: 0, desired: 0 };
    const { onBlue } = external;
    expect(sides(onBlue)).to.deep.equal([blue, undefined, undefined]);
    expect(sides({ ...onBlue, revisions: { r1: external.r1, r2: external.r2 } })).to.deep.equal([
      blue,
      green,
      undefined,
    ]);
    expect(sides(external.watched)).to.deep.equal([green, undefined, blue]);
    expect(sides(external.committed)).to.deep.equal([green, undefined, blue]);
    const { outcome: _, verifiedAt: __, committedAt: ___, ...begun } = external.r1;
    expect(sides({ says: undefined, revisions: { r1: begun } })).to.deep.equal([undefined, blue, undefined]);
    const third: RevisionFacts = { color: 'blue', attempt: 3, startedAt: NOON };
    const revisions = { ...external.committed.revisions, r3: third };
    expect(sides({ ...external.committed, revisions })).to.deep.equal([
      green,
      { ...blue, revision: 'r3' },
      undefined,
    ]);
  });

  it('gates are what was seen now, else what was seen last in this attempt', () => {
    const gates = [{ name: 'smoke', state: 'Running' as const }];
    const previous = { attempt: 2, gates };
    expect(statusIn({ ...built, previous }).gates).to.deep.equal(gates);
    expect(statusIn({ ...built, previous: { ...previous, attempt: 1 } }).gates).to.equal(undefined);
    const long = { name: 'smoke', state: 'Failed' as const, message: 'x'.repeat(2000) };
    const seen = statusIn({ ...built, previous }, { gates: [{ name: 'load', state: 'Passed' }, long] });
    expect(seen.gates).to.deep.equal([
      { name: 'load', state: 'Passed' },
      { ...long, message: 'x'.repeat(1024) },
    ]);
  });

  describe('checks', () => {
    const spec = { observation: { checks: [{ name: 'errors', prometheus: { query: 'q', max: '1' } }] } };
    const measured = (...verdicts: ('Good' | 'Bad')[]) => ({
      measurements: {
        errors: verdicts.map((verdict, minute) => ({
          at: NOON + minute * MINUTE,
          verdict,
          reason: verdict === 'Good' ? ('WithinBounds' as const) : ('AboveMax' as const),
          message: verdict,
        })),
      },
    });
    const inWindow = (
      before: NonNullable<ReleaseStatus['checks']> | undefined,
      ...verdicts: ('Good' | 'Bad')[]
    ): unknown[] | undefined =>
      statusIn({
        ...committed,
        spec,
        now: NOON + 5 * MINUTE,
        previous: { attempt: 2, ...(before && { checks: before }) },
        observations: measured(...verdicts),
      }).checks?.map(({ name, state, message }) => [name, state, message]);

    it('of the last watch stay until the next attempt', () => {
      const checks = [{ name: 'errors', state: 'Good' as const }];
      expect(statusIn({ ...built, previous: { attempt: 2, checks } }).checks).to.deep.equal(checks);
      expect(statusIn({ ...fresh, previous: { attempt: 0, checks } }).checks).to.equal(undefined);
      expect(inWindow([{ name: 'errors', state: 'Good', message: 'then' }])).to.deep.equal([
        ['errors', 'Good', 'then'],
      ]);
    });

    it('are written anew in the window when they change, and not before', () => {
      const good = [{ name: 'errors', state: 'Good' as const, message: 'then' }];
      expect(inWindow(good, 'Good')).to.deep.equal([['errors', 'Good', 'then']]);
      expect(inWindow(good, 'Bad')?.map((each) => (each as string[])[1])).to.deep.equal(['Bad']);
      expect(inWindow(undefined, 'Bad')).to.equal(undefined);
      expect(inWindow([], 'Good')).to.equal(undefined);
    });

    it('are written in full when they breach, known or not', () => {
      expect(inWindow(undefined, 'Bad', 'Bad')?.map((each) => (each as string[])[0])).to.deep.equal([
        'errors',
      ]);
    });
  });

  it('a way back is told of with the end of its window, where there is one', () => {
    expect(statusIn(observed).rollback).to.not.have.property('until');
    const old = { r1: { ...r1, windowUntil: NOON + HOUR } };
    expect(statusIn({ ...idle, revisions: old }).rollback).to.deep.equal({
      available: false,
      message: 'no earlier revision stands by inside a rollback window',
    });
  });

  it('of what was rejected the last fifty are told', () => {
    const rejected = { at: NOON - HOUR, reason: 'GateFailed', message: 'x'.repeat(2000) };
    const outcome = { kind: 'Failed' as const, ...rejected };
    const many = Array.from({ length: 51 }, (_, index): [string, RevisionFacts] => [
      `r${index + 2}`,
      { ...r2, attempt: index + 2, outcome, rejected },
    ]);
    const told = statusIn({ ...idle, revisions: { r1, ...Object.fromEntries(many) } }).rejected ?? [];
    expect([told.length, told[0], told[49]?.revision]).to.deep.equal([
      50,
      { revision: 'r3', at: '2026-06-01T11:00:00Z', reason: 'GateFailed', message: 'x'.repeat(1024) },
      'r52',
    ]);
    expect(statusIn(idle).rejected).to.equal(undefined);
  });

  it('the history begins with the latest attempt, and knows what is under way', () => {
    const ended = { kind: 'Failed' as const, at: NOON - MINUTE, reason: 'x', message: 'x'.repeat(2000) };
    const revisions = { r1, r2: { ...r3, attempt: 4 }, r3: { ...r3, outcome: ended }, r4: undefined };
    const { history } = statusIn({ ...idle, revisions, spec: { historyLimit: 2 } });
    expect(history).to.deep.equal([
      { revision: 'r2', attempt: 4, outcome: 'UnderWay', startedAt: '2026-06-01T12:00:00Z' },
      {
        revision: 'r3',
        attempt: 3,
        outcome: 'Failed',
        startedAt: '2026-06-01T12:00:00Z',
        finishedAt: '2026-06-01T11:59:00Z',
        message: 'x'.repeat(1024),
      },
    ]);
  });

  describe('decisions', () => {
    const forget = (...revisions: string[]) =>
      revisions.map((revision) => ({ kind: 'DeleteRevision' as const, revision }));
    const first = { at: '2026-06-01T11:00:00.000Z', reason: 'Before', message: 'before', effects: ['x'] };
    const noted = { ...first, at: '2026-06-01T12:00:00.000Z', reason: 'Pruned', message: 'm' };
    const last = { ...noted, effects: ['DeleteRevision r1'] };
    const noting = (
      seconds: number,
      verdict: Partial<Verdict>,
      previous: NonNullable<ReleaseStatus['decisions']> = [first, last],
    ) =>
      statusIn(
        { ...idle, now: NOON + seconds * SECOND, previous: { decisions: previous } },
        { reason: 'Pruned', message: 'again', effects: forget('r1'), ...verdict },
      ).decisions;
    const again = (at: string) => ({ ...last, at: `2026-06-01T12:00:${at}Z`, message: 'again' });

    it('that do nothing are not noted', () => {
      expect(noting(60, { effects: [] })).to.deep.equal([first, last]);
      expect(statusIn(idle).decisions).to.deep.equal([]);
    });

    it('are noted once while they are tried again, and anew after half a minute', () => {
      expect(noting(29.999, {})).to.deep.equal([first, last]);
      expect(noting(30, {})).to.deep.equal([first, last, again('30.000')]);
    });

    it('are noted where the reason or what was done is another one', () => {
      expect(noting(1, { reason: 'Other' })).to.deep.equal([
        first,
        last,
        { ...again('01.000'), reason: 'Other' },
      ]);
      expect(noting(1, { effects: forget('r1', 'r2') })).to.deep.equal([
        first,
        last,
        { ...again('01.000'), effects: ['DeleteRevision r1', 'DeleteRevision r2'] },
      ]);
    });

    it('of drift are the latest only', () => {
      const other = { ...first, reason: 'Other' };
      expect(noting(1, { drift: 'New' }, [first, other, last])).to.deep.equal([
        first,
        other,
        again('01.000'),
      ]);
    });

    it('of which nobody can tell what was done are noted again', () => {
      const { effects: _, ...odd } = last;
      expect(noting(1, {}, [odd])).to.deep.equal([odd, again('01.000')]);
    });

    it('of which nobody can tell when they were noted are noted again', () => {
      const odd = { ...last, at: 'soon' };
      expect(noting(1, {}, [odd])).to.deep.equal([odd, again('01.000')]);
    });

    it('are cut to what may be stored, and say how many effects they do not name', () => {
      const names = Array.from({ length: 17 }, (_, index) => `r${index}${'0'.repeat(300)}`);
      const [decision] = noting(1, { message: 'x'.repeat(2000), effects: forget(...names) }, []) ?? [];
      expect(decision?.message).to.equal('x'.repeat(512));
      const named = decision?.effects ?? [];
      expect(named.slice(0, 15).map((text) => text.length)).to.deep.equal(Array(15).fill(256));
      expect(named.slice(15)).to.deep.equal(['and 2 more']);
      const [short] = noting(1, { effects: forget(...names.slice(0, 16)) }, []) ?? [];
      expect(short?.effects?.map((text) => text.length)).to.deep.equal(Array(16).fill(256));
    });
  });
});

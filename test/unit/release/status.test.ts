import { expect } from 'chai';
import { statusSchema } from '../../../src/api/status.ts';
import { decide } from '../../../src/release/decide.ts';
import { condition, decided } from './decided.ts';
import {
  built,
  committed,
  idle,
  observed,
  r1,
  r2,
  r2RolledBack,
  r2Verified,
  returning,
  rolledBack,
  SITUATIONS,
  switched,
} from './situations.ts';
import { HOUR, NOON, type Picture, world } from './world.ts';

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

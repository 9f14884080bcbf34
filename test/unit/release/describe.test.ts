/** Each kind of effect, as the decision log has it, and as the clause that says why it is done although nobody asked. */
import { expect } from 'chai';
import { describe as inWords } from '../../../src/release/describe.ts';
import type { Effect, EffectKind } from '../../../src/release/plan.ts';
import { tidying } from '../../../src/release/tidying.ts';
import { NOON, UID } from './world.ts';

const seen = { uid: 'uid', resourceVersion: '1' };
const mark = { uid: UID, revision: 'r2', attempt: 2, direction: 'Forward' as const };
const move = { decidedAt: NOON, reason: 'Validated: all gates passed', rescue: false };
const facts = { color: 'green' as const, attempt: 2, startedAt: NOON };
const autoscaler = { color: 'blue' as const, name: 'shop', uid: 'uid', from: 2, own: 2, note: '2', at: NOON };

type Case<Kind extends EffectKind> = readonly [
  effect: Omit<Extract<Effect, { kind: Kind }>, 'kind'>,
  log: string,
  /** Absent: it is never done without somebody's wish, or says so itself. */
  clause?: string,
];

const CASES: { readonly [Kind in EffectKind]: Case<Kind> } = {
  AddFinalizer: [{}, 'AddFinalizer'],
  RemoveFinalizer: [{}, 'RemoveFinalizer'],
  CreateRevision: [
    { revision: 'r2', number: 2, from: 'source', fingerprint: 'v2', facts },
    'CreateRevision r2 from source',
  ],
  RecordFacts: [{ revision: 'r2', expected: undefined, facts }, 'RecordFacts r2'],
  DeleteRevision: [{ revision: 'r1' }, 'DeleteRevision r1', 'revision r1 is beyond historyLimit'],
  WriteCopy: [
    { color: 'green', revision: 'r2', configMap: 'settings', digest: 'd' },
    'WriteCopy green settings of r2',
    'green lacks its copy of ConfigMap "settings"',
  ],
  RemoveCopy: [
    { color: 'green', name: 'checkout-green-settings-1', uid: 'uid' },
    'RemoveCopy checkout-green-settings-1',
    'ConfigMap "checkout-green-settings-1" is a copy that no revision needs',
  ],
  ClaimService: [{ service: 'shop', ...seen }, 'ClaimService shop', 'Service "shop" lost our label or claim'],
  ClaimSource: [{ uid: 'uid' }, 'ClaimSource'],
  HoldSource: [{ ...seen, autoscaler: undefined }, 'HoldSource'],
  ScaleSource: [
    { uid: 'uid', from: 3, to: 0, at: NOON },
    'ScaleSource 3 -> 0',
    'the source was scaled up or paused by another writer and gets no traffic: back to 0',
  ],
  ReleaseSource: [{ uid: 'uid', serves: true }, 'ReleaseSource'],
  ReleaseService: [
    { service: 'shop', ...seen },
    'ReleaseService shop',
    'Service "shop" is in the spec no more',
  ],
  RemoveAutoscaler: [
    { name: 'shop', uid: 'uid' },
    'RemoveAutoscaler shop',
    'autoscaler "shop" is in nobody\'s spec',
  ],
  WriteTwin: [
    { service: 'shop', color: 'blue' },
    'WriteTwin shop-blue',
    'Service "shop-blue" is not as it should be',
  ],
  RemoveTwin: [
    { service: 'shop', color: 'blue' },
    'RemoveTwin shop-blue',
    'Service "shop" is in the spec no more',
  ],
  WriteColor: [
    { color: 'green', revision: 'r2', replicas: 3, expected: undefined },
    'WriteColor green r2, 3 replicas',
    'green is to hold revision r2',
  ],
  ScaleColor: [
    { color: 'green', uid: 'uid', from: 3, to: 2 },
    'ScaleColor green 3 -> 2',
    'green is to have 2 pods',
  ],
  LabelColor: [
    { color: 'green', ...seen },
    'LabelColor green',
    'the Deployment of green is to carry the labels and annotations that are stated',
  ],
  RecyclePods: [
    { color: 'blue', pods: ['a', 'b'].map((name) => ({ name, uid: name })) },
    'RecyclePods blue: a, b',
    'pods of blue are replaced, so that connections made before the switch end',
  ],
  ClaimPaired: [
    { object: 'Deployment', name: 'app-blue', uid: 'uid' },
    'ClaimPaired Deployment app-blue',
    'Deployment "app-blue" lacks our label',
  ],
  ReleasePaired: [
    { object: 'HorizontalPodAutoscaler', name: 'app-blue', uid: 'uid' },
    'ReleasePaired HorizontalPodAutoscaler app-blue',
    'HorizontalPodAutoscaler "app-blue" is in the spec no more',
  ],
  LockAutoscaler: [
    { ...autoscaler, to: 5 },
    'LockAutoscaler shop, minReplicas 2 -> 5',
    'autoscaler "shop" is to keep at least 5 pods',
  ],
  WriteAutoscaler: [
    { color: 'blue', minReplicas: 4 },
    'WriteAutoscaler blue, minReplicas 4',
    'the autoscaler of blue is to keep at least 4 pods',
  ],
  WriteBudget: [
    { color: 'blue', asks: { minAvailable: 2 } },
    'WriteBudget blue, minAvailable 2',
    'the disruption budget of blue is to ask for minAvailable 2',
  ],
  RemoveBudget: [{ color: 'blue', uid: 'uid' }, 'RemoveBudget blue', 'blue is to have no disruption budget'],
  DeleteColor: [{ color: 'blue', uid: 'uid' }, 'DeleteColor blue'],
  PatchSelector: [
    { service: 'shop', uid: 'uid', from: {}, expectedMark: undefined, color: 'green', mark, ...move },
    'PatchSelector shop -> green',
    'Service "shop" joins the others on green',
  ],
  ClaimEndpoint: [
    { configMap: 'search', expected: undefined },
    'ClaimEndpoint search',
    'ConfigMap "search" is not there, or lost our label',
  ],
  Publish: [
    {
      configMap: 'search',
      uid: 'uid',
      from: {},
      expectedMark: undefined,
      color: 'green',
      mark,
      data: {},
      ...move,
    },
    'Publish search -> green',
  ],
  PublishSecret: [
    {
      secret: 'login',
      ...seen,
      source: { name: 'login-green', version: '1' },
      keys: ['password'],
      color: 'green',
      mark,
      beside: {},
      ...move,
    },
    'PublishSecret login -> green',
  ],
  ReleaseSecret: [{ secret: 'login', uid: 'uid' }, 'ReleaseSecret login'],
  ReleaseEndpoint: [{ configMap: 'search', uid: 'uid' }, 'ReleaseEndpoint search'],
  RestartConsumer: [
    { consumer: 'StatefulSet', name: 'api', uid: 'uid', digest: 'd', at: NOON },
    'RestartConsumer StatefulSet api',
    'StatefulSet "api" is to run with what is published',
  ],
  PointPreview: [
    { service: 'next', ...seen, color: 'green' },
    'PointPreview next -> green',
    'Service "next" is to show green',
  ],
  HandBack: [
    {
      service: 'shop',
      uid: 'uid',
      from: {},
      expectedMark: undefined,
      hash: 'abc',
      decidedAt: NOON,
      reason: 'Deleting',
    },
    'HandBack shop -> source (abc)',
  ],
  CreateJob: [{ gate: 'smoke', revision: 'r2', attempt: 2, color: 'green' }, 'CreateJob smoke for r2'],
};

const effect = <Kind extends EffectKind>(kind: Kind, change: object = {}): Effect =>
  ({ kind, ...CASES[kind][0], ...change }) as Effect;

describe('an effect in words', () => {
  for (const [kind, [, log, clause]] of Object.entries(CASES) as [EffectKind, Case<EffectKind>][]) {
    it(`is "${log}" in the decision log`, () => {
      expect(inWords(effect(kind))).to.equal(log);
    });

    it(clause === undefined ? `has no clause of its own: ${kind}` : `is done because ${clause}`, () => {
      expect(tidying([effect(kind)])).to.equal(clause ?? '');
    });
  }

  it('says what differs from one to the next of its kind', () => {
    const outcome = { kind: 'Committed' as const, at: NOON, reason: 'Committed', message: 'kept' };
    expect(inWords(effect('RecordFacts', { facts: { ...facts, outcome } }))).to.equal(
      'RecordFacts r2 Committed',
    );
    expect(inWords(effect('HoldSource', { autoscaler: 'shop' }))).to.equal(
      'HoldSource, storing autoscaler shop',
    );
    expect(inWords(effect('PatchSelector', { color: undefined }))).to.equal('PatchSelector shop -> source');
    expect(inWords(effect('HandBack', { hash: undefined }))).to.equal(
      'HandBack shop -> as before the adoption',
    );
  });

  it('says whose doing it was, and how many pods it takes', () => {
    expect(tidying([effect('ScaleSource', { by: 'an autoscaler' })])).to.equal(
      'the source was scaled up or paused by an autoscaler and gets no traffic: back to 0',
    );
    expect(tidying([effect('ScaleColor', { to: 0 })])).to.equal('green is no longer needed: no pods');
    expect(tidying([effect('ScaleColor', { to: 1 })])).to.equal('green is to have 1 pod');
    expect(tidying([effect('LockAutoscaler', { to: 2 })])).to.equal(
      'autoscaler "shop" gets its own minReplicas back',
    );
  });

  it('says each reason once, in the order of the effects, and nothing of what has none', () => {
    const effects = [
      effect('RemoveTwin'),
      effect('AddFinalizer'),
      effect('RemoveTwin', { color: 'green' }),
      effect('RemoveBudget'),
      effect('CreateJob'),
    ];
    expect(tidying(effects)).to.equal(
      'Service "shop" is in the spec no more; blue is to have no disruption budget',
    );
    expect(tidying([])).to.equal('');
  });
});

import { expect } from 'chai';
import type { Color } from '../../../src/api/status.ts';
import type { RevisionFacts } from '../../../src/release/facts.ts';
import { violations } from '../../../src/release/invariants.ts';
import {
  lockAutoscaler,
  pairWish,
  releasePaired,
  revisionHeld,
  servingSide,
} from '../../../src/release/pair.ts';
import { pairUnfit } from '../../../src/release/pair-problems.ts';
import type { EffectKind } from '../../../src/release/plan.ts';
import { rolesOf } from '../../../src/release/roles.ts';
import type { PairedAutoscalerView, RevisionView, Snapshot } from '../../../src/release/snapshot.ts';
import { takeOver } from '../../../src/release/stages/paired.ts';
import { decided, decidedOn, effectOf } from './decided.ts';
import {
  committed,
  FORWARD_1,
  FORWARD_2,
  observed,
  r1,
  r2,
  r2Committed,
  r2RolledBack,
  r2Validated,
  r2Verified,
  SITUATIONS,
} from './situations.ts';
import {
  accepted,
  HOUR,
  LABEL,
  NOON,
  type Picture,
  revisionOf,
  SECOND,
  type SidePicture,
  specOf,
  UID,
  world,
} from './world.ts';

const workload = (active?: 'blue' | 'green') => ({
  deploymentRef: undefined,
  pair: {
    ...(active && { active }),
    blue: { name: 'app-blue', autoscalerRef: { name: 'blue-hpa' } },
    green: { name: 'app-green' },
  },
});

/** That is not read here: the view says what follows from it. */
const NOTE = '2->5@2026-03-01T12:00:00Z';
const taken = { ...r1, outcome: { ...r1.outcome, reason: 'TakenOver' }, beside: 'green0' } as typeof r1;
const autoscaler: PairedAutoscalerView = {
  name: 'blue-hpa',
  uid: 'hpa-blue',
  claimedBy: 'checkout',
  target: { kind: 'Deployment', name: 'app-blue' },
  minReplicas: 2,
  maxReplicas: 6,
  own: 2,
  note: undefined,
  overwrittenSince: undefined,
};
const content = (fingerprint: string, revision?: string): NonNullable<SidePicture['deployment']> => ({
  fingerprint,
  revision,
  matches: revision !== undefined,
});

/** Three blue pods serve what r1 says; green has no pods, and says what it said when blue was taken over. */
const resting: Picture = {
  spec: { workload: workload() },
  source: null,
  route: 'blue',
  mark: FORWARD_1,
  blue: { revision: 'r1', ready: 3 },
  green: { revision: '', desired: 0, deployment: content('green0') },
  revisions: { r1: taken },
  pair: {},
};
const asked: Picture = { ...resting, spec: { workload: workload('green') } };
const edited: Picture = { ...resting, green: { ...resting.green, deployment: content('v2') } };
const green2: SidePicture = { revision: 'r2', ready: 3 };
const fresh: Picture = {
  ...resting,
  mark: undefined,
  revisions: {},
  blue: { revision: '', ready: 3, deployment: content('v1') },
};

const starts = (picture: Picture): [string, readonly string[]] => {
  const { reason, effects } = decided(picture);
  return [reason, effects];
};

describe('what is wished for of a pair', () => {
  const begun = ['ReleaseStarted', ['CreateRevision r2 from source']];

  it('is nothing, while nobody has changed the side without traffic since the pair was taken over', () => {
    expect(starts(resting)).to.deep.equal(['Idle', []]);
  });

  it('is what stands on that side, once somebody has changed it', () => {
    expect(starts(edited)).to.deep.equal(begun);
  });

  it('is nothing, where both sides are the same but for their colour', () => {
    const same = { colorless: 'same' };
    expect(starts({ ...edited, pair: { blue: same, green: same } })[0]).to.equal('Idle');
  });

  it('is what stands on the side that people name, changed or not', () => {
    expect(starts(asked)).to.deep.equal(begun);
  });

  it('is nothing where people name the side that serves, whatever stands on the other one', () => {
    expect(starts({ ...edited, spec: { workload: workload('blue') } })[0]).to.equal('Idle');
  });

  const after: Picture = { ...committed, ...paired(), route: 'green', mark: FORWARD_2, green: green2 };

  it('is nothing after a release: what had the traffic stands by', () => {
    expect(starts(after)[0]).to.equal('Committed');
  });

  it('is nothing, where an edit of the side that stands by is taken back, whatever became of it', () => {
    const r3: RevisionFacts = { color: 'blue', attempt: 3, startedAt: NOON };
    for (const kind of [undefined, 'Superseded', 'Failed'] as const) {
      const outcome = kind && { kind, at: NOON, reason: kind, message: 'v3 stands there no more' };
      const undone: Picture = {
        ...after,
        revisions: { r1, r2: r2Committed, r3: { ...r3, ...(outcome && { outcome }) } },
      };
      const { reason, effects } = decided(undone);
      expect(effects, kind).not.to.include('PatchSelector checkout -> blue');
      expect(reason, kind).to.equal(kind === undefined ? 'Superseded' : 'Committed');
    }
  });

  it('is nothing, where what stands there had the traffic, and people took it back from it', () => {
    const outcome = { kind: 'RolledBack' as const, at: NOON - HOUR, reason: 'Reverted', message: 'm' };
    const reverted: Picture = {
      ...resting,
      green: { revision: 'r2', desired: 0 },
      revisions: { r1: taken, r2: { ...r2Validated, outcome } },
    };
    expect(starts(reverted)[0]).to.equal('Idle');
    const other = { ...r2Validated, outcome: { ...outcome, reason: 'SwitchNotConverged' } };
    expect(starts({ ...reverted, revisions: { r1: taken, r2: other } })).to.deep.equal([
      'ReleaseStarted',
      ['RecordFacts r2'],
    ]);
  });

  it('is nothing, where nothing stands on the side without traffic, and nobody names it', () => {
    const wish = { fingerprint: 'v1', podLabels: {}, replicas: 1 };
    expect(pairWish(world({ ...resting, green: {} }))).to.deep.equal(wish);
    expect(pairWish(world({ ...asked, green: {} }))).to.equal(undefined);
  });

  it('is a way back without gates, where people name the side that stands by', () => {
    const { phase, reason, message, effects } = decided({ ...after, spec: { workload: workload('blue') } });
    expect([phase, reason, effects]).to.deep.equal([
      'RollingBack',
      'Reverted',
      ['PatchSelector checkout -> blue'],
    ]);
    expect(message).to.match(/^spec\.workload\.pair says what revision r1 is, which stands by; putting/);
  });

  it('is not tried again where it was rejected, until somebody changes it', () => {
    const lost: Picture = {
      ...resting,
      green: { revision: 'r2', desired: 0 },
      revisions: { r1, r2: r2RolledBack },
    };
    const { reason, message } = decided(lost);
    expect(reason).to.equal('RevisionRejected');
    expect(message).to.equal(
      'revision r2 was rejected and is not tried again by itself (too many errors); change spec.workload.pair, or annotate bluegreen.dev/action=retry@2',
    );
    const mended: Picture = { ...lost, green: { ...lost.green, deployment: content('v3') } };
    expect(starts(mended)).to.deep.equal(['ReleaseStarted', ['CreateRevision r3 from source']]);
  });
});

function paired(): Picture {
  return { spec: { workload: workload() }, source: null, pair: {} };
}

describe('a pair', () => {
  it('is labelled first, then its side that serves is recorded as it is, and no traffic moves', () => {
    const claiming = decided({ ...fresh, pair: { blue: { claimedBy: undefined }, green: {} } });
    expect([claiming.phase, claiming.reason, claiming.message, claiming.effects]).to.deep.equal([
      'Adopting',
      'ClaimingPair',
      'claiming the production Services and the two workloads',
      ['ClaimPaired Deployment app-blue'],
    ]);
    const result = decided(fresh);
    const message = 'blue serves already: taking it over as revision r1';
    expect([result.phase, result.reason, result.message, result.effects]).to.deep.equal([
      'Adopting',
      'TakenOver',
      message,
      ['CreateRevision r1 from blue'],
    ]);
    expect(effectOf(result, 'CreateRevision').facts).to.deep.equal({
      color: 'blue',
      attempt: 1,
      startedAt: NOON,
      validatedAt: NOON,
      verifiedAt: NOON,
      committedAt: NOON,
      outcome: { kind: 'Committed', at: NOON, reason: 'TakenOver', message },
      verifiedReady: 3,
      beside: 'green0',
    });
  });

  it('of which nobody knows what serves is not taken over', () => {
    const three: SidePicture = { revision: '', ready: 3 };
    for (const picture of [
      { ...fresh, route: undefined, green: three },
      { ...fresh, blue: {} },
    ])
      expect(takeOver(world(picture))).to.deep.equal({
        phase: 'Stalled',
        reason: 'ActiveUnknown',
        message: 'no side serves',
        stalled: true,
      });
  });

  it('whose other side does not exist is taken over without it', () => {
    const [effect] = takeOver(world({ ...fresh, green: {} })).effects ?? [];
    expect(effect).to.have.nested.property('facts.verifiedReady', 3);
    expect(effect).to.not.have.nested.property('facts.beside');
  });

  it('gets the key where only one side has pods', () => {
    const result = decided({ ...fresh, route: undefined });
    const { phase, reason, message, effects } = result;
    expect([phase, reason, effects]).to.deep.equal([
      'Adopting',
      'KeyAdded',
      ['PatchSelector checkout -> blue'],
    ]);
    expect(message).to.equal(`only blue has pods: the selectors get ${LABEL}: blue`);
    expect(effectOf(result, 'PatchSelector')).to.deep.include({
      mark: { uid: UID, revision: 'r1', attempt: 1, direction: 'Forward' },
      reason: `KeyAdded: ${message}`,
      rescue: false,
    });
  });

  const halfKeyed = (second: Color | undefined): Snapshot => {
    const snapshot = world({ ...fresh, route: undefined, services: ['checkout', 'cart'] });
    const colors = { checkout: 'blue', cart: second } as const;
    const services = snapshot.services.map((service) => {
      const color = colors[service.name as keyof typeof colors];
      return { ...service, selector: { ...service.selector, ...(color && { [LABEL]: color }) } };
    });
    return accepted({ ...snapshot, services });
  };

  it('half of whose Services got the key goes on with the others, and guesses nothing where they disagree', () => {
    const { reason, effects } = decidedOn(halfKeyed(undefined));
    expect([reason, effects]).to.deep.equal(['KeyAdded', ['PatchSelector cart -> blue']]);
    const split = decidedOn(halfKeyed('green'));
    expect([split.phase, split.reason, split.effects]).to.deep.equal(['Stalled', 'ServicesDisagree', []]);
    expect(pairUnfit(split.snapshot, rolesOf(split.snapshot)), 'told of once').to.equal(undefined);
    const elsewhere: Snapshot = halfKeyed(undefined);
    const { blue, green } = world({
      green: { revision: '', ready: 3 },
      blue: { revision: '', desired: 0 },
    }).sides;
    const other = decidedOn(accepted({ ...elsewhere, sides: { blue, green } }));
    expect([other.phase, other.reason, other.message]).to.deep.equal([
      'Stalled',
      'ActiveUnknown',
      'Service "cart" does not say which side serves: add bluegreen.dev/color: blue or bluegreen.dev/color: green to its selector',
    ]);
  });

  it('whose Services lost the key once it is taken over is not asked which side serves: that is known', () => {
    const both = world({ ...resting, route: undefined, green: { ...resting.green, desired: 1 } });
    expect([servingSide(both), pairUnfit(both, rolesOf(both))]).to.deep.equal([undefined, undefined]);
  });

  it('is not taken over in the middle of a rollout: what is written there is not what serves yet', () => {
    const rolling = { ...fresh, blue: { ...fresh.blue, deployment: { ...content('v1'), updated: 1 } } };
    const { phase, reason, message, effects } = decided(rolling);
    expect([phase, reason, effects]).to.deep.equal(['Adopting', 'WaitingForRollout', []]);
    expect(message).to.equal(
      'Deployment "app-blue" serves and is being rolled out (1 of 3 pods are of its latest template): it is taken over after that',
    );
  });

  it('comes back as large as it was taken over, where its serving side is scaled to 0', () => {
    const { plan } = decided({ ...fresh, blue: { ...fresh.blue, ready: 2, desired: 3 } });
    expect(plan.effects[0]).to.have.nested.property('facts.verifiedReady', 3);
  });

  it('whose workload was created again without the labels of its pods is not labelled, and so not scaled', () => {
    const again: Picture = {
      ...resting,
      pair: { green: { claimedBy: undefined, lacks: [`${LABEL}: green`] } },
    };
    const { reason, effects } = decided(again);
    expect([reason, effects]).to.deep.equal(['PodsUnlabelled', []]);
  });

  it('whose candidate is edited after its gates is not switched: what passed them stands nowhere any more', () => {
    const validated: Picture = {
      ...asked,
      green: { ...green2, deployment: content('v3') },
      revisions: { r1: taken, r2: r2Validated },
    };
    const { reason, message } = decided(validated);
    expect([reason, message]).to.deep.equal([
      'Superseded',
      'revision r2 is no longer wanted: spec.workload.pair changed',
    ]);
  });

  it('whose candidate is edited while it is prepared keeps its pods, and starts over with all of them', () => {
    const large = (fingerprint: string, revision?: string): SidePicture => ({
      revision: revision ?? '',
      ready: 5,
      deployment: content(fingerprint, revision),
    });
    const over = { kind: 'Superseded', at: NOON, reason: 'Superseded', message: '' } as const;
    const r3 = { ...r2, attempt: 3 };
    const steps: readonly Picture[] = [
      { green: large('v2', 'r2'), revisions: { r1: taken, r2 } },
      { green: large('v3'), revisions: { r1: taken, r2 } },
      { green: large('v3'), revisions: { r1: taken, r2: { ...r2, outcome: over } } },
      { green: large('v3', 'r3'), revisions: { r1: taken, r2: { ...r2, outcome: over }, r3 } },
    ];
    expect(steps.map((step) => starts({ ...asked, ...step }))).to.deep.equal([
      ['Validated', ['RecordFacts r2']],
      ['Superseded', ['RecordFacts r2 Superseded']],
      ['ReleaseStarted', ['CreateRevision r3 from source']],
      ['Validated', ['RecordFacts r3']],
    ]);
  });

  it('whose serving side people roll out gets a revision of what it runs, once that is ready', () => {
    const rolling: Picture = {
      ...resting,
      blue: { revision: '', ready: 3, deployment: { ...content('v9'), updated: 1, writer: 'helm' } },
    };
    const edit = decided(rolling);
    expect([edit.reason, edit.message]).to.deep.equal([
      'ActiveEdited',
      'Deployment "app-blue" was edited by helm and is no longer what revision r1 is: put it back, or wait until it has rolled out and is ready, which makes it a revision of its own',
    ]);
    expect(edit.effects).to.deep.equal([]);
    const rolled: Picture = {
      ...rolling,
      blue: { ...rolling.blue, deployment: { ...content('v9'), writer: 'helm' } },
    };
    const then = decided(rolled);
    expect([then.phase, then.reason, then.effects]).to.deep.equal([
      'Idle',
      'RolledOutInPlace',
      ['CreateRevision r2 from blue'],
    ]);
    const message =
      'Deployment "app-blue" was rolled out in production by helm: that is a revision of its own, and no gate has seen it';
    expect(then.message).to.equal(message);
    expect(effectOf(then, 'CreateRevision').facts).to.deep.equal({
      color: 'blue',
      attempt: 2,
      startedAt: NOON,
      validatedAt: NOON,
      verifiedAt: taken.verifiedAt,
      committedAt: NOON,
      outcome: { kind: 'Committed', at: NOON, reason: 'RolledOutInPlace', message },
      verifiedReady: 3,
      beside: 'green0',
    });
  });

  const inPlace = (deployment: SidePicture['deployment'], more: Picture = {}): Picture => ({
    ...resting,
    blue: { revision: '', ready: 3, deployment: { ...content('v9'), ...deployment } },
    ...more,
  });

  it('whose serving side people roll out keeps the window, and the time of its switch', () => {
    const { beside: _, ...alone } = taken;
    const times = { decidedAt: NOON - HOUR, windowUntil: NOON + HOUR };
    const { facts } = effectOf(
      decided(inPlace({}, { revisions: { r1: { ...alone, ...times } } })),
      'CreateRevision',
    );
    expect(facts).to.deep.include(times);
    expect(facts).to.not.have.property('beside');
    expect(decided(inPlace({})).message, 'nobody knows who').to.equal(
      'Deployment "app-blue" was rolled out in production by another writer: that is a revision of its own, and no gate has seen it',
    );
  });

  const unready = {
    revision: '',
    desired: 3,
    ready: 0,
    deployment: { ...content('v9'), available: 3 },
  };
  const notYet: [string, Picture][] = [
    ['it has no pods', inPlace({ pods: 0, updated: 0, desired: 0, available: 0 })],
    ['not all of its pods are made yet', inPlace({ desired: 5 })],
    ['not all of its pods are available', inPlace({ available: 2 })],
    ['its controller has not seen it', inPlace({ observed: false })],
    ['none of its pods is ready', inPlace({}, { blue: unready })],
    [
      'it was rejected before',
      inPlace({}, { revisions: { r1: taken, r2: { ...r2RolledBack } }, contents: { r2: 'v9' } }),
    ],
  ];
  for (const [why, picture] of notYet)
    it(`whose serving side people roll out is told of, and no revision, while ${why}`, () => {
      expect(decided(picture).effects.filter((effect) => effect.startsWith('CreateRevision'))).to.deep.equal(
        [],
      );
    });

  it('whose serving side people roll out gets a revision, though one of that content was never started', () => {
    const revisions = { r1: taken, r2: undefined };
    const { reason, effects } = decided(inPlace({}, { revisions, contents: { r2: 'v9' } }));
    expect([reason, effects]).to.deep.equal(['RolledOutInPlace', ['CreateRevision r3 from blue']]);
  });

  it('whose serving side people roll out before it was proven is proven with that', () => {
    const { verifiedAt: _, ...unproven } = taken;
    const { facts } = effectOf(decided(inPlace({}, { revisions: { r1: unproven } })), 'CreateRevision');
    expect(facts.verifiedAt).to.equal(NOON);
  });

  it('is meant, and no colour of ours: what somebody rolls out there is told of', () => {
    const { mark, route } = resting;
    const ours = decided({ mark, route, blue: { revision: 'r7', ready: 3 }, revisions: { r1 } } as Picture);
    expect([ours.reason, ours.effects]).to.deep.equal(['ActiveEdited', []]);
  });

  it('whose serving side people roll out gets a revision, whatever else was rejected before', () => {
    const other = inPlace({}, { revisions: { r1: taken, r2: r2RolledBack } });
    expect(decided(other).reason).to.equal('RolledOutInPlace');
  });

  it('whose serving side is rolled out while a release is under way records that first, and then starts over', () => {
    const rolled: Picture = {
      ...asked,
      blue: { revision: '', ready: 3, deployment: { ...content('v9'), writer: 'helm' } },
      green: green2,
      revisions: { r1: taken, r2: r2Validated },
    };
    const { reason, message, effects } = decided(rolled);
    expect([reason, message]).to.deep.equal([
      'ActiveEdited',
      'revision r2 starts over: Deployment "app-blue" was rolled out in production meanwhile, and is recorded first',
    ]);
    expect(effects).to.deep.equal(['RecordFacts r2 Superseded']);
    const outcome = { kind: 'Superseded', at: NOON, reason, message } as const;
    const ended: Picture = { ...rolled, revisions: { r1: taken, r2: { ...r2Validated, outcome } } };
    expect(starts(ended)).to.deep.equal(['RolledOutInPlace', ['CreateRevision r3 from blue']]);
    const r3: RevisionFacts = { ...taken, attempt: 3, startedAt: NOON };
    const recorded: Picture = {
      ...ended,
      mark: `${UID}/r3/3`,
      blue: { revision: 'r3', ready: 3, deployment: content('v9', 'r3') },
      revisions: { ...ended.revisions, r3 },
      contents: { r3: 'v9' },
    };
    expect(starts(recorded)[0]).to.equal('ReleaseStarted');
  });

  const spoilt = { revision: '', ready: 3, deployment: content('v7') };

  it('whose side that stands by is edited can not be gone back to, and says so', () => {
    const { plan } = decided({ ...observed, ...paired(), blue: spoilt });
    expect(plan.status.rollback?.available).to.equal(false);
    expect(plan.status.conditions?.find(({ type }) => type === 'RollbackAvailable')).to.include({
      reason: 'TargetReplaced',
      message: 'blue does not hold revision r1 now',
    });
  });

  it('whose side that stands by is edited keeps its pods inside the window: it may be put back', () => {
    const { reason, effects } = decided({
      ...committed,
      ...paired(),
      spec: { workload: workload('green') },
      blue: spoilt,
    });
    expect([reason, effects]).to.deep.equal(['Idle', []]);
  });

  describe('whose way back is wanted, and then written over', () => {
    const wanted = { at: NOON - SECOND, reason: 'CheckFailed', message: 'too many errors' };
    const shut: Picture = {
      ...observed,
      ...paired(),
      blue: spoilt,
      revisions: { r1, r2: { ...r2Verified, returnWanted: wanted } },
    };

    it('is watched on where nothing is wrong any more', () => {
      const { phase, reason, message, plan } = decided({ ...shut, spec: { workload: workload('green') } });
      expect([phase, reason, message]).to.deep.equal([
        'Observing',
        'ReturnForgotten',
        'no side is able to take over, and no check fails now: revision r2 is watched on',
      ]);
      expect(plan.effects[0]).to.have.property('facts').that.does.not.have.property('returnWanted');
    });

    it('is wanted on while one check of several does not say that all is well', () => {
      const checks = [{ name: 'errors', prometheus: { query: 'q', max: '1' } }];
      const spec = { workload: workload('green'), observation: { checks } };
      expect(decided({ ...shut, spec }).reason).to.equal('RollbackImpossible');
    });

    const dead: Picture = { ...shut, green: { revision: 'r2', ready: 0, desired: 3 } };

    it('makes room for what was written there instead, once it has been bad for a while', () => {
      const long = { ...r2Verified, returnWanted: { ...wanted, at: NOON - HOUR } };
      const { reason } = decided({ ...dead, revisions: { r1, r2: long } });
      expect(reason).to.equal('GaveWay');
    });
  });

  it('is left as it is when the release is deleted', () => {
    const raised = { ...autoscaler, minReplicas: 5, note: NOTE };
    const { phase, reason, message, effects } = decided({
      ...committed,
      ...paired(),
      release: { deleting: true },
      pair: { blue: { autoscaler: raised } },
    });
    expect([phase, reason, message]).to.deep.equal([
      'Deleting',
      'PairKept',
      'both workloads stay as they are: labels, notes and twins are removed',
    ]);
    expect(effects).to.deep.equal([
      'ReleasePaired Deployment app-blue',
      'ReleasePaired HorizontalPodAutoscaler blue-hpa',
      'ReleasePaired Deployment app-green',
      'RemoveTwin checkout-blue',
      'RemoveTwin checkout-green',
      'ReleaseService checkout',
      'RemoveFinalizer',
    ]);
  });

  it('whose raised minimum lost our label is given that back all the same', () => {
    const raised = { ...autoscaler, claimedBy: undefined, minReplicas: 5, note: NOTE };
    const { effects } = decided({
      ...resting,
      release: { deleting: true },
      pair: { blue: { autoscaler: raised } },
    });
    expect(effects).to.include('ReleasePaired HorizontalPodAutoscaler blue-hpa');
  });

  it('is given back of it what is ours, and nothing that another release claimed or that we never noted', () => {
    const given = (claimedBy: string | undefined, note?: string) => {
      const blue = { claimedBy, autoscaler: { ...autoscaler, claimedBy, note } };
      const effects = releasePaired(world({ ...resting, pair: { blue, green: { claimedBy: 'cart' } } }));
      return effects.map((effect) => (effect.kind === 'ReleasePaired' ? effect.name : effect.kind));
    };
    expect(given('checkout')).to.deep.equal(['app-blue', 'blue-hpa']);
    expect(given(undefined)).to.deep.equal([]);
    expect(given(undefined, NOTE)).to.deep.equal(['blue-hpa']);
    expect(given('cart', NOTE)).to.deep.equal([]);
  });

  const SHAPES: readonly EffectKind[] = [
    'WriteColor',
    'DeleteColor',
    'LabelColor',
    'WriteAutoscaler',
    'RemoveAutoscaler',
    'WriteBudget',
    'WriteCopy',
  ];

  it('is neither written nor deleted in any situation, and the guard would refuse it', () => {
    for (const [name, picture] of Object.entries(SITUATIONS)) {
      if (picture.revisions === undefined) continue;
      for (const active of [undefined, 'blue', 'green'] as const) {
        for (const gone of [{}, { [active ?? 'blue']: {} }]) {
          const { plan } = decided({
            ...picture,
            ...paired(),
            spec: { workload: workload(active) },
            ...gone,
          });
          const shaping = plan.effects.filter(({ kind }) => SHAPES.includes(kind));
          expect(shaping, `${name}, active ${active}`).to.deep.equal([]);
        }
      }
    }
    const snapshot = world(resting);
    const expected = { uid: 'green-uid', resourceVersion: '1' };
    const written = { kind: 'WriteColor', color: 'green', revision: 'r1', replicas: 1, expected } as const;
    expect(violations(snapshot, [written])).to.include(
      'WriteColor: the workloads of a pair are written by people alone',
    );
    expect(violations(snapshot, [{ kind: 'DeleteColor', color: 'green', uid: 'green-uid' }])).to.deep.equal([
      'DeleteColor: the workloads of a pair are written by people alone',
    ]);
  });
});

describe('the autoscaler of a side', () => {
  const serving = (given: Partial<PairedAutoscalerView>, more: Picture = {}): readonly string[] =>
    decided({ ...resting, pair: { blue: { autoscaler: { ...autoscaler, ...given } } }, ...more }).effects;

  it('is left alone while nothing is under way', () => {
    expect(serving({})).to.deep.equal([]);
  });

  it('keeps the pods of the side that serves while the traffic is about to move', () => {
    const moving: Picture = {
      spec: { workload: workload('green') },
      green: green2,
      revisions: { r1: taken, r2: r2Validated },
    };
    expect(serving({}, moving)).to.include('LockAutoscaler blue-hpa, minReplicas 2 -> 3');
  });

  it('never asks for more than its maximum', () => {
    const moving: Picture = {
      spec: { workload: workload('green') },
      green: green2,
      revisions: { r1: taken, r2: r2Validated },
    };
    expect(serving({ minReplicas: 1, own: 1, maxReplicas: 2 }, moving)).to.include(
      'LockAutoscaler blue-hpa, minReplicas 1 -> 2',
    );
  });

  it('gets its own minimum back when that is over', () => {
    expect(serving({ minReplicas: 5, note: NOTE })).to.deep.equal([
      'LockAutoscaler blue-hpa, minReplicas 5 -> 2',
    ]);
  });

  it('gets it back, and neither label nor lock, where it scales something else now', () => {
    const target = { kind: 'Deployment', name: 'cart' };
    const moving: Picture = {
      spec: { workload: workload('green') },
      green: green2,
      revisions: { r1: taken, r2: r2Validated },
    };
    expect(serving({ target, claimedBy: undefined }, moving)).to.deep.equal([
      'PatchSelector checkout -> green',
    ]);
    expect(serving({ target, minReplicas: 3, note: NOTE }, moving)).to.deep.equal([
      'LockAutoscaler blue-hpa, minReplicas 3 -> 2',
    ]);
  });

  it('is raised at most once a minute, where somebody writes its minimum back', () => {
    const moving: Picture = {
      spec: { workload: workload('green') },
      green: { revision: 'r2', desired: 0 },
      revisions: { r1: taken, r2: r2Validated },
    };
    const lock = 'LockAutoscaler blue-hpa, minReplicas 2 -> 3';
    const fought = { note: NOTE, overwrittenSince: NOON - 20 * SECOND };
    expect(serving(fought, moving)).not.to.include(lock);
    const { plan } = decided({
      ...resting,
      ...moving,
      pair: { blue: { autoscaler: { ...autoscaler, ...fought } } },
    });
    expect(plan.lookAgainAt).to.equal(NOON + 40 * SECOND);
    expect(serving({ ...fought, overwrittenSince: NOON - 60 * SECOND }, moving)).to.include(lock);
  });

  it('loses a note that people have overtaken', () => {
    expect(serving({ note: NOTE })).to.deep.equal(['LockAutoscaler blue-hpa, minReplicas 2 -> 2']);
  });

  describe('is written', () => {
    const floorOf = (given: Partial<PairedAutoscalerView>, floor: number): [number, number][] => {
      const snapshot = world({ ...resting, pair: { blue: { autoscaler: { ...autoscaler, ...given } } } });
      return lockAutoscaler(snapshot, 'blue', floor).map((effect) => {
        if (effect.kind !== 'LockAutoscaler') throw new Error(effect.kind);
        return [effect.from, effect.to];
      });
    };

    it('once: not again while it is as high as it should be', () => {
      expect(floorOf({}, 5)).to.deep.equal([[2, 5]]);
      expect(floorOf({ minReplicas: 5, note: NOTE }, 5)).to.deep.equal([]);
    });

    it('where the label says that it is ours, and nowhere else', () => {
      expect(floorOf({ claimedBy: 'cart' }, 5)).to.deep.equal([]);
      expect(floorOf({ claimedBy: undefined }, 5)).to.deep.equal([]);
    });

    it('not to raise it within a minute after somebody wrote over it, but to lower it, or to clear its note', () => {
      const fought = { note: NOTE, overwrittenSince: NOON - SECOND };
      expect(floorOf(fought, 5)).to.deep.equal([]);
      expect(floorOf({ ...fought, minReplicas: 4 }, 3)).to.deep.equal([[4, 3]]);
      expect(floorOf(fought, 0)).to.deep.equal([[2, 2]]);
    });
  });

  it('that the spec names no more is given back', () => {
    const { effects } = decided({ ...resting, pair: { leftovers: [autoscaler] } });
    expect(effects).to.deep.equal(['ReleasePaired HorizontalPodAutoscaler blue-hpa']);
  });

  it('keeps a side that stands by as large as its window asks for, and no longer', () => {
    const after: Picture = { ...committed, ...paired(), pair: { blue: { autoscaler } } };
    expect(decided(after).effects).to.include('LockAutoscaler blue-hpa, minReplicas 2 -> 3');
    const over = { ...r2Committed, windowUntil: NOON - HOUR, verifiedAt: NOON - 2 * HOUR };
    const late: Picture = {
      ...after,
      switchedAt: NOON - 2 * HOUR,
      revisions: { r1, r2: over },
      pair: { blue: { autoscaler: { ...autoscaler, minReplicas: 3, note: NOTE } } },
    };
    expect(decided(late).effects).to.deep.equal([
      'LockAutoscaler blue-hpa, minReplicas 3 -> 2',
      'ScaleColor blue 3 -> 0',
    ]);
  });
});

describe('a pair that cannot take turns is refused before anything is touched', () => {
  const hpa = (given: Partial<PairedAutoscalerView>): Picture => ({
    ...fresh,
    pair: { blue: { autoscaler: { ...autoscaler, ...given } } },
  });
  const table: [string, Picture, string][] = [
    [
      'WorkloadNotFound',
      { ...fresh, green: {} },
      'Deployment "app-green" does not exist in namespace "shop": create it (with 0 replicas, where it is not needed yet), or correct spec.workload.pair.green.name',
    ],
    [
      'WorkloadNotFound',
      { ...fresh, blue: {} },
      'Deployment "app-blue" does not exist in namespace "shop": create it (with 0 replicas, where it is not needed yet), or correct spec.workload.pair.blue.name',
    ],
    [
      'WorkloadClaimed',
      { ...fresh, pair: { green: { claimedBy: 'cart' } } },
      'Deployment "app-green" belongs to release "cart": name another workload or delete that release',
    ],
    [
      'PodsUnlabelled',
      { ...fresh, pair: { blue: { lacks: ['bluegreen.dev/release: checkout', `${LABEL}: blue`] } } },
      'the pods of Deployment "app-blue" lack the labels bluegreen.dev/release: checkout and bluegreen.dev/color: blue: add them to its spec.template.metadata.labels, by which its pods are told from those of the other side',
    ],
    [
      'PodsUnlabelled',
      { ...fresh, pair: { green: { lacks: [`${LABEL}: green`] } } },
      'the pods of Deployment "app-green" lack the label bluegreen.dev/color: green: add it to its spec.template.metadata.labels, by which its pods are told from those of the other side',
    ],
    [
      'WorkloadsOverlap',
      { ...fresh, pair: { blue: { selectsOther: true } } },
      'the selector of Deployment "app-blue" matches the pods of Deployment "app-green" as well: create one of them anew, with a selector that holds bluegreen.dev/color',
    ],
    [
      'ServiceSelectsOtherPods',
      {
        ...fresh,
        green: { ...fresh.green, deployment: { ...content('green0'), podLabels: { app: 'cart' } } },
      },
      'Service "checkout" does not select the pods of Deployment "app-green": its selector and the labels of spec.template must match on both sides',
    ],
    [
      'ServiceSelectsOtherPods',
      {
        ...fresh,
        blue: { ...fresh.blue, deployment: { ...content('v1'), podLabels: { app: 'cart' } } },
      },
      'Service "checkout" does not select the pods of Deployment "app-blue": its selector and the labels of spec.template must match on both sides',
    ],
    [
      'AutoscalerNotFound',
      { ...fresh, pair: { blue: { autoscaler: undefined } } },
      'HorizontalPodAutoscaler "blue-hpa" does not exist in namespace "shop": create it, or correct or remove spec.workload.pair.blue.autoscalerRef',
    ],
    [
      'AutoscalerElsewhere',
      hpa({ target: { kind: 'StatefulSet', name: 'cart' } }),
      'HorizontalPodAutoscaler "blue-hpa" scales StatefulSet "cart" and not Deployment "app-blue": correct spec.workload.pair.blue.autoscalerRef.name or its scaleTargetRef',
    ],
    [
      'AutoscalerElsewhere',
      hpa({ target: { kind: 'StatefulSet', name: 'app-blue' } }),
      'HorizontalPodAutoscaler "blue-hpa" scales StatefulSet "app-blue" and not Deployment "app-blue": correct spec.workload.pair.blue.autoscalerRef.name or its scaleTargetRef',
    ],
    [
      'AutoscalerClaimed',
      hpa({ claimedBy: 'cart' }),
      'HorizontalPodAutoscaler "blue-hpa" belongs to release "cart": name another one or delete that release',
    ],
    [
      'ActiveUnknown',
      { ...fresh, route: undefined, green: { revision: '', ready: 1, deployment: content('green0') } },
      'Service "checkout" does not say which side serves: add bluegreen.dev/color: blue or bluegreen.dev/color: green to its selector',
    ],
  ];
  for (const [reason, picture, message] of table) {
    it(message, () => {
      const { phase, reason: seen, message: said, effects } = decided(picture);
      expect([phase, seen, said, effects]).to.deep.equal(['Stalled', reason, message, []]);
    });
  }

  it('an autoscaler that could not hold the candidate', () => {
    const small = {
      ...autoscaler,
      name: 'green-hpa',
      target: { kind: 'Deployment', name: 'app-green' },
      maxReplicas: 2,
    };
    const { message } = decidedOn(world({ ...asked, pair: { green: { autoscaler: small } } }));
    expect(message).to.equal(
      'spec.maxReplicas of HorizontalPodAutoscaler "green-hpa" is 2, but the candidate needs 3 ready pods to take over: raise maxReplicas',
    );
  });

  it('is asked for the candidate while one is under way', () => {
    const building: Picture = {
      ...asked,
      revisions: { r1: taken, r2 },
      green: { revision: 'r2', desired: 0 },
    };
    const { reason, effects } = decided(building);
    expect([reason, effects]).to.deep.equal(['SizingCandidate', ['ScaleColor green 0 -> 3']]);
  });
});

describe('the side of a pair that serves', () => {
  const three: SidePicture = { revision: '', ready: 3 };
  const none: SidePicture = { revision: '', desired: 0 };
  const serving = (
    first: Color | undefined,
    second: Color | undefined,
    blue: SidePicture,
    green: SidePicture,
  ): Color | undefined => {
    const spec = { workload: workload() };
    const snapshot = world({ spec, source: null, blue, green, services: ['checkout', 'cart'], pair: {} });
    const keys = [first, second];
    const services = snapshot.services.map((service, index) => {
      const key = keys[index];
      return { ...service, selector: { ...service.selector, ...(key && { [LABEL]: key }) } };
    });
    return servingSide({ ...snapshot, services });
  };

  it('is what every Service names, whatever has pods', () => {
    expect(serving('green', 'green', three, three)).to.equal('green');
    expect(serving('green', 'green', three, none)).to.equal('green');
  });

  it('is unknown where they name both', () => {
    expect(serving('blue', 'green', three, none)).to.equal(undefined);
  });

  it('is the only side with pods where some name none, and the others no other', () => {
    expect(serving(undefined, undefined, three, none)).to.equal('blue');
    expect(serving(undefined, undefined, {}, three)).to.equal('green');
    expect(serving('blue', undefined, three, none)).to.equal('blue');
    expect(serving('green', undefined, three, none)).to.equal(undefined);
  });

  it('is unknown where some name none, and both sides have pods, or neither', () => {
    expect(serving(undefined, undefined, three, three)).to.equal(undefined);
    expect(serving('blue', undefined, three, three)).to.equal(undefined);
    expect(serving(undefined, undefined, three, { ...none, desired: 1, pods: [] })).to.equal(undefined);
    expect(serving(undefined, undefined, none, none)).to.equal(undefined);
  });

  it('is unknown where a Service without the key has other pods behind it', () => {
    const picture: Picture = { ...fresh, route: undefined };
    expect(servingSide(world(picture))).to.equal('blue');
    expect(servingSide(world({ ...picture, source: { replicas: 1 } }))).to.equal(undefined);
  });
});

describe('the revision that a side of a pair holds', () => {
  const at = { at: NOON, reason: 'm', message: 'm' };
  const facts = (attempt: number, kind?: 'Committed' | 'Failed' | 'RolledBack'): RevisionFacts => ({
    color: 'blue',
    attempt,
    startedAt: NOON,
    ...(kind && { outcome: { kind, ...at } }),
  });
  const held = (...all: readonly (RevisionFacts | undefined)[]): string | undefined => {
    const revisions: RevisionView[] = all.map((each, index) =>
      revisionOf(`r${index + 1}`, each, 'v1', specOf()),
    );
    return revisionHeld(revisions, 'blue', 'v1')?.name;
  };

  it('is that of the attempt under way', () => {
    expect(held(facts(1, 'Committed'), facts(2), facts(3, 'Committed'))).to.equal('r2');
  });

  it('else the latest that was kept and not rejected', () => {
    expect(held(facts(1, 'Committed'), facts(2, 'Failed'))).to.equal('r1');
    expect(held(facts(3, 'Committed'), facts(2, 'Committed'), facts(4, 'RolledBack'))).to.equal('r1');
    expect(held(facts(1, 'Committed'), { ...facts(2, 'Committed'), rejected: at })).to.equal('r1');
  });

  it('else the latest of the same content', () => {
    expect(held(facts(3, 'RolledBack'), facts(2, 'Failed'), undefined)).to.equal('r1');
  });

  it('is none of another side or another content', () => {
    const other = revisionOf('r2', facts(2), 'v2', specOf());
    expect(revisionHeld([other], 'blue', 'v1')).to.equal(undefined);
    expect(held(undefined, { ...facts(2), color: 'green' })).to.equal(undefined);
  });
});

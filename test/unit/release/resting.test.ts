import { expect } from 'chai';
import type { RevisionFacts } from '../../../src/release/facts.ts';
import { decided, decidedOn, effectOf } from './decided.ts';
import {
  built,
  committed,
  idle,
  observed,
  r1,
  r2Committed,
  started,
  switched,
  validated,
} from './situations.ts';
import { editDeployment, HOUR, MINUTE, NOON, type Picture, SECOND, UID, world } from './world.ts';

const hpa = (min: number, max = 10) => ({ autoscaling: { spec: { minReplicas: min, maxReplicas: max } } });
const afterWindow = { now: NOON + 49 * HOUR };

describe('at rest', () => {
  it('nothing is done', () => {
    const { phase, message, effects, plan } = decided(idle);
    expect([phase, message, effects, plan.requests, plan.lookAgainAt]).to.deep.equal([
      'Idle',
      'revision r1 is active on blue',
      [],
      [],
      undefined,
    ]);
  });

  it('fixed replicas apply in place', () => {
    expect(decided({ ...idle, spec: { replicas: 5 } }).effects).to.deep.equal(['ScaleColor blue 3 -> 5']);
    expect(decided({ ...idle, spec: { replicas: 2 } }).effects).to.deep.equal(['ScaleColor blue 3 -> 2']);
  });

  it('a deleted Deployment of the active side comes back as large as it was', () => {
    const { blue: _, ...without } = idle;
    expect(decided(without).effects).to.deep.equal(['WriteColor blue r1, 3 replicas']);
  });

  it('an active side that somebody scaled to 0 comes back: an autoscaler would not bring it', () => {
    const zero = { ...idle, blue: { revision: 'r1', desired: 0, autoscaler: { minReplicas: 2 } } };
    const spec = { autoscaling: { spec: { minReplicas: 2, maxReplicas: 10 } } };
    expect(decided({ ...zero, spec }).effects).to.deep.equal(['ScaleColor blue 0 -> 3']);
  });

  it('an active side that somebody edited is told of, and left: pods that serve are not replaced', () => {
    const { phase, reason, message, effects } = decidedOn(
      editDeployment(world(committed), 'green', { matches: false }),
    );
    expect([phase, reason, effects]).to.deep.equal(['Stalled', 'ActiveEdited', []]);
    expect(message).to.equal(
      'Deployment "checkout-green" was edited and is no longer what revision r2 is: put it back, or change Deployment "checkout", which starts a release',
    );
  });

  it('claims, labels and twins that somebody took away come back', () => {
    const twin = { found: true, ours: true, matches: true, endpoints: [] };
    const { effects } = decided({
      ...idle,
      service: {
        labelled: false,
        twins: { blue: { ...twin, matches: false }, green: { ...twin, found: false } },
      },
    });
    expect(effects).to.deep.equal([
      'ClaimService checkout',
      'WriteTwin checkout-blue',
      'WriteTwin checkout-green',
    ]);
  });

  it('a spec that nobody has judged yet is judged, and one that was refused is judged again', () => {
    const asked = (previous: NonNullable<Picture['previous']>): string =>
      decided({ ...idle, previous, observations: { preflight: { key: 'older', at: NOON, problems: [] } } })
        .reason;
    expect(asked({ observedGeneration: 0 })).to.equal('Preflight');
    expect(asked({ observedGeneration: 1 })).to.equal('Idle');
    expect(asked({})).to.equal('Idle');
    expect(asked({ observedGeneration: 1, phase: 'Stalled' })).to.equal('Preflight');
    expect(asked({ observedGeneration: 1, phase: 'Idle' })).to.equal('Idle');
  });

  it('a way back that was wanted once is forgotten: the next one must be given its own time', () => {
    const wanted = { at: NOON, reason: 'CheckFailed', message: 'too many errors' };
    const result = decided({
      ...committed,
      revisions: { r1, r2: { ...r2Committed, returnWanted: wanted } },
    });
    expect([result.phase, result.reason, result.message, result.effects]).to.deep.equal([
      'Idle',
      'ReturnForgotten',
      'revision r2 stays active: going back is no longer wanted',
      ['RecordFacts r2 Committed'],
    ]);
    expect(effectOf(result, 'RecordFacts').facts).to.deep.equal(r2Committed);
  });

  it('what people wish for starts, though a revision of it was made and never started', () => {
    const { reason, message } = decided({
      ...idle,
      source: { fingerprint: 'v2' },
      revisions: { r1, r2: undefined },
    });
    expect([reason, message]).to.deep.equal(['ReleaseStarted', 'the Deployment changed: starting attempt 2']);
  });

  it('without its revisions it takes over what serves', () => {
    expect(decided({ ...idle, revisions: {} }).effects).to.deep.equal(['CreateRevision r1 from blue']);
  });

  it('a Service that vanished is told, whatever the status remembers', () => {
    const { phase, reason, plan } = decided({ ...idle, service: { found: false, endpoints: [] } });
    expect([phase, reason, plan.verdict.stalled]).to.deep.equal(['Stalled', 'ServiceNotFound', true]);
  });
});

describe('the standby', () => {
  it('follows production up inside the window, and does not shrink with pods that are not ready', () => {
    expect(decided({ ...committed, green: { revision: 'r2', ready: 5 } }).effects).to.deep.equal([
      'ScaleColor blue 3 -> 5',
    ]);
    const ill = { ...committed, green: { revision: 'r2', desired: 3, ready: 2 } };
    expect(decided(ill).effects).to.deep.equal([]);
  });

  it('has the share of production that is asked for', () => {
    const spec = { capacity: { window: '50%' } };
    const { effects } = decided({
      ...committed,
      spec,
      blue: { revision: 'r1' },
      green: { revision: 'r2', ready: 5 },
    });
    expect(effects).to.deep.equal(['ScaleColor blue 0 -> 3']);
  });

  it('keeps a share after the window where that is asked for', () => {
    expect(
      decided({ ...committed, ...afterWindow, spec: { capacity: { standby: 1 } } }).effects,
    ).to.deep.equal(['ScaleColor blue 3 -> 1']);
    const half = { capacity: { standby: '50%' } };
    const flapping = { ...committed, green: { revision: 'r2', desired: 3, ready: 1 } };
    expect(decided({ ...flapping, ...afterWindow, spec: half }).effects).to.deep.equal([
      'ScaleColor blue 3 -> 2',
    ]);
    expect(decided({ ...committed, ...afterWindow, spec: half }).effects).to.deep.equal([
      'ScaleColor blue 3 -> 2',
    ]);
  });

  it('a side that lost the traffic drains before the target of the other side is built there again', () => {
    // r3 on blue gave the traffic back from r4 to r3; r2, from before, is inside its window still.
    const ago = NOON - 10 * SECOND;
    const r3 = { ...r2Committed, color: 'blue' as const, attempt: 3, verifiedAt: NOON - HOUR };
    const lost = { kind: 'RolledBack' as const, at: ago, reason: 'Reverted', message: 'reverted' };
    const r4 = { ...r2Committed, attempt: 4, outcome: lost };
    const picture = {
      ...idle,
      mark: `${UID}/r3/4/back`,
      source: { fingerprint: 'v3' },
      blue: { revision: 'r3', ready: 3 },
      green: { revision: 'r4', ready: 3 },
      revisions: { r2: r2Committed, r3, r4 },
    };
    const { effects, plan } = decided(picture);
    expect([effects, plan.lookAgainAt]).to.deep.equal([[], ago + 30 * SECOND]);
    expect(decided({ ...picture, now: ago + 30 * SECOND }).effects).to.deep.equal([
      'WriteColor green r2, 3 replicas',
    ]);
  });

  it('without a window it still drains before it goes', () => {
    const r2: RevisionFacts = { ...r2Committed, windowUntil: NOON - SECOND };
    const picture = { ...committed, revisions: { r1, r2 } };
    const draining = decided(picture);
    expect([draining.effects, draining.plan.lookAgainAt]).to.deep.equal([[], NOON + 25 * SECOND]);
    expect(decided({ ...picture, now: NOON + 25 * SECOND }).effects).to.deep.equal([
      'ScaleColor blue 3 -> 0',
    ]);
  });

  it('is built again when it was edited or deleted', () => {
    const edited = editDeployment(world(committed), 'blue', { matches: false });
    expect(decidedOn(edited).effects).to.deep.equal(['WriteColor blue r1, 3 replicas']);
    const { blue: _, ...without } = committed;
    expect(decided(without).effects).to.deep.equal(['WriteColor blue r1, 3 replicas']);
  });
});

describe('autoscaling', () => {
  const scaled = (picture: Picture, blueMin?: number, greenMin?: number): Picture => ({
    ...picture,
    spec: { ...hpa(2) },
    ...(picture.blue && {
      blue: { ...picture.blue, ...(blueMin !== undefined && { autoscaler: { minReplicas: blueMin } }) },
    }),
    ...(picture.green && {
      green: { ...picture.green, ...(greenMin !== undefined && { autoscaler: { minReplicas: greenMin } }) },
    }),
  });

  it('each colour that has a Deployment has an autoscaler', () => {
    expect(decided(scaled(idle)).effects).to.deep.equal(['WriteAutoscaler blue, minReplicas 2']);
    expect(decided(scaled(idle, 2)).effects).to.deep.equal([]);
  });

  it('that is removed when the spec has none any more', () => {
    const { effects } = decided({ ...idle, blue: { ...idle.blue, autoscaler: {} } });
    expect(effects).to.deep.equal(['RemoveAutoscaler checkout-blue']);
  });

  it('while the candidate is prepared it may not shrink; production may, until all gates have passed', () => {
    expect(decided(scaled(built, 2, 2)).effects).to.deep.equal(['WriteAutoscaler green, minReplicas 3']);
    expect(decided(scaled(validated, 2, 2)).effects).to.deep.equal([
      'WriteAutoscaler blue, minReplicas 3',
      'WriteAutoscaler green, minReplicas 3',
    ]);
  });

  it('the lock of the new side ends a minute after the proof, that of the old side with its window', () => {
    expect(decided(scaled(observed, 3, 3)).effects).to.deep.equal([]);
    expect(decided({ ...scaled(observed, 3, 3), now: NOON + 55 * SECOND }).effects).to.deep.equal([
      'WriteAutoscaler green, minReplicas 2',
    ]);
    const over = { ...scaled(committed, 3, 2), ...afterWindow };
    expect(decided(over).effects).to.deep.equal([
      'WriteAutoscaler blue, minReplicas 2',
      'ScaleColor blue 3 -> 0',
    ]);
  });

  it('the candidate has at least the autoscaler’s own minimum', () => {
    const { effects } = decided({
      ...started,
      spec: hpa(4),
      blue: { ...started.blue, autoscaler: { minReplicas: 4 } },
    });
    expect(effects).to.include('WriteColor green r2, 4 replicas');
  });

  it('nobody is scaled beyond the autoscaler’s maximum: it would only be scaled back', () => {
    const spec = { ...hpa(2, 4), capacity: { window: '200%' } };
    const side = { autoscaler: { minReplicas: 2, maxReplicas: 4 } };
    const result = decided({
      ...committed,
      spec,
      blue: { revision: 'r1', ready: 3, ...side },
      green: { revision: 'r2', ready: 3, ...side },
    });
    expect(result.effects).to.deep.equal(['WriteAutoscaler blue, minReplicas 4', 'ScaleColor blue 3 -> 4']);
  });

  it('a standby after the window is held by the autoscaler’s minimum, not by a fight with it', () => {
    const spec = { ...hpa(2), capacity: { standby: '100%' } };
    const settled = decided({
      ...committed,
      ...afterWindow,
      spec,
      blue: { revision: 'r1', ready: 4, autoscaler: { minReplicas: 3 } },
      green: { revision: 'r2', ready: 3, autoscaler: { minReplicas: 2 } },
    });
    expect(settled.effects).to.deep.equal([]);
    const grown = decided({
      ...committed,
      ...afterWindow,
      spec,
      blue: { revision: 'r1', ready: 2, autoscaler: { minReplicas: 3 } },
      green: { revision: 'r2', ready: 3, autoscaler: { minReplicas: 2 } },
    });
    expect(grown.effects).to.deep.equal(['ScaleColor blue 2 -> 3']);
    const small = decided({
      ...committed,
      ...afterWindow,
      spec: { ...hpa(2), capacity: { standby: 1 } },
      blue: { revision: 'r1', ready: 2, autoscaler: { minReplicas: 2 } },
      green: { revision: 'r2', ready: 3, autoscaler: { minReplicas: 2 } },
    });
    expect(small.effects, 'the autoscaler allows no fewer than two').to.deep.equal([]);
  });
});

describe('the source', () => {
  it('scaled up again by Git counts once', () => {
    expect(decided({ ...idle, source: { replicas: 3 } }).effects).to.deep.equal(['ScaleSource 3 -> 0']);
  });
});

describe('history', () => {
  const many = (count: number): Record<string, RevisionFacts> =>
    Object.fromEntries(
      Array.from({ length: count }, (_, index): [string, RevisionFacts] => [
        `r${index + 2}`,
        {
          color: 'green',
          attempt: index + 2,
          startedAt: NOON - HOUR + index * MINUTE,
          outcome: { kind: 'Failed', at: NOON - HOUR + index * MINUTE, reason: 'GateFailed', message: 'no' },
          rejected: { at: NOON, reason: 'GateFailed', message: 'no' },
        },
      ]),
    );

  it('the oldest revisions go, but none that is in use or wished for', () => {
    const { effects } = decided({ ...idle, spec: { historyLimit: 3 }, revisions: { r1, ...many(5) } });
    expect(effects).to.deep.equal(['DeleteRevision r2', 'DeleteRevision r3']);
    const wished = decided({
      ...idle,
      source: { fingerprint: 'v2' },
      spec: { historyLimit: 3 },
      revisions: { r1, ...many(5) },
    });
    expect(wished.effects).to.deep.equal(['DeleteRevision r3']);
    const gone = { ...idle, blue: {}, source: { fingerprint: 'v9' } };
    const lost = decided({
      ...gone,
      spec: { historyLimit: 2, suspend: true },
      revisions: { r1, ...many(3) },
    });
    expect(lost.effects, 'active, with no Deployment that holds it').to.deep.equal([
      'WriteColor blue r1, 3 replicas',
      'DeleteRevision r2',
    ]);
  });

  it('the status shows the latest first', () => {
    const { plan } = decided({ ...idle, spec: { historyLimit: 2 }, revisions: { r1, ...many(2) } });
    expect(plan.status.history?.map(({ revision, outcome }) => [revision, outcome])).to.deep.equal([
      ['r3', 'Failed'],
      ['r2', 'Failed'],
    ]);
    expect(plan.status.rejected?.map(({ revision }) => revision)).to.deep.equal(['r2', 'r3']);
  });
});

it('no effects wait for a switch that is being proven', () => {
  expect(decided({ ...switched, source: { replicas: 0 } }).effects).to.deep.equal(['RecordFacts r2']);
});

import { expect } from 'chai';
import type { RevisionFacts } from '../../../src/release/facts.ts';
import type { ServiceView, Snapshot } from '../../../src/release/snapshot.ts';
import { type Decided, decided, decidedOn, effectOf } from './decided.ts';
import { FORWARD_1, fresh, idle } from './situations.ts';
import { editServices, endpointsOf, LABEL, MINUTE, NOON, type Picture, SECOND, UID, world } from './world.ts';

const started: RevisionFacts = {
  color: 'blue',
  attempt: 1,
  startedAt: NOON - MINUTE,
  adoption: true,
  sourceReplicas: 3,
};
const validated: RevisionFacts = { ...started, validatedAt: NOON - 20 * SECOND };
const verified: RevisionFacts = { ...validated, verifiedAt: NOON - 10 * SECOND, verifiedReady: 3 };
const superseded = {
  kind: 'Superseded',
  at: NOON,
  reason: 'Superseded',
  message: 'no longer wanted',
} as const;
const over: RevisionFacts = { ...started, outcome: superseded };

const running = { replicas: 3, claimedBy: undefined } as const;
const held = { replicas: 3, paused: true } as const;

/** Frozen, and nothing else done. */
const frozenOnly: Picture = { source: running, revisions: { r1: started } };
const holding: Picture = { source: held, revisions: { r1: started } };
const building: Picture = { ...holding, blue: { revision: 'r1', desired: 3, ready: 1 } };
const ready: Picture = { ...holding, blue: { revision: 'r1', ready: 3 } };
const proving: Picture = {
  ...ready,
  route: 'blue',
  mark: FORWARD_1,
  switchedAt: NOON - 15 * SECOND,
  revisions: { r1: validated },
};
const draining: Picture = { ...proving, revisions: { r1: verified } };

/** What was begun is not given up: at most it is told that it takes longer. */
function goesOn(pictures: Readonly<Record<string, Picture>>): void {
  for (const [what, picture] of Object.entries(pictures))
    it(`goes on ${what}`, () => {
      expect(decided(picture).reason).to.be.oneOf(['WaitingForReadiness', 'PreparationDeadlineExceeded']);
    });
}

function isReleased({ phase, reason, effects }: Decided, ...released: string[]): void {
  expect([phase, reason, effects]).to.deep.equal(['Adopting', 'ReleasingSource', released]);
}

function waitsForSource(picture: Picture): void {
  const { reason, effects, plan } = decided(picture);
  const again = (picture.now ?? NOON) + 5 * SECOND;
  expect([reason, effects, plan.lookAgainAt]).to.deep.equal(['WaitingForSource', [], again]);
}

describe('adopting a running Deployment', () => {
  it('protects itself with a finalizer before anything else', () => {
    const { phase, reason, effects } = decided({ ...fresh, release: { hasFinalizer: false } });
    expect([phase, reason, effects]).to.deep.equal(['Adopting', 'AddingFinalizer', ['AddFinalizer']]);
  });

  it('asks the API server and the metric sources before it touches anything', () => {
    const { reason, effects, plan } = decided({
      ...fresh,
      observations: { preflight: { key: 'another', at: NOON, problems: [] } },
    });
    expect([reason, effects]).to.deep.equal(['Preflight', []]);
    expect(plan.requests).to.deep.equal([{ kind: 'Preflight', key: '1/v1/0' }]);
    expect(plan.status.observedGeneration, 'the spec is not judged yet').to.equal(0);
  });

  it('makes the colour as large as all that serves: what an earlier release of this name has left serves as well', () => {
    const { effects } = decided({ ...holding, green: { revision: 'r9', ready: 6 } });
    expect(effects).to.include('WriteColor blue r1, 6 replicas');
  });

  it('takes a Service that was replaced meanwhile back: its endpoints are not heard of before', () => {
    const { reason, effects } = decidedOn(editServices(world(proving), { labelled: false, endpoints: [] }));
    expect([reason, effects]).to.deep.equal(['WaitingForEndpoints', ['ClaimService checkout']]);
  });

  it('claims the Service, so that no other release takes it', () => {
    const { reason, effects } = decided({ ...fresh, service: { claimedBy: undefined, labelled: false } });
    expect([reason, effects]).to.deep.equal(['ClaimingServices', ['ClaimService checkout']]);
  });

  it('waits for a ready pod: only what really runs can be adopted', () => {
    const waiting: Picture = { source: { ...running, ready: 0 } };
    waitsForSource(waiting);
    expect(decided(waiting).message).to.equal(
      'waiting for a ready pod of Deployment "checkout": only what really runs can be adopted',
    );
  });

  it('lets a source run that a release of this name has left held, which people ended by force', () => {
    const left = { ...running, ready: 0, paused: true, rolledOut: false };
    const result = decided({ source: { ...left, claimedBy: 'checkout' } });
    isReleased(result, 'ScaleSource 3 -> 3');
    expect(result.message).to.equal(
      'Deployment "checkout" has no ready pod: it rolls out what people wish for, and what is ready of that is adopted',
    );
    const theirs = decided({ source: { ...left, claimedBy: undefined } });
    expect([theirs.reason, theirs.effects], 'people have paused it').to.deep.equal(['WaitingForSource', []]);
    const empty = { ...left, replicas: 0, parkedAt: NOON, claimedBy: 'checkout' };
    expect(decided({ source: empty }).effects, 'how many it had is not known').to.deep.equal([
      'ScaleSource 0 -> 0',
    ]);
  });

  it('is an attempt of its own where what was begun before was deleted: what is left of that says nothing of it', () => {
    const left = { ...fresh, mark: FORWARD_1, jobs: [{ attempt: 4 }] };
    const begun = effectOf(decided(left), 'CreateRevision').facts;
    expect(begun.attempt).to.equal(5);
    const { reason, effects } = decided({
      ...left,
      revisions: { r1: { ...begun, outcome: superseded } },
    });
    expect([reason, effects]).to.deep.equal(['FreezingRevision', ['CreateRevision r2 from live']]);
  });

  it('waits on without a word for another process that begins: it asks for itself, and nothing is new', () => {
    const waiting: Picture = { source: { ...running, ready: 0 } };
    const previous = decided(waiting).plan.status;
    const { observations, ...seen } = world({ ...waiting, previous });
    const begun = decidedOn({ ...seen, observations: { ...observations, preflight: undefined } });
    expect(begun.plan.requests.map(({ kind }) => kind)).to.deep.equal(['Preflight']);
    expect(begun.plan.status).to.deep.equal(previous);
  });

  it('freezes what runs, which need not be what the Deployment wishes for', () => {
    const result = decided({
      source: { ...running, fingerprint: 'v2', live: { fingerprint: 'v1', replicaSet: 'checkout-abc' } },
    });
    expect(result.effects).to.deep.equal(['CreateRevision r1 from live']);
    expect(effectOf(result, 'CreateRevision')).to.deep.include({
      fingerprint: 'v1',
      number: 1,
      facts: {
        color: 'blue',
        attempt: 1,
        startedAt: NOON,
        adoption: true,
        sourceReplicas: 3,
        replicaSet: 'checkout-abc',
      },
    });
  });

  it('is given up where something else runs by now, before anything else served', () => {
    const known = { ...started, replicaSet: 'checkout-abc' };
    const live = { fingerprint: 'v2', replicaSet: 'checkout-def' };
    const runs = (source: object, facts: RevisionFacts = known) =>
      decided({ ...ready, source: { ...held, live, ...source }, revisions: { r1: facts } });
    // A rollout that was paused in its middle leaves pods of several: none of them may be what was frozen.
    for (const readySets of [['checkout-def'], ['checkout-def', 'checkout-ghi']]) {
      const result = runs({ readySets });
      expect([result.reason, result.message, result.effects]).to.deep.equal([
        'Superseded',
        'revision r1 is no longer wanted: Deployment "checkout" runs ReplicaSet "checkout-def" by now, before anything else served',
        ['RecordFacts r1 Superseded'],
      ]);
    }
    // Paused first: what is being rolled out may still change. And of two the smaller one may grow.
    expect(runs({ paused: false }).reason).to.equal('HoldingSource');
    for (const same of [
      runs({ readySets: ['checkout-def', 'checkout-abc'] }),
      runs({ readySets: ['checkout-abc'], live: { fingerprint: 'v1', replicaSet: 'checkout-abc' } }),
      runs({}, started),
      runs({ readySets: [], live: undefined }),
    ])
      expect(same.reason).not.to.equal('Superseded');
  });

  it('pauses the source, so that nothing rolls while its colour is built', () => {
    const { reason, effects } = decided(frozenOnly);
    expect([reason, effects]).to.deep.equal(['HoldingSource', ['HoldSource']]);
  });

  it('stores the autoscaler on the source before it deletes it', () => {
    const autoscalers = [{ name: 'checkout-hpa', uid: 'hpa-uid' }];
    const storing = decided({ ...holding, source: { ...held, autoscalers } });
    expect(storing.effects).to.deep.equal(['HoldSource, storing autoscaler checkout-hpa']);
    const stored = decided({ ...holding, source: { ...held, autoscalers, storedAutoscaler: true } });
    expect(stored.effects).to.deep.equal(['RemoveAutoscaler checkout-hpa']);
  });

  it('builds blue as large as what the source has ready', () => {
    const { reason, effects } = decided(holding);
    expect([reason, effects]).to.deep.equal(['BuildingColor', ['WriteColor blue r1, 3 replicas']]);
  });

  it('writes the twins with the colour', () => {
    const { effects } = decidedOn(
      editServices(world(holding), {
        twins: {
          blue: { found: false, ours: false, matches: false, endpoints: [] },
          green: { found: false, ours: false, matches: false, endpoints: [] },
        },
      }),
    );
    expect(effects).to.deep.equal([
      'WriteTwin checkout-blue',
      'WriteTwin checkout-green',
      'WriteColor blue r1, 3 replicas',
    ]);
  });

  it('waits until blue has as many ready pods as the source', () => {
    const { reason, message, effects } = decided(building);
    expect([reason, effects]).to.deep.equal(['WaitingForReadiness', []]);
    expect(message).to.equal('adopting: 1 of 3 blue pods are ready, waiting until 2026-06-01T12:09:00Z');
  });

  it('takes a key that somebody put into the selector too early out again: the source serves', () => {
    for (const route of ['green', 'blue'] as const) {
      const { phase, reason, message, effects } = decided({ ...building, route, mark: undefined });
      expect([phase, reason, effects]).to.deep.equal([
        'Adopting',
        'SelectorRestored',
        ['PatchSelector checkout -> source'],
      ]);
      expect(message).to.equal(
        'Service "checkout" selected a side that is not proven yet: Deployment "checkout" serves again',
      );
    }
  });

  it('of two Services the one with such a key alone is written', () => {
    const two = world({ ...building, services: ['checkout', 'admin'] });
    const [first, second] = two.services as [ServiceView, ServiceView];
    const early = { ...second, selector: { ...second.selector, [LABEL]: 'blue' } };
    const result = decidedOn({ ...two, services: [first, early] });
    expect(result.effects).to.deep.equal(['PatchSelector admin -> source']);
    expect(effectOf(result, 'PatchSelector')).to.deep.include({
      rescue: true,
      reason:
        'SelectorRestored: Service "admin" selected a side that is not proven yet: Deployment "checkout" serves again',
    });
  });

  it('leaves a colour that is larger than the source as it is', () => {
    expect(decided({ ...holding, blue: { revision: 'r1', ready: 5 } }).effects).to.deep.equal([
      'RecordFacts r1',
    ]);
  });

  it('claims a source that somebody has paused already', () => {
    const paused = { ...holding, source: { ...held, claimedBy: undefined } };
    expect(decided(paused).effects).to.deep.equal(['HoldSource']);
  });

  it('leaves such a key where the source could not serve: what is ready of the colour may', () => {
    const { reason } = decided({
      ...building,
      route: 'blue',
      mark: undefined,
      source: { ...held, ready: 0 },
    });
    expect(reason).to.equal('WaitingForReadiness');
  });

  it('takes it out there as well where the colour is to be written over: that would be refused for ever', () => {
    const { reason, message, effects } = decided({
      ...holding,
      route: 'blue',
      mark: undefined,
      blue: { revision: 'r9', ready: 0 },
      source: { ...held, ready: 0 },
    });
    expect([reason, effects]).to.deep.equal(['SelectorRestored', ['PatchSelector checkout -> source']]);
    expect(message).to.equal(
      'Service "checkout" selected a side that is not proven yet: it selects whatever runs again',
    );
  });

  it('but not where somebody is ready behind the Service, on the other side: nobody else could serve', () => {
    const { reason, effects } = decided({
      ...holding,
      route: 'green',
      mark: undefined,
      blue: { revision: 'r9', ready: 0 },
      green: { revision: 'r8', ready: 3 },
      source: { ...held, ready: 0 },
    });
    expect([reason, effects]).to.deep.equal(['BuildingColor', ['WriteColor blue r1, 3 replicas']]);
  });

  it('stays and says so when the deadline is past: production is served all the while', () => {
    const { phase, message, effects, plan } = decided({ ...building, now: NOON + 10 * MINUTE });
    expect([phase, effects]).to.deep.equal(['Adopting', []]);
    expect(message).to.equal('adopting: 1 of 3 blue pods are ready after 600 seconds');
    expect(plan.verdict.stalled).to.equal(true);
  });

  describe('while neither the source nor what is built of it has a ready pod', () => {
    const dead = { ...held, ready: 0 };
    const late: Picture = {
      source: { ...dead, fingerprint: 'v2' },
      revisions: { r1: started },
      blue: { revision: 'r1', desired: 3, ready: 0 },
      now: NOON + 10 * MINUTE,
    };
    const givenUp: Picture = { ...late, revisions: { r1: over } };

    it('gives it up at the deadline, where people wish for something else: that may be the fix', () => {
      const result = decided(late);
      expect([result.phase, result.reason, result.effects]).to.deep.equal([
        'Adopting',
        'Superseded',
        ['RecordFacts r1 Superseded'],
      ]);
      const message =
        'revision r1 is no longer wanted: the Deployment changed, and no pod of Deployment "checkout" is ready, nor of blue';
      const outcome = { kind: 'Superseded', at: NOON + 10 * MINUTE, reason: 'Superseded', message } as const;
      expect(effectOf(result, 'RecordFacts').facts).to.deep.equal({ ...started, outcome });
    });

    goesOn({
      'before the deadline': { ...late, now: NOON },
      'while people wish for what is built': { ...late, source: { ...dead, fingerprint: 'v1' } },
      'while a pod of the source is ready': { ...late, source: { ...held, ready: 1, fingerprint: 'v2' } },
      'while a pod of the colour is ready': { ...late, blue: { revision: 'r1', desired: 3, ready: 1 } },
      'while a pod of the source is ready, although no Service lists it': {
        ...late,
        source: { ...held, ready: 1, fingerprint: 'v2' },
        service: { endpoints: [] },
      },
      'while a pod of the colour is ready, although no Service lists it': {
        ...late,
        blue: { revision: 'r1', desired: 3, ready: 1 },
        service: { endpoints: [] },
      },
      'while something else is ready behind the Service': {
        ...late,
        service: { endpoints: [{ podUid: 'somebody', ready: true, serving: true, group: 'IPv4/http' }] },
      },
    });

    it('then lets the source roll out what people wish for, and frees the room of the colour', () => {
      const result = decided(givenUp);
      isReleased(result, 'ScaleColor blue 3 -> 0', 'ScaleSource 3 -> 3');
      expect(result.message).to.equal(
        'Deployment "checkout" has no ready pod: it rolls out what people wish for, and what is ready of that is adopted',
      );
    });

    it('leaves a colour that a Service names, or that is ready by now', () => {
      for (const picture of [
        { ...givenUp, route: 'blue', mark: undefined },
        { ...givenUp, blue: { revision: 'r1', ready: 3 } },
        { ...givenUp, blue: { revision: 'r9', desired: 3, ready: 0 } },
      ] as const)
        isReleased(decided(picture), 'ScaleSource 3 -> 3');
      const two = world({ ...givenUp, services: ['checkout', 'admin'] });
      const [first, second] = two.services as [ServiceView, ServiceView];
      const named = { ...second, selector: { ...second.selector, [LABEL]: 'blue' } };
      // One of two names it.
      isReleased(decidedOn({ ...two, services: [first, named] }), 'ScaleSource 3 -> 3');
    });

    it('leaves a colour that is ready by now beside a source that was parked: one without pods takes nothing over', () => {
      const parked = { ...dead, replicas: 0, parkedAt: NOON };
      const serving = { ...givenUp, source: parked, blue: { revision: 'r1', ready: 3 } };
      isReleased(decided(serving), 'ScaleSource 0 -> 3');
    });

    it('scales a source up again that was parked when the proof was lost, and none that people scaled to 0', () => {
      for (const [source, scaled] of [
        [{ parkedAt: NOON }, 'ScaleSource 0 -> 3'],
        [{}, 'ScaleSource 0 -> 0'],
        [{ parkedAt: NOON, paused: false }, 'ScaleSource 0 -> 3'],
        [{ parkedAt: NOON, replicas: 2 }, 'ScaleSource 2 -> 2'],
      ] as const)
        isReleased(
          decided({ ...givenUp, source: { ...dead, replicas: 0, ...source } }),
          'ScaleColor blue 3 -> 0',
          scaled,
        );
    });

    it('lets nothing of it run anew while a pod of it is ready, or is known by what it runs', () => {
      const live = { fingerprint: 'v1', replicaSet: 'checkout-abc' };
      for (const source of [
        { ...dead, ready: 1 },
        { ...dead, live },
      ])
        expect(decided({ ...givenUp, source }).reason).to.not.equal('ReleasingSource');
    });

    it('waits for a ready pod of it then, while it rolls out', () => {
      const { blue: _, ...released } = { ...givenUp, source: { ...dead, paused: false, rolledOut: false } };
      waitsForSource(released);
    });
  });

  describe('of which what runs does not become ready a second time', () => {
    const live = { fingerprint: 'v1', replicaSet: 'checkout-abc' };
    const serving = { ...held, ready: 3, fingerprint: 'v2', live };
    const late: Picture = {
      source: serving,
      revisions: { r1: started },
      blue: { revision: 'r1', desired: 3, ready: 1 },
      now: NOON + 10 * MINUTE,
    };
    const givenUp: Picture = { ...late, revisions: { r1: over } };
    const { blue: _, ...without } = givenUp;

    it('is given up at the deadline, where people wish for something else', () => {
      const result = decided(late);
      expect([result.phase, result.reason, result.message, result.effects]).to.deep.equal([
        'Adopting',
        'Superseded',
        'revision r1 is no longer wanted: the Deployment changed, and what Deployment "checkout" runs does not become ready a second time',
        ['RecordFacts r1 Superseded'],
      ]);
    });

    goesOn({
      'before the deadline': { ...late, now: NOON },
      'while people wish for what is built': { ...late, source: { ...serving, fingerprint: 'v1' } },
      'while something else runs': { ...late, source: { ...serving, live: { ...live, fingerprint: 'v0' } } },
    });

    it('then lets the source roll out what people wish for, and frees the room of the colour', () => {
      const result = decided(givenUp);
      isReleased(result, 'ScaleColor blue 3 -> 0', 'ScaleSource 3 -> 3');
      expect(result.message).to.equal(
        'Deployment "checkout" rolls out what people wish for, and what is ready of that is adopted',
      );
    });

    it('leaves pods of the colour that serve in place of those that the source lacks', () => {
      const source = { ...serving, ready: 2 };
      isReleased(decided({ ...givenUp, source }), 'ScaleSource 3 -> 3');
      const dead = { revision: 'r1', desired: 3, ready: 0 };
      isReleased(decided({ ...givenUp, source, blue: dead }), 'ScaleColor blue 3 -> 0', 'ScaleSource 3 -> 3');
    });

    it('waits while it rolls out', () => {
      waitsForSource({ ...without, source: { ...serving, paused: false } });
    });

    it('begins anew when most of its pods run it, or when people wish for what runs again', () => {
      const rolled = { ...serving, paused: false, live: { fingerprint: 'v2', replicaSet: 'checkout-def' } };
      const takenBack = { ...serving, paused: false, fingerprint: 'v1' };
      for (const source of [rolled, takenBack])
        expect(decided({ ...without, source }).effects).to.deep.equal(['CreateRevision r2 from live']);
    });
  });

  describe('that was given up, with nothing left to roll out, and no ready pod', () => {
    const source = { replicas: 3, ready: 0, paused: false, rolledOut: true, fingerprint: 'v2' };

    it('begins anew with what people say: what they have put right beside it, new pods alone would show', () => {
      const result = decided({ source, revisions: { r1: over } });
      expect([result.reason, result.message, result.effects]).to.deep.equal([
        'FreezingRevision',
        'no pod of Deployment "checkout" is ready, and all are of what it says: that becomes revision r2',
        ['CreateRevision r2 from source'],
      ]);
      expect(effectOf(result, 'CreateRevision')).to.deep.include({
        fingerprint: 'v2',
        facts: { color: 'blue', attempt: 2, startedAt: NOON, adoption: true, sourceReplicas: 3 },
      });
    });

    it('waits where people have scaled it to 0, and where nothing was ever begun', () => {
      waitsForSource({ source: { ...source, replicas: 0 }, revisions: { r1: over } });
      waitsForSource({ source });
    });

    it('waits where a pod is ready of which nobody knows yet what it runs', () => {
      waitsForSource({ source: { ...source, ready: 1 }, revisions: { r1: over } });
    });
  });

  describe('that was given up', () => {
    const live = { fingerprint: 'v2', replicaSet: 'checkout-def' };
    const again: Picture = { source: { ...held, live }, revisions: { r1: over } };

    it('begins anew with what runs by now, under the next attempt', () => {
      const result = decided(again);
      expect([result.phase, result.reason, result.message, result.effects]).to.deep.equal([
        'Adopting',
        'FreezingRevision',
        'adopting what ReplicaSet "checkout-def" runs as revision r2',
        ['CreateRevision r2 from live'],
      ]);
      expect(effectOf(result, 'CreateRevision')).to.deep.include({
        fingerprint: 'v2',
        facts: {
          color: 'blue',
          attempt: 2,
          startedAt: NOON,
          adoption: true,
          sourceReplicas: 3,
          replicaSet: 'checkout-def',
        },
      });
    });

    it('takes a key that somebody put in meanwhile out first: the source serves', () => {
      const { reason, effects } = decided({ ...again, route: 'blue', mark: undefined });
      expect([reason, effects]).to.deep.equal(['SelectorRestored', ['PatchSelector checkout -> source']]);
    });

    it('waits where the source is gone, is another release’s, or its config is missing', () => {
      const settings = { kind: 'ConfigMap', name: 'settings', field: 'spec.config.configMaps[0]' } as const;
      const reasons = [
        { ...again, source: null },
        { ...again, source: { ...held, live, claimedBy: 'till' } },
        { ...again, config: { missing: [settings] } },
      ].map((picture) => {
        const { reason, effects, plan } = decided(picture);
        return [reason, effects, plan.verdict.stalled];
      });
      expect(reasons).to.deep.equal([
        ['SourceMissing', [], true],
        ['WorkloadClaimed', [], true],
        ['ConfigNotFound', [], true],
      ]);
    });

    it('does not begin anew where something else had begun since, and its revision was deleted', () => {
      const mark = `${UID}/r2/2`;
      const lost: Picture[] = [
        { ...again, route: 'blue', mark, blue: { revision: 'r2', ready: 3 } },
        { ...again, mark },
        { ...again, blue: { revision: 'r2', ready: 3 } },
      ];
      for (const picture of lost) {
        const { phase, reason, effects } = decided(picture);
        expect([phase, reason, effects]).to.deep.equal(['Stalled', 'RevisionsLost', []]);
      }
    });
  });

  it('records that blue is ready before the selector gets its key', () => {
    const { reason, effects } = decided(ready);
    expect([reason, effects]).to.deep.equal(['ColorReady', ['RecordFacts r1']]);
  });

  it('puts the key into the selector with the mark in the same patch', () => {
    const result = decided({ ...ready, revisions: { r1: validated } });
    expect(result.effects).to.deep.equal(['PatchSelector checkout -> blue']);
    expect(effectOf(result, 'PatchSelector')).to.deep.include({
      from: { app: 'checkout' },
      expectedMark: undefined,
      color: 'blue',
      mark: { uid: UID, revision: 'r1', attempt: 1, direction: 'Forward' },
      rescue: false,
    });
  });

  it('waits until the endpoints are blue pods only', () => {
    const both = world({ ...ready, revisions: { r1: validated } }).services[0]?.endpoints ?? [];
    const { reason, message, effects } = decidedOn(editServices(world(proving), { endpoints: both }));
    expect([reason, effects]).to.deep.equal(['WaitingForEndpoints', []]);
    expect(message).to.equal('waiting until the endpoints of Service "checkout" are blue pods only');
  });

  it('records the proof', () => {
    const result = decided(proving);
    expect(result.reason).to.equal('SwitchVerified');
    expect(effectOf(result, 'RecordFacts').facts).to.deep.equal({
      ...validated,
      verifiedAt: NOON,
      verifiedReady: 3,
    });
  });

  it('lets old connections drain before the source goes', () => {
    const { reason, effects, plan } = decided(draining);
    expect([reason, effects]).to.deep.equal(['Draining', []]);
    expect(plan.lookAgainAt).to.equal(NOON + 20 * SECOND);
  });

  it('scales the source to 0 after the drain', () => {
    const { reason, effects } = decided({ ...draining, now: NOON + 20 * SECOND });
    expect([reason, effects]).to.deep.equal(['ParkingSource', ['ScaleSource 3 -> 0']]);
  });

  it('and takes its pause back, whichever of the two another writer has done', () => {
    const after = { ...draining, now: NOON + 20 * SECOND };
    expect(decided({ ...after, source: { replicas: 3, paused: false } }).effects).to.deep.equal([
      'ScaleSource 3 -> 0',
    ]);
    expect(decided({ ...after, source: { replicas: 0, paused: true } }).effects).to.deep.equal([
      'ScaleSource 0 -> 0',
    ]);
  });

  describe('and what took over is deleted while the source drains', () => {
    const ending = (picture: Picture) => world({ ...draining, ...picture });
    const without = (snapshot: Snapshot): Snapshot => {
      const { deployment: _, ...blue } = snapshot.sides.blue;
      return { ...snapshot, sides: { ...snapshot.sides, blue: { ...blue, deployment: undefined } } };
    };
    const gone = (picture: Picture) => decidedOn(without(ending(picture)));

    it('it comes back, before and after the drain, though its pods are ready until they have ended', () => {
      for (const picture of [{}, { now: NOON + 20 * SECOND }]) {
        const { reason, message, effects } = gone(picture);
        expect([reason, message, effects]).to.deep.equal([
          'HoldingColor',
          'keeping blue as it should be while Deployment "checkout" drains',
          ['WriteColor blue r1, 3 replicas'],
        ]);
      }
    });

    it('the source is let go only when a pod of it is ready again', () => {
      const now = NOON + 20 * SECOND;
      const ended = { revision: 'r1', ready: 3, deployment: { ready: 0 } };
      const { reason, message, effects } = decidedOn(ending({ now, blue: ended }));
      expect([reason, message, effects]).to.deep.equal([
        'WaitingForColor',
        'Deployment "checkout" stays as it is until a blue pod is ready that is not being ended',
        [],
      ]);
      const back = { revision: 'r1', ready: 3, deployment: { ready: 1 } };
      expect(decidedOn(ending({ now, blue: back })).reason).to.equal('ParkingSource');
    });

    it('a source that could not serve either is waited for by nobody', () => {
      const now = NOON + 20 * SECOND;
      const blue = { revision: 'r1', ready: 3, deployment: { ready: 0 } };
      expect(decidedOn(ending({ now, blue, source: { ...held, ready: 0 } })).reason).to.equal(
        'ParkingSource',
      );
    });
  });

  it('is committed when the source is parked', () => {
    const result = decided({ ...draining, now: NOON + 20 * SECOND, source: { replicas: 0 } });
    expect([result.reason, result.effects]).to.deep.equal(['Adopted', ['RecordFacts r1 Committed']]);
    expect(effectOf(result, 'RecordFacts').facts.committedAt).to.equal(NOON + 20 * SECOND);
  });

  it('gives way to a fix where blue and the source die before the proof: neither is waited for any longer', () => {
    const dead = (seconds: number, fingerprint: string): Picture => ({
      ...proving,
      now: NOON + seconds * SECOND,
      source: { ...held, ready: 0, fingerprint },
      blue: { revision: 'r1', desired: 3, ready: 0 },
    });
    const early = decided(dead(44, 'v2'));
    expect([early.reason, early.plan.lookAgainAt]).to.deep.equal(['WaitingForEndpoints', NOON + 45 * SECOND]);
    expect(decided(dead(45, 'v1')).reason).to.equal('WaitingForEndpoints');
    const result = decided(dead(45, 'v2'));
    expect([result.reason, result.message, result.effects]).to.deep.equal([
      'GaveWay',
      'revision r1 is no longer watched: it cannot serve, no side is able to take over, and another revision is wished for',
      ['RecordFacts r1 Committed'],
    ]);
    const { facts } = effectOf(result, 'RecordFacts');
    const next = decided({ ...dead(46, 'v2'), revisions: { r1: facts } });
    expect(next.effects).to.deep.equal(['CreateRevision r2 from source']);
  });

  describe('when blue dies while the source still stands', () => {
    const dead = { ...draining, blue: { revision: 'r1', desired: 3, ready: 0 } };

    it('takes the key out of the selector, so that both serve again', () => {
      const { reason, effects } = decided(dead);
      expect([reason, effects]).to.deep.equal([
        'NoReadyEndpoints',
        ['PatchSelector checkout -> source', 'RecordFacts r1'],
      ]);
    });

    it('does so before the switch is proven as well, and not while anything is ready behind the Service', () => {
      const unproven = { ...proving, blue: { revision: 'r1', desired: 3, ready: 0 } };
      const { reason, message } = decided(unproven);
      expect([reason, message]).to.deep.equal([
        'NoReadyEndpoints',
        'no blue pod is ready: Deployment "checkout" serves again',
      ]);
      const served = [{ podUid: 'somebody', ready: true, serving: true, group: 'IPv4/http' }];
      const waiting = decidedOn(editServices(world(unproven), { endpoints: served }));
      expect(waiting.reason).to.equal('WaitingForEndpoints');
    });

    it('after a crash between the two writes it forgets the old proof, and does not put the key back', () => {
      const half = { ...dead, route: undefined, mark: undefined };
      const result = decided(half);
      expect([result.phase, result.effects]).to.deep.equal(['Adopting', ['RecordFacts r1']]);
      expect(effectOf(result, 'RecordFacts').facts).to.deep.equal(validated);
    });

    it('and so do all others where a Service had lost its key: that the source serves there ends nothing', () => {
      const two = world({ ...dead, services: ['checkout', 'admin'] });
      const [first, second] = two.services as [ServiceView, ServiceView];
      const source = endpointsOf([{ uid: 'source', ready: true }]);
      const astray = { ...second, selector: { app: 'checkout' }, endpoints: source };
      const { reason, effects } = decidedOn({ ...two, services: [first, astray] });
      expect([reason, effects]).to.deep.equal([
        'NoReadyEndpoints',
        ['PatchSelector checkout -> source', 'PatchSelector admin -> source', 'RecordFacts r1'],
      ]);
    });

    describe('and one of two Services has been let go already', () => {
      const two = (picture: Picture) => {
        const snapshot = world({ ...picture, services: ['checkout', 'admin'] });
        const [first, second] = snapshot.services as [ServiceView, ServiceView];
        const free = { selector: { app: 'checkout' }, mark: undefined, rawMark: undefined, endpoints: [] };
        return { ...snapshot, services: [{ ...first, ...free }, second] };
      };

      it('the other one follows, and the first is not put back to what is dead', () => {
        const { reason, effects } = decidedOn(two(dead));
        expect([reason, effects]).to.deep.equal([
          'NoReadyEndpoints',
          ['PatchSelector admin -> source', 'RecordFacts r1'],
        ]);
      });

      it('the other one is tried on where it cannot be written, and nothing else is done', () => {
        const refusals = { admin: { at: NOON - SECOND / 2, message: 'a policy forbids it', final: true } };
        const refused = { ...dead, observations: { refusals }, revisions: { r1: validated } };
        const { reason, message, effects, plan } = decidedOn(two(refused));
        expect([reason, message, effects]).to.deep.equal([
          'NoReadyEndpoints',
          'no blue pod is ready: Deployment "checkout" serves again; Service "admin" cannot be patched (a policy forbids it), and is tried again every second',
          [],
        ]);
        expect([plan.verdict.stalled, plan.lookAgainAt]).to.deep.equal([true, NOON + SECOND / 2]);
        const again = { admin: { at: NOON - SECOND, message: 'a policy forbids it', final: true } };
        const tried = decidedOn(two({ ...refused, observations: { refusals: again } }));
        expect([tried.message, tried.effects]).to.deep.equal([
          'no blue pod is ready: Deployment "checkout" serves again',
          ['PatchSelector admin -> source'],
        ]);
      });
    });

    it('and is back before all were let go, the others are put back, and drain from then on', () => {
      const two = world({ ...draining, services: ['checkout', 'admin'] });
      const [first, second] = two.services as [ServiceView, ServiceView];
      const free = { ...first, selector: { app: 'checkout' }, mark: undefined, rawMark: undefined };
      const result = decidedOn({ ...two, services: [free, second] });
      expect([result.reason, result.effects]).to.deep.equal([
        'SelectorRestored',
        ['PatchSelector checkout -> blue'],
      ]);
      expect(effectOf(result, 'PatchSelector').decidedAt).to.equal(NOON);
      const restored = (seconds: number) =>
        decided({ ...draining, switchedAt: NOON, now: NOON + seconds * SECOND });
      expect([restored(29).reason, restored(29).plan.lookAgainAt]).to.deep.equal([
        'Draining',
        NOON + 30 * SECOND,
      ]);
      expect(restored(30).reason).to.equal('ParkingSource');
      expect(restored(0).plan.lookAgainAt).to.equal(NOON + 30 * SECOND);
      // What another clock says is to come is not waited for.
      const ahead = { ...draining, switchedAt: NOON + MINUTE, now: NOON + 20 * SECOND };
      expect(decided(ahead).reason).to.equal('ParkingSource');
    });

    it('stays where it is once it was adopted: what Git scaled up again is another content, it may be', () => {
      const died = { revision: 'r1', desired: 3, ready: 0 };
      const { effects } = decided({ ...idle, blue: died, source: { replicas: 3 } });
      expect(effects.filter((each) => each.startsWith('PatchSelector'))).to.deep.equal([]);
    });

    it('stays where it is when the source is gone too', () => {
      const { effects } = decided({ ...dead, source: { ...held, ready: 0 } });
      expect(effects).to.deep.equal([]);
    });
  });

  it('says so when the source is deleted in the middle', () => {
    const { reason, effects, plan } = decided({ ...building, source: null });
    expect([reason, effects, plan.verdict.stalled]).to.deep.equal(['SourceMissing', [], true]);
  });

  it('starts nothing while it is suspended', () => {
    const { phase, effects } = decided({ ...fresh, spec: { suspend: true } });
    expect([phase, effects]).to.deep.equal(['Suspended', []]);
  });
});

describe('readopting a colour that an earlier release left serving', () => {
  const kept: Picture = {
    source: { replicas: 0, claimedBy: undefined },
    route: 'green',
    mark: 'uid-of-the-earlier-release/r5/7',
    green: { revision: 'r5', ready: 3, deployment: { fingerprint: 'v1' } },
  };

  it('takes it over as it stands, under the revision that its label names', () => {
    const result = decided(kept);
    expect([result.reason, result.effects]).to.deep.equal([
      'Readopting',
      ['CreateRevision r5 from green', 'PatchSelector checkout -> green'],
    ]);
    expect(effectOf(result, 'CreateRevision')).to.deep.include({ number: 5, fingerprint: 'v1' });
    expect(effectOf(result, 'PatchSelector').mark).to.deep.include({ uid: UID, revision: 'r5', attempt: 1 });
  });

  const labels: [string, string][] = [
    ['custom', 'r1'],
    ['xr5', 'r1'],
    ['r5x', 'r1'],
    ['r05', 'r1'],
    ['r', 'r1'],
    ['r1234567890', 'r1'],
    ['r47', 'r47'],
  ];
  for (const [label, revision] of labels) {
    it(`begins with ${revision} where the label says ${label}`, () => {
      const { effects } = decided({
        ...kept,
        green: { ready: 3, revision: label, deployment: { fingerprint: 'v1' } },
      });
      expect(effects[0]).to.equal(`CreateRevision ${revision} from green`);
    });
  }

  it('of two Services one may have lost its key, but they may not name two colours', () => {
    const two = world({
      ...kept,
      source: { ...fresh.source },
      services: ['checkout', 'admin'],
      blue: { revision: 'r4', ready: 3 },
    });
    const [first, second] = two.services as [ServiceView, ServiceView];
    const selects = (selector: ServiceView['selector']) =>
      decidedOn({ ...two, services: [{ ...first, selector }, second] }).reason;
    expect(selects({ app: 'checkout' })).to.equal('Readopting');
    expect(selects({ app: 'checkout', [LABEL]: 'blue' })).to.equal('ServicesDisagree');
  });
});

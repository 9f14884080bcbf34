import { expect } from 'chai';
import { workloadInWords } from '../../../src/api/workload.ts';
import type { RevisionFacts } from '../../../src/release/facts.ts';
import { decided, effectOf } from './decided.ts';
import { committed, FORWARD_1, idle } from './situations.ts';
import { HOUR, MINUTE, NOON, type Picture, SECOND, specOf } from './world.ts';

const workload = {
  deploymentRef: undefined,
  deployment: { spec: { template: { spec: { containers: [{ name: 'app', image: 'shop:v1' }] } } } },
};
const wish = (fingerprint: string, replicas = 2) => ({
  fingerprint,
  podLabels: { app: 'checkout' },
  replicas,
});
/** What stands in the release says v1. */
const inline: Picture = { spec: { workload }, source: null, wish: wish('v1') };

const begun: RevisionFacts = { color: 'blue', attempt: 1, startedAt: NOON - MINUTE, adoption: true };
const validated: RevisionFacts = { ...begun, validatedAt: NOON - 20 * SECOND };
const building: Picture = { ...inline, revisions: { r1: begun } };
const proving: Picture = {
  ...building,
  blue: { revision: 'r1', ready: 2 },
  route: 'blue',
  mark: FORWARD_1,
  switchedAt: NOON - 10 * SECOND,
  revisions: { r1: validated },
};

describe('a Deployment that stands in the release', () => {
  it('is called by its field', () => {
    expect(workloadInWords(specOf({ workload }))).to.equal('spec.workload.deployment');
    expect(workloadInWords(specOf())).to.equal('Deployment "checkout"');
  });

  it('becomes the first revision at once: nothing has to be taken over', () => {
    const result = decided(inline);
    expect([result.phase, result.reason, result.effects]).to.deep.equal([
      'Adopting',
      'FreezingRevision',
      ['CreateRevision r1 from source'],
    ]);
    expect(effectOf(result, 'CreateRevision').facts).to.deep.equal({
      color: 'blue',
      attempt: 1,
      startedAt: NOON,
      adoption: true,
    });
    expect(result.message).to.equal('nothing serves yet: spec.workload.deployment becomes revision r1');
  });

  it('is built with as many pods as it says', () => {
    const { reason, message, effects } = decided(building);
    expect([reason, message]).to.deep.equal([
      'BuildingColor',
      'building blue from what spec.workload.deployment says',
    ]);
    expect(effects).to.include('WriteColor blue r1, 2 replicas');
  });

  it('gets the key when it is ready, and is kept when that is proven: there is nothing to drain', () => {
    const ready = { ...building, blue: { revision: 'r1', ready: 2 } };
    expect(decided(ready).reason).to.equal('ColorReady');
    expect(decided({ ...ready, revisions: { r1: validated } }).effects).to.deep.equal([
      'PatchSelector checkout -> blue',
    ]);
    const proven = decided(proving);
    expect([proven.reason, proven.message]).to.deep.equal(['SwitchVerified', '2 blue pods serve alone']);
    const verified = { ...validated, verifiedAt: NOON - SECOND, verifiedReady: 2 };
    const { reason, message, effects } = decided({ ...proving, revisions: { r1: verified } });
    expect([reason, message]).to.deep.equal(['Began', 'revision r1 is the first to serve']);
    expect(effects).to.deep.equal(['RecordFacts r1 Committed']);
  });

  it('that is changed before anything has served is built in place of what was begun', () => {
    const result = decided({ ...building, wish: wish('v2') });
    expect([result.reason, result.effects]).to.deep.equal(['Superseded', ['RecordFacts r1 Superseded']]);
    const message =
      'revision r1 is no longer wanted: spec.workload.deployment changed before anything served';
    expect(result.message).to.equal(message);
    const outcome = { kind: 'Superseded' as const, at: NOON, reason: 'Superseded', message };
    expect(effectOf(result, 'RecordFacts').facts.outcome).to.deep.equal(outcome);
    const anew = decided({ ...building, revisions: { r1: { ...begun, outcome } }, wish: wish('v3') });
    expect([anew.phase, anew.reason, anew.message]).to.deep.equal([
      'Adopting',
      'FreezingRevision',
      'nothing serves yet: spec.workload.deployment becomes revision r2',
    ]);
    expect(effectOf(anew, 'CreateRevision')).to.deep.include({
      from: 'source',
      fingerprint: 'v3',
      facts: { color: 'blue', attempt: 2, startedAt: NOON, adoption: true },
    });
    const refused = { ...building, revisions: { r1: { ...begun, outcome } }, service: { headless: true } };
    expect(decided(refused).phase).to.equal('Stalled');
  });

  it('that is changed before anything has served is judged first, and built on until it was', () => {
    const changed = { ...building, wish: wish('v2') };
    const unasked = decided({
      ...changed,
      observations: { preflight: { key: 'another', at: NOON, problems: [] } },
    });
    expect([unasked.phase, unasked.reason, unasked.effects]).to.deep.equal(['Adopting', 'Preflight', []]);
    const refused = decided({ ...changed, service: { headless: true } });
    expect([refused.phase, refused.plan.verdict.stalled, refused.effects]).to.deep.equal([
      'Stalled',
      true,
      [],
    ]);
  });

  it('that died before its proof keeps no fix waiting: there is nothing that could serve in its place', () => {
    const dead: Picture = {
      ...proving,
      now: NOON + 50 * SECOND,
      blue: { revision: 'r1', desired: 2, ready: 0 },
    };
    expect(decided(dead).reason).to.equal('WaitingForEndpoints');
    const fixed = { ...dead, wish: wish('v2') };
    expect(decided({ ...fixed, now: NOON + 49 * SECOND }).reason).to.equal('WaitingForEndpoints');
    const result = decided(fixed);
    expect([result.reason, result.effects]).to.deep.equal(['GaveWay', ['RecordFacts r1 Committed']]);
    const { facts } = effectOf(result, 'RecordFacts');
    expect([facts.verifiedAt, facts.committedAt]).to.deep.equal([undefined, NOON + 50 * SECOND]);
    const somebody = [{ podUid: 'somebody', ready: true, serving: true, group: 'IPv4/http' }];
    for (const [why, more] of Object.entries<Picture>({
      'a pod of it is ready': { blue: { revision: 'r1', desired: 2, ready: 1 }, service: { endpoints: [] } },
      'something is ready behind the Service': { service: { endpoints: somebody } },
    }))
      expect(decided({ ...fixed, ...more }).reason, why).to.equal('WaitingForEndpoints');
    expect(decided({ ...fixed, revisions: { r1: facts } }).effects).to.deep.equal([
      'CreateRevision r2 from source',
    ]);
  });

  it('takes a key that somebody put into a selector before anything served out again, begun or given up', () => {
    const outcome = { kind: 'Superseded' as const, at: NOON, reason: 'Superseded', message: '' };
    for (const [facts, ready] of [
      [begun, 0],
      [begun, 1],
      [{ ...begun, outcome }, 0],
    ] as const) {
      const { reason, message, effects } = decided({
        ...building,
        route: 'blue',
        mark: undefined,
        blue: { revision: 'r1', desired: 2, ready },
        revisions: { r1: facts },
      });
      expect([reason, effects]).to.deep.equal(['SelectorRestored', ['PatchSelector checkout -> source']]);
      expect(message).to.equal(
        'Service "checkout" selected a side that is not proven yet: it selects whatever runs again',
      );
    }
  });

  it('starts a release when it is changed, and none while it is not', () => {
    const adopted: Picture = { ...idle, ...inline };
    expect(decided(adopted).reason).to.equal('Idle');
    const { reason, effects } = decided({ ...adopted, wish: wish('v2') });
    expect([reason, effects]).to.deep.equal(['ReleaseStarted', ['CreateRevision r2 from source']]);
  });

  it('leaves what serves when the release is deleted, and says why', () => {
    const { message, effects } = decided({
      ...committed,
      ...inline,
      wish: wish('v2'),
      now: NOON + HOUR,
      release: { deleting: true, deletedAt: NOON },
    });
    expect(message).to.equal(
      'green goes on serving, because its Deployment stands in the release alone, and nothing else could take over; everything else is removed',
    );
    expect(effects).to.include('DeleteColor blue').and.not.include('DeleteColor green');
  });
});

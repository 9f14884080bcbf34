import { expect } from 'chai';
import type { PreviewView } from '../../../src/release/snapshot.ts';
import { decided, decidedOn } from './decided.ts';
import {
  built,
  fresh,
  idle,
  observed,
  r1,
  r2,
  r2Verified,
  returning,
  rolledBack,
  started,
  switched,
  validated,
} from './situations.ts';
import { endpointsOf, LABEL, NOON, type Picture, SECOND, UID, world } from './world.ts';

const preview = (color?: string, change: Partial<PreviewView> = {}): PreviewView => ({
  name: 'next',
  found: true,
  uid: 'next-uid',
  resourceVersion: '1',
  type: 'ClusterIP',
  selector: { app: 'checkout', ...(color !== undefined && { [LABEL]: color }) },
  claimedBy: UID,
  labelled: true,
  ...change,
});
const showing = (picture: Picture, color?: string): Picture => ({ ...picture, previews: [preview(color)] });
const gated: Partial<Picture> = { spec: { gates: [{ name: 'smoke', job: { spec: {} } }] } };
const running = { jobs: [{ name: 'checkout-smoke-2', state: 'Running' as const }] };

const returnWanted = { at: NOON - SECOND, reason: 'CheckFailed', message: 'too many errors' };

describe('a preview Service', () => {
  const TO_GREEN = ['PointPreview next -> green'];
  const TO_BLUE = ['PointPreview next -> blue'];
  const table: readonly [string, Picture, readonly string[]][] = [
    ['shows the source before the adoption', showing(fresh), ['CreateRevision r1 from live']],
    ['shows the active side at rest', showing(idle), TO_BLUE],
    ['is left alone where it shows that', showing(idle, 'blue'), []],
    [
      'stays with the active side while the candidate has no ready pod',
      showing({ ...built, green: { revision: 'r2', desired: 3 } }, 'blue'),
      [],
    ],
    [
      'shows the candidate from its first ready pod',
      showing({ ...built, green: { revision: 'r2', desired: 3, ready: 1 } }, 'blue'),
      TO_GREEN,
    ],
    [
      'does not show what stood by before',
      showing(
        {
          ...built,
          green: { revision: 'r2', desired: 3, ready: 1, pods: [{}, { ready: true, revision: 'r0' }] },
        },
        'blue',
      ),
      [],
    ],
    [
      'goes back to the active side when the candidate has none any more',
      showing({ ...built, green: { revision: 'r2', desired: 3 } }, 'green'),
      TO_BLUE,
    ],
    ['shows the candidate while gates run', showing({ ...built, ...gated, ...running }, 'blue'), TO_GREEN],
    ['waits for the candidate to be built', showing(started), ['WriteColor green r2, 3 replicas']],
    ['does not keep the switch waiting', showing(validated, 'blue'), ['PatchSelector checkout -> green']],
    ['does not keep the proof of the switch waiting', showing(switched, 'blue'), ['RecordFacts r2']],
    ['shows the new side while that is watched', showing(observed, 'blue'), TO_GREEN],
    ['does not keep the way back waiting', showing(returning, 'green'), ['RecordFacts r2 RolledBack']],
  ];
  for (const [what, picture, effects] of table) {
    it(what, () => {
      expect(decided(picture).effects).to.deep.equal(effects);
    });
  }

  it('stays with what lives where the active side has no ready pod: it is never dark', () => {
    const dead: Picture = { ...rolledBack, now: NOON, blue: { revision: 'r1', desired: 3 } };
    expect(decided(showing(dead, 'green')).effects).to.deep.equal([]);
    const both: Picture = { ...dead, green: { revision: 'r2', desired: 3 } };
    expect(decided(showing(both, 'green')).effects).to.deep.equal(TO_BLUE);
  });

  it('shows what serves behind a Service that lost its key while the active side was dead', () => {
    const sides: Picture = {
      blue: { revision: 'r1', desired: 3, budget: {} },
      green: { revision: 'r0', ready: 1 },
    };
    const astray = decided(showing({ ...idle, ...sides, route: undefined }, 'blue'));
    expect([astray.reason, astray.effects]).to.deep.equal(['SelectorAstray', TO_GREEN]);
    const dark = decided(showing({ ...idle, ...sides }, 'blue'));
    expect(dark.effects, 'nothing serves').to.not.include('PointPreview next -> green');
  });

  it('shows what serves behind one of several Services, where the other ones are dark', () => {
    const sides: Picture = {
      blue: { revision: 'r1', desired: 3, budget: {} },
      green: { revision: 'r0', ready: 1 },
    };
    const services = ['checkout', 'admin'];
    const spec = { traffic: { services: services.map((name) => ({ name })) } };
    const snapshot = world(showing({ ...idle, ...sides, services, spec }, 'blue'));
    const [checkout, admin] = snapshot.services;
    if (checkout === undefined || admin === undefined) throw new Error('two Services');
    const keyless = {
      ...admin,
      selector: { app: 'checkout' },
      endpoints: endpointsOf(snapshot.sides.green.pods),
    };
    const { reason, effects } = decidedOn({ ...snapshot, services: [checkout, keyless] });
    expect([reason, effects]).to.deep.equal(['SelectorAstray', TO_GREEN]);
  });

  it('is left as it is where nobody knows what serves, and its refusal is told on', () => {
    const refusals = { next: { at: NOON - SECOND, message: 'a policy forbids it', final: true } };
    for (const color of ['green', undefined]) {
      const lost: Picture = { ...built, revisions: { r2 }, observations: { refusals } };
      const { reason, effects, plan } = decided(showing(lost, color));
      expect([reason, effects]).to.deep.equal(['RevisionsLost', []]);
      expect(plan.status.previews?.map(({ message }) => message)).to.deep.equal(['a policy forbids it']);
      expect(decided(showing({ ...built, revisions: { r2 } }, color)).effects).to.deep.equal([]);
    }
  });

  it('leaves the failing side before its pods go', () => {
    const drained = { ...rolledBack, now: NOON + 60 * SECOND };
    expect(decided(showing(drained, 'green')).effects).to.deep.equal([...TO_BLUE, 'ScaleColor green 3 -> 0']);
  });

  it('that cannot be written is left alone for a while, and the status says why', () => {
    const refusals = { next: { at: NOON - SECOND, message: 'a policy forbids it', final: true } };
    const { effects, plan } = decided({ ...showing(idle, 'green'), observations: { refusals } });
    expect(effects).to.deep.equal([]);
    expect(plan.status.previews).to.deep.equal([
      { name: 'next', color: 'green', message: 'a policy forbids it' },
    ]);
    const mended = decided({ ...showing(idle, 'blue'), observations: { refusals } });
    expect(mended.plan.status.previews, 'by another process').to.deep.equal([
      { name: 'next', color: 'blue' },
    ]);
  });

  it('is written again when its time is up', () => {
    const refusals = { next: { at: NOON - 15 * SECOND, message: 'a policy forbids it', final: true } };
    expect(decided({ ...showing(idle, 'green'), observations: { refusals } }).effects).to.deep.equal(TO_BLUE);
  });

  it('tells of a long refusal no more than the status may hold', () => {
    const refusals = { next: { at: NOON - SECOND, message: 'x'.repeat(600), final: true } };
    const { plan } = decided({ ...showing(idle, 'green'), observations: { refusals } });
    expect(plan.status.previews?.map(({ message }) => message?.length)).to.deep.equal([512]);
  });

  it('says beside what else is the matter where it is pointed', () => {
    const { message } = decided(showing(observed, 'blue'));
    expect(message).to.equal(
      'Service "next" is to show green; revision r2 (green) has the traffic and is watched until 2026-06-01T12:09:55Z',
    );
  });

  it('is taken where nobody has it, and gets its label and its claim back, whatever it shows', () => {
    for (const change of [
      { claimedBy: undefined, labelled: false },
      { labelled: false },
      { claimedBy: undefined },
    ])
      expect(decided({ ...idle, previews: [preview('blue', change)] }).effects).to.deep.equal(TO_BLUE);
  });

  it('is held against the pods that serve: what people wish for may have other labels', () => {
    const renamed = { ...idle, source: { podLabels: { app: 'shop' } } };
    expect(decided({ ...renamed, previews: [preview()] }).effects).to.deep.equal(TO_BLUE);
    const ahead = preview(undefined, { selector: { app: 'shop' } });
    expect(decided({ ...renamed, previews: [ahead] }).effects).to.deep.equal([]);
  });

  it('does not keep a way back waiting that has to grow first', () => {
    const growing: Picture = {
      ...observed,
      blue: { revision: 'r1', desired: 3, ready: 0 },
      revisions: { r1, r2: { ...r2Verified, returnWanted } },
    };
    const { phase, effects } = decided(showing(growing, 'blue'));
    expect([phase, effects]).to.deep.equal(['RollingBack', []]);
  });

  it('is told of where there is one alone, and by what it shows where it shows a side', () => {
    expect(decided(idle).plan.status.previews).to.equal(undefined);
    for (const picture of [fresh, { ...fresh, source: null }, { ...idle, blue: {} }])
      expect(decided(showing(picture)).plan.status.previews).to.deep.equal([{ name: 'next' }]);
    const gone = decided({ ...idle, previews: [preview(undefined, { found: false })] });
    expect(gone.plan.status.previews).to.deep.equal([{ name: 'next', message: 'it does not exist' }]);
  });

  it('of another release is not taken', () => {
    expect(decided({ ...idle, previews: [preview('blue', { claimedBy: 'another' })] }).effects).to.deep.equal(
      [],
    );
  });

  it('that is refused is left as it is: one that selects other pods would show none any more', () => {
    const refused: Partial<PreviewView>[] = [
      { selector: { app: 'other' } },
      { selector: {} },
      { type: 'ExternalName' },
    ];
    for (const change of refused)
      for (const picture of [idle, { ...built, ...gated, ...running }])
        expect(decided({ ...picture, previews: [preview(undefined, change)] }).effects).to.deep.equal([]);
    const { plan } = decided({
      ...idle,
      previews: [preview('blue'), preview('blue', { claimedBy: 'another' })],
    });
    expect(plan.status.previews).to.deep.equal([
      { name: 'next', color: 'blue' },
      {
        name: 'next',
        color: 'blue',
        message:
          'Service "next" belongs to another release: remove it from one of the two (spec.traffic.previewServices[1].name here)',
      },
    ]);
  });

  it('goes with the release, and keeps on showing what serves', () => {
    const stays = { ...idle, source: { fingerprint: 'v7' } };
    const { effects } = decided({ ...showing(stays, 'green'), release: { deleting: true } });
    expect(effects).to.include('ReleaseService next');
  });

  it('shows whatever runs while the source takes production back', () => {
    const { plan } = decided({ ...showing(idle, 'green'), release: { deleting: true } });
    expect(plan.effects).to.deep.equal([
      { kind: 'ReleaseService', service: 'next', uid: 'next-uid', resourceVersion: '1', color: 'None' },
    ]);
  });

  const refused: readonly [string, Partial<PreviewView>, string][] = [
    [
      'ServiceNotFound',
      { found: false },
      'Service "next" does not exist in namespace "shop": create it or correct spec.traffic.previewServices[0].name',
    ],
    [
      'ServiceWithoutSelector',
      { type: 'ExternalName', selector: {} },
      'Service "next" has no selector to point: give it one that matches the pods of the workload, or remove it from spec.traffic.previewServices',
    ],
    [
      'ServiceClaimed',
      { claimedBy: 'another' },
      'Service "next" belongs to another release: remove it from one of the two (spec.traffic.previewServices[0].name here)',
    ],
    [
      'ServiceSelectsOtherPods',
      { selector: { app: 'other' } },
      'Service "next" does not select the pods of both sides: its selector and the labels of spec.template of Deployment "checkout" must match, without those of bluegreen.dev',
    ],
    [
      'ServiceSelectsOtherPods',
      { selector: { app: 'checkout', 'bluegreen.dev/revision': 'r1' } },
      'Service "next" does not select the pods of both sides: its selector and the labels of spec.template of Deployment "checkout" must match, without those of bluegreen.dev',
    ],
  ];
  for (const [reason, change, message] of refused) {
    it(`is refused: ${message}`, () => {
      const result = decided({ ...fresh, previews: [preview(undefined, change)] });
      expect([result.phase, result.reason, result.message]).to.deep.equal(['Stalled', reason, message]);
      expect(result.effects).to.deep.equal([]);
    });
  }
});

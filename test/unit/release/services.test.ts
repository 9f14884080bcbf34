import { expect } from 'chai';
import type { Color } from '../../../src/api/status.ts';
import { parseMark } from '../../../src/release/mark.ts';
import type { Refusal, ServiceView, Snapshot } from '../../../src/release/snapshot.ts';
import { type Decided, decidedOn, effectOf } from './decided.ts';
import {
  committed,
  FORWARD_1,
  FORWARD_2,
  fresh,
  idle,
  observed,
  r1,
  r2Committed,
  r2Verified,
  returning,
  switched,
  validated,
} from './situations.ts';
import { endpointsOf, LABEL, NOON, type Picture, SECOND, specOf, UID, world } from './world.ts';

const spec = { traffic: { services: [{ name: 'shop' }, { name: 'admin' }] } };
const two = (picture: Picture): Snapshot => world({ ...picture, spec, services: ['shop', 'admin'] });

function edit(snapshot: Snapshot, name: string, change: Partial<ServiceView>): Snapshot {
  const services = snapshot.services.map((service) =>
    service.name === name ? { ...service, ...change } : service,
  );
  return { ...snapshot, services };
}

/** As it is while it still points to a colour, under the order before. */
const on = (
  snapshot: Snapshot,
  color: Color | undefined,
  mark: string | undefined,
): Partial<ServiceView> => ({
  selector: { app: 'checkout', ...(color && { [LABEL]: color }) },
  rawMark: mark,
  mark: parseMark(mark, UID),
  endpoints: color === undefined ? [] : endpointsOf(snapshot.sides[color].pods),
});

const forbidden: Refusal = { at: NOON, message: 'patch services shop/admin: no', final: true };
const refused = (snapshot: Snapshot, refusal: Partial<Refusal> = {}): Snapshot => ({
  ...snapshot,
  observations: { ...snapshot.observations, refusals: { admin: { ...forbidden, ...refusal } } },
});

const said = ({ phase, reason, effects }: Decided): unknown => [phase, reason, effects];

describe('several Services', () => {
  it('are switched side by side', () => {
    expect(decidedOn(two(validated)).effects).to.deep.equal([
      'PatchSelector shop -> green',
      'PatchSelector admin -> green',
    ]);
  });

  it('are not switched before the candidate is ready behind each of them', () => {
    const snapshot = two(validated);
    const [shop] = snapshot.services;
    if (shop === undefined) throw new Error('shop');
    const twins = { ...shop.twins, green: { ...shop.twins.green, endpoints: [] } };
    const { effects, message } = decidedOn(edit(snapshot, 'admin', { twins }));
    expect(effects).to.deep.equal([]);
    expect(message).to.match(/^0 of 3 green pods are ready behind Service "admin", waiting until /);
  });

  it('are verified when the endpoints of each of them prove it', () => {
    expect(decidedOn(two(switched)).reason).to.equal('SwitchVerified');
    const snapshot = two(switched);
    const behind = edit(snapshot, 'admin', { endpoints: endpointsOf(snapshot.sides.blue.pods) });
    expect(decidedOn(behind).message).to.equal(
      'Service "admin" has 0 ready green endpoints and 3 of other pods, waiting until 2026-06-01T12:00:25Z',
    );
    const late = decidedOn({ ...behind, now: NOON + 25 * SECOND });
    expect(said(late)).to.deep.equal([
      'RollingBack',
      'SwitchNotConverged',
      ['PatchSelector shop -> blue', 'PatchSelector admin -> blue'],
    ]);
  });

  it('that a crash left behind follow, under the time of the order', () => {
    const snapshot = two(switched);
    const result = decidedOn(edit(snapshot, 'admin', on(snapshot, 'blue', FORWARD_1)));
    expect(result.effects).to.deep.equal(['PatchSelector admin -> green']);
    expect(effectOf(result, 'PatchSelector').decidedAt).to.equal(NOON - 5 * SECOND);
  });

  it('are not switched while one of them is gone', () => {
    const result = decidedOn(edit(two(validated), 'admin', { found: false }));
    expect(said(result)).to.deep.equal(['Stalled', 'ServiceNotFound', []]);
    expect(result.message).to.equal(
      'Service "admin" does not exist in namespace "shop": create it or correct spec.traffic.services[1].name; the candidate is ready, and no traffic moves before that',
    );
  });

  it('go back although one of them is gone', () => {
    const gone = { found: false, endpoints: [], selector: {}, rawMark: undefined, mark: undefined };
    const split = decidedOn(edit(two(switched), 'admin', gone));
    expect([split.phase, split.message]).to.deep.equal([
      'Split',
      'Service "admin" does not exist any more, waiting until 2026-06-01T12:00:25Z',
    ]);
    const late = decidedOn({ ...edit(two(switched), 'admin', gone), now: NOON + 25 * SECOND });
    expect(late.effects).to.deep.equal(['PatchSelector shop -> blue']);
    expect(decidedOn(edit(two(returning), 'admin', gone)).reason).to.equal('RolledBack');
  });

  it('whose selector reaches no pod of either side keep the others from nothing but a release', () => {
    const empty = { found: true, ours: true, matches: true, endpoints: [] };
    const damaged = { endpoints: [], twins: { blue: empty, green: empty } };
    const sick = edit(
      two({ ...observed, green: { revision: 'r2', desired: 3, ready: 0 } }),
      'admin',
      damaged,
    );
    expect(decidedOn(sick).effects, 'the way back').to.deep.equal([
      'PatchSelector shop -> blue',
      'PatchSelector admin -> blue',
    ]);
    expect(decidedOn(edit(two(returning), 'admin', damaged)).reason, 'its end').to.equal('RolledBack');
    expect(decidedOn(edit(two(switched), 'admin', damaged)).reason, 'the proof of a switch').to.equal(
      'WaitingForEndpoints',
    );
  });
});

describe('a Service that cannot be patched', () => {
  const admin = on(two(switched), 'blue', FORWARD_1);
  const behind = edit(two(switched), 'admin', admin);

  it('is left alone for a second, and all go back where that unites them', () => {
    const result = decidedOn(refused(behind));
    expect(said(result)).to.deep.equal(['RollingBack', 'ServiceRefused', ['PatchSelector shop -> blue']]);
    expect(result.message).to.equal(
      'Service "admin" selects blue while "shop" selects green (revision r2), and cannot be patched (patch services shop/admin: no); putting the traffic back to blue (revision r1)',
    );
  });

  it('needs no patch to have gone back: it never left', () => {
    const snapshot = edit(two({ ...returning, switchReason: 'ServiceRefused: no' }), 'admin', admin);
    const result = decidedOn(refused(snapshot));
    expect(result.reason).to.equal('RolledBack');
    const { outcome, rejected, inconclusive } = effectOf(result, 'RecordFacts').facts;
    expect([outcome?.reason, rejected, inconclusive?.count]).to.deep.equal(['ServiceRefused', undefined, 1]);
  });

  it('splits the release where it keeps the failing side: it is tried again every second', () => {
    const snapshot = edit(two(returning), 'admin', on(two(returning), 'green', `${UID}/r2/2`));
    const waiting = decidedOn(refused(snapshot, { at: NOON - 400 }));
    expect(said(waiting)).to.deep.equal(['Split', 'ServiceRefused', []]);
    expect(waiting.message).to.equal(
      'Service "admin" selects green while "shop" selects blue (revision r1), and cannot be patched (patch services shop/admin: no); it is tried again every second',
    );
    expect([waiting.plan.lookAgainAt, waiting.plan.verdict.stalled]).to.deep.equal([NOON + 600, true]);
    const due = decidedOn(refused(snapshot, { at: NOON - SECOND }));
    expect(due.effects).to.deep.equal(['PatchSelector admin -> blue']);
  });

  it('splits a release that is watched: it is not committed', () => {
    const astray = on(two(observed), undefined, `${UID}/r2/2`);
    const over = { ...edit(two(observed), 'admin', astray), now: NOON + 3600 * SECOND };
    const result = decidedOn(refused(over, { at: over.now }));
    expect([result.phase, result.reason]).to.deep.equal(['Split', 'ServiceRefused']);
  });

  it('that may be accepted next time is tried until the time of the switch is over', () => {
    const passing = { message: 'the connection broke', final: false };
    expect(decidedOn(refused(behind, passing)).effects).to.deep.equal(['PatchSelector admin -> green']);
    const late = decidedOn(refused({ ...behind, now: NOON + 25 * SECOND }, passing));
    expect(said(late)).to.deep.equal([
      'RollingBack',
      'ServiceRefused',
      ['PatchSelector shop -> blue', 'PatchSelector admin -> blue'],
    ]);
  });

  for (const [where, left, dead] of [
    ['no pod is ready on the side that it never left', 'blue', true],
    ['it is on neither side', undefined, false],
  ] as const) {
    it(`is tried on when the time of the switch is over, where ${where}: nothing else unites them`, () => {
      const picture = dead ? { ...switched, blue: { revision: 'r1', desired: 3, ready: 0 } } : switched;
      const snapshot = edit(two(picture), 'admin', on(two(picture), left, FORWARD_1));
      const late = { ...snapshot, now: NOON + 25 * SECOND };
      const waiting = decidedOn(refused(late, { at: late.now - 400 }));
      expect([waiting.reason, waiting.plan.lookAgainAt]).to.deep.equal(['ServiceRefused', late.now + 600]);
      const due = decidedOn(refused(late, { at: late.now - SECOND }));
      expect(due.effects).to.deep.equal(['PatchSelector admin -> green']);
    });
  }

  it('is tried again every second while an order waits that nothing can come of', () => {
    const picture = {
      ...observed,
      blue: { revision: 'r1', desired: 3, ready: 0 },
      release: { action: 'rollback@2' },
    };
    const snapshot = edit(two(picture), 'admin', on(two(picture), undefined, FORWARD_2));
    const waiting = decidedOn(refused(snapshot, { at: NOON - 400 }));
    expect([waiting.reason, waiting.plan.lookAgainAt]).to.deep.equal(['Requested', NOON + 600]);
  });

  it('is no reason to go back any more when it could be written after all', () => {
    const returnWanted = { at: NOON - SECOND, reason: 'ServiceRefused', message: 'no' };
    const result = decidedOn(two({ ...observed, revisions: { r1, r2: { ...r2Verified, returnWanted } } }));
    expect(said(result)).to.deep.equal(['Observing', 'Reunited', ['RecordFacts r2']]);
    expect(result.message).to.equal('every Service selects green again: revision r2 is watched on');
    expect(effectOf(result, 'RecordFacts').facts.returnWanted).to.equal(undefined);
  });

  it('keeps all of them where they are before the switch', () => {
    const result = decidedOn(refused(two(validated), { at: NOON - SECOND }));
    expect(said(result)).to.deep.equal(['Stalled', 'ServiceRefused', []]);
    expect(result.plan.lookAgainAt).to.equal(NOON + 14 * SECOND);
    expect(decidedOn(refused(two(validated), { at: NOON - 15 * SECOND })).effects).to.have.lengthOf(2);
  });

  it('alone does not split anything', () => {
    const snapshot = world({ ...committed, revisions: { r1, r2: { ...r2Committed, windowUntil: NOON } } });
    const astray = {
      ...snapshot,
      services: snapshot.services.map((each) => ({ ...each, ...on(snapshot, 'blue', each.rawMark) })),
    };
    const refusals = { checkout: forbidden };
    const result = decidedOn({ ...astray, observations: { ...astray.observations, refusals } });
    expect([result.phase, result.reason]).to.deep.equal(['Stalled', 'ServiceRefused']);
    expect(result.message).to.equal(
      'Service "checkout" selects blue instead of green (revision r2), and cannot be patched (patch services shop/admin: no); it is tried again every second',
    );
  });
});

describe('a Service that is named since the last release', () => {
  /** `admin` came into the spec; the revisions were frozen without it. */
  const joining = (picture: Picture, change: Partial<ServiceView> = {}): Snapshot => {
    const snapshot = two(picture);
    const frozen = specOf({ traffic: { services: [{ name: 'shop' }] } });
    const pods = [...snapshot.sides.blue.pods, ...snapshot.sides.green.pods];
    return edit(
      { ...snapshot, revisions: snapshot.revisions.map((revision) => ({ ...revision, frozen })) },
      'admin',
      { ...on(snapshot, undefined, undefined), endpoints: endpointsOf(pods), ...change },
    );
  };

  it('is claimed and gets its twins first', () => {
    const none = { found: false, ours: false, matches: false, endpoints: [] };
    const fresh = { claimedBy: undefined, labelled: false, twins: { blue: none, green: none } };
    expect(decidedOn(joining(idle, fresh)).effects).to.deep.equal([
      'ClaimService admin',
      'WriteTwin admin-blue',
      'WriteTwin admin-green',
    ]);
  });

  for (const [what, picture, color] of [
    ['at rest', idle, 'blue'],
    ['under watch', observed, 'green'],
  ] as const) {
    it(`joins the side that serves, ${what}`, () => {
      expect(decidedOn(joining(picture)).effects).to.deep.equal([`PatchSelector admin -> ${color}`]);
    });
  }

  it('does not keep a switch under way from being verified, nor a way back from ending', () => {
    expect(decidedOn(joining(switched)).reason).to.equal('SwitchVerified');
    expect(decidedOn(joining(returning)).reason).to.equal('RolledBack');
  });

  it('is refused while it has endpoints that we do not know', () => {
    const strangers = endpointsOf([{ uid: 'somebody', ready: true }]);
    const { reason, message } = decidedOn(joining(idle, { endpoints: strangers }));
    expect([reason, message]).to.deep.equal([
      'ServiceSelectsOtherPods',
      'Service "admin" also has endpoints that are not of this release: remove those pods from it, or add bluegreen.dev/color: blue to its selector',
    ]);
  });

  it('keeps the source running that it rests on', () => {
    const endpoints = endpointsOf([{ uid: 'source-pod', ready: true }]);
    const { reason, effects } = decidedOn(joining({ ...idle, source: { replicas: 1 } }, { endpoints }));
    expect([reason, effects]).to.deep.equal(['ServiceSelectsOtherPods', []]);
  });

  it('is refused when it does not select the pods of the side that serves', () => {
    const empty = { found: true, ours: true, matches: true, endpoints: [] };
    const change = { selector: { app: 'other' }, endpoints: [], twins: { blue: empty, green: empty } };
    const { reason, message } = decidedOn(joining(idle, change));
    expect([reason, message]).to.deep.equal([
      'ServiceSelectsOtherPods',
      'Service "admin" does not select the pods of Deployment "checkout-blue": its selector and the labels of spec.template must match',
    ]);
  });

  it('is taken at once where it names a colour already', () => {
    const named = on(two(idle), 'blue', undefined);
    expect(decidedOn(joining(idle, named)).effects).to.deep.equal(['PatchSelector admin -> blue']);
  });
});

describe('a Service that the spec names no more', () => {
  const left = {
    name: 'old',
    uid: 'old-uid',
    selector: { app: 'checkout', [LABEL]: 'blue' },
    twinOf: undefined,
  };
  const twin = {
    name: 'old-blue',
    uid: 'u',
    selector: {},
    twinOf: { service: 'old', color: 'blue' as const },
  };

  it('loses its twins, claim and mark, and keeps its key', () => {
    const result = decidedOn(world({ ...idle, leftovers: [left, twin] }));
    expect(result.effects).to.deep.equal(['ReleaseService old', 'RemoveTwin old-blue']);
    expect(effectOf(result, 'ReleaseService').color).to.equal(undefined);
  });

  it('is put to the side that serves before it is let go', () => {
    const result = decidedOn(world({ ...observed, leftovers: [left] }));
    expect(effectOf(result, 'ReleaseService').color).to.equal('green');
  });

  it('is left alone for a while when it cannot be written', () => {
    const refusals = { old: { ...forbidden, at: NOON - SECOND } };
    expect(
      decidedOn(world({ ...idle, leftovers: [left, twin], observations: { refusals } })).effects,
    ).to.deep.equal(['RemoveTwin old-blue']);
  });

  it('goes with the release', () => {
    const release = { deleting: true };
    expect(decidedOn(world({ ...idle, release, leftovers: [left, twin] })).effects).to.include.members([
      'ReleaseService old',
      'RemoveTwin old-blue',
    ]);
  });
});

describe('a release that is created again', () => {
  it('asks for one colour where its Services are on two', () => {
    const snapshot = two({ ...idle, revisions: {}, mark: undefined });
    const apart = edit(snapshot, 'admin', on(snapshot, 'green', undefined));
    const { reason, message } = decidedOn(apart);
    expect([reason, message]).to.deep.equal([
      'ServicesDisagree',
      'Service "shop" selects blue and Service "admin" green: set bluegreen.dev/color to the same colour in the selectors of both',
    ]);
  });

  it('is adopted all the same where neither of the two exists: their keys lead nowhere', () => {
    const snapshot = two(fresh);
    const apart = edit(
      edit(snapshot, 'shop', on(snapshot, 'blue', undefined)),
      'admin',
      on(snapshot, 'green', undefined),
    );
    const { reason, effects } = decidedOn(apart);
    expect([reason, effects]).to.deep.equal(['FreezingRevision', ['CreateRevision r1 from live']]);
  });
});

describe('the times of a switch', () => {
  const at = (seconds: number): string => new Date(NOON + seconds * SECOND).toISOString();
  const patches = {
    shop: { mark: `${UID}/r2/2`, at: NOON - 4 * SECOND },
    admin: { mark: `${UID}/r2/2`, at: NOON - 3 * SECOND },
  };
  const seen = (snapshot: Snapshot): Snapshot => ({
    ...snapshot,
    observations: { ...snapshot.observations, patches },
  });
  const behind = (snapshot: Snapshot): Snapshot =>
    edit(snapshot, 'admin', { endpoints: endpointsOf(snapshot.sides.blue.pods) });

  it('stand with each Service, and the last of each with the switch', () => {
    const first = decidedOn(seen(behind(two(switched)))).plan.status;
    expect(first.switch).to.include({ decidedAt: at(-5), patchedAt: at(-3) });
    expect(first.switch?.convergedAt).to.equal(undefined);
    expect(first.switch?.services).to.deep.equal([
      {
        name: 'shop',
        inSync: true,
        converged: true,
        ready: 3,
        decidedAt: at(-5),
        patchedAt: at(-4),
        convergedAt: at(0),
      },
      { name: 'admin', inSync: true, converged: false, ready: 0, decidedAt: at(-5), patchedAt: at(-3) },
    ]);
    const later = decidedOn({ ...two({ ...switched, now: NOON + SECOND }), previous: first }).plan.status;
    expect(later.switch?.convergedAt).to.equal(at(1));
    expect(later.switch?.patchedAt, 'another process knows it from the status').to.equal(at(-3));
    expect(later.switch?.services?.map(({ convergedAt }) => convergedAt)).to.deep.equal([at(0), at(1)]);
  });

  it('what a process was refused is told of a Service that is astray, and no longer when another one has moved it', () => {
    const messages = (snapshot: Snapshot): unknown =>
      decidedOn(refused(snapshot)).plan.status.switch?.services?.map(({ message }) => message);
    expect(messages(two(switched))).to.deep.equal([undefined, undefined]);
    const astray = edit(two(switched), 'admin', { selector: { app: 'checkout', [LABEL]: 'blue' } });
    expect(messages(astray)).to.deep.equal([undefined, forbidden.message]);
  });

  it('begin anew with the way back', () => {
    const forward = decidedOn(seen(two(switched))).plan.status;
    const { switch: back } = decidedOn({ ...two(returning), previous: forward }).plan.status;
    expect(back?.direction).to.equal('Back');
    expect(back?.patchedAt).to.equal(undefined);
    expect(back?.services?.[0]).to.include({ decidedAt: at(-1), convergedAt: at(0) });
  });
});

import { expect } from 'chai';
import type { Color } from '../../../src/api/status.ts';
import { parseMark } from '../../../src/release/mark.ts';
import { rolesOf } from '../../../src/release/roles.ts';
import {
  canJoin,
  hasStrangers,
  known,
  moveDueAt,
  moveInForce,
  newcomers,
  provable,
  stuck,
  tidyDueAt,
} from '../../../src/release/services.ts';
import type { Refusal, ServiceView, Snapshot } from '../../../src/release/snapshot.ts';
import { isOverdue } from '../../../src/release/split.ts';
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
  r2Validated,
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

  it('that a crash left behind go back, where more serves behind them by now than has been built', () => {
    const snapshot = two({ ...switched, now: NOON + 10 * SECOND, blue: { ...switched.blue, ready: 4 } });
    const left = edit(snapshot, 'admin', on(snapshot, 'blue', FORWARD_1));
    const early = decidedOn({ ...left, now: left.now - 1 });
    expect(early.effects, 'another process may be at it').to.deep.equal(['PatchSelector admin -> green']);
    const result = decidedOn(left);
    expect(said(result)).to.deep.equal([
      'RollingBack',
      'SwitchNotConverged',
      ['PatchSelector shop -> blue', 'PatchSelector admin -> blue'],
    ]);
    expect(result.message).to.equal(
      'Service "admin" has 4 ready blue pods by now, and green (revision r2) has 3; putting the traffic back to blue (revision r1)',
    );
  });

  it('that a crash left behind go back where one of them is outgrown, and follow where none is', () => {
    const spec = { traffic: { services: [{ name: 'shop' }, { name: 'admin' }, { name: 'till' }] } };
    const late = { ...switched, now: NOON + 10 * SECOND, spec, services: ['shop', 'admin', 'till'] };
    const left = (blue: Picture['blue'] & object): Snapshot => {
      const snapshot = world({ ...late, blue });
      const behind = on(snapshot, 'blue', FORWARD_1);
      return edit(edit(snapshot, 'admin', behind), 'till', behind);
    };
    const even = left({ revision: 'r1', ready: 3 });
    expect(decidedOn(even).effects).to.deep.equal([
      'PatchSelector admin -> green',
      'PatchSelector till -> green',
    ]);
    const grown = left({ revision: 'r1', ready: 4 });
    const [, admin] = even.services;
    if (admin === undefined) throw new Error('admin');
    const { reason, message } = decidedOn(edit(grown, 'admin', admin));
    expect([reason, message]).to.deep.equal([
      'SwitchNotConverged',
      'Service "till" has 4 ready blue pods by now, and green (revision r2) has 3; putting the traffic back to blue (revision r1)',
    ]);
  });

  it('that a crash left behind follow, where nothing is ready any more on the side that people wish for again', () => {
    const blue = { revision: 'r1', desired: 3, ready: 0 };
    const snapshot = two({ ...switched, blue, source: { fingerprint: 'v1' } });
    const result = decidedOn(edit(snapshot, 'admin', on(snapshot, 'blue', FORWARD_1)));
    expect(result.effects).to.deep.equal(['PatchSelector admin -> green']);
  });

  it('that a crash left behind go back at once, where people wish for that again', () => {
    const snapshot = two({ ...switched, source: { ...switched.source, fingerprint: 'v1' } });
    const result = decidedOn(edit(snapshot, 'admin', on(snapshot, 'blue', FORWARD_1)));
    expect(said(result)).to.deep.equal([
      'RollingBack',
      'Reverted',
      ['PatchSelector shop -> blue', 'PatchSelector admin -> blue'],
    ]);
    expect(result.message).to.equal(
      'the Deployment says what revision r1 is, which stands by; putting the traffic back to blue (revision r1)',
    );
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

  it('splits it for as long as that takes: what tells of ready pods comes back meanwhile', () => {
    const snapshot = edit(two(returning), 'admin', on(two(returning), 'green', `${UID}/r2/2`));
    const [shop] = snapshot.services as [ServiceView];
    const lost = { twins: { ...shop.twins, blue: { ...shop.twins.blue, found: false } } };
    const waiting = decidedOn(refused(edit(snapshot, 'shop', lost), { at: NOON - 400 }));
    expect(said(waiting)).to.deep.equal(['Split', 'ServiceRefused', ['WriteTwin shop-blue']]);
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

  it('keeps all of them where they are before the switch', () => {
    const result = decidedOn(refused(two(validated), { at: NOON - SECOND }));
    expect(said(result)).to.deep.equal(['Stalled', 'ServiceRefused', []]);
    expect(result.plan.lookAgainAt).to.equal(NOON + 14 * SECOND);
    expect(decidedOn(refused(two(validated), { at: NOON - 15 * SECOND })).effects).to.have.lengthOf(2);
  });

  it('is looked at again when what it put off is due: of a twin that is missing there is no news', () => {
    const { services, ...rest } = world(idle);
    const [service] = services as [ServiceView];
    const blue = { ...service.twins.blue, found: false };
    const lacking = { ...rest, services: [{ ...service, twins: { ...service.twins, blue } }] };
    const late = { checkout: { ...forbidden, at: NOON - SECOND, final: false } };
    const waiting = decidedOn({ ...lacking, observations: { ...rest.observations, refusals: late } });
    expect([waiting.effects, waiting.plan.lookAgainAt]).to.deep.equal([[], NOON + 14 * SECOND]);
    const due = { checkout: { ...forbidden, at: NOON - 15 * SECOND, final: false } };
    const { effects } = decidedOn({ ...lacking, observations: { ...rest.observations, refusals: due } });
    expect(effects).to.deep.equal(['WriteTwin checkout-blue']);
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

  describe('may join', () => {
    const may = (snapshot: Snapshot): readonly string[] => {
      const roles = rolesOf(snapshot);
      return snapshot.services.filter((each) => canJoin(snapshot, roles, each)).map(({ name }) => name);
    };
    /** Its twin of the active side, changed. */
    const twin = (change: Partial<ServiceView['twins']['blue']>): Partial<ServiceView> => {
      const [shop] = two(idle).services;
      if (shop === undefined) throw new Error('shop');
      return { twins: { ...shop.twins, blue: { ...shop.twins.blue, ...change } } };
    };
    const pods = two(idle).sides.blue.pods;

    it('when it is ours, and has all pods of the side that serves', () => {
      expect(may(joining(idle))).to.include('admin');
    });

    for (const [when, change] of [
      ['it is claimed', { claimedBy: undefined }],
      ['another release has let go of it', { claimedBy: 'another-uid' }],
      ['there is a twin to prove it with', twin({ found: false })],
      ['that twin says what it should', twin({ matches: false })],
      ['it has as many pods as the others', twin({ endpoints: endpointsOf(pods.slice(1)) })],
      ['it has any', twin({ endpoints: [] })],
    ] as const)
      it(`not before ${when}`, () => expect(may(joining(idle, change))).to.not.include('admin'));

    it('not while the side that serves has no pod ready, although the other one has', () => {
      const dead: Picture = { ...observed, green: { revision: 'r2', desired: 3, ready: 0 } };
      expect(may(joining(dead))).to.deep.equal([]);
    });

    it('not while one ready pod of somebody else is among its own', () => {
      const strangers = endpointsOf([...pods, { uid: 'somebody', ready: true }]);
      const snapshot = joining(idle, { endpoints: strangers });
      expect(may(snapshot)).to.not.include('admin');
      expect(snapshot.services.map((each) => hasStrangers(snapshot, each))).to.deep.equal([false, true]);
      const idleOnes = endpointsOf([...pods, { uid: 'somebody', ready: false }]);
      expect(may(joining(idle, { endpoints: idleOnes })), 'which is not ready').to.include('admin');
    });

    it('nothing, before anything serves', () => {
      const snapshot = two(fresh);
      expect(may(edit(snapshot, 'admin', { claimedBy: UID }))).to.deep.equal([]);
    });
  });

  it('is one of the others as soon as it has a mark or names a colour, and a newcomer until then', () => {
    const names = (services: readonly ServiceView[]): readonly string[] => services.map(({ name }) => name);
    const sorted = (change: Partial<ServiceView>): readonly (readonly string[])[] => {
      const snapshot = joining(idle, change);
      const roles = rolesOf(snapshot);
      return [names(known(snapshot, roles)), names(newcomers(snapshot, roles))];
    };
    expect(sorted({})).to.deep.equal([['shop'], ['admin']]);
    const begun = two(fresh);
    expect(names(known(begun, rolesOf(begun))), 'before the first release').to.deep.equal(['shop', 'admin']);
    expect(sorted({ found: false })).to.deep.equal([['shop'], []]);
    expect(sorted({ mark: parseMark(FORWARD_1, UID) })).to.deep.equal([['shop', 'admin'], []]);
    expect(sorted({ selector: { [LABEL]: 'blue' } })).to.deep.equal([['shop', 'admin'], []]);
  });

  it('is taken at once where it names a colour already', () => {
    const named = on(two(idle), 'blue', undefined);
    expect(decidedOn(joining(idle, named)).effects).to.deep.equal(['PatchSelector admin -> blue']);
  });
});

describe('a way back', () => {
  const proving = (snapshot: Snapshot): readonly string[] =>
    provable(snapshot, rolesOf(snapshot)).map(({ name }) => name);

  it('is proven by the Services that are there and reach a pod', () => {
    expect(proving(two(returning))).to.deep.equal(['shop', 'admin']);
    expect(proving(edit(two(returning), 'admin', { found: false }))).to.deep.equal(['shop']);
  });

  it('is not proven by nothing: where every Service is gone, each of them has to come back', () => {
    const gone = { found: false, endpoints: [], selector: {}, rawMark: undefined, mark: undefined };
    const all = edit(
      edit(two(returning), 'admin', { ...gone, ...on(two(returning), 'blue', FORWARD_1), found: false }),
      'shop',
      gone,
    );
    expect(proving(all)).to.deep.equal(['shop', 'admin']);
  });
});

describe('the order in force', () => {
  const inForce = (picture: Picture): object => {
    const snapshot = world(picture);
    const roles = rolesOf(snapshot);
    if (roles.active === undefined) throw new Error('something serves');
    const { color, mark, reason, decidedAt } = moveInForce(snapshot, roles.active, roles);
    return { color, mark, reason, decidedAt };
  };
  const mark = { uid: UID, revision: 'r2', attempt: 2, direction: 'Forward' };

  it('is the one that the Services carry, with its reason and its time', () => {
    expect(inForce(observed)).to.deep.equal({
      color: 'green',
      mark,
      reason: 'Validated: all gates passed',
      decidedAt: NOON - 5 * SECOND,
    });
  });

  it('is what the facts say where all marks are lost: its time that of the decision, or else of the proof', () => {
    const lost = { ...observed, mark: undefined };
    const facts = { color: 'green', mark, reason: 'SelectorRestored' };
    expect(inForce(lost)).to.deep.equal({ ...facts, decidedAt: r2Verified.verifiedAt });
    const r2 = { ...r2Verified, decidedAt: NOON - 7 * SECOND };
    expect(inForce({ ...lost, revisions: { r1, r2 } })).to.deep.equal({
      ...facts,
      decidedAt: NOON - 7 * SECOND,
    });
  });
});

describe('a Service that was refused', () => {
  const dueAt = (snapshot: Snapshot): readonly number[] =>
    snapshot.services.map((each) => moveDueAt(snapshot, each));

  it('for good is pointed elsewhere a second later, and what may pass as often as the loop does', () => {
    expect(dueAt(refused(two(switched)))).to.deep.equal([0, NOON + SECOND]);
    expect(dueAt(refused(two(switched), { final: false }))).to.deep.equal([0, 0]);
  });

  it('is labelled 15 seconds later, whatever it was refused for', () => {
    for (const final of [true, false]) {
      const snapshot = refused(two(switched), { final });
      expect(snapshot.services.map((each) => tidyDueAt(snapshot, each))).to.deep.equal([
        0,
        NOON + 15 * SECOND,
      ]);
    }
  });

  it('is stuck where it is not on the side that serves, exists, and nothing serves before the first release', () => {
    const names = (snapshot: Snapshot): readonly string[] =>
      stuck(snapshot, rolesOf(snapshot)).map(({ name }) => name);
    const behind = edit(two(switched), 'admin', on(two(switched), 'blue', FORWARD_1));
    expect(names(refused(behind))).to.deep.equal(['admin']);
    expect(names(behind), 'not refused').to.deep.equal([]);
    expect(names(refused(two(switched))), 'where it should be').to.deep.equal([]);
    expect(names(refused(edit(behind, 'admin', { found: false }))), 'gone').to.deep.equal([]);
    expect(names(refused(two(fresh))), 'before the first release').to.deep.equal([]);
  });
});

describe('a switch that a Service holds up', () => {
  const spec3 = { traffic: { services: [{ name: 'shop' }, { name: 'admin' }, { name: 'till' }] } };
  const three = (picture: Picture): Snapshot =>
    world({ ...picture, spec: spec3, services: ['shop', 'admin', 'till'] });
  const behind = (color: Color | undefined): Partial<ServiceView> => on(two(switched), color, FORWARD_1);
  const overdue = (snapshot: Snapshot): boolean => isOverdue(snapshot, rolesOf(snapshot));
  const late = NOON + 25 * SECOND;
  const stuckOnBlue = refused(edit(two({ ...switched, now: late }), 'admin', behind('blue')));

  it('is overdue when its time is over, where all can go back to a side that is ready', () => {
    expect(overdue(stuckOnBlue)).to.equal(true);
    expect(overdue({ ...stuckOnBlue, now: late - 1 })).to.equal(false);
  });

  it('is not overdue where nothing is refused, or no switch is under way', () => {
    expect(overdue(edit(two({ ...switched, now: late }), 'admin', behind('blue')))).to.equal(false);
    expect(overdue(refused(edit(two({ ...observed, now: late }), 'admin', behind('blue'))))).to.equal(false);
    expect(overdue(refused(two({ ...fresh, now: late })))).to.equal(false);
  });

  it('is not overdue where nothing is left to go back to', () => {
    const alone = { ...switched, now: late, revisions: { r2: r2Validated } };
    expect(overdue(refused(edit(two(alone), 'admin', behind('blue'))))).to.equal(false);
  });

  it('is not overdue where one of those that hold it up never was on the side to go back to', () => {
    const apart = edit(
      edit(three({ ...switched, now: late }), 'admin', behind('blue')),
      'till',
      behind(undefined),
    );
    const refusals = { admin: forbidden, till: forbidden };
    expect(overdue({ ...apart, observations: { ...apart.observations, refusals } })).to.equal(false);
    const both = edit(apart, 'till', behind('blue'));
    expect(overdue({ ...both, observations: { ...both.observations, refusals } })).to.equal(true);
  });

  it('is told with every Service that is where it should be', () => {
    const snapshot = edit(three(switched), 'admin', behind(undefined));
    expect(decidedOn(refused(snapshot)).message).to.equal(
      'Service "admin" selects no colour while "shop", "till" select green (revision r2), and cannot be patched (patch services shop/admin: no); it is tried again every second',
    );
  });
});

describe('a Service that the spec names no more', () => {
  const left = {
    name: 'old',
    uid: 'old-uid',
    resourceVersion: '1',
    selector: { app: 'checkout', [LABEL]: 'blue' },
    twinOf: undefined,
  };
  const twin = {
    name: 'old-blue',
    uid: 'u',
    resourceVersion: '1',
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
    const none = { ...astray.services[1]?.twins.green, endpoints: [] };
    const dead = astray.services.map((each) => ({ ...each, twins: { ...each.twins, green: none } }));
    expect(messages({ ...astray, services: dead } as Snapshot), 'left astray').to.deep.equal([
      undefined,
      undefined,
    ]);
  });

  it('begin anew with the way back', () => {
    const forward = decidedOn(seen(two(switched))).plan.status;
    const { switch: back } = decidedOn({ ...two(returning), previous: forward }).plan.status;
    expect(back?.direction).to.equal('Back');
    expect(back?.patchedAt).to.equal(undefined);
    expect(back?.services?.[0]).to.include({ decidedAt: at(-1), convergedAt: at(0) });
  });
});

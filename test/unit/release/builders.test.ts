/** Small questions and orders that several rules share, asked of themselves. */
import { expect } from 'chai';
import { dropCopies } from '../../../src/release/copies.ts';
import { describe as inWords } from '../../../src/release/describe.ts';
import { holdColor, moveTraffic, wouldDarken, writeColor } from '../../../src/release/effects.ts';
import { endpointDue } from '../../../src/release/endpoint-due.ts';
import { parseMark } from '../../../src/release/mark.ts';
import { holdOldSide, noteSize } from '../../../src/release/old-side.ts';
import { isPatient } from '../../../src/release/patience.ts';
import type { Effect, Verdict } from '../../../src/release/plan.ts';
import { portMissing } from '../../../src/release/port-problems.ts';
import { type Roles, rolesOf, type StartedRevision } from '../../../src/release/roles.ts';
import { runsOnly } from '../../../src/release/runs-only.ts';
import { selects } from '../../../src/release/selects.ts';
import type { ServiceView, Snapshot } from '../../../src/release/snapshot.ts';
import { decided } from './decided.ts';
import * as external from './external.ts';
import {
  BACK_1,
  committed,
  FORWARD_2,
  idle,
  observed,
  r1,
  r2Committed,
  started,
  switched,
} from './situations.ts';
import { editDeployment, editServices, LABEL, MINUTE, NOON, SECOND, UID, world } from './world.ts';

describe('an order to move the traffic', () => {
  const forward = { uid: UID, revision: 'r2', attempt: 2, direction: 'Forward' as const };
  const move = { color: 'green' as const, mark: forward, reason: 'Validated: good', rescue: false };
  const at = (service: Partial<ServiceView>, refusedAt?: number, more: object = {}): Effect[] => {
    const refusals =
      refusedAt === undefined ? {} : { checkout: { at: refusedAt, message: 'no', final: true } };
    const snapshot = editServices(world({ ...switched, observations: { refusals } }), service);
    return moveTraffic(snapshot, { ...move, ...more });
  };
  const unmarked = { rawMark: undefined, mark: undefined };
  const astray = { selector: { app: 'checkout', [LABEL]: 'blue' } };

  it('writes a mark that is missing once its time is up, and a selector that is astray sooner', () => {
    expect(at(unmarked)).to.have.lengthOf(1);
    expect(at(unmarked, NOON - 14_999)).to.deep.equal([]);
    expect(at(unmarked, NOON - 15_000)).to.have.lengthOf(1);
    expect(at(astray, NOON - 999)).to.deep.equal([]);
    expect(at(astray, NOON - SECOND)).to.have.lengthOf(1);
    expect(at({ ...astray, found: false })).to.deep.equal([]);
  });

  it('is decided now where it undoes a later one, and when it was decided else', () => {
    const decidedAt = NOON - MINUTE;
    const times = (service: Partial<ServiceView>, more: object): unknown[] =>
      at({ ...astray, ...service }, undefined, more).map((each) => 'decidedAt' in each && each.decidedAt);
    const later = { rawMark: BACK_1, mark: parseMark(BACK_1, UID) };
    expect(times(later, { decidedAt })).to.deep.equal([NOON]);
    expect(times({ rawMark: FORWARD_2, mark: forward }, { decidedAt })).to.deep.equal([decidedAt]);
    expect(times(unmarked, { decidedAt })).to.deep.equal([decidedAt]);
    expect(times(later, { decidedAt, mark: undefined, color: undefined })).to.deep.equal([decidedAt]);
    expect(times(unmarked, {})).to.deep.equal([NOON]);
  });

  it('would darken a Service that serves, and whose pods of that side are not ready', () => {
    const service = world(switched).services[0] as ServiceView;
    const empty = { ...service.twins, blue: { ...service.twins.blue, endpoints: [] } };
    expect(wouldDarken(service, 'green')).to.equal(false);
    expect(wouldDarken({ ...service, twins: empty }, 'blue')).to.equal(true);
    expect(wouldDarken({ ...service, twins: empty, endpoints: [] }, 'blue')).to.equal(false);
    expect(wouldDarken({ ...service, twins: empty }, undefined)).to.equal(false);
  });
});

describe('an order to write a colour', () => {
  const green = (deployment: object): Snapshot =>
    editDeployment(world({ ...started, green: { revision: 'r1', ready: 3 } }), 'green', deployment);
  const write = { kind: 'WriteColor', color: 'green', revision: 'r2', replicas: 2 };

  it('is for what was seen there', () => {
    const expected = { uid: 'green-uid', resourceVersion: '1' };
    expect(writeColor(green({}), 'green', 'r2', 2)).to.deep.equal([{ ...write, expected }]);
    expect(writeColor(world(started), 'green', 'r2', 2)).to.deep.equal([{ ...write, expected: undefined }]);
    expect(writeColor(green({ revision: 'r2', matches: false }), 'green', 'r2', 2)).to.deep.equal([
      { ...write, expected },
    ]);
  });

  it('is not given where that stands there, or what a stranger has under that name', () => {
    expect(writeColor(green({ revision: 'r2' }), 'green', 'r2', 2)).to.deep.equal([]);
    expect(holdColor(green({ ours: false }), 'green', 'r2', 2)).to.deep.equal([]);
  });

  it('is not given for what people write: it is scaled at most', () => {
    const pair = { blue: { name: 'app-blue' }, green: { name: 'app-green' } };
    const picture = { ...idle, source: null, spec: { workload: { pair } }, pair: {} };
    const snapshot = world({ ...picture, green: { revision: 'r7', ready: 3 } });
    expect(holdColor(snapshot, 'green', 'r2', 2).map(inWords)).to.deep.equal(['ScaleColor green 3 -> 2']);
  });

  it('is scaled where only the number differs', () => {
    expect(holdColor(green({ revision: 'r2' }), 'green', 'r2', 2).map(inWords)).to.deep.equal([
      'ScaleColor green 3 -> 2',
    ]);
    expect(holdColor(green({ revision: 'r2' }), 'green', 'r2', 3)).to.deep.equal([]);
  });
});

describe('copies that nothing needs', () => {
  const config = { configMaps: { settings: 'aaaaaaaaaaaaaaaa' } };
  const copies = [{ name: 'checkout-green-settings-aaaaaaaaaa', uid: 'copy', digest: 'aaaaaaaaaaaaaaaa' }];
  const dropped = (deployment: object): string[] => {
    const snapshot = world({ ...committed, green: { revision: 'r2', ready: 3, deployment, copies } });
    return dropCopies(snapshot, 'green').map(inWords);
  };

  it('are removed, but not while a Deployment runs with them whose revision is gone', () => {
    expect(dropped({})).to.deep.equal(['RemoveCopy checkout-green-settings-aaaaaaaaaa']);
    expect(dropped({ config })).to.deep.equal([]);
    expect(dropCopies(world({ ...idle, green: { copies } }), 'green').map(inWords)).to.deep.equal([
      'RemoveCopy checkout-green-settings-aaaaaaaaaa',
    ]);
  });
});

describe('the old side', () => {
  it('of an external workload is kept by whoever runs it', () => {
    const snapshot = external.external(external.committed);
    const roles = rolesOf(snapshot);
    expect(holdOldSide(snapshot, roles, roles.target as StartedRevision)).to.deep.equal([]);
  });

  it('is noted to be too large once, and again when more of it is asked for', () => {
    const noted = (tooLarge: { since: number; most: number } | undefined, green: number): unknown[] => {
      const r2 = { ...r2Committed, ...(tooLarge && { tooLarge }) };
      const snapshot = world({
        ...committed,
        green: { revision: 'r2', ready: green },
        blue: { revision: 'r1', ready: 5 },
        revisions: { r1, r2 },
      });
      const roles = rolesOf(snapshot);
      return noteSize(snapshot, roles, roles.active as StartedRevision, roles.target as StartedRevision).map(
        (effect) => effect.kind === 'RecordFacts' && effect.facts,
      );
    };
    const since = NOON - MINUTE;
    expect(noted(undefined, 3)).to.deep.equal([{ ...r2Committed, tooLarge: { since: NOON, most: 3 } }]);
    expect(noted({ since, most: 3 }, 3)).to.deep.equal([]);
    expect(noted({ since, most: 3 }, 4)).to.deep.equal([{ ...r2Committed, tooLarge: { since, most: 4 } }]);
    expect(noted({ since: NOON - 10 * MINUTE, most: 5 }, 5)).to.deep.equal([r2Committed]);
    expect(noted(undefined, 5)).to.deep.equal([]);
  });
});

describe('what may wait', () => {
  const recycle: Effect = { kind: 'RecyclePods', color: 'blue', pods: [] };
  const patient = (
    effects: readonly Effect[] | undefined,
    roles: Partial<Roles> = {},
    verdict: Partial<Verdict> = {},
  ) => {
    const snapshot = world(observed);
    const base: Verdict = {
      phase: 'Observing',
      reason: 'Observing',
      message: 'watched',
      ...(effects && { effects }),
    };
    return isPatient(snapshot, { ...rolesOf(snapshot), ...roles }, { ...base, ...verdict });
  };
  const scale = (color: 'blue' | 'green'): Effect => ({
    kind: 'ScaleColor',
    color,
    uid: 'uid',
    from: 3,
    to: 4,
  });

  it('is the end of what nobody needs', () => {
    const remove: Effect = { kind: 'RemoveCopy', color: 'blue', name: 'copy', uid: 'uid' };
    expect(patient([remove])).to.equal(true);
    expect(patient([{ kind: 'DeleteRevision', revision: 'r0' }, remove, recycle])).to.equal(true);
  });

  it('is nothing beside what somebody waits for, and nothing where there is nothing', () => {
    expect(patient([recycle, { kind: 'AddFinalizer' }])).to.equal(false);
    expect(patient(undefined)).to.equal(false);
  });

  it('is the size of a side without traffic, once that is large enough, and while nothing is on its way', () => {
    expect([patient([scale('blue')]), patient([scale('green')])]).to.deep.equal([true, false]);
    for (const stage of ['Preparing', 'Switching', 'Returning'] as const)
      expect(patient([scale('blue')], { stage }), stage).to.equal(false);
    expect(patient([scale('blue')], { target: undefined })).to.equal(false);
    expect(patient([scale('blue')], { target: undefined, stage: 'Resting' })).to.equal(true);
    expect(patient([scale('blue')], { active: undefined })).to.equal(false);
  });
});

describe('a port that pods are asked at', () => {
  const missing = (spec: object, services = ['checkout']) => portMissing(world({ spec, services }))?.message;
  const metric = { port: 9091, series: 'requests_total' };

  it('has to be one of the first Service', () => {
    expect(missing({ preparation: { warmUp: { requests: 5, port: 81 } } })).to.equal(
      'spec.preparation.warmUp.port: Service "checkout" has no port 81 (it has 80, 9090): name one that it has, or leave spec.preparation.warmUp.port out for its first',
    );
    expect(missing({ preparation: { warmUp: { requests: 5, port: 9090 } } })).to.equal(undefined);
    expect(missing({ preparation: { warmUp: { requests: 5, port: 81 } } }, [])).to.equal(undefined);
  });

  it('is asked for by a drain that counts requests, and by no other', () => {
    const { traffic, ...rest } = world({}).release.spec;
    const seen = (until: object | undefined) => {
      const snapshot = world({});
      const spec = { ...rest, traffic: { ...traffic, drain: until && { until } } };
      return portMissing({ ...snapshot, release: { ...snapshot.release, spec } as Snapshot['release'] })
        ?.reason;
    };
    expect([seen(undefined), seen({}), seen({ podMetrics: metric })]).to.deep.equal([
      undefined,
      undefined,
      'ServicePortNotFound',
    ]);
  });
});

describe('whether a colour runs one revision only', () => {
  const blue = { revision: 'r1', ready: 2 };
  const runs = (change: object, pods?: readonly object[]): boolean =>
    runsOnly(world({ ...idle, blue: { ...blue, deployment: change, ...(pods && { pods }) } }), 'blue', 'r1');

  it('is told by its Deployment and its pods, and by nothing less', () => {
    expect(runs({})).to.equal(true);
    expect(runsOnly(world({ ...idle, blue: {} }), 'blue', 'r1')).to.equal(false);
    for (const change of [
      { ours: false },
      { revision: 'r2' },
      { matches: false },
      { observed: false },
      { updated: 1 },
    ])
      expect(runs(change), JSON.stringify(change)).to.equal(false);
    expect(runs({}, [{}, { revision: 'r0' }])).to.equal(false);
  });
});

describe('whether a Service selects pods', () => {
  it('depends on each of its labels, but those that we put there ourselves', () => {
    const labels = { app: 'checkout', tier: 'web', [LABEL]: 'blue' };
    expect(selects({ app: 'checkout', tier: 'web' }, labels, [])).to.equal(true);
    expect(selects({ app: 'checkout', tier: 'api' }, labels, [])).to.equal(false);
    expect(selects({ app: 'checkout', [LABEL]: 'green' }, labels, [LABEL])).to.equal(true);
    expect(selects({ app: 'checkout', [LABEL]: 'blue' }, labels, [])).to.equal(false);
    expect(selects({}, labels, [])).to.equal(true);
  });
});

describe('when consumers are looked at again', () => {
  const { watched, committed: kept, onBlue } = external;
  const due = (picture: external.ExternalPicture): number | undefined => {
    const snapshot = external.external(picture);
    const at = endpointDue(snapshot, rolesOf(snapshot));
    return at === undefined ? undefined : (at - snapshot.now) / SECOND;
  };
  const secret = { mark: external.FORWARD };
  const unmended = { ...secret, state: 'Unreadable' as const };
  const unfit = { api: { digest: undefined, obstacle: 'has no pods' } };

  it('is never where there are none', () => {
    const snapshot = world(idle);
    expect(endpointDue(snapshot, rolesOf(snapshot))).to.equal(undefined);
  });

  for (const [what, picture, seconds] of [
    ['rarely where all run with what is published', watched, 15],
    ['soon where one is behind', { ...watched, runs: { api: 'r2', worker: 'r2!' } }, 1],
    ['soon while a held one may end a watch', { ...watched, runs: { worker: 'r2' }, consumers: unfit }, 1],
    [
      'rarely where a held one waits for people at rest',
      { ...kept, runs: { worker: 'r2' }, consumers: unfit },
      15,
    ],
    ['soon at rest where one that is not held is behind', { ...kept, runs: { api: 'r1', worker: 'r2' } }, 1],
    ['soon while credentials are not published', { ...kept, secret: { mark: `${UID}/r1/1` } }, 1],
    ['soon while a watch waits for people to mend credentials', { ...watched, secret: unmended }, 1],
    ['rarely at rest where people have to mend credentials', { ...kept, secret: unmended }, 15],
    [
      'soon where what is published could not be written',
      { ...onBlue, observations: { refusals: { search: { at: NOON, message: 'no', final: true } } } },
      1,
    ],
    ['rarely before anything is published', { says: undefined }, 15],
    [
      'rarely before anything is published, also where one is being rolled out',
      { says: undefined, consumer: { complete: false } },
      15,
    ],
  ] as readonly (readonly [string, external.ExternalPicture, number])[])
    it(`is ${what}`, () => {
      expect(due(picture)).to.equal(seconds);
    });
});

describe('when a release is looked at again', () => {
  it('is when its window closes, whatever it waits for, and not after that', () => {
    const held = { observation: { checks: [{ name: 'errors', prometheus: { query: 'q', max: '1' } }] } };
    const windowUntil = NOON + 3 * SECOND;
    const until = (now: number) =>
      decided({ ...committed, now, spec: held, revisions: { r1, r2: { ...r2Committed, windowUntil } } }).plan
        .lookAgainAt;
    expect(until(NOON)).to.equal(windowUntil);
    expect(until(windowUntil)).not.to.equal(windowUntil);
  });

  it('is not when its window closes where nothing stands by to be gone back to', () => {
    const { plan } = decided({ ...committed, blue: {}, revisions: { r2: r2Committed } });
    expect(plan.lookAgainAt).to.equal(undefined);
  });

  it('is soon while a preview has lost its label, or a side of a pair: nobody hears of them', () => {
    const preview = { name: 'next', found: true, uid: 'next-uid', resourceVersion: '1', type: 'ClusterIP' };
    const selector = { app: 'checkout', [LABEL]: 'blue' };
    const view = { ...preview, selector, claimedBy: UID, labelled: false };
    const soon = NOON + 15 * SECOND;
    expect(decided(idle).plan.lookAgainAt).to.equal(undefined);
    expect(decided({ ...idle, previews: [view] }).plan.lookAgainAt).to.equal(soon);
    const spec = { workload: { pair: { blue: { name: 'app-blue' }, green: { name: 'app-green' } } } };
    const pair = { ...idle, source: null, spec, green: { revision: 'r2', ready: 3 } };
    expect(decided({ ...pair, pair: {} }).plan.lookAgainAt).to.equal(undefined);
    expect(decided({ ...pair, pair: { green: { claimedBy: undefined } } }).plan.lookAgainAt).to.equal(soon);
  });
});

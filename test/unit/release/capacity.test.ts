import { expect } from 'chai';
import type { Color } from '../../../src/api/status.ts';
import {
  autoscalingBounds,
  candidateColor,
  candidateSize,
  isLargeEnough,
  keptWhileRecycling,
  requiredReady,
  resolve,
  shrinkDue,
  sizeNote,
  standbySize,
  windowSize,
} from '../../../src/release/capacity.ts';
import { type Roles, rolesOf } from '../../../src/release/roles.ts';
import type { Snapshot } from '../../../src/release/snapshot.ts';
import { committed, fresh, idle, r1, r2, r2Committed, r2RolledBack, started } from './situations.ts';
import { editServices, HOUR, MINUTE, NOON, type Picture, world } from './world.ts';

const hpa = (minReplicas: unknown, maxReplicas?: unknown): NonNullable<Picture['spec']> => ({
  autoscaling: { spec: { minReplicas, ...(maxReplicas !== undefined && { maxReplicas }) } },
});
const ask = <T>(picture: Picture | Snapshot, question: (snapshot: Snapshot, roles: Roles) => T): T => {
  const snapshot = 'sides' in picture ? picture : world(picture);
  return question(snapshot, rolesOf(snapshot));
};
const large = (color: Color, desired: number): Picture => ({
  [color]: { revision: color === 'blue' ? 'r1' : 'r2', ready: desired },
});
/** After the window. */
const over = { now: NOON + 49 * HOUR };

describe('a number or a share of pods', () => {
  for (const [value, base, pods] of [
    [3, 10, 3],
    ['50%', 4, 2],
    ['50%', 3, 2],
    ['1%', 3, 1],
    ['150%', 2, 3],
    ['0%', 3, 0],
    ['100%', 0, 0],
  ] as const)
    it(`${value} of ${base} is ${pods}`, () => expect(resolve(value, base)).to.equal(pods));
});

describe('what an autoscaler may choose from', () => {
  it('is what its spec says: one pod at least where it says nothing, and no more than that where it has no maximum', () => {
    const of = (spec: Picture['spec']): unknown =>
      autoscalingBounds(world(spec === undefined ? idle : { ...idle, spec }), 'blue');
    expect(of(undefined)).to.equal(undefined);
    expect(of(hpa(2, 10))).to.deep.equal({ min: 2, max: 10 });
    expect(of(hpa(undefined, 10))).to.deep.equal({ min: 1, max: 10 });
    expect(of(hpa(4))).to.deep.equal({ min: 4, max: 4 });
    expect(of(hpa('many', 'more'))).to.deep.equal({ min: 1, max: 1 });
  });
});

describe('what an autoscaler of a pair may choose from', () => {
  const pair = {
    blue: { name: 'app-blue', autoscalerRef: { name: 'blue-hpa' } },
    green: { name: 'app-green' },
  };
  const paired: Picture = { ...idle, spec: { workload: { deploymentRef: undefined, pair } }, pair: {} };

  it('is what people say there, whatever minimum is locked', () => {
    const snapshot = world(paired);
    const { autoscaler } = snapshot.pair?.blue ?? {};
    if (snapshot.pair === undefined || autoscaler === undefined) throw new Error('there is an autoscaler');
    const locked = { ...autoscaler, own: 2, minReplicas: 7, maxReplicas: 9 };
    const side = { ...snapshot.pair.blue, autoscaler: locked };
    const seen = { ...snapshot, pair: { ...snapshot.pair, blue: side } };
    expect(autoscalingBounds(seen, 'blue')).to.deep.equal({ min: 2, max: 9 });
    expect(autoscalingBounds(seen, 'green')).to.equal(undefined);
  });
});

describe('ready pods that a candidate must have', () => {
  const required = (picture: Picture | Snapshot): number => ask(picture, requiredReady);
  const dead: Picture['blue'] & object = { revision: 'r1', ready: 0, desired: 3 };

  for (const [what, picture, pods] of [
    ['are as many as production has', { ...started, ...large('blue', 5) }, 5],
    ['are a share of them', { ...started, ...large('blue', 5), spec: { capacity: { candidate: '50%' } } }, 3],
    ['are a number', { ...started, ...large('blue', 5), spec: { capacity: { candidate: 2 } } }, 2],
    ['are as many as a dead production was asked to have', { ...started, blue: dead }, 3],
    [
      'are those of spec.replicas, where production is dead',
      { ...started, blue: dead, spec: { replicas: 2 } },
      2,
    ],
    ['are at least spec.replicas', { ...started, ...large('blue', 3), spec: { replicas: 4 } }, 4],
    ['are one, where production was scaled to 0', { ...started, ...large('blue', 0) }, 1],
    ['are one, where the Deployment of production is gone', { ...started, blue: {} }, 1],
    ['are at least the minimum of its autoscaler', { ...started, ...large('blue', 3), spec: hpa(4, 9) }, 4],
    [
      'are as many as production has, above that minimum',
      { ...started, ...large('blue', 6), spec: hpa(4, 9) },
      6,
    ],
    [
      'are the minimum of its autoscaler, where production is dead: the fix does not wait for more',
      { ...started, blue: dead, spec: hpa(2, 9) },
      2,
    ],
    ['are as many as the source has, before anything was adopted', { source: { replicas: 4 } }, 4],
    [
      'are as many as the source is asked to have, where fewer are ready',
      { source: { replicas: 4, ready: 1 } },
      4,
    ],
    ['are one, where there is no source', { source: null }, 1],
    [
      'are as many as an earlier release has left, where these serve beside the source',
      { source: { replicas: 1 }, green: { revision: 'r0', ready: 5 } },
      5,
    ],
  ] as readonly (readonly [string, Picture, number])[])
    it(what, () => expect(required(picture)).to.equal(pods));

  /** Five pods serve, and somebody asks for one only: what is ready is what counts. */
  const five: Picture = {
    ...started,
    blue: { revision: 'r1', ready: 5, deployment: { desired: 1 } },
  };

  it('are as many as production serves with, where its twin is gone for a moment', () => {
    const snapshot = world(five);
    const [service] = snapshot.services;
    if (service === undefined) throw new Error('there is a Service');
    const { blue, green } = service.twins;
    const twins = { blue: { ...blue, endpoints: [] }, green: { ...green, endpoints: [] } };
    expect(required(editServices(snapshot, { twins }))).to.equal(5);
  });

  it('are as many as production could serve with, where the selector is astray', () => {
    expect(required({ ...five, route: 'green' })).to.equal(5);
  });
});

describe('the side of a candidate', () => {
  const superseded = {
    ...r2,
    outcome: { kind: 'Superseded' as const, at: NOON, reason: 'Superseded', message: '' },
  };
  for (const [what, picture, color] of [
    ['is that of the release under way', started, 'green'],
    ['is the other one of what serves', idle, 'green'],
    ['is the other one of what serves after a release', committed, 'blue'],
    [
      'is the other one of what serves, whatever ended there',
      { ...idle, revisions: { r1, r2: { ...superseded, color: 'blue' } } },
      'green',
    ],
    ['is blue before anything was adopted', fresh, 'blue'],
    [
      'is the one that is adopted',
      { ...fresh, revisions: { r1: { ...r2, attempt: 1, color: 'green', adoption: true } } },
      'green',
    ],
  ] as readonly (readonly [string, Picture, Color])[])
    it(what, () => expect(ask(picture, (_, roles) => candidateColor(roles))).to.equal(color));
});

describe('pods that a candidate is asked to have', () => {
  const size = (picture: Picture): number =>
    ask({ ...started, ...picture }, (snapshot, roles) => candidateSize(snapshot, roles, 'green'));

  it('are those that it must have ready', () => {
    expect(size(large('blue', 4))).to.equal(4);
  });

  it('never become fewer, and are not those of another revision that stands there', () => {
    expect(size({ ...large('blue', 3), ...large('green', 5) })).to.equal(5);
    expect(size({ ...large('blue', 3), green: { revision: 'r0', ready: 5 } })).to.equal(3);
  });

  it('are those of the source, before there is a candidate', () => {
    expect(ask(fresh, (snapshot, roles) => candidateSize(snapshot, roles, 'blue'))).to.equal(3);
  });

  it('are no more than its autoscaler would leave', () => {
    expect(size({ ...large('blue', 9), spec: hpa(2, 4) })).to.equal(4);
    expect(size({ ...large('blue', 1), spec: hpa(2, 4) })).to.equal(2);
  });
});

/** r2 serves with so many pods on green, r1 stands by with so many on blue; both began after the switch. */
const window = (green: number, blue: number, more: Picture = {}): Picture => ({
  ...committed,
  ...large('green', green),
  blue: { revision: 'r1', ready: blue },
  ...more,
});
const since = (most: number, minutes: number): Picture['revisions'] & object => ({
  r1,
  r2: { ...r2Committed, tooLarge: { since: NOON - minutes * MINUTE, most } },
});

/** When the old side may be touched, and with so many pods there from before the switch. */
const drained = { now: NOON + MINUTE };
const justReplaced = { now: NOON + MINUTE - 1 };
const replacing = (count: number): Picture => ({
  ...drained,
  blue: {
    revision: 'r1',
    ready: count,
    pods: Array.from({ length: count }, () => ({ createdAt: NOON - HOUR })),
  },
});

describe('pods that the old side is asked to have', () => {
  const size = (picture: Picture): number =>
    ask(picture, (snapshot, roles) => windowSize(snapshot, roles, 'blue'));

  for (const [what, picture, pods] of [
    ['are as many as production has', window(5, 3), 5],
    ['are a share of them', window(5, 1, { spec: { capacity: { window: '50%' } } }), 3],
    ['are a number', window(5, 1, { spec: { capacity: { window: 2 } } }), 2],
    ['are one at least', window(5, 1, { spec: { capacity: { window: 0 } } }), 1],
    ['are no more than its autoscaler would leave', window(9, 1, { spec: hpa(2, 4) }), 4],
    ['do not become fewer at once', window(3, 6), 6],
    ['do not become fewer before ten minutes are over', window(3, 6, { revisions: since(3, 9) }), 6],
    [
      'are after ten minutes the most that was asked for meanwhile',
      window(3, 6, { revisions: since(4, 10) }),
      4,
    ],
    ['are those of production where the Deployment is gone', window(3, 0, { blue: {} }), 3],
    [
      'are a share of what is ready, not of what is asked for',
      window(2, 1, { green: { revision: 'r2', desired: 4, ready: 2 } }),
      2,
    ],
    ['are those of the source, before anything was adopted', fresh, 3],
    ['are a quarter more while old ones are replaced', window(4, 4, replacing(4)), 5],
    ['are at once no more than asked for, when the last was just replaced', window(4, 5, justReplaced), 4],
    ['are more for a while, where that is more than stood beside them', window(4, 6, justReplaced), 6],
    ['are more for a while, where the last was replaced a minute ago', window(4, 5, drained), 5],
  ] as readonly (readonly [string, Picture, number])[])
    it(what, () => expect(size(picture)).to.equal(pods));
});

describe('the note that the old side is too large', () => {
  const note = (picture: Picture): unknown =>
    ask(picture, (snapshot, roles) => sizeNote(snapshot, roles, 'blue'));

  it('begins with the moment in which it is, and is none where it is not', () => {
    expect(note(window(3, 6))).to.deep.equal({ since: NOON, most: 3 });
    expect(note(window(3, 3))).to.equal(undefined);
    expect(note(window(3, 0, { blue: {} }))).to.equal(undefined);
  });

  it('may be asked for before anything serves', () => {
    expect(note({ ...fresh, blue: { revision: 'r0', ready: 2 } })).to.equal(undefined);
  });

  it('is not begun by a production that is not ready for a moment', () => {
    const ill = { green: { revision: 'r2', desired: 3, ready: 1 } };
    expect(note(window(3, 3, ill))).to.equal(undefined);
  });

  it('keeps the most that was asked for', () => {
    expect(note(window(3, 6, { revisions: since(4, 1) }))).to.deep.equal({ since: NOON - MINUTE, most: 4 });
    expect(note(window(5, 6, { revisions: since(4, 1) }))).to.deep.equal({ since: NOON - MINUTE, most: 5 });
  });

  it('stands until the ten minutes are over and it has shrunk', () => {
    const early = { since: NOON - 9 * MINUTE, most: 3 };
    expect(note(window(3, 3, { revisions: since(3, 9) }))).to.deep.equal(early);
    const late = { since: NOON - 10 * MINUTE, most: 3 };
    expect(note(window(3, 4, { revisions: since(3, 10) }))).to.deep.equal(late);
    expect(note(window(3, 3, { revisions: since(3, 10) }))).to.equal(undefined);
  });

  it('says when it may shrink', () => {
    expect(ask(window(3, 6, { revisions: since(3, 9) }), shrinkDue)).to.equal(NOON + MINUTE);
    expect(ask(window(3, 6, { revisions: since(3, 10) }), shrinkDue)).to.equal(undefined);
    expect(ask(window(3, 6), shrinkDue)).to.equal(undefined);
    expect(ask(fresh, shrinkDue)).to.equal(undefined);
  });
});

describe('the old side is large enough', () => {
  const enough = (picture: Picture): boolean =>
    ask(picture, (snapshot, roles) => isLargeEnough(snapshot, roles, 'blue'));

  it('with what production has, and not with a pod less', () => {
    expect(enough(window(3, 3))).to.equal(true);
    expect(enough(window(3, 2))).to.equal(false);
    expect(enough(window(3, 0, { blue: {} }))).to.equal(false);
  });

  it('not by what is left of a production that is ill', () => {
    const ill = { green: { revision: 'r2', desired: 3, ready: 1 } };
    expect(enough(window(3, 2, ill))).to.equal(false);
  });
});

describe('ready pods that are kept while others are replaced', () => {
  const kept = (picture: Picture): number =>
    ask(picture, (snapshot, roles) => keptWhileRecycling(snapshot, roles, 'blue'));
  const full = { deployment: { replicaFailure: 'exceeded quota' } };

  it('are all that are asked for, where one more can be had', () => {
    expect(kept(window(3, 3))).to.equal(3);
    expect(kept(window(3, 3, { spec: hpa(2, 4) }))).to.equal(3);
  });

  it('are one less where no more can be had, and one at least', () => {
    expect(kept(window(3, 3, { spec: hpa(2, 3) }))).to.equal(2);
    expect(kept(window(3, 3, { blue: { revision: 'r1', ready: 3, ...full } }))).to.equal(2);
    expect(kept(window(1, 1, { blue: { revision: 'r1', ready: 1, ...full } }))).to.equal(1);
  });
});

describe('a standby after the window', () => {
  const size = (standby: number | string, more: Picture = {}): number =>
    ask(
      { ...window(4, 4), ...over, spec: { capacity: { standby } } as Picture['spec'] & object, ...more },
      standbySize,
    );
  const ended = (facts: typeof r2RolledBack): Picture => ({
    revisions: { r1: { ...facts, color: 'blue', attempt: 1 }, r2: r2Committed },
  });

  it('is a number or a share of what production is asked to have, however much of it is ready', () => {
    expect(size(2)).to.equal(2);
    expect(size('50%')).to.equal(2);
    expect(size('50%', { green: { revision: 'r2', desired: 6, ready: 1 } })).to.equal(3);
  });

  it('is what its autoscaler leaves of it, and none where none is asked for', () => {
    expect(size(1, { spec: { ...hpa(2, 9), capacity: { standby: 1 } } })).to.equal(2);
    expect(size(0, { spec: { ...hpa(2, 9), capacity: { standby: 0 } } })).to.equal(0);
  });

  it('is none of what was rejected, never kept or is not known', () => {
    expect(size(2, ended(r2RolledBack))).to.equal(0);
    const { rejected } = r2RolledBack;
    const kept = { ...r1, ...(rejected && { rejected }) };
    expect(size(2, { revisions: { r1: kept, r2: r2Committed } })).to.equal(0);
    expect(size(2, { blue: { revision: 'r7', ready: 4 } })).to.equal(0);
    expect(size(2, { blue: {} })).to.equal(0);
    const { outcome: __, ...begun } = r1;
    expect(size(2, { revisions: { r1: begun, r2: r2Committed } })).to.equal(0);
    expect(size(2, { revisions: { r1: undefined, r2: r2Committed } })).to.equal(0);
  });

  it('is none of production whose Deployment is gone, or before anything serves', () => {
    expect(size('50%', { green: {} })).to.equal(0);
    expect(ask({ ...fresh, spec: { capacity: { standby: 2 } } }, standbySize)).to.equal(0);
  });
});

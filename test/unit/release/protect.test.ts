import { expect } from 'chai';
import type { Verdict } from '../../../src/release/plan.ts';
import { rescue, tellOutage } from '../../../src/release/protect.ts';
import { rolesOf } from '../../../src/release/roles.ts';
import type { Snapshot } from '../../../src/release/snapshot.ts';
import { external, watched } from './external.ts';
import {
  built,
  committed,
  fresh,
  idle,
  observed,
  r1,
  r2Committed,
  returning,
  switched,
} from './situations.ts';
import { editServices, endpointsOf, NOON, type Picture, world } from './world.ts';

const DEAD = { desired: 3, ready: 0 };
/** No pod of r2 is ready, all of r1 are. */
const dead = (picture: Picture): Picture => ({ ...picture, green: { revision: 'r2', ...DEAD } });

/** The selectors give the traffic to this pod all the same. */
const served = (snapshot: Snapshot): Snapshot =>
  editServices(snapshot, { endpoints: endpointsOf([{ uid: 'somebody', ready: true }]) });

/** The selectors lead nowhere; one pod of r2 is ready. */
const astray = (picture: Picture): Snapshot =>
  editServices(world({ ...picture, green: { revision: 'r2', desired: 3, ready: 1 } }), { endpoints: [] });

describe('production without a ready pod', () => {
  const rescued = (snapshot: Snapshot): string | undefined => rescue(snapshot, rolesOf(snapshot))?.message;
  const said = 'no green pod (revision r2) is ready; putting the traffic back to blue (revision r1)';

  for (const [when, picture] of [
    ['in the switch', switched],
    ['while it is watched', observed],
    ['inside its window', committed],
  ] as const)
    it(`goes back to a side that is ready, ${when}`, () => {
      expect(rescued(world(dead(picture)))).to.equal(said);
    });

  const r3 = { ...r2Committed, attempt: 3, color: 'blue' as const };
  const { outcome: _, windowUntil: __, committedAt: ___, verifiedAt: ____, ...begun } = r3;
  for (const [when, snapshot] of [
    ['one pod of it is ready', world({ ...committed, green: { revision: 'r2', desired: 3, ready: 1 } })],
    ['one pod of it is ready, although the selectors lead nowhere', astray(committed)],
    ['the selectors lead to another pod that is', served(world(dead(committed)))],
    ['nothing else is ready', world({ ...dead(committed), blue: { revision: 'r1', ...DEAD } })],
    ['nothing can be gone back to', world({ ...idle, blue: { revision: 'r1', ...DEAD } })],
    ['nothing was released yet', world({ ...fresh, source: { replicas: 0 } })],
    ['it is on its way back already', world({ ...returning, blue: { revision: 'r1', ...DEAD } })],
    [
      'the next release is built on the other side',
      world({ ...dead(committed), revisions: { r1, r2: r2Committed, r3: begun } }),
    ],
  ] as readonly (readonly [string, Snapshot])[])
    it(`stays where it is when ${when}`, () => expect(rescued(snapshot)).to.equal(undefined));
});

describe('an outage that nobody can end', () => {
  const rest: Verdict = { phase: 'Idle', reason: 'Idle', message: 'all is well' };
  const told = (snapshot: Snapshot, verdict: Verdict = rest): Verdict =>
    tellOutage(snapshot, rolesOf(snapshot), verdict);
  const outage = world({ ...idle, blue: { revision: 'r1', ...DEAD } });

  for (const phase of ['Observing', 'Held', 'Committed', 'Idle', 'Suspended'] as const)
    it(`is told instead of ${phase}`, () => {
      const { reason, message, stalled } = told(outage, { ...rest, phase });
      expect([reason, stalled]).to.deep.equal(['RollbackImpossible', true]);
      expect(message).to.match(/^no blue pod \(revision r1\) is ready/);
    });

  for (const [what, verdict] of [
    ['that something is under way', { ...rest, phase: 'Preparing' }],
    ['that people have to do something', { ...rest, stalled: true }],
    ['that the spec has to wait', { ...rest, specPending: true }],
    ['that something is done', { ...rest, effects: [{ kind: 'AddFinalizer' }] }],
  ] as readonly (readonly [string, Verdict])[])
    it(`is not told in place of the word ${what}`, () => expect(told(outage, verdict)).to.equal(verdict));

  for (const [when, snapshot] of [
    ['one pod is ready', world({ ...idle, blue: { revision: 'r1', desired: 3, ready: 1 } })],
    ['one pod is ready, although the selectors lead nowhere', astray(committed)],
    ['the selectors lead to another pod that is', served(outage)],
    ['nothing was released yet', world({ ...fresh, source: { replicas: 0 } })],
    ['the next release is built', world({ ...built, blue: { revision: 'r1', ...DEAD } })],
    ['the pods are not in this cluster', external(watched)],
  ] as readonly (readonly [string, Snapshot])[])
    it(`is none when ${when}`, () => expect(told({ ...snapshot, now: NOON })).to.equal(rest));
});

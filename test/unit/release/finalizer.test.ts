/** Without the finalizer a release is gone in the moment of its deletion: whatever else is decided, it comes back. */
import { expect } from 'chai';
import { rolesOf } from '../../../src/release/roles.ts';
import type { Snapshot } from '../../../src/release/snapshot.ts';
import { type Decided, decidedOn } from './decided.ts';
import { external, onBlue, ready, watched } from './external.ts';
import { PICTURES } from './pictures.ts';
import { committed, fresh, idle } from './situations.ts';
import { HOUR, NOON, SECOND, world } from './world.ts';

const without = (snapshot: Snapshot): Snapshot => ({
  ...snapshot,
  release: { ...snapshot.release, hasFinalizer: false },
});

const ofWhat = ({ phase, reason, effects, plan }: Decided): unknown => [
  phase,
  reason,
  effects,
  plan.verdict.stalled,
];

/** What is decided with the finalizer, and that it comes back after the rest. */
function comesBack(snapshot: Snapshot): void {
  const whole = decidedOn(snapshot);
  const lost = decidedOn(without(snapshot));
  expect(ofWhat(lost)).to.deep.equal(ofWhat({ ...whole, effects: [...whole.effects, 'AddFinalizer'] }));
  expect(lost.message).to.equal(`${whole.message}; the release lost its finalizer`);
}

describe('the finalizer that somebody took away', () => {
  const snapshots = Object.entries(PICTURES).map(([name, picture]) => [name, world(picture)] as const);
  for (const [name, snapshot] of snapshots) {
    const isBegun = rolesOf(snapshot).stage !== 'Unadopted';
    if (isBegun && snapshot.release.hasFinalizer && !snapshot.release.deleting)
      it(`comes back after whatever else is done: ${name}`, () => comesBack(snapshot));
  }

  it('comes back where a Service is left astray, for as long as people like', () => {
    const dead = { revision: 'r2', desired: 3, ready: 0 };
    const astray = world({ ...committed, now: NOON + 49 * HOUR, route: undefined, green: dead });
    comesBack(astray);
    const { reason, message } = decidedOn(without(astray));
    expect([reason, message]).to.deep.equal([
      'SelectorAstray',
      'Service "checkout" selects no colour and is left so: it has ready endpoints, and no green pod (revision r2), where it should point, is ready; the release lost its finalizer',
    ]);
  });

  it('waits for one look where a selector is put back without a word', () => {
    const stripped = world({ ...committed, route: undefined, mark: undefined });
    const { status } = decidedOn(stripped).plan;
    const again = decidedOn(without({ ...stripped, now: NOON + SECOND, previous: status }));
    expect([again.plan.verdict.drift, again.effects]).to.deep.equal([
      'Told',
      ['PatchSelector checkout -> green'],
    ]);
  });

  it('comes back where an endpoint is published', () => {
    for (const picture of [onBlue, ready, watched]) comesBack(external(picture));
  });

  it('is put there by the first step where nothing has begun, and never where the release is being deleted', () => {
    const first = decidedOn(without(world(fresh)));
    expect([first.reason, first.effects]).to.deep.equal(['AddingFinalizer', ['AddFinalizer']]);
    const going = decidedOn(without(world({ ...idle, release: { deleting: true } })));
    expect([going.message, going.effects]).to.deep.equal(['nothing is left to do', []]);
  });
});

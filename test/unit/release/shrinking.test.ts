import { expect } from 'chai';
import { violations } from '../../../src/release/invariants.ts';
import { decided, effectOf } from './decided.ts';
import { committed, r1, r2Committed } from './situations.ts';
import { MINUTE, NOON, type Picture, world } from './world.ts';

/** Production has so many pods, the old side five. */
const window = (green: number, tooLarge?: { since: number; most: number }): Picture => ({
  ...committed,
  green: { revision: 'r2', ready: green },
  blue: { revision: 'r1', ready: 5 },
  revisions: { r1, r2: { ...r2Committed, ...(tooLarge && { tooLarge }) } },
});

describe('an old side that is larger than production asks for', () => {
  it('is noted, and shrinks ten minutes later', () => {
    const noted = effectOf(decided(window(3)), 'RecordFacts').facts.tooLarge;
    expect(noted).to.deep.equal({ since: NOON, most: 3 });
    const waiting = decided(window(3, noted));
    expect([waiting.effects, waiting.plan.lookAgainAt]).to.deep.equal([[], NOON + 10 * MINUTE]);
    const due = decided({ ...window(3, noted), now: NOON + 10 * MINUTE });
    expect(due.effects).to.deep.equal(['ScaleColor blue 5 -> 3']);
  });

  it('shrinks at once by what stood beside pods that were replaced, and not by what production gives up later', () => {
    const at = (now: number): readonly string[] => decided({ ...window(4), now }).effects;
    expect(at(NOON + MINUTE - 1)).to.deep.equal(['ScaleColor blue 5 -> 4']);
    expect(at(NOON + MINUTE)).to.deep.equal(['RecordFacts r2 Committed']);
  });

  it('shrinks to the most that was asked for meanwhile', () => {
    const raised = effectOf(decided(window(4, { since: NOON, most: 3 })), 'RecordFacts').facts.tooLarge;
    expect(raised).to.deep.equal({ since: NOON, most: 4 });
    const due = { ...window(3, { since: NOON - 10 * MINUTE, most: 4 }) };
    expect(decided(due).effects).to.deep.equal(['ScaleColor blue 5 -> 4']);
  });

  it('is forgotten when it is done, or when it was needed after all', () => {
    const since = NOON - 10 * MINUTE;
    for (const done of [
      { ...window(3, { since, most: 3 }), blue: { revision: 'r1', ready: 3 } },
      window(5, { since, most: 5 }),
    ])
      expect(effectOf(decided(done), 'RecordFacts').facts.tooLarge).to.equal(undefined);
  });

  it('grows at once, as ever', () => {
    expect(decided(window(7, { since: NOON, most: 3 })).effects).to.deep.equal(['ScaleColor blue 5 -> 7']);
  });

  it('is guarded: it shrinks neither early nor below what was asked for', () => {
    const order = (to: number) =>
      ({ kind: 'ScaleColor', color: 'blue', uid: 'blue-uid', from: 5, to }) as const;
    const refused = (to: number) => [`blue holds the rollback target r1 and would shrink from 5 to ${to}`];
    const early = world(window(3, { since: NOON - 9 * MINUTE, most: 3 }));
    expect(violations(early, [order(3)])).to.deep.equal(refused(3));
    const due = world(window(3, { since: NOON - 10 * MINUTE, most: 3 }));
    expect(violations(due, [order(3)])).to.deep.equal([]);
    expect(violations(due, [order(2)])).to.deep.equal(refused(2));
    // No more than a quarter, of which production asks for nothing: what stood beside pods that were replaced.
    const spare = world(window(4));
    expect(violations(spare, [order(4)])).to.deep.equal([]);
    expect(violations(spare, [order(3)])).to.deep.equal(refused(3));
    const ready = (count: number) =>
      world({ ...window(4), blue: { revision: 'r1', desired: 5, ready: count } });
    expect(violations(ready(4), [order(4)])).to.deep.equal([]);
    expect(violations(ready(3), [order(4)])).to.deep.equal(refused(4));
    const old = world({ ...window(4), now: NOON + MINUTE });
    expect(violations(old, [order(4)])).to.deep.equal(refused(4));
    const edited = { revision: 'r1', ready: 5, deployment: { matches: false } };
    const repair = {
      kind: 'WriteColor',
      color: 'blue',
      revision: 'r1',
      replicas: 4,
      expected: undefined,
    } as const;
    expect(violations(world({ ...window(4), blue: edited }), [repair])).to.deep.equal(refused(4));
  });
});

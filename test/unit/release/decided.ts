/** Asks for a decision and holds every plan against what must be true of all of them. */
import { expect } from 'chai';
import { type ReleaseStatus, statusSchema } from '../../../src/api/status.ts';
import { decide } from '../../../src/release/decide.ts';
import { describe as inWords } from '../../../src/release/describe.ts';
import { violations } from '../../../src/release/invariants.ts';
import type { Effect, Plan } from '../../../src/release/plan.ts';
import type { Snapshot } from '../../../src/release/snapshot.ts';
import { frozen, type Picture, world } from './world.ts';

export interface Decided {
  readonly phase: string;
  readonly reason: string;
  readonly message: string;
  /** In the words of the decision log. */
  readonly effects: readonly string[];
  readonly plan: Plan;
  readonly snapshot: Snapshot;
}

export function decided(picture: Picture): Decided {
  return decidedOn(world(picture));
}

export function decidedOn(snapshot: Snapshot): Decided {
  const plan = decide(frozen(snapshot));
  expect(violations(snapshot, plan.effects), 'violated invariants').to.deep.equal([]);
  expect(statusSchema.strict().parse(plan.status), 'status within its schema').to.deep.equal(plan.status);
  if (plan.lookAgainAt !== undefined) {
    expect(plan.lookAgainAt, 'looks again in the future').to.be.greaterThan(snapshot.now);
  }
  const { phase, reason, message } = plan.verdict;
  return { phase, reason, message, effects: plan.effects.map(inWords), plan, snapshot };
}

/** The one effect of this kind. */
export function effectOf<Kind extends Effect['kind']>(
  { plan }: Decided,
  kind: Kind,
): Extract<Effect, { kind: Kind }> {
  const found = plan.effects.filter((effect) => effect.kind === kind);
  expect(found, `effects of kind ${kind}`).to.have.lengthOf(1);
  return found[0] as Extract<Effect, { kind: Kind }>;
}

export function condition(status: ReleaseStatus, type: string): string {
  const found = status.conditions?.find((each) => each.type === type);
  return found === undefined ? 'absent' : found.status;
}

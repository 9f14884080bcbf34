/** What no step of the operator may do. Judged by the model's own knowledge, not by what the core believes. */
import type { Color } from '../../../src/api/status.ts';
import { otherColor } from '../../../src/release/endpoints.ts';
import type { RevisionFacts } from '../../../src/release/facts.ts';
import { violations } from '../../../src/release/invariants.ts';
import type { SwitchMark } from '../../../src/release/mark.ts';
import type { Effect, Plan } from '../../../src/release/plan.ts';
import type { Snapshot } from '../../../src/release/snapshot.ts';
import { readyOn, revisionNamed, type Side, SPEC, type World } from './model.ts';

type Of<Kind extends Effect['kind']> = Extract<Effect, { kind: Kind }>;

/** What is wrong with this plan, in a sentence; undefined: nothing. */
export function broken(world: World, snapshot: Snapshot, plan: Plan): string | undefined {
  if (plan.lookAgainAt !== undefined && plan.lookAgainAt <= world.now) return 'it looks again in the past';
  const [refused] = violations(snapshot, plan.effects);
  if (refused !== undefined) return `the applier would refuse it: ${refused}`;
  return plan.effects.map((effect) => lawOf(world, effect)).find((sentence) => sentence !== undefined);
}

const LAWS: { [Kind in Effect['kind']]?: (world: World, effect: Of<Kind>) => string | undefined } = {
  PatchSelector: moved,
  RecordFacts: recorded,
  ScaleColor: (world, { color, to }) => (to === 0 ? robbed(world, color) : undefined),
};

function lawOf(world: World, effect: Effect): string | undefined {
  const law = LAWS[effect.kind] as ((world: World, effect: Effect) => string | undefined) | undefined;
  return law?.(world, effect);
}

/** The traffic goes where every gate was passed, or back to what was kept; and never from ready pods to none. */
function moved(world: World, { color, mark }: Of<'PatchSelector'>): string | undefined {
  const now = world.service.color;
  if (color === undefined || mark === undefined)
    return world.source.ready && world.source.replicas > 0
      ? undefined
      : 'the key goes and the source cannot serve';
  if (readyOn(world, color).length === 0 && now !== undefined && readyOn(world, now).length > 0)
    return `the traffic leaves ready pods for none on ${color}`;
  return now === color ? undefined : entitled(world, mark);
}

function entitled(world: World, { revision: name, direction }: SwitchMark): string | undefined {
  const facts = revisionNamed(world, name)?.facts;
  if (facts === undefined) return `nobody knows revision ${name}`;
  const isKept = facts.outcome?.kind === 'Committed' && facts.rejected === undefined;
  if (isKept || facts.adoption === true) return undefined;
  if (direction === 'Back') return `${name} was not kept, and is gone back to`;
  return facts.verifiedAt !== undefined || provenBy(world, name, facts.attempt)
    ? undefined
    : `${name} skips its gates`;
}

function provenBy(world: World, revision: string, attempt: number): boolean {
  return world.jobs.some(
    (job) => job.revision === revision && job.attempt === attempt && job.state === 'Complete',
  );
}

function recorded(world: World, { revision, facts }: Of<'RecordFacts'>): string | undefined {
  const before = revisionNamed(world, revision)?.facts;
  if (before === undefined) return `the facts of ${revision}, which is not there`;
  const verifies = facts.verifiedAt !== undefined && before.verifiedAt === undefined;
  if (verifies && !servesAlone(world, facts.color))
    return `${revision} counts as switched, and its endpoints do not say so`;
  const validates = facts.validatedAt !== undefined && before.validatedAt === undefined;
  if (validates && !facts.adoption && !provenBy(world, revision, facts.attempt))
    return `${revision} counts as validated, and its Job has not passed`;
  const commits = facts.outcome?.kind === 'Committed' && before.outcome === undefined;
  return commits ? committed(world, revision, facts) : undefined;
}

/** The selector names it, and whatever the endpoints follow as yet, its ready pods are all there are. */
function servesAlone({ service, source, sides }: World, color: Color): boolean {
  const { followed } = service;
  const others = followed === undefined && (source.replicas > 0 || hasPods(sides[otherColor(color)]));
  return service.color === color && (followed ?? color) === color && !others && hasPods(sides[color]);
}

function hasPods(side: Side | undefined): boolean {
  return side?.pods.some(({ ready }) => ready) ?? false;
}

/** Watched for the whole time with a good end, unless a person promotes it or it gives way to what people wish for. */
function committed(world: World, revision: string, facts: RevisionFacts): string | undefined {
  const { verifiedAt, outcome } = facts;
  if (outcome?.reason === 'GaveWay') return givesWay(world, revision);
  if (verifiedAt === undefined) return `${revision} is committed without a proof of its switch`;
  if (facts.adoption || world.action === `promote@${facts.attempt}`) return undefined;
  const watched = world.now - verifiedAt >= SPEC.observation.durationSeconds * 1000;
  return watched && world.measured?.verdict === 'Good' ? undefined : `${revision} is committed too early`;
}

/** It must be unable to serve, or bad; nothing to go back to; and somebody must wish for something else. */
function givesWay(world: World, revision: string): string | undefined {
  const { color, followed } = world.service;
  const before = revisionNamed(world, revision);
  const serves = color !== undefined && followed === color && readyOn(world, color).length > 0;
  const isBad = before?.facts.returnWanted !== undefined;
  if (world.wish === before?.content) return `${revision} gives way to itself`;
  return serves && !isBad ? `${revision} serves, and gives way` : undefined;
}

/** Nobody takes the pods of what the Service names. */
function robbed(world: World, color: Color): string | undefined {
  return world.service.color === color ? `${color} has the traffic and loses its pods` : undefined;
}

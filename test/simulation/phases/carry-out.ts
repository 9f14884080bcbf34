/** What the applier does with each effect, in the model: idempotent, and nothing where the precondition fails. */
import { isDeepStrictEqual } from 'node:util';
import type { Color } from '../../../src/api/status.ts';
import { formatMark } from '../../../src/release/mark.ts';
import type { Effect, EffectKind } from '../../../src/release/plan.ts';
import { nameOf, type Pod, rawFacts, revisionNamed, type Side, selectorOf, type World } from './model.ts';

type Of<Kind extends EffectKind> = Extract<Effect, { kind: Kind }>;

/** What is ordered for what the model leaves out. */
type LeftOut =
  | 'RemoveFinalizer'
  | 'ReleaseService'
  | 'ReleaseSource'
  | 'HandBack'
  | 'DeleteColor'
  | 'RemoveTwin'
  | 'WriteCopy'
  | 'RemoveCopy'
  | 'WriteAutoscaler'
  | 'RemoveAutoscaler'
  | 'ClaimPaired'
  | 'ReleasePaired'
  | 'LockAutoscaler'
  | 'WriteBudget'
  | 'RemoveBudget'
  | 'LabelColor'
  | 'RecyclePods'
  | 'PointPreview'
  | 'ClaimEndpoint'
  | 'Publish'
  | 'ReleaseEndpoint'
  | 'PublishSecret'
  | 'ReleaseSecret'
  | 'RestartConsumer';

type Hands = { [Kind in Exclude<EffectKind, LeftOut>]: (world: World, effect: Of<Kind>) => World };

const HANDS: Hands = {
  AddFinalizer: (world) => ({ ...world, finalizer: true }),
  CreateRevision: (world, { revision, number, from, fingerprint, facts }) => {
    if (revisionNamed(world, revision) !== undefined) return world;
    const content = from === 'source' ? world.wish : fingerprint;
    return { ...world, revisions: [...world.revisions, { number, content, facts }] };
  },
  RecordFacts: (world, { revision, expected, facts }) => ({
    ...world,
    // Another attempt is measured anew.
    ...(facts.outcome !== undefined && { measured: undefined }),
    revisions: world.revisions.map((each) =>
      nameOf(each) === revision && rawFacts(each.facts) === expected ? { ...each, facts } : each,
    ),
  }),
  DeleteRevision: (world, { revision }) => ({
    ...world,
    revisions: world.revisions.filter((each) => nameOf(each) !== revision),
  }),
  ClaimService: (world) => ({ ...world, service: { ...world.service, claimed: true } }),
  ClaimSource: (world) => ({ ...world, source: { ...world.source, claimed: true } }),
  HoldSource: (world) => ({ ...world, source: { ...world.source, claimed: true, paused: true } }),
  ScaleSource: (world, { to, at }) => ({
    ...world,
    source: {
      ...world.source,
      replicas: to,
      paused: false,
      parkedAt: at,
      // One that had no pods has new ones, of what stands in it.
      ...(world.source.replicas === 0 && { runs: world.wish }),
    },
  }),
  WriteTwin: (world) => world,
  WriteColor: (world, { color, revision, replicas, expected }) => {
    const before = world.sides[color];
    if ((before === undefined) !== (expected === undefined)) return world;
    return withSide(world, color, { revision, desired: replicas, pods: before?.pods ?? [] });
  },
  ScaleColor: (world, { color, from, to }) => {
    const before = world.sides[color];
    if (before?.desired !== from) return world;
    return withSide(world, color, { ...before, desired: to });
  },
  PatchSelector: (world, effect) => {
    const { service } = world;
    const isExpected =
      service.mark === effect.expectedMark && isDeepStrictEqual(selectorOf(service.color), effect.from);
    if (!isExpected) return world;
    return {
      ...world,
      service: {
        ...service,
        color: effect.color,
        mark: effect.mark && formatMark(effect.mark),
        switchedAt: effect.decidedAt,
        reason: effect.reason,
      },
    };
  },
  CreateJob: (world, { revision, attempt }) => {
    if (world.jobs.some((job) => job.revision === revision && job.attempt === attempt)) return world;
    return {
      ...world,
      jobs: [...world.jobs.slice(-2), { revision, attempt, state: 'Running', deadlineExceeded: false }],
    };
  },
};

export function carryOut(world: World, effect: Effect): World {
  const hand = (HANDS as Partial<Record<EffectKind, (world: World, effect: Effect) => World>>)[effect.kind];
  if (hand === undefined) throw new Error(`the model has no ${effect.kind}`);
  return hand(world, effect);
}

/** The Deployment controller makes the pod that is missing; an old one stays until the new one is ready. */
export function withSide(world: World, color: Color, side: Side): World {
  return { ...world, sides: { ...world.sides, [color]: { ...side, pods: podsOf(world, side) } } };
}

function podsOf(world: World, { revision, desired, pods }: Side): readonly Pod[] {
  if (desired === 0) return [];
  const own = pods.find((pod) => pod.revision === revision) ?? {
    revision,
    content: revisionNamed(world, revision)?.content ?? '',
    ready: false,
  };
  return own.ready ? [own] : [...pods.filter((pod) => pod !== own && pod.ready), own];
}

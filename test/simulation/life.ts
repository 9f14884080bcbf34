/** One life of a release, from the first Deployment to rest or deletion: everything that can happen to it does. */
import { RELEASES } from '../../src/api/resource.ts';
import { wishedName } from './content.ts';
import { digestOf } from './digest.ts';
import { endFaults, faultsOf, type Level } from './faults.ts';
import { type Focus, focused } from './focus.ts';
import type { Counts } from './happenings.ts';
import { type Mishaps, startMishaps } from './mishaps.ts';
import { hasManyMoments, MANY_MOMENTS, worsen, worsenMore } from './moments.ts';
import { fail } from './oracle/view.ts';
import { createRandom, type Random } from './random.ts';
import { checkRest, isResting } from './rest.ts';
import { drawScenario, ofItsKind, RELEASE, type Scenario } from './scenario.ts';
import { startSiblings } from './siblings.ts';
import { createStage, START, type Stage } from './stage.ts';
import { startUsers, type Users } from './users.ts';
import type { Version } from './versions.ts';
import { begin, createRelease } from './world.ts';

export interface LifeResult {
  readonly seed: number;
  /** What was broken, in a sentence; undefined: nothing. */
  readonly violation: string | undefined;
  /** Attempts that were begun. */
  readonly releases: number;
  readonly outcomes: Counts;
  readonly faults: Counts;
  /** Faults by the phase in which they came. */
  readonly pairs: Counts;
  /** What went wrong and what people did, in order. */
  readonly happened: readonly string[];
  readonly effects: Counts;
  readonly steps: number;
  readonly checks: number;
  readonly writes: number;
  readonly reconciles: number;
  /** Virtual milliseconds. */
  readonly lasted: number;
  readonly trace: readonly string[];
  /** Of all that was written down of it: lives that have the same one went the same way. */
  readonly digest: string;
}

/** By then everything must have come to rest. Retries come half an hour apart, and windows are open as long. */
const SETTLE_MS = 3 * 3_600_000;
/** So long nothing may be written any more: longer than any retry or window. */
const REST_MS = 2_100_000;

interface Cast {
  readonly stage: Stage;
  readonly users: Users;
  readonly mishaps: Mishaps;
  readonly random: Random;
  readonly scenario: Scenario;
}

/** `without`: what is left out of what this life would see; see `Happenings`. */
export async function live(
  seed: number,
  level: Level,
  without?: ReadonlySet<string>,
  focus: Focus = {},
): Promise<LifeResult> {
  const cast = castOf(seed, level, without, focus);
  const { stage, users, random, scenario } = cast;
  begin(stage.world);
  stage.operators.start();
  await stage.play(30_000);
  // What dies at once would be adopted, and nobody could say that it should not be.
  const begins = random.chance(0.3);
  if ((focus.rollout ?? begins) && scenario.versions[1]?.diesAfterMs === undefined) {
    stage.say('somebody: wishes for the next version');
    users.wishNext();
    await stage.play(random.between(0, 10_000));
  }
  let releases = await liveOnce(cast, scenario.lively);
  const deletes = random.chance(hasManyMoments(seed) ? 0.6 : 0.3);
  let deleted = (focus.deleted ?? deletes) && (await deleteRelease(cast));
  if (deleted && random.chance(0.5) && stage.world.api.get(RELEASES, RELEASE) === undefined) {
    deleted = false;
    releases += await liveOnce(cast, scenario.lively / 2);
  }
  const lateWrites = await settle(cast);
  const version = scenario.versions[users.wished];
  const wished = version && { version, name: wishedName(stage.world, users.wished) };
  if (stage.broken === undefined) stage.guarded(() => checkRest(stage, { wished, deleted, lateWrites }));
  await lookAnew(cast, version);
  return resultOf(seed, cast, releases);
}

function castOf(seed: number, level: Level, without: ReadonlySet<string> | undefined, focus: Focus): Cast {
  const random = createRandom(seed);
  const faults = { ...faultsOf(level), ...focus.faults };
  const scenario = ofItsKind(
    seed % MANY_MOMENTS,
    focused(drawScenario(random.fork(), faults), faults, focus),
  );
  const moments = random.fork();
  const more = createRandom(~seed);
  const stage: Stage = createStage(random.fork(), faults, scenario, () => users, {
    ...(without !== undefined && { without }),
    onPhase,
  });
  const { world, timeline, happenings, say } = stage;
  const users = startUsers(world, timeline, random.fork(), faults, happenings, say);
  const mishaps = startMishaps(stage, random.fork(), faults, happenings);

  function onPhase(phase: string | undefined): void {
    const all = { timeline, users, mishaps, faults };
    worsen(all, moments.fork());
    if (phase !== undefined && hasManyMoments(seed)) worsenMore(all, more.fork(), phase);
  }

  const cast = { stage, users, mishaps, random: random.fork(), scenario };
  startSiblings(stage, random.fork(), () => users.touch('service'));
  return cast;
}

/** The release is created, and lives so long. Gives how many attempts it began. */
async function liveOnce({ stage, users }: Cast, ms: number): Promise<number> {
  stage.say('the release is created');
  createRelease(stage.world, users.wished);
  await stage.play(ms);
  return stage.status().attempt ?? 0;
}

/** Whether it was; everything goes on meanwhile. */
async function deleteRelease({ stage, random }: Cast): Promise<boolean> {
  const { world, happenings, say } = stage;
  const propagation = random.pick(['Foreground', 'Background'] as const);
  const after = random.between(0, 240_000);
  if (!happenings.happens('delete the release')) return false;
  say(`somebody: deletes the release (${propagation})`);
  if (world.api.get(RELEASES, RELEASE) !== undefined) world.api.delete(RELEASES, RELEASE, { propagation });
  await stage.play(after);
  return true;
}

/** Faults end, and it comes to rest. Gives the writes since it should have. */
async function settle({ stage, users, mishaps }: Cast): Promise<number> {
  stage.say('faults end, people rest');
  endFaults(stage.faults);
  users.rest();
  mishaps.rest();
  const until = stage.timeline.now + SETTLE_MS;
  let late = Number.POSITIVE_INFINITY;
  while (late > 0 && stage.timeline.now < until && stage.broken === undefined) {
    const before = stage.oracle.writes;
    await stage.play(REST_MS);
    late = stage.oracle.writes - before;
  }
  return late;
}

/** More than a process takes to begin, and to look at everything. */
const LOOK_ANEW_MS = 120_000;

/** At rest another process takes over, which knows nothing but the cluster, and has nothing to write either. */
async function lookAnew({ stage }: Cast, wished: Version | undefined): Promise<void> {
  if (stage.broken !== undefined || !isResting(stage, wished)) return;
  stage.say('the operator is replaced');
  const before = stage.oracle.writes;
  stage.operators.kill();
  await stage.play(LOOK_ANEW_MS);
  const writes = stage.oracle.writes - before;
  if (writes > 0) stage.guarded(() => fail(`at rest: a new process writes ${writes} times`));
}

function resultOf(seed: number, { stage }: Cast, releases: number): LifeResult {
  const { happenings, timeline, oracle } = stage;
  return {
    seed,
    violation: stage.broken,
    releases,
    outcomes: oracle.outcomes,
    faults: happenings.counts,
    pairs: happenings.pairs,
    happened: happenings.told,
    effects: stage.effects,
    steps: timeline.steps,
    checks: oracle.checks,
    writes: oracle.writes,
    reconciles: stage.reconciles,
    lasted: timeline.now - START,
    trace: stage.trace,
    digest: digestOf([
      ...stage.trace,
      ...happenings.told,
      `${timeline.steps} steps, ${oracle.writes} writes`,
    ]),
  };
}

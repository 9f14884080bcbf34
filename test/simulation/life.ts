/** One life of a release, from the first Deployment to rest or deletion: everything that can happen to it does. */
import { RELEASES } from '../../src/api/resource.ts';
import { type Counts, count, endFaults, faultsOf, type Level } from './faults.ts';
import { startMishaps } from './mishaps.ts';
import { createRandom } from './random.ts';
import { checkRest } from './rest.ts';
import { drawScenario, RELEASE } from './scenario.ts';
import { createStage, START, type Stage } from './stage.ts';
import { startUsers, type Users } from './users.ts';
import { begin, createRelease } from './world.ts';

export interface LifeResult {
  readonly seed: number;
  /** What was broken, in a sentence; undefined: nothing. */
  readonly violation: string | undefined;
  /** Attempts that were begun. */
  readonly releases: number;
  readonly outcomes: Counts;
  readonly faults: Counts;
  readonly effects: Counts;
  readonly steps: number;
  readonly checks: number;
  readonly writes: number;
  readonly reconciles: number;
  /** Virtual milliseconds. */
  readonly lasted: number;
  readonly trace: readonly string[];
}

/** Everything heals, windows close, retries come: then nothing may be left to do. */
const SETTLE_MS = 3 * 3_600_000;
/** So long before the end nothing may be written any more. */
const REST_MS = 1_200_000;

export async function live(seed: number, level: Level): Promise<LifeResult> {
  const random = createRandom(seed);
  const scenario = drawScenario(random.fork());
  const stage = createStage(random.fork(), faultsOf(level), scenario, () => users);
  const { world, timeline, faults, counts, operators, say } = stage;
  const users: Users = startUsers(world, timeline, random.fork(), faults, counts, (what) =>
    say(`somebody: ${what}`),
  );
  const mishaps = startMishaps(world, timeline, random.fork(), faults, counts, operators, (what) =>
    say(`it happens: ${what}`),
  );

  begin(world);
  operators.start();
  await stage.play(30_000);
  say('the release is created');
  createRelease(world);
  await stage.play(scenario.lively);
  const outcomes = outcomesOf(stage);
  const releases = stage.status().attempt ?? 0;
  const deleted = random.chance(0.2);
  if (deleted) {
    deleteRelease(stage, random.pick(['Foreground', 'Background'] as const));
    await stage.play(random.between(0, 120_000));
  }
  say('faults end, people rest');
  endFaults(faults);
  users.rest();
  mishaps.rest();
  await stage.play(SETTLE_MS - REST_MS);
  const before = stage.oracle.writes;
  await stage.play(REST_MS);
  const wished = scenario.versions[users.wished];
  if (stage.broken === undefined)
    stage.guarded(() => checkRest(stage, { wished, deleted, lateWrites: stage.oracle.writes - before }));
  return {
    seed,
    violation: stage.broken,
    releases: stage.status().attempt ?? releases,
    outcomes: deleted ? outcomes : outcomesOf(stage),
    faults: counts,
    effects: stage.effects,
    steps: timeline.steps,
    checks: stage.oracle.checks,
    writes: stage.oracle.writes,
    reconciles: stage.reconciles,
    lasted: timeline.now - START,
    trace: stage.trace,
  };
}

function deleteRelease({ world, say, counts }: Stage, propagation: 'Foreground' | 'Background'): void {
  say(`somebody: deletes the release (${propagation})`);
  count(counts, 'delete the release');
  if (world.api.get(RELEASES, RELEASE) !== undefined) world.api.delete(RELEASES, RELEASE, { propagation });
}

/** By attempt, as far as the history goes. */
function outcomesOf(stage: Stage): Counts {
  const outcomes: Counts = new Map();
  for (const { outcome } of stage.status().history ?? []) count(outcomes, outcome);
  return outcomes;
}

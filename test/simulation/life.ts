/** One life of a release, from the first Deployment to rest or deletion: everything that can happen to it does. */
import { FINALIZER, LABEL_REVISION } from '../../src/api/names.ts';
import { type BlueGreenReleaseObject, RELEASES } from '../../src/api/resource.ts';
import type { ReleaseStatus } from '../../src/api/status.ts';
import {
  CONTROLLER_REVISIONS,
  type ControllerRevision,
  DEPLOYMENTS,
  type Deployment,
} from '../../src/kube/types.ts';
import { describe } from '../../src/release/describe.ts';
import { type Counts, count, endFaults, faultsOf, type Level } from './faults.ts';
import { startMishaps } from './mishaps.ts';
import { type Operator, startOperator } from './operator.ts';
import { createOracle } from './oracle/oracle.ts';
import { type RevisionTruth, readRevision } from './oracle/truth.ts';
import { Violation } from './oracle/view.ts';
import { createRandom, type Random } from './random.ts';
import { drawScenario, RELEASE, SERVICE } from './scenario.ts';
import { createTimeline } from './timeline.ts';
import { startUsers } from './users.ts';
import { isGood, type Version } from './versions.ts';
import { begin, createRelease, createWorld, imageOfColor, readyEndpoints, selectedColor } from './world.ts';

export interface LifeResult {
  readonly seed: number;
  /** What was broken, in a sentence; undefined: nothing. */
  readonly violation: string | undefined;
  /** Revisions that were started. */
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

const START = Date.UTC(2026, 0, 1);
/** Everything heals, windows close, retries come: then nothing may be left to do. */
const SETTLE_MS = 3 * 3_600_000;
/** So long before the end nothing may be written any more. */
const REST_MS = 1_200_000;

export async function live(seed: number, level: Level): Promise<LifeResult> {
  const random = createRandom(seed);
  const timeline = createTimeline(START);
  const faults = faultsOf(level);
  const scenario = drawScenario(random.fork());
  const world = createWorld(timeline, random.fork(), faults, scenario);
  const counts: Counts = new Map();
  const effects: Counts = new Map();
  const trace: string[] = [];
  const say = (text: string): void => {
    trace.push(`${new Date(timeline.now).toISOString().slice(11, 23)}  ${text}`);
  };
  let reconciles = 0;
  let broken: string | undefined;

  const oracle = createOracle(world, timeline, faults, () => users);
  const operators = createOperators();
  const users = startUsers(world, timeline, random.fork(), faults, counts, (what) =>
    say(`somebody: ${what}`),
  );
  const mishaps = startMishaps(world, timeline, random.fork(), faults, counts, operators, (what) =>
    say(`it happens: ${what}`),
  );

  function createOperators() {
    const own = random.fork();
    const running = new Set<Operator>();
    const start = (): Operator => {
      const operator = startOperator({
        api: world.api,
        timeline,
        random: own.fork(),
        faults,
        counts,
        metrics: world.metrics,
        onWrite: (write, run) => guarded(() => oracle.onWrite(write, run)),
        onEffect: (effect, result) => {
          count(effects, effect.kind);
          say(`  ${describe(effect)}${result === 'applied' ? '' : ` (${result})`}`);
        },
        onError: (message) => say(`  error: ${message}`),
        onReconcile: () => {
          reconciles += 1;
        },
        onCrash: () => {
          say('  the operator dies');
          running.delete(operator);
          timeline.after(own.between(500, 30_000), start);
        },
      });
      running.add(operator);
      return operator;
    };
    return {
      start,
      get work() {
        return [...running].some((operator) => operator.ready);
      },
      kill(): void {
        const [operator] = running;
        if (operator === undefined) return;
        operator.kill();
        running.delete(operator);
        timeline.after(own.between(500, 30_000), start);
      },
      double(ms: number): void {
        const second = start();
        timeline.after(ms, () => {
          if (!running.delete(second)) return;
          second.kill();
          if (running.size === 0) start();
        });
      },
    };
  }

  /** A violation is told when it happens, and ends the life at the next event. */
  function guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      broken ??= error.message;
    }
  }

  const statusNow = (): ReleaseStatus =>
    (world.api.get<BlueGreenReleaseObject>(RELEASES, RELEASE)?.status ?? {}) as ReleaseStatus;

  let lastMessage = '';
  function afterEach(): boolean {
    guarded(() => oracle.check(operators.work));
    const { phase = '', message = '' } = statusNow();
    if (message !== lastMessage) say(`  [${phase}] ${message}`);
    lastMessage = message;
    return broken === undefined;
  }

  begin(world);
  operators.start();
  await timeline.runUntil(timeline.now + 30_000, afterEach);
  say('the release is created');
  createRelease(world);
  await timeline.runUntil(timeline.now + scenario.lively, afterEach);
  const deletes = random.chance(0.2);
  if (deletes && broken === undefined) {
    const propagation = random.pick(['Foreground', 'Background'] as const);
    say(`somebody: deletes the release (${propagation})`);
    count(counts, 'delete the release');
    if (world.api.get(RELEASES, RELEASE) !== undefined) world.api.delete(RELEASES, RELEASE, { propagation });
    await timeline.runUntil(timeline.now + random.between(0, 120_000), afterEach);
  }
  say('faults end, people rest');
  endFaults(faults);
  users.rest();
  mishaps.rest();
  const outcomesBefore = outcomesOf();
  await timeline.runUntil(timeline.now + SETTLE_MS - REST_MS, afterEach);
  const quiet = oracle.writes;
  await timeline.runUntil(timeline.now + REST_MS, afterEach);
  if (broken === undefined) guarded(() => atRest(quiet, deletes));

  function atRest(writesBefore: number, deleted: boolean): void {
    const fail = (message: string): never => {
      throw new Violation(`at rest: ${message}`);
    };
    if (oracle.writes > writesBefore && isDecided(scenario.versions[users.wished]))
      fail(`${oracle.writes - writesBefore} writes although nothing happens`);
    if (readyEndpoints(world.api, SERVICE).length === 0 && someGood())
      fail('production has no ready endpoint');
    if (deleted) {
      const release = world.api.get(RELEASES, RELEASE);
      if (release !== undefined)
        fail(`the release is still there: ${release.metadata.finalizers?.includes(FINALIZER)}`);
      return;
    }
    loserIsDown(fail);
    settled(fail);
  }

  /** What was rejected, or never had the traffic, is kept at 0. */
  function loserIsDown(fail: (message: string) => never): void {
    const color = selectedColor(world.api);
    const other = color === 'blue' ? 'green' : color === 'green' ? 'blue' : undefined;
    const deployment = other && world.api.get<Deployment>(DEPLOYMENTS, `${RELEASE}-${other}`);
    const name = deployment?.metadata.labels?.[LABEL_REVISION];
    const held = facts().find((each) => each.name === name)?.facts;
    if (held?.outcome !== undefined && held.outcome.kind !== 'Committed' && deployment?.spec.replicas !== 0)
      fail(`${name} on ${other} is ${held.outcome.kind}, and has ${deployment?.spec.replicas} pods`);
  }

  /** Something that could serve stands somewhere. */
  function someGood(): boolean {
    return ['checkout', 'checkout-blue', 'checkout-green'].some(
      (name) => readyEndpoints(world.api, name).length > 0,
    );
  }

  function settled(fail: (message: string) => never): void {
    const status = statusNow();
    const ready = status.conditions?.find(({ type }) => type === 'Ready')?.status;
    const wished = scenario.versions[users.wished];
    const color = selectedColor(world.api);
    const serving = color === 'blue' || color === 'green' ? imageOfColor(world.api, color) : 'the source';
    if (wished === undefined || serving === wished.image) {
      if (ready !== 'True' && wished !== undefined && isGood(wished))
        fail(`${wished.image} serves, and Ready is ${ready}: ${status.message}`);
      return;
    }
    const isEdited = status.conditions?.some(({ reason }) => reason === 'ActiveEdited') ?? false;
    if (!isEdited && isGood(wished) && isDecided(wished) && !isRejected(wished.image))
      fail(
        `${wished.image} is wished for, good and not rejected, and ${serving} serves: [${status.phase}] ${status.message}`,
      );
  }

  /** A gate that hangs, or pods that are slower than the deadline, are tried again for ever: nobody is at fault. */
  function isDecided(version: Version | undefined): boolean {
    const patience = (scenario.spec.preparation?.deadlineSeconds ?? 600) * 1000;
    return (
      version !== undefined &&
      version.smoke !== 'hang' &&
      version.diesAfterMs === undefined &&
      version.startMs[1] + 20_000 < patience &&
      !version.flaps
    );
  }

  function isRejected(image: string): boolean {
    return facts().some((each) => each.image === image && each.facts.rejected !== undefined);
  }

  function facts(): RevisionTruth[] {
    return world.api.list<ControllerRevision>(CONTROLLER_REVISIONS).flatMap(readRevision);
  }

  function outcomesOf(): Counts {
    const outcomes: Counts = new Map();
    for (const { outcome } of statusNow().history ?? []) count(outcomes, outcome);
    return outcomes;
  }

  return {
    seed,
    violation: broken,
    releases: statusNow().attempt ?? [...outcomesBefore.values()].reduce((sum, each) => sum + each, 0),
    outcomes: outcomesOf(),
    faults: counts,
    effects,
    steps: timeline.steps,
    checks: oracle.checks,
    writes: oracle.writes,
    reconciles,
    lasted: timeline.now - START,
    trace,
  };
}

export function seedsFrom(first: number): { next(): number } {
  const random: Random = createRandom(first);
  return { next: () => random.between(1, 0x7fff_ffff) };
}

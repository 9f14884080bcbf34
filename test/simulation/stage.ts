/** Where a life is played: the world, its operators, the oracle that watches, and what is written down of it. */
import { type BlueGreenReleaseObject, RELEASES } from '../../src/api/resource.ts';
import type { ReleaseStatus } from '../../src/api/status.ts';
import { formatPreciseTime } from '../../src/api/time.ts';
import { describe } from '../../src/release/describe.ts';
import type { Faults } from './faults.ts';
import { type Counts, count, createHappenings, type Happenings } from './happenings.ts';
import { type Operator, startOperator } from './operator.ts';
import { createLogGuard, type LogGuard } from './oracle/log.ts';
import { createOracle, type Oracle } from './oracle/oracle.ts';
import { createTold } from './oracle/told.ts';
import { Violation } from './oracle/view.ts';
import type { Random } from './random.ts';
import { RELEASE, type Scenario } from './scenario.ts';
import { createTimeline, type Timeline } from './timeline.ts';
import type { Users } from './users.ts';
import { createWorld, type World } from './world.ts';

export const START: number = Date.UTC(2026, 0, 1);

export interface Operators {
  start(): void;
  /** One of them is at work. */
  readonly work: boolean;
  /** One of them dies, and is back after a while. */
  kill(): void;
  /** Another one works beside it for so long. */
  double(ms: number): void;
}

export interface Stage {
  readonly world: World;
  readonly timeline: Timeline;
  readonly faults: Faults;
  readonly operators: Operators;
  readonly oracle: Oracle;
  readonly trace: string[];
  readonly happenings: Happenings;
  /** That were tried, by kind. */
  readonly effects: Counts;
  readonly reconciles: number;
  /** What was broken first. */
  readonly broken: string | undefined;
  readonly status: () => ReleaseStatus;
  readonly say: (text: string) => void;
  /** Runs a check; a promise that it finds broken ends the play. */
  guarded(check: () => void): void;
  play(ms: number): Promise<void>;
}

export interface StageOptions {
  /** What of all that goes wrong is left out, as `Happenings.told` names it. */
  readonly without?: ReadonlySet<string>;
  /** The phase that people see has changed. */
  readonly onPhase?: (phase: string | undefined) => void;
}

export function createStage(
  random: Random,
  faults: Faults,
  scenario: Scenario,
  users: () => Users,
  { without, onPhase }: StageOptions = {},
): Stage {
  const timeline = createTimeline(START);
  const world = createWorld(timeline, random.fork(), faults, scenario);
  const oracle = createOracle(world, timeline, faults, users);
  const effects: Counts = new Map();
  const trace: string[] = [];
  let reconciles = 0;
  let broken: string | undefined;
  let lastTold = '';
  let lastStatus: object | undefined | null = null;
  let lastPhase: string | undefined;
  const happenings = createHappenings(() => lastPhase, without);

  const say = (text: string): void => {
    trace.push(`${formatPreciseTime(timeline.now).slice(11, 23)}  ${text}`);
  };

  /** A violation is told when it happens, and ends the play at the next event. */
  function guarded(check: () => void): void {
    try {
      check();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      if (broken === undefined) say(`broken: ${error.message}`);
      broken ??= error.message;
    }
  }

  const status = (): ReleaseStatus =>
    (world.api.get<BlueGreenReleaseObject>(RELEASES, RELEASE)?.status ?? {}) as ReleaseStatus;

  const decided = (): Parameters<LogGuard['check']>[0] => ({
    uid: world.api.get(RELEASES, RELEASE)?.metadata.uid,
    decisions: status().decisions ?? [],
  });

  function afterEach(): boolean {
    guarded(() => oracle.check(operators.work));
    const now = world.api.get(RELEASES, RELEASE);
    if (now !== lastStatus) tellStatus();
    lastStatus = now;
    return broken === undefined;
  }

  function tellStatus(): void {
    const { phase, message } = status();
    const told = phase === undefined ? '  (no status)' : `  [${phase}] ${message}`;
    if (told !== lastTold) say(told);
    lastTold = told;
    if (phase === lastPhase) return;
    lastPhase = phase;
    onPhase?.(phase);
  }

  const operators = createOperators(random.fork(), timeline, (own, onCrash) => {
    const log = createLogGuard();
    const told = createTold(scenario);
    return startOperator({
      api: world.api,
      now: () => timeline.now + world.clock.ahead,
      timeline,
      random: own,
      faults,
      happenings,
      metrics: world.metrics,
      onWarmUp: (pod, times) => count(world.warmed, pod, times),
      isLocked: (service) => world.locked.has(service),
      onWrite: (write, run) =>
        guarded(() => {
          oracle.onWrite(write, told, run);
          if (write.subresource === 'status') log.check(decided());
        }),
      onTold: (type, object) => told.hear(type, object),
      onEffect: (effect, result, uid) => {
        count(effects, effect.kind);
        log.onEffect({ ...decided(), uid }, effect, result);
        say(`  ${describe(effect)}${result === 'applied' ? '' : ` (${result})`}`);
      },
      onDecision: (reason, message) => {
        log.onDecision();
        say(`    because ${message} (${reason})`);
      },
      onError: (message) => say(`  error: ${message}`),
      onReconcile: () => {
        reconciles += 1;
        guarded(() => oracle.onReconcile());
      },
      onCrash: () => {
        say('  the operator dies');
        onCrash();
      },
    });
  });

  return {
    world,
    timeline,
    faults,
    operators,
    oracle,
    trace,
    happenings,
    effects,
    get reconciles() {
      return reconciles;
    },
    get broken() {
      return broken;
    },
    status,
    say,
    guarded,
    async play(ms) {
      if (broken === undefined) await timeline.runUntil(timeline.now + ms, afterEach);
    },
  };
}

/** Of one process at a time: whoever dies there has a successor after a while, as long as the place is kept. */
interface Place {
  operator: Operator | undefined;
}

function createOperators(
  random: Random,
  timeline: Timeline,
  launch: (random: Random, onCrash: () => void) => Operator,
): Operators {
  const places = new Set<Place>();

  function open(): Place {
    const place: Place = { operator: undefined };
    places.add(place);
    occupy(place);
    return place;
  }

  function occupy(place: Place): void {
    if (!places.has(place)) return;
    place.operator = launch(random.fork(), () => leave(place));
  }

  function leave(place: Place): void {
    place.operator = undefined;
    timeline.after(random.between(500, 30_000), () => occupy(place));
  }

  return {
    start: () => void open(),
    get work() {
      for (const { operator } of places) if (operator?.ready) return true;
      return false;
    },
    kill() {
      const place = [...places].find(({ operator }) => operator !== undefined);
      if (place === undefined) return;
      place.operator?.kill();
      leave(place);
    },
    double(ms) {
      const second = open();
      timeline.after(ms, () => {
        places.delete(second);
        second.operator?.kill();
      });
    },
  };
}

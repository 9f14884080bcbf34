/** Watches over the promises: around each write of an operator, and after each event. */
import { RELEASES } from '../../../src/api/resource.ts';
import { COLORS, type Color } from '../../../src/api/status.ts';
import {
  CONTROLLER_REVISIONS,
  DEPLOYMENTS,
  type Deployment,
  PODS,
  type Pod,
  SERVICES,
  type Service,
} from '../../../src/kube/types.ts';
import type { Write } from '../client.ts';
import type { Faults } from '../faults.ts';
import { type Counts, count } from '../happenings.ts';
import { RELEASE, SERVICE, siblingsOf } from '../scenario.ts';
import type { Timeline } from '../timeline.ts';
import type { Users } from '../users.ts';
import type { World } from '../world.ts';
import { createReadingGuard } from './config.ts';
import { watchEnd } from './ejection.ts';
import { createPurity } from './purity.ts';
import { createRecyclingGuard } from './recycled.ts';
import { guardRevisions } from './revisions.ts';
import { guardSelector } from './selector.ts';
import { guardSibling } from './siblings.ts';
import { guardSide, guardSource } from './sides.ts';
import { guardStatus } from './status.ts';
import type { Told } from './told.ts';
import { createTrafficGuard } from './traffic.ts';
import { createTruth, type RevisionTruth } from './truth.ts';
import { fail, type View } from './view.ts';
import { watchYoungest } from './youngest.ts';

export interface Oracle {
  readonly view: View;
  /** `told`: what the process has heard of that writes. */
  readonly onWrite: (write: Write, told: Told, run: () => void) => void;
  /** An operator looks at the release. */
  onReconcile(): void;
  check(operatorWorks: boolean): void;
  /** Colours that go on serving since the last release of that name went. */
  readonly keptAtTheEnd: readonly Color[];
  /** An operator let go of that release, and not people, who may take its finalizer away at any time. */
  readonly endedInOrder: boolean;
  /** Of the attempts, by kind. */
  readonly outcomes: Counts;
  readonly writes: number;
  readonly checks: number;
}

/** Writes in one virtual minute: more is a hot loop. */
const MOST_WRITES = 400;
/** And so are looks at a release that lead to nothing. */
const MOST_LOOKS = 10_000;

export function createOracle(world: World, timeline: Timeline, faults: Faults, users: () => Users): Oracle {
  const truth = createTruth(world);
  // As it was at first: what is late when the faults end was late before.
  const { lag, endpoints, controllers, latency, clockJump } = faults;
  const staleness = 2 * (lag + endpoints + controllers) + 20 * latency + 1000;
  const traffic = createTrafficGuard(timeline.now);
  const view: View = {
    world,
    truth,
    timeline,
    users,
    staleness: () => staleness,
    clockError: () => (world.clock.jumped ? 2 * clockJump : 0),
    range: (service) => traffic.counts.range(service, timeline.now - staleness),
    selectedAt: () => traffic.selectedAt,
    lost: () => traffic.lost,
    leftAt: traffic.leftAt,
    youngest: watchYoungest(world, staleness),
    purity: createPurity(world),
  };
  const recycling = createRecyclingGuard(world);
  const reading = createReadingGuard();
  const siblings = siblingsOf(world.scenario);
  const end = watchEnd(world, staleness);
  const outcomes: Counts = new Map();
  let writes = 0;
  let checks = 0;
  let minute = { from: timeline.now, count: 0 };
  let looks = { from: timeline.now, count: 0 };

  function countWrite(): void {
    writes += 1;
    if (timeline.now - minute.from > 60_000) minute = { from: timeline.now, count: 0 };
    minute.count += 1;
    if (minute.count > MOST_WRITES) fail(`${minute.count} writes in a minute: a hot loop`);
  }

  function countOutcomes(before: readonly RevisionTruth[], after: readonly RevisionTruth[]): void {
    for (const { name, facts } of after) {
      const old = before.find((each) => each.name === name)?.facts.outcome;
      if (facts.outcome !== undefined && facts.outcome.kind !== old?.kind)
        count(outcomes, facts.outcome.kind);
    }
  }

  /** Looks at what this guard is about before and after the write. */
  function around<T>(look: () => T, run: () => void, guard: (before: T, after: T) => void): void {
    const before = look();
    run();
    guard(before, look());
  }

  function guardedService(name: string, run: () => void): void {
    around(
      () => world.api.get<Service>(SERVICES, name),
      run,
      (before, after) => {
        if (name === SERVICE) guardSelector(view, before, after);
        else if (siblings.includes(name)) guardSibling(view, name, before, after);
      },
    );
  }

  function guarded({ type, name }: Write, run: () => void): void {
    const color = COLORS.find((each) => name === `${RELEASE}-${each}`);
    if (type === SERVICES) guardedService(name, run);
    else if (type === DEPLOYMENTS && color !== undefined)
      around(
        () => truth.deployment(color),
        run,
        (before, after) => guardSide(view, color, before, after),
      );
    else if (type === PODS) recycling.around(view, () => world.api.get<Pod>(PODS, name), run);
    else if (type === DEPLOYMENTS)
      around(
        () => world.api.get<Deployment>(DEPLOYMENTS, name),
        run,
        (before, after) => guardSource(view, before, after),
      );
    else if (type === CONTROLLER_REVISIONS)
      around(
        () => truth.revisions(),
        run,
        (before, after) => {
          countOutcomes(before, after);
          guardRevisions(view, before, after);
        },
      );
    else run();
  }

  return {
    view,
    outcomes,
    onWrite(write, told, run) {
      const { type, name } = write;
      const before = world.api.get(type, name);
      guarded(write, run);
      const after = world.api.get(type, name);
      told.guard(write, before, after);
      if (type === RELEASES) end.noteWrite(before, after);
      if (write.type === RELEASES) guardStatus(truth.release()?.status ?? {});
      countWrite();
    },
    onReconcile() {
      if (timeline.now - looks.from > 60_000) looks = { from: timeline.now, count: 0 };
      looks.count += 1;
      if (looks.count > MOST_LOOKS) fail(`${looks.count} looks at the release in a minute: a hot loop`);
    },
    check(operatorWorks) {
      checks += 1;
      traffic.check(view, operatorWorks);
      reading.check(view);
    },
    get keptAtTheEnd() {
      return end.kept;
    },
    get endedInOrder() {
      return end.isInOrder;
    },
    get writes() {
      return writes;
    },
    get checks() {
      return checks;
    },
  };
}

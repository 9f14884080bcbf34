/** What happens to clusters: evictions, lost nodes, quotas, registries, metrics, clocks, and operators that die. */
import { RELEASES } from '../../src/api/resource.ts';
import { PODS } from '../../src/kube/types.ts';
import { type Faults, namesOf, nextIn } from './faults.ts';
import type { Happenings } from './happenings.ts';
import type { Random } from './random.ts';
import { RELEASE } from './scenario.ts';
import type { Stage } from './stage.ts';
import type { World } from './world.ts';

export interface Mishaps {
  /** One of them happens now. */
  happen(random: Random): void;
  /** None happens any more, and what lasts ends. */
  rest(): void;
}

type Mishap = (stage: Stage, random: Random) => void;

/** Something that begins, and ends after a while. */
const lasting =
  (begin: (world: World, random: Random) => void, end: (world: World) => void): Mishap =>
  ({ world, timeline }, random) => {
    begin(world, random);
    timeline.after(random.between(5000, 240_000), () => end(world));
  };

const DAY_MS = 86_400_000;

const MISHAPS: Readonly<Record<string, Mishap>> = {
  'a pod is evicted': ({ world }, random) => world.kubelet.evict(random),
  'a pod runs out of memory': ({ world }, random) => world.kubelet.restart(random),
  'a node is lost': ({ world }, random) => world.kubelet.loseNode(random.between(2000, 60_000)),
  'the quota is exhausted': lasting(({ api, quota }, random) => {
    quota.pods = api.list(PODS).length + random.between(0, 1);
  }, endQuota),
  'the registry is away': lasting(({ kubelet }) => {
    kubelet.registry = false;
  }, endPulls),
  'the metric source is away': lasting(({ metrics }) => {
    metrics.outage = true;
  }, endOutage),
  'the clock jumps': ({ world, timeline, faults }, random) => {
    world.clock.ahead = random.between(-faults.clockJump, faults.clockJump);
    world.clock.jumped = true;
    timeline.after(random.between(5000, 240_000), () => endJump(world));
  },
  'the operator is killed': ({ operators }) => operators.kill(),
  // For good, now and then: what one of them alone knows they would write to and fro at rest as well.
  'two operators work at once': ({ operators }, random) =>
    operators.double(random.chance(0.2) ? DAY_MS : random.between(5000, 90_000)),
  'the status is lost': ({ world }) =>
    world.api.update(RELEASES, RELEASE, ({ status: _, ...object }: any) => object),
};

function endQuota({ quota }: World): void {
  quota.pods = 1000;
}

function endPulls({ kubelet }: World): void {
  kubelet.registry = true;
}

function endOutage({ metrics }: World): void {
  metrics.outage = false;
}

function endJump({ clock }: World): void {
  clock.ahead = 0;
}

export function startMishaps(stage: Stage, random: Random, faults: Faults, happenings: Happenings): Mishaps {
  const { world, timeline, say } = stage;
  let resting = false;

  function happen(own: Random): void {
    const names = namesOf(MISHAPS, faults);
    if (resting || names.length === 0) return;
    const name = own.pick(names);
    if (!happenings.happens(name)) return;
    say(`it happens: ${name}`);
    MISHAPS[name]?.(stage, own);
  }

  function next(): void {
    timeline.after(nextIn(random, faults.mishapEvery), () => {
      if (resting) return;
      happen(random.fork());
      next();
    });
  }

  next();
  return {
    happen,
    rest() {
      resting = true;
      for (const end of [endQuota, endPulls, endOutage, endJump]) end(world);
      world.locked.clear();
      world.kubelet.calm = true;
    },
  };
}

/** What happens to clusters: evictions, lost nodes, quotas, registries, metrics, and operators that die. */
import { RELEASES } from '../../src/api/resource.ts';
import { PODS } from '../../src/kube/types.ts';
import { type Counts, count, type Faults, nextIn } from './faults.ts';
import type { Random } from './random.ts';
import { RELEASE } from './scenario.ts';
import type { Operators } from './stage.ts';
import type { Timeline } from './timeline.ts';
import type { World } from './world.ts';

export function startMishaps(
  world: World,
  timeline: Timeline,
  random: Random,
  faults: Faults,
  counts: Counts,
  operators: Operators,
  say: (what: string) => void,
): { rest(): void } {
  const { api, kubelet, metrics, quota } = world;
  let resting = false;

  const forAWhile = (begin: () => void, end: () => void): void => {
    begin();
    timeline.after(random.between(5000, 240_000), end);
  };

  const mishaps: Record<string, () => void> = {
    'a pod is evicted': () => kubelet.evict(),
    'a node is lost': () => kubelet.loseNode(random.between(2000, 60_000)),
    'the quota is exhausted': () =>
      forAWhile(
        () => {
          quota.pods = api.list(PODS).length + random.between(0, 1);
        },
        () => {
          quota.pods = 1000;
        },
      ),
    'the registry is away': () =>
      forAWhile(
        () => {
          kubelet.registry = false;
        },
        () => {
          kubelet.registry = true;
        },
      ),
    'the metric source is away': () =>
      forAWhile(
        () => {
          metrics.outage = true;
        },
        () => {
          metrics.outage = false;
        },
      ),
    'the operator is killed': () => operators.kill(),
    'two operators work at once': () => operators.double(random.between(10_000, 300_000)),
    'the status is lost': () => api.update(RELEASES, RELEASE, ({ status: _, ...object }: any) => object),
  };

  function happen(): void {
    if (resting) return;
    const name = random.pick(Object.keys(mishaps));
    say(name);
    count(counts, name);
    mishaps[name]?.();
    timeline.after(nextIn(random, faults.mishapEvery), happen);
  }

  timeline.after(nextIn(random, faults.mishapEvery), happen);
  return {
    rest() {
      resting = true;
      quota.pods = 1000;
      metrics.outage = false;
      kubelet.registry = true;
      kubelet.calm = true;
    },
  };
}

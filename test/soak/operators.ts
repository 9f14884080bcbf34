/** Two operators that share the releases, behind the fault proxy. */
import type { FaultProxy } from '../faults/proxy.ts';
import type { OperatorProcess } from '../integration/operator/process.ts';
import { NAMESPACE, type World } from '../integration/operator/world.ts';
import type { Random } from '../simulation/random.ts';
import { pause } from './pause.ts';

const REPLICAS = ['soak-a', 'soak-b'];

export interface Operators {
  /** Gives the number of kills. Each comes back at once, as the same one: a container that is started again. */
  killAtRandom(random: Random, signal: AbortSignal): Promise<number>;
  restart(): Promise<void>;
  /** How often one ended by itself, as one does that could not keep its Leases. */
  readonly ends: number;
  /** Nobody starts them again from now on. */
  leave(): void;
}

export async function startOperators(world: World, proxy: FaultProxy): Promise<Operators> {
  const kubeconfigs = await Promise.all(
    REPLICAS.map(async (name) => proxy.kubeconfig(await world.replica(name))),
  );
  const shards = ['--shards', String(2 * REPLICAS.length), '--lease-namespace', NAMESPACE];
  const start = (index: number): OperatorProcess =>
    world.spawnOperator(kubeconfigs[index] ?? '', ...shards, '--identity', REPLICAS[index] ?? '');
  const running = REPLICAS.map((_, index) => start(index));
  let left = false;
  let ends = 0;

  async function keep(index: number): Promise<void> {
    while (!left) {
      const own = running[index];
      await own?.over;
      if (left) return;
      if (own?.exitCode !== null) ends += 1;
      running[index] = start(index);
    }
  }

  for (const index of REPLICAS.keys()) void keep(index);

  const kill = async (index: number): Promise<void> => running[index]?.end('SIGKILL');

  return {
    async killAtRandom(random, signal) {
      let kills = 0;
      while (await pause(random.between(500, 8_000), signal)) {
        await kill(random.between(0, REPLICAS.length - 1));
        kills += 1;
      }
      return kills;
    },
    restart: async () => void (await Promise.all(REPLICAS.map((_, index) => kill(index)))),
    get ends() {
      return ends;
    },
    leave() {
      left = true;
    },
  };
}

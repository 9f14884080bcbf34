/** Operators that are killed, one after the other, each at its first write. */
import { describeAsked, isWrite } from '../../faults/asked.ts';
import { startFaultProxy } from '../../faults/proxy.ts';
import type { Shop } from './shop.ts';
import type { World } from './world.ts';

/**
 * Lets operators work on this shop until the story is over. Each is killed when the API server has carried out its
 * first write, before it hears of that. Resolves with those writes.
 */
export async function killedAtEachWrite(
  world: World,
  shop: Shop,
  args: readonly string[],
  story: (shop: Shop) => Promise<void>,
): Promise<string[]> {
  const proxy = await startFaultProxy(world.cluster);
  const kubeconfig = await proxy.kubeconfig(world.kubeconfig);
  const deaths: string[] = [];
  shop.patienceMs = 300_000; // some fifty operators, one after the other
  let over = false;
  const lives = async (): Promise<void> => {
    while (!over) {
      const operator = world.spawnOperator(kubeconfig, '--no-leader-elect', ...args);
      proxy.onAnswer = (asked, status) => {
        if (!isWrite(asked) || status >= 300) return;
        if (operator.running) deaths.push(describeAsked(asked));
        void operator.end();
      };
      await operator.ended(() => over);
    }
  };
  const living = lives();
  try {
    await Promise.race([story(shop), living]);
  } finally {
    over = true;
    await living;
    await proxy.stop();
  }
  return deaths;
}

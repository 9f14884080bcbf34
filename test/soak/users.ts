/** People and machines who change things at the worst moment, from a seed. */

import { RELEASES } from '../../src/api/resource.ts';
import { DEPLOYMENTS, PODS, SERVICES } from '../../src/kube/types.ts';
import { KEY, SHOP, type Shop } from '../integration/operator/shop.ts';
import type { Random } from '../simulation/random.ts';

type Act = (shop: Shop, random: Random) => Promise<unknown>;

const order =
  (verb: string): Act =>
  async (shop) =>
    shop.act(`${verb}@${(await shop.read()).status.attempt}`);

const suspend = (shop: Shop, value: boolean) => shop.patch(RELEASES, SHOP, { spec: { suspend: value } });

const ACTS: Readonly<Record<string, Act>> = {
  'a new version': (shop, random) => shop.version(`v${random.between(1, 5)}`),
  'another new version': (shop, random) => shop.version(`v${random.between(6, 99)}`),
  'pods that fail': async (shop, random) =>
    shop.setReady(await shop.pods(random.pick(['blue', 'green'])), false),
  'pods that are well again': async (shop) => shop.setReady(await shop.pods(), true),
  'a pod that is evicted': async (shop, random) => {
    const pods = await shop.pods();
    if (pods.length > 0) await shop.delete(PODS, random.pick(pods).metadata.name);
  },
  'an order to promote': order('promote'),
  'an order to roll back': order('rollback'),
  'an order to abort': order('abort'),
  'more replicas': (shop) => shop.patch(RELEASES, SHOP, { spec: { replicas: 3 } }),
  suspended: (shop) => suspend(shop, true),
  resumed: (shop) => suspend(shop, false),
  'the source scaled up by Git': (shop) => shop.patch(DEPLOYMENTS, SHOP, { spec: { replicas: 2 } }),
  'the colour taken from the selector by Git': (shop) =>
    shop.patch(SERVICES, SHOP, { spec: { selector: { [KEY]: null } } }),
};

/** What was done; undefined where it could not be. */
export async function actOn(shop: Shop, random: Random): Promise<string | undefined> {
  const [name, act] = random.pick(Object.entries(ACTS));
  try {
    await act(shop, random);
    return name;
  } catch {
    // Somebody was quicker, or there is nothing to do it to.
    return undefined;
  }
}

/** Everything that keeps a release from its end is taken back, and one more version wished for. */
export async function makePeace(shop: Shop, version: string): Promise<void> {
  await suspend(shop, false);
  await shop.setReady(await shop.pods(), true);
  await shop.version(version);
}

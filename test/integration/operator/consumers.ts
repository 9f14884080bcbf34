/** Two environments that somebody else runs, and two consumers of the one that is published. */
import { expect } from 'chai';
import { RELEASES } from '../../../src/api/resource.ts';
import { CONFIG_MAPS, DEPLOYMENTS, PODS, STATEFUL_SETS } from '../../../src/kube/types.ts';
import { SHOP, type Shop } from './shop.ts';
import type { World } from './world.ts';

export const BLUE = 'https://blue.example.com';
export const GREEN = 'https://green.example.com';
export const PUBLISHED = 'search';
const DIGEST = `bluegreen.dev/endpoint-${SHOP}`;
const urls: Record<string, string> = { blue: BLUE, green: GREEN };

export const workload = (active: string, blue: object = { url: BLUE }): any => ({
  external: { active, blue, green: { url: GREEN } },
});
export const endpoint = (more: object = {}): any => ({
  endpoint: {
    configMapRef: { name: PUBLISHED },
    restart: [
      { kind: 'Deployment', name: 'api' },
      { kind: 'StatefulSet', name: 'index' },
    ],
    restartSeconds: 90,
    ...more,
  },
});

/** Two consumers in a namespace of their own, and nothing published. */
export async function opened(world: World): Promise<Shop> {
  const shop = await world.emptyShop();
  const api = shop.deployment(2, 'api');
  api.spec.strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
  const { spec } = shop.deployment(1, 'index');
  await shop.create(DEPLOYMENTS, api);
  await shop.create(STATEFUL_SETS, {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'index' },
    spec: { ...spec, serviceName: 'index' },
  });
  return shop;
}

export const release = (shop: Shop, active: string, spec: object = {}): Promise<void> =>
  shop.release({ workload: workload(active), traffic: endpoint(), ...spec });

export const switchTo = (shop: Shop, active: string): Promise<any> =>
  shop.patch(RELEASES, SHOP, { spec: { workload: { external: { active } } } });

export const published = async (shop: Shop): Promise<any> => (await shop.get(CONFIG_MAPS, PUBLISHED))?.data;

export const digestOf = (consumer: any): string => consumer.spec.template.metadata.annotations?.[DIGEST];

/** All pods of the consumers were started with what is published. */
export async function expectFollowed(shop: Shop, color: string): Promise<void> {
  expect(await published(shop)).to.deep.equal({ url: urls[color], color });
  const [api, index] = await Promise.all([shop.get(DEPLOYMENTS, 'api'), shop.get(STATEFUL_SETS, 'index')]);
  expect(digestOf(api)).to.match(/^[0-9a-f]{16}$/);
  expect(digestOf(index)).to.equal(digestOf(api));
  const pods = (await shop.list(PODS)).filter(
    ({ metadata }) =>
      metadata.deletionTimestamp === undefined && ['api', 'index'].includes(metadata.labels.app),
  );
  expect(pods.map(({ metadata }) => metadata.annotations?.[DIGEST])).to.deep.equal(
    pods.map(() => digestOf(api)),
  );
}

/** The consumers by name, in the order of their last restarts. */
export async function restarts(shop: Shop): Promise<string[]> {
  const consumers = [await shop.get(STATEFUL_SETS, 'index'), await shop.get(DEPLOYMENTS, 'api')];
  const at = ({ metadata }: any): string => metadata.annotations[`bluegreen.dev/restarted-at-${SHOP}`];
  return consumers.toSorted((a, b) => at(a).localeCompare(at(b))).map(({ metadata }) => metadata.name);
}

import { join } from 'node:path';
import { expect } from 'chai';
import { RELEASES } from '../../../src/api/resource.ts';
import { DEPLOYMENTS, NAMESPACES, SERVICES } from '../../../src/kube/types.ts';
import { eventually } from '../../support/eventually.ts';
import { KEY, SHOP, type Shop } from './shop.ts';
import { together } from './together.ts';
import { World } from './world.ts';

const RESOURCE_QUOTAS = {
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  namespaced: true,
};
const crds = join(import.meta.dirname, '../../../crds');

const uids = (pods: any[]): string[] => pods.map(({ metadata }): string => metadata.uid).sort();

describe('Deleting a release', function () {
  this.timeout(180_000);
  let world: World;

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    world = await World.start();
    await world.operator();
  });
  after(() => world?.stop());

  const gone = (shop: Shop) =>
    eventually(`the release in ${shop.namespace} to be gone`, 90_000, async () =>
      (await shop.read()) === undefined ? true : undefined,
    );

  /** Revision r2 on green. */
  async function releasedShop(): Promise<Shop> {
    const shop = await world.adoptedShop();
    await shop.version('v2');
    await shop.settledOn('r2');
    return shop;
  }

  /** Nothing that serves was touched, and nothing of ours stands on what people own. */
  async function goesOnServing(shop: Shop, pods: any[]): Promise<void> {
    expect(uids(await shop.pods('green'))).to.deep.equal(uids(pods));
    const { metadata, spec } = await shop.get(SERVICES, SHOP);
    expect(spec.selector).to.deep.equal({ app: SHOP, [KEY]: 'green' });
    expect([metadata.labels ?? {}, metadata.annotations ?? {}]).to.deep.equal([{}, {}]);
    const source = await shop.get(DEPLOYMENTS, SHOP);
    expect([source.metadata.labels ?? {}, source.spec.replicas, source.spec.paused ?? false]).to.deep.equal([
      {},
      0,
      false,
    ]);
  }

  /** The same manifest again, as Git would bring it: the colour that serves is taken over, and can be released from. */
  async function readopts(shop: Shop, pods: any[]): Promise<void> {
    await shop.release();
    await shop.settledOn('r2');
    expect(uids(await shop.pods('green'))).to.deep.equal(uids(pods));
    await shop.version('v3');
    await shop.settledOn('r3');
    expect(await shop.color()).to.equal('blue');
    await shop.version('v2');
    await shop.settledOn('r2');
    expect(uids(await shop.pods('green'))).to.deep.equal(uids(pods));
  }

  together({
    ...Object.fromEntries(
      (['Background', 'Foreground', 'Orphan'] as const).map((propagation) => [
        `(${propagation}) touches no pod that serves; created again, it takes over the colour that serves`,
        async () => {
          const shop = await releasedShop();
          const pods = await shop.pods('green');
          await shop.delete(RELEASES, SHOP, propagation);
          await gone(shop);
          await goesOnServing(shop, pods);
          await eventually('the other colour to be gone', 90_000, async () =>
            (await shop.get(DEPLOYMENTS, 'shop-blue')) === undefined ? true : undefined,
          );
          await readopts(shop, pods);
        },
      ]),
    ),

    ...Object.fromEntries(
      (['Background', 'Foreground', 'Orphan'] as const).map((propagation) => [
        `(${propagation}) before the adoption has switched gives the source back as it was`,
        async () => {
          const shop = await world.shop();
          const pods = await shop.pods();
          await shop.create(RESOURCE_QUOTAS, { metadata: { name: 'full' }, spec: { hard: { pods: '2' } } });
          await shop.release();
          await shop.until('wait for room', ({ status }) => /exceeded quota/.test(status?.message ?? ''));
          await shop.delete(RELEASES, SHOP, propagation);
          await gone(shop);
          await eventually('the colour to be gone', 90_000, async () =>
            (await shop.get(DEPLOYMENTS, 'shop-blue')) === undefined ? true : undefined,
          );
          expect(uids(await shop.pods())).to.deep.equal(uids(pods));
          const { metadata, spec } = await shop.get(DEPLOYMENTS, SHOP);
          expect([metadata.labels ?? {}, spec.replicas, spec.paused ?? false]).to.deep.equal([{}, 2, false]);
          expect(await shop.selector()).to.deep.equal({ app: SHOP });
        },
      ]),
    ),

    'while a candidate is proven removes the candidate alone': async () => {
      const container = { name: 'a', image: 'a:1' };
      const nodeSelector = { 'kubernetes.io/hostname': 'nowhere' };
      const template = { spec: { containers: [container], restartPolicy: 'Never', nodeSelector } };
      const shop = await world.adoptedShop({
        spec: { gates: [{ name: 'stuck', job: { spec: { template } } }] },
      });
      const pods = await shop.pods('blue');
      await shop.version('v2');
      await shop.inPhase('Validating');
      await shop.delete(RELEASES, SHOP, 'Foreground');
      await gone(shop);
      await eventually('the candidate to be gone', 90_000, async () =>
        (await shop.get(DEPLOYMENTS, 'shop-green')) === undefined ? true : undefined,
      );
      expect(uids(await shop.pods('blue'))).to.deep.equal(uids(pods));
      expect(await shop.selector()).to.deep.equal({ app: SHOP, [KEY]: 'blue' });
    },

    'with its whole namespace comes to an end': async () => {
      const shop = await releasedShop();
      await world.client.delete(NAMESPACES, { name: shop.namespace }, { propagation: 'Background' });
      await eventually('the namespace to be gone', 90_000, async () =>
        (await world.client.get(NAMESPACES, { name: shop.namespace })) === undefined ? true : undefined,
      );
    },
  });

  it('with its whole kind touches no pod that serves; with the kind back, it takes over again', async () => {
    const shop = await releasedShop();
    const pods = await shop.pods('green');
    await world.cluster.kubectl(['delete', 'crd', 'bluegreenreleases.bluegreen.dev', '--timeout=60s'], {
      timeoutMs: 70_000,
    });
    await goesOnServing(shop, pods);
    await world.cluster.kubectl(['apply', '--server-side', '-k', crds]);
    await world.cluster.kubectl([
      'wait',
      '--for=condition=Established',
      'crd/bluegreenreleases.bluegreen.dev',
    ]);
    await readopts(shop, pods);
  });
});

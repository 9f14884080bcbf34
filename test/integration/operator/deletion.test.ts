import { join } from 'node:path';
import { expect } from 'chai';
import { RELEASES } from '../../../src/api/resource.ts';
import type { ResourceType } from '../../../src/kube/ports.ts';
import { DEPLOYMENTS, EVENTS, NAMESPACES, SERVICES } from '../../../src/kube/types.ts';
import { eventually } from '../../support/eventually.ts';
import { KEY, SHOP, type Shop } from './shop.ts';
import { together } from './together.ts';
import { World } from './world.ts';

/** Of the pods that the shop has: whether a quota with such a scope has room for a candidate is not judged beforehand. */
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
  this.timeout(300_000);
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

  /** Nothing of ours stands on what people own. */
  async function givesBack(shop: Shop, replicas: number): Promise<void> {
    const { metadata } = await shop.get(SERVICES, SHOP);
    expect([metadata.labels ?? {}, metadata.annotations ?? {}]).to.deep.equal([{}, {}]);
    const source = await shop.get(DEPLOYMENTS, SHOP);
    expect([
      source.metadata.labels ?? {},
      Object.keys(source.metadata.annotations ?? {}),
      source.spec.replicas,
      source.spec.paused ?? false,
    ]).to.deep.equal([{}, ['deployment.kubernetes.io/revision'], replicas, false]);
  }

  /** The source serves, as if there had never been a release. */
  async function isEjected(shop: Shop): Promise<void> {
    await givesBack(shop, 2);
    expect(await shop.selector()).to.deep.equal({ app: SHOP });
    const names = async (type: ResourceType): Promise<string[]> =>
      (await shop.list(type)).map(({ metadata }) => metadata.name);
    expect(await names(DEPLOYMENTS)).to.deep.equal([SHOP]);
    expect(await names(SERVICES)).to.deep.equal([SHOP]);
    const owners = (await shop.pods()).map(({ metadata }) => metadata.labels['bluegreen.dev/release']);
    expect(owners).to.deep.equal([undefined, undefined]);
  }

  async function isAdoptedAgain(shop: Shop): Promise<void> {
    await shop.release();
    await shop.settledOn('r1');
    await shop.version('v3');
    await shop.settledOn('r2');
    expect(await shop.color()).to.equal('green');
  }

  /** The same manifest again, as Git would bring it: the colour that serves is taken over, and can be released from. */
  async function readopts(shop: Shop, pods: any[]): Promise<void> {
    await shop.release();
    await shop.settledOn('r3');
    expect(await shop.color()).to.equal('blue');
    expect(uids(await shop.pods('green'))).to.deep.equal(uids(pods));
    await shop.version('v2');
    await shop.settledOn('r2');
    expect(uids(await shop.pods('green'))).to.deep.equal(uids(pods));
  }

  /** The source says v3, which nobody has released; v2 serves. */
  async function aheadShop(): Promise<{ shop: Shop; pods: any[] }> {
    const shop = await releasedShop();
    await shop.patch(RELEASES, SHOP, { spec: { suspend: true } });
    await shop.version('v3');
    await shop.inPhase('Suspended');
    return { shop, pods: await shop.pods('green') };
  }

  const said = async (shop: Shop, reason: string): Promise<string[]> =>
    (await shop.list(EVENTS)).filter((event) => event.reason === reason).map(({ note }) => note);

  together({
    ...Object.fromEntries(
      (['Background', 'Foreground', 'Orphan'] as const).map((propagation) => [
        `(${propagation}) gives production back to the source that says what serves; created again, it is adopted`,
        async () => {
          const shop = await releasedShop();
          await shop.delete(RELEASES, SHOP, propagation);
          await gone(shop);
          await isEjected(shop);
          if (propagation === 'Foreground') await isAdoptedAgain(shop);
        },
      ]),
    ),

    ...Object.fromEntries(
      (['Background', 'Foreground', 'Orphan'] as const).map((propagation) => [
        `(${propagation}) touches no pod that serves where the source says something else, and says why; created again, it takes over the colour that serves`,
        async () => {
          const { shop, pods } = await aheadShop();
          await shop.delete(RELEASES, SHOP, propagation);
          await gone(shop);
          expect(uids(await shop.pods('green'))).to.deep.equal(uids(pods));
          expect(await shop.selector()).to.deep.equal({ app: SHOP, [KEY]: 'green' });
          await givesBack(shop, 0);
          await eventually('the other colour to be gone', 90_000, async () =>
            (await shop.get(DEPLOYMENTS, 'shop-blue')) === undefined ? true : undefined,
          );
          const why = await eventually('an event that says why', 90_000, async () => {
            const notes = await said(shop, 'ColorKept');
            return notes.length > 0 ? notes.at(-1) : undefined;
          });
          expect(why).to.contain(
            'green goes on serving, because Deployment "shop" says something else than green runs',
          );
          if (propagation === 'Background') await readopts(shop, pods);
        },
      ]),
    ),

    'leaves the colour that serves where the source is not ready in time': async () => {
      const shop = await world.adoptedShop({ spec: { preparation: { deadlineSeconds: 1 } } });
      const pods = await shop.pods('blue');
      await shop.create(RESOURCE_QUOTAS, {
        metadata: { name: 'full' },
        spec: { hard: { pods: '2' }, scopes: ['BestEffort'] },
      });
      await shop.delete(RELEASES, SHOP);
      await gone(shop);
      expect(uids(await shop.pods('blue'))).to.deep.equal(uids(pods));
      expect(await shop.selector()).to.deep.equal({ app: SHOP, [KEY]: 'blue' });
    },

    'leaves both colours as they are with bluegreen.dev/on-delete: Keep; created again, it takes over':
      async () => {
        const shop = await world.adoptedShop();
        // Drained in the middle of this, the old side would have a pod more while its pods are replaced.
        await shop.patch(RELEASES, SHOP, { spec: { traffic: { drainSeconds: 300 } } });
        await shop.version('v2');
        await shop.settledOn('r2');
        const all = await shop.pods();
        await shop.patch(RELEASES, SHOP, {
          metadata: { annotations: { 'bluegreen.dev/on-delete': 'Keep' } },
        });
        await shop.delete(RELEASES, SHOP);
        await gone(shop);
        expect(uids(await shop.pods())).to.deep.equal(uids(all));
        expect(await shop.selector()).to.deep.equal({ app: SHOP, [KEY]: 'green' });
        await shop.release();
        await shop.settledOn('r2');
      },

    ...Object.fromEntries(
      (['Background', 'Foreground', 'Orphan'] as const).map((propagation) => [
        `(${propagation}) before the adoption has switched gives the source back as it was`,
        async () => {
          const shop = await world.shop();
          const pods = await shop.pods();
          await shop.create(RESOURCE_QUOTAS, {
            metadata: { name: 'full' },
            spec: { hard: { pods: '2' }, scopes: ['BestEffort'] },
          });
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

  it('with its whole kind gives production back; with the kind back, it is adopted again', async () => {
    const shop = await releasedShop();
    await world.cluster.kubectl(['delete', 'crd', 'bluegreenreleases.bluegreen.dev', '--timeout=60s'], {
      timeoutMs: 70_000,
    });
    await isEjected(shop);
    await world.cluster.kubectl(['apply', '--server-side', '-k', crds]);
    await world.cluster.kubectl([
      'wait',
      '--for=condition=Established',
      'crd/bluegreenreleases.bluegreen.dev',
    ]);
    await isAdoptedAgain(shop);
  });
});

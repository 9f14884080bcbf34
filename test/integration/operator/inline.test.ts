import { expect } from 'chai';
import { RELEASES } from '../../../src/api/resource.ts';
import type { ReleaseSpecInput } from '../../../src/api/schema.ts';
import { DEPLOYMENTS, SERVICES } from '../../../src/kube/types.ts';
import { eventually } from '../../support/eventually.ts';
import { condition, history, KEY, refusalOf, SHOP, type Shop } from './shop.ts';
import { together } from './together.ts';
import { World } from './world.ts';

/** In words that the API server changes: 1000m is stored as 1. */
const inline = (version: string, pod: object = {}): ReleaseSpecInput['workload'] => ({
  deployment: {
    spec: {
      minReadySeconds: 1,
      template: {
        metadata: { labels: { app: SHOP } },
        spec: {
          containers: [
            {
              name: 'app',
              image: `shop:${version}`,
              ports: [{ containerPort: 8080 }],
              resources: { requests: { cpu: '1000m', memory: '1024Ki' } },
            },
          ],
          ...pod,
        },
      },
    },
  },
});

describe('A release whose Deployment stands in it', function () {
  this.timeout(300_000);
  let world: World;

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    world = await World.start();
    await world.operator();
  });
  after(() => world?.stop());

  async function service(): Promise<Shop> {
    const shop = await world.emptyShop();
    await shop.create(SERVICES, shop.service());
    return shop;
  }

  async function begun(spec: Partial<ReleaseSpecInput> = {}): Promise<Shop> {
    const shop = await service();
    await shop.release({ workload: inline('v1'), replicas: 2, ...spec });
    await shop.settledOn('r1');
    return shop;
  }

  const change = (shop: Shop, workload: ReleaseSpecInput['workload']): Promise<any> =>
    shop.patch(RELEASES, SHOP, { spec: { workload } });

  const deployments = async (shop: Shop): Promise<string[]> =>
    (await shop.list(DEPLOYMENTS)).map(({ metadata }) => metadata.name);

  const image = async (shop: Shop, name: string): Promise<string> =>
    (await shop.get(DEPLOYMENTS, name)).spec.template.spec.containers[0].image;

  together({
    'begins with a colour of it, which serves as soon as it is ready': async () => {
      const shop = await begun();
      expect(await deployments(shop)).to.deep.equal(['shop-blue']);
      expect((await shop.get(DEPLOYMENTS, 'shop-blue')).spec.replicas).to.equal(2);
      expect(await shop.selector()).to.deep.equal({ app: SHOP, [KEY]: 'blue' });
      expect(history(await shop.read())).to.deep.equal(['r1 Committed']);
    },

    'goes through a whole release when it is changed, back when it is changed back, and on from there':
      async () => {
        const shop = await begun();
        await change(shop, inline('v2'));
        await shop.settledOn('r2');
        expect([await shop.color(), await image(shop, 'shop-green')]).to.deep.equal(['green', 'shop:v2']);
        expect((await shop.get(DEPLOYMENTS, 'shop-blue')).spec.replicas).to.equal(2);
        await change(shop, inline('v1'));
        await shop.settledOn('r1');
        expect([await shop.color(), await image(shop, 'shop-blue')]).to.deep.equal(['blue', 'shop:v1']);
        await change(shop, inline('v3'));
        await shop.settledOn('r3');
        expect([await shop.color(), await image(shop, 'shop-green')]).to.deep.equal(['green', 'shop:v3']);
      },

    'puts the labels and annotations that it states on the Deployments in place, without a release':
      async () => {
        const stated = { labels: { team: 'till' }, annotations: { 'example.com/contact': 'till' } };
        const with_ = (metadata: object, version = 'v1') => {
          const { deployment } = inline(version);
          return { deployment: { metadata, spec: deployment?.spec } } as ReleaseSpecInput['workload'];
        };
        const shop = await begun({ workload: with_(stated) });
        const first = (await shop.get(DEPLOYMENTS, 'shop-blue')).metadata;
        expect([first.labels.team, first.annotations['example.com/contact']]).to.deep.equal(['till', 'till']);
        await change(shop, with_(stated, 'v2'));
        await shop.settledOn('r2');
        await change(shop, with_({ labels: { team: null, tier: 'front' } }, 'v2'));
        await eventually('both colours to carry the new label alone', 90_000, async () => {
          const all = (await shop.list(DEPLOYMENTS)).map(({ metadata }) => metadata.labels);
          return all.every(({ team, tier }) => team === undefined && tier === 'front') ? true : undefined;
        });
        const { metadata } = await shop.get(DEPLOYMENTS, 'shop-green');
        expect(metadata.annotations['example.com/contact']).to.equal('till');
        const { status } = await shop.settledOn('r2');
        expect(status.attempt).to.equal(2);
        const written = change(shop, with_({ labels: { 'bluegreen.dev/color': 'red' } }, 'v2'));
        expect(await refusalOf(written)).to.include('not one of bluegreen.dev/');
      },

    'starts nothing when what is said stays the same in other words': async () => {
      const shop = await begun();
      await change(shop, inline('v1', { dnsPolicy: 'ClusterFirst' }));
      const { status, metadata } = await shop.until(
        'have seen the edit',
        (release) =>
          release.status.observedGeneration === release.metadata.generation &&
          condition(release, 'Ready')?.status === 'True',
      );
      expect([status.attempt, status.revision, metadata.generation > 1]).to.deep.equal([1, 'r1', true]);
    },

    'is refused, production untouched, while the API server does not take it; and goes on when it is mended':
      async () => {
        const shop = await begun();
        await change(shop, inline('v2', { restartPolicy: 'Never' }));
        const release = await shop.inPhase('Stalled');
        expect(condition(release, 'Stalled').message).to.match(
          /^spec\.workload\.deployment: the API server refuses the Deployment derived from it: .*restartPolicy/,
        );
        expect(await deployments(shop)).to.deep.equal(['shop-blue']);
        await change(shop, inline('v2', { restartPolicy: null }));
        await shop.settledOn('r2');
      },

    'is built anew where it is changed before anything has served': async () => {
      const shop = await service();
      await shop.release({
        workload: inline('v1', { nodeSelector: { 'kubernetes.io/hostname': 'nowhere' } }),
      });
      await eventually('blue to be written', 90_000, async () =>
        (await shop.get(DEPLOYMENTS, 'shop-blue')) ? true : undefined,
      );
      await change(shop, inline('v2', { nodeSelector: null }));
      const release = await shop.settledOn('r2');
      expect(await image(shop, 'shop-blue')).to.equal('shop:v2');
      expect(history(release)).to.deep.equal(['r1 Superseded', 'r2 Committed']);
    },

    'takes no traffic from pods that are not its own': async () => {
      const shop = await world.shop();
      await shop.release({ workload: inline('v1') });
      await shop.stalledWith(
        'Service "shop" has endpoints that are not of this release: name their Deployment in spec.workload.deploymentRef, so that it is taken over, or remove those pods',
      );
      expect(await deployments(shop)).to.deep.equal([SHOP]);
      await shop.delete(DEPLOYMENTS, SHOP);
      await shop.settledOn('r1');
    },

    'leaves what serves where it is deleted, and takes it over again where it is created again': async () => {
      const shop = await begun();
      await change(shop, inline('v2'));
      await shop.settledOn('r2');
      await shop.delete(RELEASES, SHOP);
      await eventually('the release to be gone', 90_000, async () =>
        (await shop.read()) === undefined ? true : undefined,
      );
      expect(await deployments(shop)).to.deep.equal(['shop-green']);
      expect(await shop.selector()).to.deep.equal({ app: SHOP, [KEY]: 'green' });
      await shop.release({ workload: inline('v2'), replicas: 2 });
      await shop.until(
        'serve again',
        ({ status }) => status?.revision !== undefined && status.active?.color !== undefined,
      );
    },
  });
});

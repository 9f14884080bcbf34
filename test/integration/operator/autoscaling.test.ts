import { expect } from 'chai';
import { RELEASES } from '../../../src/api/resource.ts';
import { DEPLOYMENTS, HORIZONTAL_POD_AUTOSCALERS, SERVICES } from '../../../src/kube/types.ts';
import { eventually } from '../../support/eventually.ts';
import { condition, SHOP, type Shop, stuck } from './shop.ts';
import { together } from './together.ts';
import { World } from './world.ts';

const spec = { minReplicas: 2, maxReplicas: 6 };
/** Of the pods that the shop has: whether a quota with such a scope has room for a candidate is not judged beforehand. */
const RESOURCE_QUOTAS = {
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  namespaced: true,
};

describe('A release with an autoscaler', function () {
  this.timeout(300_000);
  let world: World;

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    world = await World.start();
    await world.operator();
  });
  after(() => world?.stop());

  /** Four pods where the autoscaler would be content with two: what a minimum says is not what production needs. */
  async function busyShop(): Promise<Shop> {
    const shop = await world.shop({ replicas: 4 });
    await shop.create(HORIZONTAL_POD_AUTOSCALERS, {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: SHOP, labels: { team: 'till' } },
      spec: { ...spec, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: SHOP } },
    });
    return shop;
  }

  /** Name, target and minimum of each. */
  const autoscalers = async (shop: Shop): Promise<string[]> =>
    (await shop.list(HORIZONTAL_POD_AUTOSCALERS)).map(
      ({ metadata, spec: { scaleTargetRef, minReplicas } }) =>
        `${metadata.name} of ${scaleTargetRef.name} from ${minReplicas}`,
    );

  const autoscalersBecome = (shop: Shop, wanted: string[]) =>
    eventually(`the autoscalers to be ${wanted.join(', ')}`, 90_000, async () => {
      const present = await autoscalers(shop);
      return present.join() === wanted.join() ? true : undefined;
    });

  const size = async (shop: Shop, name: string): Promise<number> =>
    (await shop.get(DEPLOYMENTS, name)).spec.replicas;

  together({
    'takes over the autoscaler of the source: one per colour, the original stored': async () => {
      const shop = await busyShop();
      await shop.release({ autoscaling: { spec } });
      await shop.settledOn('r1');
      await autoscalersBecome(shop, ['shop-blue of shop-blue from 2']);
      expect(await size(shop, 'shop-blue')).to.equal(4);
      const { metadata } = await shop.get(DEPLOYMENTS, SHOP);
      const stored = JSON.parse(metadata.annotations['bluegreen.dev/stored-autoscaler']);
      expect(stored.metadata).to.deep.include({ name: SHOP, labels: { team: 'till' } });
      expect(stored.spec).to.deep.include(spec);
    },

    'sizes the candidate to what production has, and lets it not shrink while it is proven': async () => {
      const shop = await busyShop();
      await shop.release({ autoscaling: { spec }, gates: [stuck] });
      await shop.settledOn('r1');
      await shop.version('v2');
      await shop.inPhase('Validating');
      expect(await size(shop, 'shop-green')).to.equal(4);
      await autoscalersBecome(shop, ['shop-blue of shop-blue from 2', 'shop-green of shop-green from 4']);
    },

    'gives back the minimum when the release is over; the old side keeps its floor while it may take over':
      async () => {
        const shop = await busyShop();
        await shop.release({ autoscaling: { spec } });
        await shop.settledOn('r1');
        await shop.version('v2');
        await shop.settledOn('r2');
        await autoscalersBecome(shop, ['shop-blue of shop-blue from 4', 'shop-green of shop-green from 2']);
        expect(await size(shop, 'shop-green')).to.equal(4);
      },

    'never has one autoscaler switch another off: no target of theirs has pods of another one': async () => {
      const shop = await busyShop();
      await shop.release({ autoscaling: { spec } });
      await shop.settledOn('r1');
      await shop.version('v2');
      await shop.settledOn('r2');
      const reasons = await eventually('both autoscalers to be looked at', 90_000, async () => {
        const all = await shop.list(HORIZONTAL_POD_AUTOSCALERS);
        const active = all.map(({ status }) =>
          status?.conditions?.find(({ type }: any) => type === 'ScalingActive'),
        );
        return all.length === 2 && active.every((each) => each !== undefined)
          ? active.map(({ reason }) => reason)
          : undefined;
      });
      // Without metrics they cannot scale; what matters is that none is in the way of the other.
      expect(reasons).to.not.include('AmbiguousSelector');
    },

    'gives the autoscaler of the source back exactly as it was, when the source takes production back':
      async () => {
        const shop = await busyShop();
        const [before] = await shop.list(HORIZONTAL_POD_AUTOSCALERS);
        await shop.release({ autoscaling: { spec } });
        await shop.settledOn('r1');
        await shop.delete(RELEASES, SHOP);
        await eventually('the release to be gone', 90_000, async () =>
          (await shop.read()) === undefined ? true : undefined,
        );
        await autoscalersBecome(shop, ['shop of shop from 2']);
        const [after] = await shop.list(HORIZONTAL_POD_AUTOSCALERS);
        expect([after.spec, after.metadata.labels]).to.deep.equal([before.spec, before.metadata.labels]);
        expect(await size(shop, SHOP)).to.equal(4);
        expect(await shop.selector()).to.deep.equal({ app: SHOP });
      },

    'gives it back also where the source was deleted in between, and came back from Git': async () => {
      const shop = await busyShop();
      const [before] = await shop.list(HORIZONTAL_POD_AUTOSCALERS);
      await shop.release({ autoscaling: { spec } });
      await shop.settledOn('r1');
      await shop.version('v2');
      await shop.settledOn('r2');
      const { spec: wished } = await shop.get(DEPLOYMENTS, SHOP);
      await shop.delete(DEPLOYMENTS, SHOP);
      await shop.until('miss its source', (each) => condition(each, 'Stalled') !== undefined);
      const { template, selector } = wished;
      await shop.create(DEPLOYMENTS, { metadata: { name: SHOP }, spec: { template, selector, replicas: 4 } });
      await eventually('the source to be parked', 90_000, async () =>
        (await size(shop, SHOP)) === 0 ? true : undefined,
      );
      await shop.settledOn('r2');
      await shop.delete(RELEASES, SHOP);
      await eventually('the release to be gone', 90_000, async () =>
        (await shop.read()) === undefined ? true : undefined,
      );
      await autoscalersBecome(shop, ['shop of shop from 2']);
      const [after] = await shop.list(HORIZONTAL_POD_AUTOSCALERS);
      expect([after.spec, after.metadata.labels]).to.deep.equal([before.spec, before.metadata.labels]);
      const source = await shop.get(DEPLOYMENTS, SHOP);
      expect(Object.keys(source.metadata.annotations)).to.deep.equal(['deployment.kubernetes.io/revision']);
    },

    'lets an edit of the autoscaler apply in place, to both sides and without a release': async () => {
      const shop = await busyShop();
      await shop.release({ autoscaling: { spec }, rollback: { windowSeconds: 0 } });
      await shop.settledOn('r1');
      await shop.version('v2');
      await shop.settledOn('r2');
      await shop.patch(RELEASES, SHOP, {
        spec: { autoscaling: { spec: { minReplicas: 3, maxReplicas: 8 } } },
      });
      await autoscalersBecome(shop, ['shop-blue of shop-blue from 3', 'shop-green of shop-green from 3']);
      const { status } = await shop.settledOn('r2');
      expect(status.attempt).to.equal(2);
    },

    'takes its own autoscalers away when the spec gives a number instead': async () => {
      const shop = await busyShop();
      await shop.release({ autoscaling: { spec } });
      await shop.settledOn('r1');
      await shop.patch(RELEASES, SHOP, { spec: { autoscaling: null, replicas: 3 } });
      await autoscalersBecome(shop, []);
      await eventually('blue to have 3 pods', 90_000, async () =>
        (await size(shop, 'shop-blue')) === 3 ? true : undefined,
      );
    },

    'brings back an autoscaler that somebody deleted': async () => {
      const shop = await busyShop();
      await shop.release({ autoscaling: { spec } });
      await shop.settledOn('r1');
      const [{ metadata }] = await shop.list(HORIZONTAL_POD_AUTOSCALERS);
      await shop.delete(HORIZONTAL_POD_AUTOSCALERS, 'shop-blue');
      await eventually('another autoscaler of blue', 90_000, async () => {
        const [present] = await shop.list(HORIZONTAL_POD_AUTOSCALERS);
        return present !== undefined && present.metadata.uid !== metadata.uid ? true : undefined;
      });
    },

    'restores the source and its autoscaler when it is deleted before the adoption has switched':
      async () => {
        const shop = await busyShop();
        const [before] = await shop.list(HORIZONTAL_POD_AUTOSCALERS);
        await shop.create(RESOURCE_QUOTAS, {
          metadata: { name: 'full' },
          spec: { hard: { pods: '4' }, scopes: ['BestEffort'] },
        });
        await shop.release({ autoscaling: { spec } });
        await shop.until('wait for room', ({ status }) => /exceeded quota/.test(status?.message ?? ''));
        expect(await autoscalers(shop)).not.to.include('shop of shop from 2');
        await shop.delete(RELEASES, SHOP);
        await eventually('the release to be gone', 90_000, async () =>
          (await shop.read()) === undefined ? true : undefined,
        );
        await autoscalersBecome(shop, ['shop of shop from 2']);
        const [after] = await shop.list(HORIZONTAL_POD_AUTOSCALERS);
        expect([after.spec, after.metadata.labels]).to.deep.equal([before.spec, before.metadata.labels]);
        const source = await shop.get(DEPLOYMENTS, SHOP);
        expect([source.spec.replicas, source.spec.paused ?? false]).to.deep.equal([4, false]);
        expect(source.metadata.labels ?? {}).to.deep.equal({});
        expect(
          Object.keys(source.metadata.annotations).filter((key) => key.startsWith('bluegreen')),
        ).to.deep.equal([]);
        expect((await shop.get(SERVICES, SHOP)).metadata.annotations ?? {}).to.deep.equal({});
      },
  });
});

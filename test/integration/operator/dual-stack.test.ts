import { expect } from 'chai';
import type { KubeObject } from '../../../src/kube/ports.ts';
import { DEPLOYMENTS, ENDPOINT_SLICES, NODES, SERVICES } from '../../../src/kube/types.ts';
import { eventually } from '../../support/eventually.ts';
import { SHOP, type Shop } from './shop.ts';
import { together } from './together.ts';
import { World } from './world.ts';

const DUAL = { ipFamilyPolicy: 'RequireDualStack' };
const TWINS = ['shop-blue', 'shop-green'];

describe('A Service of both address families', function () {
  this.timeout(300_000);
  let world: World;

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    world = await World.start(3, { dualStack: true });
    await singleStackNode();
    await world.operator();
  });
  after(() => world?.stop());

  /** Pods on it have no IPv6 address; only those that ask for it come to it. */
  async function singleStackNode(): Promise<void> {
    const room = { cpu: '32', memory: '256Gi', pods: '250' };
    await world.client.create(NODES, {
      metadata: { name: 'old', labels: { 'kubernetes.io/hostname': 'old', stack: 'single' } },
      spec: {
        podCIDR: '10.244.9.0/24',
        podCIDRs: ['10.244.9.0/24'],
        taints: [{ key: 'stack', value: 'single', effect: 'NoSchedule' }],
      },
      status: { allocatable: room, capacity: room },
    } as KubeObject);
  }

  async function adopted(service: object): Promise<Shop> {
    const shop = await world.emptyShop();
    await shop.create(DEPLOYMENTS, shop.deployment(2));
    await shop.create(SERVICES, shop.service(SHOP, service));
    await shop.release();
    await shop.settledOn('r1');
    return shop;
  }

  /** How many ready endpoints a Service has in each family, as `IPv4 2`. */
  async function ready(shop: Shop, service: string): Promise<string[]> {
    const slices = await shop.list(ENDPOINT_SLICES, `kubernetes.io/service-name=${service}`);
    return slices
      .map(({ addressType, endpoints }) => {
        const able = (endpoints ?? []).filter(({ conditions }: any) => conditions.ready);
        return `${addressType} ${able.length}`;
      })
      .sort();
  }

  const families = async (shop: Shop, name: string): Promise<string[]> =>
    (await shop.get(SERVICES, name))?.spec.ipFamilies;

  /** Onto the node whose pods have no IPv6 address, or away from it. */
  const stayOnOldNode = (shop: Shop, stays: boolean) =>
    shop.patch(DEPLOYMENTS, SHOP, {
      spec: {
        template: {
          spec: {
            nodeSelector: stays ? { stack: 'single' } : null,
            tolerations: stays ? [{ key: 'stack', operator: 'Exists' }] : null,
          },
        },
      },
    });

  together({
    'is switched when both have its pods': async () => {
      const shop = await adopted(DUAL);
      for (const name of [SHOP, 'shop-blue'])
        expect(await families(shop, name), name).to.deep.equal(['IPv4', 'IPv6']);
      await shop.version('v2');
      const { status } = await shop.settledOn('r2');
      expect(status.switch.services.map(({ converged }: any) => converged)).to.deep.equal([true]);
      expect(await ready(shop, SHOP)).to.deep.equal(['IPv4 2', 'IPv6 2']);
      for (const name of TWINS) expect(await ready(shop, name), name).to.deep.equal(['IPv4 2', 'IPv6 2']);
    },

    'is not switched to pods that only one of them has': async () => {
      const shop = await adopted(DUAL);
      await stayOnOldNode(shop, true);
      await eventually('the candidate to be ready in one family', 90_000, async () =>
        (await ready(shop, 'shop-green')).includes('IPv4 2') ? true : undefined,
      );
      const waiting = await shop.until('count them as not ready', ({ status }) =>
        status?.message?.startsWith('0 of 2 green pods are ready'),
      );
      expect([waiting.status.revision, await shop.color()]).to.deep.equal(['r1', 'blue']);
      await stayOnOldNode(shop, false);
      await shop.version('v3');
      await shop.until('have gone on', async () => (await shop.color()) === 'green');
      expect(await ready(shop, SHOP)).to.deep.equal(['IPv4 2', 'IPv6 2']);
    },

    'is one that became so, and its twins with it': async () => {
      const shop = await adopted({ ipFamilyPolicy: 'SingleStack' });
      expect(await families(shop, 'shop-green')).to.deep.equal(['IPv4']);
      await shop.patch(SERVICES, SHOP, { spec: { ipFamilyPolicy: 'PreferDualStack' } });
      await eventually('the twins to have both families', 90_000, async () => {
        const all = await Promise.all(TWINS.map((name) => families(shop, name)));
        return all.every((each) => each?.join() === 'IPv4,IPv6') ? true : undefined;
      });
      await shop.version('v2');
      await shop.until('have gone on', async () => (await shop.color()) === 'green');
      await shop.settledOn('r2');
      expect(await ready(shop, SHOP)).to.deep.equal(['IPv4 2', 'IPv6 2']);
    },
  });
});

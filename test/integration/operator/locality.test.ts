import { expect } from 'chai';
import { DEPLOYMENTS, PODS, SERVICES } from '../../../src/kube/types.ts';
import { eventually } from '../../support/eventually.ts';
import { KEY, SHOP, type Shop } from './shop.ts';
import { together } from './together.ts';
import { World } from './world.ts';

const HOSTNAME = 'kubernetes.io/hostname';

/** Each revision spreads by itself, over the nodes that it may use. */
const spread = {
  maxSkew: 1,
  topologyKey: HOSTNAME,
  whenUnsatisfiable: 'DoNotSchedule',
  labelSelector: { matchLabels: { app: SHOP } },
  matchLabelKeys: ['pod-template-hash'],
};

describe('A Service that keeps traffic near the client', function () {
  this.timeout(300_000);
  let world: World;

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    world = await World.start(3);
    await world.operator();
  });
  after(() => world?.stop());

  /** One pod on each of three nodes, each of which is a zone. */
  async function adopted(service: object): Promise<Shop> {
    const shop = await world.emptyShop();
    const deployment = shop.deployment(3);
    deployment.spec.template.spec.topologySpreadConstraints = [spread];
    await shop.create(DEPLOYMENTS, deployment);
    await shop.create(SERVICES, shop.service(SHOP, service));
    await eventually(`the application in ${shop.namespace} to be ready`, 90_000, async () =>
      (await shop.get(DEPLOYMENTS, SHOP)).status?.readyReplicas === 3 ? true : undefined,
    );
    await shop.release();
    await shop.settledOn('r1');
    expect(await places(shop, 'blue')).to.deep.equal(['node-0', 'node-1', 'node-2']);
    return shop;
  }

  const places = async (shop: Shop, color: string): Promise<string[]> =>
    (await shop.pods(color)).map(({ spec }): string => spec.nodeName).sort();

  /** A label of this shop's own: the nodes that its next version may use. */
  const open = (shop: Shop, ...nodes: string[]): Promise<string> =>
    world.cluster.kubectl(['label', 'node', ...nodes, `${shop.namespace}=open`]);

  /** The next version is ready on one node alone; then on all of them, in the same attempt. */
  async function waitsFor(service: object, gap: RegExp): Promise<void> {
    const shop = await adopted(service);
    await open(shop, 'node-0');
    await shop.patch(DEPLOYMENTS, SHOP, {
      spec: { template: { spec: { nodeSelector: { [shop.namespace]: 'open' } } } },
    });
    const waiting = await shop.until('name what is not covered', ({ status }) => gap.test(status?.message));
    expect(waiting.status.message).to.match(/^3 of 3 green pods are ready; /);
    expect(await places(shop, 'green')).to.deep.equal(['node-0', 'node-0', 'node-0']);
    expect((await shop.selector())[KEY]).to.equal('blue');
    await open(shop, 'node-1', 'node-2');
    const [, ...others] = await shop.pods('green');
    await Promise.all(others.map(({ metadata }) => shop.delete(PODS, metadata.name)));
    const { status } = await shop.settledOn('r2');
    expect([status.attempt, await shop.color()]).to.deep.equal([2, 'green']);
    expect(await places(shop, 'green')).to.deep.equal(['node-0', 'node-1', 'node-2']);
  }

  const gap = (place: string, field: string): RegExp =>
    new RegExp(`; ${place} has ready pods behind Service "shop" \\(${field}\\) and none of them is green: `);

  together({
    'waits for each node where production has a pod (internalTrafficPolicy)': () =>
      waitsFor({ internalTrafficPolicy: 'Local' }, gap('node "node-1"', 'internalTrafficPolicy: Local')),
    'waits for each node where production has a pod (externalTrafficPolicy)': () =>
      waitsFor(
        { type: 'NodePort', externalTrafficPolicy: 'Local' },
        gap('node "node-1"', 'externalTrafficPolicy: Local'),
      ),
    'waits for each zone where production has a pod (trafficDistribution)': () =>
      waitsFor(
        { trafficDistribution: 'PreferClose' },
        gap('zone "zone-b"', 'trafficDistribution: PreferClose'),
      ),
    'waits for each node where production has a pod (trafficDistribution)': () =>
      waitsFor(
        { trafficDistribution: 'PreferSameNode' },
        gap('node "node-1"', 'trafficDistribution: PreferSameNode'),
      ),
    'goes back without it: a node without a pod is better than a bad side': async () => {
      const shop = await adopted({ internalTrafficPolicy: 'Local' });
      await shop.version('v2');
      await shop.settledOn('r2');
      const [gone, ...rest] = await shop.pods('blue');
      await shop.setReady([gone], false);
      await shop.setReady(await shop.pods('green'), false);
      await shop.until('be rolled back', ({ status }) => status.phase === 'RolledBack');
      expect([await shop.color(), rest.length]).to.deep.equal(['blue', 2]);
    },
  });
});

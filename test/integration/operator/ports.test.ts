import { expect } from 'chai';
import { DEPLOYMENTS, ENDPOINT_SLICES, SERVICES } from '../../../src/kube/types.ts';
import { eventually } from '../../support/eventually.ts';
import { history, SHOP, type Shop } from './shop.ts';
import { World } from './world.ts';

/** More than one EndpointSlice holds (100, as the controller manager has it by default). */
const PODS = 110;

/** One port by name, which the new version may move, and one by number. */
const ports = [
  { name: 'web', port: 80, targetPort: 'http' },
  { name: 'metrics', port: 9090, targetPort: 9090 },
];
const container = (version: string, http: number, name = 'http') => ({
  name: 'app',
  image: `shop:${version}`,
  ports: [{ name, containerPort: http }, { containerPort: 9090 }],
});

describe('A Service with named and numbered ports and more pods than an EndpointSlice holds', function () {
  this.timeout(300_000);
  let world: World;
  let shop: Shop;

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    world = await World.start();
    await world.operator();
    shop = await world.emptyShop();
    shop.patienceMs = 200_000;
    const deployment = shop.deployment(PODS);
    deployment.spec.template.spec.containers = [container('v1', 8080)];
    await shop.create(DEPLOYMENTS, deployment);
    await shop.create(SERVICES, shop.service(SHOP, { ports }));
    await eventually('the application to be ready', 200_000, async () => {
      const { status } = await shop.get(DEPLOYMENTS, SHOP);
      return status?.readyReplicas === PODS ? true : undefined;
    });
    await shop.release();
  });
  after(() => world?.stop());

  /** Of the production Service: addresses of ready pods, and the numbers that each slice has for the two ports. */
  async function served(): Promise<{ slices: number; ready: Set<string>; numbers: Set<string> }> {
    const all = await shop.list(ENDPOINT_SLICES, `kubernetes.io/service-name=${SHOP}`);
    const slices = all.filter(({ endpoints }) => (endpoints ?? []).length > 0);
    const ready = slices.flatMap(({ endpoints }) =>
      endpoints.filter(({ conditions }: any) => conditions.ready).map(({ targetRef }: any) => targetRef.uid),
    );
    const numbers = slices.map((slice) =>
      slice.ports
        .map(({ name, port }: any) => `${name} ${port}`)
        .sort()
        .join(', '),
    );
    return { slices: slices.length, ready: new Set(ready), numbers: new Set(numbers) };
  }

  const release = (version: string, http: number, name?: string): Promise<unknown> =>
    shop.patch(DEPLOYMENTS, SHOP, {
      spec: { template: { spec: { containers: [container(version, http, name)] } } },
    });

  const uids = async (color: string): Promise<Set<string>> =>
    new Set((await shop.pods(color)).map(({ metadata }): string => metadata.uid));

  it('is adopted, over several slices', async () => {
    await shop.settledOn('r1');
    const { slices, ready, numbers } = await served();
    expect(slices).to.be.at.least(2);
    expect(ready).to.deep.equal(await uids('blue'));
    expect([...numbers]).to.deep.equal(['metrics 9090, web 8080']);
  });

  it('is switched to a version whose named port has another number, and proven for each pod', async () => {
    await release('v2', 8181);
    await shop.settledOn('r2');
    const { slices, ready, numbers } = await served();
    expect(slices).to.be.at.least(2);
    expect(ready.size).to.equal(PODS);
    expect(ready).to.deep.equal(await uids('green'));
    expect([...numbers]).to.deep.equal(['metrics 9090, web 8181']);
  });

  it('is not switched to a version that lacks the named port, which counts as no pod at all', async () => {
    await shop.kubectl(
      'patch',
      'bgr',
      SHOP,
      '--type=merge',
      '-p',
      '{"spec":{"preparation":{"deadlineSeconds":45}}}',
    );
    await release('v3', 8181, 'other');
    const ended = await shop.until('have given up', (each) =>
      history(each).some((one) => /^r3 (?!UnderWay)/.test(one)),
    );
    expect(history(ended).at(-1)).to.match(/^r3 (Failed|Inconclusive)$/);
    expect(await shop.color()).to.equal('green');
    expect((await served()).ready).to.deep.equal(await uids('green'));
  });
});

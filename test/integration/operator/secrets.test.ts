import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { DEPLOYMENTS, SECRETS, SERVICES } from '../../../src/kube/types.ts';
import { condition, SHOP, type Shop } from './shop.ts';
import { World } from './world.ts';

const RIGHT = 'bluegreen-operator-secrets';
const manifest = join(import.meta.dirname, '../../../deploy/kustomize/secrets-rbac.yaml');
const config = { secrets: [{ name: 'keys' }] };

describe('An operator without the right to Secrets', function () {
  this.timeout(300_000);
  let world: World;
  let healthPort: number;
  let naming: Shop;

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    world = await World.start();
    await world.cluster.kubectl(['delete', 'clusterrolebinding,clusterrole', RIGHT]);
    healthPort = await freePort();
    await world.operator('--health-port', String(healthPort));
  });
  after(() => world?.stop());

  it('begins, is ready, and takes a release through that names none', async () => {
    expect((await fetch(`http://127.0.0.1:${healthPort}/readyz`)).status).to.equal(200);
    const shop = await world.adoptedShop();
    await shop.version('v2');
    await shop.settledOn('r2');
  });

  it('says to a release that names one what is missing and who can give it, and leaves production alone', async () => {
    naming = await world.shop();
    await naming.create(SECRETS, {
      metadata: { name: 'keys', labels: { 'bluegreen.dev/config': 'true' } },
      data: { pin: Buffer.from('1234').toString('base64') },
    });
    const before = [await naming.get(DEPLOYMENTS, SHOP), await naming.get(SERVICES, SHOP)];
    await naming.release({ config });
    const release = await naming.stalledWith(
      'spec.config.secrets[0].name: the operator may not watch Secrets, and would not see Secret "keys" change: its administrator can give it the ClusterRole bluegreen-operator-secrets (deploy/kustomize/secrets-rbac.yaml); or name no Secret',
    );
    expect(condition(release, 'Stalled').reason).to.equal('ConfigForbidden');
    const after = [await naming.get(DEPLOYMENTS, SHOP), await naming.get(SERVICES, SHOP)];
    expect(after.map(({ spec }) => spec)).to.deep.equal(before.map(({ spec }) => spec));
  });

  it('goes on with it as soon as the right is given, and hears of changes from then on', async () => {
    await world.cluster.kubectl(['apply', '-f', manifest]);
    await naming.settledOn('r1');
    await naming.patch(SECRETS, 'keys', { data: { pin: Buffer.from('9876').toString('base64') } });
    await naming.settledOn('r2');
    expect(await naming.color()).to.equal('green');
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

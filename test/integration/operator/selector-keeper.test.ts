import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { RELEASES } from '../../../src/api/resource.ts';
import { DEPLOYMENTS, SERVICES } from '../../../src/kube/types.ts';
import { eventually } from '../../support/eventually.ts';
import type { OperatorProcess } from './process.ts';
import { KEY, SHOP, type Shop } from './shop.ts';
import { World } from './world.ts';

const POLICY = join(import.meta.dirname, '../../../deploy/policies/selector-keeper.yaml');

describe('The policy that keeps the selector', function () {
  this.timeout(300_000);
  let world: World;
  let operator: OperatorProcess;
  let shop: Shop;
  /** The Service as Git has it: without the key and without our annotations. */
  let manifest: string;

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    world = await World.start();
    await world.cluster.kubectl(['apply', '-f', POLICY]);
    operator = await world.operator();
    shop = await world.adoptedShop();
    manifest = join(world.cluster.workDir, 'service.yaml');
    await writeFile(manifest, JSON.stringify({ ...shop.service(), metadata: { name: SHOP } }));
    await eventually('the policy to be in force', 60_000, async () => {
      const key = { namespace: shop.namespace, name: SHOP };
      const body = { spec: { selector: { app: SHOP, [KEY]: null } } };
      const answer = await world.client.patch<any>(SERVICES, key, { type: 'merge', body }, { dryRun: true });
      return answer.spec.selector[KEY] === 'blue' ? true : undefined;
    });
  });
  after(() => world?.stop());

  const repairs = (): number => operator.log.filter(({ reason }) => reason === 'SelectorRestored').length;

  const ours = async (): Promise<unknown> => {
    const { metadata, spec } = await shop.get(SERVICES, SHOP);
    const kept = Object.entries({ ...metadata.labels, ...metadata.annotations }).filter(([key]) =>
      key.startsWith('bluegreen.dev/'),
    );
    return { selector: spec.selector, kept: Object.fromEntries(kept) };
  };

  /** The sync succeeds, other fields are written, and what is ours stands as before. */
  async function keeps(...args: string[]): Promise<void> {
    const before = await ours();
    await shop.kubectl(...args, '-f', manifest);
    expect(await ours()).to.deep.equal(before);
    expect(repairs()).to.equal(0);
  }

  it('lets a client-side apply succeed, and nothing moves', () => keeps('apply'));
  it('lets a server-side apply with --force-conflicts succeed, and nothing moves', () =>
    keeps('apply', '--server-side', '--force-conflicts'));
  it('lets a replace succeed, and nothing moves', () => keeps('replace'));

  it('lets a writer that does so every second go on: nothing moves, and the operator has nothing to repair', async () => {
    for (let round = 0; round < 10; round++) {
      await keeps('apply', '--server-side', '--force-conflicts');
      await sleep(1000);
    }
  });

  it('keeps nothing but the selector and what is ours', async () => {
    await shop.patch(SERVICES, SHOP, {
      metadata: { labels: { team: 'till' } },
      spec: { sessionAffinity: 'ClientIP' },
    });
    const { metadata, spec } = await shop.get(SERVICES, SHOP);
    expect([metadata.labels.team, spec.sessionAffinity]).to.deep.equal(['till', 'ClientIP']);
  });

  it('lets the operator release, while that writer goes on', async () => {
    const syncs = shop.kubectl('apply', '--server-side', '--force-conflicts', '-f', manifest);
    await shop.version('v2');
    await syncs;
    await shop.settledOn('r2');
    await keeps('apply', '--server-side', '--force-conflicts');
    expect(await shop.color()).to.equal('green');
  });

  it('lets who asks for it change the selector; then the operator puts it back', async () => {
    await shop.patch(SERVICES, SHOP, {
      metadata: { annotations: { 'bluegreen.dev/keep-selector': 'false' } },
      spec: { selector: { [KEY]: null } },
    });
    await eventually('the operator to put it back', 60_000, async () =>
      repairs() > 0 && (await shop.color()) === 'green' ? true : undefined,
    );
    await shop.patch(SERVICES, SHOP, { metadata: { annotations: { 'bluegreen.dev/keep-selector': null } } });
  });

  it('lets the operator give the Service back, whose selector is anybody’s from then on', async () => {
    await shop.delete(RELEASES, SHOP);
    await eventually('the release to be gone', 90_000, async () =>
      (await shop.read()) === undefined ? true : undefined,
    );
    expect(await shop.selector()).to.deep.equal({ app: SHOP });
    expect(await shop.get(DEPLOYMENTS, 'shop-green')).to.equal(undefined);
    await shop.patch(SERVICES, SHOP, { spec: { selector: { tier: 'web' } } });
    expect(await shop.selector()).to.deep.equal({ app: SHOP, tier: 'web' });
  });
});

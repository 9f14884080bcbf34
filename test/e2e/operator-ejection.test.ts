import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { SHOP } from '../support/shop.ts';
import { describeRequest } from './audit-log.ts';
import { type Kill, Killer } from './killer.ts';
import { PATIENCE_MS, type Shop } from './shop.ts';
import { useShop } from './story.ts';
import { describeFailures, expectNoFailure, tell } from './verdict.ts';

/** Deletes the release and waits until it is gone: by then the source serves alone. */
async function eject(shop: Shop): Promise<void> {
  const args = ['delete', 'bgr', SHOP, '-n', shop.namespace, `--timeout=${PATIENCE_MS / 1000}s`];
  await shop.stage.target.kubectl(args, { timeoutMs: PATIENCE_MS + 5000 });
}

/** The source as it was, and nothing of ours. */
async function expectGivenBack(shop: Shop, version: string): Promise<void> {
  const [deployment, ...others] = (await shop.json('deployments', '-l', '!load')).items.filter(
    ({ metadata }: any) => metadata.name.startsWith(SHOP),
  );
  expect(others).to.deep.equal([]);
  const { replicas, paused = false } = deployment.spec;
  expect([replicas, paused, deployment.metadata.labels?.['bluegreen.dev/release']]).to.deep.equal([
    3,
    false,
    undefined,
  ]);
  const { metadata, spec } = await shop.json('service', SHOP);
  expect(Object.keys(spec.selector)).to.deep.equal(['app']);
  expect(Object.keys(metadata.annotations ?? {}).filter((key) => key.startsWith('bluegreen'))).to.deep.equal(
    [],
  );
  await shop.servedBy(version);
}

describe('A release that is deleted under load', function () {
  this.timeout(2 * PATIENCE_MS);
  const shop = useShop('story-ejection');

  it('gives production back to the Deployment that says what serves', async () => {
    await shop().open();
    await shop().adopt();
    await shop().setVersion('v2');
    await shop().ends('r2', 'Committed');
    await shop().servedBy('v2');
    await eject(shop());
    await expectGivenBack(shop(), 'v2');
  });

  it('has cost no request', async () => {
    await shop().serveFor(5);
    await expectNoFailure(shop());
  });
});

describe('An application that is gone at once on SIGTERM', function () {
  this.timeout(2 * PATIENCE_MS);
  const shop = useShop('story-ejection-exit');

  it('is adopted and ejected', async () => {
    await shop().open({ shop: { env: { ON_SIGTERM: 'exit' } } });
    await shop().adopt();
    await shop().serveFor(5);
    await eject(shop());
    await expectGivenBack(shop(), 'v1');
  });

  it('loses no request on a new connection; what it breaks on kept ones is its own', async () => {
    await shop().serveFor(5);
    const result = await shop().close();
    const lost = result.failures.filter(({ kind }) => kind === 'new');
    expect(lost, `failed requests\n${describeFailures(shop(), result)}`).to.deep.equal([]);
    tell(shop(), result, `, ${result.failures.length} of them on kept connections`);
  });
});

describe('An operator that is killed after each write of an ejection', function () {
  this.timeout(4 * PATIENCE_MS);
  const shop = useShop('story-ejection-killed');
  let kills: readonly Kill[] = [];
  let killer: Killer | undefined;

  // A test that failed must not leave somebody with a gun.
  after(async () => void (await killer?.stop()));

  it('brings it to its end all the same', async () => {
    await shop().open();
    await shop().adopt();
    killer = await Killer.start(shop().stage, shop().namespace);
    await eject(shop());
    kills = await killer.stop();
    const after = kills.map((kill) => describeRequest(kill.after));
    console.log(`      killed ${kills.length} times, after ${after.join(', ')}`);
    expect(after).to.include.members([
      `patch deployments ${SHOP}`,
      `patch services ${SHOP}`,
      `delete deployments ${SHOP}-blue`,
    ]);
    await expectGivenBack(shop(), 'v1');
  });

  it('patches the production Service as often as without: to the source, to its own selector, to no claim', async () => {
    const patches = shop()
      .writes()
      .filter(({ resource, name }) => resource === 'services' && name === SHOP);
    // The claim and the key of the adoption come before.
    await eventually('waiting for the audit log', PATIENCE_MS, () =>
      patches.length >= 5 ? true : undefined,
    );
    expect(patches.map(({ verb }) => verb)).to.deep.equal(['patch', 'patch', 'patch', 'patch', 'patch']);
  });

  it('has cost no request', async () => {
    await shop().serveFor(5);
    await expectNoFailure(shop());
  });
});

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { SHOP } from '../support/shop.ts';
import { PATIENCE_MS } from './shop.ts';
import { useShop } from './story.ts';
import { expectNoFailure } from './verdict.ts';

const POLICY = join(import.meta.dirname, '../../deploy/policies/selector-keeper.yaml');
const NAMESPACE = 'story-keeper';
const KEY = 'bluegreen.dev/color';
const SYNCS = 60;

describe('A writer that applies the Service of Git every second, where the policy keeps the selector', function () {
  this.timeout(3 * PATIENCE_MS);
  const shop = useShop(NAMESPACE);
  const kubectl = (...args: string[]): Promise<string> => shop().stage.target.kubectl(args);
  const selector = async (): Promise<Record<string, string>> =>
    (await shop().json('service', SHOP)).spec.selector;

  let hasPolicy = false;

  after(async () => {
    // The other stories edit selectors.
    if (hasPolicy) await kubectl('delete', '-f', POLICY, '--ignore-not-found');
  });

  it('moves nothing in a minute under load', async () => {
    hasPolicy = true;
    await kubectl('apply', '-f', POLICY);
    await shop().open();
    await shop().adopt();
    const { metadata, spec } = await shop().json('service', SHOP);
    const { [KEY]: _, ...own } = spec.selector;
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: metadata.name, namespace: NAMESPACE },
    };
    const ports = spec.ports.map(({ nodePort: __, ...port }: any) => port);
    const manifest = join(shop().stage.cluster.workDir, 'service-of-git.json');
    await writeFile(manifest, JSON.stringify({ ...service, spec: { selector: own, ports } }));
    const sync = ['apply', '--server-side', '--force-conflicts', '--field-manager=git', '-f', manifest];
    await eventually('waiting for the policy to be in force', PATIENCE_MS, async () => {
      const answer = JSON.parse(await kubectl(...sync, '--dry-run=server', '-o', 'json'));
      return answer.spec.selector[KEY] === 'blue' ? true : undefined;
    });
    for (let round = 0; round < SYNCS; round++) await Promise.all([kubectl(...sync), sleep(1000)]);
    expect(await selector()).to.deep.equal({ ...own, [KEY]: 'blue' });
  });

  it('gives the operator nothing to repair', () => {
    const moves = shop()
      .switches()
      .filter(({ mark }) => mark !== undefined);
    expect(moves.map(({ mark, color }) => `${mark?.direction} to ${color}`)).to.deep.equal([
      'Forward to blue',
    ]);
  });

  it('has cost no request', async () => {
    await expectNoFailure(shop());
  });
});

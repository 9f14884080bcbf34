/** A story: tests that follow one another on one shop. When one of them fails the rest is skipped, and it is told why. */

import type { Stage } from '../support/stage.ts';
import { dump } from './dump.ts';
import { Shop } from './shop.ts';
import { useStage } from './stage.ts';

export function useShop(namespace: string): () => Shop {
  const stage: () => Stage = useStage();
  let shop: Shop | undefined;
  before(() => {
    shop = new Shop(stage(), namespace);
  });
  beforeEach(function () {
    if (isBroken(this.currentTest?.parent)) this.skip();
  });
  after(async function () {
    this.timeout(120_000);
    if (shop === undefined) return;
    if (isBroken(this.test?.parent)) await dump(shop);
    shop.leave();
    await end(shop);
  });
  return () => {
    if (shop === undefined) throw new Error('the story has not begun');
    return shop;
  };
}

function isBroken(suite: Mocha.Suite | undefined): boolean {
  return suite?.tests.some((test) => test.state === 'failed') ?? false;
}

/** The next story needs the processors: the pods go, and whatever the story left behind. */
async function end({ stage, namespace }: Shop): Promise<void> {
  const { target } = stage;
  const releases = ['bgr', '--all', '-n', namespace];
  // The release first, and nothing given back: in a namespace that ends the API server refuses whatever is to be.
  await target.kubectl(['annotate', ...releases, '--overwrite', 'bluegreen.dev/on-delete=Keep']);
  await target.kubectl(['delete', ...releases, '--timeout=60s'], { timeoutMs: 65_000 });
  await target.kubectl(['delete', 'namespace', namespace, '--wait=false', '--ignore-not-found']);
}

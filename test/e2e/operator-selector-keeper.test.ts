import { expect } from 'chai';
import { installKeeper, removeKeeper, type Written, writeEverySecond } from './keeper.ts';
import { PATIENCE_MS } from './shop.ts';
import { useShop } from './story.ts';
import { expectNoFailure } from './verdict.ts';

/** Minutes of it: `npm run bench:traffic -- --only keeper`. */
const WRITES = 30;

describe('A writer that puts the Service of Git back every second, where the policy keeps the selector', function () {
  this.timeout(3 * PATIENCE_MS);
  const shop = useShop('story-keeper');
  let hasPolicy = false;
  let written: Written | undefined;

  after(async () => {
    // The other stories edit selectors.
    if (hasPolicy) await removeKeeper(shop());
  });

  it('is let through each time, whichever way it writes', async () => {
    await shop().open();
    await shop().adopt();
    hasPolicy = true;
    await installKeeper(shop());
    written = await writeEverySecond(shop(), WRITES);
    expect(written.writes).to.deep.equal({
      'client-side apply': 10,
      'server-side apply with --force-conflicts': 10,
      replace: 10,
    });
  });

  it('moves nothing, not for a moment, and gives the operator nothing to repair', () => {
    expect(written?.selectors).to.deep.equal(['{"app":"shop","bluegreen.dev/color":"blue"}']);
    expect(written?.repairs).to.equal(0);
  });

  it('has cost no request', async () => {
    await expectNoFailure(shop());
  });
});

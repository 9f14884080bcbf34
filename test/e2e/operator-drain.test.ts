import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { PATIENCE_MS } from './shop.ts';
import { useShop } from './story.ts';
import { expectNoFailure } from './verdict.ts';

/** Far beyond the end of this story: what ends the drain is what the pods say. */
const NEVER_SECONDS = 86_400;
const IDLE_SECONDS = 5;

describe('An old side that is drained when its pods count no more requests', function () {
  this.timeout(2 * PATIENCE_MS);
  const shop = useShop('story-drain');
  let before: string[] = [];

  it('keeps its pods as long as clients with kept connections use them', async () => {
    await shop().open();
    const podMetrics = { counter: 'http_requests_total{code!=""}', idleSeconds: IDLE_SECONDS };
    const drain = { until: { podMetrics }, timeoutSeconds: NEVER_SECONDS };
    await shop().adopt({ traffic: { services: [{ name: 'shop' }], drainSeconds: 5, drain } });
    before = (await shop().pods('blue')).map(uidOf).sort();
    await shop().setVersion('v2');
    await shop().ends('r2', 'Committed');
    await shop().serveFor(4 * IDLE_SECONDS);
    expect((await shop().pods('blue')).map(uidOf).sort()).to.deep.equal(before);
    expect(Object.keys(shop().load.rows.at(-1)?.answers.kept ?? {})).to.include('v1');
    expect(shop().status.message).to.not.include('unknown');
  });

  it('has them replaced when the last client is gone', async () => {
    await expectNoFailure(shop());
    await eventually('waiting until the pods of the old side are others', PATIENCE_MS, async () => {
      const now = (await shop().pods('blue')).map(uidOf);
      return now.some((uid) => before.includes(uid)) ? undefined : true;
    });
    const facts = (await shop().json('controllerrevisions')).items.map(
      ({ metadata }: any) => metadata.annotations['bluegreen.dev/facts'],
    );
    expect(facts.filter((text: string) => text.includes('"drainedAt":'))).to.have.length(1);
  });

  const uidOf = ({ metadata }: any): string => metadata.uid;
});

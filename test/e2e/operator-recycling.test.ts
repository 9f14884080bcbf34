import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { PATIENCE_MS } from './shop.ts';
import { useShop } from './story.ts';
import { expectNoFailure } from './verdict.ts';

/** As examples/demo/release.yaml has it. */
const DRAIN_MS = 5000;
/** What a keep-alive client may still be answered by the old version after the drain. */
const MOST_AFTER_DRAIN_MS = 30_000;

describe('Connections that were made before a switch', function () {
  this.timeout(2 * PATIENCE_MS);
  const shop = useShop('story-recycling');
  let before: string[] = [];

  it('stay on the old side when new ones go to the new side already', async () => {
    await shop().open();
    await shop().adopt({ preparation: { warmUp: { path: '/version', requests: 20 } } });
    before = (await shop().pods('blue')).map(uidOf).sort();
    await shop().setVersion('v2');
    const { gates = [] } = await shop().reaches('Observing', 'r2');
    expect(gates.map(({ name, state, message }) => `${name} ${state}: ${message}`)).to.include(
      'warm-up Passed: 3 of 3 pods answered 20 warm-up requests each',
    );
    await shop().servedBy('v2');
    expect(shop().load.rows.at(-1)?.answers.kept).to.have.property('v1');
  });

  it('end with the pods of the old side, while as many others stand ready there', async () => {
    await eventually('waiting until the pods of the old side are others', PATIENCE_MS, async () => {
      const now = (await shop().pods('blue')).map(uidOf);
      return now.some((uid) => before.includes(uid)) ? undefined : true;
    });
    const standby = shop().statuses.filter(({ status }) => status.standby?.color === 'blue');
    expect(standby).to.not.have.length(0);
    expect(Math.min(...standby.map(({ status }) => status.standby?.ready ?? 0))).to.be.at.least(3);
    expect(new Set(standby.map(({ status }) => status.rollback?.available))).to.deep.equal(new Set([true]));
  });

  it('are made anew to the new side, and lose no request on the way', async () => {
    await shop().ends('r2', 'Committed');
    await shop().serveFor(3);
    const { totals, rows } = await expectNoFailure(shop());
    expect(Object.keys(rows.at(-1)?.answers.kept ?? {})).to.deep.equal(['v2']);
    const switchedAt = shop().switches().at(-1)?.patchedAt ?? Number.NaN;
    const lastMs = (totals.seen.kept.v1?.last ?? Number.NaN) - switchedAt;
    console.log(
      `      the last answer of v1 on a kept connection: ${Math.round(lastMs)} ms after the switch`,
    );
    expect(lastMs).to.be.within(DRAIN_MS, DRAIN_MS + MOST_AFTER_DRAIN_MS);
  });

  const uidOf = ({ metadata }: any): string => metadata.uid;
});

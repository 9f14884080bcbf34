/** A writer that puts the Service of Git back every second for minutes, where the policy keeps the selector. */
import { installKeeper, removeKeeper, writeEverySecond } from '../../../test/e2e/keeper.ts';
import { SHOP } from '../../../test/support/shop.ts';
import { atMost, plain, type Row } from '../../row.ts';
import type { TrafficBenchmark } from '../benchmark.ts';
import { counted } from '../counted.ts';
import { DRAIN_SECONDS, RATE } from '../lab.ts';

const SPEC = {
  gates: [],
  traffic: { services: [{ name: SHOP }], drainSeconds: DRAIN_SECONDS },
  observation: { durationSeconds: 0 },
};

export const keeper: TrafficBenchmark = {
  name: 'keeper',
  async run(lab, sizes, say): Promise<Row[]> {
    const shop = await lab.open('bench-keeper');
    await shop.adopt(SPEC);
    await installKeeper(shop);
    say(`writing the Service every second for ${sizes.keeper} minutes`);
    const { seconds, writes, selectors, repairs } = await writeEverySecond(shop, sizes.keeper * 60);
    await removeKeeper(shop);
    const { totals } = await lab.close(shop);
    const what = 'a writer of the Service of Git every second, beside the selector keeper';
    return [
      plain(`${what}, ${RATE} requests/s`, seconds / 60, 'min'),
      ...Object.entries(writes).map(([way, count]) => plain(`${what}: writes by ${way}`, count, '')),
      atMost(`${what}: selectors besides the one that serves`, selectors.length - 1, '', 0),
      atMost(`${what}: writes of the operator to put it back`, repairs, '', 0),
      ...counted(what, totals, 'drain'),
    ];
  },
};

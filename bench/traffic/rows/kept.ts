/**
 * Connections that are kept stay where they are when the Service is switched: how long the old version goes on answering
 * on them, and that no request is lost when its pods end.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { SHOP } from '../../../test/support/shop.ts';
import { atMost, plain, type Row } from '../../row.ts';
import type { TrafficBenchmark } from '../benchmark.ts';
import { counted } from '../counted.ts';
import { DRAIN_SECONDS, RATE } from '../lab.ts';

/** What the old version may go on answering after the time to drain. */
const BAR_SECONDS = 30;

export const kept: TrafficBenchmark = {
  name: 'kept',
  async run(lab, sizes, say): Promise<Row[]> {
    const shop = await lab.open('bench-kept');
    const traffic = { services: [{ name: SHOP }], drainSeconds: DRAIN_SECONDS };
    await shop.adopt({
      gates: [],
      traffic,
      observation: { durationSeconds: 0 },
      rollback: { windowSeconds: 600 },
    });
    const until = DRAIN_SECONDS + BAR_SECONDS + 5;
    for (let round = 0; round < sizes.kept; round++) {
      say(`switch ${round + 1} of ${sizes.kept}`);
      await shop.setVersion(`v${round + 2}`);
      await shop.ends(`r${round + 2}`, 'Committed');
      await sleep(until * 1000);
    }
    const patches = shop.switches().slice(1);
    const { totals } = await lab.close(shop);
    const lasts = patches.map(({ patchedAt }, index) => {
      const last = totals.seen.kept[`v${index + 1}`]?.last ?? patchedAt;
      return (last - patchedAt) / 1000;
    });
    const what = 'connections that are kept';
    return [
      plain(`${what}: switches, ${RATE} requests/s`, patches.length, ''),
      atMost(
        `${what}: last answer of the old version after the switch, slowest`,
        Math.max(...lasts),
        's',
        DRAIN_SECONDS + BAR_SECONDS,
      ),
      ...counted(what, totals, 'drain'),
    ];
  },
};

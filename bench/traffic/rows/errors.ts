/** How long people see the errors of a bad version: from its first to its last, with a Prometheus that scrapes each second. */
import type { ReleaseSpecInput } from '../../../src/api/schema.ts';
import { observationOf } from '../../../test/e2e/shop.ts';
import type { Totals } from '../../../test/support/load.ts';
import { SHOP } from '../../../test/support/shop.ts';
import { below, plain, type Row } from '../../row.ts';
import type { TrafficBenchmark } from '../benchmark.ts';
import { DRAIN_SECONDS, RATE } from '../lab.ts';

const ERROR_RATE = 0.2;
const TIMES = 5;

export const errors: TrafficBenchmark = {
  name: 'errors',
  async run(lab, _, say): Promise<Row[]> {
    const shop = await lab.open('bench-errors');
    const traffic = { services: [{ name: SHOP }], drainSeconds: DRAIN_SECONDS };
    await shop.adopt({ gates: [], traffic, observation: quick() });
    for (let round = 0; round < TIMES; round++) {
      say(`bad version ${round + 1} of ${TIMES}`);
      await shop.setVersion(`v${round + 2}`, ERROR_RATE);
      await shop.ends(`r${round + 2}`, 'RolledBack');
      await shop.serveFor(12);
    }
    const { totals } = await lab.close(shop);
    const what = `errors of a version that fails ${ERROR_RATE * 100} % of ${RATE} requests/s`;
    return [
      plain(`${what}: times`, TIMES, ''),
      below(`${what}: first to last on new connections, slowest`, slowest(totals, 'new'), 's', 5),
      plain(`${what}: times that kept connections met them`, met(totals, 'kept').length, ''),
      below(`${what}: first to last on kept connections, slowest`, slowest(totals, 'kept'), 's', 10),
    ];
  },
};

/** The check of the examples, each second, and one bad measurement is enough. */
function quick(): ReleaseSpecInput['observation'] {
  const observation = observationOf(30);
  const checks = (observation?.checks ?? []).map((check) => ({
    ...check,
    intervalSeconds: 1,
    failureLimit: 1,
  }));
  return { ...observation, checks };
}

/** Seconds. */
function slowest(totals: Totals, kind: 'new' | 'kept'): number {
  const spans = met(totals, kind).map(({ first, last }) => (last - first) / 1000);
  return Math.max(0, ...spans);
}

/** Kept connections stay with the old side for a while: a bad version may be gone before it gets one. */
function met({ seen }: Totals, kind: 'new' | 'kept'): { first: number; last: number }[] {
  return Object.values(seen[kind]).flatMap(({ errors: span }) => (span === undefined ? [] : [span]));
}

/**
 * How long after the precondition of a switch is there the switch is done.
 *
 * From: the last event that satisfies the precondition, as a watcher beside the operator sees it (the EndpointSlice of
 * the candidate's twin with every pod ready, and the Deployment that counts them all as available). To: the answer to
 * the patch of the production Service, by the audit log. Compared with a patch of a Service by the same watcher.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVICES } from '../../src/kube/types.ts';
import { SHOP, Shop } from '../../test/integration/operator/shop.ts';
import { eventually } from '../../test/support/eventually.ts';
import { type AuditTail, patchesService } from '../audit.ts';
import type { Benchmark } from '../benchmark.ts';
import { type Lab, ofOperator } from '../lab.ts';
import { median, percentile, wallClock } from '../numbers.ts';
import { below, plain, type Row } from '../row.ts';
import { heardInTime, Watcher } from '../watcher.ts';

const REPLICAS = 2;
/** Enough that each has drained when its turn comes again. */
const SHOPS = 10;
const PATCHES_PER_SWITCH = 3;
const SPEC = { observation: { durationSeconds: 0 }, rollback: { windowSeconds: 0 } };

export const switchLatency: Benchmark = {
  name: 'switch-latency',
  async run(lab, { switches }, say) {
    const operator = await lab.operator();
    say(`adopting ${SHOPS} applications`);
    const shops = await Promise.all(Array.from({ length: SHOPS }, (_, index) => open(lab, index)));
    const audit = lab.audit();
    const watcher = new Watcher(lab.client, SHOP, REPLICAS);
    const latencies: Latency[] = [];
    const patches: number[] = [];
    try {
      for (let round = 0; round < switches; round++) {
        say(`switch ${round + 1} of ${switches}`);
        const shop = shops[round % SHOPS] as Shop;
        latencies.push(await oneSwitch(shop, `v${round + 2}`, watcher, audit));
        for (let each = 0; each < PATCHES_PER_SWITCH; each++) patches.push(await barePatch(lab, shop));
      }
    } finally {
      watcher.stop();
      audit.close();
    }
    await operator.end();
    return rowsOf(latencies, patches);
  },
};

async function open(lab: Lab, index: number): Promise<Shop> {
  const shop = await Shop.open(lab, `bench-switch-${index}`, { replicas: REPLICAS });
  await shop.release(SPEC);
  await shop.settledOn('r1');
  return shop;
}

interface Latency {
  readonly fromSlice: number;
  readonly fromLast: number;
}

async function oneSwitch(shop: Shop, version: string, watcher: Watcher, audit: AuditTail): Promise<Latency> {
  const { status } = await shop.until('have an empty standby', ({ status: { standby, phase } }) => {
    return phase !== 'Switching' && (standby === undefined || (standby.desired === 0 && standby.ready === 0));
  });
  const color = status.active.color === 'blue' ? 'green' : 'blue';
  watcher.look(shop.namespace, color);
  audit.read();
  await shop.version(version);
  const patchedAt = await eventually('the production patch', 60_000, () => productionPatch(shop, audit), 20);
  const { sliceAt, deploymentAt } = await watcher.satisfied();
  return { fromSlice: patchedAt - sliceAt, fromLast: patchedAt - Math.max(sliceAt, deploymentAt) };
}

function productionPatch({ namespace }: Shop, audit: AuditTail): number | undefined {
  const service = { namespace, name: SHOP };
  return audit.read().find((request) => ofOperator(request) && patchesService(request, service))?.doneAt;
}

async function barePatch(lab: Lab, { namespace }: Shop): Promise<number> {
  const path = '/metadata/annotations/bench';
  const operations = [{ op: 'add' as const, path, value: String(wallClock()) }];
  const key = { namespace, name: `${SHOP}-blue` };
  await lab.client.patch(SERVICES, key, {
    type: 'merge',
    body: { metadata: { annotations: { bench: '0' } } },
  });
  await sleep(5);
  const from = wallClock();
  await lab.client.patch(SERVICES, key, { type: 'json', operations });
  return wallClock() - from;
}

function rowsOf(latencies: readonly Latency[], patches: readonly number[]): Row[] {
  const fromLast = latencies.map((latency) => latency.fromLast).filter(heardInTime);
  const fromSlice = latencies.map((latency) => latency.fromSlice).filter(heardInTime);
  const bare = { median: median(patches), p99: percentile(patches, 0.99) };
  return [
    plain('switch: runs', latencies.length, ''),
    plain('switch: of which the witness heard too late', latencies.length - fromLast.length, ''),
    plain('switch: a bare PATCH by the watcher, median', bare.median, 'ms'),
    plain('switch: a bare PATCH by the watcher, p99', bare.p99, 'ms'),
    below('switch: precondition seen to production patched, median', median(fromLast), 'ms', 3 * bare.median),
    below(
      'switch: precondition seen to production patched, p99',
      percentile(fromLast, 0.99),
      'ms',
      10 * bare.p99,
    ),
    plain('switch: EndpointSlice alone seen to production patched, median', median(fromSlice), 'ms'),
    plain('switch: EndpointSlice alone seen to production patched, p99', percentile(fromSlice, 0.99), 'ms'),
  ];
}

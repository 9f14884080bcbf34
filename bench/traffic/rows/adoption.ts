/** A running application is handed to a release, and taken back by deleting it, again and again, while it is used. */
import type { Shop } from '../../../test/e2e/shop.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { applyRelease, SHOP } from '../../../test/support/shop.ts';
import { plain, type Row } from '../../row.ts';
import { sideBySide } from '../../side-by-side.ts';
import type { TrafficBenchmark } from '../benchmark.ts';
import { counted } from '../counted.ts';
import { DRAIN_SECONDS, type Manners, RATE, REPLICAS, type TrafficLab } from '../lab.ts';

const SPEC = {
  gates: [],
  traffic: { services: [{ name: SHOP }], drainSeconds: DRAIN_SECONDS },
  observation: { durationSeconds: 0 },
};
const PATIENCE_MS = 180_000;
/** The pods of both sides and the load of each ask for 0.8 of the two processors of a small machine. */
const AT_ONCE = 2;
const RATE_EACH = RATE / AT_ONCE;

interface Kind {
  readonly manners: Manners;
  readonly unnamedPort: boolean;
}

const KINDS: readonly Kind[] = [
  { manners: 'drain', unnamedPort: false },
  { manners: 'drain', unnamedPort: true },
  { manners: 'exit', unnamedPort: false },
  { manners: 'exit', unnamedPort: true },
];

export const adoption: TrafficBenchmark = {
  name: 'adoption',
  async run(lab, { adoptions }, say): Promise<Row[]> {
    let done = 0;
    const tell = (): void => say(`adopted and given back ${done++} of ${KINDS.length * adoptions}`);
    const rows: Row[] = [];
    await sideBySide(AT_ONCE, KINDS, async (kind) => {
      rows.push(...(await handOver(lab, kind, adoptions, tell)));
    });
    return rows;
  },
};

async function handOver(lab: TrafficLab, kind: Kind, times: number, tell: () => void): Promise<Row[]> {
  const { manners, unnamedPort } = kind;
  const namespace = `bench-adoption-${manners}${unnamedPort ? '-unnamed' : ''}`;
  const shop = await lab.open(namespace, { manners, unnamedPort, rate: RATE_EACH });
  for (let round = 0; round < times; round++) {
    tell();
    await adopt(shop);
    await eject(shop);
  }
  const { totals } = await lab.close(shop);
  const application = manners === 'drain' ? 'drains' : 'exits at once';
  const port = unnamedPort ? 'an unnamed port' : 'a named port';
  const what = `adoption and ejection of an application that ${application}, ${port}`;
  return [plain(`${what}: times, ${RATE_EACH} requests/s`, times, ''), ...counted(what, totals, manners)];
}

async function adopt(shop: Shop): Promise<void> {
  const { target, image } = shop.stage;
  const { namespace } = shop;
  await applyRelease(target, { image, namespace, spec: SPEC });
  await eventually('the adoption', PATIENCE_MS, async () => {
    const { status } = await shop.json('bgr', SHOP);
    const { active, phase } = status ?? {};
    return active?.ready === REPLICAS && ['Idle', 'Committed'].includes(phase) ? true : undefined;
  });
  await shop.serveFor(2);
}

async function eject(shop: Shop): Promise<void> {
  const { target } = shop.stage;
  const { namespace } = shop;
  const args = ['delete', 'bgr', SHOP, '-n', namespace, `--timeout=${PATIENCE_MS / 1000}s`];
  await target.kubectl(args, { timeoutMs: PATIENCE_MS + 5_000 });
  const source = await shop.json('deployment', SHOP);
  if (source.status.readyReplicas !== REPLICAS)
    throw new Error(`after the release ${source.status.readyReplicas ?? 0} pods of the Deployment are ready`);
  await shop.serveFor(2);
}

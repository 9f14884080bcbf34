/**
 * How fast the way back is: from the answer of a metric source that makes the verdict, sent, to the answer to the patch of
 * the production Service; and where the new side has lost all its pods, from the last event that tells so: there is one
 * of production, and one of the Service that shows the side itself.
 */
import { twinName } from '../../../src/api/names.ts';
import { COLORS, type Color } from '../../../src/api/status.ts';
import type { Shop } from '../../../test/e2e/shop.ts';
import type { EndpointsAt } from '../../../test/support/endpoints.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { applyRelease, SHOP } from '../../../test/support/shop.ts';
import { AuditTail } from '../../audit.ts';
import { median } from '../../numbers.ts';
import { below, plain, type Row } from '../../row.ts';
import type { TrafficBenchmark } from '../benchmark.ts';
import { counted } from '../counted.ts';
import { DRAIN_SECONDS, RATE, type TrafficLab } from '../lab.ts';
import { SCRIPTED_SOURCE, ScriptedPrometheus } from '../scripted.ts';

const TRAFFIC = { services: [{ name: SHOP }], drainSeconds: DRAIN_SECONDS };
const OBSERVATION = {
  durationSeconds: 3600,
  checks: [
    {
      name: 'scripted',
      intervalSeconds: 1,
      failureLimit: 1,
      prometheus: { source: SCRIPTED_SOURCE, query: 'scripted', max: '0.5' },
    },
  ],
};

/** Makes the new side bad. Resolves with the time from which the operator could know it. */
type Spoil = (shop: Shop, color: Color) => Promise<number>;

export const rollback: TrafficBenchmark = {
  name: 'rollback',
  async run(lab, { rollbacks }, say): Promise<Row[]> {
    const scripted = await ScriptedPrometheus.deploy(lab.stage);
    const shop = await open(lab);
    const answered = await rounds(lab, shop, rollbacks, 2, () => scripted.answerBadly(), say);
    const watches = new Map(
      [SHOP, ...COLORS.map((color) => twinName(SHOP, color))].map((service) => [
        service,
        lab.watchEndpoints(shop.namespace, service),
      ]),
    );
    const dead: Spoil = async (_, color) => {
      const telling = [SHOP, twinName(SHOP, color)].map((service) => watches.get(service)?.history ?? []);
      const from = telling.map(({ length }) => length);
      await shop.steerAll(color, 'unready');
      return eventually('the endpoints to be empty', 30_000, () => allEmptied(telling, from), 20);
    };
    const died = await rounds(lab, shop, Math.ceil(rollbacks / 2), 2 + rollbacks, dead, say);
    await shop.serveFor(3);
    const { totals } = await lab.close(shop);
    const bare = median([...answered.bare, ...died.bare]);
    return [
      plain(`rollbacks: by a check, ${RATE} requests/s`, answered.latencies.length, ''),
      plain('rollbacks: a bare PATCH, median', bare, 'ms'),
      below('rollbacks: bad answer sent to patched, median', median(answered.latencies), 'ms', 3 * bare),
      plain('rollbacks: of a side that lost all its pods', died.latencies.length, ''),
      below('rollbacks: last endpoint gone to patched, median', median(died.latencies), 'ms', 3 * bare),
      ...counted('rollbacks', totals, 'drain').slice(0, 1),
    ];
  },
};

/** When the last of them told that nobody is left, each from an event of its own on; undefined: one has not yet. */
function allEmptied(
  histories: readonly (readonly EndpointsAt[])[],
  from: readonly number[],
): number | undefined {
  const times = histories.map((each, index) => each.slice(from[index]).find(({ pods }) => pods.length === 0));
  return times.every((time) => time !== undefined) ? Math.max(...times.map(({ at }) => at)) : undefined;
}

async function open(lab: TrafficLab): Promise<Shop> {
  const shop = await lab.open('bench-rollback');
  await shop.adopt({ gates: [], traffic: TRAFFIC, observation: { durationSeconds: 0 } });
  const { target, image } = lab.stage;
  const spec = { gates: [], traffic: TRAFFIC, observation: OBSERVATION };
  await applyRelease(target, { image, namespace: shop.namespace, spec });
  return shop;
}

interface Rounds {
  readonly latencies: number[];
  readonly bare: number[];
}

async function rounds(
  lab: TrafficLab,
  shop: Shop,
  times: number,
  first: number,
  spoil: Spoil,
  say: (doing: string) => void,
): Promise<Rounds> {
  const audit = new AuditTail(lab.stage.cluster.auditLog);
  const taken: Rounds = { latencies: [], bare: [] };
  for (let round = 0; round < times; round++) {
    const name = first + round;
    say(`rollback ${name - 1}`);
    await shop.setVersion(`v${name}`);
    await shop.reaches('Observing', `r${name}`);
    await shop.serveFor(2);
    const color = shop.status.active?.color ?? 'blue';
    audit.read();
    const from = await spoil(shop, color);
    const patchedAt = await eventually('the patch back', 30_000, () => patchOf(shop, audit), 20);
    taken.latencies.push(patchedAt - from);
    await shop.ends(`r${name}`, 'RolledBack');
    for (let each = 0; each < 3; each++) taken.bare.push(await lab.barePatch(shop));
  }
  audit.close();
  return taken;
}

function patchOf({ namespace }: Shop, audit: AuditTail): number | undefined {
  return audit
    .read()
    .find(
      (request) =>
        request.verb === 'patch' &&
        request.resource === 'services' &&
        !request.isDryRun &&
        request.namespace === namespace &&
        request.name === SHOP,
    )?.doneAt;
}

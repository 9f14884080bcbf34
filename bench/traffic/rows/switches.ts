/**
 * Switches under load, one after the other: what became of the requests, how long the operator took from the last event
 * that satisfied the precondition to the answer to its patch, and how long the endpoints took to follow, beside what they
 * take after the same patch by kubectl in the same moment.
 */
import { auditLines } from '../../../test/e2e/audit-log.ts';
import { PATIENCE_MS, type Shop } from '../../../test/e2e/shop.ts';
import { type Switch, switchesIn } from '../../../test/support/audit.ts';
import { aloneSince, type EndpointsHistory } from '../../../test/support/endpoints.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { SHOP } from '../../../test/support/shop.ts';
import { apply } from '../../../test/support/target.ts';
import { AuditTail } from '../../audit.ts';
import { median, percentile } from '../../numbers.ts';
import { atMost, below, plain, type Row } from '../../row.ts';
import { heardInTime, Watcher } from '../../watcher.ts';
import type { TrafficBenchmark } from '../benchmark.ts';
import { counted } from '../counted.ts';
import { DRAIN_SECONDS, type Manners, RATE, REPLICAS, type TrafficLab } from '../lab.ts';
import { patchAtOnce } from '../patch-at-once.ts';

const SPEC = {
  gates: [],
  traffic: { services: [{ name: SHOP }], drainSeconds: DRAIN_SECONDS },
  observation: { durationSeconds: 0 },
  rollback: { windowSeconds: 600 },
};
const PATCHES_PER_SWITCH = 3;

export const switches: TrafficBenchmark = {
  name: 'switches',
  run: (lab, sizes, say) => switchesOf('drain', lab, sizes.switches, say),
};

export const switchesOfAbrupt: TrafficBenchmark = {
  name: 'switches-abrupt',
  run: (lab, sizes, say) => switchesOf('exit', lab, sizes.switches, say),
};

const CALLED: Record<Manners, string> = {
  drain: 'switches of an application that drains',
  exit: 'switches of an application that exits at once',
};

interface Taken {
  /** Milliseconds from the precondition, as seen from outside, to the patch answered. */
  readonly toPatch: number[];
  /** Milliseconds of patches that mean nothing. */
  readonly bare: number[];
}

async function switchesOf(
  manners: Manners,
  lab: TrafficLab,
  times: number,
  say: (doing: string) => void,
): Promise<Row[]> {
  const shop = await lab.open(`bench-switches-${manners}`, { manners });
  await shop.adopt(SPEC);
  const endpoints = lab.watchEndpoints(shop.namespace);
  const byHand = await plainService(lab, shop);
  const watcher = new Watcher(lab.client, SHOP, REPLICAS);
  const audit = new AuditTail(lab.stage.cluster.auditLog);
  const taken: Taken = { toPatch: [], bare: [] };
  try {
    for (let round = 0; round < times; round++) {
      say(`switch ${round + 1} of ${times}`);
      taken.toPatch.push(await oneSwitch(shop, round + 2, watcher, audit, byHand));
      for (let each = 0; each < PATCHES_PER_SWITCH; each++) taken.bare.push(await lab.barePatch(shop));
    }
  } finally {
    watcher.stop();
    audit.close();
  }
  await shop.serveFor(3);
  const byKubectl = byHand.followed();
  const byOperator = followed(shop.switches().slice(1), endpoints);
  const { totals } = await lab.close(shop);
  const what = CALLED[manners];
  return [
    plain(`${what}, ${RATE} requests/s`, times, ''),
    ...counted(what, totals, manners),
    ...latencyRows(what, taken),
    plain(`${what}: patch to endpoints of the new side alone, median`, median(byOperator), 'ms'),
    plain(`${what}: the same after the same patch by kubectl, median`, median(byKubectl), 'ms'),
    atMost(`${what}: ratio of these two`, median(byOperator) / median(byKubectl), '', 1.2),
  ];
}

/** Version and revision have the same number. */
async function oneSwitch(
  shop: Shop,
  number: number,
  watcher: Watcher,
  audit: AuditTail,
  byHand: PlainService,
): Promise<number> {
  const color = shop.status.active?.color === 'blue' ? 'green' : 'blue';
  watcher.look(shop.namespace, color);
  audit.read();
  const pointing = byHand.pointsWhen(watcher.satisfied(PATIENCE_MS), color);
  await shop.setVersion(`v${number}`);
  const patch = eventually('the production patch', PATIENCE_MS, () => productionPatch(shop, audit), 20);
  const [patchedAt, { sliceAt, deploymentAt }] = await Promise.all([patch, pointing]);
  await shop.ends(`r${number}`, 'Committed');
  return patchedAt - Math.max(sliceAt, deploymentAt);
}

function productionPatch({ namespace }: Shop, audit: AuditTail): number | undefined {
  const isIt = (request: ReturnType<AuditTail['read']>[number]): boolean =>
    request.verb === 'patch' &&
    request.resource === 'services' &&
    request.namespace === namespace &&
    request.name === SHOP &&
    !request.isDryRun;
  return audit.read().find(isIt)?.doneAt;
}

/** Milliseconds from each patch to the event that tells of the pods of its colour alone. */
function followed(patches: readonly Switch[], { history }: EndpointsHistory): number[] {
  return patches.flatMap(({ patchedAt, color }) => {
    // The event may arrive before the audit log has its line: both are of the same patch.
    const at = aloneSince(history, `${SHOP}-${color}`, patchedAt - 5);
    return at === undefined ? [] : [Math.max(0, at - patchedAt)];
  });
}

const PLAIN = 'plain';

interface PlainService {
  /** `kubectl patch` to a side, in the moment in which it is ready. */
  readonly pointsWhen: <T>(isReady: Promise<T>, color: string) => Promise<T>;
  /** Milliseconds that its endpoints took to follow each of them. */
  readonly followed: () => number[];
}

/** A Service beside the release's: it has the traffic of nobody, and the same pods. */
async function plainService(lab: TrafficLab, { namespace }: Shop): Promise<PlainService> {
  const { target, cluster } = lab.stage;
  const selector = { app: SHOP, 'bluegreen.dev/color': 'blue' };
  const spec = { selector, ports: [{ port: 80, targetPort: 'http' }] };
  await apply(target, [{ apiVersion: 'v1', kind: 'Service', metadata: { name: PLAIN, namespace }, spec }]);
  const endpoints = lab.watchEndpoints(namespace, PLAIN);
  await eventually('its endpoints', 30_000, () => (endpoints.history.length > 0 ? true : undefined));
  return {
    pointsWhen: async (isReady, value) => {
      const waiting = patchAtOnce(target, namespace, PLAIN);
      try {
        const seen = await isReady;
        await waiting.send([{ op: 'replace', path: '/spec/selector/bluegreen.dev~1color', value }]);
        return seen;
      } finally {
        waiting.cancel();
      }
    },
    followed: () => followed(switchesIn(auditLines(cluster.auditLog), { namespace, name: PLAIN }), endpoints),
  };
}

function latencyRows(what: string, { toPatch: all, bare }: Taken): Row[] {
  const name = `${what}: precondition seen to production patched`;
  const toPatch = all.filter(heardInTime);
  return [
    plain(`${what}: of which the witness heard too late`, all.length - toPatch.length, ''),
    plain(`${what}: a bare PATCH, median`, median(bare), 'ms'),
    plain(`${what}: a bare PATCH, p99`, percentile(bare, 0.99), 'ms'),
    below(`${name}, median`, median(toPatch), 'ms', 3 * median(bare)),
    below(`${name}, p99`, percentile(toPatch, 0.99), 'ms', 10 * percentile(bare, 0.99)),
  ];
}

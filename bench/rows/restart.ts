/**
 * The operator goes between the moment a candidate is ready and the switch. The candidate's pods wait for a node until
 * the operator is gone; so the switch is always the new process's.
 */
import { ENDPOINT_SLICES, type EndpointSlice, NODES } from '../../src/kube/types.ts';
import { SHOP, Shop } from '../../test/integration/operator/shop.ts';
import { eventually } from '../../test/support/eventually.ts';
import { type AuditTail, patchesService, type Request } from '../audit.ts';
import type { Benchmark, Say, Sizes } from '../benchmark.ts';
import { type Lab, ofOperator } from '../lab.ts';
import { median, wallClock } from '../numbers.ts';
import type { MeasuredOperator } from '../operator.ts';
import { below, plain, type Row } from '../row.ts';

const REPLICAS = 2;
const NAMESPACE = 'bench-restart';
const SPEC = { observation: { durationSeconds: 0 }, rollback: { windowSeconds: 0 } };

export const restart: Benchmark = {
  name: 'restart',
  async run(lab, { restarts }, say) {
    let operator = await (await lab.candidate('one')).works();
    const shop = await Shop.open(lab, NAMESPACE, { replicas: REPLICAS });
    await shop.release(SPEC);
    await shop.settledOn('r1');
    const killed: number[] = [];
    for (let round = 1; round <= restarts; round++) {
      say(`SIGKILL ${round} of ${restarts}`);
      const after = await afterKill(lab, shop, operator, round + 1);
      killed.push(after.ms);
      operator = after.operator;
    }
    const { ms: handedOver, last } = await handOvers({ lab, sizes: { restarts }, say, shop, operator });
    await last.end();
    return rowsOf(killed, handedOver);
  },
};

interface After {
  readonly ms: number;
  readonly operator: MeasuredOperator;
}

/** From the start of the process to the production patch; its identity is the dead one's, as that of a pod is. */
async function afterKill(lab: Lab, shop: Shop, old: MeasuredOperator, round: number): Promise<After> {
  const audit = await candidateWaits(lab, shop, round);
  old.signal('SIGKILL');
  await eventually('the operator to be gone', 5_000, () => !old.running || undefined, 5);
  await cordon(lab, false);
  await candidateReady(lab, shop, round);
  const operator = await lab.candidate('one');
  const ms = (await patched(audit, shop)) - operator.startedAt;
  return { ms, operator };
}

interface HandOvers {
  readonly lab: Lab;
  readonly sizes: Pick<Sizes, 'restarts'>;
  readonly say: Say;
  readonly shop: Shop;
  readonly operator: MeasuredOperator;
}

async function handOvers({
  lab,
  sizes,
  say,
  shop,
  operator,
}: HandOvers): Promise<{ ms: number[]; last: MeasuredOperator }> {
  const ms: number[] = [];
  let last = operator;
  for (let round = 1; round <= sizes.restarts; round++) {
    say(`SIGTERM ${round} of ${sizes.restarts}`);
    const after = await afterTerm(lab, shop, last, sizes.restarts + round + 1);
    ms.push(after.ms);
    last = after.operator;
  }
  return { ms, last };
}

/**
 * From the signal to the production patch of the standby replica. The leader is held still while the candidate becomes
 * ready: when it goes on it has its signal, and leaves the switch to the other.
 */
async function afterTerm(lab: Lab, shop: Shop, old: MeasuredOperator, round: number): Promise<After> {
  const operator = await lab.candidate(`standby-${round}`);
  await eventually(
    'the standby to have its caches',
    60_000,
    async () => (await operator.ready()) || undefined,
  );
  const audit = await candidateWaits(lab, shop, round);
  old.signal('SIGSTOP');
  await cordon(lab, false);
  await candidateReady(lab, shop, round);
  const from = wallClock();
  old.signal('SIGTERM');
  old.signal('SIGCONT');
  return { ms: (await patched(audit, shop)) - from, operator };
}

/** Everything is there but a node for the candidate's pods. */
async function candidateWaits(lab: Lab, shop: Shop, round: number): Promise<AuditTail> {
  await shop.until('have an empty standby', ({ status: { standby, phase } }) => {
    return phase === 'Idle' && (standby === undefined || (standby.desired === 0 && standby.ready === 0));
  });
  await cordon(lab, true);
  const audit = lab.audit();
  await shop.version(`v${round}`);
  await shop.until(
    'wait for its candidate',
    ({ status }) => status.candidate?.desired === REPLICAS && /: 0\/|waiting/.test(status.message),
  );
  return audit;
}

async function cordon({ client }: Lab, unschedulable: boolean): Promise<void> {
  const nodes = await client.list(NODES);
  await Promise.all(
    nodes.map(({ metadata }) =>
      client.patch(NODES, { name: metadata.name }, { type: 'merge', body: { spec: { unschedulable } } }),
    ),
  );
}

async function candidateReady({ client }: Lab, { namespace }: Shop, round: number): Promise<void> {
  const twin = `${SHOP}-${round % 2 === 0 ? 'green' : 'blue'}`;
  await eventually('the candidate to be ready', 60_000, async () => {
    const scope = { namespace, labelSelector: `kubernetes.io/service-name=${twin}` };
    const slices = await client.list<EndpointSlice>(ENDPOINT_SLICES, scope);
    const ready = slices
      .flatMap(({ endpoints }) => endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready);
    return ready.length >= REPLICAS || undefined;
  });
}

async function patched(audit: AuditTail, { namespace }: Shop): Promise<number> {
  const service = { namespace, name: SHOP };
  const isIt = (request: Request): boolean => ofOperator(request) && patchesService(request, service);
  const at = await eventually('the production patch', 60_000, () => audit.read().find(isIt)?.doneAt, 20);
  audit.close();
  return at;
}

function rowsOf(killed: readonly number[], handedOver: readonly number[]): Row[] {
  return [
    plain('restart: runs of each', killed.length, ''),
    plain('restart: SIGKILL, process started to production patched, median', median(killed) / 1000, 's'),
    below(
      'restart: SIGKILL, process started to production patched, slowest',
      Math.max(...killed) / 1000,
      's',
      2,
    ),
    plain(
      'restart: SIGTERM with a standby, signal to production patched, median',
      median(handedOver) / 1000,
      's',
    ),
    below(
      'restart: SIGTERM with a standby, signal to production patched, slowest',
      Math.max(...handedOver) / 1000,
      's',
      1,
    ),
  ];
}

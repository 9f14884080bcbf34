/**
 * The operator goes between the moment a candidate is ready and the switch. The candidate's pods wait for a node until
 * the operator is gone; so the switch is always the new process's.
 */
import { ENDPOINT_SLICES, type EndpointSlice, NODES } from '../../src/kube/types.ts';
import { SHOP, Shop } from '../../test/integration/operator/shop.ts';
import { eventually } from '../../test/support/eventually.ts';
import { type AuditTail, patchesService, type Request } from '../audit.ts';
import type { Benchmark } from '../benchmark.ts';
import { type Lab, ofOperator } from '../lab.ts';
import { median, wallClock } from '../numbers.ts';
import type { MeasuredOperator } from '../operator.ts';
import { below, plain, type Row } from '../row.ts';

const REPLICAS = 2;
const NAMESPACE = 'bench-restart';
/** The operator's default. */
const LEASE_SECONDS = 15;
const SPEC = { observation: { durationSeconds: 0 }, rollback: { windowSeconds: 0 } };

export const restart: Benchmark = {
  name: 'restart',
  async run(lab, { restarts }, say) {
    let operator = await (await lab.candidate('one')).works();
    const shop = await Shop.open(lab, NAMESPACE, { replicas: REPLICAS });
    await shop.release(SPEC);
    await shop.settledOn('r1');
    const killed: number[] = [];
    let round = 1;
    for (let count = 1; count <= restarts; count++) {
      say(`SIGKILL ${count} of ${restarts}`);
      round += 1;
      const after = await afterKill(lab, shop, operator, round);
      killed.push(after.ms);
      operator = after.operator;
    }
    const handed: Record<Loss, number[]> = { SIGTERM: [], 'lost node': [] };
    for (const loss of LOSSES) {
      for (let count = 1; count <= restarts; count++) {
        say(`${loss} ${count} of ${restarts}`);
        round += 1;
        const after = await afterLoss(lab, shop, operator, round, loss);
        handed[loss].push(after.ms);
        operator = after.operator;
      }
    }
    await operator.end();
    return rowsOf(killed, handed);
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

/** What becomes of a leader whose standby takes over, and from when its loss counts. */
const LOSSES = ['SIGTERM', 'lost node'] as const;
type Loss = (typeof LOSSES)[number];
const ENDS: Readonly<
  Record<Loss, { readonly signals: readonly NodeJS.Signals[]; readonly counts: 'held' | 'signalled' }>
> = {
  SIGTERM: { signals: ['SIGTERM', 'SIGCONT'], counts: 'signalled' },
  'lost node': { signals: ['SIGKILL'], counts: 'held' },
};

/**
 * To the production patch of the standby replica. The leader is held still while the candidate becomes ready: one that
 * goes on then has its signal, and leaves the switch to the other; one on a lost node was lost when it was held.
 */
async function afterLoss(
  lab: Lab,
  shop: Shop,
  old: MeasuredOperator,
  round: number,
  loss: Loss,
): Promise<After> {
  const operator = await lab.candidate(`standby-${round}`);
  await eventually(
    'the standby to have its caches',
    60_000,
    async () => (await operator.ready()) || undefined,
  );
  const audit = await candidateWaits(lab, shop, round);
  const held = wallClock();
  old.signal('SIGSTOP');
  await cordon(lab, false);
  await candidateReady(lab, shop, round);
  const signalled = wallClock();
  const { signals, counts } = ENDS[loss];
  for (const signal of signals) old.signal(signal);
  return { ms: (await patched(audit, shop)) - { held, signalled }[counts], operator };
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

function rowsOf(killed: readonly number[], handed: Readonly<Record<Loss, readonly number[]>>): Row[] {
  return [
    plain('restart: runs of each', killed.length, ''),
    ...timed('restart: SIGKILL, process started to production patched', killed, 2),
    ...timed('restart: SIGTERM with a standby, signal to production patched', handed.SIGTERM, 1),
    ...timed(
      'restart: lost node with a standby, leader lost to production patched',
      handed['lost node'],
      LEASE_SECONDS,
    ),
  ];
}

function timed(what: string, ms: readonly number[], barSeconds: number): Row[] {
  return [
    plain(`${what}, median`, median(ms) / 1000, 's'),
    below(`${what}, slowest`, Math.max(...ms) / 1000, 's', barSeconds),
  ];
}

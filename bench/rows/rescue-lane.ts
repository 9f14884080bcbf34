/**
 * A rollback that is wanted while the operator has much else to do: how long until its patch leaves, compared with an
 * operator that has nothing else to do. Once while it looks at thousands of others, as each process does that begins:
 * then what counts is its queue. Once while others are released: then the API server, the controllers and the nodes want
 * the same processors, and what the operator waits for one is told too.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ANNOTATION_ACTION } from '../../src/api/names.ts';
import { type BlueGreenReleaseObject, RELEASES } from '../../src/api/resource.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import { eventually } from '../../test/support/eventually.ts';
import { patchesService } from '../audit.ts';
import type { Benchmark, Say } from '../benchmark.ts';
import type { Copy } from '../copies.ts';
import { type Lab, ofOperator } from '../lab.ts';
import { median, wallClock } from '../numbers.ts';
import type { MeasuredOperator } from '../operator.ts';
import { below, plain, type Row } from '../row.ts';
import { sideBySide } from '../side-by-side.ts';
import { changeSource } from './crowd.ts';

const ROLLBACKS = 8;
const APART_MS = 250;
const BAR_MS = 100;
/** The attempt that the copied release is in: adopted, then released once. */
const ORDER = 'rollback@2';

export const rescueLane: Benchmark = {
  name: 'rescue-lane',
  async *run(lab, { reconciled, others }, say) {
    const inWindow = await lab.fixture('in its window', say);
    await inWindow.grow(3 * ROLLBACKS, say);
    const [first, second, third] = [0, 1, 2].map((part) =>
      inWindow.copies.slice(part * ROLLBACKS, (part + 1) * ROLLBACKS),
    ) as [Copy[], Copy[], Copy[]];
    const idle = await whileIdle(lab, first, inWindow.copies.length, say);
    yield idleRows(idle);
    yield rowsOf(
      `${reconciled} releases that are looked at`,
      idle,
      await whileLooking(lab, second, reconciled, say),
      BAR_MS,
    );
    yield rowsOf(`${others} releases under way`, idle, await whileReleasing(lab, third, others, say));
  },
};

/** Rollbacks, with the depth of the queue after the last one: at 0 there was nothing to be behind. */
interface Crowded {
  readonly delays: readonly Delay[];
  readonly depth: number;
}

async function whileIdle(lab: Lab, copies: readonly Copy[], releases: number, say: Say): Promise<Delay[]> {
  await lab.calm(say);
  const operator = await lab.operator();
  await operator.idle(releases);
  const delays = await rollBackEach(lab, operator, copies, say);
  await operator.end();
  return delays;
}

/** A process that begins looks at all releases. */
async function whileLooking(lab: Lab, copies: readonly Copy[], others: number, say: Say): Promise<Crowded> {
  const atRest = await lab.fixture('at rest', say);
  await atRest.grow(others, say);
  await lab.calm(say);
  return rollBackAmong(lab, await lab.operator(), copies, say);
}

async function whileReleasing(lab: Lab, copies: readonly Copy[], others: number, say: Say): Promise<Crowded> {
  const toRelease = await lab.fixture('to be released', say);
  await toRelease.grow(others, say);
  await lab.calm(say);
  const operator = await lab.operator();
  await operator.idle(toRelease.copies.length);
  const crowd = releaseOthers(lab, toRelease.copies.slice(0, others));
  await busy(operator, others, say);
  const crowded = await rollBackAmong(lab, operator, copies, say);
  await crowd;
  return crowded;
}

async function rollBackAmong(
  lab: Lab,
  operator: MeasuredOperator,
  copies: readonly Copy[],
  say: Say,
): Promise<Crowded> {
  const delays = await rollBackEach(lab, operator, copies, say);
  const depth = await operator.metric('workqueue_depth');
  await operator.end();
  return { delays, depth };
}

/** Until the patch was received, in milliseconds. */
interface Delay {
  /** From the order's answer. */
  readonly ordered: number;
  /** From the moment a watcher beside the operator saw the order. */
  readonly seen: number;
  /** For which the operator could have run, and had no processor, from just before the order. */
  readonly waited: number;
}

async function rollBackEach(
  lab: Lab,
  operator: MeasuredOperator,
  copies: readonly Copy[],
  say: Say,
): Promise<Delay[]> {
  const delays: Delay[] = [];
  for (const copy of copies) {
    say(`rollback ${delays.length + 1} of ${copies.length}`);
    delays.push(await rollBack(lab, operator, copy));
    await sleep(APART_MS);
  }
  return delays;
}

async function rollBack(lab: Lab, operator: MeasuredOperator, copy: Copy): Promise<Delay> {
  const audit = lab.audit();
  const watcher = new AbortController();
  const seenAt = orderSeen(lab, copy, watcher.signal);
  const body = { metadata: { annotations: { [ANNOTATION_ACTION]: ORDER } } };
  await sleep(50);
  const waitedBefore = operator.waitedMs();
  await lab.client.patch(RELEASES, copy, { type: 'merge', body });
  const orderedAt = wallClock();
  const leftAt = await eventually(
    `the rollback of ${copy.name}`,
    60_000,
    () => audit.read().find((request) => ofOperator(request) && patchesService(request, copy))?.at,
    20,
  );
  const waited = operator.waitedMs() - waitedBefore;
  const seen = leftAt - ((await seenAt) ?? orderedAt);
  watcher.abort();
  audit.close();
  return { ordered: leftAt - orderedAt, seen, waited };
}

/** undefined: the API server was too busy to go on with the watch. */
async function orderSeen(
  { client }: Lab,
  { namespace, name }: Copy,
  signal: AbortSignal,
): Promise<number | undefined> {
  const scope = { namespace, fieldSelector: `metadata.name=${name}`, signal };
  try {
    for await (const event of client.watch<BlueGreenReleaseObject>(RELEASES, scope)) {
      if (event.type !== 'BOOKMARK' && event.object.metadata.annotations?.[ANNOTATION_ACTION] === ORDER)
        return wallClock();
    }
  } catch (error) {
    if (!isKubeError(error, 'Timeout')) throw error;
  }
  return undefined;
}

async function releaseOthers(lab: Lab, copies: readonly Copy[]): Promise<void> {
  const version = `rescue-${Math.round(wallClock())}`;
  await sideBySide(32, copies, (copy) => changeSource(lab, copy, version));
}

/** A good part of the others has been seen. */
async function busy(operator: MeasuredOperator, others: number, say: Say): Promise<void> {
  const before = await operator.metric('controller_runtime_reconcile_total');
  await eventually(
    'the operator to be busy',
    60_000,
    async () => {
      say('waiting until the others keep the operator busy');
      const done = await operator.metric('controller_runtime_reconcile_total');
      return done - before > Math.min(others, 200) || undefined;
    },
    50,
  );
}

const ORDERED = 'order answered to patch received';
const SEEN = 'order seen by a watcher to patch received';

function idleRows(delays: readonly Delay[]): Row[] {
  return [
    plain(`rollback, idle: ${SEEN}, median`, median(delays.map(({ seen }) => seen)), 'ms'),
    plain(`rollback, idle: ${ORDERED}, median`, median(delays.map(({ ordered }) => ordered)), 'ms'),
  ];
}

/** `bar`, in milliseconds: where nothing but the operator could be what takes longer. */
function rowsOf(among: string, idle: readonly Delay[], { delays, depth }: Crowded, bar?: number): Row[] {
  const name = (what: string): string => `rollback among ${among}: ${what}`;
  const [slowest] = delays.toSorted((a, b) => b.seen - a.seen) as [Delay];
  const more = slowest.seen - median(idle.map(({ seen }) => seen));
  const moreName = name(`${SEEN}, slowest, more than idle`);
  return [
    plain(name('keys waiting in the queue after the last one'), depth, ''),
    plain(name(`${SEEN}, median`), median(delays.map(({ seen }) => seen)), 'ms'),
    bar === undefined ? plain(moreName, more, 'ms') : below(moreName, more, 'ms', bar),
    plain(name('of the slowest, the operator could have run and had no processor'), slowest.waited, 'ms'),
    plain(name(`${ORDERED}, slowest`), Math.max(...delays.map(({ ordered }) => ordered)), 'ms'),
  ];
}

/**
 * A rollback that is wanted while many others are released: how long until its patch leaves, compared with an operator
 * that has nothing else to do.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ANNOTATION_ACTION } from '../../src/api/names.ts';
import { type BlueGreenReleaseObject, RELEASES } from '../../src/api/resource.ts';
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
/** The attempt that the copied release is in: adopted, then released once. */
const ORDER = 'rollback@2';

export const rescueLane: Benchmark = {
  name: 'rescue-lane',
  async run(lab, { others }, say) {
    const inWindow = await lab.fixture('in its window', say);
    await inWindow.grow(2 * ROLLBACKS, say);
    const toRelease = await lab.fixture('to be released', say);
    await toRelease.grow(others, say);
    const operator = await lab.operator();
    const releases = inWindow.copies.length + toRelease.copies.length;
    await eventually('an idle operator', 300_000, async () => {
      const done = await operator.metric('controller_runtime_reconcile_total');
      return (done >= releases && (await operator.metric('workqueue_depth')) === 0) || undefined;
    });
    const idle = await rollBackEach(lab, inWindow.copies.slice(0, ROLLBACKS), say);
    const crowd = releaseOthers(lab, toRelease.copies.slice(0, others));
    await busy(operator, others, say);
    const crowded = await rollBackEach(lab, inWindow.copies.slice(ROLLBACKS), say);
    const depth = await operator.metric('workqueue_depth');
    await crowd;
    await operator.end();
    return rowsOf(others, depth, idle, crowded);
  },
};

interface Delay {
  /** From the order's answer. */
  readonly ordered: number;
  /** From the moment a watcher beside the operator saw the order. */
  readonly seen: number;
}

async function rollBackEach(lab: Lab, copies: readonly Copy[], say: Say): Promise<Delay[]> {
  const delays: Delay[] = [];
  for (const copy of copies) {
    say(`rollback ${delays.length + 1} of ${copies.length}`);
    delays.push(await rollBack(lab, copy));
    await sleep(APART_MS);
  }
  return delays;
}

async function rollBack(lab: Lab, copy: Copy): Promise<Delay> {
  const audit = lab.audit();
  const watcher = new AbortController();
  const seenAt = orderSeen(lab, copy, watcher.signal);
  const body = { metadata: { annotations: { [ANNOTATION_ACTION]: ORDER } } };
  await sleep(50);
  await lab.client.patch(RELEASES, copy, { type: 'merge', body });
  const orderedAt = wallClock();
  const leftAt = await eventually(
    `the rollback of ${copy.name}`,
    60_000,
    () => audit.read().find((request) => ofOperator(request) && patchesService(request, copy))?.at,
    20,
  );
  const seen = leftAt - (await seenAt);
  watcher.abort();
  audit.close();
  return { ordered: leftAt - orderedAt, seen };
}

async function orderSeen({ client }: Lab, { namespace, name }: Copy, signal: AbortSignal): Promise<number> {
  const scope = { namespace, fieldSelector: `metadata.name=${name}`, signal };
  for await (const event of client.watch<BlueGreenReleaseObject>(RELEASES, scope)) {
    if (event.type !== 'BOOKMARK' && event.object.metadata.annotations?.[ANNOTATION_ACTION] === ORDER)
      return wallClock();
  }
  throw new Error(`the watch of ${name} ended before the order was seen`);
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

function rowsOf(others: number, depth: number, idle: readonly Delay[], crowded: readonly Delay[]): Row[] {
  const name = (what: string): string => `rollback among ${others} releases under way: ${what}`;
  const seen = { idle: idle.map((each) => each.seen), crowded: crowded.map((each) => each.seen) };
  const ordered = { idle: idle.map((each) => each.ordered), crowded: crowded.map((each) => each.ordered) };
  return [
    plain(name('keys waiting in the queue after the last one'), depth, ''),
    plain(name('order seen by a watcher to patch received, idle, median'), median(seen.idle), 'ms'),
    plain(name('order seen by a watcher to patch received, median'), median(seen.crowded), 'ms'),
    below(
      name('order seen by a watcher to patch received, slowest, more than idle'),
      Math.max(...seen.crowded) - median(seen.idle),
      'ms',
      100,
    ),
    plain(name('order answered to patch received, idle, median'), median(ordered.idle), 'ms'),
    plain(name('order answered to patch received, slowest'), Math.max(...ordered.crowded), 'ms'),
  ];
}

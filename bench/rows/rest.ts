/** What releases cost while nothing happens, and how long the operator takes until it has looked at each. */
import { setTimeout as sleep } from 'node:timers/promises';
import { count, type Request, sortOf } from '../audit.ts';
import type { Benchmark, Say } from '../benchmark.ts';
import type { Fixture } from '../fixture.ts';
import { type Lab, ofOperator } from '../lab.ts';
import { wallClock } from '../numbers.ts';
import type { MeasuredOperator } from '../operator.ts';
import { atMost, below, plain, type Row } from '../row.ts';
import { parts } from './parts.ts';

const MEASURED_MS = 60_000;
const SETTLED_MS = 15_000;

interface Rest {
  readonly releases: number;
  readonly startSeconds: number;
  readonly cpuPercent: number;
  readonly startCpuSeconds: number;
  readonly residentMiB: number;
  readonly asked: readonly Request[];
}

export const rest: Benchmark = {
  name: 'rest',
  async *run(lab, { releases }, say) {
    const fixture = await lab.fixture('at rest', say);
    const empty = await measure(lab, fixture, say);
    for (const size of releases) {
      await fixture.grow(size, say);
      yield rowsOf(await measure(lab, fixture, say), empty);
    }
  },
};

async function measure(lab: Lab, { copies }: Fixture, say: Say): Promise<Rest> {
  const releases = copies.length;
  await lab.calm(say);
  say(`starting the operator with ${releases} releases`);
  const operator = await lab.candidate('rest');
  const startSeconds = ((await observed(operator, releases)) - operator.startedAt) / 1000;
  const startCpuSeconds = operator.cpuSeconds();
  say(`${releases} releases come to rest`);
  await settled(lab);
  say(`${releases} releases at rest for ${MEASURED_MS / 1000} s`);
  const audit = lab.audit();
  const before = { cpu: operator.cpuSeconds(), at: wallClock() };
  await sleep(MEASURED_MS);
  const cpuPercent = (100 * (operator.cpuSeconds() - before.cpu)) / ((wallClock() - before.at) / 1000);
  const residentMiB = operator.residentMiB();
  const asked = audit.read().filter(ofOperator);
  audit.close();
  await operator.end();
  return { releases, startSeconds, startCpuSeconds, cpuPercent, residentMiB, asked };
}

/** When every release has been reconciled once and no key waits. */
async function observed(operator: MeasuredOperator, releases: number): Promise<number> {
  await operator.works(300_000);
  // An answer has a line for each release, which costs the operator 40 ms where there are ten thousand.
  const pauseMs = 50 + releases / 5;
  for (;;) {
    const at = wallClock();
    const done = await operator.metric('controller_runtime_reconcile_total');
    if (done >= releases && (await operator.metric('workqueue_depth')) === 0) return at;
    await sleep(pauseMs);
  }
}

/** The first look may find something to tell. */
async function settled(lab: Lab): Promise<void> {
  const audit = lab.audit();
  const isWork = (request: Request): boolean =>
    ofOperator(request) && !['watch', 'lease'].includes(sortOf(request));
  do await sleep(SETTLED_MS);
  while (audit.read().some(isWork));
  audit.close();
}

function rowsOf(measured: Rest, empty: Rest): Row[] {
  const { releases, asked } = measured;
  const name = (what: string): string => `${releases} releases: ${what}`;
  const growth = (1024 * (measured.residentMiB - empty.residentMiB)) / releases;
  return [
    below(name('operator started to all observed'), measured.startSeconds, 's', 60),
    plain(name('CPU of the start'), measured.startCpuSeconds, 's'),
    atMost(name('at rest, writes in a minute'), count(asked, 'write') + count(asked, 'event'), '', 0),
    atMost(
      name('at rest, reads and lists in a minute'),
      count(asked, 'read') + count(asked, 'dry run'),
      '',
      0,
    ),
    ...parts(asked, 'write'),
    ...parts(asked, 'read'),
    below(name('at rest, CPU of a core'), measured.cpuPercent, '%', 1),
    below(name('at rest, resident'), measured.residentMiB, 'MiB', 400),
    plain(name('resident without any'), empty.residentMiB, 'MiB'),
    plain(name('resident growth per release'), growth, 'KiB'),
  ];
}

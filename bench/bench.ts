/** `npm run bench`: measures what the operator costs, and says which bars it misses. */
import type { Benchmark } from './benchmark.ts';
import { Lab } from './lab.ts';
import { commit, machineFacts } from './machine.ts';
import { type Options, parseOptions, USAGE } from './options.ts';
import { progress, report, runProcess } from './report.ts';
import type { Row } from './row.ts';
import { crowd } from './rows/crowd.ts';
import { requests } from './rows/requests.ts';
import { rescueLane } from './rows/rescue-lane.ts';
import { rest } from './rows/rest.ts';
import { restart } from './rows/restart.ts';
import { stores } from './rows/stores.ts';
import { switchLatency } from './rows/switch-latency.ts';

/** Those that need an empty cluster come first. */
const BENCHMARKS: readonly Benchmark[] = [requests, switchLatency, restart, stores, rest, crowd, rescueLane];

async function main(options: Options): Promise<void> {
  const unknown = options.only.find((name) => !BENCHMARKS.some((benchmark) => benchmark.name === name));
  if (unknown !== undefined) throw new Error(`--only: there is no benchmark "${unknown}"`);
  const chosen = BENCHMARKS.filter(({ name }) => options.only.length === 0 || options.only.includes(name));
  const machine = machineFacts();
  const version = commit();
  const { releases, crowd: many, others } = options.sizes;
  const lab = await Lab.start(2 * Math.max(...releases, many, others), options.profile, progress('cluster'));
  const rows: Row[] = [];
  try {
    for (const benchmark of chosen) {
      const measured = benchmark.run(lab, options.sizes, progress(benchmark.name));
      if (measured instanceof Promise) rows.push(...(await measured));
      else for await (const some of measured) rows.push(...some);
    }
  } finally {
    const command = ['npm run bench --', ...process.argv.slice(2)].join(' ');
    const kubernetes = lab.cluster.kubernetesVersion;
    await report({ machine: { ...machine, kubernetes }, commit: version, command, rows }, options.json);
    await lab.stop();
  }
}

await runProcess(async () => {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined)
    process.stdout.write(USAGE.replace('NAMES', BENCHMARKS.map(({ name }) => name).join(', ')));
  else await main(options);
});

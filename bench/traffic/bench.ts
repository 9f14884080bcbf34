/** `npm run bench:traffic`: counts requests on a real node, and says which bars are missed. */
import { commandLine, oneOf } from '../../test/support/command-line.ts';
import { commit, machineFacts } from '../machine.ts';
import { markdown } from '../markdown.ts';
import { progress, runProcess, save } from '../report.ts';
import type { Row } from '../row.ts';
import type { TrafficBenchmark } from './benchmark.ts';
import { TrafficLab } from './lab.ts';
import { type Options, parseOptions, USAGE } from './options.ts';
import { adoption } from './rows/adoption.ts';
import { errors } from './rows/errors.ts';
import { keeper } from './rows/keeper.ts';
import { kept } from './rows/kept.ts';
import { rollback } from './rows/rollback.ts';
import { switches, switchesOfAbrupt } from './rows/switches.ts';

const BENCHMARKS: readonly TrafficBenchmark[] = [
  switches,
  switchesOfAbrupt,
  kept,
  rollback,
  errors,
  adoption,
  keeper,
];
const NAMES = BENCHMARKS.map(({ name }) => name);

async function main(options: Options): Promise<void> {
  const { only, json, sizes, serviceProxy } = options;
  const chosen = BENCHMARKS.filter(({ name }) => only.length === 0 || only.includes(name));
  const machine = machineFacts();
  const version = commit();
  const lab = await TrafficLab.start(options, progress('cluster'));
  const { kubernetesVersion: kubernetes } = lab.stage.cluster;
  const facts = { ...machine, kubernetes, 'kube-proxy': serviceProxy };
  const command = ['npm run bench:traffic --', ...process.argv.slice(2)].join(' ');
  const rows: Row[] = [];
  const failed: string[] = [];
  for (const benchmark of chosen) {
    try {
      rows.push(...(await benchmark.run(lab, sizes, progress(benchmark.name))));
    } catch (error) {
      failed.push(benchmark.name);
      process.stderr.write(`${benchmark.name}: ${(error as Error).stack}\n`);
    }
    await save({ machine: facts, commit: version, command, rows }, json);
  }
  process.stdout.write(`${markdown({ machine: facts, commit: version, command, rows })}\n`);
  await lab.stop();
  if (failed.length > 0) throw new Error(`not measured: ${failed.join(', ')}`);
}

const options = commandLine(USAGE.replace('NAMES', NAMES.join(', ')), (args) => {
  const read = parseOptions(args);
  for (const name of read?.only ?? []) oneOf('only', name, NAMES);
  return read;
});
await runProcess(() => main(options));

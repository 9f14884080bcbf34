/** `npm run bench`: measures what the operator costs, and says which bars it misses. */
import { setTimeout as sleep } from 'node:timers/promises';
import { commandLine, oneOf } from '../test/support/command-line.ts';
import type { Benchmark } from './benchmark.ts';
import { Lab } from './lab.ts';
import { commit, machineFacts } from './machine.ts';
import { markdown, type Result } from './markdown.ts';
import { type Options, parseOptions, USAGE } from './options.ts';
import { progress, readResult, runProcess, save } from './report.ts';
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
const NAMES = BENCHMARKS.map(({ name }) => name);

async function main(options: Options): Promise<void> {
  const before = options.resume ? await readResult(options.json) : undefined;
  const wanted = BENCHMARKS.filter(({ name }) => options.only.length === 0 || options.only.includes(name));
  const chosen = wanted.filter(({ name }) => before?.done?.includes(name) !== true);
  const command = ['npm run bench --', ...process.argv.slice(2)].join(' ');
  let result: Result = {
    machine: machineFacts(),
    commit: commit(),
    command,
    done: [],
    rows: [],
    ...before,
  };
  const lab = new CurrentLab(options);
  const failed: string[] = [];
  for (const benchmark of chosen) {
    try {
      const take = (rows: readonly Row[]): void => {
        result = { ...result, rows: withRows(result.rows, rows) };
      };
      const kubernetes = await measure(benchmark, await lab.get(), options, take);
      const done = [...(result.done ?? []), benchmark.name];
      result = { ...result, machine: { ...result.machine, kubernetes }, done };
    } catch (error) {
      failed.push(benchmark.name);
      process.stderr.write(`${benchmark.name}: ${(error as Error).stack}\n`);
      // What it leaves behind must not be measured by the next one.
      await lab.drop();
    }
    await save(result, options.json);
  }
  await lab.drop();
  process.stdout.write(`${markdown(result)}\n`);
  if (failed.length > 0) throw new Error(`not measured: ${failed.join(', ')}; --resume tries them again`);
}

/** What was measured again takes the place of what a benchmark that failed had measured. */
function withRows(before: readonly Row[], rows: readonly Row[]): Row[] {
  const names = new Set(rows.map(({ name }) => name));
  return [...before.filter(({ name }) => !names.has(name)), ...rows];
}

/** Gives the version of Kubernetes. */
async function measure(
  benchmark: Benchmark,
  lab: Lab,
  { sizes, minutes }: Options,
  take: (rows: readonly Row[]) => void,
): Promise<string> {
  const late = sleep(minutes * 60_000, undefined, { ref: false }).then(() => {
    throw new Error(`not over after ${minutes} minutes`);
  });
  const work = (async () => {
    const measured = benchmark.run(lab, sizes, progress(benchmark.name));
    if (measured instanceof Promise) take(await measured);
    else for await (const some of measured) take(some);
  })();
  await Promise.race([work, late]);
  return lab.cluster.kubernetesVersion;
}

/** One cluster for all, as long as nothing goes wrong in it. */
class CurrentLab {
  readonly #options: Options;
  #lab: Lab | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  async get(): Promise<Lab> {
    const { sizes, profile } = this.#options;
    // Of each release two sides; beside each of the two crowds the script's applications have as many.
    const pods = 2 * Math.max(...sizes.releases, 4 * sizes.crowd, sizes.others, sizes.reconciled);
    this.#lab ??= await Lab.start(pods, profile, progress('cluster'));
    return this.#lab;
  }

  async drop(): Promise<void> {
    await this.#lab?.stop();
    this.#lab = undefined;
  }
}

const options = commandLine(USAGE.replace('NAMES', NAMES.join(', ')), (args) => {
  const read = parseOptions(args);
  for (const name of read?.only ?? []) oneOf('only', name, NAMES);
  return read;
});
await runProcess(() => main(options));

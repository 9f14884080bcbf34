/**
 * `npm test`: everything that can run on this machine, in the order in which a failure is cheapest to find.
 *
 * Tests that wait for clusters run in several processes side by side; what a process says is shown when it has ended. One
 * that ends without leaving its counts has failed, whatever its exit code says. The last line is `N passed, N failed`,
 * with the skipped where there are any.
 */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { cacheDir } from './cluster/paths.ts';
import { inSlots } from './slots.ts';
import { commandLine, UsageError } from './support/command-line.ts';

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface Outcome extends Counts {
  /** Each test that failed, and what it said. */
  readonly reasons: readonly string[];
}

/** What one process does. */
interface Job {
  readonly suite: string;
  readonly name: string;
  /** `output`: the file descriptor for all that it says. `counts`: where mocha leaves its counts. */
  readonly run: (output: number, counts: string) => Promise<Outcome>;
}

/** Jobs that may run side by side, so many at once. */
interface Step {
  readonly slots: number;
  readonly jobs: readonly Job[];
}

const MOST_LINES = 20;

const root = join(import.meta.dirname, '..');

/** Scripts find the pinned Node.js first, also where this file was not started by npm. */
const PATH = `${join(root, 'node_modules/.bin')}:${process.env.PATH ?? ''}`;

function execute(
  command: string,
  args: readonly string[],
  output: number,
  extra: NodeJS.ProcessEnv = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(root, 'node_modules/.bin', command), args, {
      cwd: root,
      env: { ...ENV, ...extra },
      stdio: ['ignore', output, output],
    });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** A tool that says yes or no counts as one test. */
function tool(name: string, command: string, args: readonly string[]): Job {
  return {
    suite: name,
    name,
    run: async (output) => {
      const passed = (await execute(command, args, output)) === 0 ? 1 : 0;
      return { passed, failed: 1 - passed, skipped: 0, reasons: [] };
    },
  };
}

/** A process of mocha for the files of a pattern. */
function mocha(suite: string, pattern: string, timeoutMs: number): Job {
  return {
    suite,
    name: pattern,
    run: async (output, counts) => {
      const args = ['--config', 'test/.mocharc.json', '--reporter', './test/reporter.ts'];
      const code = await execute('mocha', [...args, '--timeout', String(timeoutMs), pattern], output, {
        TEST_COUNTS: counts,
      });
      const left = await readCounts(counts);
      return code !== 0 && left.failed === 0
        ? { ...left, failed: 1, reasons: [`it ended with ${code}`] }
        : left;
    },
  };
}

async function readCounts(file: string): Promise<Outcome> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Outcome;
  } catch {
    return { passed: 0, failed: 1, skipped: 0, reasons: ['the process ended without its counts'] };
  }
}

const files = (pattern: string): string[] => globSync(pattern, { cwd: root }).sort();
const isStory = (file: string): boolean => file.includes('/operator-');

const cores = availableParallelism();
/** A cluster takes a gigabyte or two; with more of them than cores everything is slow that a test expects to see in time. */
const clusters = Math.max(1, Math.min(cores, Math.floor(totalmem() / 2 ** 31)));

const STEPS: readonly Step[] = [
  {
    slots: 1,
    jobs: [
      tool('types', 'tsc', ['-p', 'tsconfig.json']),
      tool('format and lint', 'biome', ['check', '.']),
      tool('typed lint and architecture', 'oxlint', ['--type-aware', '--deny-warnings']),
    ],
  },
  {
    slots: cores,
    jobs: [
      mocha('unit', 'test/unit/**/*.test.ts', 10_000),
      ...files('test/simulation/**/*.test.ts').map((file) => mocha('simulation', file, 300_000)),
    ],
  },
  {
    slots: clusters,
    jobs: [
      // One after the other, and on one cluster: they count requests, and the last of them looks at what all have asked for.
      mocha('e2e', 'test/e2e/operator-*.test.ts', 600_000),
      ...files('test/e2e/**/*.test.ts')
        .filter((file) => !isStory(file))
        .map((file) => mocha('e2e', file, 600_000)),
      ...files('test/integration/**/*.test.ts').map((file) => mocha('integration', file, 120_000)),
    ],
  },
];

const SUITES = [...new Set(STEPS.flatMap(({ jobs }) => jobs.map(({ suite }) => suite)))];

const USAGE = `Everything that can run on this machine, in the order in which a failure is cheapest to find.

  npm test -- [SUITE...]

  SUITE              one of ${SUITES.join(', ')} (default: all)
`;

const wanted = commandLine(USAGE, (args) => {
  const options = { help: { type: 'boolean', default: false } } as const;
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
  const stranger = positionals.find((name) => !SUITES.includes(name));
  if (stranger !== undefined) throw new UsageError(`"${stranger}" is no suite`);
  return values.help ? undefined : positionals;
});

const folder = await mkdtemp(join(tmpdir(), 'bluegreen-test-'));

const ENV: NodeJS.ProcessEnv = {
  ...process.env,
  PATH,
  // Every process loads the same sources: the first one compiles them.
  NODE_COMPILE_CACHE: join(folder, 'compiled'),
  // What is written to a file is coloured where a person will see it.
  ...(process.stdout.isTTY && { FORCE_COLOR: '1' }),
};

/** How long each job took the last time on this machine, by its name. */
const SECONDS = join(cacheDir, 'test-seconds.json');

async function readSeconds(): Promise<Record<string, number>> {
  const text = await readFile(SECONDS, 'utf8').catch(() => '{}');
  return JSON.parse(text) as Record<string, number>;
}

async function writeSeconds(seconds: Readonly<Record<string, number>>): Promise<void> {
  await mkdir(dirname(SECONDS), { recursive: true });
  await writeFile(SECONDS, `${JSON.stringify(seconds, undefined, 2)}\n`);
}

/** What a job says is shown as it comes where the job is alone, else when it has ended: never mixed with another's. */
async function show(job: Job, isAlone: boolean): Promise<Outcome> {
  const title = `\n== ${job.suite === job.name ? job.name : `${job.suite}: ${job.name}`}\n`;
  const file = join(folder, job.name.replaceAll(/\W+/g, '-'));
  if (isAlone) {
    process.stdout.write(title);
    return job.run(process.stdout.fd, `${file}.json`);
  }
  const output = await open(`${file}.txt`, 'w');
  const counts = await job.run(output.fd, `${file}.json`);
  await output.close();
  process.stdout.write(title + (await readFile(`${file}.txt`, 'utf8')));
  return counts;
}

interface Ended {
  readonly job: Job;
  readonly counts: Outcome;
  /** Milliseconds. */
  readonly begin: number;
  readonly end: number;
}

async function runStep({ slots, jobs }: Step): Promise<Ended[]> {
  const known = await readSeconds();
  // What is long begins early, so that it does not run on alone in the end; what is not known may be long.
  const length = ({ name }: Job): number => known[name] ?? Number.MAX_VALUE;
  const longestFirst = slots === 1 ? jobs : jobs.toSorted((a, b) => length(b) - length(a));
  const ended = await inSlots(longestFirst, slots, async (job) => {
    const begin = performance.now();
    const counts = await show(job, Math.min(slots, jobs.length) === 1);
    return { job, counts, begin, end: performance.now() };
  });
  const seconds = ended.map(({ job, begin, end }) => [job.name, Math.round((end - begin) / 1000)]);
  await writeSeconds({ ...known, ...Object.fromEntries(seconds) });
  return ended;
}

function sum(ended: readonly Ended[]): Counts {
  const add = (member: keyof Counts): number =>
    ended.reduce((total, { counts }) => total + counts[member], 0);
  return { passed: add('passed'), failed: add('failed'), skipped: add('skipped') };
}

/** A line for each suite, with what failed in it, why, and the time from its first beginning to its last end. */
function summary(ended: readonly Ended[]): string[] {
  return [...Map.groupBy(ended, ({ job }) => job.suite)].map(([suite, own]) => {
    const last = Math.max(...own.map(({ end }) => end));
    const seconds = Math.round((last - Math.min(...own.map(({ begin }) => begin))) / 1000);
    const failed = own.filter(({ job, counts }) => counts.failed > 0 && job.name !== suite);
    const where = failed
      .map(({ job, counts }) => [`\n  failed: ${job.name}`, ...counts.reasons.map(indented)].join('\n'))
      .join('');
    return `${suite}: ${describe(sum(own))} (${seconds} s)${where}`;
  });
}

/** A test that compares long texts says more than is read here; all of it stands where the test ran. */
function indented(reason: string): string {
  const lines = reason.split('\n');
  const few = lines.length > MOST_LINES ? [...lines.slice(0, MOST_LINES), '...'] : lines;
  return few.map((line) => `    ${line}`).join('\n');
}

function describe({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}

async function main(): Promise<void> {
  const ended: Ended[] = [];
  for (const { slots, jobs } of STEPS) {
    const chosen = jobs.filter(({ suite }) => wanted.length === 0 || wanted.includes(suite));
    ended.push(...(await runStep({ slots, jobs: chosen })));
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  const total = sum(ended);
  process.stdout.write(`\n${summary(ended).join('\n')}\n${describe(total)}\n`);
  process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
}

await main();

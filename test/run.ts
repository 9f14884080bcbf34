/**
 * `npm test`: everything that can run on this machine, in the order in which a failure is cheapest to find.
 *
 * A suite that ends without leaving its counts has failed, whatever its exit code says. The last line is
 * `N passed, N failed`, with the skipped where there are any.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface Step {
  readonly name: string;
  readonly run: () => Promise<Counts>;
}

const root = join(import.meta.dirname, '..');
const bin = (name: string): string => join(root, 'node_modules/.bin', name);

/** Scripts find the pinned Node.js first, also where this file was not started by npm. */
const PATH = `${join(root, 'node_modules/.bin')}:${process.env.PATH ?? ''}`;

function execute(command: string, args: readonly string[], extra: NodeJS.ProcessEnv = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, PATH, ...extra };
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** A tool that says yes or no counts as one test. */
function tool(name: string, command: string, args: readonly string[]): Step {
  return {
    name,
    run: async () => {
      const passed = (await execute(bin(command), args)) === 0 ? 1 : 0;
      return { passed, failed: 1 - passed, skipped: 0 };
    },
  };
}

function suite(name: string, timeoutMs: number): Step {
  return {
    name,
    run: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'bluegreen-test-'));
      const file = join(folder, 'counts.json');
      const args = [
        '--config',
        'test/.mocharc.json',
        '--reporter',
        './test/reporter.ts',
        '--timeout',
        String(timeoutMs),
      ];
      const code = await execute(bin('mocha'), [...args, `test/${name}/**/*.test.ts`], {
        TEST_COUNTS: file,
      });
      const counts = await readCounts(file);
      await rm(folder, { recursive: true });
      return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
    },
  };
}

async function readCounts(file: string): Promise<Counts> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Counts;
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

const STEPS: readonly Step[] = [
  tool('types', 'tsc', ['-p', 'tsconfig.json']),
  tool('format and lint', 'biome', ['check', '.']),
  tool('typed lint and architecture', 'oxlint', ['--type-aware', '--deny-warnings']),
  suite('unit', 10_000),
  suite('simulation', 300_000),
  suite('integration', 120_000),
  suite('e2e', 600_000),
];

async function main(): Promise<void> {
  const wanted = process.argv.slice(2);
  const total = { passed: 0, failed: 0, skipped: 0 };
  const summary: string[] = [];
  for (const { name, run } of STEPS.filter((step) => wanted.length === 0 || wanted.includes(step.name))) {
    process.stdout.write(`\n== ${name}\n`);
    const begin = performance.now();
    const counts = await run();
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
    const seconds = Math.round((performance.now() - begin) / 1000);
    summary.push(`${name}: ${describe(counts)} (${seconds} s)`);
  }
  process.stdout.write(`\n${summary.join('\n')}\n${describe(total)}\n`);
  process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
}

function describe({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}

await main();

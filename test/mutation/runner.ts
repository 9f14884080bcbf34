/**
 * Runs our mocha tests for Stryker, which switches one mutant on at a time. Its own mocha plugin reaches into files that
 * mocha 12 renamed (stryker-js pull request 6205), and cannot be loaded.
 */
import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import Mocha from 'mocha';

/** What the instrumented sources look at, under this global name. */
const GLOBAL_NAME = '__stryker__';

interface Instrumented {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  mutantCoverage?: unknown;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
}

interface MutantRun {
  readonly activeMutant: { readonly id: string };
  /** Full titles; undefined: all. */
  readonly testFilter?: readonly string[];
  /** So often a mutant may be reached: more is an endless loop. */
  readonly hitLimit?: number;
  /** `static`: the mutant is on while the sources are loaded, in a fresh process. */
  readonly mutantActivation: 'runtime' | 'static';
}

interface Title {
  fullTitle(): string;
  readonly file?: string | undefined;
  readonly duration?: number | undefined;
}

const SUCCESS = 0;
const FAILED = 1;

function createRunner(options: { mochaOptions: { spec: readonly string[] } }): object {
  const shared: Record<string, Instrumented | undefined> = globalThis as never;
  const instrumented = shared[GLOBAL_NAME] ?? {};
  shared[GLOBAL_NAME] = instrumented;
  const mocha = new Mocha({ reporter: class {} as never, timeout: 0, bail: true });
  let loaded = false;
  let tellsTest = false;

  async function load(): Promise<void> {
    mocha.cleanReferencesAfterRun(false);
    for (const file of options.mochaOptions.spec.flatMap((pattern) => globSync(pattern)))
      mocha.addFile(resolve(file));
    mocha.suite.beforeEach(function () {
      if (tellsTest) instrumented.currentTestId = this.currentTest?.fullTitle();
    });
    await mocha.loadFilesAsync();
    loaded = true;
  }

  async function runTests(): Promise<TestRun> {
    const passed: Report[] = [];
    const failed: Failure[] = [];
    await new Promise<void>((done) => {
      mocha
        .run(() => done())
        .on('pass', (test) => passed.push(report(test, SUCCESS)))
        .on('fail', (test, error: Error) =>
          failed.push({ ...report(test, FAILED), failureMessage: error.message }),
        );
    });
    return { passed, failed };
  }

  return {
    // With `ignoreStatic` no mutant is on while the sources are loaded: none needs a process of its own, as Stryker would
    // give it to each that the loading touches as well (1,700 of 9,400, and each loads all tests anew).
    capabilities: () => ({ reloadEnvironment: true }),

    async dryRun() {
      await load();
      tellsTest = true;
      const { passed, failed } = await runTests();
      tellsTest = false;
      const { mutantCoverage } = instrumented;
      return { status: 'complete', tests: [...passed, ...failed], mutantCoverage };
    },

    async mutantRun({ activeMutant, testFilter, hitLimit, mutantActivation }: MutantRun) {
      instrumented.hitLimit = hitLimit;
      instrumented.hitCount = hitLimit && 0;
      instrumented.activeMutant = mutantActivation === 'static' ? activeMutant.id : undefined;
      try {
        if (!loaded) await load();
      } catch (error) {
        return { status: 'error', errorMessage: String(error) };
      }
      instrumented.activeMutant = activeMutant.id;
      mocha.grep(testFilter === undefined ? /.*/ : exactly(testFilter));
      const run = await runTests();
      const loops = hitLimit !== undefined && (instrumented.hitCount ?? 0) > hitLimit;
      return loops ? { status: 'timeout', reason: 'the mutant loops' } : judge(run);
    },

    dispose: () => mocha.dispose(),
  };
}

interface TestRun {
  readonly passed: readonly Report[];
  readonly failed: readonly Failure[];
}

interface Failure extends Report {
  readonly failureMessage: string;
}

interface Report {
  readonly id: string;
  readonly name: string;
  readonly status: number;
  readonly timeSpentMs: number;
  readonly fileName?: string;
}

function judge({ passed, failed }: TestRun): object {
  const nrOfTests = passed.length + failed.length;
  const [first] = failed;
  return first === undefined
    ? { status: 'survived', nrOfTests }
    : { status: 'killed', nrOfTests, killedBy: [first.id], failureMessage: first.failureMessage };
}

function report(test: Title, status: number): Report {
  const id = test.fullTitle();
  const { file, duration = 0 } = test;
  return { id, name: id, status, timeSpentMs: duration, ...(file !== undefined && { fileName: file }) };
}

function exactly(titles: readonly string[]): RegExp {
  return new RegExp(titles.map((title) => `^${title.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`).join('|'));
}

createRunner.inject = ['options'] as const;

export const strykerPlugins: readonly object[] = [
  { kind: 'TestRunner', name: 'mocha12', factory: createRunner },
];

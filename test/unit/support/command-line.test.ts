import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { expect } from 'chai';
import { oneOf, positive, UsageError, understand, whole } from '../../support/command-line.ts';

const USAGE = 'Does something.\n\n  --often N\n';

function read(args: readonly string[]): { often: number } | undefined {
  const options = { often: { type: 'string', default: '1' }, help: { type: 'boolean' } } as const;
  const { values } = parseArgs({ args: [...args], options });
  return values.help ? undefined : { often: whole('often', values.often) };
}

describe('a command line', () => {
  it('is what it says', () => {
    expect(understand(USAGE, read, ['--often', '3'])).to.deep.equal({ options: { often: 3 } });
  });

  it('is answered with the usage where help is wanted', () => {
    expect(understand(USAGE, read, ['--help'])).to.deep.equal({ said: USAGE, code: 0 });
  });

  const wrong: [string[], string][] = [
    [['--soon'], "Unknown option '--soon'"],
    [['--often'], "Option '--often <value>' argument missing"],
    [['now'], "Unexpected argument 'now'"],
    [['--often', 'never'], '--often: "never" is not a whole number from 1 to 999999'],
  ];
  for (const [args, sentence] of wrong) {
    it(`is answered with a sentence and the usage where it is "${args.join(' ')}"`, () => {
      expect(understand(USAGE, read, args)).to.deep.equal({ said: `${sentence}\n\n${USAGE}`, code: 2 });
    });
  }

  it('is not blamed for a mistake of ours', () => {
    const ours = (): never => {
      throw new TypeError('x is not a function');
    };
    expect(() => understand(USAGE, ours, [])).to.throw('x is not a function');
  });

  it('says numbers and names', () => {
    expect([whole('n', '0', 0, 7), whole('n', '07', 0, 7), positive('n', '0.5')]).to.deep.equal([0, 7, 0.5]);
    for (const text of ['8', '-1', '1.5', '', ' 1', '1e1', '9'.repeat(16)])
      expect(() => whole('n', text, 0, 7), text).to.throw(UsageError, 'is not a whole number from 0 to 7');
    for (const text of ['0', '-1', '', ' ', 'many', 'Infinity'])
      expect(() => positive('n', text), text).to.throw(UsageError, `--n: "${text}" is not a number above 0`);
    expect(oneOf('n', 'b', ['a', 'b'])).to.equal('b');
    expect(() => oneOf('n', 'c', ['a', 'b'])).to.throw(UsageError, '--n: "c" is none of a, b');
  });
});

interface Ended {
  readonly code: unknown;
  readonly out: string;
  readonly error: string;
}

const ROOT = join(import.meta.dirname, '../../..');

function run(script: string, flag: string): Promise<Ended> {
  const [, ...command] = script.split(' ');
  return new Promise((resolve) => {
    execFile(process.execPath, [...command, flag], { cwd: ROOT }, (failure, out, error) =>
      resolve({ code: failure?.code ?? 0, out, error }),
    );
  });
}

describe('the commands of the repository', function () {
  this.timeout(120_000);
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

  for (const name of [
    'bench',
    'bench:traffic',
    'cluster',
    'demo',
    'phases',
    'sabotage',
    'simulate',
    'soak',
    'test',
  ]) {
    it(`npm run ${name} says how it is used, and what it does not understand`, async () => {
      const [help, stranger] = await Promise.all([
        run(scripts[name], '--help'),
        run(scripts[name], '--nonsense'),
      ]);
      expect([help.code, help.error]).to.deep.equal([0, '']);
      expect(help.out).to.match(/^[A-Z].*?\.\n\n {2}/s);
      expect(stranger).to.deep.equal({
        code: 2,
        out: '',
        error: `Unknown option '--nonsense'\n\n${help.out}`,
      });
    });
  }
});

/** `npm run soak`: see the usage. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { commandLine, positive, whole } from '../support/command-line.ts';
import { type SoakReport, soak } from './soak.ts';

const USAGE = `Many releases on a real API server, with everything going wrong at once for a while, and a witness that holds the promises.

  npm run soak -- [--seed N] [--releases N] [--minutes N] [--json FILE]

  --seed N           what goes wrong is drawn from it (default: another one each time)
  --releases N       releases (default 200)
  --minutes N        how long things go wrong (default 20)
  --json FILE        writes the result there
`;

const FLAGS = {
  seed: { type: 'string' },
  releases: { type: 'string', default: '200' },
  minutes: { type: 'string', default: '20' },
  json: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

const { json, ...options } = commandLine(USAGE, (args) => {
  const { values } = parseArgs({ args: [...args], options: FLAGS });
  if (values.help) return undefined;
  return {
    seed:
      values.seed === undefined
        ? Math.floor(Math.random() * 2 ** 31)
        : whole('seed', values.seed, 0, 0xffff_ffff),
    releases: whole('releases', values.releases),
    troubleMs: positive('minutes', values.minutes) * 60_000,
    json: values.json,
  };
});

const begin = Date.now();
const report = await soak({
  ...options,
  progress: (line) => process.stderr.write(`${Math.round((Date.now() - begin) / 1000)} s: ${line}\n`),
});
if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, undefined, 2)}\n`);
process.stdout.write(describe(report));
process.exitCode = report.violations.length === 0 ? 0 : 1;

function describe({ violations, checks, ...report }: SoakReport): string {
  const counts = (of: Readonly<Record<string, number>>): string =>
    Object.entries(of)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  return `seed ${report.seed}: ${report.releases} releases, ${report.troubleSeconds} s of trouble
killed: ${report.kills}, ended by themselves: ${report.ends}
faults: ${counts(report.faults)}
people: ${counts(report.acts)}
switches: ${counts(report.switches)}
checked: ${counts(checks)}
${violations.length === 0 ? 'every release ended on its last version, and no promise was broken' : violations.join('\n')}
`;
}

/** npm run soak -- [--seed N] [--releases N] [--minutes N] [--json FILE] */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type SoakReport, soak } from './soak.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    releases: { type: 'string', default: '200' },
    minutes: { type: 'string', default: '20' },
    json: { type: 'string' },
  },
});

const begin = Date.now();
const report = await soak({
  seed: values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : whole('seed', values.seed),
  releases: whole('releases', values.releases),
  troubleMs: Number(values.minutes) * 60_000,
  progress: (line) => process.stderr.write(`${Math.round((Date.now() - begin) / 1000)} s: ${line}\n`),
});
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
process.stdout.write(describe(report));
process.exitCode = report.violations.length === 0 ? 0 : 1;

function whole(flag: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  process.stderr.write(`--${flag}: "${text}" is not a whole number\n`);
  process.exit(2);
}

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

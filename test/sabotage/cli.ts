/**
 * `npm run sabotage`: see the usage.
 *
 * Breaks the operator on purpose, one mistake at a time, each in a copy of the sources, and lets the simulator find it.
 * What survives is a bug of the simulator. The life in which one is found is played again without the sabotage: where a
 * promise is broken there as well it proves nothing, is told of, and the hunt goes on without it.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { commandLine, positive, UsageError, whole } from '../support/command-line.ts';
import type { Catch, LifeName, Task } from './hunt.ts';
import { KINDS, type KindName } from './kinds.ts';
import { createLedger, type NoAnswer, type Row } from './ledger.ts';
import { copyWith, digestOf, discard, editsOf, misfit, type Sabotage } from './sabotage.ts';
import { SABOTAGES } from './table.ts';

const USAGE = `Breaks the operator on purpose, one mistake at a time, and lets the simulator find it.

  npm run sabotage -- [--only NAME] [--json FILE [--resume]] [--jobs N] [--lives FACTOR]

  --only NAME        those with this in their name; may be repeated
  --json FILE        writes the result there, after each sabotage
  --resume           leaves out what the JSON file has already
  --jobs N           so many at a time (default 2)
  --lives FACTOR     of the lives that are played for each before it counts as one that survived (default 1)
`;

const FLAGS = {
  only: { type: 'string', multiple: true },
  json: { type: 'string' },
  resume: { type: 'boolean', default: false },
  jobs: { type: 'string', default: '2' },
  lives: { type: 'string', default: '1' },
  help: { type: 'boolean', default: false },
} as const;

const options = commandLine(USAGE, (args) => {
  const { values } = parseArgs({ args: [...args], options: FLAGS });
  if (values.help) return undefined;
  const { only = [''], json, resume } = values;
  const stranger = only.find((text) => !SABOTAGES.some(({ name }) => name.includes(text)));
  if (stranger !== undefined) throw new UsageError(`--only: no sabotage has "${stranger}" in its name`);
  if (resume && json === undefined) throw new UsageError('--resume: needs the file of --json');
  return { only, json, resume, jobs: whole('jobs', values.jobs), factor: positive('lives', values.lives) };
});

/** A sabotage that makes the simulator itself turn in circles is not caught. */
const MOST_MS = 1_200_000;

const chosen = SABOTAGES.filter(({ name }) => options.only.some((each) => name.includes(each)));
const misfits = chosen.flatMap(editsOf).flatMap((edit) => misfit(edit) ?? []);
for (const sentence of misfits) console.error(sentence);
if (misfits.length > 0) process.exit(1);

/** Everything comes from this copy, whatever happens to the sources while it runs. */
const sound = copyWith([]);
const ledger = createLedger(options.json, options.resume, digestOf(sound));
const waiting = chosen.filter(({ name }) => !ledger.rows.some((row) => row.name === name && row.caught));
try {
  await Promise.all(Array.from({ length: options.jobs }, work));
} finally {
  discard(sound);
}
const { caught, survived, broken } = ledger.totals();
console.log(`${caught} of ${caught + survived} caught, ${survived} survived`);
if (broken.length > 0) console.log(`without any sabotage a promise is broken in ${broken.join(', ')}`);
process.exitCode = survived === 0 && broken.length === 0 ? 0 : 1;

async function work(): Promise<void> {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const row = await rowOf(next);
    ledger.add(row);
    console.log(inWords(row));
  }
}

async function rowOf(sabotage: Sabotage): Promise<Row> {
  const { name, invariant, breaks, kinds = [] } = sabotage;
  const folder = copyWith(editsOf(sabotage), sound);
  const skipped: LifeName[] = [];
  try {
    for (;;) {
      const found = await hunt(folder, kinds, skipped);
      const row = { name, invariant, breaks, broken: skipped.map(nameOf) };
      if ('error' in found || found.caughtBy === undefined) return { ...row, caught: false, ...found };
      const life = { level: found.level, seed: found.seed, kind: found.kind };
      const control = await hunt(sound, kinds, [], life);
      if (!('error' in control) && control.caughtBy === undefined) return { ...row, caught: true, ...found };
      skipped.push(life);
    }
  } finally {
    discard(folder);
  }
}

/** In this folder, all lives or one. */
async function hunt(
  folder: string,
  kinds: readonly KindName[],
  skipped: readonly LifeName[],
  only?: LifeName,
): Promise<Catch | NoAnswer> {
  const task: Task = {
    kinds: kinds.map((name) => ({ name, ...KINDS[name] })),
    factor: options.factor,
    skipped,
    ...(only !== undefined && { only }),
  };
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(folder, 'test/sabotage/hunt.ts'), JSON.stringify(task)],
      { timeout: MOST_MS, maxBuffer: 100_000_000 },
    );
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Catch;
  } catch (error) {
    return {
      error: error instanceof Error ? (error.message.trim().split('\n').at(-1) ?? '') : String(error),
    };
  }
}

function nameOf({ level, seed, kind }: LifeName): string {
  return `${level} ${seed}${kind === undefined ? '' : ` of ${kind}`}`;
}

function inWords(row: Row): string {
  const of = `${row.name} (invariant ${row.invariant})`;
  if ('error' in row) return `NO ANSWER  ${of}: ${row.error}`;
  const { lives, releases, steps, seconds, caughtBy } = row;
  const effort = `${lives} lives, ${releases} releases, ${steps} steps, ${seconds.toFixed(1)} s`;
  if (caughtBy === undefined) return `SURVIVED   ${of}: ${effort}`;
  return `caught     ${of}, ${nameOf(row)}: ${effort}: ${caughtBy}`;
}

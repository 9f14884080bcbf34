/**
 * npm run sabotage -- [--only NAME] [--json FILE] [--jobs N] [--lives FACTOR]
 *
 * Breaks the operator on purpose, one mistake at a time, each in a copy of the sources, and lets the simulator find it.
 * What survives is a bug of the simulator. The first row is no mistake at all: the simulator must find nothing there.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import type { Catch } from './hunt.ts';
import { copyWith, discard, editsOf, misfit, type Sabotage } from './sabotage.ts';
import { SABOTAGES } from './table.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    json: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    lives: { type: 'string', default: '1' },
  },
});

interface Row extends Partial<Catch> {
  readonly name: string;
  readonly invariant?: number;
  readonly breaks: string;
  readonly caught: boolean;
  /** Why there is no answer. */
  readonly error?: string;
}

/** A sabotage that makes the simulator itself turn in circles is not caught. */
const MOST_MS = 600_000;

const CONTROL = { name: 'nothing', breaks: 'Nothing is sabotaged: nothing may be found.' };

const chosen = SABOTAGES.filter(({ name }) => values.only?.some((each) => name.includes(each)) ?? true);
const misfits = chosen.flatMap(editsOf).flatMap((edit) => misfit(edit) ?? []);
for (const sentence of misfits) console.error(sentence);
if (misfits.length > 0 || chosen.length === 0) process.exit(1);

const rows: Row[] = [];
const waiting: (Sabotage | typeof CONTROL)[] = values.only === undefined ? [CONTROL, ...chosen] : [...chosen];
await Promise.all(Array.from({ length: Number(values.jobs) }, work));
finish();

async function work(): Promise<void> {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const row = await attempt(next);
    rows.push(row);
    console.log(inWords(row));
  }
}

async function attempt(sabotage: Sabotage | typeof CONTROL): Promise<Row> {
  const isControl = sabotage === CONTROL;
  const folder = copyWith('file' in sabotage ? editsOf(sabotage) : []);
  const about = {
    name: sabotage.name,
    breaks: sabotage.breaks,
    ...('invariant' in sabotage && { invariant: sabotage.invariant }),
  };
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(folder, 'test/sabotage/hunt.ts'), values.lives],
      { timeout: isControl ? 0 : MOST_MS, maxBuffer: 100_000_000 },
    );
    const found = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Catch;
    return { ...about, caught: (found.caughtBy !== undefined) !== isControl, ...found };
  } catch (error) {
    const [last = 'no answer'] = (error instanceof Error ? error.message : '').split('\n').slice(-2);
    return { ...about, caught: false, error: last };
  } finally {
    discard(folder);
  }
}

function inWords(row: Row): string {
  if (row.error !== undefined) return `NO ANSWER  ${row.name}: ${row.error}`;
  const { lives = 0, releases = 0, steps = 0, seconds = 0 } = row;
  const effort = `${lives} lives, ${releases} releases, ${steps} steps, ${seconds.toFixed(1)} s`;
  if (row.name === CONTROL.name)
    return row.caught
      ? `control    nothing found: ${effort}`
      : `WRONG      found without sabotage, seed ${row.seed} ${row.level}: ${row.caughtBy}`;
  if (!row.caught) return `SURVIVED   ${row.name} (invariant ${row.invariant}): ${effort}`;
  return `caught     ${row.name} (invariant ${row.invariant}), ${row.level} seed ${row.seed}: ${effort}: ${row.caughtBy}`;
}

function finish(): void {
  const sabotages = rows.filter(({ name }) => name !== CONTROL.name);
  const caught = sabotages.filter((row) => row.caught).length;
  const survived = sabotages.length - caught;
  console.log(`${caught} of ${sabotages.length} caught, ${survived} survived`);
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ caught, survived, rows }, null, 2)}\n`);
  process.exitCode = rows.every((row) => row.caught) ? 0 : 1;
}

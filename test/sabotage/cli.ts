/**
 * npm run sabotage -- [--only NAME] [--json FILE] [--jobs N] [--lives FACTOR]
 *
 * Breaks the operator on purpose, one mistake at a time, each in a copy of the sources, and lets the simulator find it.
 * What survives is a bug of the simulator. First comes no mistake at all: where the simulator finds something there, a life
 * proves nothing, and is left out.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import type { Catch } from './hunt.ts';
import { copyWith, discard, type Edit, editsOf, misfit, type Sabotage } from './sabotage.ts';
import { SABOTAGES } from './table.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    json: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    lives: { type: 'string', default: '1' },
  },
});

interface NoAnswer {
  readonly error: string;
}

type Row = (Catch | NoAnswer) & {
  readonly name: string;
  readonly invariant: number;
  readonly breaks: string;
  readonly caught: boolean;
};

/** A sabotage that makes the simulator itself turn in circles is not caught. */
const MOST_MS = 600_000;

const chosen = SABOTAGES.filter(({ name }) => values.only?.some((each) => name.includes(each)) ?? true);
const misfits = chosen.flatMap(editsOf).flatMap((edit) => misfit(edit) ?? []);
for (const sentence of misfits) console.error(sentence);
if (misfits.length > 0 || chosen.length === 0) process.exit(1);

const rows: Row[] = [];
const waiting = [...chosen];
const control = await hunt([]);
const skipped = 'broken' in control ? control.broken : [];
console.log(inWords(undefined, control));
await Promise.all(Array.from({ length: Number(values.jobs) }, work));
finish();

async function work(): Promise<void> {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const found = await hunt(editsOf(next), skipped);
    const { name, invariant, breaks } = next;
    rows.push({ name, invariant, breaks, caught: 'caughtBy' in found, ...found });
    console.log(inWords(next, found));
  }
}

/** In a copy with these edits. */
async function hunt(edits: readonly Edit[], skipped?: readonly string[]): Promise<Catch | NoAnswer> {
  const folder = copyWith(edits);
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        join(folder, 'test/sabotage/hunt.ts'),
        values.lives,
        ...(skipped === undefined ? [] : [skipped.join(',')]),
      ],
      { timeout: skipped === undefined ? 0 : MOST_MS, maxBuffer: 100_000_000 },
    );
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Catch;
  } catch (error) {
    return {
      error: error instanceof Error ? (error.message.trim().split('\n').at(-1) ?? '') : String(error),
    };
  } finally {
    discard(folder);
  }
}

function inWords(
  sabotage: Pick<Sabotage, 'name' | 'invariant'> | undefined,
  found: Catch | NoAnswer,
): string {
  const of = sabotage === undefined ? 'nothing' : `${sabotage.name} (invariant ${sabotage.invariant})`;
  if ('error' in found) return `NO ANSWER  ${of}: ${found.error}`;
  const { lives, releases, steps, seconds, level, seed, caughtBy, broken } = found;
  const effort = `${lives} lives, ${releases} releases, ${steps} steps, ${seconds.toFixed(1)} s`;
  if (sabotage === undefined)
    return broken.length === 0
      ? `control    nothing is found where nothing is sabotaged: ${effort}`
      : `WRONG      found where nothing is sabotaged, and left out below: ${broken.join(', ')}`;
  if (caughtBy === undefined) return `SURVIVED   ${of}: ${effort}`;
  return `caught     ${of}, ${level} ${seed}: ${effort}: ${caughtBy}`;
}

function finish(): void {
  const caught = rows.filter((row) => row.caught).length;
  const survived = rows.length - caught;
  console.log(`${caught} of ${rows.length} caught, ${survived} survived`);
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ caught, survived, control, rows }, null, 2)}\n`);
  const isSound = !('error' in control) && control.broken.length === 0;
  process.exitCode = survived === 0 && isSound ? 0 : 1;
}

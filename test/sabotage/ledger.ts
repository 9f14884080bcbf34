/** What came of each sabotage, written as it comes: a run that was interrupted goes on where it stopped. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Catch } from './hunt.ts';

export interface NoAnswer {
  readonly error: string;
}

export type Row = (Catch | NoAnswer) & {
  readonly name: string;
  readonly invariant: number;
  readonly breaks: string;
  readonly caught: boolean;
  /** Lives that break a promise without the sabotage as well. */
  readonly broken: readonly string[];
};

interface Totals {
  readonly caught: number;
  readonly survived: number;
  readonly broken: readonly string[];
}

export interface Ledger {
  readonly rows: readonly Row[];
  add(row: Row): void;
  totals(): Totals;
}

/** `sources`: what stands for all that is read; rows of other sources prove nothing of these. */
export function createLedger(file: string | undefined, resume: boolean, sources: string): Ledger {
  const known = resume ? read(file, sources) : [];
  let rows: Row[] = [...known];

  const totals = (): Totals => {
    const caught = rows.filter((row) => row.caught).length;
    return {
      caught,
      survived: rows.length - caught,
      broken: [...new Set(rows.flatMap((row) => row.broken))],
    };
  };

  return {
    get rows() {
      return rows;
    },
    add(row) {
      rows = [...rows.filter(({ name }) => name !== row.name), row];
      if (file !== undefined)
        writeFileSync(file, `${JSON.stringify({ ...totals(), sources, rows }, null, 2)}\n`);
    },
    totals,
  };
}

function read(file: string | undefined, sources: string): readonly Row[] {
  if (file === undefined) throw new Error('--resume: needs the file of --json');
  if (!existsSync(file)) return [];
  const before = JSON.parse(readFileSync(file, 'utf8')) as { sources: string; rows: Row[] };
  if (before.sources !== sources) throw new Error(`--resume: ${file} was written with other sources`);
  return before.rows;
}

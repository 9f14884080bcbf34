/** The tables that people read. */
import type { Machine } from './machine.ts';
import type { Row } from './row.ts';

export interface Result {
  readonly machine: Machine;
  readonly commit: string;
  readonly command: string;
  /** Benchmarks that came to their end. */
  readonly done?: readonly string[];
  readonly rows: readonly Row[];
}

export function markdown({ machine, commit, command, rows }: Result): string {
  return [
    `Commit ${commit}, \`${command}\``,
    '',
    table(
      ['', ''],
      Object.entries(machine).map(([name, value]) => [name, String(value)]),
    ),
    '',
    table(['what', 'value', 'bar', ''], rows.map(cells)),
    '',
  ].join('\n');
}

function cells({ name, value, unit, bar = '', ok }: Row): string[] {
  const verdict = ok === undefined ? '' : ok ? 'met' : '**missed**';
  return [name, `${value} ${unit}`.trim(), bar, verdict];
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

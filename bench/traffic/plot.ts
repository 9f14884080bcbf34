/**
 * Answers per version and second, and when the Service was patched, as an SVG:
 * `node bench/traffic/plot.ts RAW/bench-switches-drain.json > docs/switches.svg`. New and kept connections apart.
 */
import { readFileSync } from 'node:fs';
import { answersOf, type Kind, type Row } from '../../test/demo/load/tally.ts';
import type { Switch } from '../../test/support/audit.ts';
import { line, polyline, svg, text } from '../svg.ts';

export interface Raw {
  readonly switches: readonly Switch[];
  readonly rows: readonly Row[];
}

export interface Series {
  readonly version: string;
  /** Seconds since the first row, and answers in that second. */
  readonly points: readonly (readonly [number, number])[];
}

const WIDTH = 860;
const PANEL = 190;
const MARGIN = { left: 50, right: 20, top: 28, bottom: 30 };
const COLORS = ['#2563eb', '#059669', '#d97706', '#7c3aed', '#dc2626'];
const KINDS: Record<Kind, string> = {
  new: 'a connection for each request',
  kept: 'connections that are kept',
};

/** One line for each version, from the second before its first answer to the one after its last. */
export function seriesOf(rows: readonly Row[], kind: Kind): Series[] {
  const from = rows[0]?.second ?? 0;
  const counts = new Map<string, Map<number, number>>();
  for (const row of rows) {
    for (const { kind: of, version, count } of answersOf(row)) {
      if (of !== kind) continue;
      const perSecond = counts.get(version) ?? new Map<number, number>();
      counts.set(version, perSecond);
      const second = row.second - from;
      perSecond.set(second, (perSecond.get(second) ?? 0) + count);
    }
  }
  return [...counts].map(([version, perSecond]) => ({ version, points: pointsOf(perSecond) }));
}

function pointsOf(perSecond: ReadonlyMap<number, number>): [number, number][] {
  const first = Math.min(...perSecond.keys()) - 1;
  const last = Math.max(...perSecond.keys()) + 1;
  return Array.from({ length: last - first + 1 }, (_, index) => [
    first + index,
    perSecond.get(first + index) ?? 0,
  ]);
}

/** `seconds`: how much of the run is drawn, from its begin. */
export function plot({ rows, switches }: Raw, seconds: number): string {
  const shown = rows.filter(({ second }) => second - (rows[0]?.second ?? 0) < seconds);
  const panels = (Object.keys(KINDS) as Kind[]).map((kind, index) =>
    panel(shown, switches, kind, index * PANEL),
  );
  return svg(
    WIDTH,
    2 * PANEL,
    'Answers a second of each version, while releases are switched under load',
    panels.flat(),
  );
}

function panel(rows: readonly Row[], switches: readonly Switch[], kind: Kind, offset: number): string[] {
  const from = rows[0]?.second ?? 0;
  const length = Math.max(1, rows.length - 1);
  const series = seriesOf(rows, kind);
  const most = Math.max(1, ...series.flatMap(({ points }) => points.map(([, count]) => count)));
  const bottom = offset + PANEL - MARGIN.bottom;
  const top = offset + MARGIN.top;
  const x = (second: number): number =>
    round(
      MARGIN.left + (Math.min(length, Math.max(0, second)) / length) * (WIDTH - MARGIN.left - MARGIN.right),
    );
  const y = (count: number): number => round(bottom - (count / most) * (bottom - top));
  const patches = switches.map(({ patchedAt }) => patchedAt / 1000 - from).filter((at) => at <= length);
  return [
    text(
      MARGIN.left,
      top - 8,
      `Answers a second on ${KINDS[kind]}, for ${length} seconds; the grey lines are patches of the Service`,
    ),
    line([MARGIN.left, bottom], [WIDTH - MARGIN.right, bottom], '#333'),
    text(10, y(most) + 5, most),
    text(10, bottom + 5, 0),
    ...patches.map((at) => line([x(at), top], [x(at), bottom], '#bbb')),
    ...series.map(({ points }, index) =>
      polyline(
        points.map(([second, count]) => [x(second), y(count)] as const),
        COLORS[index % COLORS.length] ?? '',
      ),
    ),
    ...series.map(({ version, points }, index) =>
      text(x(middle(points)) - 8, bottom + 16, version, COLORS[index % COLORS.length]),
    ),
  ];
}

const middle = (points: Series['points']): number =>
  ((points[0]?.[0] ?? 0) + (points[points.length - 1]?.[0] ?? 0)) / 2;

const round = (value: number): number => Math.round(value * 10) / 10;

if (import.meta.main) {
  const [file = '', seconds = '120'] = process.argv.slice(2);
  process.stdout.write(plot(JSON.parse(readFileSync(file, 'utf8')) as Raw, Number(seconds)));
}

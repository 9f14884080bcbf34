/**
 * How cost grows with the number of releases, as an SVG: `node bench/plot.ts RESULT.json > docs/performance.svg`. Both
 * axes are logarithmic, so that a cost that grows in proportion is a straight line of slope one.
 */
import { readFileSync } from 'node:fs';
import type { Result } from './markdown.ts';
import type { Row } from './row.ts';
import { line, polyline, svg, text } from './svg.ts';

interface Series {
  readonly label: string;
  readonly color: string;
  readonly what: string;
}

const SERIES: readonly Series[] = [
  { label: 'start, seconds', color: '#2563eb', what: 'operator started to all observed' },
  { label: 'CPU of the start, seconds', color: '#7c3aed', what: 'CPU of the start' },
  { label: 'resident, MiB', color: '#059669', what: 'at rest, resident' },
  { label: 'CPU at rest, % of a core', color: '#dc2626', what: 'at rest, CPU of a core' },
];

export interface Point {
  readonly releases: number;
  readonly value: number;
}

/** Rows of the benchmark `rest` are named `<releases> releases: <what>`. */
export function pointsOf(rows: readonly Row[], what: string): Point[] {
  return rows.flatMap(({ name, value }) => {
    const [, releases, measured] = /^(\d+) releases: (.*)$/.exec(name) ?? [];
    return measured === what && value > 0 ? [{ releases: Number(releases), value }] : [];
  });
}

const WIDTH = 720;
const HEIGHT = 420;
const MARGIN = { left: 60, right: 210, top: 20, bottom: 45 };

/** Decades that hold all values. */
export function decades(values: readonly number[]): { from: number; to: number } {
  const logs = values.map(Math.log10);
  const from = Math.floor(Math.min(...logs));
  return { from, to: Math.max(from + 1, Math.ceil(Math.max(...logs))) };
}

export function plot(rows: readonly Row[]): string {
  const lines = SERIES.map((series) => ({ ...series, points: pointsOf(rows, series.what) })).filter(
    ({ points }) => points.length > 0,
  );
  const all = lines.flatMap(({ points }) => points);
  const x = scale(decades(all.map(({ releases }) => releases)), MARGIN.left, WIDTH - MARGIN.right);
  const y = scale(decades(all.map(({ value }) => value)), HEIGHT - MARGIN.bottom, MARGIN.top);
  const drawn = lines.map(({ color, label, points }, index) => {
    const path = points.map(({ releases, value }) => [x.at(releases), y.at(value)] as const);
    const dots = points.map(
      (point) => `<circle cx="${x.at(point.releases)}" cy="${y.at(point.value)}" r="3.5" fill="${color}"/>`,
    );
    const legend = text(WIDTH - MARGIN.right + 15, MARGIN.top + 20 * (index + 1), label, color);
    return [polyline(path, color), ...dots, legend].join('');
  });
  return svg(WIDTH, HEIGHT, 'What the operator costs, by how many releases it has', [
    ...x.ticks.flatMap((tick) => [
      line([x.at(tick), MARGIN.top], [x.at(tick), HEIGHT - MARGIN.bottom]),
      text(x.at(tick) - 12, HEIGHT - MARGIN.bottom + 18, tick),
    ]),
    ...y.ticks.flatMap((tick) => [
      line([MARGIN.left, y.at(tick)], [WIDTH - MARGIN.right, y.at(tick)]),
      text(12, y.at(tick) + 4, tick),
    ]),
    text(MARGIN.left + 170, HEIGHT - 8, 'releases'),
    ...drawn,
  ]);
}

interface Scale {
  readonly ticks: readonly number[];
  at(value: number): number;
}

function scale({ from, to }: { from: number; to: number }, start: number, end: number): Scale {
  return {
    ticks: Array.from({ length: to - from + 1 }, (_, index) => Number((10 ** (from + index)).toPrecision(1))),
    at: (value) => Math.round(start + ((Math.log10(value) - from) / (to - from)) * (end - start)),
  };
}

if (import.meta.main) {
  const results = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, 'utf8')) as Result);
  process.stdout.write(plot(results.flatMap(({ rows }) => rows)));
}

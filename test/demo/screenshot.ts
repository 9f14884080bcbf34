/**
 * Makes a picture of a run for the README: an SVG that plays the recorded frames in time lapse, and ends with the
 * summary. Where nothing moves (no CSS, reduced motion) it shows the moment when the bad version has the traffic.
 *
 *   npm run demo -- --record frames.jsonl
 *   node test/demo/screenshot.ts frames.jsonl docs/demo.svg
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { type Segment, segmentsOf } from './ansi.ts';

interface Frame {
  readonly at: number;
  readonly lines: readonly string[];
  readonly summary?: boolean;
}

const CELL = { width: 8.4, height: 18 };
const MARGIN = 16;
const COLUMNS = 100;
/** A second of the run takes this long in the picture. */
const LAPSE = 0.35;
const SUMMARY_SECONDS = 12;
/** What comes before says only that a cluster is being made. */
const FIRST = /Installing the operator/;
const TELLING = /Observing.*of them errors/s;

export function svgOf(recorded: readonly Frame[]): string {
  const frames = chosen(recorded);
  const height = Math.max(...frames.map(({ lines }) => lines.length)) * CELL.height + 2 * MARGIN;
  const width = COLUMNS * CELL.width + 2 * MARGIN;
  const known = new Map<string, string>();
  const groups = frames.map((frame, index) => group(frame, index, frames, known));
  const lines = [...known].map(([line, id]) => `<g id="${id}">${drawn(segmentsOf(line))}</g>`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    '<title>A blue-green release in the terminal: v2 takes over, v3 is put back</title>',
    `<style>${css(frames.length)}</style>`,
    `<rect width="100%" height="100%" rx="8" fill="#0d1117"/>`,
    `<defs>\n${lines.join('\n')}\n</defs>`,
    `<g transform="translate(${MARGIN} ${MARGIN})">`,
    ...groups,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** One frame for each second of the run, and the summary. */
function chosen(recorded: readonly Frame[]): Frame[] {
  const begin = recorded.findIndex(({ lines }) => lines.some((line) => FIRST.test(line)));
  const bySecond = new Map<number, Frame>();
  for (const frame of recorded.slice(Math.max(begin, 0))) {
    if (!frame.summary) bySecond.set(Math.floor(frame.at / 1000), frame);
  }
  return [...bySecond.values(), ...recorded.filter(({ summary }) => summary)];
}

/** A line is written once and used by every frame that shows it. */
function group(
  { lines }: Frame,
  index: number,
  frames: readonly Frame[],
  known: Map<string, string>,
): string {
  const uses = lines.flatMap((line, row) => {
    if (line.trim() === '') return [];
    const id = known.get(line) ?? `l${known.size}`;
    known.set(line, id);
    return [`<use href="#${id}" y="${(row + 1) * CELL.height - 5}"/>`];
  });
  const length = playTime(frames.length);
  const kind = index === frames.length - 1 ? 'last' : index === tellingOf(frames) ? 'still' : 'frame';
  return `<g class="${kind}" style="animation-delay:${(index * LAPSE - length).toFixed(2)}s">${uses.join('')}</g>`;
}

function tellingOf(frames: readonly Frame[]): number {
  return Math.max(
    0,
    frames.findLastIndex(({ lines }) => TELLING.test(lines.join('\n'))),
  );
}

function drawn(segments: readonly Segment[]): string {
  const bars = segments.filter(({ text }) => BAR.test(text));
  const words = segments.filter(({ text }) => !BAR.test(text));
  return `${bars.map(rect).join('')}<text>${words.map(tspan).join('')}</text>`;
}

/** Blocks as one piece: fonts leave seams between them. */
const BAR = /^█+$/;

function rect({ column, text, styles }: Segment): string {
  const [x, width] = [column * CELL.width, text.length * CELL.width].map((size) => size.toFixed(1));
  return `<rect x="${x}" y="${4 - CELL.height}" width="${width}" height="${CELL.height - 1}" class="${styles.join(' ')}"/>`;
}

const playTime = (frames: number): number => (frames - 1) * LAPSE + SUMMARY_SECONDS;

function tspan({ column, text, styles }: Segment): string {
  const x = (column * CELL.width).toFixed(1);
  // Whatever font there is, what stands in a column stays in it.
  const length = (text.length * CELL.width).toFixed(1);
  const kind = styles.length > 0 ? ` class="${styles.join(' ')}"` : '';
  return `<tspan x="${x}" textLength="${length}" lengthAdjust="spacingAndGlyphs"${kind}>${escaped(text)}</tspan>`;
}

/** Spaces that no renderer makes one of. */
const escaped = (text: string): string =>
  text.replaceAll(' ', '\u00a0').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function css(frames: number): string {
  const length = playTime(frames);
  const percent = (seconds: number): string => ((seconds / length) * 100).toFixed(3);
  const shown = (name: string, seconds: number): string =>
    `@keyframes ${name}{0%{visibility:visible}${percent(seconds)}%,100%{visibility:hidden}}`;
  const play = (name: string): string => `animation:${name} ${length.toFixed(2)}s step-end infinite`;
  return [
    'text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#e6edf3;white-space:pre}',
    '.bold{font-weight:700}.dim{fill:#8b949e}.red{fill:#ff7b72}.green{fill:#3fb950}.blue{fill:#58a6ff}.yellow{fill:#e3b341}',
    '.frame,.last{visibility:hidden}',
    '@media (prefers-reduced-motion:no-preference){',
    `${shown('frame', LAPSE)}${shown('last', SUMMARY_SECONDS)}`,
    `.frame,.still{${play('frame')}}.last{${play('last')}}`,
    '}',
  ].join('');
}

if (import.meta.main) {
  const [from, to] = process.argv.slice(2);
  if (from === undefined || to === undefined)
    throw new Error('usage: screenshot.ts FRAMES.jsonl PICTURE.svg');
  const lines = readFileSync(from, 'utf8').trim().split('\n');
  writeFileSync(to, svgOf(lines.map((line) => JSON.parse(line) as Frame)));
}

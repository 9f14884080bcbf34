/** The scene as lines of text with colours: what the terminal shows while the demo runs. Pure. */
import { styleText } from 'node:util';
import type { Kind } from './load/tally.ts';
import type { Moment, Rate, Scene, Side, SideName } from './scene.ts';

type Style = 'blue' | 'green' | 'red' | 'bold' | 'dim' | 'yellow' | 'white';

const paint = (style: Style | Style[], text: string): string =>
  text === '' ? '' : styleText(style, text, { validateStream: false });

const SIDES: readonly SideName[] = ['source', 'blue', 'green'];
const sideStyle: Readonly<Record<SideName, Style>> = { source: 'white', blue: 'blue', green: 'green' };
const momentStyle: Readonly<Record<Moment['kind'], Style>> = {
  step: 'white',
  phase: 'dim',
  traffic: 'yellow',
  good: 'green',
  bad: 'red',
};
const BAR_WIDTH = 40;
const MOMENTS = 9;
const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

export interface PanelOptions {
  readonly now: number;
  readonly width: number;
}

export function panel(scene: Scene, { now, width }: PanelOptions): string[] {
  return [
    '',
    header(scene, now, width),
    '',
    ...doing(scene, now, width),
    ...(scene.release.phase === undefined ? [] : ['', ...releaseLines(scene, width)]),
    ...(scene.selected === undefined ? [] : ['', ...sideLines(scene)]),
    ...(scene.requests === 0 ? [] : ['', ...trafficLines(scene)]),
    '',
    ...scene.moments
      .filter(({ kind }) => kind !== 'phase')
      .slice(-MOMENTS)
      .map((moment) => momentLine(moment, width)),
  ];
}

function header({ title, startedAt }: Scene, now: number, width: number): string {
  const left = 'Blue-green, start to finish';
  const right = `${title}  ${minutes(now - startedAt)}`;
  const gap = ' '.repeat(Math.max(2, width - left.length - right.length - 2));
  return ` ${paint('bold', left)}${gap}${paint('dim', right)}`;
}

export function minutes(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
}

function doing({ step, progress }: Scene, now: number, width: number): string[] {
  const spinner = SPINNER[Math.floor(now / 100) % SPINNER.length] ?? '';
  const lines = [` ${paint('yellow', spinner)} ${paint('bold', cut(step, width - 4))}`];
  if (progress !== '') lines.push(`   ${paint('dim', cut(progress, width - 4))}`);
  return lines;
}

/** Always as many lines: a panel whose height jumps is hard to read. */
const MESSAGE_LINES = 2;

function releaseLines({ release }: Scene, width: number): string[] {
  const wrapped = wrap(release.message ?? '', width - 15);
  const lines = wrapped.slice(0, MESSAGE_LINES);
  if (wrapped.length > MESSAGE_LINES) lines[MESSAGE_LINES - 1] += '…';
  while (lines.length < MESSAGE_LINES) lines.push('');
  return lines.map((line, index) =>
    index === 0 ? ` ${paint('bold', (release.phase ?? '').padEnd(12))} ${line}` : `${' '.repeat(14)}${line}`,
  );
}

function sideLines({ sides, selected, release }: Scene): string[] {
  const head = `   ${'side'.padEnd(9)}${'version'.padEnd(9)}${'revision'.padEnd(10)}${'ready pods'.padEnd(14)}`;
  const lines = SIDES.flatMap((name) => {
    const side = sides[name];
    if (side === undefined) return [];
    const isSelected = name === selected;
    const style = sideStyle[name];
    const title = (name === 'source' ? 'shop' : name).padEnd(9);
    const text = `${side.version.padEnd(9)}${(side.revision ?? '').padEnd(10)}`;
    const role = roleOf(name, side, isSelected, release.candidate?.color === name);
    const mark = isSelected ? '●' : '○';
    return [` ${paint(style, mark)} ${paint(style, title)}${text}${pods(side, style)}${role}`];
  });
  return [paint('dim', head), ...lines];
}

const MOST_PODS = 5;

function pods({ ready, desired }: Side, style: Style): string {
  const shown = Math.min(Math.max(ready, desired), MOST_PODS);
  const full = Math.min(ready, shown);
  const squares = paint(style, '■'.repeat(full)) + paint('dim', '□'.repeat(shown - full));
  return `${squares}${' '.repeat(MOST_PODS + 1 - shown)}${`${ready}/${desired}`.padEnd(8)}`;
}

function roleOf(name: SideName, side: Side, isSelected: boolean, isCandidate: boolean): string {
  if (isSelected) return paint('bold', 'takes the traffic');
  if (isCandidate) return 'candidate, being proven';
  if (name === 'source') return paint('dim', 'the Deployment that people edit');
  return side.ready > 0 ? 'stands by' : paint('dim', 'idle');
}

function trafficLines({ rates, requests, failed, serverErrors, colorOf }: Scene): string[] {
  const full = Math.max(1, sum(rates.new), sum(rates.kept));
  const count = (number: number): string => number.toLocaleString('en-US');
  const totals = [
    `${count(requests)} requests`,
    paint(failed === 0 ? 'green' : ['red', 'bold'], `${count(failed)} failed`),
    ...(serverErrors > 0 ? [paint('red', `${count(serverErrors)} errors that v3 sent on purpose`)] : []),
  ];
  return [
    paint('dim', '   answers in the last second'),
    rateLine('new connections', rates.new, full, colorOf),
    rateLine('kept connections', rates.kept, full, colorOf),
    '',
    `   ${totals.join(paint('dim', '  ·  '))}`,
  ];
}

const sum = (rates: Readonly<Record<string, Rate>>): number =>
  Object.values(rates).reduce((total, { answers }) => total + answers, 0);

function rateLine(
  title: string,
  rates: Scene['rates'][Kind],
  full: number,
  colorOf: Scene['colorOf'],
): string {
  const cells = (count: number): number => Math.round((count * BAR_WIDTH) / full);
  const versions = Object.entries(rates).sort(([a], [b]) => (a < b ? -1 : 1));
  const bars = versions.map(([version, { answers, errors }]) => {
    const bad = Math.min(errors > 0 ? Math.max(1, cells(errors)) : 0, cells(answers));
    return paint(styleOf(version, colorOf), '█'.repeat(cells(answers) - bad)) + paint('red', '█'.repeat(bad));
  });
  const used = versions.reduce((total, [, { answers }]) => total + cells(answers), 0);
  const texts = versions.map(([version, { answers, errors }]) => {
    const wrong = errors > 0 ? paint('red', `, ${errors} of them errors`) : '';
    return `${paint(styleOf(version, colorOf), version)} ${answers}/s${wrong}`;
  });
  const gap = ' '.repeat(Math.max(0, BAR_WIDTH - used));
  return `   ${title.padEnd(18)}${bars.join('')}${gap}  ${texts.join('  ')}`;
}

/** A version has the colour of the side that runs it. */
function styleOf(version: string, colorOf: Scene['colorOf']): Style {
  return colorOf[version] ?? 'white';
}

function momentLine({ at, kind, text }: Moment, width: number): string {
  return ` ${paint('dim', clock(at))}  ${paint(momentStyle[kind], cut(text, width - 12))}`;
}

/** UTC, as the release's own messages. */
export function clock(at: number): string {
  return new Date(at).toISOString().slice(11, 19);
}

const cut = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;

export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  if (line !== '') lines.push(line);
  return lines;
}

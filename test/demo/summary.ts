/** What happened, for a person: sentences from the figures of the report. Pure. */
import { styleText } from 'node:util';
import type { ReleaseReport, Report } from './report.ts';

export interface SummaryOptions {
  readonly colors: boolean;
  /** Requests a second. */
  readonly rate: number;
}

export function summary(report: Report, wrong: readonly string[], options: SummaryOptions): string[] {
  const bold = (text: string): string =>
    options.colors ? styleText('bold', text, { validateStream: false }) : text;
  const tone = (style: 'green' | 'red', text: string): string =>
    options.colors ? styleText(style, text, { validateStream: false }) : text;
  const { releases, traffic } = report;
  const count = (number: number): string => number.toLocaleString('en-US');
  return [
    bold('What happened'),
    ...releases.flatMap((release, index) => indent(release.version, story(release, index, report))),
    '',
    bold('What the clients saw'),
    ...indent('asked', [
      `${count(traffic.requests)} requests, ${options.rate} a second: half on new connections, half on kept ones`,
    ]),
    ...indent('answered', [
      Object.entries(traffic.byVersion)
        .map(([version, answers]) => `${count(answers)} by ${version}`)
        .join(', ') + latency(report),
    ]),
    ...indent('failed', [
      tone(traffic.failed === 0 ? 'green' : 'red', `${count(traffic.failed)} requests${howFailed(report)}`),
    ]),
    ...indent('errors', [errors(report)]),
    '',
    wrong.length === 0
      ? tone(
          'green',
          'The good version took over and the bad one was put back, and no request was lost to either.',
        )
      : tone('red', `This is not what the demo should show: ${wrong.join('; ')}.`),
  ];
}

function indent(title: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => `  ${(index === 0 ? title : '').padEnd(10)}${line}`);
}

function story(release: ReleaseReport, index: number, report: Report): string[] {
  const { revision, patchedAt, outcome } = release;
  const moved = `${timeOf(patchedAt)}  ${follow(release)}`;
  if (outcome === 'RolledBack')
    return [`was given the traffic as ${revision}, and lost it again`, moved, ...back(release, report)];
  return index === 0
    ? [`ran as an ordinary Deployment and was adopted as ${revision}`, moved]
    : [`took over as ${revision}, was watched, and was kept`, moved];
}

function follow({ patchedAt, convergedAt }: ReleaseReport): string {
  if (convergedAt === null) return 'traffic moved';
  const ms = Date.parse(convergedAt) - Date.parse(patchedAt);
  return `traffic moved; its pods alone stood behind the Service ${ms} ms later`;
}

function back({ patchedAt, rollbackPatchedAt }: ReleaseReport, { traffic }: Report): string[] {
  if (rollbackPatchedAt === null) return [];
  const had = seconds(patchedAt, rollbackPatchedAt);
  // Where requests failed besides, the first error need not be its own.
  const first = traffic.failed === 0 ? traffic.firstErrorAt : null;
  const since = first === null ? '' : `, ${seconds(first, rollbackPatchedAt)} after its first error`;
  return [`${timeOf(rollbackPatchedAt)}  traffic put back by the operator after ${had}${since}`];
}

function howFailed({ traffic }: Report): string {
  if (traffic.failed === 0) return '';
  const { connectionErrors, timeouts, notSent, wrongAnswers } = traffic.failures;
  return `: ${connectionErrors} connection errors, ${timeouts} time-outs, ${notSent} not sent, ${wrongAnswers} wrong answers`;
}

function errors({ traffic }: Report): string {
  const { serverErrors, failed, firstErrorAt, lastErrorAt } = traffic;
  const sent = `${serverErrors.toLocaleString('en-US')} that v3 sent on purpose`;
  if (firstErrorAt === null || lastErrorAt === null || failed > 0) return sent;
  return `${sent}, for ${seconds(firstErrorAt, lastErrorAt)}: ${timeOf(firstErrorAt)} to ${timeOf(lastErrorAt)}`;
}

function latency({ traffic }: Report): string {
  const { latency } = traffic;
  return latency === null ? '' : `; half of them within ${latency.p50} ms, 99 % within ${latency.p99} ms`;
}

const seconds = (from: string, to: string): string =>
  `${((Date.parse(to) - Date.parse(from)) / 1000).toFixed(1)} s`;

const timeOf = (at: string): string => at.slice(11, 23);

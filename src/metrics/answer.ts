/**
 * Reads what Prometheus (or Thanos, Mimir, VictoriaMetrics) answered to an instant query: one number, or the name of
 * the reason why there is none.
 *
 * An answer is never handed on. Out of a refusal comes the source's own `error` text, shortened; label values are
 * the application's data and stay where they are.
 *
 * Infinity is a number here: a ratio whose divisor is zero while its dividend is not is as bad as a ratio can be, so
 * `+Inf` is above every `max` and `-Inf` below every `min`. 0/0 is NaN, and NaN is unknown.
 */
import { z } from 'zod';
import type { Sample, UnknownReason } from '../analysis/measurement.ts';

export interface Answer {
  /** The HTTP status code. */
  readonly status: number;
  readonly body: string;
}

export interface Freshness {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The oldest answer that is believed, in milliseconds. */
  readonly stalenessMs: number;
}

/** A message must fit in the status of a release. */
const MAX_MESSAGE = 256;

const point = z.tuple([z.number(), z.string()]);

/** `value` is absent where the series is a native histogram. */
const series = z.object({ value: point.optional() });

const data = z.discriminatedUnion('resultType', [
  z.object({ resultType: z.literal('scalar'), result: point }),
  z.object({ resultType: z.literal('vector'), result: z.array(series) }),
  z.object({ resultType: z.literal('matrix') }),
  z.object({ resultType: z.literal('string') }),
]);

const envelope = z.discriminatedUnion('status', [
  z.object({ status: z.literal('success'), data }),
  z.object({ status: z.literal('error'), errorType: z.string().default(''), error: z.string().default('') }),
]);

type Data = z.output<typeof data>;
type Refusal = Extract<z.output<typeof envelope>, { status: 'error' }>;

/** Control characters and line ends become spaces; longer than the status allows is cut. */
export function unknown(reason: UnknownReason, message: string): Sample {
  const line = message.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
  const cut = line.length <= MAX_MESSAGE ? line : `${line.slice(0, MAX_MESSAGE - 1)}…`;
  return { kind: 'unknown', reason, message: cut.toWellFormed() };
}

/** Never throws, whatever the answer is. */
export function readAnswer({ status, body }: Answer, freshness: Freshness): Sample {
  if (status === 401 || status === 403) {
    return unknown(
      'SourceDenied',
      `the metric source answered ${status}: it does not accept the operator's credentials`,
    );
  }
  if (status >= 300 && status < 400) {
    return unknown('SourceError', `the metric source answered ${status}: redirects are not followed`);
  }
  const read = readEnvelope(body);
  if (read?.status === 'error') return readRefusal(status, read);
  if (status < 200 || status >= 300) return unknown('SourceError', `the metric source answered ${status}`);
  if (read === undefined) {
    return unknown(
      'SourceError',
      'the metric source answered with something that is not a Prometheus answer',
    );
  }
  return readData(read.data, freshness);
}

function readEnvelope(body: string): z.output<typeof envelope> | undefined {
  try {
    return envelope.parse(JSON.parse(body));
  } catch {
    return undefined;
  }
}

function readRefusal(status: number, refusal: Refusal): Sample {
  if (refusal.errorType === 'timeout') {
    return unknown('SourceTimeout', 'the metric source could not evaluate the query in time');
  }
  // A remote read that failed is reported as if the query had: it is not the query's fault.
  const storage = refusal.error.startsWith('expanding series');
  if ((status !== 400 && status !== 422) || storage) {
    return unknown('SourceError', `the metric source answered ${status}`);
  }
  return unknown('InvalidQuery', `the metric source refuses the query: ${ownWords(refusal)}`);
}

/**
 * What the source says of the query. Parse errors quote the query alone; errors of the evaluation quote series
 * ("found duplicate series for the match group {...}"), so those end where the first label set begins.
 */
function ownWords({ errorType, error }: Refusal): string {
  const words = errorType === 'bad_data' ? error : error.replace(/[{[].*$/s, '');
  return words.trim() || 'it gives no reason';
}

function readData(answer: Data, freshness: Freshness): Sample {
  switch (answer.resultType) {
    case 'scalar':
      return readPoint(answer.result, freshness);
    case 'vector':
      return readVector(answer.result, freshness);
    case 'matrix':
    case 'string':
      return unknown('WrongType', `the query answers with a ${answer.resultType} instead of one number`);
  }
}

function readVector(result: readonly z.output<typeof series>[], freshness: Freshness): Sample {
  const [first, second] = result;
  if (first === undefined) return unknown('NoData', 'the query answers with no series');
  if (second !== undefined) {
    return unknown(
      'SeveralSeries',
      'the query answers with several series: aggregate them, for example with sum()',
    );
  }
  if (first.value === undefined) {
    return unknown('WrongType', 'the query answers with a native histogram instead of one number');
  }
  return readPoint(first.value, freshness);
}

function readPoint([seconds, text]: z.output<typeof point>, { now, stalenessMs }: Freshness): Sample {
  const value = readNumber(text);
  if (value === undefined)
    return unknown('SourceError', 'the metric source answered with an unreadable number');
  if (Number.isNaN(value)) {
    return unknown('NotANumber', 'the query answers with NaN: 0/0, for example, where there is no traffic');
  }
  const ageMs = now - seconds * 1000;
  if (ageMs > stalenessMs) {
    return unknown(
      'StaleSample',
      `the answer is ${Math.round(ageMs / 1000)} s old, the limit is ${stalenessMs / 1000} s: it comes from a cache, or the clock of the metric source is wrong`,
    );
  }
  return { kind: 'value', value };
}

const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/** As Go writes a float64; `Number` alone would take '' for 0 and '+Inf' for NaN. */
function readNumber(text: string): number | undefined {
  if (DECIMAL.test(text)) return Number(text);
  switch (text) {
    case 'NaN':
      return Number.NaN;
    case 'Inf':
    case '+Inf':
      return Number.POSITIVE_INFINITY;
    case '-Inf':
      return Number.NEGATIVE_INFINITY;
    default:
      return undefined;
  }
}

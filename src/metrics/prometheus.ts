/**
 * Asks one Prometheus one question: POST /api/v1/query, evaluated at the server's own "now".
 *
 * What is seen of the age of data, and what is not:
 * - A target that is gone or cannot be scraped ends its series with a staleness marker: `NoData` at once.
 * - A series that merely stops (remote write, a pushed metric) is answered for the lookback of the server, 5 minutes
 *   unless it is set otherwise. `lookbackMs` shortens that for this source, by the `lookback_delta` parameter.
 * - An answer that was evaluated too long ago (a caching proxy, a clock that is far behind) is `StaleSample`.
 * - A range, as in `rate(x[5m])`, goes on answering from old data for as long as it reaches back. No answer shows
 *   that: keep ranges short, and give `requestsQuery` and `minRequests`.
 */
import { Agent, request } from 'undici';
import type { Sample } from '../analysis/measurement.ts';
import { readAnswer, unknown } from './answer.ts';

export interface PrometheusOptions {
  /** http or https; may end in a path under which the API lives. */
  readonly url: string;
  /** For the whole of a query, in milliseconds. The server is told, so that it stops evaluating then, too. */
  readonly timeoutMs: number;
  /** The oldest answer that is believed, in milliseconds. Default: 5 minutes. */
  readonly stalenessMs?: number | undefined;
  /** How far back the server may look for the last sample of a series, in milliseconds. Default: its own setting. */
  readonly lookbackMs?: number | undefined;
  /** Sent with each query; asked for each time, because tokens are rotated. A failure is `SourceDenied`. */
  readonly headers?: (() => Promise<Readonly<Record<string, string>>>) | undefined;
  /** PEM of the certificate authorities that are trusted, instead of those of the system. */
  readonly ca?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: (() => number) | undefined;
}

export interface PrometheusSource {
  /** Throws nothing but the reason of the signal. */
  query(promql: string, signal?: AbortSignal): Promise<Sample>;
  /** Lets queries under way finish. */
  close(): Promise<void>;
}

const DEFAULT_STALENESS_MS = 300_000;
const MAX_ANSWER_BYTES = 64 * 1024;
/** Enough for many releases at once, few enough not to flood the server. */
const MAX_CONNECTIONS = 8;
/** Longer than the usual interval of checks, shorter than what proxies on the way allow. */
const KEEP_ALIVE_MS = 30_000;

export function createPrometheusSource(options: PrometheusOptions): PrometheusSource {
  const endpoint = new URL('api/v1/query', options.url.endsWith('/') ? options.url : `${options.url}/`);
  const now = options.now ?? Date.now;
  const stalenessMs = options.stalenessMs ?? DEFAULT_STALENESS_MS;
  const agent = new Agent({
    connections: MAX_CONNECTIONS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxResponseSize: MAX_ANSWER_BYTES,
    connect: { timeout: options.timeoutMs, ...(options.ca === undefined ? {} : { ca: options.ca }) },
  });

  async function ask(promql: string, signal: AbortSignal): Promise<Sample> {
    const headers = await options.headers?.().catch(() => undefined);
    if (options.headers !== undefined && headers === undefined) {
      return unknown(
        'SourceDenied',
        "the metric source's credentials cannot be read: see the operator's config",
      );
    }
    const answer = await request(endpoint, {
      dispatcher: agent,
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
      },
      body: form(promql, options),
      signal,
    });
    const body = await answer.body.text();
    return readAnswer({ status: answer.statusCode, body }, { now: now(), stalenessMs });
  }

  return {
    async query(promql, signal) {
      signal?.throwIfAborted();
      const deadline = AbortSignal.timeout(options.timeoutMs);
      try {
        return await ask(promql, signal === undefined ? deadline : AbortSignal.any([signal, deadline]));
      } catch (thrown) {
        signal?.throwIfAborted();
        return deadline.aborted ? late(options.timeoutMs) : nameFailure(thrown, options.timeoutMs);
      }
    },
    close: () => agent.close(),
  };
}

function form(promql: string, options: PrometheusOptions): string {
  const parameters = new URLSearchParams({
    query: promql,
    timeout: `${options.timeoutMs}ms`,
    // Two series are enough to see that there are several. Older servers ignore the parameter.
    limit: '2',
  });
  if (options.lookbackMs !== undefined) parameters.set('lookback_delta', `${options.lookbackMs}ms`);
  return parameters.toString();
}

function late(timeoutMs: number): Sample {
  return unknown('SourceTimeout', `the metric source did not answer within ${timeoutMs / 1000} s`);
}

/** By the error's code alone: messages hold addresses, and sometimes bodies. */
function nameFailure(thrown: unknown, timeoutMs: number): Sample {
  const code = codeOf(thrown);
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
    return unknown('SourceError', 'the metric source answered with more than 64 KiB: aggregate the series');
  }
  if (code.startsWith('HPE_') || code === 'HTTPParserError') {
    return unknown('SourceError', 'the metric source answered with something that is not HTTP');
  }
  if (/^UND_ERR_\w+_TIMEOUT$/.test(code)) return late(timeoutMs);
  return unknown('SourceUnreachable', `the metric source cannot be reached (${code})`);
}

function codeOf(thrown: unknown): string {
  if (thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string') return thrown.code;
  return thrown instanceof Error ? thrown.name : typeof thrown;
}

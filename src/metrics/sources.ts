/**
 * The metric sources that administrators have named in the operator's config. A release names a source, never an
 * address, so that nobody reaches through the operator what they could not reach themselves.
 */
import { readFile } from 'node:fs/promises';
import type { Bounds, Measurement, Sample } from '../analysis/measurement.ts';
import { judge, requireRequests } from '../analysis/threshold.ts';
import { unknown } from './answer.ts';
import { createPrometheusSource, type PrometheusSource } from './prometheus.ts';

/** One source, as the config names it; times in milliseconds. */
export interface SourceConfig {
  readonly name: string;
  /** The namespaces that may ask it; undefined: all. */
  readonly namespaces?: readonly string[] | undefined;
  readonly prometheus: {
    readonly url: string;
    readonly timeoutMs: number;
    readonly lookbackMs?: number | undefined;
    /** Read anew for each query, because the kubelet rotates tokens. */
    readonly bearerTokenFile?: string | undefined;
    /** PEM. */
    readonly ca?: string | undefined;
  };
}

/** A question with its variables expanded already. */
export interface Question {
  readonly namespace: string;
  readonly source: string;
  readonly query: string;
}

export interface MeasureRequest extends Question, Bounds {
  readonly requestsQuery?: string | undefined;
  /** With fewer requests than this the measurement is unknown; without `requestsQuery` it has no meaning. */
  readonly minRequests?: number | undefined;
  /** Milliseconds since the epoch; asked when the answer is there. */
  readonly now: () => number;
}

/** `unknown`: nobody can say now; it must stop nothing. */
export type Validation =
  | { readonly ok: true }
  | { readonly ok: false; readonly message: string }
  | { readonly ok: 'unknown'; readonly message: string };

export interface Sources {
  /** One measurement. Throws nothing but the reason of the signal. */
  measure(request: MeasureRequest, signal?: AbortSignal): Promise<Measurement>;
  /**
   * Asks the query once, before a release depends on it. Refused is what will not mend by waiting: a source that
   * is not named, a query the source refuses, one that answers with a range, a string or a histogram.
   */
  validate(question: Question, signal?: AbortSignal): Promise<Validation>;
  /** Takes another config; queries under way finish with the old one. */
  update(config: readonly SourceConfig[]): void;
  close(): Promise<void>;
}

interface NamedSource {
  readonly config: SourceConfig;
  readonly client: PrometheusSource;
}

export function createSources(config: readonly SourceConfig[]): Sources {
  let sources = build(config);

  function ask({ namespace, source, query }: Question, signal?: AbortSignal): Promise<Sample> {
    const named = sources.get(source);
    if (named === undefined || named.config.namespaces?.includes(namespace) === false) {
      return Promise.resolve(
        unknown(
          'UnknownSource',
          `metric source "${source}" is not known in namespace "${namespace}": the administrator names sources in the operator's config`,
        ),
      );
    }
    return named.client.query(query, signal);
  }

  return {
    async measure(request, signal) {
      const { requestsQuery, minRequests } = request;
      if (requestsQuery === undefined || minRequests === undefined) {
        return judge(await ask(request, signal), request, request.now());
      }
      const [sample, requests] = await Promise.all([
        ask(request, signal),
        ask({ ...request, query: requestsQuery }, signal),
      ]);
      return judge(requireRequests(sample, ofRequests(requests), minRequests), request, request.now());
    },
    async validate(question, signal) {
      const sample = await ask(question, signal);
      return sample.kind === 'value' ? { ok: true } : validation(sample);
    },
    update(next) {
      const old = sources;
      sources = build(next);
      void closeAll(old);
    },
    close: () => closeAll(sources),
  };
}

function build(config: readonly SourceConfig[]): Map<string, NamedSource> {
  return new Map(config.map((source) => [source.name, { config: source, client: connect(source) }]));
}

function connect({ prometheus: { bearerTokenFile, ...options } }: SourceConfig): PrometheusSource {
  if (bearerTokenFile === undefined) return createPrometheusSource(options);
  const headers = async (): Promise<Record<string, string>> => {
    const token = await readFile(bearerTokenFile, 'utf8');
    return { authorization: `Bearer ${token.trim()}` };
  };
  return createPrometheusSource({ ...options, headers });
}

async function closeAll(sources: ReadonlyMap<string, NamedSource>): Promise<void> {
  await Promise.allSettled([...sources.values()].map(({ client }) => client.close()));
}

/** Says which of the two queries of a check it was. */
function ofRequests(requests: Sample): Sample {
  return requests.kind === 'value'
    ? requests
    : unknown(requests.reason, `requestsQuery: ${requests.message}`);
}

function validation({ reason, message }: Extract<Sample, { kind: 'unknown' }>): Validation {
  switch (reason) {
    case 'InvalidQuery':
    case 'UnknownSource':
    case 'WrongType':
      return { ok: false, message };
    case 'SourceError':
    case 'SourceTimeout':
    case 'SourceUnreachable':
    case 'SourceDenied':
      return { ok: 'unknown', message };
    case 'NoData':
    case 'NotANumber':
    case 'SeveralSeries':
    case 'StaleSample':
    case 'TooFewRequests':
      // The query is understood; what it finds before the release says nothing about what it will find.
      return { ok: true };
  }
}

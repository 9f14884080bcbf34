/** What one HTTP exchange with the API server is made of: a request, its credentials, its answer, its report. */

import type { Dispatcher } from 'undici';
import type { Clock } from './clock.ts';
import type { Connections, Lane } from './connections.ts';
import type { Endpoint } from './endpoint.ts';
import { KubeError, parseStatus, reasonOf, type StatusBody } from './errors.ts';
import type { Gate } from './gate.ts';
import { type Query, queryString } from './paths.ts';
import type { CallOptions, ResourceType } from './ports.ts';
import type { RateLimiter } from './ratelimit.ts';
import { networkErrorCode, parseRetryAfterMs } from './retry.ts';

/** One request as it went over the wire; a call that is retried reports each of its tries. */
export interface RequestReport {
  readonly verb: Verb;
  /** 'services', 'deployments/scale'. */
  readonly resource: string;
  /** HTTP status; 0 where no answer came. */
  readonly status: number;
  readonly seconds: number;
}

export interface RequestObserver {
  onRequest(report: RequestReport): void;
}

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

export interface Request {
  readonly verb: Verb;
  readonly method: Dispatcher.HttpMethod;
  readonly type: ResourceType;
  /** "patch services shop/checkout". */
  readonly call: string;
  readonly path: string;
  readonly query?: Query;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  /** May be sent again although it may have been carried out. */
  readonly repeatable: boolean;
  readonly options: CallOptions;
  readonly deadlineMs: number;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly retryAfterMs?: number;
}

export interface Context {
  readonly endpoint: Endpoint;
  readonly connections: Connections;
  /** Aborts when the client is closed. */
  readonly closing: AbortSignal;
  readonly limiter: RateLimiter;
  readonly gate: Gate;
  readonly observer: RequestObserver | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly fieldManager: string;
  readonly userAgent: string;
}

/** Not the API server's doing: a missing token file, an exec plugin that fails. */
export class CredentialsError extends Error {}

export async function dispatch(
  context: Context,
  lane: Lane,
  request: Pick<Request, 'method' | 'path' | 'query' | 'contentType' | 'accept'>,
  body: string | undefined,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  const credentials = await context.endpoint.current().catch((error: unknown) => {
    // What an exec plugin wrote to its stderr becomes the message of what it throws: it is not repeated here.
    throw new CredentialsError(`no credentials: ${networkErrorCode(error)}`);
  });
  return context.connections.pool(credentials.connection, lane).request({
    origin: credentials.connection.origin,
    path: `${credentials.pathPrefix}${request.path}${queryString(request.query ?? {})}`,
    method: request.method,
    headers: {
      ...credentials.headers,
      accept: request.accept === undefined ? 'application/json' : `${request.accept},application/json`,
      'user-agent': context.userAgent,
      ...(body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
    },
    body: body ?? null,
    signal,
  });
}

export async function readAnswer(context: Context, response: Dispatcher.ResponseData): Promise<Answer> {
  const text = await response.body.text();
  const header = response.headers['retry-after'];
  const asked = parseRetryAfterMs(Array.isArray(header) ? header[0] : header, context.clock.now());
  return { status: response.statusCode, text, ...(asked === undefined ? {} : { retryAfterMs: asked }) };
}

export function parse<T>(request: Request, answer: Answer): T {
  if (answer.status >= 300) throw failure(request.call, answer);
  try {
    return JSON.parse(answer.text) as T;
  } catch {
    const message = 'the answer is no JSON';
    throw new KubeError({ reason: 'Other', status: answer.status, call: request.call, message });
  }
}

export function failure(call: string, answer: Answer): KubeError {
  const status: StatusBody | undefined = parseStatus(answer.text);
  const seconds = status?.details?.retryAfterSeconds;
  const retryAfterMs =
    answer.retryAfterMs ?? (seconds === undefined || seconds === 0 ? undefined : seconds * 1000);
  return new KubeError({
    reason: reasonOf(answer.status, status),
    status: answer.status,
    call,
    message: status?.message ?? `HTTP ${answer.status}`,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

export function report(
  context: Context,
  request: { readonly verb: Verb; readonly type: ResourceType; readonly options?: CallOptions },
  status: number,
  startedAt: number,
): void {
  context.observer?.onRequest({
    verb: request.verb,
    resource: resourceName(request.type, request.options ?? {}),
    status,
    seconds: (context.clock.monotonic() - startedAt) / 1000,
  });
}

export function resourceName(type: ResourceType, options: CallOptions): string {
  return options.subresource === undefined ? type.plural : `${type.plural}/${options.subresource}`;
}

/** Watches: a stream of events, with an eye on its silence. */

import type { Dispatcher } from 'undici';
import { KubeError } from './errors.ts';
import {
  type Context,
  CredentialsError,
  dispatch,
  failure,
  type Request,
  readAnswer,
  report,
} from './http.ts';
import { collectionPath, scopeQuery } from './paths.ts';
import type { KubeObject, ResourceType, WatchEvent, WatchOptions } from './ports.ts';
import { networkErrorCode } from './retry.ts';
import { createLineSplitter, decodeEvent } from './watch-stream.ts';

const METADATA_ITEM = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
/** Bookmarks come each minute. */
const DEFAULT_IDLE_MS = 90_000;

export async function* watch<T extends KubeObject>(
  context: Context,
  type: ResourceType,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  const call = `watch ${type.plural}${options.namespace === undefined ? '' : ` in ${options.namespace}`}`;
  const guard = startIdleGuard(context, options);
  const splitter = createLineSplitter();
  try {
    const body = await openWatch(context, type, options, call, guard.signal);
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      guard.touch();
      for (const line of splitter.push(chunk)) {
        const event = decodeEvent<T>(line, type, call);
        if (event !== undefined) yield event;
      }
    }
  } catch (error) {
    throw watchFailure(call, error, guard, options);
  } finally {
    guard.stop();
  }
  if (splitter.rest > 0) {
    throw new KubeError({ reason: 'Network', status: 0, call, message: 'the stream ended inside an event' });
  }
}

async function openWatch(
  context: Context,
  type: ResourceType,
  options: WatchOptions,
  call: string,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData['body']> {
  await context.limiter.take(options.idleMs ?? DEFAULT_IDLE_MS, signal);
  const startedAt = context.clock.monotonic();
  let status = 0;
  try {
    const response = await dispatch(context, 'watches', watchRequest(type, options), undefined, signal);
    status = response.statusCode;
    if (status === 200) return response.body;
    if (status === 401) context.endpoint.refresh();
    throw failure(call, await readAnswer(context, response));
  } finally {
    report(context, { verb: 'watch', type }, status, startedAt);
  }
}

function watchRequest(
  type: ResourceType,
  options: WatchOptions,
): Pick<Request, 'method' | 'path' | 'query' | 'accept'> {
  const initial = options.sendInitialEvents === true;
  return {
    method: 'GET',
    path: collectionPath(type, options.namespace),
    query: {
      watch: 1,
      allowWatchBookmarks: true,
      resourceVersion: options.resourceVersion,
      sendInitialEvents: initial ? true : undefined,
      resourceVersionMatch: initial ? 'NotOlderThan' : undefined,
      timeoutSeconds: options.timeoutSeconds,
      ...scopeQuery(options),
    },
    ...(options.metadataOnly === true ? { accept: METADATA_ITEM } : {}),
  };
}

interface IdleGuard {
  readonly signal: AbortSignal;
  readonly idle: boolean;
  readonly idleMs: number;
  /** Something came. */
  touch(): void;
  stop(): void;
}

/** Ends a watch over which nothing comes any more: the peer of a dead connection sends no reset. */
function startIdleGuard(context: Context, options: WatchOptions): IdleGuard {
  const idleMs = options.idleMs ?? DEFAULT_IDLE_MS;
  const abort = new AbortController();
  let idle = false;
  let heardAt = context.clock.monotonic();
  let cancel: () => void = () => undefined;
  const onAbort = (): void => abort.abort();

  // One timer that looks at the time of the last event, rather than a new timer for each event.
  const look = (): void => {
    const left = heardAt + idleMs - context.clock.monotonic();
    if (left > 0) {
      cancel = context.clock.after(left, look);
      return;
    }
    idle = true;
    abort.abort();
  };
  cancel = context.clock.after(idleMs, look);
  if (options.signal?.aborted === true) abort.abort();
  else options.signal?.addEventListener('abort', onAbort, { once: true });

  return {
    signal: abort.signal,
    idleMs,
    get idle() {
      return idle;
    },
    touch() {
      heardAt = context.clock.monotonic();
    },
    stop() {
      cancel();
      options.signal?.removeEventListener('abort', onAbort);
      // Ends the request where the reader left early.
      abort.abort();
    },
  };
}

function watchFailure(call: string, error: unknown, guard: IdleGuard, options: WatchOptions): KubeError {
  if (options.signal?.aborted === true) {
    return new KubeError({ reason: 'Aborted', status: 0, call, message: 'given up by the caller' });
  }
  if (guard.idle) {
    return new KubeError({
      reason: 'Timeout',
      status: 0,
      call,
      message: `nothing came for ${guard.idleMs} ms`,
    });
  }
  if (error instanceof KubeError) return error;
  if (error instanceof CredentialsError) {
    return new KubeError({ reason: 'Other', status: 0, call, message: error.message });
  }
  const message = `the stream broke: ${networkErrorCode(error)}`;
  return new KubeError({ reason: 'Network', status: 0, call, message });
}

/**
 * The client of one API server: plain JSON over pooled connections.
 *
 * Calls of urgency 'rescue' skip the client-side rate limit and the queue for a place among the calls under way, and
 * have connections of their own.
 *
 * Ordinary writes carry no `fieldValidation=Strict`, dry runs do: strictness belongs where the verdict is asked for.
 * A write that puts production back must not fail because an API server older than the template does not know one
 * of its fields.
 */

import { send } from './call.ts';
import { type Clock, systemClock } from './clock.ts';
import { createConnections } from './connections.ts';
import type { Endpoint } from './endpoint.ts';
import { parseStatus } from './errors.ts';
import { createGate } from './gate.ts';
import {
  type Answer,
  type Context,
  failure,
  parse,
  type Request,
  type RequestObserver,
  resourceName,
} from './http.ts';
import { readList } from './list.ts';
import { collectionPath, describeKey, objectPath, type Query } from './paths.ts';
import type {
  CallOptions,
  DeleteOptions,
  KubeClient,
  KubeObject,
  ListOptions,
  ListWatchClient,
  ObjectKey,
  Patch,
  ResourceType,
} from './ports.ts';
import { createRateLimiter, type RateLimitOptions } from './ratelimit.ts';
import { isRepeatablePatch } from './retry.ts';
import { watch } from './watch.ts';

export interface KubeClientOptions {
  readonly endpoint: Endpoint;
  /** Owner of the fields we write, in managedFields. */
  readonly fieldManager?: string;
  readonly userAgent?: string;
  readonly limits?: RateLimitOptions;
  /** Calls under way at once; a few more are kept for urgency 'rescue'. */
  readonly concurrency?: number;
  readonly observer?: RequestObserver;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface KubeTransport extends KubeClient, ListWatchClient {
  /** Breaks off every call and watch. */
  close(): Promise<void>;
}

const DEFAULT_FIELD_MANAGER = 'bluegreen-operator';
const DEFAULT_LIMITS: RateLimitOptions = { perSecond: 200, burst: 400 };
const DEFAULT_CONCURRENCY = 48;
const RESCUE_PLACES = 16;
const DEFAULT_DEADLINE_MS = 15_000;

export function createKubeClient(options: KubeClientOptions): KubeTransport {
  const clock = options.clock ?? systemClock;
  const concurrency = options.concurrency ?? DEFAULT_CONCURRENCY;
  const closing = new AbortController();
  const context: Context = {
    closing: closing.signal,
    endpoint: options.endpoint,
    connections: createConnections({ calls: concurrency, rescues: RESCUE_PLACES }),
    limiter: createRateLimiter(options.limits ?? DEFAULT_LIMITS, clock),
    gate: createGate(concurrency),
    observer: options.observer,
    clock,
    random: options.random ?? Math.random,
    fieldManager: options.fieldManager ?? DEFAULT_FIELD_MANAGER,
    userAgent: options.userAgent ?? options.fieldManager ?? DEFAULT_FIELD_MANAGER,
  };
  return {
    get: (type, key, callOptions) => get(context, type, key, callOptions),
    list: async <T extends KubeObject>(type: ResourceType, listOptions?: ListOptions) =>
      (await readList<T>(context, type, listOptions ?? {})).items,
    readList: (type, listOptions) => readList(context, type, listOptions ?? {}),
    watch: (type, watchOptions) => watch(context, type, watchOptions ?? {}),
    create: (type, body, callOptions) => create(context, type, body, callOptions),
    replace: (type, body, callOptions) => replace(context, type, body, callOptions),
    patch: (type, key, body, callOptions) => patch(context, type, key, body, callOptions),
    delete: (type, key, deleteOptions) => remove(context, type, key, deleteOptions),
    close() {
      closing.abort();
      return context.connections.close();
    },
  };
}

async function get<T extends KubeObject>(
  context: Context,
  type: ResourceType,
  key: ObjectKey,
  options: CallOptions = {},
): Promise<T | undefined> {
  const request = objectRequest(type, key, options, { verb: 'get', method: 'GET', repeatable: true });
  const answer = await send(context, request);
  if (answer.status === 404 && isObjectNotFound(answer)) return undefined;
  return parse<T>(request, answer);
}

async function create<T extends KubeObject>(
  context: Context,
  type: ResourceType,
  body: T,
  options: CallOptions = {},
): Promise<T> {
  const { namespace, name } = body.metadata;
  const key = namespace === undefined ? { name } : { name, namespace };
  if (type.namespaced && namespace === undefined) objectPath(type, key);
  const request: Request = {
    verb: 'create',
    method: 'POST',
    type,
    call: `create ${resourceName(type, options)} ${describeKey(key)}`,
    path:
      options.subresource === undefined
        ? collectionPath(type, namespace)
        : objectPath(type, key, options.subresource),
    query: writeQuery(context, options),
    body,
    contentType: 'application/json',
    repeatable: typeof name === 'string' && name !== '',
    options,
    deadlineMs: options.deadlineMs ?? DEFAULT_DEADLINE_MS,
  };
  return parse<T>(request, await send(context, request));
}

async function replace<T extends KubeObject>(
  context: Context,
  type: ResourceType,
  body: T,
  options: CallOptions = {},
): Promise<T> {
  const request = objectRequest(type, body.metadata, options, {
    verb: 'update',
    method: 'PUT',
    query: writeQuery(context, options),
    body,
    contentType: 'application/json',
    repeatable: body.metadata.resourceVersion !== undefined,
  });
  return parse<T>(request, await send(context, request));
}

const PATCH_CONTENT_TYPES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  // JSON is YAML; the JSON name of this type came with 1.33 only.
  apply: 'application/apply-patch+yaml',
} as const;

async function patch<T extends KubeObject>(
  context: Context,
  type: ResourceType,
  key: ObjectKey,
  change: Patch,
  options: CallOptions = {},
): Promise<T> {
  const apply = change.type === 'apply' ? { fieldManager: change.fieldManager, force: change.force } : {};
  const request = objectRequest(type, key, options, {
    verb: 'patch',
    method: 'PATCH',
    query: { ...writeQuery(context, options), ...apply },
    body: change.type === 'json' ? change.operations : change.body,
    contentType: PATCH_CONTENT_TYPES[change.type],
    repeatable: isRepeatablePatch(change, options.subresource),
  });
  return parse<T>(request, await send(context, request));
}

async function remove(
  context: Context,
  type: ResourceType,
  key: ObjectKey,
  options: DeleteOptions = {},
): Promise<void> {
  const { uid, resourceVersion } = options;
  const preconditions = {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  const request = objectRequest(type, key, options, {
    verb: 'delete',
    method: 'DELETE',
    ...(options.dryRun === true ? { query: { dryRun: 'All' } } : {}),
    body: {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions,
      // Said always: the server's own default leaves the pods of a deleted Job behind.
      propagationPolicy: options.propagation ?? 'Background',
    },
    contentType: 'application/json',
    repeatable: uid !== undefined || resourceVersion !== undefined,
  });
  const answer = await send(context, request);
  if (answer.status < 300 || (answer.status === 404 && isObjectNotFound(answer))) return;
  const error = failure(request.call, answer);
  const mayBeAnother = error.reason === 'Conflict' && uid !== undefined;
  if (mayBeAnother && !(await isStillThere(context, type, key, uid, options))) return;
  throw error;
}

/** Whether the object that was to go is there, and not one that was made under its name since. */
async function isStillThere(
  context: Context,
  type: ResourceType,
  key: ObjectKey,
  uid: string,
  options: CallOptions,
): Promise<boolean> {
  const found = await get(context, type, key, options);
  return found?.metadata.uid === uid;
}

/**
 * 404 says three things: no such object (a Status that names it), no such resource, and no such page. The latter two
 * come while an API server starts and its custom resources are not served yet: to take them for "deleted" would make
 * a controller clean up after objects that are all there.
 */
function isObjectNotFound(answer: Answer): boolean {
  const status = parseStatus(answer.text);
  return status?.reason === 'NotFound' && status.details?.name !== undefined;
}

function objectRequest(
  type: ResourceType,
  key: ObjectKey,
  options: CallOptions,
  request: Omit<Request, 'type' | 'call' | 'path' | 'options' | 'deadlineMs'>,
): Request {
  return {
    ...request,
    type,
    call: `${request.verb} ${resourceName(type, options)} ${describeKey(key)}`,
    path: objectPath(type, key, options.subresource),
    options,
    deadlineMs: options.deadlineMs ?? DEFAULT_DEADLINE_MS,
  };
}

function writeQuery(context: Context, options: CallOptions): Query {
  const dryRun = options.dryRun === true ? { dryRun: 'All', fieldValidation: 'Strict' } : {};
  return { fieldManager: context.fieldManager, ...dryRun };
}

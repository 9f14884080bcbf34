/**
 * A small API server that misbehaves by name. It keeps objects in memory, numbers its writes as etcd does, pages
 * its lists, streams its watches, and lets a test say what shall go wrong with which request.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { KubeObject } from '../../../src/kube/ports.ts';

export type StoredObject = KubeObject & { [member: string]: any };

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: any;
  /** The body as it came. */
  readonly text: string;
  readonly watch: boolean;
}

export type Fault =
  /** The connection is reset before anything is done. */
  | { readonly kind: 'reset' }
  /** The request is read and nothing ever answered. */
  | { readonly kind: 'never answers' }
  /** The write is done, then the connection is reset. */
  | { readonly kind: 'answer lost' }
  /** An answer of this status instead of the right one; nothing is done. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly retryAfter?: string;
      readonly body?: unknown;
    }
  /** Waits for this promise first. */
  | { readonly kind: 'latency'; readonly until: Promise<void> };

interface Rule {
  readonly match: (request: SeenRequest) => boolean;
  readonly fault: Fault;
  left: number;
}

interface LoggedEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resourceVersion: number;
  readonly collection: string;
  readonly object: StoredObject;
}

interface Watcher {
  readonly collection: string;
  readonly isWanted: Selection;
  readonly response: ServerResponse;
}

export interface FakeServer {
  readonly url: string;
  readonly requests: SeenRequest[];
  /** TCP connections accepted. */
  readonly connections: number;
  /** Watches under way. */
  readonly watches: number;
  readonly resourceVersion: number;
  /** Whether `sendInitialEvents` is served; where not, it is refused as Kubernetes 1.33 does. */
  streamingList: boolean;
  /** Puts an object in, as another client would. */
  put(collection: string, object: KubeObject): StoredObject;
  remove(collection: string, name: string, namespace?: string): void;
  object(collection: string, name: string, namespace?: string): StoredObject | undefined;
  /** What goes wrong with the next `times` requests that match. */
  fail(match: (request: SeenRequest) => boolean, fault: Fault, times?: number): void;
  bookmark(): void;
  /** Ends all watches properly. */
  endWatches(): void;
  /** Resets the connection of all watches, in the middle of an event. */
  truncateWatches(): void;
  /** Sends an ERROR event with 410 to all watches. */
  expireWatches(): void;
  /** Forgets events up to now: a watch or a page from before is answered 410. */
  compact(): void;
  /** Sets the version counter, as an etcd restored from a backup does, without telling anyone. */
  restoreTo(resourceVersion: number): void;
  close(): Promise<void>;
}

export async function startServer(): Promise<FakeServer> {
  const state = new State();
  const server = createServer((request, response) => {
    void state.serve(request, response);
  });
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket) => state.connected(socket));
  await listen(server);
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    url: `http://127.0.0.1:${port}`,
    async close() {
      state.destroySockets();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
}

class State {
  readonly requests: SeenRequest[] = [];
  connections = 0;
  resourceVersion = 100;
  streamingList = true;
  readonly #objects = new Map<string, Map<string, StoredObject>>();
  readonly #sockets = new Set<Socket>();
  readonly #watchers = new Set<Watcher>();
  readonly #rules: Rule[] = [];
  #log: LoggedEvent[] = [];
  #oldest = 0;
  #uids = 0;

  get watches(): number {
    return this.#watchers.size;
  }

  connected(socket: Socket): void {
    this.connections += 1;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
  }

  destroySockets(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  put(collection: string, object: KubeObject): StoredObject {
    const objects = this.#collection(collection);
    const id = objectId(object.metadata.name, object.metadata.namespace);
    const old = objects.get(id);
    this.resourceVersion += 1;
    this.#uids += 1;
    const stored: StoredObject = {
      ...object,
      metadata: {
        ...object.metadata,
        uid: object.metadata.uid ?? old?.metadata.uid ?? `uid-${this.#uids}`,
        resourceVersion: String(this.resourceVersion),
      },
    };
    objects.set(id, stored);
    this.#publish({
      type: old === undefined ? 'ADDED' : 'MODIFIED',
      resourceVersion: this.resourceVersion,
      collection,
      object: stored,
    });
    return stored;
  }

  remove(collection: string, name: string, namespace?: string): void {
    const objects = this.#collection(collection);
    const id = objectId(name, namespace);
    const old = objects.get(id);
    if (old === undefined) return;
    objects.delete(id);
    this.resourceVersion += 1;
    const object = {
      ...old,
      metadata: { ...old.metadata, resourceVersion: String(this.resourceVersion) },
    };
    this.#publish({ type: 'DELETED', resourceVersion: this.resourceVersion, collection, object });
  }

  object(collection: string, name: string, namespace?: string): StoredObject | undefined {
    return this.#collection(collection).get(objectId(name, namespace));
  }

  fail(match: (request: SeenRequest) => boolean, fault: Fault, times = 1): void {
    this.#rules.push({ match, fault, left: times });
  }

  bookmark(): void {
    for (const watcher of this.#watchers) sendBookmark(watcher.response, this.resourceVersion, false);
  }

  endWatches(): void {
    for (const { response } of this.#letGo()) response.end();
  }

  truncateWatches(): void {
    for (const { response } of this.#letGo()) {
      response.write('{"type":"MODIFIED","object":{"metadata":{"na', () => response.socket?.destroy());
    }
  }

  expireWatches(): void {
    for (const { response } of this.#letGo()) {
      send(response, { type: 'ERROR', object: status(410, 'Expired', 'too old resource version') });
      response.end();
    }
  }

  /** All watches, which from now on are told nothing. */
  #letGo(): Watcher[] {
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    return watchers;
  }

  compact(): void {
    this.#oldest = this.resourceVersion;
    this.#log = [];
  }

  restoreTo(resourceVersion: number): void {
    this.resourceVersion = resourceVersion;
    this.#oldest = 0;
    this.#log = [];
  }

  async serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(message.url ?? '/', 'http://localhost');
    const text = await readBody(message);
    const request: SeenRequest = {
      method: message.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: message.headers,
      body: text === '' ? undefined : JSON.parse(text),
      text,
      watch: url.searchParams.get('watch') === '1',
    };
    this.requests.push(request);
    const fault = this.#fault(request);
    if (fault?.kind === 'latency') await fault.until;
    else if (fault !== undefined && (await this.#misbehave(fault, request, response))) return;
    this.#answer(request, response);
  }

  #fault(request: SeenRequest): Fault | undefined {
    const rule = this.#rules.find((candidate) => candidate.left > 0 && candidate.match(request));
    if (rule === undefined) return undefined;
    rule.left -= 1;
    return rule.fault;
  }

  async #misbehave(fault: Fault, request: SeenRequest, response: ServerResponse): Promise<boolean> {
    switch (fault.kind) {
      case 'reset':
        response.socket?.resetAndDestroy();
        return true;
      case 'never answers':
        return true;
      case 'answer lost':
        this.#do(request);
        response.socket?.resetAndDestroy();
        return true;
      case 'status': {
        const headers = fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter };
        response.writeHead(fault.status, headers);
        const body = fault.body ?? status(fault.status, undefined, `made up ${fault.status}`);
        response.end(typeof body === 'string' ? body : JSON.stringify(body));
        return true;
      }
      case 'latency':
        return false;
      default:
        return fault satisfies never;
    }
  }

  #answer(request: SeenRequest, response: ServerResponse): void {
    if (request.watch) {
      this.#watch(request, response);
      return;
    }
    const { code, body } = this.#do(request);
    response.writeHead(code, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }

  #do(request: SeenRequest): { code: number; body: unknown } {
    const place = parsePath(request.path);
    if (place === undefined) return { code: 404, body: '404 page not found\n' };
    switch (request.method) {
      case 'GET':
        return place.name === undefined ? this.#list(place, request) : this.#get(place);
      case 'POST':
        return this.#create(place, request.body);
      case 'PUT':
        return this.#replace(place, request.body);
      case 'PATCH':
        return this.#patch(place, request);
      case 'DELETE':
        return this.#delete(place, request.body);
      default:
        return refuse(405, 'MethodNotAllowed', 'no');
    }
  }

  #get(place: Place): { code: number; body: unknown } {
    const object = this.object(place.collection, place.name ?? '', place.namespace);
    return object === undefined ? notFound(place) : { code: 200, body: object };
  }

  #list(place: Place, request: SeenRequest): { code: number; body: unknown } {
    const [from = '0', at] = (request.query.get('continue') ?? '').split('@');
    const version = at === undefined ? this.resourceVersion : Number(at);
    if (at !== undefined && version < this.#oldest) {
      return refuse(410, 'Expired', 'The provided continue parameter is too old');
    }
    const all = this.#select(place.collection, place.namespace, selectionOf(request));
    const limit = Number(request.query.get('limit') ?? all.length);
    const start = Number(from === '' ? 0 : from);
    const page = all.slice(start, start + limit);
    const more = start + limit < all.length;
    const metadata = {
      resourceVersion: String(version),
      ...(more ? { continue: `${start + limit}@${version}` } : {}),
    };
    const items = page.map((object) => ({ ...object, kind: undefined, apiVersion: undefined }));
    return { code: 200, body: { kind: 'List', metadata, items } };
  }

  #select(collection: string, namespace: string | undefined, isWanted: Selection): StoredObject[] {
    return [...this.#collection(collection).values()].filter(
      (object) => (namespace === undefined || object.metadata.namespace === namespace) && isWanted(object),
    );
  }

  #create(place: Place, body: StoredObject): { code: number; body: unknown } {
    if (this.object(place.collection, body.metadata.name, place.namespace) !== undefined) {
      return refuse(409, 'AlreadyExists', `${place.collection} "${body.metadata.name}" already exists`);
    }
    return { code: 201, body: this.put(place.collection, body) };
  }

  #replace(place: Place, body: StoredObject): { code: number; body: unknown } {
    const old = this.object(place.collection, place.name ?? '', place.namespace);
    if (old === undefined) return notFound(place);
    const expected = body.metadata.resourceVersion;
    if (expected !== undefined && expected !== old.metadata.resourceVersion) {
      return refuse(409, 'Conflict', 'the object has been modified');
    }
    return { code: 200, body: this.put(place.collection, body) };
  }

  #patch(place: Place, request: SeenRequest): { code: number; body: unknown } {
    const old = this.object(place.collection, place.name ?? '', place.namespace);
    if (old === undefined) return notFound(place);
    if (request.headers['content-type'] === 'application/json-patch+json') {
      return this.#jsonPatch(place, old, request.body);
    }
    const expected = request.body?.metadata?.resourceVersion;
    if (expected !== undefined && expected !== old.metadata.resourceVersion) {
      return refuse(409, 'Conflict', 'the object has been modified');
    }
    return { code: 200, body: this.put(place.collection, merge(old, request.body)) };
  }

  #jsonPatch(place: Place, old: StoredObject, operations: any[]): { code: number; body: unknown } {
    const object = structuredClone(old);
    for (const { op, path, value } of operations) {
      const steps = path.split('/').slice(1);
      const last = steps.pop();
      const parent = steps.reduce((at: any, step: string) => at?.[step], object);
      if (op === 'test' && JSON.stringify(parent?.[last]) !== JSON.stringify(value)) {
        return refuse(422, 'Invalid', 'the server rejected our request due to an error in our request');
      }
      if (op === 'replace' || op === 'add') parent[last] = value;
      if (op === 'remove') delete parent[last];
    }
    return { code: 200, body: this.put(place.collection, object) };
  }

  #delete(place: Place, body: any): { code: number; body: unknown } {
    const old = this.object(place.collection, place.name ?? '', place.namespace);
    if (old === undefined) return notFound(place);
    const uid = body?.preconditions?.uid;
    if (uid !== undefined && uid !== old.metadata.uid) {
      const message = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`;
      return refuse(409, 'Conflict', message);
    }
    this.remove(place.collection, place.name ?? '', place.namespace);
    return { code: 200, body: { kind: 'Status', status: 'Success' } };
  }

  #watch(request: SeenRequest, response: ServerResponse): void {
    const place = parsePath(request.path);
    if (place === undefined) return;
    const from = request.query.get('resourceVersion');
    const initial = request.query.get('sendInitialEvents') === 'true';
    if (initial && !this.streamingList) {
      response.writeHead(422);
      const message =
        'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch';
      response.end(JSON.stringify(status(422, 'Invalid', message)));
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const isWanted = selectionOf(request);
    if (from !== null && Number(from) < this.#oldest) {
      send(response, { type: 'ERROR', object: status(410, 'Expired', 'too old resource version') });
      response.end();
      return;
    }
    if (initial) {
      for (const object of this.#select(place.collection, place.namespace, isWanted)) {
        send(response, { type: 'ADDED', object });
      }
      sendBookmark(response, this.resourceVersion, true);
    } else {
      this.#replay(place.collection, Number(from ?? this.resourceVersion), isWanted, response);
    }
    const watcher = { collection: place.collection, isWanted, response };
    this.#watchers.add(watcher);
    response.on('close', () => this.#watchers.delete(watcher));
  }

  #replay(collection: string, from: number, isWanted: Selection, response: ServerResponse): void {
    for (const event of this.#log) {
      const wanted = event.collection === collection && isWanted(event.object);
      if (wanted && event.resourceVersion > from) send(response, { type: event.type, object: event.object });
    }
  }

  #publish(event: LoggedEvent): void {
    this.#log.push(event);
    for (const watcher of this.#watchers) {
      if (watcher.collection === event.collection && watcher.isWanted(event.object)) {
        send(watcher.response, { type: event.type, object: event.object });
      }
    }
  }

  #collection(name: string): Map<string, StoredObject> {
    const known = this.#objects.get(name) ?? new Map<string, StoredObject>();
    this.#objects.set(name, known);
    return known;
  }
}

interface Place {
  readonly collection: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

function parsePath(path: string): Place | undefined {
  const match =
    /^\/(?:api|apis\/[^/]+)\/[^/]+(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+)(?:\/(?:status|scale))?)?$/.exec(
      path,
    );
  if (match?.[2] === undefined || match[2] === 'unserved') return undefined;
  return { namespace: match[1], collection: match[2], name: match[3] };
}

function objectId(name: string, namespace: string | undefined): string {
  return `${namespace ?? ''}/${name}`;
}

type Selection = (object: StoredObject) => boolean;

/** By labels, and of the fields by the name. */
function selectionOf({ query }: SeenRequest): Selection {
  const terms = (parameter: string): string[][] =>
    (query.get(parameter) ?? '')
      .split(',')
      .filter((term) => term !== '')
      .map((term) => term.split('='));
  const labels = terms('labelSelector');
  const fields = terms('fieldSelector');
  const unknown = fields.find(([field]) => field !== 'metadata.name');
  if (unknown !== undefined) throw new Error(`field selector "${unknown[0]}": only metadata.name is played`);
  return ({ metadata }) =>
    fields.every(([, name]) => metadata.name === name) &&
    labels.every(([name = '', value]) => {
      const actual = metadata.labels?.[name];
      return value === undefined ? actual !== undefined : actual === value;
    });
}

function merge(target: any, patch: any): any {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const result = { ...target };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merge(result[name], value);
  }
  return result;
}

export function status(code: number, reason: string | undefined, message: string, details?: object): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message, details };
}

function refuse(code: number, reason: string, message: string): { code: number; body: unknown } {
  return { code, body: status(code, reason, message) };
}

function notFound(place: Place): { code: number; body: unknown } {
  const message = `${place.collection} "${place.name}" not found`;
  return { code: 404, body: status(404, 'NotFound', message, { name: place.name, kind: place.collection }) };
}

function send(response: ServerResponse, event: object): void {
  response.write(`${JSON.stringify(event)}\n`);
}

function sendBookmark(response: ServerResponse, resourceVersion: number, end: boolean): void {
  const annotations = end ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
  const metadata = { resourceVersion: String(resourceVersion), ...annotations };
  send(response, { type: 'BOOKMARK', object: { kind: 'Service', apiVersion: 'v1', metadata } });
}

async function readBody(message: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of message) text += chunk;
  return text;
}

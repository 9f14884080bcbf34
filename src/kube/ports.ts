/**
 * The ports of the Kubernetes runtime: what the rest of the product asks of a cluster.
 *
 * Everything above this room is written against these interfaces, so that the simulator can put a model cluster
 * behind them and the process a real API server. Nothing here knows a BlueGreenRelease.
 */

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** The members of ObjectMeta that a controller reads; times are RFC 3339 strings, as the API server sends them. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
}

/** Any object of the API. Typed views (Deployment, Service, ...) extend it with the members they read. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

/** A resource of the API, as it stands in a URL path. */
export interface ResourceType {
  /** '' is the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

export interface ObjectKey {
  readonly namespace?: string;
  readonly name: string;
}

/** RFC 6902. A failed `test` is answered 422, which `KubeError.reason` reports as 'Invalid'. */
export interface JsonPatchOperation {
  op: 'add' | 'replace' | 'remove' | 'test';
  path: string;
  value?: unknown;
}

export type Patch =
  | { readonly type: 'json'; readonly operations: readonly JsonPatchOperation[] }
  | { readonly type: 'merge'; readonly body: unknown }
  | {
      readonly type: 'apply';
      readonly body: KubeObject;
      readonly fieldManager: string;
      readonly force?: boolean;
    };

export type Subresource = 'status' | 'scale';

/**
 * How urgent a call is. 'rescue' is what puts production back: it waits for no client-side rate limit and stands
 * in front of everything that does.
 */
export type Urgency = 'normal' | 'rescue';

export interface CallOptions {
  readonly urgency?: Urgency;
  readonly subresource?: Subresource;
  /** A strict dry run: nothing is stored, unknown fields are refused. */
  readonly dryRun?: boolean;
  /** Milliseconds for the whole call, retries included. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

export interface ListOptions extends CallOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface DeleteOptions extends CallOptions {
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly propagation?: 'Orphan' | 'Background' | 'Foreground';
}

/**
 * One cluster. Every call has a deadline; reads and writes with a precondition are retried with jitter where that
 * is safe; a failure is always a `KubeError`, whose message holds no body and no header.
 */
export interface KubeClient {
  /** undefined where the object does not exist. */
  get<T extends KubeObject>(
    type: ResourceType,
    key: ObjectKey,
    options?: CallOptions,
  ): Promise<T | undefined>;
  /** Reads all pages. */
  list<T extends KubeObject>(type: ResourceType, options?: ListOptions): Promise<T[]>;
  /**
   * Where the answer was lost and the call was sent again, 'AlreadyExists' may speak of the object that this very
   * call made: look at what is there before taking it for somebody else's.
   */
  create<T extends KubeObject>(type: ResourceType, body: T, options?: CallOptions): Promise<T>;
  /** A full replace; carries the body's resourceVersion as its precondition where it has one. */
  replace<T extends KubeObject>(type: ResourceType, body: T, options?: CallOptions): Promise<T>;
  patch<T extends KubeObject>(
    type: ResourceType,
    key: ObjectKey,
    patch: Patch,
    options?: CallOptions,
  ): Promise<T>;
  /** Already gone counts as deleted. */
  delete(type: ResourceType, key: ObjectKey, options?: DeleteOptions): Promise<void>;
}

/** A list, and the resourceVersion at which it was true. */
export interface ObjectList<T extends KubeObject> {
  readonly items: T[];
  readonly resourceVersion: string;
}

export interface ReadListOptions<T extends KubeObject> extends ListOptions {
  /** Only metadata is asked of the server (PartialObjectMetadata): a fraction of the bytes. */
  readonly metadataOnly?: boolean;
  /**
   * Called when the list begins, and again where it has to begin anew; what it gives takes each object as its page
   * arrives, so that a long list is never whole in memory. The answer then has none.
   */
  readonly into?: () => (object: T) => void;
}

export interface WatchOptions extends ListWatchScope {
  readonly fieldSelector?: string;
  /** Events after this version; absent: from now on. */
  readonly resourceVersion?: string;
  /** A streaming list (KEP-3157): all objects first, then a bookmark with `initialEventsEnd`, then the changes. */
  readonly sendInitialEvents?: boolean;
  /** Seconds after which the server ends the watch. */
  readonly timeoutSeconds?: number;
  readonly metadataOnly?: boolean;
  /** Milliseconds without a single line after which the connection counts as dead; the watch then fails: 'Timeout'. */
  readonly idleMs?: number;
  readonly signal?: AbortSignal;
}

export type WatchEvent<T extends KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly initialEventsEnd: boolean };

/** What keeps a cache current. */
export interface ListWatchClient {
  readList<T extends KubeObject>(type: ResourceType, options?: ReadListOptions<T>): Promise<ObjectList<T>>;
  /**
   * Ends when the server ends the stream. Throws a `KubeError`: 'Gone' where the version is too old, 'Timeout' after
   * `idleMs` of silence, 'Network' where the stream broke, 'Aborted' after the signal.
   */
  watch<T extends KubeObject>(type: ResourceType, options?: WatchOptions): AsyncIterable<WatchEvent<T>>;
}

/** Why a call failed, by the API's own `status.reason` where it has one. */
export type KubeErrorReason =
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Invalid'
  | 'BadRequest'
  | 'Forbidden'
  | 'Unauthorized'
  | 'Gone'
  | 'TooManyRequests'
  | 'ServerError'
  | 'Timeout'
  | 'Network'
  | 'Aborted'
  | 'Other';

export interface ListWatchScope {
  readonly namespace?: string;
  readonly labelSelector?: string;
}

/**
 * A cache of one kind, kept current by list and watch.
 *
 * Contract: `get` and `list` never go backwards for one object (an event older than what is stored is dropped, so
 * the answer of an own write can be put in with `note`); objects are trimmed and must not be changed by readers.
 */
export interface Store<T extends KubeObject> {
  get(key: ObjectKey): T | undefined;
  list(namespace?: string): T[];
  /** Of all objects, without a look at one. */
  keys(): ObjectKey[];
  /** Objects whose index function gave this value. */
  byIndex(index: string, value: string): T[];
  /** Takes the answer of an own write, so that the next reconcile sees it before the watch tells of it. */
  note(object: T): void;
  /** Takes an own delete. */
  noteDeleted(object: T): void;
  readonly synced: boolean;
  /** Of this namespace it has what the API server has: a watch may be forbidden. */
  isSyncedIn(namespace: string): boolean;
}

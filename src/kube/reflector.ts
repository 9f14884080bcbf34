/**
 * Keeps a store as the API server has it: a list, then the changes since, for ever.
 *
 *     no version --list or streaming list--> version V --watch from V--> V moves on with each event and bookmark
 *         ^                                     |
 *         '---- 410: V is forgotten ------------'      anything else: wait a little, watch from V again
 *
 * Guarantees: it never gives up and never throws; a handler that throws is logged and changes nothing; handlers see
 * the store with the change in it; while the server cannot be reached the store stays as it was, and `lastContactMs`
 * tells how long that has been.
 * Caveat: between two lists a handler may miss an object that was made and deleted, and sees several updates as one.
 *
 * Sources: client-go tools/cache/reflector.go, KEP-3157 (streaming list), KEP-956 (bookmarks).
 */

import { type BackoffOptions, fullJitter } from './backoff.ts';
import { type Clock, sleep, systemClock } from './clock.ts';
import { isKubeError, KubeError } from './errors.ts';
import { describeThrown, type Logger } from './log.ts';
import type {
  KubeObject,
  ListWatchClient,
  ListWatchScope,
  ResourceType,
  Store,
  WatchEvent,
} from './ports.ts';
import {
  type Change,
  type ChangeType,
  createStore,
  type FedStore,
  type Indexes,
  type Listing,
} from './store.ts';

export interface ReflectorOptions<T extends KubeObject> extends ListWatchScope {
  readonly client: ListWatchClient;
  readonly type: ResourceType;
  readonly metadataOnly?: boolean;
  readonly trim?: (object: T) => T;
  readonly indexes?: Indexes<T>;
  /** Called in order, after the store has changed; not for `note` and `noteDeleted`, whose caller knows. */
  readonly onChange?: (change: ChangeType, object: T, old?: T) => void;
  /** Without the right it counts as complete, with an empty store that is not `synced`; and it goes on asking. */
  readonly mayBeForbidden?: boolean;
  readonly log: Logger;
  /** Milliseconds of silence after which a watch counts as dead; bookmarks come each minute. */
  readonly idleMs?: number;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface Reflector<T extends KubeObject> {
  readonly type: ResourceType;
  readonly store: Store<T>;
  readonly size: number;
  /** `monotonic()` milliseconds of the last word from the server; undefined before the first. */
  readonly lastContactMs: number | undefined;
  start(): void;
  /** Resolves when nothing of it runs any more. The store stays readable. */
  stop(): Promise<void>;
  /** The API server forbids it, which it may (`mayBeForbidden`). */
  readonly forbidden: boolean;
  /** Resolves after the first list, or where that may be forbidden and is; never where `stop` comes first. */
  readonly whenSynced: Promise<void>;
}

/** client-go's: 0.8 s at first, 30 s at most. */
const BACKOFF: BackoffOptions = { baseMs: 800, maxMs: 30_000 };
/** A watch that ends sooner, with nothing said, counts as a failure: else a broken proxy makes a hot loop. */
const SHORTEST_WATCH_MS = 1_000;
/** An API server that has just started forbids everything for seconds, until it has read its roles. */
const REFUSALS_BEFORE_LOSS = 5;
/** A list that is needed sooner after another one is held back: lists are what brings API servers down. */
const HASTY_LIST_MS = 60_000;

type ObjectEvent<T extends KubeObject> = Exclude<WatchEvent<T>, { readonly type: 'BOOKMARK' }>;

export function createReflector<T extends KubeObject>(options: ReflectorOptions<T>): Reflector<T> {
  const { client, type, log } = options;
  const clock = options.clock ?? systemClock;
  const random = options.random ?? Math.random;
  const store: FedStore<T> = createStore<T>(options);
  const stopping = new AbortController();
  const synced = Promise.withResolvers<void>();
  let lastContactMs: number | undefined;
  let words = 0;
  let running: Promise<void> | undefined;
  /** Failures in a row, without a word from the server between them. */
  let failures = 0;
  let listedAt = Number.NEGATIVE_INFINITY;
  /** Lists in a row that were made necessary soon after the one before. */
  let hastyLists = 0;
  /** Streaming lists in a row that began and did not end. */
  let brokenStreams = 0;
  let forbidden = false;
  /** Failures in a row that said that it is forbidden. */
  let refusals = 0;
  /** Whether what we know can be continued by a watch. */
  let mustList = true;

  function heard(): void {
    lastContactMs = clock.monotonic();
    words += 1;
  }

  function tell(changes: readonly Change<T>[]): void {
    for (const change of changes) {
      try {
        options.onChange?.(change.type, change.object, change.old);
      } catch (error) {
        const { namespace, name } = change.object.metadata;
        log.error('a handler failed', { kind: type.kind, namespace, name, error: describeThrown(error) });
      }
    }
  }

  function replace(listing: Listing<T>, resourceVersion: string): void {
    const before = store.version;
    tell(listing.end(resourceVersion));
    mustList = false;
    forbidden = false;
    failures = 0;
    refusals = 0;
    brokenStreams = 0;
    hastyLists = clock.monotonic() - listedAt < HASTY_LIST_MS ? hastyLists + 1 : 0;
    listedAt = clock.monotonic();
    log.debug('listed', { kind: type.kind, objects: store.size, before, resourceVersion });
    synced.resolve();
  }

  function failed(message: string): KubeError {
    return new KubeError({ reason: 'Other', status: 0, call: `watch ${type.plural}`, message });
  }

  function openWatch(from: { readonly resourceVersion?: string; readonly sendInitialEvents?: boolean }) {
    return client.watch<T>(type, {
      ...scopeOf(options),
      ...from,
      // Ends by itself within five to ten minutes, so that load moves to API servers that came back.
      timeoutSeconds: Math.round(300 * (1 + random())),
      ...(options.idleMs === undefined ? {} : { idleMs: options.idleMs }),
      signal: stopping.signal,
    });
  }

  function take(event: WatchEvent<T>): void {
    failures = 0;
    refusals = 0;
    if (event.type !== 'BOOKMARK') {
      tell(store.apply(event.type, event.object));
    } else if (!store.bookmark(event.resourceVersion)) {
      const message = `the server is at ${event.resourceVersion}, which is before ${store.version}`;
      throw new KubeError({ reason: 'Gone', status: 0, call: `watch ${type.plural}`, message });
    }
  }

  async function follow(): Promise<void> {
    const startedAt = clock.monotonic();
    let events = 0;
    const from = store.version === undefined ? {} : { resourceVersion: store.version };
    for await (const event of openWatch(from)) {
      heard();
      events += 1;
      take(event);
    }
    if (events === 0 && clock.monotonic() - startedAt < SHORTEST_WATCH_MS) {
      throw failed('it ended at once');
    }
  }

  /** All objects as events, a bookmark, then the changes on the same stream: one request, no page in memory. */
  async function streamAndFollow(): Promise<void> {
    let initial: Listing<T> | undefined = store.listing();
    for await (const event of openWatch({ sendInitialEvents: true })) {
      heard();
      if (initial === undefined) take(event);
      else if (event.type !== 'BOOKMARK') collect(initial, event);
      else if (event.initialEventsEnd) {
        replace(initial, event.resourceVersion);
        initial = undefined;
      }
    }
    if (initial !== undefined) throw failed('it ended before the list was whole');
  }

  /** The objects of a streaming list; a change may come in between. */
  function collect(list: Listing<T>, { type, object }: ObjectEvent<T>): void {
    if (type === 'DELETED') list.drop(object.metadata);
    else tell(list.take(object));
  }

  async function list(): Promise<void> {
    let listing = store.listing();
    const { resourceVersion } = await client.readList<T>(type, {
      ...scopeOf(options),
      into() {
        listing = store.listing();
        return (object) => tell(listing.take(object));
      },
      signal: stopping.signal,
    });
    heard();
    replace(listing, resourceVersion);
  }

  async function listAndFollow(): Promise<void> {
    const before = words;
    try {
      await streamAndFollow();
    } catch (error) {
      if (mustList && words > before) brokenStreams += 1;
      // A stream that breaks again and again may be too long for something on the way; pages are shorter.
      if (!mustList || !(mayListInstead(error) || brokenStreams > 1)) throw error;
      log.debug('no streaming list, so in pages', { kind: type.kind, error: describeThrown(error) });
      await list();
    }
  }

  async function once(): Promise<void> {
    try {
      await (mustList ? listAndFollow() : follow());
    } catch (error) {
      if (stopping.signal.aborted) return;
      await afterFailure(error);
    }
  }

  async function afterFailure(error: unknown): Promise<void> {
    failures += 1;
    if (isKubeError(error, 'Gone')) mustList = true;
    const isKnown = forbidden;
    refusals = isKubeError(error, 'Forbidden') ? refusals + 1 : 0;
    if (options.mayBeForbidden && isRightLost()) giveWay();
    const asked = error instanceof KubeError ? (error.retryAfterMs ?? 0) : 0;
    const waitMs = Math.max(backoffMs(), asked);
    const fields = { kind: type.kind, error: describeThrown(error), failures, waitMs: Math.round(waitMs) };
    if ((isRoutine(error) && failures < 3) || isKnown) log.debug('watching failed and goes on', fields);
    else log.warn('watching failed and goes on', fields);
    await sleep(clock, waitMs, stopping.signal);
  }

  /** Nothing is lost with it where nothing was known. */
  function isRightLost(): boolean {
    return refusals >= (store.synced ? REFUSALS_BEFORE_LOSS : 1);
  }

  /** An answer it is all the same: the server is there. */
  function giveWay(): void {
    heard();
    mustList = true;
    forbidden = true;
    tell(store.lose());
    synced.resolve();
  }

  /** A list after a 410 goes at once: a watch that was away too long ends so. But not list after list. */
  function backoffMs(): number {
    if (!mustList) return fullJitter(BACKOFF, failures, random);
    const inARow = failures - 1 + hastyLists;
    return inARow === 0 ? 0 : fullJitter(BACKOFF, inARow, random);
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) await once();
  }

  return {
    type,
    store,
    get size() {
      return store.size;
    },
    get lastContactMs() {
      return lastContactMs;
    },
    get forbidden() {
      return forbidden;
    },
    start() {
      running ??= run();
    },
    async stop() {
      stopping.abort();
      await running;
    },
    whenSynced: synced.promise,
  };
}

function scopeOf<T extends KubeObject>(
  options: ReflectorOptions<T>,
): ListWatchScope & { metadataOnly?: boolean } {
  const { namespace, labelSelector, metadataOnly } = options;
  return {
    ...(namespace === undefined ? {} : { namespace }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(metadataOnly === undefined ? {} : { metadataOnly }),
  };
}

/**
 * Where streaming was refused (422 up to Kubernetes 1.33, whose feature gate is off) or did not get through, a list
 * may. Not where a list would meet the same: nobody there, overload, no permission.
 */
function mayListInstead(error: unknown): boolean {
  return !isKubeError(error, 'Aborted', 'Network', 'TooManyRequests', 'Unauthorized', 'Forbidden');
}

/** What happens in a healthy cluster: versions expire, API servers restart, load balancers cut. */
function isRoutine(error: unknown): boolean {
  return isKubeError(error, 'Gone', 'Timeout', 'Network');
}

/** The operator without its process: watches, queue and loop around the reconciler. */

import type { Measurement } from '../analysis/measurement.ts';
import type { Clock } from '../kube/clock.ts';
import type { Logger } from '../kube/log.ts';
import { type Loop, type LoopObserver, type ReconcileResult, runLoop } from '../kube/loop.ts';
import type { KubeClient, KubeObject, ListWatchClient, Store } from '../kube/ports.ts';
import { createReflector, type Reflector } from '../kube/reflector.ts';
import { createWorkQueue, type QueueObserver, type WorkQueue } from '../kube/workqueue.ts';
import type { Sources } from '../metrics/sources.ts';
import { createBeside, type RunBeside } from './beside.ts';
import { type Cache, concerned, keyOf, WATCHED } from './cache.ts';
import { createLimits } from './limits.ts';
import { createLine } from './line.ts';
import { preflight } from './preflight.ts';
import { createReconciler, type ReconcileObserver } from './reconcile.ts';
import type { ReleaseEvent } from './report.ts';
import { scrapePod } from './scrape.ts';
import type { Share } from './share.ts';
import { isUrgent } from './urgency.ts';
import { warmPod } from './warm-up.ts';

export interface OperatorOptions {
  readonly client: KubeClient & ListWatchClient;
  readonly sources: Sources;
  readonly share: Share;
  /** Empty: all namespaces. */
  readonly namespaces: readonly string[];
  readonly concurrency: number;
  readonly run: RunBeside;
  readonly recordEvent: (event: ReleaseEvent) => void;
  readonly observers: {
    readonly reconcile: ReconcileObserver;
    readonly queue: QueueObserver;
    readonly loop: LoopObserver;
    readonly onMeasurement: (measurement: Measurement) => void;
  };
  readonly log: Logger;
  readonly clock: Clock;
}

export interface Operator {
  readonly queue: WorkQueue;
  readonly reflectors: readonly Reflector<KubeObject>[];
  /** Starts the watches; the caches are kept warm by standbys too. */
  watch(): void;
  /** Starts to reconcile when the caches are there. */
  lead(): Promise<void>;
  /** The share has changed: these releases are ours since now, or not any more. */
  lookAgain(isOne: (key: string) => boolean): void;
  /** Lets reconciles under way come to their end, then stops everything. */
  stop(): Promise<void>;
}

/** Releases about whose input the API server is asked. */
const INPUTS_AT_A_TIME = 4;
const STUCK_AFTER_MS = 60_000;
/** For what is under way at a stop: another replica waits for it, and would go on from wherever it is broken off. */
const GRACE_MS = 2_000;

export function createOperator(options: OperatorOptions): Operator {
  const { log, clock, client, share } = options;
  const queue = createWorkQueue({ observer: options.observers.queue, clock });
  const { cache, reflectors } = createCache(options, queue);
  let loop: Loop | undefined;

  const limits = createLimits(client, () => clock.now());
  const inputs = createLine(INPUTS_AT_A_TIME);
  const beside = createBeside({
    run: options.run,
    sources: options.sources,
    preflight: (scene, signal) =>
      preflight({ client, cache, sources: options.sources, limits, line: inputs }, scene, signal),
    warmPod: (scene, request, missing, onAnswer, signal) =>
      warmPod({ client, cache, clock }, scene, request, missing, onAnswer, signal),
    scrapePod: (scene, request, signal) => scrapePod({ client, cache, clock }, scene, request, signal),
    now: () => clock.now(),
    wake: (key, { urgent }) => queue.add(key, { urgent }),
    onMeasurement: options.observers.onMeasurement,
  });
  const reconcileOwn = createReconciler({
    client,
    cache,
    beside,
    recordEvent: options.recordEvent,
    observer: options.observers.reconcile,
    log,
    now: () => clock.now(),
  });

  /** Another replica's: what is remembered of it would be old when it comes back. */
  function leave(key: string): ReconcileResult {
    const [namespace = '', name = ''] = key.split('/');
    beside.forget(key);
    options.observers.reconcile.onGone({ namespace, name });
    return { result: 'success' };
  }

  return {
    queue,
    reflectors,
    watch() {
      for (const reflector of reflectors) reflector.start();
    },
    async lead() {
      await Promise.all(reflectors.map((reflector) => reflector.whenSynced));
      log.info('the caches are complete: reconciling', { releases: cache.releases.keys().length });
      loop = runLoop({
        queue,
        reconcile: async (key, context) =>
          (await share.within(key, () => reconcileOwn(key, context))) ?? leave(key),
        concurrency: options.concurrency,
        stuckAfterMs: STUCK_AFTER_MS,
        onStuck: ({ key, forMs }) => log.error('a reconcile is stuck', { release: key, forMs }),
        observer: options.observers.loop,
        log,
        clock,
      });
    },
    lookAgain(isOne) {
      for (const { namespace, name } of cache.releases.keys()) {
        const key = keyOf(namespace, name);
        if (isOne(key)) queue.add(key);
      }
    },
    async stop() {
      await loop?.stop(GRACE_MS);
      queue.stop();
      await Promise.all(reflectors.map((reflector) => reflector.stop()));
    },
  };
}

/** One watch per kind; where the operator is confined to namespaces, one per kind and namespace. */
function createCache(
  options: OperatorOptions,
  queue: WorkQueue,
): { cache: Cache; reflectors: Reflector<KubeObject>[] } {
  const scopes = options.namespaces.length === 0 ? [undefined] : options.namespaces;
  const reflectors: Reflector<KubeObject>[] = [];
  const stores = Object.entries(WATCHED).map(([name, watched]) => {
    const own = scopes.map((namespace) =>
      createReflector<KubeObject>({
        client: options.client,
        type: watched.type,
        indexes: watched.indexes,
        ...(namespace !== undefined && { namespace }),
        ...(watched.label !== undefined && { labelSelector: watched.label }),
        ...(watched.metadataOnly && { metadataOnly: true }),
        ...(watched.mayBeForbidden && { mayBeForbidden: true }),
        ...(watched.trim !== undefined && { trim: watched.trim as (object: KubeObject) => KubeObject }),
        onChange: (_change, object, old) =>
          enqueue(queue, options.share, name as keyof Cache, object, old, () => cache.releases),
        log: options.log,
        clock: options.clock,
      }),
    );
    reflectors.push(...own);
    return [
      name,
      join(
        scopes,
        own.map(({ store }) => store),
      ),
    ] as const;
  });
  const cache = Object.fromEntries(stores) as unknown as Cache;
  return { cache, reflectors };
}

function enqueue(
  queue: WorkQueue,
  share: Share,
  kind: keyof Cache,
  object: KubeObject,
  old: KubeObject | undefined,
  releases: () => Cache['releases'],
): void {
  const urgent = isUrgent(kind, object, old);
  for (const key of concerned(kind, object, old, releases)) if (share.owns(key)) queue.add(key, { urgent });
}

/** Several stores of one kind, each of a namespace of its own, seen as one. */
function join(
  scopes: readonly (string | undefined)[],
  stores: readonly Store<KubeObject>[],
): Store<KubeObject> {
  const [only] = stores;
  if (stores.length === 1 && only !== undefined) return only;
  const at = (namespace: string | undefined): Store<KubeObject> | undefined =>
    stores[scopes.indexOf(namespace)];
  return {
    get: (key) => at(key.namespace)?.get(key),
    list: (namespace) =>
      namespace === undefined
        ? stores.flatMap((store) => store.list())
        : (at(namespace)?.list(namespace) ?? []),
    keys: () => stores.flatMap((store) => store.keys()),
    byIndex: (index, value) => stores.flatMap((store) => store.byIndex(index, value)),
    note: (object) => at(object.metadata.namespace)?.note(object),
    noteDeleted: (object) => at(object.metadata.namespace)?.noteDeleted(object),
    get synced() {
      return stores.every((store) => store.synced);
    },
    isSyncedIn: (namespace) => at(namespace)?.synced ?? false,
  };
}

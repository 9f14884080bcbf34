/**
 * One operator process: the real observing, deciding, applying and reporting over caches that lag. It remembers
 * nothing across its death.
 */
import { type Beside, createBeside } from '../../src/controller/beside.ts';
import { type Cache, concerned, WATCHED } from '../../src/controller/cache.ts';
import { createLimits } from '../../src/controller/limits.ts';
import { createLine } from '../../src/controller/line.ts';
import { preflight } from '../../src/controller/preflight.ts';
import { createReconciler } from '../../src/controller/reconcile.ts';
import type { ReconcileContext, ReconcileResult } from '../../src/kube/loop.ts';
import type { KubeObject, ResourceType } from '../../src/kube/ports.ts';
import { createStore, type FedStore } from '../../src/kube/store.ts';
import type { Effect } from '../../src/release/plan.ts';
import { createClient, type Write } from './client.ts';
import { type Api, type Change, selects } from './cluster/api.ts';
import type { Faults } from './faults.ts';
import type { Happenings } from './happenings.ts';
import type { Metrics } from './metrics.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';

export interface OperatorOptions {
  readonly api: Api;
  /** What this process takes the time for, milliseconds since the epoch. */
  readonly now: () => number;
  readonly timeline: Timeline;
  readonly random: Random;
  readonly faults: Faults;
  readonly happenings: Happenings;
  readonly metrics: Metrics;
  /** So many requests were sent to the pod with this uid. */
  readonly onWarmUp: (pod: string, requests: number) => void;
  readonly isLocked: (service: string) => boolean;
  readonly onWrite: (write: Write, run: () => void) => void;
  /** A watch, a list or an answer told it of this object. */
  readonly onTold: (type: ResourceType, object: KubeObject) => void;
  /** `release`: the uid of the one that it works for, which may be gone by now. */
  readonly onEffect: (effect: Effect, result: string, release: string | undefined) => void;
  /** Why the effects before it were wanted. */
  readonly onDecision: (reason: string, message: string) => void;
  readonly onError: (message: string) => void;
  readonly onReconcile: () => void;
  /** It died by itself. */
  readonly onCrash: () => void;
}

export interface Operator {
  readonly alive: boolean;
  /** Its caches are complete: it is at work. */
  readonly ready: boolean;
  kill(): void;
}

const MAX_BACKOFF_MS = 60_000;

export function startOperator(options: OperatorOptions): Operator {
  const { api, timeline, random, faults, happenings } = options;
  let alive = true;
  const isAlive = () => alive;
  const kill = (): void => {
    alive = false;
  };
  const crash = (): void => {
    if (!alive) return;
    kill();
    options.onCrash();
  };
  const client = createClient({
    api,
    timeline,
    random,
    faults,
    happenings,
    isAlive,
    crash,
    isLocked: options.isLocked,
    onWrite: options.onWrite,
    onTold: options.onTold,
  });
  let worksFor: string | undefined;
  const queue = createQueue(options, isAlive, (key, context) => {
    worksFor = cache.releases.list()[0]?.metadata.uid;
    return reconcile(key, context);
  });
  const { cache, isSynced } = createCaches(
    options,
    isAlive,
    (key) => queue.add(key),
    () => queue.start(),
  );
  const limits = createLimits(client, options.now);
  const line = createLine(4);
  const beside: Beside = createBeside({
    run: createRunner(timeline),
    sources: options.metrics.sources,
    preflight: (scene, signal) =>
      preflight({ client, cache, sources: options.metrics.sources, limits, line }, scene, signal),
    // Pods of the model answer whoever asks.
    warmPod: (_, { uid }, missing, onAnswer) => {
      options.onWarmUp(uid, missing);
      for (let asked = 0; asked < missing; asked++) onAnswer();
      return Promise.resolve();
    },
    scrapePod: () => Promise.resolve('no requests'),
    now: options.now,
    wake: (key) => queue.add(key),
    onMeasurement: () => undefined,
  });
  const silent = () => undefined;
  const reconcile = createReconciler({
    client,
    cache,
    beside,
    recordEvent: silent,
    observer: {
      onEffect: (effect, result) => options.onEffect(effect, result, worksFor),
      onStatus: silent,
      onGone: silent,
    },
    log: {
      debug: silent,
      info: (message, fields) => options.onDecision(String(fields?.reason), message),
      warn: silent,
      error: silent,
    },
    now: options.now,
  });
  return {
    get alive() {
      return alive;
    },
    get ready() {
      return alive && isSynced();
    },
    kill,
  };
}

/** Beside the loop: one piece of work at a time for each key. */
function createRunner(
  timeline: Timeline,
): (key: string, work: (signal: AbortSignal) => Promise<void>) => void {
  const running = new Set<string>();
  return (key, work) => {
    if (running.has(key)) return;
    running.add(key);
    timeline.start(() =>
      work(new AbortController().signal)
        .catch(() => undefined)
        .finally(() => running.delete(key)),
    );
  };
}

interface Queue {
  add(key: string): void;
  /** The caches are complete. */
  start(): void;
}

/** As src/kube/loop.ts and workqueue.ts: each key at most once, one at a time, with back-off after failures. */
function createQueue(
  { timeline, onError, onReconcile }: OperatorOptions,
  isAlive: () => boolean,
  reconcile: (key: string, context: ReconcileContext) => Promise<ReconcileResult>,
): Queue {
  const waiting = new Set<string>();
  const running = new Set<string>();
  /** Who processes a key and waits for news of it. */
  const listening = new Map<string, () => void>();
  const later = new Map<string, { at: number; cancel: () => void }>();
  const failures = new Map<string, number>();
  let ready = false;

  function add(key: string): void {
    if (waiting.has(key) || !isAlive()) return;
    waiting.add(key);
    if (ready && !running.has(key)) timeline.after(1, () => run(key));
    listening.get(key)?.();
  }

  const { signal } = new AbortController();

  function contextOf(key: string): ReconcileContext {
    return {
      signal,
      urgent: false,
      pause: () => Promise.resolve(),
      async news(until) {
        const added = new Promise<void>((resolve) => {
          if (waiting.has(key)) resolve();
          else listening.set(key, () => timeline.start(async () => resolve()));
        });
        const end = typeof until === 'number' ? timeline.sleep(until) : until.catch(() => undefined);
        await Promise.race([added, end]);
        listening.delete(key);
        return waiting.delete(key);
      },
    };
  }

  function addAfter(key: string, ms: number): void {
    const at = timeline.now + ms;
    const known = later.get(key);
    if (known !== undefined && known.at <= at) return;
    known?.cancel();
    const cancel = timeline.after(ms, () => {
      later.delete(key);
      add(key);
    });
    later.set(key, { at, cancel });
  }

  function run(key: string): void {
    if (!isAlive() || running.has(key)) return;
    waiting.delete(key);
    running.add(key);
    onReconcile();
    timeline.start(async () => {
      const result = await attempt(key);
      if (!isAlive()) return;
      settle(key, result);
      running.delete(key);
      if (waiting.has(key)) timeline.after(1, () => run(key));
    });
  }

  async function attempt(key: string): Promise<ReconcileResult | { readonly result: 'error' }> {
    try {
      return await reconcile(key, contextOf(key));
    } catch (error) {
      onError(error instanceof Error ? error.message : String(error));
      return { result: 'error' };
    }
  }

  function settle(key: string, outcome: ReconcileResult | { readonly result: 'error' }): void {
    if (outcome.result === 'error' || outcome.result === 'requeue') {
      const failed = (failures.get(key) ?? 0) + 1;
      failures.set(key, failed);
      addAfter(key, Math.min(MAX_BACKOFF_MS, 10 * 2 ** (failed - 1)));
      return;
    }
    failures.delete(key);
    if (outcome.result === 'requeue_after') addAfter(key, outcome.afterMs);
  }

  return {
    add,
    start() {
      ready = true;
      for (const key of waiting) timeline.after(1, () => run(key));
    },
  };
}

/** The real stores, fed by watches that tell late: in order within a kind, in any order across kinds. */
function createCaches(
  options: OperatorOptions,
  isAlive: () => boolean,
  enqueue: (key: string) => void,
  onSynced: () => void,
): { cache: Cache; isSynced: () => boolean } {
  const stores: Record<string, FedStore<KubeObject>> = {};
  let synced = false;
  const isSynced = (): boolean => synced;
  const listed = (): void => {
    const all = Object.values(stores).every((store) => store.synced);
    if (!all || synced) return;
    synced = true;
    onSynced();
  };
  for (const [name, watched] of Object.entries(WATCHED)) {
    const store = createStore<KubeObject>({
      indexes: watched.indexes,
      ...(watched.trim !== undefined && { trim: watched.trim as (object: KubeObject) => KubeObject }),
    });
    stores[name] = store;
    const tell = (object: KubeObject, old: KubeObject | undefined): void => {
      const releases = () => stores.releases as unknown as Cache['releases'];
      for (const key of concerned(name as keyof Cache, object, old, releases)) enqueue(key);
    };
    watch(options, isAlive, watched.type, watched.label, store, tell, listed);
  }
  return { cache: stores as unknown as Cache, isSynced };
}

function watch(
  { api, timeline, random, faults, happenings, onTold }: OperatorOptions,
  isAlive: () => boolean,
  type: ResourceType,
  selector: string | undefined,
  store: FedStore<KubeObject>,
  tell: (object: KubeObject, old: KubeObject | undefined) => void,
  onListed: () => void,
): void {
  let lastTold = 0;
  /** Events of a watch that has ended are never told. */
  let epoch = 0;

  const late = (ms: number, run: () => void): void => {
    const at = Math.max(lastTold, timeline.now + ms);
    lastTold = at;
    const own = epoch;
    timeline.after(at - timeline.now, () => {
      if (isAlive() && own === epoch) run();
    });
  };

  function list(): void {
    epoch += 1;
    lastTold = 0;
    const own = epoch;
    timeline.after(random.between(10, Math.max(10, faults.lag)), () => {
      if (!isAlive() || own !== epoch) return;
      listed = true;
      const items = api.list(type, selector).map((object) => ({ ...object }));
      for (const object of items) onTold(type, object);
      const changes = store.replace({ items, resourceVersion: api.version });
      for (const { object, old } of changes) tell(object, old);
      onListed();
    });
  }

  let listed = false;
  const end = api.onChange((change: Change) => {
    if (!isAlive()) return end();
    if (change.type !== type || !listed) return;
    if (random.chance(faults.relist) && happenings.happens('watch ended')) {
      listed = false;
      list();
      return;
    }
    const event = seen(change, selector);
    if (event === undefined) return;
    late(random.between(1, faults.lag), () => {
      onTold(type, change.object);
      for (const { object, old } of store.apply(event, { ...change.object })) tell(object, old);
    });
  });
  list();
}

/** What a watch with this selector tells of a change: an object that loses the label is gone. */
function seen({ event, object, before }: Change, selector: string | undefined): Change['event'] | undefined {
  const is = selects(selector, object);
  const was = before !== undefined && selects(selector, before);
  if (event === 'DELETED') return was || is ? 'DELETED' : undefined;
  if (is) return was ? 'MODIFIED' : 'ADDED';
  return was ? 'DELETED' : undefined;
}

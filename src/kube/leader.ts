/**
 * Leader election over one Lease.
 *
 * What it promises, and what not (client-go tools/leaderelection): of processes that reach the API server, one at a
 * time believes to lead, as long as their clocks run equally fast. Clocks need not agree: nobody compares times of
 * two machines, each measures by its own monotonic clock for how long it has seen no renewal. It does not keep a
 * process that was suspended from finishing what it was about to send when it wakes: whatever must not happen twice
 * carries a precondition of its own.
 *
 *     waiting --lease free, expired or ours--> leading --not renewed for renewDeadlineMs--> lost (the process exits)
 *                                                 '-----stop: the lease is given up------> stopped
 *
 * The order leaseMs > renewDeadlineMs > retryMs is what makes the promise: a leader gives up before another may take
 * over. A process whose identity is in the lease takes it back at once, so that a container which was killed does not
 * wait for itself; the identity must therefore outlive the process, and no two processes at a time (a pod's UID).
 */

import { type Clock, sleep, systemClock } from './clock.ts';
import { isKubeError } from './errors.ts';
import { describeThrown, type Logger } from './log.ts';
import type { CallOptions, KubeClient, ListWatchClient } from './ports.ts';
import { isOlder } from './resource-version.ts';
import { LEASES, type Lease, type LeaseSpec, microTime } from './types.ts';

export interface LeaderOptions {
  /** With `watch`, a lease that is given up is seen at once; without, at the next look. */
  readonly client: KubeClient & Partial<Pick<ListWatchClient, 'watch'>>;
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  /** Called once, when the lease is held. */
  readonly onLeading: () => void;
  /** Called once, when the lease could not be kept; never after `stop`. What leads must end: the process exits. */
  readonly onLost: (reason: string) => void;
  readonly onNewLeader?: (identity: string) => void;
  /** Put on the Lease when it is made. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Milliseconds for which a free lease is left to others first; asked each time. Not for one that is ours. */
  readonly patienceMs?: () => number;
  readonly log: Logger;
  /** Milliseconds without a renewal after which others take over. */
  readonly leaseMs?: number;
  /** Milliseconds without a successful renewal after which we give up. */
  readonly renewDeadlineMs?: number;
  /** Milliseconds between renewals, and at least between looks at another's lease. */
  readonly retryMs?: number;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface LeaderElection {
  /** True while the lease is held and was renewed within the deadline, by the clock and not by a timer. */
  readonly leading: boolean;
  /** Who held the lease when last seen; '' for nobody. */
  readonly holder: string;
  start(): void;
  /** Stops, and gives the lease up where it is held, so that another need not wait for it to expire. */
  stop(): Promise<void>;
}

/** controller-runtime's, and kube-controller-manager's. */
const LEASE_MS = 15_000;
const RENEW_DEADLINE_MS = 10_000;
const RETRY_MS = 2_000;
/** client-go's JitterFactor: looks at another's lease are up to 2.2 times as far apart. */
const JITTER = 1.2;
/** After a watch that failed, perhaps for want of permission: looking every few seconds does without it. */
const LISTEN_PAUSE_MS = 30_000;
/** A process that was told to go should not wait long for an API server that does not answer. */
const RELEASE_DEADLINE_MS = 3_000;

export function createLeaderElection(options: LeaderOptions): LeaderElection {
  const { client, log, identity } = options;
  const clock = options.clock ?? systemClock;
  const random = options.random ?? Math.random;
  const leaseMs = options.leaseMs ?? LEASE_MS;
  const renewDeadlineMs = options.renewDeadlineMs ?? RENEW_DEADLINE_MS;
  const retryMs = options.retryMs ?? RETRY_MS;
  if (!(leaseMs > renewDeadlineMs && renewDeadlineMs > retryMs)) {
    throw new RangeError('leader election needs leaseMs > renewDeadlineMs > retryMs');
  }
  const key = { namespace: options.namespace, name: options.name };
  const stopping = new AbortController();
  /** The lease as last seen, and when its content was first seen so, by our own clock. */
  let seen: { lease: Lease; content: string; at: number } | undefined;
  let phase: 'waiting' | 'leading' | 'over' = 'waiting';
  /** When the last renewal that succeeded was sent: from then the others count, at the earliest. */
  let renewedAt = Number.NEGATIVE_INFINITY;
  /** Whether the lease may say that it is ours; its answer may have been lost. */
  let mayHold = false;
  let wake: () => void = () => undefined;
  let stopGuard: () => void = () => undefined;
  let running: Promise<void> | undefined;

  const holder = (): string => seen?.lease.spec.holderIdentity ?? '';

  function observe(lease: Lease): void {
    const content = JSON.stringify(lease.spec);
    const before = holder();
    const at = content === seen?.content ? seen.at : clock.monotonic();
    seen = { lease, content, at };
    if (holder() !== before && holder() !== '') options.onNewLeader?.(holder());
  }

  /** When another's lease expires; in the past where it has none. */
  function expiresAt(): number {
    if (seen === undefined || holder() === '') return Number.NEGATIVE_INFINITY;
    return seen.at + (seen.lease.spec.leaseDurationSeconds ?? 0) * 1000;
  }

  const isFree = (): boolean => holder() === identity || expiresAt() <= clock.monotonic();

  function call(deadlineMs: number): CallOptions {
    // A renewal that waits behind our own traffic would cost the lease in the moment of most work.
    return { urgency: 'rescue', deadlineMs, signal: stopping.signal };
  }

  function specNow(previous: LeaseSpec | undefined): LeaseSpec {
    const now = microTime(clock.now());
    const ours = previous?.holderIdentity === identity;
    const transitions = previous?.leaseTransitions ?? 0;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseMs / 1000),
      acquireTime: ours ? (previous.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: ours || previous === undefined ? transitions : transitions + 1,
    };
  }

  /** Writes our hold of the lease as it was last seen; its resourceVersion keeps two from both succeeding. */
  async function write(deadlineMs: number): Promise<void> {
    mayHold = true;
    const sentAt = clock.monotonic();
    const lease =
      seen === undefined
        ? await client.create<Lease>(
            LEASES,
            { ...newLease(key, options.labels), spec: specNow(undefined) },
            call(deadlineMs),
          )
        : await client.replace<Lease>(
            LEASES,
            { ...seen.lease, spec: specNow(seen.lease.spec) },
            call(deadlineMs),
          );
    observe(lease);
    renewedAt = sentAt;
  }

  async function look(deadlineMs: number): Promise<void> {
    const lease = await client.get<Lease>(LEASES, key, call(deadlineMs));
    if (lease === undefined) seen = undefined;
    else observe(lease);
  }

  /** True where the lease is ours now. */
  async function tryAcquire(): Promise<boolean> {
    await look(renewDeadlineMs);
    if (!isFree()) return false;
    const patienceMs = holder() === identity ? 0 : (options.patienceMs?.() ?? 0);
    if (patienceMs > 0) {
      if (!(await sleep(clock, patienceMs, stopping.signal))) return false;
      await look(renewDeadlineMs);
      if (!isFree()) return false;
    }
    await write(renewDeadlineMs);
    return true;
  }

  async function acquire(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        if (await tryAcquire()) return;
      } catch (error) {
        // Two that try at once are told apart by the server: that one is no failure.
        const routine = isKubeError(error, 'Conflict', 'AlreadyExists', 'Aborted');
        if (!routine)
          log.warn('could not look at the lease', { lease: key.name, error: describeThrown(error) });
      }
      await nap();
    }
  }

  /** Until the next look: the jittered period, the expiry of what was seen, or a word from the watch or `stop`. */
  async function nap(): Promise<void> {
    if (stopping.signal.aborted) return;
    const woken = new AbortController();
    wake = () => woken.abort();
    const period = retryMs * (1 + JITTER * random());
    const left = expiresAt() - clock.monotonic();
    await sleep(clock, left > 0 ? Math.min(period, left) : period, woken.signal);
    wake = () => undefined;
  }

  /**
   * Wakes us when the lease is given up, and hears of each renewal when it is made: a look comes upon it up to 2.2 periods
   * later, and a holder that is lost then would be waited for by as much longer. Never more than a hint that a lease is
   * free: what counts is what a look then shows.
   */
  async function listen(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let pauseMs = retryMs;
      try {
        await listenOnce(signal);
      } catch (error) {
        if (!signal.aborted) log.debug('not watching the lease', { error: describeThrown(error) });
        pauseMs = LISTEN_PAUSE_MS;
      }
      await sleep(clock, pauseMs, signal);
    }
  }

  async function listenOnce(signal: AbortSignal): Promise<void> {
    const scope = { namespace: key.namespace, fieldSelector: `metadata.name=${key.name}`, signal };
    for await (const event of client.watch?.<Lease>(LEASES, scope) ?? []) {
      if (event.type === 'BOOKMARK') continue;
      if (event.type === 'DELETED' || (event.object.spec.holderIdentity ?? '') === '') wake();
      else if (phase === 'waiting' && isNews(event.object)) observe(event.object);
    }
  }

  /** A watch may be behind a look: what is known already was first seen when it was seen. */
  const isNews = ({ metadata }: Lease): boolean =>
    isOlder(seen?.lease.metadata.resourceVersion, metadata.resourceVersion);

  /** One renewal. A conflict means that someone wrote the lease: what it says now decides. */
  async function renew(): Promise<void> {
    const leftMs = renewedAt + renewDeadlineMs - clock.monotonic();
    try {
      await write(leftMs);
    } catch (error) {
      if (!isKubeError(error, 'Conflict', 'NotFound')) throw error;
      await look(leftMs);
      if (seen !== undefined && holder() !== identity) return;
      await write(leftMs);
    }
  }

  async function keep(): Promise<void> {
    while (!stopping.signal.aborted && phase === 'leading') {
      if (!(await sleep(clock, retryMs, stopping.signal))) return;
      try {
        await renew();
      } catch (error) {
        log.warn('could not renew the lease', { lease: key.name, error: describeThrown(error) });
      }
      if (holder() !== identity && !stopping.signal.aborted) lose(`another holds the lease: ${holder()}`);
    }
  }

  /** Runs beside `keep`, which may be waiting for an answer that does not come. */
  function guard(): void {
    const left = renewedAt + renewDeadlineMs - clock.monotonic();
    if (phase !== 'leading') return;
    if (left > 0) stopGuard = clock.after(left, guard);
    else lose(`the lease was not renewed for ${renewDeadlineMs} ms`);
  }

  function lose(reason: string): void {
    if (phase !== 'leading') return;
    phase = 'over';
    log.error('leadership lost', { lease: key.name, identity, reason });
    stopping.abort();
    options.onLost(reason);
  }

  async function run(): Promise<void> {
    const listening = new AbortController();
    const listener = listen(AbortSignal.any([listening.signal, stopping.signal]));
    await acquire();
    listening.abort();
    if (!stopping.signal.aborted) {
      phase = 'leading';
      log.info('leading', { lease: key.name, identity });
      guard();
      options.onLeading();
      await keep();
    }
    await listener;
  }

  async function release(): Promise<void> {
    const now = microTime(clock.now());
    const deadline: CallOptions = { urgency: 'rescue', deadlineMs: RELEASE_DEADLINE_MS };
    try {
      const lease = await client.get<Lease>(LEASES, key, deadline);
      if (lease?.spec.holderIdentity !== identity) return;
      const spec = {
        ...lease.spec,
        holderIdentity: '',
        leaseDurationSeconds: 1,
        acquireTime: now,
        renewTime: now,
      };
      await client.replace<Lease>(LEASES, { ...lease, spec }, deadline);
      log.info('gave the lease up', { lease: key.name, identity });
    } catch (error) {
      log.warn('could not give the lease up', { lease: key.name, error: describeThrown(error) });
    }
  }

  return {
    get leading() {
      return phase === 'leading' && clock.monotonic() - renewedAt < renewDeadlineMs;
    },
    get holder() {
      return holder();
    },
    start() {
      running ??= run();
    },
    async stop() {
      const held = mayHold && phase !== 'over';
      phase = 'over';
      stopping.abort();
      stopGuard();
      wake();
      await running;
      if (held) await release();
    },
  };
}

function newLease(
  key: { readonly namespace: string; readonly name: string },
  labels: Readonly<Record<string, string>> | undefined,
): Lease {
  const metadata = { ...key, ...(labels === undefined ? {} : { labels: { ...labels } }) };
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: {} };
}

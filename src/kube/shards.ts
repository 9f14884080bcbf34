/**
 * Shares keys among the replicas of a process.
 *
 * A key belongs to one of a fixed number of shards by its hash, and a shard to the replica that holds its Lease: each
 * shard is an election of its own (src/kube/leader.ts), with the same promise, that of one holder at a time, and the
 * same limit to it. So what moves when a replica comes or goes are whole shards, and never more than it takes.
 *
 * - Who holds fewer is quicker: a free shard is left to others for a time that grows with what one holds already.
 * - A replica that holds two fewer than another asks it for a shard, by an annotation on that shard's Lease. The other
 *   takes up nothing new of the shard, lets what is under way come to its end, and gives the Lease up.
 * - A difference of one is left as it is, so that nothing moves for ever.
 *
 * Caveat: replicas that were started with another number of shards count for themselves. While a roll-out changes
 * the number, a key can have two owners: what must not happen twice carries a precondition of its own, as always.
 */

import { type Clock, sleep, systemClock } from './clock.ts';
import { isKubeError } from './errors.ts';
import { createLeaderElection, type LeaderElection, type LeaderOptions } from './leader.ts';
import { describeThrown, type Logger } from './log.ts';
import type { KubeClient, ListWatchClient } from './ports.ts';
import { createReflector } from './reflector.ts';
import { LEASES, type Lease } from './types.ts';

export interface ShardsOptions
  extends Pick<LeaderOptions, 'namespace' | 'identity' | 'leaseMs' | 'renewDeadlineMs' | 'retryMs'> {
  readonly client: KubeClient & ListWatchClient;
  /** Leases are called `<name>-<shard>-of-<count>`; also the value of their label. */
  readonly name: string;
  /** The label and annotation keys: `<domain>/shards`, `<domain>/shard-wanted-by`. */
  readonly domain: string;
  /** The same for all replicas. */
  readonly count: number;
  /** Its keys are ours from now on: all of them are to be looked at. */
  readonly onGained: (shard: number, lease: string) => void;
  /** Another replica may have it from now on; nothing of it is under way any more. */
  readonly onGivenAway?: (shard: number, lease: string) => void;
  /** It could not be kept. As with leadership, the process should end; not called for one that was given away. */
  readonly onLost: (shard: number, lease: string, reason: string) => void;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface Shards {
  /** The shards held now, in order. */
  readonly held: readonly number[];
  /** Where a key belongs, whoever holds it. */
  shardOf(key: string): number;
  owns(key: string): boolean;
  /** Does the work where the key is ours, and keeps the shard until it is done. undefined where it is another's. */
  within<R>(key: string, work: () => Promise<R>): Promise<R | undefined>;
  start(): void;
  /** Gives all shards up. What is under way should have ended before. */
  stop(): Promise<void>;
}

/** How long a free shard is left to others, for each that one holds. */
const PATIENCE_MS = 1_000;
/** How long work under way may hold up the giving away of its shard. */
const DRAIN_MS = 30_000;
/** How often the shares are compared. */
const BALANCE_MS = 5_000;

interface Shard {
  readonly index: number;
  readonly leaseName: string;
  election: LeaderElection;
  /** Work under way; a shard is given away when there is none. */
  busy: number;
  /** Told when `busy` falls to zero. */
  idle: (() => void) | undefined;
  yielding: boolean;
}

export function createShards(options: ShardsOptions): Shards {
  const { client, log, identity, count } = options;
  const clock = options.clock ?? systemClock;
  const random = options.random ?? Math.random;
  const label = `${options.domain}/shards`;
  const wantedBy = `${options.domain}/shard-wanted-by`;
  const group = `${options.name}-of-${count}`;
  const stopping = new AbortController();
  const shards = Array.from({ length: count }, (_, index) => createShard(index));
  const leases = createReflector<Lease>({
    client,
    type: LEASES,
    namespace: options.namespace,
    labelSelector: `${label}=${group}`,
    log,
    clock,
    random,
  });
  let balancing: Promise<void> | undefined;

  function createShard(index: number): Shard {
    const leaseName = `${options.name}-${index}-of-${count}`;
    return { index, leaseName, election: elect(index, leaseName), busy: 0, idle: undefined, yielding: false };
  }

  function elect(index: number, leaseName: string): LeaderElection {
    const { leaseMs, renewDeadlineMs, retryMs } = options;
    return createLeaderElection({
      client,
      namespace: options.namespace,
      name: leaseName,
      identity,
      labels: { [label]: group },
      patienceMs: () => held().length * PATIENCE_MS,
      onLeading: () => options.onGained(index, leaseName),
      onLost: (reason) => options.onLost(index, leaseName, reason),
      log,
      clock,
      random,
      ...(leaseMs === undefined ? {} : { leaseMs }),
      ...(renewDeadlineMs === undefined ? {} : { renewDeadlineMs }),
      ...(retryMs === undefined ? {} : { retryMs }),
    });
  }

  const isOurs = (shard: Shard): boolean => shard.election.leading && !shard.yielding;
  const held = (): Shard[] => shards.filter(isOurs);

  const indexOf = (key: string): number => hash(key) % count;

  function leaseOf(shard: Shard): Lease | undefined {
    return leases.store.get({ namespace: options.namespace, name: shard.leaseName });
  }

  /** How many shards each replica holds, by the leases; ourselves by what we know. */
  function shares(): Map<string, number> {
    const result = new Map<string, number>();
    for (const shard of shards) {
      const holder = leaseOf(shard)?.spec.holderIdentity ?? '';
      if (holder !== '' && holder !== identity) result.set(holder, (result.get(holder) ?? 0) + 1);
    }
    return result.set(identity, held().length);
  }

  async function balance(): Promise<void> {
    while (await sleep(clock, BALANCE_MS * (1 + random()), stopping.signal)) {
      try {
        await balanceOnce();
      } catch (error) {
        log.warn('could not balance the shards', { error: describeThrown(error) });
      }
    }
  }

  /** One shard at a time, given or asked for: shares are compared anew before the next. */
  async function balanceOnce(): Promise<void> {
    const known = shares();
    const wanted = held().find((shard) => mayHave(known, leaseOf(shard)?.metadata.annotations?.[wantedBy]));
    if (wanted !== undefined) await giveAway(wanted);
    else await ask(known);
  }

  /** Whether who asks would still hold no more than we do. */
  function mayHave(known: ReadonlyMap<string, number>, who: string | undefined): boolean {
    if (who === undefined || who === identity) return false;
    return (known.get(identity) ?? 0) >= (known.get(who) ?? 0) + 2;
  }

  async function giveAway(shard: Shard): Promise<void> {
    shard.yielding = true;
    if (!(await isIdleSoon(shard))) {
      shard.yielding = false;
      // What came up meanwhile was turned away.
      options.onGained(shard.index, shard.leaseName);
      return;
    }
    await shard.election.stop();
    log.info('gave a shard away', { shard: shard.index });
    options.onGivenAway?.(shard.index, shard.leaseName);
    shard.election = elect(shard.index, shard.leaseName);
    shard.yielding = false;
    if (!stopping.signal.aborted) shard.election.start();
  }

  /** Work that never ends must not keep a shard that takes up nothing new: that one would be nobody's. */
  async function isIdleSoon(shard: Shard): Promise<boolean> {
    if (shard.busy === 0) return true;
    let cancel: () => void = () => undefined;
    await new Promise<void>((resolve) => {
      shard.idle = resolve;
      cancel = clock.after(DRAIN_MS, resolve);
    });
    cancel();
    shard.idle = undefined;
    return shard.busy === 0;
  }

  async function ask(known: ReadonlyMap<string, number>): Promise<void> {
    const ours = known.get(identity) ?? 0;
    const [richest, theirs] = [...known].reduce((most, entry) => (entry[1] > most[1] ? entry : most));
    if (theirs < ours + 2) return;
    const lease = shards.map(leaseOf).find((candidate) => candidate?.spec.holderIdentity === richest);
    if (lease === undefined || lease.metadata.annotations?.[wantedBy] === identity) return;
    const { resourceVersion } = lease.metadata;
    const body = { metadata: { resourceVersion, annotations: { [wantedBy]: identity } } };
    await client
      .patch<Lease>(
        LEASES,
        { namespace: options.namespace, name: lease.metadata.name },
        { type: 'merge', body },
      )
      .catch((error: unknown) => {
        // It was renewed meanwhile: asked again when the shares are next compared.
        if (!isKubeError(error, 'Conflict', 'NotFound')) throw error;
      });
  }

  function leave(shard: Shard): void {
    shard.busy -= 1;
    if (shard.busy === 0) shard.idle?.();
  }

  return {
    get held() {
      return held().map((shard) => shard.index);
    },
    shardOf: indexOf,
    owns(key) {
      const shard = shards[indexOf(key)];
      return shard !== undefined && isOurs(shard);
    },
    async within(key, work) {
      const shard = shards[indexOf(key)];
      if (shard === undefined || !isOurs(shard)) return undefined;
      shard.busy += 1;
      try {
        return await work();
      } finally {
        leave(shard);
      }
    },
    start() {
      if (balancing !== undefined) return;
      leases.start();
      for (const shard of shards) shard.election.start();
      balancing = balance();
    },
    async stop() {
      stopping.abort();
      for (const shard of shards) shard.idle?.();
      await balancing;
      await Promise.all([leases.stop(), ...shards.map((shard) => shard.election.stop())]);
    },
  };
}

/** FNV-1a over UTF-16 units: spreads names that differ in one character, and is the same in every version of us. */
export function hash(key: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1) {
    value = Math.imul(value ^ key.charCodeAt(index), 0x01000193);
  }
  // FNV's low bits are its weak ones, and a remainder looks at those.
  value ^= value >>> 15;
  return value >>> 0;
}

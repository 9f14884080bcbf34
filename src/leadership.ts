/**
 * When this process may work, and on what: on everything at once (alone), on everything while it holds the Lease, or on
 * the shards whose Leases it holds.
 *
 * A process that has not read everything yet could do nothing with a Lease, and might lose it to the work of reading:
 * seen with ten thousand releases on a busy machine. Another replica, which is ready, must not wait for it. So Leases
 * are asked for when the caches are complete.
 *
 * Where a Lease is lost, another process has it from then on: nothing of this one may be written any more, and it ends
 * without being given time.
 */
import type { Operator } from './controller/operator.ts';
import { EVERYTHING, type Share } from './controller/share.ts';
import { createLeaderElection, type LeaderOptions } from './kube/leader.ts';
import type { Logger } from './kube/log.ts';
import { createShards } from './kube/shards.ts';
import type { KubeTransport } from './kube/transport.ts';
import type { Options } from './options.ts';
import type { Telemetry } from './server/metrics.ts';

const LEASE = 'bluegreen-operator';

export interface LeadershipDeps {
  readonly client: KubeTransport;
  readonly telemetry: Pick<Telemetry, 'setLeader'>;
  readonly log: Logger;
}

export interface Leadership {
  readonly share: Share;
  /** `lead` is called once, when there may be work to do. `isStopping`: nothing should be begun any more. */
  start(operator: Operator, lead: () => Promise<void>, isStopping: () => boolean): void;
  /** Gives up what is held, so that nobody has to wait for it to expire. */
  stop(): Promise<void>;
}

export function createLeadership(
  options: Pick<Options, 'leaderElect' | 'shards' | 'leaseNamespace' | 'identity'>,
  deps: LeadershipDeps,
): Leadership {
  if (!options.leaderElect) return ALONE;
  const { identity, leaseNamespace: namespace } = options;
  const common = { client: deps.client, log: deps.log, name: LEASE, identity, namespace };
  return options.shards === 1 ? elected(common, deps) : sharded(common, options.shards, deps);
}

const ALONE: Leadership = {
  share: EVERYTHING,
  start: (_, lead) => void lead(),
  stop: () => Promise.resolve(),
};

type Common = Pick<LeaderOptions, 'log' | 'name' | 'identity' | 'namespace'> & {
  readonly client: KubeTransport;
};

function elected(common: Common, { telemetry, log }: LeadershipDeps): Leadership {
  let begin: () => void = () => undefined;
  const election = createLeaderElection({
    ...common,
    onLeading: () => {
      telemetry.setLeader(LEASE, true);
      begin();
    },
    onLost: (reason) => endAtOnce(log, LEASE, reason),
    onNewLeader: (holder) => log.info('the Lease has a holder', { holder }),
  });
  return {
    share: EVERYTHING,
    start(operator, lead, isStopping) {
      begin = () => void lead();
      void allSynced(operator).then(() => isStopping() || election.start());
    },
    stop: () => election.stop(),
  };
}

function sharded(common: Common, count: number, { telemetry, log }: LeadershipDeps): Leadership {
  let operator: Operator | undefined;

  function moved(shard: number, lease: string, ours: boolean): void {
    telemetry.setLeader(lease, ours);
    operator?.lookAgain((key) => shards.shardOf(key) === shard);
  }

  const shards = createShards({
    ...common,
    domain: 'bluegreen.dev',
    count,
    onGained: (shard, lease) => moved(shard, lease, true),
    onGivenAway: (shard, lease) => moved(shard, lease, false),
    onLost: (_, lease, reason) => endAtOnce(log, lease, reason),
  });
  return {
    share: shards,
    start(started, lead, isStopping) {
      operator = started;
      void lead();
      void allSynced(started).then(() => isStopping() || shards.start());
    },
    stop: () => shards.stop(),
  };
}

function allSynced({ reflectors }: Operator): Promise<unknown> {
  return Promise.all(reflectors.map(({ whenSynced }) => whenSynced));
}

function endAtOnce(log: Logger, lease: string, reason: string): never {
  log.error('the Lease is lost', { lease, reason });
  process.exit(1);
}

/** The process: read options, build, run, stop. */
import { KubeConfig } from '@kubernetes/client-node';
import { EMPTY_CONFIG, loadConfig, watchConfig } from './config.ts';
import { createOperator, type Operator } from './controller/operator.ts';
import { reconcileObserver } from './controller/telemetry.ts';
import { releaseGarbage, whenIdle } from './garbage.ts';
import { systemClock } from './kube/clock.ts';
import { createEventRecorder } from './kube/events.ts';
import { kubeConfigEndpoint } from './kube/kubeconfig.ts';
import { createLeaderElection, type LeaderElection } from './kube/leader.ts';
import { describeThrown } from './kube/log.ts';
import { createPool } from './kube/pool.ts';
import { createKubeClient } from './kube/transport.ts';
import { type ChildLogger, createLogger } from './log.ts';
import { createSources } from './metrics/sources.ts';
import { type Options, parseOptions } from './options.ts';
import { eventLoopCheck, healthHandler, startLoopDelay, watchesCheck } from './server/health.ts';
import { serve } from './server/http.ts';
import { createTelemetry } from './server/metrics.ts';
import { VERSION } from './version.ts';

const LEASE = 'bluegreen-operator';
/** Measurements and dry runs at a time, and waiting. */
const POOL = { size: 64, queueLimit: 4096 };
/** How often to look whether the start is over, and its garbage can be given back. */
const GARBAGE_LOOK_MS = 5_000;
const TASK_DEADLINE_MS = 30_000;

type Stop = () => Promise<void>;

async function run(options: Options, log: ChildLogger): Promise<void> {
  const stops: Stop[] = [];
  let stopping = false;

  /** In the reverse order of the start; the Lease is given up last, when nothing is written any more. */
  function stop(why: string, code: number): void {
    if (stopping) return;
    stopping = true;
    void (async () => {
      log.info('stopping', { why });
      for (const each of stops.reverse())
        await each().catch((error: unknown) =>
          log.error('a part did not stop', { error: describeThrown(error) }),
        );
      process.exit(code);
    })();
  }

  process.on('SIGTERM', () => stop('SIGTERM', 0));
  process.on('SIGINT', () => stop('SIGINT', 0));
  // A promise that nobody awaited is a bug: a restart finds everything in the cluster, a process in an unknown state does not.
  process.on('unhandledRejection', (error) => {
    log.error('a promise was rejected and nobody cared', { error: describeThrown(error) });
    stop('unhandledRejection', 1);
  });

  const telemetry = createTelemetry({ version: VERSION });
  const { kubeconfig } = options;
  const endpoint = kubeConfigEndpoint(kubeconfig === undefined ? {} : { load: () => fromFile(kubeconfig) });
  const { connection } = await endpoint.current();
  const client = createKubeClient({
    endpoint,
    userAgent: `bluegreen-operator/${VERSION}`,
    observer: telemetry.requestObserver(new URL(connection.origin).host),
  });
  stops.push(() => client.close());

  const config = options.config === undefined ? EMPTY_CONFIG : await loadConfig(options.config);
  const sources = createSources(config.metricSources);
  stops.push(() => sources.close());
  if (options.config !== undefined) {
    const unwatch = watchConfig({
      file: options.config,
      current: config,
      clock: systemClock,
      logger: log,
      onChange: (next) => sources.update(next.metricSources),
    });
    stops.push(async () => unwatch());
  }

  const events = createEventRecorder({
    client,
    controller: 'bluegreen.dev/operator',
    instance: options.identity,
    log,
  });
  const pool = createPool({ ...POOL, log });
  const operator = createOperator({
    client,
    sources,
    namespaces: options.namespaces,
    concurrency: options.concurrency,
    run: (key, work) =>
      void pool.submit({
        key,
        run: work,
        deadlineMs: TASK_DEADLINE_MS,
        onEnd: (outcome) => {
          if (outcome.status === 'failed')
            log.warn('work beside the loop failed', { task: key, error: describeThrown(outcome.error) });
          if (outcome.status === 'timeout') log.warn('work beside the loop took too long', { task: key });
        },
      }),
    recordEvent: (event) => events.record(event),
    observers: {
      reconcile: reconcileObserver(telemetry.metrics),
      queue: telemetry.queueObserver('bluegreenrelease'),
      loop: telemetry.loopObserver('bluegreenrelease', options.concurrency),
      onMeasurement: (measurement) => telemetry.metrics.measured(measurement),
    },
    log,
    clock: systemClock,
  });
  telemetry.followQueue('bluegreenrelease', () => operator.queue.stats());

  async function lead(): Promise<void> {
    await operator.lead();
    const { queue } = operator;
    const idle = (): boolean => queue.stats().depth === 0;
    const stopWaiting = whenIdle(idle, GARBAGE_LOOK_MS, releaseGarbage);
    stops.push(async () => stopWaiting());
  }

  let election: LeaderElection | undefined;
  if (options.leaderElect) {
    election = createLeaderElection({
      client,
      namespace: options.leaseNamespace,
      name: LEASE,
      identity: options.identity,
      onLeading: () => {
        telemetry.setLeader(LEASE, true);
        void lead();
      },
      onLost: (reason) => {
        // Another process leads from now on: nothing of this one may be written any more, and no time is given.
        log.error('the Lease is lost', { reason });
        process.exit(1);
      },
      onNewLeader: (holder) => log.info('the Lease has a holder', { holder }),
      log,
    });
    const held = election;
    stops.push(() => held.stop());
  }
  stops.push(() => events.stop());
  stops.push(() => pool.stop());
  stops.push(() => operator.stop());
  await serveHealth(options, operator, telemetry, stops);
  operator.watch();
  log.info('started', {
    version: VERSION,
    identity: options.identity,
    metricSources: config.metricSources.length,
  });
  if (election === undefined) await lead();
  else takeLeaseWhenReady(operator, election, () => stopping);
}

/**
 * A process that has not read everything yet could do nothing with the Lease, and might lose it to the work of reading:
 * seen with ten thousand releases on a busy machine. Another replica, which is ready, must not wait for it.
 */
function takeLeaseWhenReady(operator: Operator, election: LeaderElection, isStopping: () => boolean): void {
  void Promise.all(operator.reflectors.map(({ whenSynced }) => whenSynced)).then(() => {
    if (!isStopping()) election.start();
  });
}

function fromFile(path: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(path);
  return config;
}

async function serveHealth(
  options: Options,
  operator: Operator,
  telemetry: ReturnType<typeof createTelemetry>,
  stops: Stop[],
): Promise<void> {
  const { bindAddress: address } = options;
  const delay = startLoopDelay();
  const synced = () => {
    const missing = operator.reflectors.filter(({ store }) => !store.synced).map(({ type }) => type.plural);
    return { ok: missing.length === 0, message: `waiting for the caches of ${missing.join(', ')}` };
  };
  const servers = await Promise.all([
    serve({
      port: options.metricsPort,
      address,
      routes: { '/metrics': async () => ({ status: 200, ...(await telemetry.expose()) }) },
    }),
    serve({
      port: options.healthPort,
      address,
      routes: {
        '/healthz': healthHandler([eventLoopCheck(delay), watchesCheck(() => operator.reflectors)]),
        '/readyz': healthHandler([synced]),
      },
    }),
  ]);
  stops.push(async () => void (await Promise.all(servers.map((server) => server.close()))));
}

const parsed = parseOptions(process.argv.slice(2), process.env);
switch (parsed.kind) {
  case 'help':
    process.stdout.write(`${parsed.text}\n`);
    break;
  case 'error':
    process.stderr.write(`${parsed.message}\n`);
    process.exitCode = 2;
    break;
  case 'run': {
    const log = createLogger({ level: parsed.options.logLevel });
    run(parsed.options, log).catch((error: unknown) => {
      log.error('the operator cannot start', { error: describeThrown(error) });
      process.exit(1);
    });
    break;
  }
  default:
    parsed satisfies never;
}

/** The process: read options, build, run, stop. */
import { createBesideTheLoop } from './beside-the-loop.ts';
import { EMPTY_CONFIG, loadConfig, watchConfig } from './config.ts';
import { createOperator, type Operator } from './controller/operator.ts';
import type { Share } from './controller/share.ts';
import { reconcileObserver } from './controller/telemetry.ts';
import { releaseGarbage, whenIdle } from './garbage.ts';
import { systemClock } from './kube/clock.ts';
import { createEventRecorder } from './kube/events.ts';
import { kubeConfigEndpoint, kubeConfigFrom } from './kube/kubeconfig.ts';
import { describeThrown } from './kube/log.ts';
import { createKubeClient, type KubeTransport } from './kube/transport.ts';
import { createLeadership } from './leadership.ts';
import { type ChildLogger, createLogger } from './log.ts';
import { createSources, type Sources } from './metrics/sources.ts';
import { type Options, parseOptions } from './options.ts';
import { eventLoopCheck, healthHandler, startLoopDelay, watchesCheck } from './server/health.ts';
import { serve } from './server/http.ts';
import { createTelemetry, type Telemetry } from './server/metrics.ts';
import { createShutdown, type Shutdown } from './shutdown.ts';
import { VERSION } from './version.ts';

/** How often to look whether the start is over, and its garbage can be given back. */
const GARBAGE_LOOK_MS = 5_000;

/** What every part of the process is built with. */
interface Parts {
  readonly options: Options;
  readonly log: ChildLogger;
  readonly shutdown: Shutdown;
  readonly telemetry: Telemetry;
}

async function run(options: Options, log: ChildLogger): Promise<void> {
  const shutdown = createShutdown(log);
  const telemetry = createTelemetry({ version: VERSION });
  const parts: Parts = { options, log, shutdown, telemetry };
  const client = await connect(parts);
  const sources = await openSources(parts);
  const leadership = createLeadership(options, { client, telemetry, log });
  const operator = buildOperator(parts, client, sources, leadership.share);
  await serveHealth(parts, operator);
  // Named last, and so the first to stop: another replica waits for the Lease, and not for what our events still tell.
  shutdown.stops(() => leadership.stop());
  shutdown.stops(() => operator.stop());
  operator.watch();
  const { identity, shards } = options;
  log.info('started', { version: VERSION, identity, shards });
  leadership.start(
    operator,
    () => lead(operator, shutdown),
    () => shutdown.begun,
  );
}

async function connect({ options: { kubeconfig }, shutdown, telemetry }: Parts): Promise<KubeTransport> {
  const endpoint = kubeConfigEndpoint(
    kubeconfig === undefined ? {} : { load: () => kubeConfigFrom(kubeconfig) },
  );
  const { connection } = await endpoint.current();
  const client = createKubeClient({
    endpoint,
    userAgent: `bluegreen-operator/${VERSION}`,
    observer: telemetry.requestObserver(new URL(connection.origin).host),
  });
  shutdown.stops(() => client.close());
  return client;
}

async function openSources({ options, log, shutdown }: Parts): Promise<Sources> {
  const { config: file } = options;
  const config = file === undefined ? EMPTY_CONFIG : await loadConfig(file);
  const sources = createSources(config.metricSources);
  shutdown.stops(() => sources.close());
  log.info('metric sources', { count: config.metricSources.length });
  if (file === undefined) return sources;
  const unwatch = watchConfig({
    file,
    current: config,
    clock: systemClock,
    logger: log,
    onChange: (next) => sources.update(next.metricSources),
  });
  shutdown.stops(async () => unwatch());
  return sources;
}

function buildOperator(
  { options, log, shutdown, telemetry }: Parts,
  client: KubeTransport,
  sources: Sources,
  share: Share,
): Operator {
  const events = createEventRecorder({
    client,
    controller: 'bluegreen.dev/operator',
    instance: options.identity,
    log,
  });
  const beside = createBesideTheLoop({ log, clock: systemClock });
  const operator = createOperator({
    client,
    sources,
    share,
    namespaces: options.namespaces,
    concurrency: options.concurrency,
    run: beside.run,
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
  shutdown.stops(() => events.stop());
  shutdown.stops(() => beside.stop());
  return operator;
}

async function lead(operator: Operator, shutdown: Shutdown): Promise<void> {
  await operator.lead();
  const isIdle = (): boolean => operator.queue.stats().depth === 0;
  const stopWaiting = whenIdle(isIdle, GARBAGE_LOOK_MS, releaseGarbage);
  shutdown.stops(async () => stopWaiting());
}

async function serveHealth({ options, shutdown, telemetry }: Parts, operator: Operator): Promise<void> {
  const { bindAddress: address } = options;
  const delay = startLoopDelay();
  const synced = () => {
    const missing = operator.reflectors
      .filter(({ store, forbidden }) => !store.synced && !forbidden)
      .map(({ type }) => type.plural);
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
  shutdown.stops(async () => void (await Promise.all(servers.map((server) => server.close()))));
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

/**
 * What the operator tells Prometheus of itself.
 *
 * Queue, loop and API requests carry the names that controller-runtime and client-go gave them, so that dashboards
 * and alerts made for any controller work; what only this product has begins with `bluegreen_`. Labels are names of
 * releases and closed sets of words, never text: what a label can be is what a scrape costs.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Measurement } from '../analysis/measurement.ts';
import type { RequestObserver, Verb } from '../kube/http.ts';
import type { LoopObserver } from '../kube/loop.ts';
import type { ObjectKey } from '../kube/ports.ts';
import type { QueueObserver, QueueStats } from '../kube/workqueue.ts';

/** `patched`: the Services are written. `converged`: the endpoints have followed. Both since the decision. */
export type SwitchStage = 'patched' | 'converged';

/** What the controller tells. Every function is quick and never throws for a value of its type. */
export interface Metrics {
  /** The phase a release is in; the one before is forgotten. */
  setPhase(release: ObjectKey, phase: string): void;
  /** The release is gone, and so is its series. */
  forgetRelease(release: ObjectKey): void;
  switchReached(stage: SwitchStage, seconds: number): void;
  rollbackReached(stage: SwitchStage, seconds: number): void;
  /** Low-cardinality words, UpperCamelCase. */
  switchEnded(outcome: string): void;
  rollbackDecided(reason: string): void;
  measured(measurement: Pick<Measurement, 'verdict' | 'reason'>): void;
  effectApplied(kind: string, result: 'applied' | 'refused' | 'failed'): void;
}

/** The observers that the Kubernetes runtime calls, and the page that Prometheus reads. */
export interface Telemetry {
  readonly metrics: Metrics;
  queueObserver(queue: string): QueueObserver;
  /** Reads the gauges of a queue at each scrape. */
  followQueue(queue: string, stats: () => QueueStats): void;
  loopObserver(controller: string, concurrency: number): LoopObserver;
  /** `host`: of the API server. */
  requestObserver(host: string): RequestObserver;
  setLeader(lease: string, leading: boolean): void;
  /** In the text format of Prometheus. */
  expose(): Promise<{ readonly contentType: string; readonly body: string }>;
}

export function createTelemetry(build: { readonly version: string }): Telemetry {
  const registry = new Registry();
  // Each look at the event loop wakes the process: at prom-client's 10 ms that was most of its CPU at rest.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  new Gauge({
    name: 'bluegreen_build_info',
    help: 'The running version; always 1.',
    labelNames: ['version', 'node_version'],
    registers: [registry],
  }).set({ version: build.version, node_version: process.version }, 1);
  const leader = new Gauge({
    name: 'leader_election_master_status',
    help: 'Whether this process holds the Lease: 1, else 0.',
    labelNames: ['name'],
    registers: [registry],
  });
  return {
    metrics: productMetrics(registry),
    ...queueMetrics(registry),
    loopObserver: loopMetrics(registry),
    requestObserver: requestMetrics(registry),
    setLeader: (lease, leading) => leader.set({ name: lease }, leading ? 1 : 0),
    expose: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}

/** A switch is milliseconds where all goes well, and minutes where the other side is scaled up first. */
const SWITCH_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300];

function productMetrics(registry: Registry): Metrics {
  const registers = [registry];
  const phase = new Gauge({
    name: 'bluegreen_release_phase',
    help: 'The phase a release is in: 1 for it, no series for the others.',
    labelNames: ['namespace', 'release', 'phase'],
    registers,
  });
  const switchSeconds = new Histogram({
    name: 'bluegreen_switch_seconds',
    help: 'From the decision to switch until the Services were patched, and until the endpoints had followed.',
    labelNames: ['stage'],
    buckets: SWITCH_BUCKETS,
    registers,
  });
  const rollbackSeconds = new Histogram({
    name: 'bluegreen_rollback_seconds',
    help: 'From the decision to roll back until the Services were patched, and until the endpoints had followed.',
    labelNames: ['stage'],
    buckets: SWITCH_BUCKETS,
    registers,
  });
  const count = <Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> =>
    new Counter({ name, help, labelNames, registers });
  const switches = count('bluegreen_switches_total', 'Switches by their outcome.', ['outcome']);
  const rollbacks = count('bluegreen_rollbacks_total', 'Rollbacks by their reason.', ['reason']);
  const measurements = count(
    'bluegreen_measurements_total',
    'Measurements of checks by verdict and reason.',
    ['verdict', 'reason'],
  );
  const effects = count('bluegreen_reconcile_effects_total', 'Effects of plans by kind and result.', [
    'kind',
    'result',
  ]);
  const phases = new Map<string, { namespace: string; release: string; phase: string }>();

  function forget(key: string): void {
    const labels = phases.get(key);
    if (labels !== undefined) phase.remove(labels);
    phases.delete(key);
  }

  return {
    setPhase({ namespace = '', name }, now) {
      const key = `${namespace}/${name}`;
      if (phases.get(key)?.phase === now) return;
      forget(key);
      const labels = { namespace, release: name, phase: now };
      phases.set(key, labels);
      phase.set(labels, 1);
    },
    forgetRelease: ({ namespace = '', name }) => forget(`${namespace}/${name}`),
    switchReached: (stage, seconds) => switchSeconds.observe({ stage }, seconds),
    rollbackReached: (stage, seconds) => rollbackSeconds.observe({ stage }, seconds),
    switchEnded: (outcome) => switches.inc({ outcome }),
    rollbackDecided: (reason) => rollbacks.inc({ reason }),
    measured: ({ verdict, reason }) => measurements.inc({ verdict, reason }),
    effectApplied: (kind, result) => effects.inc({ kind, result }),
  };
}

/** client-go's: 10 ns to 1000 s, a bucket for each power of ten. */
const QUEUE_BUCKETS = Array.from({ length: 12 }, (_, power) => 10 ** (power - 8));

function queueMetrics(registry: Registry): Pick<Telemetry, 'queueObserver' | 'followQueue'> {
  const common = { labelNames: ['name', 'controller'] as const, registers: [registry] };
  const adds = new Counter({ ...common, name: 'workqueue_adds_total', help: 'Keys added to the queue.' });
  const retries = new Counter({
    ...common,
    name: 'workqueue_retries_total',
    help: 'Keys added again for later.',
  });
  const waited = new Histogram({
    ...common,
    name: 'workqueue_queue_duration_seconds',
    help: 'How long a key stayed in the queue.',
    buckets: QUEUE_BUCKETS,
  });
  const worked = new Histogram({
    ...common,
    name: 'workqueue_work_duration_seconds',
    help: 'How long a key was being processed.',
    buckets: QUEUE_BUCKETS,
  });
  const labelsOf = (queue: string) => ({ name: queue, controller: queue });

  /** Set when Prometheus asks, from what the queue says then. */
  const gauge = (name: string, help: string, read: (stats: QueueStats) => number) => {
    const followed = new Map<string, () => QueueStats>();
    new Gauge({
      ...common,
      name,
      help,
      collect() {
        for (const [queue, stats] of followed) this.set(labelsOf(queue), read(stats()));
      },
    });
    return followed;
  };
  const gauges = [
    gauge('workqueue_depth', 'Keys that wait in the queue.', ({ depth }) => depth),
    gauge(
      'workqueue_unfinished_work_seconds',
      'Seconds spent on what is being processed, summed up.',
      ({ unfinishedSeconds }) => unfinishedSeconds,
    ),
    gauge(
      'workqueue_longest_running_processor_seconds',
      'Seconds spent on the key that has been processed longest.',
      ({ longestSeconds }) => longestSeconds,
    ),
  ];

  return {
    queueObserver(queue) {
      const labels = labelsOf(queue);
      return {
        onAdd: () => adds.inc(labels),
        onRetry: () => retries.inc(labels),
        onGet: (seconds) => waited.observe(labels, seconds),
        onDone: (seconds) => worked.observe(labels, seconds),
      };
    },
    followQueue(queue, stats) {
      for (const followed of gauges) followed.set(queue, stats);
    },
  };
}

const RECONCILE_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

function loopMetrics(registry: Registry): Telemetry['loopObserver'] {
  const common = { labelNames: ['controller'] as const, registers: [registry] };
  const active = new Gauge({
    ...common,
    name: 'controller_runtime_active_workers',
    help: 'Reconciles under way.',
  });
  const concurrent = new Gauge({
    ...common,
    name: 'controller_runtime_max_concurrent_reconciles',
    help: 'Reconciles that may be under way at a time.',
  });
  const seconds = new Histogram({
    ...common,
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'How long a reconcile took.',
    buckets: RECONCILE_BUCKETS,
  });
  const total = new Counter({
    name: 'controller_runtime_reconcile_total',
    help: 'Reconciles by their result.',
    labelNames: ['controller', 'result'],
    registers: [registry],
  });
  const errors = new Counter({
    ...common,
    name: 'controller_runtime_reconcile_errors_total',
    help: 'Reconciles that failed.',
  });

  return (controller, concurrency) => {
    concurrent.set({ controller }, concurrency);
    active.set({ controller }, 0);
    errors.inc({ controller }, 0);
    return {
      onActive: (workers) => active.set({ controller }, workers),
      onReconcile(result, took) {
        total.inc({ controller, result });
        seconds.observe({ controller }, took);
        if (result === 'error') errors.inc({ controller });
      },
    };
  };
}

const REQUEST_BUCKETS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];

const METHODS: Readonly<Record<Verb, string>> = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
};

function requestMetrics(registry: Registry): Telemetry['requestObserver'] {
  const total = new Counter({
    name: 'rest_client_requests_total',
    help: 'Requests to the API server by status code and method.',
    labelNames: ['code', 'method', 'host'],
    registers: [registry],
  });
  const duration = new Histogram({
    name: 'rest_client_request_duration_seconds',
    help: 'How long a request to the API server took; a watch until it began.',
    labelNames: ['verb', 'host'],
    buckets: REQUEST_BUCKETS,
    registers: [registry],
  });

  return (host) => ({
    onRequest({ verb, status, seconds }) {
      const method = METHODS[verb];
      // client-go's word for a request that got no answer.
      total.inc({ code: status === 0 ? '<error>' : String(status), method, host });
      duration.observe({ verb: method, host }, seconds);
    },
  });
}

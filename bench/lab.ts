/** The cluster in which everything is measured, with the shipped manifests in it. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { kubeConfigEndpoint } from '../src/kube/kubeconfig.ts';
import { createKubeClient, type KubeTransport } from '../src/kube/transport.ts';
import { type Cluster, startCluster } from '../test/cluster/index.ts';
import { readState } from '../test/cluster/state.ts';
import { eventually } from '../test/support/eventually.ts';
import { AuditTail, type Request } from './audit.ts';
import type { Say } from './benchmark.ts';
import { cpuSecondsOf } from './cpu.ts';
import { Fixture, type State } from './fixture.ts';
import { buildOperator, MeasuredOperator } from './operator.ts';

const manifests = join(import.meta.dirname, '../deploy/kustomize');
const NAMESPACE = 'bluegreen-system';
const ACCOUNT = 'bluegreen-operator';
export const OPERATOR_USER = `system:serviceaccount:${NAMESPACE}:${ACCOUNT}`;

/** The measuring side must never be what waits. */
const UNLIMITED = { perSecond: 100_000, burst: 100_000 };
const PODS_PER_NODE = 200;
/** A cluster with a hundred nodes that tell of themselves is never quite still. */
const CALM_CORES = 0.4;
const CALM_STEP_MS = 5_000;
const CALM_MS = 900_000;

export class Lab {
  readonly cluster: Cluster;
  /** The administrator's: people, and the plain script that the operator is compared with. */
  readonly client: KubeTransport;
  readonly #kubeconfig: string;
  readonly #program: string;
  readonly #profile: string | undefined;
  readonly #fixtures: Map<State, Promise<Fixture>> = new Map();
  readonly #operators: Set<MeasuredOperator> = new Set();

  private constructor(cluster: Cluster, kubeconfig: string, program: string, profile: string | undefined) {
    this.cluster = cluster;
    this.#kubeconfig = kubeconfig;
    this.#program = program;
    this.#profile = profile;
    const load = (): KubeConfig => {
      const config = new KubeConfig();
      config.loadFromFile(cluster.kubeconfig);
      return config;
    };
    this.client = createKubeClient({
      endpoint: kubeConfigEndpoint({ load }),
      userAgent: 'bench',
      limits: UNLIMITED,
    });
  }

  static async start(pods: number, profile: string | undefined, say: Say): Promise<Lab> {
    say('starting a cluster');
    const nodes = 3 + Math.ceil(pods / PODS_PER_NODE);
    const cluster = await startCluster({ form: 'fake', large: true, nodes });
    await cluster.kubectl(['apply', '--server-side', '-k', manifests]);
    await cluster.kubectl(['delete', 'deployment', ACCOUNT, '-n', NAMESPACE]);
    await cluster.kubectl(['wait', '--for=condition=Established', 'crd/bluegreenreleases.bluegreen.dev']);
    const kubeconfig = await cluster.kubeconfigFor(NAMESPACE, ACCOUNT);
    return new Lab(cluster, kubeconfig, await buildOperator(join(cluster.workDir, 'dist')), profile);
  }

  /** Not awaited to work: its start may be what is measured. */
  async spawnOperator(...args: string[]): Promise<MeasuredOperator> {
    const operator = await MeasuredOperator.start({
      program: this.#program,
      kubeconfig: this.#kubeconfig,
      profile: this.#profile,
      args,
    });
    this.#operators.add(operator);
    return operator;
  }

  /** Alone, and at work. */
  async operator(): Promise<MeasuredOperator> {
    return (await this.spawnOperator('--no-leader-elect')).works();
  }

  /** One that takes its Lease first, under this identity. */
  candidate(identity: string): Promise<MeasuredOperator> {
    return this.spawnOperator('--lease-namespace', NAMESPACE, '--identity', identity);
  }

  /** Made once, and shared by all that need one. */
  fixture(state: State, say: Say): Promise<Fixture> {
    const known = this.#fixtures.get(state) ?? Fixture.create(this, state, say);
    this.#fixtures.set(state, known);
    return known;
  }

  /** Of the API server, etcd, the controllers, the scheduler and the nodes: what the operator's requests cost others. */
  clusterCpuSeconds(): number {
    const processes = readState(this.cluster.name)?.processes ?? [];
    return processes.reduce((sum, { pid }) => sum + cpuSecondsOf(pid), 0);
  }

  /**
   * Until the controllers have nothing left to do. Of ten thousand releases that were written into etcd each of them
   * looks at every object for minutes, and what is measured meanwhile waits for a processor.
   */
  async calm(say: Say): Promise<void> {
    await eventually('the cluster to come to rest', CALM_MS, async () => {
      const before = this.clusterCpuSeconds();
      await sleep(CALM_STEP_MS);
      const cores = (this.clusterCpuSeconds() - before) / (CALM_STEP_MS / 1000);
      say(`the cluster comes to rest: ${cores.toFixed(2)} of a core`);
      return cores < CALM_CORES || undefined;
    });
  }

  audit(): AuditTail {
    return new AuditTail(this.cluster.auditLog);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#operators].map((operator) => operator.end()));
    await this.client.close();
    await this.cluster.stop();
  }
}

export const ofOperator = ({ user }: Request): boolean => user === OPERATOR_USER;

/**
 * A real control plane with fake nodes, the shipped manifests in it, and operator processes beside it. The operator's
 * own Deployment is taken away: a fake node runs no image.
 */
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { bundle } from '../../../build/bundle.ts';
import { kubeConfigEndpoint } from '../../../src/kube/kubeconfig.ts';
import { createKubeClient, type KubeTransport } from '../../../src/kube/transport.ts';
import { type Cluster, startCluster } from '../../cluster/index.ts';
import { OperatorProcess, SOURCE } from './process.ts';
import { Shop, type ShopOptions } from './shop.ts';

const manifests = join(import.meta.dirname, '../../../deploy/kustomize');

export const NAMESPACE = 'bluegreen-system';
export const OPERATOR = 'bluegreen-operator';

export class World {
  readonly cluster: Cluster;
  /** The administrator's: what people and kubelets do in these tests. */
  readonly client: KubeTransport;
  /** The operator's. */
  readonly kubeconfig: string;
  readonly #operators: OperatorProcess[] = [];
  #program = SOURCE;
  #shops = 0;

  private constructor(cluster: Cluster, kubeconfig: string) {
    this.cluster = cluster;
    this.kubeconfig = kubeconfig;
    const load = (): KubeConfig => {
      const config = new KubeConfig();
      config.loadFromFile(cluster.kubeconfig);
      return config;
    };
    this.client = createKubeClient({ endpoint: kubeConfigEndpoint({ load }), userAgent: 'people' });
  }

  /** A node takes 250 pods. */
  static async start(
    nodes = 3,
    { dualStack = false }: { readonly dualStack?: boolean } = {},
  ): Promise<World> {
    const cluster = await startCluster({ form: 'fake', nodes, dualStack });
    await cluster.kubectl(['apply', '--server-side', '-k', manifests]);
    await cluster.kubectl(['delete', 'deployment', OPERATOR, '-n', NAMESPACE]);
    await cluster.kubectl(['wait', '--for=condition=Established', 'crd/bluegreenreleases.bluegreen.dev']);
    return new World(cluster, await cluster.kubeconfigFor(NAMESPACE, OPERATOR));
  }

  /** Operators are run from the bundle that is shipped: it starts in a quarter of the time. */
  async useBundle(): Promise<void> {
    const outdir = join(this.cluster.workDir, 'bundle');
    await bundle({ entries: { operator: 'src/main.ts' }, outdir });
    this.#program = join(outdir, 'operator.mjs');
  }

  /** Alone, without a Lease, unless the arguments say otherwise. */
  async operator(...args: string[]): Promise<OperatorProcess> {
    return this.spawnOperator(this.kubeconfig, '--no-leader-elect', ...args).isWorking();
  }

  spawnOperator(kubeconfig: string, ...args: string[]): OperatorProcess {
    const operator = new OperatorProcess(this.#program, kubeconfig, args);
    this.#operators.push(operator);
    return operator;
  }

  /** Credentials of its own, with the operator's rights: so the audit log tells replicas apart. */
  async replica(name: string): Promise<string> {
    const account = `${NAMESPACE}:${name}`;
    await this.cluster.kubectl(['create', 'serviceaccount', name, '-n', NAMESPACE]);
    for (const role of [OPERATOR, `${OPERATOR}-secrets`])
      await this.cluster.kubectl([
        'create',
        'clusterrolebinding',
        `${name}-${role}`,
        `--clusterrole=${role}`,
        `--serviceaccount=${account}`,
      ]);
    await this.cluster.kubectl([
      'create',
      'rolebinding',
      name,
      `--role=${OPERATOR}`,
      `--serviceaccount=${account}`,
      `--namespace=${NAMESPACE}`,
    ]);
    return this.cluster.kubeconfigFor(NAMESPACE, name);
  }

  /** A namespace with an application that runs. */
  shop(options?: ShopOptions): Promise<Shop> {
    this.#shops += 1;
    return Shop.open(this, `team-${this.#shops}`, options);
  }

  /** A namespace with nothing in it. */
  emptyShop(): Promise<Shop> {
    this.#shops += 1;
    return Shop.empty(this, `team-${this.#shops}`);
  }

  /** The same, already in the hands of a release: revision r1 on blue. */
  async adoptedShop(options: ShopOptions = {}): Promise<Shop> {
    const shop = await this.shop(options);
    await shop.release(options.spec);
    await shop.settledOn('r1');
    return shop;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#operators.map((operator) => operator.end()));
    await this.client.close();
    await this.cluster.stop();
  }
}

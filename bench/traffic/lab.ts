/** The cluster with a real node in which requests are counted. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { kubeConfigEndpoint } from '../../src/kube/kubeconfig.ts';
import { createKubeClient, type KubeTransport } from '../../src/kube/transport.ts';
import { ENDPOINT_SLICES, type EndpointSlice, SERVICES } from '../../src/kube/types.ts';
import { Shop } from '../../test/e2e/shop.ts';
import { EndpointsHistory } from '../../test/support/endpoints.ts';
import type { LoadResult } from '../../test/support/load.ts';
import { prometheusUrl } from '../../test/support/prometheus.ts';
import { SHOP } from '../../test/support/shop.ts';
import { raiseStage, type Stage } from '../../test/support/stage.ts';
import type { Say } from '../benchmark.ts';
import { follow } from '../follow.ts';
import { wallClock } from '../numbers.ts';
import type { Options } from './options.ts';
import { SCRIPTED_SOURCE, SCRIPTED_URL } from './scripted.ts';

/** Requests a second. */
export const RATE = 300;
export const REPLICAS = 3;
export const DRAIN_SECONDS = 5;

/** The two kinds of application: what `ON_SIGTERM` of the demo's application says. */
export type Manners = 'drain' | 'exit';

export interface OpenOptions {
  readonly manners?: Manners;
  readonly rate?: number;
  readonly unnamedPort?: boolean;
}

export class TrafficLab {
  readonly stage: Stage;
  /** The administrator's, who looks on and measures. */
  readonly client: KubeTransport;
  readonly #raw: string | undefined;
  readonly #shops: Shop[] = [];
  readonly #watching: AbortController = new AbortController();

  private constructor(stage: Stage, raw: string | undefined) {
    this.stage = stage;
    this.#raw = raw;
    const load = (): KubeConfig => {
      const config = new KubeConfig();
      config.loadFromFile(stage.cluster.kubeconfig);
      return config;
    };
    this.client = createKubeClient({ endpoint: kubeConfigEndpoint({ load }), userAgent: 'bench' });
  }

  static async start({ raw, serviceProxy }: Options, say: Say): Promise<TrafficLab> {
    say('starting a cluster');
    const sources = { default: prometheusUrl(), [SCRIPTED_SOURCE]: SCRIPTED_URL };
    const stage = await raiseStage({ metricSources: sources, serviceProxy });
    if (raw !== undefined) await mkdir(raw, { recursive: true });
    return new TrafficLab(stage, raw);
  }

  /** v1, serving under load, and nobody releases it yet. */
  async open(namespace: string, options: OpenOptions = {}): Promise<Shop> {
    const { manners = 'drain', rate = RATE, unnamedPort = false } = options;
    const shop = new Shop(this.stage, namespace);
    this.#shops.push(shop);
    await shop.open({
      shop: { replicas: REPLICAS, env: { ON_SIGTERM: manners }, unnamedPort },
      load: { rate, maxSeconds: 3600, maxRequests: 1_000_000 },
    });
    return shop;
  }

  /** Ends its load, keeps what was counted, and takes the pods away: the next benchmark needs the processors. */
  async close(shop: Shop): Promise<LoadResult> {
    const result = await shop.close();
    await this.#keep(shop, result);
    shop.leave();
    const { target } = this.stage;
    const { namespace } = shop;
    const all = ['delete', 'bgr', '--all', '-n', namespace, '--timeout=120s'];
    await target.kubectl(all, { timeoutMs: 125_000 });
    await target.kubectl(['delete', 'namespace', namespace, '--wait=false']);
    return result;
  }

  async #keep(shop: Shop, result: LoadResult): Promise<void> {
    if (this.#raw === undefined) return;
    const raw = {
      switches: shop.switches(),
      failures: result.failures,
      totals: result.totals,
      rows: result.rows,
    };
    await writeFile(join(this.#raw, `${shop.namespace}.json`), `${JSON.stringify(raw)}\n`);
  }

  /** Whose pods stand behind a Service from now on, seen by a watch of this process: no other process is in between. */
  watchEndpoints(namespace: string, service: string = SHOP): EndpointsHistory {
    const history = new EndpointsHistory();
    const labelSelector = `kubernetes.io/service-name=${service}`;
    const scope = { namespace, labelSelector, signal: this.#watching.signal };
    follow<EndpointSlice>(this.client, ENDPOINT_SLICES, scope, (slice, event) =>
      history.add(slice, event, wallClock()),
    );
    return history;
  }

  /** Milliseconds that a patch of a Service takes which means nothing to anybody. */
  async barePatch({ namespace }: Shop): Promise<number> {
    const key = { namespace, name: `${SHOP}-blue` };
    const body = { metadata: { annotations: { bench: String(wallClock()) } } };
    const from = wallClock();
    await this.client.patch(SERVICES, key, { type: 'merge', body });
    return wallClock() - from;
  }

  async stop(): Promise<void> {
    this.#watching.abort();
    for (const shop of this.#shops) shop.leave();
    await this.client.close();
    await this.stage.cluster.stop();
  }
}

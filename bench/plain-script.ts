/** The least that moves traffic from one Deployment to another, with the endpoints read back. */
import type { Patch } from '../src/kube/ports.ts';
import type { KubeTransport } from '../src/kube/transport.ts';
import { DEPLOYMENTS, ENDPOINT_SLICES, type EndpointSlice, NAMESPACES, SERVICES } from '../src/kube/types.ts';
import type { Say } from './benchmark.ts';
import { follow } from './follow.ts';
import type { Lab } from './lab.ts';
import { wallClock } from './numbers.ts';
import { replaced } from './replaced.ts';
import { sideBySide } from './side-by-side.ts';

const LABEL = 'bench-plain';
const PER_NAMESPACE = 100;

type Color = 'blue' | 'green';

const released = (image: string): Patch =>
  replaced({ '/spec/replicas': 1, '/spec/template/spec/containers/0/image': image });
const SWITCHED = replaced({ '/spec/selector/color': 'green' });

export class PlainScript {
  readonly #client: KubeTransport;
  readonly #endpoints: Endpoints;
  readonly #apps: readonly App[];

  private constructor(client: KubeTransport, apps: readonly App[]) {
    this.#client = client;
    this.#apps = apps;
    this.#endpoints = new Endpoints(client);
  }

  /** Blue runs and has the traffic; green has run once and is at 0. The applications bear the prefix. */
  static async prepare({ client }: Lab, size: number, prefix: string, say: Say): Promise<PlainScript> {
    say(`preparing ${size} applications for the plain script`);
    const apps = Array.from({ length: size }, (_, index) => appAt(index, prefix));
    for (const name of new Set(apps.map(({ namespace }) => namespace)))
      await client.create(NAMESPACES, { metadata: { name } });
    const script = new PlainScript(client, apps);
    await sideBySide(16, apps, async (app) => {
      await client.create(DEPLOYMENTS, deployment(app, 'blue', 1));
      await client.create(DEPLOYMENTS, deployment(app, 'green', 0));
      await client.create(SERVICES, service(app, app.name, 'blue'));
      await client.create(SERVICES, service(app, `${app.name}-green`, 'green'));
    });
    await Promise.all(apps.map((app) => script.#endpoints.are(app, app.name, 'blue')));
    return script;
  }

  /** Seconds until all have moved. */
  async run(atOnce: number): Promise<number> {
    const from = wallClock();
    await sideBySide(atOnce, this.#apps, (app) => this.#release(app));
    return (wallClock() - from) / 1000;
  }

  async #release(app: App): Promise<void> {
    const { namespace, name } = app;
    await this.#client.patch(DEPLOYMENTS, { namespace, name: `${name}-green` }, released(`${name}:v2`));
    await this.#endpoints.are(app, `${name}-green`, 'green');
    await this.#client.patch(SERVICES, { namespace, name }, SWITCHED);
    await this.#endpoints.are(app, name, 'green');
  }

  stop(): void {
    this.#endpoints.stop();
  }
}

interface App {
  readonly namespace: string;
  readonly name: string;
}

function appAt(index: number, prefix: string): App {
  return { namespace: `bench-${prefix}-${Math.floor(index / PER_NAMESPACE)}`, name: `${prefix}-${index}` };
}

function deployment(
  { namespace, name }: App,
  color: Color,
  replicas: number,
): { metadata: { namespace: string; name: string } } {
  const labels = { app: name, color };
  const container = { name: 'app', image: `${name}:v1`, ports: [{ containerPort: 8080 }] };
  return {
    metadata: { namespace, name: `${name}-${color}` },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  } as { metadata: { namespace: string; name: string } };
}

function service(
  { namespace, name }: App,
  own: string,
  color: Color,
): { metadata: { namespace: string; name: string } } {
  return {
    metadata: { namespace, name: own, labels: { [LABEL]: name } },
    spec: { selector: { app: name, color }, ports: [{ port: 80, targetPort: 8080 }] },
  } as { metadata: { namespace: string; name: string } };
}

/** Tells when a Service has ready endpoints of one colour and no others. */
class Endpoints {
  readonly #stopping: AbortController = new AbortController();
  /** Deployments behind the endpoints of each Service: one slice each, because there is one pod. */
  readonly #behind: Map<string, readonly string[]> = new Map();
  readonly #waiting: Map<string, () => void> = new Map();

  constructor(client: KubeTransport) {
    const scope = { labelSelector: LABEL, signal: this.#stopping.signal };
    follow<EndpointSlice>(client, ENDPOINT_SLICES, scope, (slice) => this.#note(slice));
  }

  #note({ metadata, endpoints }: EndpointSlice): void {
    const key = `${metadata.namespace}/${metadata.labels?.['kubernetes.io/service-name']}`;
    this.#behind.set(
      key,
      (endpoints ?? []).map(({ conditions, targetRef }) =>
        conditions?.ready ? (targetRef?.name ?? '') : 'not ready',
      ),
    );
    this.#waiting.get(key)?.();
  }

  are({ namespace, name }: App, serviceName: string, color: Color): Promise<void> {
    const key = `${namespace}/${serviceName}`;
    const prefix = `${name}-${color}-`;
    return new Promise((resolve) => {
      const look = (): void => {
        const behind = this.#behind.get(key) ?? [];
        if (behind.length === 0 || !behind.every((pod) => pod.startsWith(prefix))) return;
        this.#waiting.delete(key);
        resolve();
      };
      this.#waiting.set(key, look);
      look();
    });
  }

  stop(): void {
    this.#stopping.abort();
  }
}

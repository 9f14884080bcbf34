/** One namespace: an application, its Service, its release, and what people and kubelets do to them. */
import { RELEASES } from '../../../src/api/resource.ts';
import type { ReleaseSpecInput } from '../../../src/api/schema.ts';
import { isKubeError } from '../../../src/kube/errors.ts';
import type { KubeClient, KubeObject, Patch, ResourceType } from '../../../src/kube/ports.ts';
import { DEPLOYMENTS, NAMESPACES, PODS, SERVICES } from '../../../src/kube/types.ts';
import type { Cluster } from '../../cluster/index.ts';
import { eventually } from '../../support/eventually.ts';

/** The name of the Deployment, of the Service and of the release. */
export const SHOP = 'shop';
export const KEY = 'bluegreen.dev/color';

/** Where shops are opened. */
export interface Place {
  readonly cluster: Cluster;
  readonly client: KubeClient;
}

export interface ShopOptions {
  readonly replicas?: number;
  readonly spec?: Partial<ReleaseSpecInput>;
}

/** As short as the schema allows: nothing here is about time. */
const QUICK: ReleaseSpecInput = {
  workload: { deploymentRef: { name: SHOP } },
  traffic: { services: [{ name: SHOP }], drainSeconds: 5 },
  observation: { durationSeconds: 1 },
  rollback: { windowSeconds: 600 },
};

/** What the API server says against a write; undefined: it was taken. */
export const refusalOf = (write: Promise<unknown>): Promise<string | undefined> =>
  write.then(
    () => undefined,
    (error: Error) => error.message,
  );

/** Its Job never ends, so that the release stays where it is. */
export const stuck: any = {
  name: 'stuck',
  job: {
    spec: {
      template: {
        spec: {
          containers: [{ name: 'a', image: 'a:1' }],
          restartPolicy: 'Never',
          nodeSelector: { 'kubernetes.io/hostname': 'nowhere' },
        },
      },
    },
  },
};

export class Shop {
  readonly namespace: string;
  /** How long it may take until the release is as a test waits for: long, since a machine that is busy may be slow. */
  patienceMs = 180_000;
  readonly #place: Place;

  private constructor(place: Place, namespace: string) {
    this.#place = place;
    this.namespace = namespace;
  }

  static async open(place: Place, namespace: string, { replicas = 2 }: ShopOptions = {}): Promise<Shop> {
    const shop = await Shop.empty(place, namespace);
    await shop.create(DEPLOYMENTS, shop.deployment(replicas));
    await shop.create(SERVICES, shop.service());
    await eventually(`the application in ${namespace} to be ready`, 90_000, async () => {
      const { status } = await shop.get(DEPLOYMENTS, SHOP);
      return status?.readyReplicas === replicas ? true : undefined;
    });
    return shop;
  }

  static async empty(place: Place, namespace: string): Promise<Shop> {
    await place.client.create(NAMESPACES, { metadata: { name: namespace } });
    return new Shop(place, namespace);
  }

  deployment(replicas = 2, name = SHOP): any {
    const labels = { app: name };
    const container = { name: 'app', image: 'shop:v1', ports: [{ containerPort: 8080 }] };
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: this.namespace },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    };
  }

  service(name = SHOP, spec: object = {}): any {
    return {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: this.namespace },
      spec: { selector: { app: SHOP }, ports: [{ port: 80, targetPort: 8080 }], ...spec },
    };
  }

  /** Creates the release; members of its spec replace the quick ones as a whole. */
  async release(spec: Partial<ReleaseSpecInput> = {}, name = SHOP): Promise<void> {
    await this.create(RELEASES, {
      apiVersion: 'bluegreen.dev/v1alpha1',
      kind: 'BlueGreenRelease',
      metadata: { name, namespace: this.namespace },
      spec: { ...QUICK, ...spec },
    } as KubeObject);
  }

  create(type: ResourceType, body: KubeObject | object): Promise<any> {
    const object = body as KubeObject;
    const metadata = { namespace: this.namespace, ...object.metadata };
    return this.#place.client.create(type, { ...object, metadata });
  }

  /** undefined where it does not exist. */
  async get(type: ResourceType, name: string): Promise<any> {
    return this.#place.client.get(type, { namespace: this.namespace, name });
  }

  list(type: ResourceType, labelSelector?: string): Promise<any[]> {
    const scope = { namespace: this.namespace, ...(labelSelector !== undefined && { labelSelector }) };
    return this.#place.client.list(type, scope);
  }

  patch(type: ResourceType, name: string, body: object, subresource?: 'status'): Promise<any> {
    const patch: Patch = { type: 'merge', body };
    const options = subresource === undefined ? {} : { subresource };
    return this.#place.client.patch(type, { namespace: this.namespace, name }, patch, options);
  }

  delete(
    type: ResourceType,
    name: string,
    propagation: 'Orphan' | 'Background' | 'Foreground' = 'Background',
  ): Promise<void> {
    return this.#place.client.delete(type, { namespace: this.namespace, name }, { propagation });
  }

  /** Deletes the release, and waits until it is gone. */
  async deleted(): Promise<void> {
    await this.delete(RELEASES, SHOP);
    const isGone = async () => ((await this.read()) === undefined ? true : undefined);
    await eventually(`the release in ${this.namespace} to be gone`, this.patienceMs, isGone);
  }

  kubectl(...args: string[]): Promise<string> {
    return this.#place.cluster.kubectl([...args, '-n', this.namespace], { timeoutMs: 60_000 });
  }

  /** What people do to release: they change the Deployment. */
  async version(version: string): Promise<void> {
    const operations = [
      { op: 'replace' as const, path: '/spec/template/spec/containers/0/image', value: `shop:${version}` },
    ];
    const key = { namespace: this.namespace, name: SHOP };
    await this.#place.client.patch(DEPLOYMENTS, key, { type: 'json', operations });
  }

  /** `verb@attempt` */
  async act(action: string): Promise<void> {
    await this.patch(RELEASES, SHOP, { metadata: { annotations: { 'bluegreen.dev/action': action } } });
  }

  read(name = SHOP): Promise<any> {
    return this.get(RELEASES, name);
  }

  async selector(): Promise<Record<string, string>> {
    return (await this.get(SERVICES, SHOP)).spec.selector;
  }

  /** Which colour the production Service names. */
  async color(): Promise<string | undefined> {
    return (await this.selector())[KEY];
  }

  pods(color?: string): Promise<any[]> {
    return this.list(PODS, color === undefined ? undefined : `bluegreen.dev/release=${SHOP},${KEY}=${color}`);
  }

  /** As a kubelet would report a failing or a passing probe; of a pod that has gone meanwhile it reports nothing. */
  async setReady(pods: readonly any[], ready: boolean): Promise<void> {
    for (const { metadata, status } of pods) {
      const conditions = status.conditions.map((condition: any) =>
        ['Ready', 'ContainersReady'].includes(condition.type)
          ? { ...condition, status: ready ? 'True' : 'False' }
          : condition,
      );
      const containerStatuses = status.containerStatuses.map((each: any) => ({ ...each, ready }));
      const body = { status: { conditions, containerStatuses } };
      await this.patch(PODS, metadata.name, body, 'status').catch((error: unknown) => {
        if (!isKubeError(error, 'NotFound')) throw error;
      });
    }
  }

  /** Waits until the release is as `holds` says; `what` completes the sentence "the release to ...". */
  async until(what: string, holds: (release: any) => unknown, name = SHOP): Promise<any> {
    let last: any;
    const found = eventually(`release ${name} in ${this.namespace} to ${what}`, this.patienceMs, async () => {
      last = await this.read(name);
      return last !== undefined && (await holds(last)) ? last : undefined;
    });
    return found.catch((error: Error) => {
      const { phase, message, revision } = last?.status ?? {};
      throw new Error(`${error.message}; it is ${phase}, revision ${revision}: ${message}`);
    });
  }

  /** This revision has the traffic, and nothing is under way. */
  settledOn(revision: string): Promise<any> {
    return this.until(`settle on ${revision}`, (release) => {
      return release.status?.revision === revision && condition(release, 'Ready')?.status === 'True';
    });
  }

  inPhase(phase: string): Promise<any> {
    return this.until(`be ${phase}`, ({ status }) => status?.phase === phase);
  }

  /** It says that a person must mend something, and what. */
  stalledWith(message: string, name = SHOP): Promise<any> {
    const stalled = (release: any) => condition(release, 'Stalled')?.message === message;
    return this.until(`be stalled with "${message}"`, stalled, name);
  }
}

export function condition(release: any, type: string): any {
  return release.status?.conditions?.find((each: any) => each.type === type);
}

/** Outcomes, oldest first, as `r1 Committed`. */
export function history(release: any): string[] {
  return release.status.history.map(({ revision, outcome }: any) => `${revision} ${outcome}`).toReversed();
}

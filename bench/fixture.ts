/**
 * Many releases without the time it takes to make them: the operator makes one, and its objects are copied under other
 * names. The copies are what the operator would have written; the pods and endpoints are the cluster's own work.
 */
import { LABEL_RELEASE } from '../src/api/names.ts';
import { type BlueGreenReleaseObject, RELEASES } from '../src/api/resource.ts';
import { isKubeError } from '../src/kube/errors.ts';
import type { KubeClient, KubeObject, ObjectMeta, ResourceType } from '../src/kube/ports.ts';
import {
  CONTROLLER_REVISIONS,
  DEPLOYMENTS,
  type Deployment,
  ENDPOINT_SLICES,
  type EndpointSlice,
  NAMESPACES,
  SERVICES,
} from '../src/kube/types.ts';
import { SHOP, Shop } from '../test/integration/operator/shop.ts';
import { eventually } from '../test/support/eventually.ts';
import type { Say } from './benchmark.ts';
import type { Lab } from './lab.ts';
import { sideBySide } from './side-by-side.ts';

const PER_NAMESPACE = 100;
/** Requests under way while copies are made. */
const COPIES_AT_ONCE = 16;

export interface Copy {
  readonly namespace: string;
  readonly name: string;
}

/** In the order in which they are created: the release first, because the others name its uid. */
interface Template {
  readonly release: BlueGreenReleaseObject;
  readonly others: readonly { readonly type: ResourceType; readonly object: KubeObject }[];
}

/** How the template was left: its window over and the old side at 0, or inside its window with the old side ready. */
export type State = 'at rest' | 'in its window';

const SPECS = {
  'at rest': { observation: { durationSeconds: 1 }, rollback: { windowSeconds: 6 } },
  'in its window': { observation: { durationSeconds: 1 } },
};

export class Fixture {
  readonly copies: Copy[] = [];
  readonly #client: KubeClient;
  readonly #template: Template;
  readonly #prefix: string;

  private constructor(client: KubeClient, template: Template, prefix: string) {
    this.#client = client;
    this.#template = template;
    this.#prefix = prefix;
  }

  static async create(lab: Lab, state: State, say: Say): Promise<Fixture> {
    say(`making the release that is copied, ${state}`);
    const prefix = state.replaceAll(' ', '-');
    const operator = await lab.operator();
    const shop = await Shop.open(lab, `bench-${prefix}`, { replicas: 1 });
    await shop.release(SPECS[state]);
    await shop.settledOn('r1');
    await shop.version('v2');
    const standby = state === 'at rest' ? 0 : 1;
    const phase = state === 'at rest' ? 'Idle' : 'Committed';
    await shop.until(`be ${state}`, ({ status }) => {
      const { standby: side } = status;
      return (
        status.revision === 'r2' &&
        status.phase === phase &&
        side?.desired === standby &&
        side.ready === standby
      );
    });
    await operator.end();
    return new Fixture(lab.client, await capture(lab.client, shop.namespace), prefix);
  }

  /** Until there are so many, with all their pods ready. */
  async grow(size: number, say: Say): Promise<void> {
    const first = this.copies.length;
    const fresh = Array.from({ length: Math.max(0, size - first) }, (_, index) => this.#place(first + index));
    for (const namespace of new Set(fresh.map((copy) => copy.namespace))) await this.#namespace(namespace);
    let made = first;
    await sideBySide(COPIES_AT_ONCE, fresh, async (copy) => {
      await this.#copy(copy);
      made += 1;
      if (made % 50 === 0) say(`${made} of ${size} releases copied`);
    });
    this.copies.push(...fresh);
    if (fresh.length > 0) await this.#ready(say);
  }

  #place(index: number): Copy {
    const namespace = `bench-${this.#prefix}-${Math.floor(index / PER_NAMESPACE)}`;
    return { namespace, name: `app-${String(index).padStart(5, '0')}` };
  }

  async #namespace(name: string): Promise<void> {
    await this.#client.create(NAMESPACES, { metadata: { name } }).catch((error: unknown) => {
      if (!isKubeError(error, 'AlreadyExists')) throw error;
    });
  }

  async #copy(copy: Copy): Promise<void> {
    const { release, others } = this.#template;
    const { status, ...body } = renamed(release, copy, {});
    const created = await this.#client.create<BlueGreenReleaseObject>(RELEASES, body);
    const uids = { [release.metadata.uid ?? '']: created.metadata.uid ?? '' };
    await Promise.all(
      others.map(({ type, object }) => this.#client.create(type, renamed(object, copy, uids))),
    );
    await this.#client.patch(RELEASES, copy, { type: 'merge', body: { status } }, { subresource: 'status' });
  }

  /** The Service and the twin of the active side each have an endpoint, and every Deployment has what it asks for. */
  async #ready(say: Say): Promise<void> {
    const size = this.copies.length;
    const namespaces = new Set(this.copies.map(({ namespace }) => namespace));
    const ours = ({ metadata }: KubeObject): boolean => namespaces.has(metadata.namespace ?? '');
    const scope = { labelSelector: LABEL_RELEASE };
    await eventually(
      `the pods of ${size} releases to be ready`,
      1_200_000,
      async () => {
        const slices = (await this.#client.list<EndpointSlice>(ENDPOINT_SLICES, scope)).filter(ours);
        const endpoints = slices.flatMap((slice) => slice.endpoints ?? []);
        const ready = endpoints.filter(({ conditions }) => conditions?.ready).length;
        say(`${ready} of ${2 * size} endpoints ready`);
        if (ready < 2 * size) return undefined;
        const deployments = (await this.#client.list<Deployment>(DEPLOYMENTS, scope)).filter(ours);
        return deployments.every(isComplete) || undefined;
      },
      1_000 + size,
    );
  }
}

function isComplete({ metadata, spec, status = {} }: Deployment): boolean {
  return (
    status.observedGeneration === metadata.generation && (status.availableReplicas ?? 0) === spec.replicas
  );
}

async function capture(client: KubeClient, namespace: string): Promise<Template> {
  const release = await client.get<BlueGreenReleaseObject>(RELEASES, { namespace, name: SHOP });
  if (release === undefined) throw new Error('the release that was to be copied is gone');
  const types = [DEPLOYMENTS, SERVICES, CONTROLLER_REVISIONS];
  const lists = await Promise.all(
    types.map(async (type) => {
      const objects = await client.list(type, { namespace, labelSelector: LABEL_RELEASE });
      return objects.map((object) => ({ type, object }));
    }),
  );
  return { release, others: lists.flat() };
}

/** The same object of another release: its name and its uid stand in labels, selectors, marks and facts as well. */
function renamed<T extends KubeObject>(object: T, copy: Copy, uids: Readonly<Record<string, string>>): T {
  const { status, ...rest } = object as T & { status?: unknown; spec?: Record<string, unknown> };
  const { name, labels, annotations, finalizers, ownerReferences } = object.metadata;
  const metadata = { name, namespace: '', labels, annotations, finalizers, ownerReferences };
  // An address belongs to one Service.
  const { clusterIP: _, clusterIPs: __, ...spec } = rest.spec ?? {};
  const kept = { ...rest, metadata, ...(rest.spec && { spec }), ...(isRelease(object) && { status }) };
  let text = JSON.stringify(kept).replaceAll(SHOP, copy.name);
  for (const [old, fresh] of Object.entries(uids)) text = text.replaceAll(old, fresh);
  const result = JSON.parse(text) as T & { metadata: ObjectMeta };
  result.metadata.namespace = copy.namespace;
  return result;
}

const isRelease = ({ kind }: KubeObject): boolean => kind === RELEASES.kind;

/**
 * Many releases without the time it takes to make them: the operator makes one, and its objects are copied under other
 * names. Copies that are only looked at are written into etcd with the pods and endpoints of the first, thousands in a
 * minute, and leave the controllers nothing to do. Copies that the controllers are to work on go through the API: told
 * of a whole release at once, each by its own watch, they would take what they have not heard of yet for missing.
 */
import { LABEL_RELEASE } from '../src/api/names.ts';
import { RELEASES } from '../src/api/resource.ts';
import type { ReleaseSpecInput } from '../src/api/schema.ts';
import { isKubeError } from '../src/kube/errors.ts';
import type { KubeClient, KubeObject, ObjectMeta, Patch, ResourceType } from '../src/kube/ports.ts';
import {
  CONTROLLER_REVISIONS,
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  type EndpointSlice,
  NAMESPACES,
  NODES,
  PODS,
  REPLICA_SETS,
  SERVICES,
} from '../src/kube/types.ts';
import { SHOP, Shop } from '../test/integration/operator/shop.ts';
import { eventually } from '../test/support/eventually.ts';
import { createCopy } from './api-copy.ts';
import type { Say } from './benchmark.ts';
import { type Copy, copyOf, type Stored, type Template, templateOf } from './copies.ts';
import { putAll } from './etcd.ts';
import type { Lab } from './lab.ts';
import { replaced } from './replaced.ts';
import { sideBySide } from './side-by-side.ts';

const PER_NAMESPACE = 100;
/** Releases that are written between two looks at the progress. */
const PER_STEP = 50;
const COPIES_AT_ONCE = 16;

/**
 * In its window: the old side is ready to take over; of all others the window is over and the old side at 0. Stated: the
 * release has its Deployment in it, and there is no other that people edit.
 */
export type State = 'at rest' | 'to be released' | 'stated, to be released' | 'in its window';

const SHORT = { observation: { durationSeconds: 1 }, rollback: { windowSeconds: 6 } };
const SPECS = {
  'at rest': SHORT,
  'to be released': SHORT,
  'stated, to be released': SHORT,
  'in its window': { observation: { durationSeconds: 1 } },
};
const isStated = (state: State): boolean => state === 'stated, to be released';

export class Fixture {
  readonly copies: Copy[] = [];
  readonly #lab: Lab;
  readonly template: Template;
  readonly #prefix: string;
  readonly #nodes: number;

  private constructor(lab: Lab, template: Template, prefix: string, nodes: number) {
    this.#lab = lab;
    this.template = template;
    this.#prefix = prefix;
    this.#nodes = nodes;
  }

  static async create(lab: Lab, state: State, say: Say): Promise<Fixture> {
    say(`making the release that is copied, ${state}`);
    const prefix = state.replaceAll(/\W+/g, '-');
    const operator = await lab.operator();
    const shop = await (isStated(state) ? openStated : openBeside)(lab, `bench-${prefix}`, SPECS[state]);
    const inWindow = state === 'in its window';
    const standby = inWindow ? 1 : 0;
    const phase = inWindow ? 'Committed' : 'Idle';
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
    const nodes = await lab.client.list(NODES);
    return new Fixture(lab, await capture(lab.client, shop.namespace), prefix, nodes.length);
  }

  /** Until there are so many, with all their endpoints ready. */
  async grow(size: number, say: Say): Promise<void> {
    const first = this.copies.length;
    const fresh = Array.from({ length: Math.max(0, size - first) }, (_, index) => this.#place(first + index));
    for (const namespace of new Set(fresh.map((copy) => copy.namespace))) await this.#namespace(namespace);
    for (let from = 0; from < fresh.length; from += PER_STEP) {
      const step = fresh.slice(from, from + PER_STEP);
      await this.#copyAll(step, first + from);
      say(`${first + from + step.length} of ${size} releases copied`);
    }
    this.copies.push(...fresh);
    if (fresh.length > 0) await this.#ready(say);
  }

  #place(index: number): Copy {
    const namespace = `bench-${this.#prefix}-${Math.floor(index / PER_NAMESPACE)}`;
    return { namespace, name: `app-${String(index).padStart(5, '0')}` };
  }

  async #copyAll(copies: readonly Copy[], first: number): Promise<void> {
    const { client, cluster } = this.#lab;
    if (this.#prefix !== 'at-rest') {
      await sideBySide(COPIES_AT_ONCE, copies, (copy) => createCopy(client, this.template, copy));
      return;
    }
    const entries = copies.flatMap((copy, index) => copyOf(this.template, copy, first + index, this.#nodes));
    await putAll(cluster.etcd, entries);
  }

  async #namespace(name: string): Promise<void> {
    await this.#lab.client.create(NAMESPACES, { metadata: { name } }).catch((error: unknown) => {
      if (!isKubeError(error, 'AlreadyExists')) throw error;
    });
  }

  /** The Service and the twin of the active side each have an endpoint, as the API server sees it. */
  async #ready(say: Say): Promise<void> {
    const expected = 2 * this.copies.length;
    const namespaces = new Set(this.copies.map(({ namespace }) => namespace));
    await eventually('the endpoints to be ready', 1_200_000, async () => {
      const scope = { labelSelector: LABEL_RELEASE };
      const slices = await this.#lab.client.list<EndpointSlice>(ENDPOINT_SLICES, scope);
      const ready = slices
        .filter(({ metadata }) => namespaces.has(metadata.namespace ?? ''))
        .flatMap(({ endpoints }) => endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready).length;
      say(`${ready} of ${expected} endpoints ready`);
      return ready >= expected || undefined;
    });
  }
}

type Spec = Partial<ReleaseSpecInput>;

/** A release of a Deployment that people edit, with its second version under way. */
async function openBeside(lab: Lab, namespace: string, spec: Spec): Promise<Shop> {
  const shop = await Shop.open(lab, namespace, { replicas: 1 });
  await shop.release(spec);
  await shop.settledOn('r1');
  await shop.version('v2');
  return shop;
}

/** A release with the same Deployment in it, with its second version under way. */
async function openStated(lab: Lab, namespace: string, spec: Spec): Promise<Shop> {
  const shop = await Shop.empty(lab, namespace);
  await shop.create(SERVICES, shop.service());
  const { template } = shop.deployment().spec;
  await shop.release({ ...spec, replicas: 1, workload: { deployment: { spec: { template } } } });
  await shop.settledOn('r1');
  await lab.client.patch(RELEASES, { namespace, name: SHOP }, statedImage(`${SHOP}:v2`));
  return shop;
}

const imageAt = (path: string, image: string): Patch =>
  replaced({ [`${path}/template/spec/containers/0/image`]: image });
export const deployedImage = (image: string): Patch => imageAt('/spec', image);
export const statedImage = (image: string): Patch => imageAt('/spec/workload/deployment/spec', image);

const IP_ADDRESSES: ResourceType = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  plural: 'ipaddresses',
  namespaced: false,
};

/**
 * Where the API server keeps them. Its own controllers' objects are among them, and what such a controller makes comes
 * before what it makes it for: one that saw a Service without its slices would make others.
 */
const FOLDERS: readonly (readonly [ResourceType, string])[] = [
  [ENDPOINT_SLICES, 'endpointslices'],
  [PODS, 'pods'],
  [REPLICA_SETS, 'replicasets'],
  [DEPLOYMENTS, 'deployments'],
  [SERVICES, 'services/specs'],
  [CONTROLLER_REVISIONS, 'controllerrevisions'],
  [RELEASES, `${RELEASES.group}/${RELEASES.plural}`],
];

async function capture(client: KubeClient, namespace: string): Promise<Template> {
  const lists = await Promise.all(
    FOLDERS.map(async ([type, folder]) => {
      const objects = await client.list<KubeObject>(type, { namespace });
      return objects.map((object) => ({ folder, object: storable(type, object) }));
    }),
  );
  const addresses = await client.list<KubeObject & { spec?: { parentRef?: { namespace?: string } } }>(
    IP_ADDRESSES,
  );
  const own = addresses
    .filter(({ spec }) => spec?.parentRef?.namespace === namespace)
    .map((object): Stored => ({ folder: 'ipaddresses', object: storable(IP_ADDRESSES, object) }));
  // The release comes last: what it refers to is there when the operator hears of it.
  return templateOf({ namespace, name: SHOP }, [...own, ...lists.flat()]);
}

/** As it stands in etcd: with its kind, which lists leave out, and without the version, which is etcd's own. */
function storable({ group, version, kind }: ResourceType, object: KubeObject): KubeObject {
  const {
    resourceVersion: _,
    managedFields: __,
    ...metadata
  } = object.metadata as ObjectMeta & { managedFields?: unknown };
  return { ...object, apiVersion: group === '' ? version : `${group}/${version}`, kind, metadata };
}

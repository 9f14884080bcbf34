import { expect } from 'chai';
import {
  LABEL_COLOR,
  LABEL_RELEASE,
  LABEL_SERVICE_NAME,
  LABEL_SLICE_MANAGER,
} from '../../../src/api/names.ts';
import { specSchema } from '../../../src/api/schema.ts';
import { type Cache, WATCHED } from '../../../src/controller/cache.ts';
import { observe } from '../../../src/controller/observe.ts';
import type { KubeClient, KubeObject, ListOptions, ResourceType } from '../../../src/kube/ports.ts';
import { createStore } from '../../../src/kube/store.ts';
import type { EndpointSlice, Pod } from '../../../src/kube/types.ts';
import type { Observations } from '../../../src/release/snapshot.ts';

const spec = specSchema.parse({
  workload: { deploymentRef: { name: 'shop' } },
  traffic: { services: [{ name: 'shop' }] },
});
const release = { metadata: { namespace: 'demo', name: 'shop', uid: 'u' }, spec, status: {} };

/** A Service as Git has it, and the slice that the cluster made of it: it carries the labels of the Service. */
const service = {
  metadata: { namespace: 'demo', name: 'shop', uid: 's', resourceVersion: '1' },
  spec: { selector: { app: 'shop' } },
};
const sliceWith = (labels: Record<string, string>): EndpointSlice => ({
  metadata: {
    namespace: 'demo',
    name: 'shop-abc',
    resourceVersion: '1',
    labels: {
      ...labels,
      [LABEL_SERVICE_NAME]: 'shop',
      [LABEL_SLICE_MANAGER]: 'endpointslice-controller.k8s.io',
    },
  },
  addressType: 'IPv4',
  ports: [{ name: 'http' }],
  endpoints: [
    {
      addresses: ['10.0.0.1'],
      conditions: { ready: true, serving: true, terminating: false },
      targetRef: { kind: 'Pod', name: 'shop-1', uid: 'pod-1' },
    },
  ],
});

function cacheWith(slices: readonly EndpointSlice[], pods: readonly Pod[] = []): Cache {
  const held: Record<string, readonly KubeObject[]> = { slices, pods };
  const stores = Object.entries(WATCHED).map(([name, { indexes }]) => {
    const store = createStore<KubeObject>({ indexes });
    store.replace({ items: [...(held[name] ?? [])], resourceVersion: '1' });
    return [name, store] as const;
  });
  return Object.fromEntries(stores) as unknown as Cache;
}

/** The pods behind production, and what was asked for to know them; `found`: whether there is a Service. */
async function seen(watched: readonly EndpointSlice[], found = true): Promise<[string[], string[]]> {
  const asked: string[] = [];
  const client = {
    get: ({ plural }: ResourceType) => Promise.resolve(found && plural === 'services' ? service : undefined),
    list: ({ plural }: ResourceType, { namespace, labelSelector }: ListOptions) => {
      asked.push(`${plural} in ${namespace}: ${labelSelector}`);
      return Promise.resolve([sliceWith({})]);
    },
  } as unknown as KubeClient;
  const observations = { measurements: {}, refusals: {} } as unknown as Observations;
  const observer = { cache: cacheWith(watched), client, now: () => 0 };
  const { snapshot } = await observe(observer, release, observations);
  const ready = snapshot.services[0]?.endpoints.filter((endpoint) => endpoint.ready) ?? [];
  return [ready.map(({ podUid }) => podUid), asked];
}

describe('the endpoints behind a production Service', () => {
  it('are those of the slices that are watched', async () => {
    expect(await seen([sliceWith({ [LABEL_RELEASE]: 'shop' })])).to.deep.equal([['pod-1'], []]);
  });

  it('are asked for where its slices lost our label with it: it was replaced as Git has it', async () => {
    const asked = ['endpointslices in demo: kubernetes.io/service-name=shop'];
    expect(await seen([])).to.deep.equal([['pod-1'], asked]);
  });

  it('are none where there is no Service, and nobody is asked', async () => {
    expect(await seen([], false)).to.deep.equal([[], []]);
  });
});

describe('the pods of a side', () => {
  const labels = { [LABEL_RELEASE]: 'shop', [LABEL_COLOR]: 'blue' };
  const podNamed = (name: string): Pod => ({
    metadata: { namespace: 'demo', name, uid: name, resourceVersion: '1', labels },
    spec: { containers: [] },
  });

  it('come by their names, in whatever order a process heard of them: both tell the same of the first', async () => {
    const client = { get: () => Promise.resolve(undefined) } as unknown as KubeClient;
    const namesIn = async (heard: readonly string[]): Promise<string[]> => {
      const cache = cacheWith([], heard.map(podNamed));
      const observer = { cache, client, now: () => 0 };
      const observations = { measurements: {}, refusals: {} } as unknown as Observations;
      const { snapshot } = await observe(observer, release, observations);
      return snapshot.sides.blue.pods.map(({ name }) => name);
    };
    expect(await namesIn(['b', 'a', 'c'])).to.deep.equal(['a', 'b', 'c']);
    expect(await namesIn(['c', 'b', 'a'])).to.deep.equal(['a', 'b', 'c']);
  });
});

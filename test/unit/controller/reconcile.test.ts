import { expect } from 'chai';
import { FINALIZER } from '../../../src/api/names.ts';
import { type BlueGreenReleaseObject, RELEASES } from '../../../src/api/resource.ts';
import { BY_RELEASE, BY_SERVICE, type Cache, WATCHED } from '../../../src/controller/cache.ts';
import { createReconciler, type ReconcileDeps } from '../../../src/controller/reconcile.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import type { CallOptions, KubeObject, Patch, ResourceType } from '../../../src/kube/ports.ts';
import { createStore } from '../../../src/kube/store.ts';

const release: BlueGreenReleaseObject = {
  metadata: { namespace: 'demo', name: 'shop', uid: 'u', resourceVersion: '1', generation: 1 },
  spec: { workload: { deploymentRef: { name: 'shop' } }, traffic: { services: [{ name: 'shop' }] } },
};
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function emptyCache(): Cache {
  const indexes = { [BY_RELEASE]: () => [], [BY_SERVICE]: () => [] };
  const stores = Object.keys(WATCHED).map((name) => [name, createStore<KubeObject>({ indexes })] as const);
  for (const [, store] of stores) store.replace({ items: [], resourceVersion: '1' });
  return Object.fromEntries(stores) as unknown as Cache;
}

const idle = { onEffect: () => undefined, onStatus: () => undefined, onGone: () => undefined };
const beside = {
  observations: () => ({ measurements: {}, preflight: undefined }),
  aliases: () => ({}),
  request: () => undefined,
  forget: () => undefined,
};

function reconcilerOf(client: object, cache: Cache): ReturnType<typeof createReconciler> {
  const rest = { beside, recordEvent: () => undefined, observer: idle, log: silent, now: () => 0 };
  return createReconciler({ client, cache, ...rest } as unknown as ReconcileDeps);
}

describe('a status that cannot be written', () => {
  it('keeps nothing else from being done', async () => {
    const cache = emptyCache();
    cache.releases.note({ ...release, metadata: { ...release.metadata, resourceVersion: '2' } });
    const written: string[] = [];
    const client = {
      get: () => Promise.resolve(undefined),
      patch: (type: ResourceType, _: unknown, change: Patch, options?: CallOptions) => {
        written.push(`${type.kind}/${options?.subresource ?? change.type}`);
        if (options?.subresource !== 'status') return Promise.resolve(release);
        return Promise.reject(
          new KubeError({ reason: 'Forbidden', status: 403, call: 'patch', message: 'no' }),
        );
      },
    };
    const reconcile = reconcilerOf(client, cache);
    const signal = new AbortController().signal;
    const pause = () => Promise.resolve();
    const news = () => Promise.resolve(false);
    await reconcile('demo/shop', { signal, urgent: false, pause, news }).catch(() => undefined);
    expect(written.slice(0, 2)).to.deep.equal([`${RELEASES.kind}/status`, `${RELEASES.kind}/json`]);
  });
});

describe('a status that is being written', () => {
  it('holds up nothing: what changes meanwhile is looked at before it is there', async () => {
    const cache = emptyCache();
    const metadata = { ...release.metadata, resourceVersion: '2', finalizers: [FINALIZER] };
    cache.releases.note({ ...release, metadata, status: { conditions: [] } } as BlueGreenReleaseObject);
    const answer = Promise.withResolvers<BlueGreenReleaseObject>();
    const said: string[] = [];
    const client = {
      get: (type: ResourceType) => Promise.resolve(void said.push(`look for the ${type.kind}`)),
      patch: (_: ResourceType, __: unknown, ___: Patch, options?: CallOptions) => {
        said.push(`write the ${options?.subresource ?? 'object'}`);
        return answer.promise;
      },
    };
    let changes = 1;
    const news = async (until: Promise<unknown> | number): Promise<boolean> => {
      if (typeof until === 'number') return false;
      if (changes-- > 0) return true;
      answer.resolve(release);
      await until;
      return false;
    };
    const context = { signal: new AbortController().signal, urgent: false, pause: async () => {}, news };
    await reconcilerOf(client, cache)('demo/shop', context);
    const first = said.indexOf('write the status');
    expect(said.slice(first, first + 2)).to.deep.equal(['write the status', 'look for the Deployment']);
  });
});

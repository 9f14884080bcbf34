import { expect } from 'chai';
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
    const reconcile = createReconciler({
      client,
      cache,
      beside: {
        observations: () => ({ measurements: {}, preflight: undefined }),
        aliases: () => ({}),
        request: () => undefined,
        forget: () => undefined,
      },
      recordEvent: () => undefined,
      observer: { onEffect: () => undefined, onStatus: () => undefined, onGone: () => undefined },
      log: silent,
      now: () => 0,
    } as unknown as ReconcileDeps);
    const signal = new AbortController().signal;
    await reconcile('demo/shop', { signal, urgent: false }).catch(() => undefined);
    expect(written.slice(0, 2)).to.deep.equal([`${RELEASES.kind}/status`, `${RELEASES.kind}/json`]);
  });
});

import { expect } from 'chai';
import { specSchema } from '../../../src/api/schema.ts';
import { applyEffect, StaleError } from '../../../src/controller/apply.ts';
import type { Cache } from '../../../src/controller/cache.ts';
import type { Scene } from '../../../src/controller/observe.ts';
import type { KubeClient } from '../../../src/kube/ports.ts';
import { createStore } from '../../../src/kube/store.ts';
import type { Pod } from '../../../src/kube/types.ts';

const spec = specSchema.parse({
  workload: { deploymentRef: { name: 'shop' } },
  traffic: { services: [{ name: 'shop' }] },
});
const scene = {
  release: { namespace: 'demo', name: 'shop', uid: 'u', spec },
  snapshot: { services: [{ name: 'shop' }] },
} as unknown as Scene;
const order = { kind: 'RecyclePods', color: 'blue', pods: [{ name: 'shop-blue-1', uid: 'pod-1' }] } as const;

/** The API server says that production selects this colour, whatever the cache thinks. */
function selecting(color: string | undefined) {
  const deleted: unknown[] = [];
  const pods = createStore<Pod>();
  const pod = {
    metadata: { namespace: 'demo', name: 'shop-blue-1', uid: 'pod-1', resourceVersion: '7' },
    spec: {},
  };
  pods.replace({ items: [pod], resourceVersion: '7' });
  const selector = color === undefined ? {} : { 'bluegreen.dev/color': color };
  const client = {
    get: () => Promise.resolve({ metadata: { name: 'shop' }, spec: { selector } }),
    delete: (_: unknown, key: { name: string }, options: { uid: string }) => {
      deleted.push([key.name, options.uid]);
      return Promise.resolve();
    },
  } as unknown as KubeClient;
  return { deleted, pods, applier: { client, cache: { pods } as unknown as Cache } };
}

describe('ending pods of the side without traffic', () => {
  it('names them by uid, and knows at once that they are gone', async () => {
    const { deleted, pods, applier } = selecting('green');
    await applyEffect(applier, scene, order);
    expect(deleted).to.deep.equal([['shop-blue-1', 'pod-1']]);
    expect(pods.list()).to.deep.equal([]);
  });

  for (const color of ['blue', undefined]) {
    it(`is refused when the API server says that production selects ${color ?? 'no colour'}`, async () => {
      const { deleted, applier } = selecting(color);
      const error = await applyEffect(applier, scene, order).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(StaleError);
      expect(deleted).to.deep.equal([]);
    });
  }
});

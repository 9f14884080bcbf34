import { expect } from 'chai';
import { specSchema } from '../../../src/api/schema.ts';
import { applyEffect, StaleError } from '../../../src/controller/apply.ts';
import type { Cache } from '../../../src/controller/cache.ts';
import type { Scene } from '../../../src/controller/observe.ts';
import type { KubeClient } from '../../../src/kube/ports.ts';
import { createStore } from '../../../src/kube/store.ts';
import type { Deployment, Pod } from '../../../src/kube/types.ts';

const spec = specSchema.parse({
  workload: { deploymentRef: { name: 'shop' } },
  traffic: { services: [{ name: 'shop' }] },
});
const scene = {
  release: { namespace: 'demo', name: 'shop', uid: 'u', spec },
  snapshot: { services: [{ name: 'shop' }] },
} as unknown as Scene;
const deletion = { kind: 'DeleteColor', color: 'blue', uid: 'blue-1' } as const;
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
  const deployments = createStore<Deployment>();
  const service = color === 'no Service' ? undefined : { metadata: { name: 'shop' }, spec: { selector } };
  const client = {
    get: () => Promise.resolve(service),
    delete: (_: unknown, key: { name: string }, options: { uid: string }) => {
      deleted.push([key.name, options.uid]);
      return Promise.resolve();
    },
  } as unknown as KubeClient;
  return { deleted, pods, applier: { client, cache: { pods, deployments } as unknown as Cache } };
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

describe('deleting a colour', () => {
  for (const color of ['green', undefined]) {
    it(`names it by uid, when the API server says that production selects ${color ?? 'no colour'}`, async () => {
      const { deleted, applier } = selecting(color);
      await applyEffect(applier, scene, deletion);
      expect(deleted).to.deep.equal([['shop-blue', 'blue-1']]);
    });
  }

  for (const color of ['blue', 'no Service']) {
    it(`is refused when the API server says that production selects it, or has no Service: ${color}`, async () => {
      const { deleted, applier } = selecting(color);
      const error = await applyEffect(applier, scene, deletion).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(StaleError);
      expect(deleted).to.deep.equal([]);
    });
  }
});

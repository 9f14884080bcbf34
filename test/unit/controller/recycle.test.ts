import { expect } from 'chai';
import { specSchema } from '../../../src/api/schema.ts';
import { StaleError } from '../../../src/controller/apply/errors.ts';
import { applyEffect } from '../../../src/controller/apply.ts';
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
  const patched: string[] = [];
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
    patch: (_: unknown, key: { name: string }) => {
      patched.push(key.name);
      return Promise.resolve({ metadata: { name: key.name } });
    },
    delete: (_: unknown, key: { name: string }, options: { uid: string }) => {
      deleted.push([key.name, options.uid]);
      return Promise.resolve();
    },
  } as unknown as KubeClient;
  return { deleted, patched, pods, applier: { client, cache: { pods, deployments } as unknown as Cache } };
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

describe('taking pods from a colour', () => {
  const shrink = { kind: 'ScaleColor', color: 'blue', uid: 'blue-1', from: 2, to: 0 } as const;
  const expected = { uid: 'blue-1', resourceVersion: '7' };
  const overwrite = { kind: 'WriteColor', color: 'blue', revision: 'r2', replicas: 2, expected } as const;
  const planned = (color: string): Scene => {
    const service = { metadata: { name: 'shop' }, spec: { selector: { 'bluegreen.dev/color': color } } };
    return { ...scene, services: [service] } as unknown as Scene;
  };

  for (const effect of [shrink, overwrite])
    it(`is refused when another process has given it the traffic since: ${effect.kind}`, async () => {
      const { patched, applier } = selecting('blue');
      const error = await applyEffect(applier, planned('green'), effect).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(StaleError);
      expect((error as Error).message).to.equal('blue has the traffic again: it stays as it is');
      expect(patched).to.deep.equal([]);
    });

  it('is done where it is idle still, and where it was planned for a colour that serves', async () => {
    for (const color of ['green', 'blue'] as const) {
      const { patched, applier } = selecting(color);
      await applyEffect(applier, planned(color), shrink);
      expect(patched).to.deep.equal(['shop-blue']);
    }
  });

  it('is no question where it gets more', async () => {
    const { patched, applier } = selecting('blue');
    await applyEffect(applier, planned('green'), { ...shrink, from: 0, to: 2 });
    expect(patched).to.deep.equal(['shop-blue']);
  });
});

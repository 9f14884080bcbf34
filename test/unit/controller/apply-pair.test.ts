import { expect } from 'chai';
import { ANNOTATION_CAPACITY_LOCK, LABEL_RELEASE } from '../../../src/api/names.ts';
import { specSchema } from '../../../src/api/schema.ts';
import { StaleError } from '../../../src/controller/apply/errors.ts';
import { applyEffect } from '../../../src/controller/apply.ts';
import type { Cache } from '../../../src/controller/cache.ts';
import type { Scene } from '../../../src/controller/observe.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import type { JsonPatchOperation, KubeClient, KubeObject, Patch } from '../../../src/kube/ports.ts';
import { createStore } from '../../../src/kube/store.ts';
import type { Effect } from '../../../src/release/plan.ts';

const spec = specSchema.parse({
  workload: { pair: { blue: { name: 'app-blue' }, green: { name: 'app-green' } } },
  traffic: { services: [{ name: 'shop' }] },
});
const scene = { release: { namespace: 'demo', name: 'shop', uid: 'u', spec }, pair: {} } as unknown as Scene;

const standing = (more: object): KubeObject =>
  ({
    metadata: { namespace: 'demo', name: 'app-green', uid: 'g', resourceVersion: '7' },
    ...more,
  }) as KubeObject;

/** What stands in the cluster, what was asked of it, and how a patch is answered. */
function cluster(found: KubeObject, answer?: KubeError) {
  const asked: JsonPatchOperation[] = [];
  const client = {
    get: () => Promise.resolve(found),
    patch: (_: unknown, __: unknown, change: Patch) => {
      if (change.type === 'json') asked.push(...change.operations);
      return answer === undefined ? Promise.resolve(found) : Promise.reject(answer);
    },
  } as unknown as KubeClient;
  const stores = { deployments: createStore(), autoscalers: createStore() };
  return { asked, applier: { client, cache: stores as unknown as Cache } };
}

const refusal = (message: string) =>
  new KubeError({ reason: 'Invalid', status: 422, call: 'patch', message });

async function thrown(promise: Promise<void>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('a side of a pair', () => {
  const scale = (from: number): Effect => ({ kind: 'ScaleColor', color: 'green', uid: 'g', from, to: 3 });

  it('that somebody else scaled first is looked at again, and nobody is told of a failure', async () => {
    const { applier } = cluster(standing({ spec: { replicas: 2 } }), refusal('testing path /spec/replicas'));
    expect(await thrown(applyEffect(applier, scene, scale(2)))).to.be.instanceOf(StaleError);
  });

  it('whose scaling is refused is told of', async () => {
    const refused = refusal('Scale "app-green" is invalid: too many');
    const { applier } = cluster(standing({ spec: { replicas: 2 } }), refused);
    expect(await thrown(applyEffect(applier, scene, scale(2)))).to.equal(refused);
  });

  it('is scaled up from 0 only if it is at 0 still, and stays so until that is written', async () => {
    const { asked, applier } = cluster(standing({ spec: { replicas: 0 } }));
    await applyEffect(applier, scene, scale(0));
    expect(asked).to.deep.equal([
      { op: 'test', path: '/metadata/uid', value: 'g' },
      { op: 'test', path: '/metadata/resourceVersion', value: '7' },
      { op: 'add', path: '/spec/replicas', value: 3 },
    ]);
    const scaled = cluster(standing({ spec: { replicas: 5 } }));
    expect(await thrown(applyEffect(scaled.applier, scene, scale(0)))).to.be.instanceOf(StaleError);
    expect(scaled.asked).to.deep.equal([]);
  });
});

describe('the minimum of an autoscaler', () => {
  const unlock = {
    kind: 'LockAutoscaler',
    color: 'green',
    name: 'app-green',
    uid: 'g',
    from: 5,
    to: 2,
  } as const;
  const seen = '2->5@2026-03-01T12:00:00Z';

  it('is written only where it is ours still, and the note is what was seen', async () => {
    const note = (text: string, owner = 'shop') => {
      const { metadata, ...rest } = standing({ spec: { minReplicas: 5 } });
      return cluster({
        ...rest,
        metadata: {
          ...metadata,
          labels: { [LABEL_RELEASE]: owner },
          annotations: { [ANNOTATION_CAPACITY_LOCK]: text },
        },
      });
    };
    const effect: Effect = { ...unlock, own: 2, note: seen, at: 0 };
    const other = note('3->5@2026-03-01T12:00:01Z');
    expect(await thrown(applyEffect(other.applier, scene, effect))).to.be.instanceOf(StaleError);
    expect(other.asked).to.deep.equal([]);
    const given = note(seen, 'another');
    expect(await thrown(applyEffect(given.applier, scene, effect))).to.be.instanceOf(StaleError);
    expect(given.asked).to.deep.equal([]);
    const same = note(seen);
    await applyEffect(same.applier, scene, effect);
    expect(same.asked).to.deep.include({ op: 'add', path: '/spec/minReplicas', value: 2 });
  });
});

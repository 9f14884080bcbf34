import { expect } from 'chai';
import { specSchema } from '../../../src/api/schema.ts';
import { StaleError } from '../../../src/controller/apply/errors.ts';
import { applyEffect } from '../../../src/controller/apply.ts';
import { type Cache, WATCHED } from '../../../src/controller/cache.ts';
import type { Scene } from '../../../src/controller/observe.ts';
import type { KubeClient, KubeObject, ResourceType } from '../../../src/kube/ports.ts';
import { createStore } from '../../../src/kube/store.ts';
import type { Effect } from '../../../src/release/plan.ts';
import { configDigest } from '../../../src/workload/config.ts';

const held = { data: { currency: 'EUR' } };
const digest = configDigest(held);
const template = { metadata: { labels: { app: 'shop' } }, spec: { containers: [{ name: 'app' }] } };
const spec = specSchema.parse({
  workload: { deploymentRef: { name: 'shop' } },
  autoscaling: { spec: { maxReplicas: 3 } },
  config: { configMaps: [{ name: 'settings' }] },
  traffic: { services: [{ name: 'shop' }], previewServices: [{ name: 'next' }] },
});
const release = { namespace: 'demo', name: 'shop', uid: 'this-life', spec };
const own = { 'bluegreen.dev/release': 'shop' };

const serviceNamed = (name: string, metadata: object = {}) => ({
  metadata: { namespace: 'demo', name, uid: `uid-${name}`, resourceVersion: '7', ...metadata },
  spec: { selector: { app: 'shop' }, ports: [] },
});
const sourceWith = (metadata: object = {}) => ({
  metadata: { namespace: 'demo', name: 'shop', uid: 'uid-source', resourceVersion: '7', ...metadata },
  spec: { replicas: 3, template, selector: { matchLabels: { app: 'shop' } } },
});
const revision = {
  metadata: { namespace: 'demo', name: 'shop-r1', uid: 'uid-r1', labels: own },
  data: { spec, content: { template }, configMaps: { settings: held } },
};

const onBlue = serviceNamed('shop');
onBlue.spec.selector = { app: 'shop', 'bluegreen.dev/color': 'blue' } as never;

/** What is written, where the API server has these releases of that name, and this Service. */
async function written(
  effect: Effect,
  releases: readonly KubeObject[],
  more: object = {},
  serving: KubeObject | undefined = onBlue,
): Promise<unknown> {
  const writes: string[] = [];
  const noted = (verb: string) => (type: ResourceType, body: KubeObject) => {
    writes.push(`${verb} ${type.kind}`);
    return Promise.resolve({ ...body, metadata: { ...body.metadata, name: 'x', resourceVersion: '8' } });
  };
  const client = {
    list: () => Promise.resolve(releases),
    get: (type: ResourceType, { name }: { name: string }) =>
      Promise.resolve(
        type.kind === 'ControllerRevision' ? revision : type.kind === 'Service' ? serving : standing[name],
      ),
    create: noted('create'),
    replace: noted('replace'),
    patch: noted('patch'),
  } as unknown as KubeClient;
  const stores = Object.keys(WATCHED).map((name) => [name, createStore<KubeObject>()] as const);
  const cache = Object.fromEntries(stores) as unknown as Cache;
  for (const [, store] of stores) store.replace({ items: [], resourceVersion: '1' });
  cache.revisions.note(revision as never);
  const standing: Record<string, KubeObject> = { 'app-blue': sourceWith({ uid: 'uid-paired' }) };
  const scene = {
    release,
    source: sourceWith(),
    services: [serviceNamed('shop')],
    previews: [serviceNamed('next')],
    leftovers: [],
    sourceAutoscalers: [],
    published: { metadata: { name: 'login', resourceVersion: '7' } },
    snapshot: { release: { deleting: false }, services: [{ name: 'shop' }] },
    ...more,
  } as unknown as Scene;
  const error = await applyEffect({ client, cache }, scene, effect).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error !== undefined && !(error instanceof StaleError)) throw error;
  return error === undefined
    ? writes
    : `${error.message}${writes.length === 0 ? '' : `, and ${writes.join()}`}`;
}

const stands = { metadata: { namespace: 'demo', name: 'shop', uid: 'this-life' } };
const going = { metadata: { ...stands.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
const next = { metadata: { ...stands.metadata, uid: 'another-life' } };

const seen = { uid: 'uid', resourceVersion: '7' };
const POINT: Effect = { kind: 'PointPreview', service: 'next', ...seen, color: 'blue' };
const HOLD: Effect = { kind: 'HoldSource', ...seen, autoscaler: undefined };
const SCALE: Effect = { kind: 'ScaleSource', uid: 'uid-source', from: 3, to: 0, at: 0 };
const EFFECTS: readonly [Effect, string][] = [
  [{ kind: 'ClaimService', service: 'shop', ...seen }, 'patch Service'],
  [POINT, 'patch Service'],
  [{ kind: 'WriteTwin', service: 'shop', color: 'blue' }, 'create Service'],
  [{ kind: 'ClaimSource', uid: 'uid-source' }, 'patch Deployment'],
  [HOLD, 'patch Deployment'],
  [SCALE, 'patch Deployment'],
  [
    { kind: 'WriteColor', color: 'blue', revision: 'r1', replicas: 3, expected: undefined },
    'create Deployment',
  ],
  [{ kind: 'WriteAutoscaler', color: 'blue', minReplicas: 1 }, 'create HorizontalPodAutoscaler'],
  [{ kind: 'WriteBudget', color: 'blue', asks: { minAvailable: 1 } }, 'create PodDisruptionBudget'],
  [{ kind: 'WriteCopy', color: 'blue', revision: 'r1', configMap: 'settings', digest }, 'create ConfigMap'],
  [{ kind: 'ClaimEndpoint', configMap: 'login', expected: undefined }, 'create ConfigMap'],
  [{ kind: 'ClaimEndpoint', configMap: 'login', expected: seen }, 'patch ConfigMap'],
  [{ kind: 'ClaimPaired', object: 'Deployment', name: 'app-blue', uid: 'uid-paired' }, 'patch Deployment'],
];

describe('what becomes a release’s own, and nobody else would take back', () => {
  for (const [effect, does] of EFFECTS)
    it(`${effect.kind} (${does}) is done where the release stands, and not by who has not heard that it is gone`, async () => {
      expect(await written(effect, [stands])).to.deep.equal([does]);
      for (const releases of [[], [next]])
        expect(await written(effect, releases)).to.equal('release "shop" is gone');
      expect(await written(effect, [going])).to.equal('release "shop" is being deleted');
    });

  it('takes no question where it is the release’s own already: as it was seen it is given back after this', async () => {
    const claimed = { labels: own, annotations: { 'bluegreen.dev/claimed-by': 'this-life' } };
    const more = { previews: [serviceNamed('next', claimed)], source: sourceWith(claimed) };
    expect(await written(POINT, [], more)).to.deep.equal(['patch Service']);
    expect(await written(HOLD, [], more)).to.deep.equal(['patch Deployment']);
    expect(await written(SCALE, [], more)).to.deep.equal(['patch Deployment']);
  });

  it('of the source nothing is scaled down that a Service may rest on by now, whatever was planned', async () => {
    const more = { source: sourceWith({ labels: own }) };
    expect(await written(SCALE, [], more, onBlue)).to.deep.equal(['patch Deployment']);
    const why = 'Service "shop" may rest on the source: it stays as it is';
    expect(await written(SCALE, [], more, serviceNamed('shop'))).to.equal(why);
    const up: Effect = { ...SCALE, from: 0, to: 3 } as Effect;
    expect(await written(up, [], more, serviceNamed('shop'))).to.deep.equal(['patch Deployment']);
  });

  it('while the release is being deleted it is enough that it is there', async () => {
    const more = { snapshot: { release: { deleting: true }, services: [{ name: 'shop' }] } };
    expect(await written(HOLD, [going], more)).to.deep.equal(['patch Deployment']);
    expect(await written(HOLD, [], more)).to.equal('release "shop" is gone');
  });
});

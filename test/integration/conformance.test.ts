/**
 * The model cluster of the simulator and a real API server, asked the same: where their answers differ, the model is
 * wrong, and what the simulator shows is worth nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import { KubeError } from '../../src/kube/errors.ts';
import { kubeConfigEndpoint } from '../../src/kube/kubeconfig.ts';
import type { DeleteOptions, KubeObject, Patch, ResourceType, Subresource } from '../../src/kube/ports.ts';
import { createKubeClient, type KubeTransport } from '../../src/kube/transport.ts';
import { CONTROLLER_REVISIONS, DEPLOYMENTS, SERVICES } from '../../src/kube/types.ts';
import { type Cluster, startCluster } from '../cluster/index.ts';
import { createApi } from '../simulation/cluster/api.ts';
import { startCollector } from '../simulation/cluster/collector.ts';
import { createRandom } from '../simulation/random.ts';
import { createTimeline } from '../simulation/timeline.ts';

/** As much of a client as these cases ask. Objects are plain JSON: each case reads what it is about. */
interface Asked {
  get(type: ResourceType, name: string): Promise<any>;
  create(type: ResourceType, body: any, dryRun?: boolean): Promise<any>;
  replace(type: ResourceType, body: any): Promise<any>;
  patch(type: ResourceType, name: string, patch: Patch, subresource?: Subresource): Promise<any>;
  delete(type: ResourceType, name: string, options?: DeleteOptions): Promise<void>;
  /** Lets the controllers work until this object is gone. */
  gone(type: ResourceType, name: string): Promise<void>;
}

const NAMESPACE = 'default';

function modelCluster(): Asked {
  const timeline = createTimeline(0);
  const api = createApi(() => timeline.now);
  startCollector({ api, timeline, random: createRandom(1), pace: { controllers: 30, endpoints: 30 } });
  return {
    get: async (type, name) => api.get(type, name),
    create: async (type, body, dryRun) => api.create(type, body, dryRun),
    replace: async (type, body) => api.replace(type, body),
    patch: async (type, name, patch, subresource) => api.patch(type, name, patch, subresource),
    delete: async (type, name, options) => api.delete(type, name, options),
    async gone(type, name) {
      await timeline.runUntil(timeline.now + 10_000, () => true);
      if (api.get(type, name) !== undefined) throw new Error(`${type.plural} ${name} is still there`);
    },
  };
}

function realCluster(client: KubeTransport): Asked {
  const key = (name: string) => ({ namespace: NAMESPACE, name });
  return {
    get: (type, name) => client.get(type, key(name)),
    create: (type, body, dryRun) => client.create(type, body, dryRun ? { dryRun } : {}),
    replace: (type, body) => client.replace(type, body),
    patch: (type, name, patch, subresource) =>
      client.patch(type, key(name), patch, subresource === undefined ? {} : { subresource }),
    delete: (type, name, options) => client.delete(type, key(name), options),
    async gone(type, name) {
      while ((await client.get(type, key(name))) !== undefined) await sleep(50);
    },
  };
}

/** The reason of a refusal, or what came back. */
async function answer<T>(promise: Promise<T>): Promise<T | string> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof KubeError) return error.reason;
    throw error;
  }
}

const meta = (name: string, more: object = {}) => ({ namespace: NAMESPACE, name, ...more });
const service = (name: string, selector: Record<string, string> = { app: 'shop' }) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: meta(name),
  spec: { selector, ports: [{ name: 'http', port: 80 }] },
});
const deployment = (name: string, more: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: meta(name, more),
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'app', image: 'shop:v1' }] },
    },
  },
});
const revision = (name: string, owner: KubeObject) => ({
  apiVersion: 'apps/v1',
  kind: 'ControllerRevision',
  metadata: meta(name, {
    ownerReferences: [
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        name: owner.metadata.name,
        uid: owner.metadata.uid,
        blockOwnerDeletion: true,
      },
    ],
  }),
  revision: 1,
  data: {},
});
const toBlue = (from: Record<string, string>): Patch => ({
  type: 'json',
  operations: [
    { op: 'test', path: '/spec/selector', value: from },
    { op: 'replace', path: '/spec/selector', value: { app: 'shop', color: 'blue' } },
  ],
});
const merge = (body: object): Patch => ({ type: 'merge', body });

/** What was asked, and all that a rule of ours could learn from the answers. */
const CASES: Readonly<Record<string, (cluster: Asked) => Promise<unknown>>> = {
  'a JSON patch moves a selector whose test holds, and is 422 where it fails': async (cluster) => {
    await cluster.create(SERVICES, service('switched'));
    const first = await cluster.patch(SERVICES, 'switched', toBlue({ app: 'shop' }));
    const again = await answer(cluster.patch(SERVICES, 'switched', toBlue({ app: 'shop' })));
    return [first.spec.selector, again, (await cluster.get(SERVICES, 'switched')).spec.selector];
  },
  'a JSON patch that removes what is not there is 422': async (cluster) => {
    await cluster.create(SERVICES, service('bare'));
    const operations = [{ op: 'remove' as const, path: '/metadata/annotations/x' }];
    return answer(cluster.patch(SERVICES, 'bare', { type: 'json', operations }));
  },
  'a replace under an old version is 409, and changes nothing': async (cluster) => {
    const old = await cluster.create(SERVICES, service('stale'));
    await cluster.patch(SERVICES, 'stale', merge({ metadata: { labels: { a: 'b' } } }));
    const late = await answer(
      cluster.replace(SERVICES, { ...old, metadata: { ...old.metadata, labels: {} } }),
    );
    return [late, (await cluster.get(SERVICES, 'stale')).metadata.labels];
  },
  'a merge patch that names an old version is 409': async (cluster) => {
    const { metadata } = await cluster.create(SERVICES, service('merged'));
    const { resourceVersion } = metadata;
    await cluster.patch(SERVICES, 'merged', merge({ metadata: { labels: { a: 'b' } } }));
    const body = { metadata: { resourceVersion, labels: { a: 'c' } } };
    return answer(cluster.patch(SERVICES, 'merged', merge(body)));
  },
  'a write that changes nothing makes no version': async (cluster) => {
    const { metadata } = await cluster.create(SERVICES, service('same'));
    const after = await cluster.patch(SERVICES, 'same', merge({ spec: { selector: { app: 'shop' } } }));
    return after.metadata.resourceVersion === metadata.resourceVersion;
  },
  'a name can be had once': async (cluster) => {
    await cluster.create(SERVICES, service('twice'));
    return answer(cluster.create(SERVICES, service('twice')));
  },
  'a dry run stores nothing, and sees a name that is taken': async (cluster) => {
    await cluster.create(DEPLOYMENTS, deployment('dry'), true);
    const stored = await cluster.get(DEPLOYMENTS, 'dry');
    await cluster.create(DEPLOYMENTS, deployment('dry'));
    return [stored, await answer(cluster.create(DEPLOYMENTS, deployment('dry'), true))];
  },
  'a Deployment keeps its selector': async (cluster) => {
    await cluster.create(DEPLOYMENTS, deployment('fixed'));
    const body = { spec: { selector: { matchLabels: { app: 'other' } } } };
    return answer(cluster.patch(DEPLOYMENTS, 'fixed', merge(body)));
  },
  'a status is written through its subresource alone, and is no new generation': async (cluster) => {
    const made = await cluster.create(DEPLOYMENTS, deployment('told', { finalizers: ['shop.test/hold'] }));
    const conditions = [{ type: 'Told', status: 'True', reason: 'Told', message: '' }];
    await cluster.patch(DEPLOYMENTS, 'told', merge({ status: { conditions } }));
    const missed = (await cluster.get(DEPLOYMENTS, 'told')).status?.conditions?.some(
      ({ type }: any) => type === 'Told',
    );
    const written = await cluster.patch(DEPLOYMENTS, 'told', merge({ status: { conditions } }), 'status');
    return [missed ?? false, written.metadata.generation === made.metadata.generation];
  },
  'a spec that changes is a new generation, a label is not': async (cluster) => {
    const made = await cluster.create(DEPLOYMENTS, deployment('grown'));
    const labelled = await cluster.patch(DEPLOYMENTS, 'grown', merge({ metadata: { labels: { a: 'b' } } }));
    const grown = await cluster.patch(DEPLOYMENTS, 'grown', merge({ spec: { paused: true } }));
    return [labelled, grown].map(({ metadata }) => metadata.generation - made.metadata.generation);
  },
  'an object with a finalizer waits for it, marked, and goes with it': async (cluster) => {
    await cluster.create(SERVICES, {
      ...service('held'),
      metadata: meta('held', { finalizers: ['shop.test/hold'] }),
    });
    await cluster.delete(SERVICES, 'held');
    const { metadata } = await cluster.get(SERVICES, 'held');
    await cluster.patch(SERVICES, 'held', merge({ metadata: { finalizers: [] } }));
    await cluster.gone(SERVICES, 'held');
    return [metadata.deletionTimestamp !== undefined, metadata.finalizers];
  },
  'a delete that was meant for another object leaves this one': async (cluster) => {
    await cluster.create(SERVICES, service('other'));
    await answer(cluster.delete(SERVICES, 'other', { uid: 'somebody-else' }));
    return (await cluster.get(SERVICES, 'other')) !== undefined;
  },
  'dependents go after their owner in the background': async (cluster) => {
    const owner = await cluster.create(DEPLOYMENTS, deployment('owner'));
    await cluster.create(CONTROLLER_REVISIONS, revision('owner-r1', owner));
    await cluster.delete(DEPLOYMENTS, 'owner', { propagation: 'Background' });
    await cluster.gone(CONTROLLER_REVISIONS, 'owner-r1');
    return (await cluster.get(DEPLOYMENTS, 'owner')) === undefined;
  },
  'dependents go in the foreground while their owner still waits for its finalizer': async (cluster) => {
    const owner = await cluster.create(DEPLOYMENTS, deployment('front', { finalizers: ['shop.test/hold'] }));
    await cluster.create(CONTROLLER_REVISIONS, revision('front-r1', owner));
    await cluster.delete(DEPLOYMENTS, 'front', { propagation: 'Foreground' });
    await cluster.gone(CONTROLLER_REVISIONS, 'front-r1');
    const left = await cluster.get(DEPLOYMENTS, 'front');
    await cluster.patch(DEPLOYMENTS, 'front', merge({ metadata: { finalizers: null } }));
    await cluster.gone(DEPLOYMENTS, 'front');
    return left !== undefined;
  },
};

describe('the model cluster answers as a real API server does', function () {
  this.timeout(180_000);
  const model = modelCluster();
  let cluster: Cluster;
  let client: KubeTransport;
  let real: Asked;

  before(async () => {
    cluster = await startCluster({ form: 'fake' });
    const load = (): KubeConfig => {
      const config = new KubeConfig();
      config.loadFromFile(cluster.kubeconfig);
      return config;
    };
    client = createKubeClient({ endpoint: kubeConfigEndpoint({ load }), userAgent: 'conformance' });
    real = realCluster(client);
  });

  after(async () => {
    await client?.close();
    await cluster?.stop();
  });

  for (const [name, run] of Object.entries(CASES)) {
    it(name, async () => {
      expect(await run(model)).to.deep.equal(await run(real));
    });
  }
});

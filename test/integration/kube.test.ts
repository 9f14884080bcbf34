import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import { createEventRecorder } from '../../src/kube/events.ts';
import type { RequestReport } from '../../src/kube/http.ts';
import { kubeConfigEndpoint } from '../../src/kube/kubeconfig.ts';
import { createLeaderElection, type LeaderElection } from '../../src/kube/leader.ts';
import type { Logger } from '../../src/kube/log.ts';
import type { KubeObject, Patch, ResourceType } from '../../src/kube/ports.ts';
import { createReflector } from '../../src/kube/reflector.ts';
import { createShards, type Shards } from '../../src/kube/shards.ts';
import { createKubeClient, type KubeTransport } from '../../src/kube/transport.ts';
import {
  CONFIG_MAPS,
  type ConfigMap,
  DEPLOYMENTS,
  type Deployment,
  EVENTS,
  type Event,
  LEASES,
  type Lease,
  referenceTo,
  type Scale,
  SERVICES,
  type Service,
} from '../../src/kube/types.ts';
import { type Cluster, startCluster } from '../cluster/index.ts';

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const NAMESPACE = 'default';

/** Polls, since other processes have their own pace; the test's time-out ends it. */
async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}

async function rejection(promise: Promise<unknown>): Promise<any> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

async function readAll(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const item of stream) all.push(item);
  return all;
}

const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'things.test.dev' },
  spec: {
    group: 'test.dev',
    scope: 'Namespaced',
    names: { kind: 'Thing', plural: 'things', singular: 'thing' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
  },
};

const service = (name: string): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: NAMESPACE, name },
  spec: { selector: { app: name }, ports: [{ port: 80 }] },
});

const deployment = (name: string): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { namespace: NAMESPACE, name },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'app', image: 'local.test/app:1' }] },
    },
  },
});

describe('The Kubernetes runtime against a real API server', function () {
  this.timeout(120_000);
  let cluster: Cluster;
  let client: KubeTransport;
  let requests: RequestReport[];
  let connections: number;
  const count = (): void => {
    connections += 1;
  };

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine may have to build the programs
    cluster = await startCluster({ form: 'fake' });
  });
  after(() => cluster?.stop());

  beforeEach(() => {
    requests = [];
    connections = 0;
    subscribe('undici:client:connected', count);
    client = connect();
  });
  afterEach(async () => {
    unsubscribe('undici:client:connected', count);
    await client.close();
  });

  function connect(kubeconfig: string = cluster.kubeconfig): KubeTransport {
    const load = (): KubeConfig => {
      const config = new KubeConfig();
      config.loadFromFile(kubeconfig);
      return config;
    };
    return createKubeClient({
      endpoint: kubeConfigEndpoint({ load }),
      observer: { onRequest: (report) => requests.push(report) },
    });
  }

  it('reads, writes and deletes over a handful of connections, not one for each call', async () => {
    const first = await client.create(CONFIG_MAPS, {
      metadata: { namespace: NAMESPACE, name: 'counter' },
      data: { value: '0' },
    } as ConfigMap);
    let { resourceVersion } = first.metadata;
    for (let value = 1; value <= 100; value += 1) {
      const patch: Patch = {
        type: 'merge',
        body: { metadata: { resourceVersion }, data: { value: String(value) } },
      };
      const answer = await client.patch<ConfigMap>(CONFIG_MAPS, first.metadata, patch);
      resourceVersion = answer.metadata.resourceVersion;
    }
    expect((await client.get<ConfigMap>(CONFIG_MAPS, first.metadata))?.data).to.deep.equal({ value: '100' });
    await client.delete(CONFIG_MAPS, first.metadata, { uid: first.metadata.uid ?? '' });
    expect(await client.get(CONFIG_MAPS, first.metadata)).to.equal(undefined);
    expect(requests).to.have.length(104);
    expect(connections).to.be.at.most(2);
  });

  it('tells an object that is gone from an API that is not there', async () => {
    await client.delete(CONFIG_MAPS, { namespace: NAMESPACE, name: 'never-was' });
    const unserved: ResourceType = { ...CONFIG_MAPS, group: 'nowhere.dev', plural: 'things' };
    expect((await rejection(client.get(unserved, { namespace: NAMESPACE, name: 'a' }))).reason).to.equal(
      'NotFound',
    );
  });

  it('counts an object of another uid as deleted, and leaves it', async () => {
    const body = { metadata: { namespace: NAMESPACE, name: 'anew' } } as ConfigMap;
    await client.create(CONFIG_MAPS, body);
    await client.delete(CONFIG_MAPS, body.metadata, { uid: '00000000-0000-0000-0000-000000000000' });
    expect(await client.get(CONFIG_MAPS, body.metadata)).to.not.equal(undefined);
  });

  it('answers a JSON patch whose test fails with Invalid, and changes nothing', async () => {
    await client.create(SERVICES, service('switched'));
    const operations = [
      { op: 'test', path: '/spec/selector', value: { app: 'another' } },
      { op: 'replace', path: '/spec/selector', value: { app: 'switched', color: 'green' } },
    ] as const;
    const key = { namespace: NAMESPACE, name: 'switched' };
    const error = await rejection(client.patch(SERVICES, key, { type: 'json', operations }));
    expect([error.reason, error.status]).to.deep.equal(['Invalid', 422]);
    expect((await client.get<Service>(SERVICES, key))?.spec.selector).to.deep.equal({ app: 'switched' });
  });

  it('refuses an unknown field in a dry run, names it, and stores nothing', async () => {
    const body = deployment('strict');
    Object.assign(body.spec.template.spec, { contianers: [] });
    const error = await rejection(client.create(DEPLOYMENTS, body, { dryRun: true }));
    expect(error.reason).to.equal('BadRequest');
    expect(error.message).to.match(
      /^create deployments default\/strict: .*unknown field "spec\.template\.spec\.contianers"/,
    );
    await client.create(DEPLOYMENTS, deployment('strict'), { dryRun: true });
    expect(await client.get(DEPLOYMENTS, body.metadata)).to.equal(undefined);
  });

  it('scales through the subresource, and sees a stale replace as Conflict', async () => {
    const created = await client.create(DEPLOYMENTS, deployment('scaled'));
    const scale = await client.patch<Scale>(
      DEPLOYMENTS,
      created.metadata,
      { type: 'merge', body: { spec: { replicas: 2 } } },
      { subresource: 'scale' },
    );
    expect(scale.spec.replicas).to.equal(2);
    expect((await rejection(client.replace(DEPLOYMENTS, created))).reason).to.equal('Conflict');
    await eventually(
      async () => (await client.get<Deployment>(DEPLOYMENTS, created.metadata))?.status?.readyReplicas === 2,
    );
  });

  it('applies plain JSON, and owns what it applied', async () => {
    const body: ConfigMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: NAMESPACE, name: 'applied' },
      data: { a: '1' },
    };
    const patch: Patch = { type: 'apply', body, fieldManager: 'the-test' };
    await client.patch<ConfigMap>(CONFIG_MAPS, body.metadata, patch);
    const other: Patch = {
      type: 'apply',
      body: { ...body, data: { a: '2' } } as ConfigMap,
      fieldManager: 'another',
    };
    expect((await rejection(client.patch(CONFIG_MAPS, body.metadata, other))).reason).to.equal('Conflict');
    const forced = await client.patch<ConfigMap>(CONFIG_MAPS, body.metadata, { ...other, force: true });
    expect(forced.data).to.deep.equal({ a: '2' });
  });

  it('is told who it may not be', async () => {
    await cluster.kubectl(['create', 'serviceaccount', 'nobody', '-n', NAMESPACE]);
    const nobody = connect(await cluster.kubeconfigFor(NAMESPACE, 'nobody'));
    const error = await rejection(nobody.list(CONFIG_MAPS, { namespace: NAMESPACE }));
    expect(error.reason).to.equal('Forbidden');
    expect(error.message).to.match(/^list configmaps in default: .*system:serviceaccount:default:nobody/);
    await nobody.close();
  });

  it('lists in pages', async () => {
    const names = Array.from({ length: 520 }, (_, index) => `page-${index}`);
    await Promise.all(
      names.map((name) =>
        client.create(CONFIG_MAPS, {
          metadata: { namespace: NAMESPACE, name, labels: { page: 'yes' } },
        } as KubeObject),
      ),
    );
    requests.length = 0;
    const scope = { namespace: NAMESPACE, labelSelector: 'page=yes' };
    const { items, resourceVersion } = await client.readList<ConfigMap>(CONFIG_MAPS, {
      ...scope,
      metadataOnly: true,
    });
    expect(items.map((item) => item.metadata.name).sort()).to.deep.equal([...names].sort());
    expect(items[0]?.kind).to.equal('ConfigMap');
    expect(resourceVersion).to.match(/^\d+$/);
    expect(requests.map(({ verb, status }) => [verb, status])).to.deep.equal([
      ['list', 200],
      ['list', 200],
    ]);
  });

  it('keeps a store current with one request, from a streaming list', async () => {
    const said: string[] = [];
    await client.create(SERVICES, service('stream-a'));
    requests.length = 0;
    const reflector = createReflector<Service>({
      client,
      type: SERVICES,
      namespace: NAMESPACE,
      log: silent,
      onChange: (change, object) => {
        if (object.metadata.name.startsWith('stream-')) said.push(`${change} ${object.metadata.name}`);
      },
    });
    reflector.start();
    await reflector.whenSynced;
    const own = await client.create(SERVICES, service('stream-b'));
    reflector.store.note(own);
    await client.delete(SERVICES, { namespace: NAMESPACE, name: 'stream-a' });
    await eventually(() => said.includes('deleted stream-a'));
    // The own write is no news, even where the watch tells of it.
    expect(said.filter((line) => line !== 'added stream-b')).to.deep.equal([
      'added stream-a',
      'deleted stream-a',
    ]);
    expect(reflector.store.get({ namespace: NAMESPACE, name: 'stream-b' })?.metadata).to.not.have.property(
      'managedFields',
    );
    expect(
      requests.filter(({ verb }) => verb === 'list' || verb === 'watch').map(({ verb }) => verb),
    ).to.deep.equal(['watch']);
    await reflector.stop();
  });

  it('watches metadata only, each object under its own kind', async () => {
    const scope = { namespace: NAMESPACE, sendInitialEvents: true, metadataOnly: true };
    for await (const event of client.watch<Service>(SERVICES, scope)) {
      if (event.type === 'BOOKMARK') break;
      expect(event.object).to.have.all.keys('apiVersion', 'kind', 'metadata');
      expect(event.object.kind).to.equal('Service');
    }
  });

  it('is told Gone where it asks for changes from before the server’s memory', async () => {
    // The memory of a kind begins when the kind does.
    await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(CRD) });
    await cluster.kubectl(['wait', 'crd/things.test.dev', '--for=condition=Established', '--timeout=20s']);
    const things: ResourceType = {
      group: 'test.dev',
      version: 'v1',
      kind: 'Thing',
      plural: 'things',
      namespaced: true,
    };
    await eventually(() =>
      client.list(things, { namespace: NAMESPACE }).then(
        () => true,
        () => false,
      ),
    );
    const error = await rejection(
      readAll(client.watch(things, { namespace: NAMESPACE, resourceVersion: '1' })),
    );
    expect(error.reason).to.equal('Gone');
    expect(error.message).to.match(/^watch things in default: too old resource version: 1/);
  });

  it('hands leadership over when a leader stops, and takes back what is its own', async () => {
    const led: string[] = [];
    const candidate = (identity: string): LeaderElection =>
      createLeaderElection({
        client,
        namespace: NAMESPACE,
        name: 'operator',
        identity,
        onLeading: () => led.push(identity),
        onLost: (reason) => led.push(`${identity} lost: ${reason}`),
        log: silent,
      });
    const first = candidate('pod-a');
    first.start();
    await eventually(() => first.leading);
    const second = candidate('pod-b');
    second.start();
    await eventually(() => second.holder === 'pod-a');
    // Killed and started again: the same identity need not wait for its own lease.
    const again = candidate('pod-a');
    again.start();
    await eventually(() => again.leading);
    await first.stop();
    await again.stop();
    await eventually(() => second.leading);
    expect(led).to.deep.equal(['pod-a', 'pod-a', 'pod-b']);
    const lease = await client.get<Lease>(LEASES, { namespace: NAMESPACE, name: 'operator' });
    expect(lease?.spec.holderIdentity).to.equal('pod-b');
    await second.stop();
    const released = await client.get<Lease>(LEASES, { namespace: NAMESPACE, name: 'operator' });
    expect(released?.spec.holderIdentity ?? '').to.equal('');
  });

  it('shares shards between replicas, each held by one', async () => {
    const replica = (identity: string): Shards =>
      createShards({
        client,
        namespace: NAMESPACE,
        name: 'sharded',
        domain: 'bluegreen.dev',
        identity,
        count: 3,
        onGained: () => undefined,
        onLost: () => undefined,
        log: silent,
      });
    const first = replica('pod-a');
    first.start();
    await eventually(() => first.held.length === 3);
    const second = replica('pod-b');
    second.start();
    await eventually(() => second.held.length === 1 && first.held.length === 2);
    expect([...first.held, ...second.held]).to.have.members([0, 1, 2]);
    await first.stop();
    await eventually(() => second.held.length === 3);
    await second.stop();
  });

  it('writes events that the server takes, and their series', async () => {
    const recorder = createEventRecorder({
      client,
      controller: 'bluegreen.dev/operator',
      instance: 'operator-0',
      log: silent,
    });
    const regarding = referenceTo(SERVICES, (await client.create(SERVICES, service('told-of'))).metadata);
    const event = {
      regarding,
      type: 'Normal',
      reason: 'Switched',
      action: 'Switch',
      note: 'All on green.',
    } as const;
    recorder.record(event);
    recorder.record(event);
    await recorder.stop(10_000);
    expect(recorder.dropped).to.equal(0);
    const events = await client.list<Event>(EVENTS, {
      namespace: NAMESPACE,
      fieldSelector: 'regarding.name=told-of',
    });
    // The API server may tell something of its own about the Service.
    const own = events.filter(({ reportingController }) => reportingController === 'bluegreen.dev/operator');
    expect(own.map(({ reason, note, series }) => [reason, note, series?.count])).to.deep.equal([
      ['Switched', 'All on green.', 2],
    ]);
  });
});

/** The client and its caches against a real API server, with a proxy between them that fails by name. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { kubeConfigEndpoint, kubeConfigFrom } from '../../src/kube/kubeconfig.ts';
import type { Logger } from '../../src/kube/log.ts';
import type { Patch, WatchEvent } from '../../src/kube/ports.ts';
import { createReflector, type Reflector, type ReflectorOptions } from '../../src/kube/reflector.ts';
import { createKubeClient, type KubeClientOptions, type KubeTransport } from '../../src/kube/transport.ts';
import { CONFIG_MAPS, type ConfigMap } from '../../src/kube/types.ts';
import { type Cluster, startCluster } from '../cluster/index.ts';
import { describeAsked } from '../faults/asked.ts';
import { type FaultProxy, type Seen, startFaultProxy } from '../faults/proxy.ts';
import { eventually as ask } from '../support/eventually.ts';

const NAMESPACE = 'default';
const PATIENCE_MS = 60_000;

const eventually = (what: string, holds: () => boolean): Promise<true> =>
  ask(what, PATIENCE_MS, () => holds() || undefined, 20);

async function rejection(promise: Promise<unknown>): Promise<any> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

async function readUntil<T>(stream: AsyncIterable<T>, isLast: (item: T) => boolean): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) {
    items.push(item);
    if (isLast(item)) break;
  }
  return items;
}

const key = (name: string) => ({ namespace: NAMESPACE, name });
const configMap = (name: string, data: Record<string, string> = {}, test = 'yes'): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { ...key(name), labels: { test } },
  data,
});

/** As the production patch: it says what it expects to find. */
const replaceData = (from: string, to: string): Patch => ({
  type: 'json',
  operations: [
    { op: 'test', path: '/data/side', value: from },
    { op: 'replace', path: '/data/side', value: to },
  ],
});

describe('A real API server that can only be reached through failures', function () {
  this.timeout(120_000);
  let cluster: Cluster;
  let proxy: FaultProxy;
  /** Through the proxy, and past it. */
  let client: KubeTransport;
  let people: KubeTransport;
  let seen: Seen[];
  const clients: KubeTransport[] = [];
  const reflectors: Reflector<ConfigMap>[] = [];

  function connect(kubeconfig: string, options: Partial<KubeClientOptions> = {}): KubeTransport {
    const load = () => kubeConfigFrom(kubeconfig);
    const made = createKubeClient({ endpoint: kubeConfigEndpoint({ load, freshMs: 0 }), ...options });
    clients.push(made);
    return made;
  }

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    cluster = await startCluster({ form: 'fake', nodes: 1 });
  });
  beforeEach(async () => {
    proxy = await startFaultProxy(cluster);
    const own: Seen[] = [];
    seen = own;
    proxy.onSeen = (each) => own.push(each);
    client = connect(await proxy.kubeconfig(cluster.kubeconfig));
    people = connect(cluster.kubeconfig, { limits: { perSecond: 1e6, burst: 1e6 } });
  });
  afterEach(async () => {
    // The watches of a test are let go before their server.
    const stopped = reflectors.splice(0).map((reflector) => reflector.stop());
    await Promise.all(clients.splice(0).map((each) => each.close()));
    await Promise.all(stopped);
    await proxy.stop();
  });
  after(() => cluster?.stop());

  const told = (): string[] =>
    seen.map(({ asked, status }) => `${describeAsked(asked)} ${status === 0 ? 'no answer' : status}`);

  interface Followed {
    readonly reflector: Reflector<ConfigMap>;
    readonly changes: string[];
    readonly warnings: string[];
    /** How it asked: `list`, `page` (with a token), `stream` (a streaming list), `watch`. */
    readonly requests: () => string[];
  }

  async function follow(test: string, options: Partial<ReflectorOptions<ConfigMap>> = {}): Promise<Followed> {
    const changes: string[] = [];
    const warnings: string[] = [];
    const note = (message: string, fields?: object): void =>
      void warnings.push(`${message} ${JSON.stringify(fields)}`);
    const log: Logger = { debug() {}, info() {}, warn: note, error: note };
    const reflector = createReflector<ConfigMap>({
      client,
      type: CONFIG_MAPS,
      namespace: NAMESPACE,
      labelSelector: `test=${test}`,
      log,
      onChange: (change, { metadata }) => changes.push(`${change} ${metadata.name}`),
      ...options,
    });
    reflectors.push(reflector);
    reflector.start();
    await reflector.whenSynced;
    const requests = (): string[] =>
      seen.map(({ asked: { verb, query } }) => {
        if (query.has('sendInitialEvents')) return 'stream';
        return query.has('continue') ? 'page' : verb;
      });
    return { reflector, changes, warnings, requests };
  }

  describe('reads', () => {
    it('a list anew and whole where the token of a page has expired', async () => {
      const names = Array.from({ length: 520 }, (_, index) => `page-${index}`);
      await Promise.all(names.map((name) => people.create(CONFIG_MAPS, configMap(name, {}, 'pages'))));
      proxy.board.next(
        { verb: 'list', where: ({ query }) => query.has('continue') },
        { kind: 'refused', status: 410 },
      );
      const { items } = await client.readList<ConfigMap>(CONFIG_MAPS, {
        namespace: NAMESPACE,
        labelSelector: 'test=pages',
      });
      expect(items.map(({ metadata }) => metadata.name).sort()).to.deep.equal(names.sort());
      expect(seen.map(({ asked, status }) => [asked.query.get('limit'), status])).to.deep.equal([
        ['500', 200],
        ['500', 410],
        [null, 200],
      ]);
    });

    it('an object through a reset, a 500, a 503, an answer that is lost and one that drips', async () => {
      await people.create(CONFIG_MAPS, configMap('patient', { text: 'x'.repeat(2_000) }));
      const get = { verb: 'get', name: 'patient' } as const;
      proxy.board.next(get, { kind: 'reset' });
      proxy.board.next(get, { kind: 'refused', status: 500 });
      proxy.board.next(get, { kind: 'refused', status: 503 });
      proxy.board.next(get, { kind: 'answer lost' });
      proxy.board.next(get, { kind: 'slow body', pieceBytes: 200, everyMs: 5 });
      const found = await client.get<ConfigMap>(CONFIG_MAPS, key('patient'));
      expect(found?.data?.text).to.have.length(2_000);
      expect(seen.map(({ status }) => status)).to.deep.equal([0, 500, 503, 0, 200]);
    });

    it('nothing beyond the deadline of the call, however slowly the answer comes', async () => {
      await people.create(CONFIG_MAPS, configMap('dripping', { text: 'x'.repeat(2_000) }));
      proxy.board.next({ name: 'dripping' }, { kind: 'slow body', pieceBytes: 1, everyMs: 50 }, 9);
      // A fraction of the time that the answer takes, and enough to be sent from a process that must wait for its turn.
      const error = await rejection(client.get(CONFIG_MAPS, key('dripping'), { deadlineMs: 3_000 }));
      expect(error.reason).to.equal('Timeout');
      expect(error.message).to.match(
        /^get configmaps default\/dripping: (no answer within|the server did not)/,
      );
    });
  });

  describe('a write', () => {
    it('like the production patch is carried out once, also where its answer is lost', async () => {
      const { metadata } = await people.create(CONFIG_MAPS, configMap('switched', { side: 'blue' }));
      proxy.board.next({ verb: 'patch', resource: 'configmaps' }, { kind: 'answer lost' });
      const error = await rejection(client.patch(CONFIG_MAPS, metadata, replaceData('blue', 'green')));
      // The second try finds the first one's work, and whoever asked looks again.
      expect(error.reason).to.equal('Invalid');
      expect(told()).to.deep.equal(['patch configmaps/switched no answer', 'patch configmaps/switched 422']);
      expect((await client.get<ConfigMap>(CONFIG_MAPS, metadata))?.data).to.deep.equal({ side: 'green' });
    });

    it('that creates ends in AlreadyExists where its answer is lost, and there is one object', async () => {
      proxy.board.next({ verb: 'create' }, { kind: 'answer lost' });
      const error = await rejection(client.create(CONFIG_MAPS, configMap('born-once')));
      expect(error.reason).to.equal('AlreadyExists');
      expect(told()).to.deep.equal(['create configmaps no answer', 'create configmaps 409']);
    });

    it('that deletes is done where its answer is lost', async () => {
      const { metadata } = await people.create(CONFIG_MAPS, configMap('gone-once'));
      proxy.board.next({ verb: 'delete' }, { kind: 'answer lost' });
      await client.delete(CONFIG_MAPS, metadata, { uid: metadata.uid! });
      expect(told()).to.deep.equal([
        'delete configmaps/gone-once no answer',
        'delete configmaps/gone-once 404',
      ]);
    });

    it('that lost a race is not sent again: the caller decides', async () => {
      const { metadata } = await people.create(CONFIG_MAPS, configMap('raced', { side: 'blue' }));
      proxy.board.next({ verb: 'patch' }, { kind: 'refused', status: 409 });
      const error = await rejection(client.patch(CONFIG_MAPS, metadata, replaceData('blue', 'green')));
      expect([error.reason, told()]).to.deep.equal(['Conflict', ['patch configmaps/raced 409']]);
    });

    it('is sent again after a 429, not before the time that the server asked for', async () => {
      const { metadata } = await people.create(CONFIG_MAPS, configMap('asked-to-wait', { side: 'blue' }));
      proxy.board.next({ verb: 'patch' }, { kind: 'refused', status: 429, retryAfterSeconds: 1 }, 2);
      await client.patch(CONFIG_MAPS, metadata, replaceData('blue', 'green'));
      expect(seen.map(({ status }) => status)).to.deep.equal([429, 429, 200]);
      const [first, second, third] = seen.map(({ at }) => at);
      // The server's own clock and ours are one here, so that this is no matter of luck.
      expect(second! - first!).to.be.at.least(1_000);
      expect(third! - second!).to.be.at.least(1_000);
    });

    it('waits for the rate limit, but never where production is put back', async () => {
      const { metadata } = await people.create(CONFIG_MAPS, configMap('limited', { side: 'blue' }));
      const slow = connect(await proxy.kubeconfig(cluster.kubeconfig), {
        limits: { perSecond: 0.001, burst: 1 },
      });
      await slow.get(CONFIG_MAPS, metadata);
      const held = await rejection(slow.get(CONFIG_MAPS, metadata));
      expect(held.message).to.contain('held back by the client-side rate limit');
      await slow.patch(CONFIG_MAPS, metadata, replaceData('blue', 'green'), { urgency: 'rescue' });
      expect(told()).to.deep.equal(['get configmaps/limited 200', 'patch configmaps/limited 200']);
    });
  });

  describe('a cache', () => {
    it('is one streaming list where the server has it, and pages where it has not', async () => {
      await people.create(CONFIG_MAPS, configMap('listed', {}, 'lists'));
      const streamed = await follow('lists');
      expect(streamed.requests()).to.deep.equal(['stream']);
      seen.length = 0;
      proxy.board.next(
        { where: ({ query }) => query.has('sendInitialEvents') },
        { kind: 'refused', status: 422 },
      );
      const paged = await follow('lists');
      await eventually('the watch after the list', () => proxy.watches.length === 2);
      expect(paged.requests()).to.deep.equal(['stream', 'list', 'watch']);
      expect(paged.changes).to.deep.equal(streamed.changes);
    });

    it('misses nothing where its stream breaks inside an event, and lists nothing again', async () => {
      const { changes, requests } = await follow('cut');
      await people.create(CONFIG_MAPS, configMap('cut-a', {}, 'cut'));
      await eventually('the first change', () => changes.length === 1);
      proxy.watches[0]?.end('truncated');
      await people.create(CONFIG_MAPS, configMap('cut-b', {}, 'cut'));
      await people.delete(CONFIG_MAPS, key('cut-a'));
      await eventually('what changed meanwhile', () => changes.length === 3);
      expect(changes).to.deep.equal(['added cut-a', 'added cut-b', 'deleted cut-a']);
      expect(requests()).to.deep.equal(['stream', 'watch']);
    });

    for (const [how, expire] of [
      ['an ERROR event', () => proxy.watches[0]?.end('expired')],
      [
        'the answer',
        () => {
          proxy.board.next({ verb: 'watch' }, { kind: 'refused', status: 410 });
          proxy.watches[0]?.end('truncated');
        },
      ],
    ] as const) {
      it(`lists again after a 410 as ${how}, and tells what vanished meanwhile`, async () => {
        const test = how.replaceAll(' ', '-').toLowerCase();
        await people.create(CONFIG_MAPS, configMap(`${test}-a`, {}, test));
        const { changes, requests } = await follow(test);
        expire();
        // Its next watch comes late: the cache finds out by its list.
        const hold = proxy.board.next({ verb: 'watch' }, { kind: 'latency', ms: 300 }, 9);
        await people.delete(CONFIG_MAPS, key(`${test}-a`));
        await people.create(CONFIG_MAPS, configMap(`${test}-b`, {}, test));
        await eventually('both changes', () => changes.length === 3);
        hold.lift();
        expect(changes).to.have.members([`added ${test}-a`, `deleted ${test}-a`, `added ${test}-b`]);
        expect(requests().filter((request) => request === 'stream')).to.have.length(2);
      });
    }

    it('leaves a watch that has gone silent', async () => {
      const { changes, requests } = await follow('silent', { idleMs: 1_500 });
      proxy.watches[0]?.end('silent');
      await people.create(CONFIG_MAPS, configMap('unheard', {}, 'silent'));
      await eventually('what the silent watch kept to itself', () => changes.includes('added unheard'));
      expect(requests()).to.deep.equal(['stream', 'watch']);
    });

    it('goes on from the bookmark that ends its list, with nothing twice', async () => {
      await people.create(CONFIG_MAPS, configMap('before', {}, 'bookmarks'));
      const scope = { namespace: NAMESPACE, labelSelector: 'test=bookmarks' };
      const listed = await readUntil(
        client.watch<ConfigMap>(CONFIG_MAPS, { ...scope, sendInitialEvents: true }),
        (event) => event.type === 'BOOKMARK' && event.initialEventsEnd,
      );
      const bookmark = listed.at(-1) as Extract<WatchEvent<ConfigMap>, { type: 'BOOKMARK' }>;
      await people.create(CONFIG_MAPS, configMap('after', {}, 'bookmarks'));
      const { resourceVersion } = bookmark;
      const followed = await readUntil(
        client.watch<ConfigMap>(CONFIG_MAPS, { ...scope, resourceVersion }),
        ({ type }) => type !== 'BOOKMARK',
      );
      const names = [...listed, ...followed].flatMap((event) =>
        event.type === 'BOOKMARK' ? [] : [event.object.metadata.name],
      );
      expect(names).to.deep.equal(['before', 'after']);
    });

    it('survives handlers that throw, and tells the others', async () => {
      const heard: string[] = [];
      const { warnings } = await follow('throwing', {
        onChange: (_, { metadata }) => {
          heard.push(metadata.name);
          if (metadata.name === 'bad') throw new Error('the handler has a bug');
        },
      });
      await people.create(CONFIG_MAPS, configMap('bad', {}, 'throwing'));
      await people.create(CONFIG_MAPS, configMap('good', {}, 'throwing'));
      await eventually('the second change', () => heard.includes('good'));
      expect(warnings.join()).to.contain('a handler failed').and.contain('the handler has a bug');
    });

    it('waits for as long as an overloaded server asks it to', async () => {
      proxy.board.next({ verb: 'watch' }, { kind: 'refused', status: 429, retryAfterSeconds: 2 });
      await follow('overloaded');
      const [refused, served] = seen;
      expect([refused?.status, served?.status]).to.deep.equal([429, 200]);
      expect(served!.at - refused!.at).to.be.at.least(2_000);
    });
  });

  it('goes on with the token that its file holds since it was rotated, calls and watches alike', async () => {
    const [old, fresh] = await Promise.all(
      [1, 2].map(() => cluster.kubectl(['create', 'token', 'default', '--duration=1h'])),
    );
    await cluster.kubectl([
      'create',
      'clusterrolebinding',
      'rotating',
      '--clusterrole=cluster-admin',
      '--serviceaccount=default:default',
    ]);
    const tokenFile = join(cluster.workDir, 'rotating-token');
    await writeFile(tokenFile, old!);
    const config = JSON.parse(await readFile(await proxy.kubeconfig(cluster.kubeconfig), 'utf8'));
    config.users[0].user = { tokenFile };
    const file = join(cluster.workDir, 'rotating.kubeconfig');
    await writeFile(file, JSON.stringify(config));
    client = connect(file);

    const { changes } = await follow('rotated');
    await writeFile(tokenFile, fresh!);
    const isOld = {
      where: ({ authorization }: { authorization: string }) => authorization.includes(old!.trim()),
    };
    proxy.board.next(isOld, { kind: 'refused', status: 401 }, 1_000);
    await client.create(CONFIG_MAPS, configMap('rotated', {}, 'rotated'));
    await eventually('the change, over the watch that was there', () => changes.includes('added rotated'));
    proxy.watches[0]?.end('truncated');
    await client.delete(CONFIG_MAPS, key('rotated'));
    await eventually('the change, over the next watch', () => changes.includes('deleted rotated'));
    expect(seen.at(-1)?.asked.authorization).to.contain(fresh!.trim());
  });

  it('is spoken to over two connections for hundreds of calls, and one for each watch', async () => {
    await follow('connections');
    await people.create(CONFIG_MAPS, configMap('asked-often'));
    for (let call = 0; call < 300; call += 1) await client.get(CONFIG_MAPS, key('asked-often'));
    expect(seen).to.have.length(301);
    expect(proxy.handshakes).to.be.at.most(3);
  });

  it('leaves nothing behind in memory of thousands of changes over watches that break', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    proxy.onSeen = () => undefined;
    const { reflector, changes } = await follow('churn');
    const churn = async (rounds: number): Promise<number> => {
      for (let round = 0; round < rounds; round += 1) {
        const names = Array.from({ length: 20 }, (_, index) => `churn-${index}`);
        const create = (name: string) =>
          people.create(CONFIG_MAPS, configMap(name, { at: String(round) }, 'churn'));
        await Promise.all(names.map(create));
        await Promise.all(names.map((name) => people.delete(CONFIG_MAPS, key(name))));
        if (round % 5 === 4) proxy.watches[0]?.end(round === 9 ? 'expired' : 'truncated');
      }
      await people.create(CONFIG_MAPS, configMap('last', {}, 'churn'));
      // Not the last that is heard of: a list after a watch that expired tells of what is there before what is gone.
      await eventually('the last change', () => changes.includes('added last'));
      await people.delete(CONFIG_MAPS, key('last'));
      await eventually('an empty cache', () => reflector.size === 0);
      changes.length = 0;
      collectGarbage();
      return process.memoryUsage().heapUsed / 2 ** 20;
    };
    const before = await churn(10);
    const after = await churn(30);
    // A leak of two kilobytes for each of the twelve hundred changes between would show.
    expect(after - before).to.be.below(2);
  });
});

import { expect } from 'chai';
import { plainEndpoint } from '../../../src/kube/endpoint.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import type { ListWatchClient, ObjectList, WatchEvent, WatchOptions } from '../../../src/kube/ports.ts';
import { createReflector, type Reflector, type ReflectorOptions } from '../../../src/kube/reflector.ts';
import { createKubeClient, type KubeTransport } from '../../../src/kube/transport.ts';
import { SERVICES, type Service } from '../../../src/kube/types.ts';
import { type FakeServer, startServer } from './server.ts';
import { eventually, memoryLog, settle, virtualClock } from './support.ts';

const service = (name: string, labels: Record<string, string> = {}): Service => ({
  metadata: { namespace: 'shop', name, labels },
  spec: { selector: { app: name } },
});

describe('a reflector', function () {
  // It waits for what must come; on a busy machine that takes longer.
  this.timeout(60_000);

  let server: FakeServer;
  let client: KubeTransport;
  let log: ReturnType<typeof memoryLog>;
  let said: string[];
  let reflector: Reflector<Service> | undefined;

  function start(options: Partial<ReflectorOptions<Service>> = {}): Reflector<Service> {
    reflector = createReflector<Service>({
      client,
      type: SERVICES,
      // Full jitter of zero: it waits for nothing.
      random: () => 0,
      log,
      onChange: (change, object) => said.push(`${change} ${object.metadata.name}`),
      ...options,
    });
    reflector.start();
    return reflector;
  }

  const lists = (): number => server.requests.filter((request) => !request.watch).length;
  const watches = (): number => server.requests.filter((request) => request.watch).length;

  beforeEach(async () => {
    server = await startServer();
    client = createKubeClient({ endpoint: plainEndpoint(server.url), random: () => 0 });
    log = memoryLog();
    said = [];
  });
  afterEach(async () => {
    await reflector?.stop();
    await client.close();
    await server.close();
  });

  for (const streaming of [true, false]) {
    describe(streaming ? 'of a server with streaming lists' : 'of a server without', () => {
      beforeEach(() => {
        server.streamingList = streaming;
      });

      it('has what is there, then what changes', async () => {
        server.put('services', service('a'));
        const { store, whenSynced } = start();
        await whenSynced;
        expect(store.synced).to.equal(true);
        await eventually(() => server.watches === 1);
        server.put('services', service('b'));
        server.put('services', service('a'));
        server.remove('services', 'b', 'shop');
        await eventually(() => said.length === 4);
        expect(said).to.deep.equal(['added a', 'added b', 'updated a', 'deleted b']);
        expect(store.get({ namespace: 'shop', name: 'a' })?.metadata.resourceVersion).to.equal('103');
        expect(lists()).to.equal(streaming ? 0 : 1);
        expect(watches()).to.equal(streaming ? 1 : 2);
      });

      it('misses nothing over a broken stream, and lists nothing again', async () => {
        server.put('services', service('a'));
        const { whenSynced } = start();
        await whenSynced;
        await eventually(() => server.watches === 1);
        const before = lists();
        server.truncateWatches();
        server.put('services', service('b'));
        await eventually(() => said.includes('added b'));
        await eventually(() => server.watches === 1);
        server.endWatches();
        server.put('services', service('c'));
        await eventually(() => said.includes('added c'));
        expect(said).to.deep.equal(['added a', 'added b', 'added c']);
        expect(lists()).to.equal(before);
      });

      it('lists again after a 410, and tells what vanished meanwhile', async () => {
        server.put('services', service('a'));
        server.put('services', service('b'));
        const { store, whenSynced } = start();
        await whenSynced;
        await eventually(() => server.watches === 1);
        server.fail((request) => request.watch, { kind: 'reset' }, 1);
        server.truncateWatches();
        await eventually(() => server.watches === 0);
        server.remove('services', 'b', 'shop');
        server.put('services', service('c'));
        server.compact();
        await eventually(() => said.length === 4);
        expect(said).to.deep.equal(['added a', 'added b', 'added c', 'deleted b']);
        expect(store.list().map((object) => object.metadata.name)).to.deep.equal(['a', 'c']);
      });

      it('counts as complete without the right to it where it may, and has everything when the right comes', async () => {
        server.put('services', service('a'));
        server.fail(() => true, { kind: 'status', status: 403 }, 5);
        const { store, whenSynced } = start({ mayBeForbidden: true });
        await whenSynced;
        expect([store.synced, store.list(), reflector?.forbidden]).to.deep.equal([false, [], true]);
        await eventually(() => store.synced);
        expect([said, reflector?.forbidden]).to.deep.equal([['added a'], false]);
        expect(log.lines.filter(({ level }) => level === 'warn')).to.have.length(1);
      });

      it('forgets what it knew when the right to it is taken, and tells so', async () => {
        server.put('services', service('a'));
        const { store, whenSynced } = start({ mayBeForbidden: true });
        await whenSynced;
        await eventually(() => server.watches === 1);
        server.fail(() => true, { kind: 'status', status: 403 }, 8);
        server.truncateWatches();
        await eventually(() => said.length === 3);
        expect(said).to.deep.equal(['added a', 'deleted a', 'added a']);
        expect(store.synced).to.equal(true);
      });

      it('keeps what it knew where it is refused for a moment: a server that starts has read no roles yet', async () => {
        server.put('services', service('a'));
        const { store, whenSynced } = start({ mayBeForbidden: true });
        await whenSynced;
        for (const name of ['b', 'c']) {
          await eventually(() => server.watches === 1);
          server.fail(() => true, { kind: 'status', status: 403 }, 4);
          server.endWatches();
          server.put('services', service(name));
          await eventually(() => said.includes(`added ${name}`));
        }
        expect([said, store.list().length]).to.deep.equal([['added a', 'added b', 'added c'], 3]);
      });

      it('waits for the right to it where it needs it', async () => {
        server.put('services', service('a'));
        server.fail(() => true, { kind: 'status', status: 403 }, 5);
        const { store, whenSynced } = start();
        await whenSynced;
        expect([store.synced, reflector?.forbidden, server.requests.length > 5]).to.deep.equal([
          true,
          false,
          true,
        ]);
      });

      it('keeps its store while the server cannot be reached, and goes on after', async () => {
        server.put('services', service('a'));
        const { store, whenSynced } = start();
        await whenSynced;
        await eventually(() => server.watches === 1);
        server.fail(() => true, { kind: 'status', status: 503 }, 20);
        server.endWatches();
        await eventually(() => watches() > 10);
        expect(store.list()).to.have.length(1);
        server.put('services', service('b'));
        await eventually(() => said.includes('added b'));
      });

      it('lists again where the server is before what it had: restored from a backup', async () => {
        server.put('services', service('a'));
        server.put('services', service('b'));
        const { store, whenSynced } = start();
        await whenSynced;
        await eventually(() => server.watches === 1);
        const counted = server.requests.length;
        server.restoreTo(50);
        server.bookmark();
        await eventually(() => server.requests.length > counted && server.watches === 1);
        server.put('services', service('c'));
        await eventually(() => said.includes('added c'));
        expect(store.get({ namespace: 'shop', name: 'c' })?.metadata.resourceVersion).to.equal('51');
      });
    });
  }

  it('takes a 410 in the middle of a stream as it comes', async () => {
    const { whenSynced } = start();
    await whenSynced;
    await eventually(() => server.watches === 1);
    server.expireWatches();
    server.put('services', service('a'));
    await eventually(() => said.length === 1);
    expect(said).to.deep.equal(['added a']);
  });

  it('does not list again and again where every list is soon followed by a 410', async () => {
    const waits = await waitsOf(async function* () {
      yield { type: 'BOOKMARK', resourceVersion: '7', initialEventsEnd: true };
      throw new KubeError({ reason: 'Gone', status: 410, call: 'watch services', message: 'too old' });
    });
    // The first 410 is nobody's fault.
    expect(waits).to.deep.equal([0, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000]);
  });

  it('starts again, later and later, where nobody listens', async () => {
    const waits = await waitsOf(() =>
      failing(new KubeError({ reason: 'Network', status: 0, call: 'watch services', message: 'refused' })),
    );
    expect(waits).to.deep.equal([0, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000]);
    expect(log.lines.filter((line) => line.level === 'warn')[0]).to.deep.equal({
      level: 'warn',
      message: 'watching failed and goes on',
      fields: { kind: 'Service', error: 'watch services: refused', failures: 3, waitMs: 1_600 },
    });
  });

  it('waits for as long as the server asks it to', async () => {
    const details = { reason: 'TooManyRequests', status: 429, retryAfterMs: 5_000 } as const;
    const waits = await waitsOf(() =>
      failing(new KubeError({ ...details, call: 'watch services', message: 'busy' })),
    );
    expect(waits.slice(0, 6)).to.deep.equal([5_000, 5_000, 5_000, 5_000, 6_400, 12_800]);
  });

  /** How long it waits after each of its first failures, jitter taken out. */
  async function waitsOf(watch: () => AsyncIterable<WatchEvent<Service>>): Promise<number[]> {
    const clock = virtualClock();
    const readList = (): Promise<ObjectList<Service>> => Promise.reject(new Error('there was no need'));
    start({ clock, random: () => 1, client: { readList, watch } as unknown as ListWatchClient });
    const waits: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      await settle();
      const wait = clock.pending[0] ?? 0;
      waits.push(wait);
      await clock.advance(wait);
    }
    return waits;
  }

  it('lists in pages where a streaming list breaks off twice', async () => {
    let lists = 0;
    const breaking = {
      readList() {
        lists += 1;
        return Promise.resolve({ items: [], resourceVersion: '7' });
      },
      async *watch(): AsyncGenerator<WatchEvent<Service>> {
        yield { type: 'ADDED', object: service('a') };
        throw new KubeError({ reason: 'Network', status: 0, call: 'watch services', message: 'cut' });
      },
    };
    const clock = virtualClock();
    const started = start({ clock, random: () => 1, client: breaking as unknown as ListWatchClient });
    await settle();
    expect(lists).to.equal(0);
    await clock.advance(0);
    expect(lists).to.equal(1);
    expect(started.store.synced).to.equal(true);
  });

  it('survives handlers that throw, and says whose they were', async () => {
    server.put('services', service('a'));
    const { store, whenSynced } = start({
      onChange() {
        throw new Error('a bug');
      },
    });
    await whenSynced;
    await eventually(() => server.watches === 1);
    server.put('services', service('b'));
    await eventually(() => store.list().length === 2);
    expect(log.lines.filter((line) => line.level === 'error').map((line) => line.fields)).to.deep.equal([
      { kind: 'Service', namespace: 'shop', name: 'a', error: 'a bug' },
      { kind: 'Service', namespace: 'shop', name: 'b', error: 'a bug' },
    ]);
  });

  it('shows a handler the store with the change in it', async () => {
    const seen: boolean[] = [];
    const started = start({
      onChange(_, object) {
        seen.push(started.store.get({ namespace: 'shop', name: object.metadata.name }) === object);
      },
    });
    await started.whenSynced;
    await eventually(() => server.watches === 1);
    server.put('services', service('a'));
    await eventually(() => seen.length === 1);
    expect(seen).to.deep.equal([true]);
  });

  it('watches only what it is told to', async () => {
    server.put('services', service('mine', { owner: 'us' }));
    server.put('services', service('theirs'));
    const { store, whenSynced } = start({ namespace: 'shop', labelSelector: 'owner=us', metadataOnly: true });
    await whenSynced;
    expect(store.list().map((object) => object.metadata.name)).to.deep.equal(['mine']);
    const request = server.requests[0];
    expect(request?.path).to.equal('/api/v1/namespaces/shop/services');
    expect(request?.headers.accept).to.match(/PartialObjectMetadata;/);
    expect(Object.fromEntries(request!.query)).to.deep.equal({
      watch: '1',
      allowWatchBookmarks: 'true',
      sendInitialEvents: 'true',
      resourceVersionMatch: 'NotOlderThan',
      timeoutSeconds: '300',
      labelSelector: 'owner=us',
    });
  });

  it('watches on from a bookmark', async () => {
    const { whenSynced, store } = start();
    await whenSynced;
    await eventually(() => server.watches === 1);
    server.put('deployments', { metadata: { name: 'another kind moves the version on' } });
    server.bookmark();
    await eventually(() => (store as unknown as { version: string }).version === '101');
    server.endWatches();
    await eventually(() => watches() === 2);
    expect(server.requests.at(-1)?.query.get('resourceVersion')).to.equal('101');
  });

  it('knows when it last heard from the server', async () => {
    const started = start();
    expect(started.lastContactMs).to.equal(undefined);
    await started.whenSynced;
    expect(started.lastContactMs).to.be.a('number');
  });

  it('takes a watch that ends at once, with nothing said, for a failure', async () => {
    const clock = virtualClock();
    const opened: WatchOptions[] = [];
    const silent = {
      readList: () => Promise.resolve({ items: [], resourceVersion: '7' }),
      async *watch(_: unknown, options: WatchOptions): AsyncGenerator<WatchEvent<Service>> {
        opened.push(options);
        if (options.sendInitialEvents === true) {
          yield { type: 'BOOKMARK', resourceVersion: '7', initialEventsEnd: true };
        }
      },
    };
    start({ clock, random: () => 1, client: silent as unknown as ListWatchClient });
    await settle(20);
    expect(opened).to.have.length(2);
    await clock.advance(800);
    expect(opened).to.have.length(3);
  });

  it('stops in the middle of anything', async () => {
    server.fail(() => true, { kind: 'never answers' }, 10);
    const started = start();
    await eventually(() => server.requests.length === 1);
    await started.stop();
    expect(started.store.synced).to.equal(false);
  });
});

/** A stream that fails before its first event. */
function failing(error: Error): AsyncIterable<never> {
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) };
}

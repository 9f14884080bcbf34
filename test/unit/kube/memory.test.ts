import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { plainEndpoint } from '../../../src/kube/endpoint.ts';
import { createEventRecorder } from '../../../src/kube/events.ts';
import type { KubeObject } from '../../../src/kube/ports.ts';
import { createStore } from '../../../src/kube/store.ts';
import { createKubeClient } from '../../../src/kube/transport.ts';
import { SERVICES } from '../../../src/kube/types.ts';
import { createWorkQueue } from '../../../src/kube/workqueue.ts';
import { memoryLog, settle, virtualClock } from './support.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function heapBytes(): Promise<number> {
  await settle(20);
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

interface Often {
  /** Until what is warm is warm, and what holds so much and no more holds it. */
  readonly warmUp: number;
  /** So often that what a heap differs by in any case, up to 250 kB, is at most half of what is allowed. */
  readonly times: number;
}

/** Bytes that each time leaves. */
async function leftByEach(
  { warmUp, times }: Often,
  act: (index: number) => Promise<void> | void,
): Promise<number> {
  for (let index = 0; index < warmUp; index += 1) await act(index);
  const before = await heapBytes();
  for (let index = warmUp; index < warmUp + times; index += 1) await act(index);
  return ((await heapBytes()) - before) / times;
}

describe('what runs for weeks', function () {
  this.timeout(60_000);

  it('holds no more of a store after 44,000 changes than after 4,000', async () => {
    const store = createStore<KubeObject>({
      indexes: { owner: (object) => [object.metadata.labels?.owner ?? ''] },
    });
    store.replace({ items: [], resourceVersion: '1' });
    const bytes = await leftByEach({ warmUp: 4_000, times: 40_000 }, (index) => {
      const metadata = {
        namespace: `team-${index % 50}`,
        name: `object-${index}`,
        uid: `uid-${index}`,
        resourceVersion: String(2 * index + 2),
        labels: { owner: `release-${index % 700}` },
      };
      store.apply('ADDED', { metadata });
      // What the watch does not confirm, a list does.
      if (index % 2 === 0) store.noteDeleted({ metadata });
      else store.apply('DELETED', { metadata: { ...metadata, resourceVersion: String(2 * index + 3) } });
      if (index % 1_000 === 999) store.replace({ items: [], resourceVersion: String(2 * index + 3) });
    });
    expect(store.size).to.equal(0);
    expect(bytes).to.be.below(20);
  });

  it('holds no more of a queue', async () => {
    const clock = virtualClock();
    const queue = createWorkQueue({ clock });
    const bytes = await leftByEach({ warmUp: 2_000, times: 15_000 }, async (index) => {
      const key = `shop/release-${index}`;
      queue.add(key, { urgent: index % 3 === 0 });
      queue.add(key, { urgent: index % 2 === 0 });
      queue.addAfter(key, 60_000);
      queue.addAfter(key, 10);
      await queue.get();
      queue.addRateLimited(key);
      queue.forget(key);
      queue.done(key);
      if (index % 1_000 === 0) {
        await clock.advance(120_000);
        while (queue.stats().depth > 0) queue.done((await queue.get())!.key);
      }
    });
    queue.stop();
    expect(bytes).to.be.below(40);
  });

  it('holds no more of a client', async () => {
    const server: Server = createServer((request, response) => {
      request.resume();
      request.on('end', () => response.end('{"metadata":{"name":"a"}}'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = createKubeClient({
      endpoint: plainEndpoint(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
      limits: { perSecond: 1e6, burst: 1e6 },
    });
    const { signal } = new AbortController();
    const bytes = await leftByEach({ warmUp: 1_000, times: 2_000 }, async () => {
      await client.get(SERVICES, { namespace: 'shop', name: 'a' }, { signal });
    });
    await client.close();
    await new Promise((resolve) => server.close(resolve));
    expect(bytes).to.be.below(250);
  });

  it('holds no more of an event recorder', async () => {
    const clock = virtualClock();
    const recorder = createEventRecorder({
      client: { create: async (_, body) => body, patch: async () => ({ metadata: { name: '' } }) as never },
      controller: 'bluegreen.dev/operator',
      instance: 'operator-0',
      log: memoryLog(),
      clock,
    });
    // It remembers 4,096 of them.
    const bytes = await leftByEach({ warmUp: 5_000, times: 15_000 }, async (index) => {
      const regarding = {
        apiVersion: 'v1',
        kind: 'Service',
        namespace: 'shop',
        name: 'a',
        uid: `uid-${index}`,
      };
      recorder.record({
        regarding,
        type: 'Normal',
        reason: 'Switched',
        action: 'Switch',
        note: 'x'.repeat(100),
      });
      if (index % 100 === 0) await clock.advance(20_000);
    });
    await recorder.stop();
    expect(bytes).to.be.below(40);
  });
});

import { expect } from 'chai';
import { type Loop, type LoopOptions, type ReconcileResult, runLoop } from '../../../src/kube/loop.ts';
import { createWorkQueue, type WorkQueue } from '../../../src/kube/workqueue.ts';
import { memoryLog, settle, type VirtualClock, virtualClock } from './support.ts';

const SUCCESS: ReconcileResult = { result: 'success' };

describe('the reconcile loop', () => {
  let clock: VirtualClock;
  let queue: WorkQueue;
  let log: ReturnType<typeof memoryLog>;
  let loop: Loop | undefined;

  beforeEach(() => {
    clock = virtualClock();
    queue = createWorkQueue({ clock, random: () => 1 });
    log = memoryLog();
  });
  afterEach(async () => {
    await loop?.stop();
  });

  function run(reconcile: LoopOptions['reconcile'], options: Partial<LoopOptions> = {}): Loop {
    loop = runLoop({
      queue,
      reconcile,
      concurrency: 2,
      urgentConcurrency: 1,
      stuckAfterMs: 60_000,
      onStuck: () => undefined,
      log,
      clock,
      ...options,
    });
    return loop;
  }

  it('forgets the back-off of a key that succeeded', async () => {
    queue.addRateLimited('a');
    run(async () => SUCCESS);
    await clock.advance(10);
    expect(queue.failures('a')).to.equal(0);
  });

  it('tells a reconcile of news as it works, and does not give the key out again for it', async () => {
    const told: boolean[] = [];
    let times = 0;
    const work = Promise.withResolvers<void>();
    run(async (_, { news }) => {
      times += 1;
      told.push(await news(100));
      told.push(await news(work.promise));
      told.push(await news(work.promise));
      return SUCCESS;
    });
    queue.add('a');
    await clock.advance(99);
    expect(told).to.deep.equal([]);
    await clock.advance(1);
    expect(told).to.deep.equal([false]);
    queue.add('a');
    await settle();
    expect(told).to.deep.equal([false, true]);
    work.resolve();
    await settle();
    expect(told).to.deep.equal([false, true, false]);
    expect(times).to.equal(1);
    expect(queue.stats().depth).to.equal(0);
  });

  it('is urgent from then on where the news is', async () => {
    const told: boolean[] = [];
    run(async (_, context) => {
      told.push(context.urgent);
      await context.news(10);
      told.push(context.urgent);
      return SUCCESS;
    });
    queue.add('a');
    await settle();
    queue.add('a', { urgent: true });
    await settle();
    expect(told).to.deep.equal([false, true]);
  });

  it('gives a key out again for what came after the last look', async () => {
    let times = 0;
    const work = Promise.withResolvers<void>();
    run(async (_, { news }) => {
      times += 1;
      if (times === 1) {
        await news(10);
        await work.promise;
      }
      return SUCCESS;
    });
    queue.add('a');
    await clock.advance(10);
    queue.add('a');
    work.resolve();
    await settle();
    expect(times).to.equal(2);
  });

  it('backs off from a key whose reconcile throws, says why, and goes on', async () => {
    let times = 0;
    run(async () => {
      times += 1;
      if (times < 3) throw new Error('no such day');
      return SUCCESS;
    });
    queue.add('a');
    await settle();
    expect(log.lines).to.deep.equal([
      {
        level: 'error',
        message: 'reconcile failed',
        fields: { key: 'a', error: 'no such day', failures: 1 },
      },
    ]);
    await clock.advance(10);
    await clock.advance(20);
    expect(times).to.equal(3);
    expect(queue.failures('a')).to.equal(0);
  });

  it('comes back to a key when its reconcile asks for it, without a back-off', async () => {
    let times = 0;
    run(async () => {
      times += 1;
      return { result: 'requeue_after', afterMs: 5_000 };
    });
    queue.add('a');
    await clock.advance(4_999);
    expect(times).to.equal(1);
    await clock.advance(1);
    expect(times).to.equal(2);
  });

  it('keeps the urgency of what failed', async () => {
    const urgencies: boolean[] = [];
    run(async (_, { urgent }) => {
      urgencies.push(urgent);
      if (urgencies.length === 1) throw new Error('once');
      return SUCCESS;
    });
    queue.add('a', { urgent: true });
    await clock.advance(100);
    expect(urgencies).to.deep.equal([true, true]);
  });

  it('runs no more at a time than it should, and never one key twice', async () => {
    const running: string[] = [];
    let most = 0;
    const release: (() => void)[] = [];
    run(async (key) => {
      expect(running).to.not.include(key);
      running.push(key);
      most = Math.max(most, running.length);
      await new Promise<void>((resolve) => release.push(resolve));
      running.splice(running.indexOf(key), 1);
      return SUCCESS;
    });
    for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
    queue.add('a');
    for (let round = 0; round < 6; round += 1) {
      await settle(10);
      queue.add('a');
      release.shift()?.();
    }
    expect(most).to.equal(2);
    for (let round = 0; round < 10; round += 1) {
      release.shift()?.();
      await settle();
    }
  });

  it('has a worker for what is urgent while all others wait for a slow server', async () => {
    const started: string[] = [];
    let release = (): void => undefined;
    const slow = new Promise<void>((resolve) => {
      release = resolve;
    });
    run(async (key) => {
      started.push(key);
      if (key !== 'rollback') await slow;
      return SUCCESS;
    });
    for (const key of ['a', 'b', 'c']) queue.add(key);
    await settle(10);
    queue.add('rollback', { urgent: true });
    await settle();
    expect(started).to.deep.equal(['a', 'b', 'rollback']);
    release();
  });

  it('names a reconcile that is stuck, once', async () => {
    const stuck: string[] = [];
    let release = (): void => undefined;
    const never = new Promise<void>((resolve) => {
      release = resolve;
    });
    run(
      async () => {
        await never;
        return SUCCESS;
      },
      {
        onStuck({ key, forMs }) {
          stuck.push(`${key} for ${forMs} ms`);
          throw new Error('and the handler is broken too');
        },
      },
    );
    queue.add('shop/checkout');
    await clock.advance(200_000);
    expect(stuck).to.deep.equal(['shop/checkout for 60000 ms']);
    release();
  });

  it('begins nothing any more when it is told to stop, not even what it has taken', async () => {
    let times = 0;
    const started = run(async () => {
      times += 1;
      return SUCCESS;
    });
    queue.add('a');
    await started.stop();
    expect(times).to.equal(0);
  });

  it('lets what is under way end before it stops, then aborts it', async () => {
    let aborted = false;
    const stopping = run(async (_, { signal }) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      aborted = true;
      throw new Error('aborted');
    });
    queue.add('a');
    queue.add('b');
    queue.add('c');
    await settle(10);
    const stopped = stopping.stop(5_000);
    await clock.advance(4_999);
    expect(aborted).to.equal(false);
    await clock.advance(1);
    await stopped;
    expect(stopping.active).to.equal(0);
    expect(log.lines).to.deep.equal([]);
    expect(clock.pending).to.deep.equal([]);
  });

  it('tells what controller-runtime’s metrics need', async () => {
    const said: string[] = [];
    let times = 0;
    run(
      async () => {
        times += 1;
        if (times === 1) throw new Error('no');
        if (times === 2) return { result: 'requeue' };
        if (times === 3) return { result: 'requeue_after', afterMs: 10 };
        return SUCCESS;
      },
      {
        observer: {
          onActive: (workers) => said.push(String(workers)),
          onReconcile: (result) => said.push(result),
        },
      },
    );
    queue.add('a');
    await clock.advance(1_000);
    expect(said.join(' ')).to.equal('1 error 0 1 requeue 0 1 requeue_after 0 1 success 0');
  });

  it('looks at the sockets between any two reconciles, however little they wait for', async () => {
    const order: string[] = [];
    for (let index = 0; index < 50; index += 1) queue.add(`k${index}`);
    run(async (key) => {
      order.push(key);
      if (order.length === 3) setImmediate(() => order.push('event'));
      return SUCCESS;
    });
    await settle(100);
    expect(order.indexOf('event')).to.be.below(6);
    expect(order).to.have.length(51);
  });
});

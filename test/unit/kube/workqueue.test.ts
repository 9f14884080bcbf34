import { expect } from 'chai';
import fc from 'fast-check';
import { createWorkQueue, type WorkItem, type WorkQueue } from '../../../src/kube/workqueue.ts';
import { settle, type VirtualClock, virtualClock } from './support.ts';

/** Whatever can be got now, without `done`. */
async function drain(queue: WorkQueue, urgentOnly = false): Promise<string[]> {
  const keys: string[] = [];
  while (urgentOnly ? queue.stats().urgentDepth > 0 : queue.stats().depth > 0) {
    const item = await queue.get({ urgentOnly });
    keys.push(item!.key);
  }
  return keys;
}

describe('a work queue', function () {
  // It waits for what must come; on a busy machine that takes longer.
  this.timeout(60_000);

  let clock: VirtualClock;
  let queue: WorkQueue;

  beforeEach(() => {
    clock = virtualClock();
    queue = createWorkQueue({ clock, random: () => 1 });
  });

  it('gives keys out in the order they came, each once', async () => {
    for (const key of ['a', 'b', 'a', 'c', 'a']) queue.add(key);
    expect(await drain(queue)).to.deep.equal(['a', 'b', 'c']);
  });

  it('does not give a key out again while it is being processed, and does after, where it was added since', async () => {
    queue.add('a');
    await queue.get();
    queue.add('a');
    expect(queue.stats().depth).to.equal(0);
    queue.done('a');
    expect(await drain(queue)).to.deep.equal(['a']);
    queue.done('a');
    expect(queue.stats().depth).to.equal(0);
  });

  it('hands work to who waits for it', async () => {
    const waiting = queue.get();
    queue.add('a');
    expect(await waiting).to.deep.equal({ key: 'a', urgent: false });
  });

  it('gives what is urgent out first, also where it was waiting already', async () => {
    for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
    queue.add('c', { urgent: true });
    queue.add('e', { urgent: true });
    expect(await drain(queue)).to.deep.equal(['c', 'e', 'a', 'b', 'd']);
  });

  it('remembers that a key became urgent while it was being processed', async () => {
    queue.add('a');
    await queue.get();
    queue.add('a');
    queue.add('a', { urgent: true });
    queue.add('b');
    queue.done('a');
    expect(await drain(queue)).to.deep.equal(['a', 'b']);
  });

  it('does not make what is urgent less so', async () => {
    queue.add('a');
    queue.add('b', { urgent: true });
    queue.add('b');
    expect(await queue.get()).to.deep.equal({ key: 'b', urgent: true });
  });

  it('gives a worker for urgent work nothing else', async () => {
    let got: WorkItem | undefined;
    void queue.get({ urgentOnly: true }).then((item) => {
      got = item;
    });
    queue.add('a');
    await settle();
    expect(got).to.equal(undefined);
    queue.add('a', { urgent: true });
    await settle();
    expect(got).to.deep.equal({ key: 'a', urgent: true });
    expect(queue.stats().depth).to.equal(0);
  });

  it('gives urgent work to an ordinary worker where one is free, so that the reserved ones stay free', async () => {
    const reserved = queue.get({ urgentOnly: true });
    const ordinary = queue.get();
    queue.add('a', { urgent: true });
    expect((await ordinary)?.key).to.equal('a');
    queue.add('b', { urgent: true });
    expect((await reserved)?.key).to.equal('b');
  });

  it('adds later, and at the earlier of two times', async () => {
    queue.addAfter('a', 1_000);
    queue.addAfter('a', 300);
    queue.addAfter('a', 2_000);
    await clock.advance(299);
    expect(queue.stats().depth).to.equal(0);
    await clock.advance(1);
    expect(await drain(queue)).to.deep.equal(['a']);
    queue.done('a');
    await clock.advance(10_000);
    expect(queue.stats().depth).to.equal(0);
  });

  it('keeps the urgency of either of two later adds', async () => {
    queue.addAfter('a', 1_000, { urgent: true });
    queue.addAfter('a', 300);
    queue.addAfter('b', 300);
    queue.addAfter('b', 1_000, { urgent: true });
    queue.addAfter('c', 300);
    await clock.advance(300);
    expect(await drain(queue, true)).to.have.members(['a', 'b']);
  });

  it('waits twice as long after each failure, up to a ceiling, until it is told to forget', async () => {
    const delays: number[] = [];
    for (let failure = 0; failure < 15; failure += 1) {
      queue.addRateLimited('a');
      delays.push(clock.pending[0]!);
      await clock.advance(clock.pending[0]!);
      queue.done((await queue.get())!.key);
    }
    expect(delays.slice(0, 4)).to.deep.equal([10, 20, 40, 80]);
    expect(delays.at(-1)).to.equal(60_000);
    expect(queue.failures('a')).to.equal(15);
    queue.forget('a');
    queue.addRateLimited('a');
    expect(clock.pending).to.deep.equal([10]);
  });

  it('gives nothing out after it was stopped, and lets waiters go', async () => {
    const waiting = [queue.get(), queue.get({ urgentOnly: true })];
    queue.addAfter('later', 100);
    queue.stop();
    queue.add('a');
    queue.addAfter('b', 5);
    expect(await Promise.all(waiting)).to.deep.equal([undefined, undefined]);
    expect(await queue.get()).to.equal(undefined);
    expect(clock.pending).to.deep.equal([]);
  });

  it('tells what its metrics need', async () => {
    const said: string[] = [];
    queue = createWorkQueue({
      clock,
      random: () => 1,
      observer: {
        onAdd: () => said.push('add'),
        onGet: (seconds) => said.push(`got after ${seconds}`),
        onDone: (seconds) => said.push(`worked ${seconds}`),
        onRetry: () => said.push('retry'),
      },
    });
    queue.add('a');
    queue.add('a');
    await clock.advance(2_000);
    await queue.get();
    await clock.advance(3_000);
    expect(queue.stats()).to.deep.equal({
      depth: 0,
      urgentDepth: 0,
      delayed: 0,
      unfinishedSeconds: 3,
      longestSeconds: 3,
    });
    queue.done('a');
    queue.addRateLimited('a');
    expect(said).to.deep.equal(['add', 'got after 2', 'worked 3', 'retry']);
  });

  it('lets go of ten thousand keys in the order they came', async () => {
    const keys = Array.from({ length: 10_000 }, (_, index) => `k${index}`);
    for (const key of keys) queue.add(key);
    queue.add('k9999', { urgent: true });
    expect(await drain(queue)).to.deep.equal(['k9999', ...keys.slice(0, -1)]);
  });

  /**
   * Against a model that is plainly right: a list of keys that wait, in order, urgent ones first.
   */
  it('does what a plain list would do, whatever is asked of it', async () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd');
    const command = fc.oneof(
      fc.record({ what: fc.constant('add' as const), key, urgent: fc.boolean() }),
      fc.record({ what: fc.constant('get' as const), urgentOnly: fc.boolean() }),
      fc.record({ what: fc.constant('done' as const), key }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 80 }), async (commands) => {
        const real = createWorkQueue({ clock: virtualClock() });
        const model = new Model();
        for (const step of commands) {
          await both(step, real, model);
          expect(real.stats().depth).to.equal(model.waiting.length);
        }
      }),
      { numRuns: 300 },
    );
  });
});

type Step =
  | { what: 'add'; key: string; urgent: boolean }
  | { what: 'get'; urgentOnly: boolean }
  | { what: 'done'; key: string };

async function both(step: Step, real: WorkQueue, model: Model): Promise<void> {
  if (step.what === 'add') {
    real.add(step.key, { urgent: step.urgent });
    model.add(step.key, step.urgent);
  } else if (step.what === 'done') {
    real.done(step.key);
    model.done(step.key);
  } else {
    const expected = model.get(step.urgentOnly);
    if (expected === undefined) return;
    expect(await real.get({ urgentOnly: step.urgentOnly })).to.deep.equal(expected);
  }
}

class Model {
  waiting: WorkItem[] = [];
  readonly #processing = new Set<string>();
  readonly #again = new Map<string, boolean>();

  add(key: string, urgent: boolean): void {
    if (this.#processing.has(key)) {
      this.#again.set(key, urgent || this.#again.get(key) === true);
      return;
    }
    const known = this.waiting.find((item) => item.key === key);
    if (known !== undefined && (known.urgent || !urgent)) return;
    this.waiting = this.waiting.filter((item) => item.key !== key);
    const at = urgent ? this.waiting.filter((item) => item.urgent).length : this.waiting.length;
    this.waiting.splice(at, 0, { key, urgent });
  }

  get(urgentOnly: boolean): WorkItem | undefined {
    const first = this.waiting[0];
    if (first === undefined || (urgentOnly && !first.urgent)) return undefined;
    this.waiting.shift();
    this.#processing.add(first.key);
    return first;
  }

  done(key: string): void {
    if (!this.#processing.delete(key)) return;
    const urgent = this.#again.get(key);
    if (urgent === undefined) return;
    this.#again.delete(key);
    this.add(key, urgent);
  }
}

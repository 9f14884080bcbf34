import { expect } from 'chai';
import { createPool, type Pool, type TaskOutcome } from '../../../src/kube/pool.ts';
import { memoryLog, settle, type VirtualClock, virtualClock } from './support.ts';

describe('a pool for long work', () => {
  let clock: VirtualClock;
  let log: ReturnType<typeof memoryLog>;
  let pool: Pool;
  let said: string[];
  let running: Map<string, { resolve(value: string): void; reject(error: Error): void; signal: AbortSignal }>;

  beforeEach(() => {
    clock = virtualClock();
    log = memoryLog();
    pool = createPool({ size: 2, queueLimit: 2, clock, log });
    said = [];
    running = new Map();
  });

  function describeOutcome(outcome: TaskOutcome<string>): string {
    if (outcome.status === 'done') return outcome.value;
    if (outcome.status === 'failed') return (outcome.error as Error).message;
    return outcome.status === 'timeout' ? `timeout, started ${outcome.started}` : outcome.status;
  }

  /** A task that ends when the test says so. */
  const submit = (key: string, deadlineMs = 1_000): string =>
    pool.submit<string>({
      key,
      deadlineMs,
      run: (signal) =>
        new Promise((resolve, reject) => {
          running.set(key, { resolve, reject, signal });
        }),
      onEnd: (outcome) => said.push(`${key}: ${describeOutcome(outcome)}`),
    });

  it('runs so many at a time, lets so many wait, and refuses more', async () => {
    expect(['a', 'b', 'c', 'd', 'e'].map((key) => submit(key))).to.deep.equal([
      'started',
      'started',
      'queued',
      'queued',
      'full',
    ]);
    running.get('a')?.resolve('good');
    await settle();
    expect([...running.keys()]).to.deep.equal(['a', 'b', 'c']);
    expect(said).to.deep.equal(['a: good']);
    expect([pool.running, pool.queued]).to.deep.equal([2, 1]);
  });

  it('runs one task of a key at a time', async () => {
    submit('a');
    expect(submit('a')).to.equal('busy');
    running.get('a')?.resolve('good');
    await settle();
    expect(submit('a')).to.equal('started');
  });

  it('tells of failures, also of those that throw at once', async () => {
    submit('a');
    running.get('a')?.reject(new Error('refused'));
    pool.submit<string>({
      key: 'b',
      deadlineMs: 1_000,
      run: () => {
        throw new Error('a bug');
      },
      onEnd: (outcome) => said.push(`b: ${describeOutcome(outcome)}`),
    });
    await settle();
    expect(said).to.have.members(['a: refused', 'b: a bug']);
    expect(pool.running).to.equal(0);
  });

  it('ends a task at its deadline, which covers the wait for a place', async () => {
    submit('a');
    submit('b', 5_000);
    submit('c');
    await clock.advance(1_000);
    expect(said).to.deep.equal(['a: timeout, started true', 'c: timeout, started false']);
    expect(running.get('a')?.signal.aborted).to.equal(true);
  });

  it('keeps the place of a task that does not heed its signal, and its key', async () => {
    submit('a');
    submit('b', 5_000);
    await clock.advance(1_000);
    expect(submit('a')).to.equal('busy');
    expect(submit('c')).to.equal('queued');
    running.get('a')?.resolve('too late');
    await settle();
    expect(said).to.deep.equal(['a: timeout, started true']);
    expect([...running.keys()]).to.deep.equal(['a', 'b', 'c']);
  });

  it('cancels what runs and what waits', async () => {
    for (const key of ['a', 'b', 'c']) submit(key);
    expect([pool.cancel('a'), pool.cancel('c'), pool.cancel('c'), pool.cancel('x')]).to.deep.equal([
      true,
      true,
      false,
      false,
    ]);
    await settle();
    expect(said).to.deep.equal(['a: cancelled', 'c: cancelled']);
    expect(running.get('a')?.signal.aborted).to.equal(true);
    expect(pool.has('c')).to.equal(false);
    running.get('a')?.reject(new Error('aborted'));
    await settle();
    expect([...running.keys()]).to.deep.equal(['a', 'b']);
    expect(pool.queued).to.equal(0);
  });

  it('cancels everything when it stops, and waits until nothing runs', async () => {
    for (const key of ['a', 'b', 'c']) submit(key);
    let stopped = false;
    const stopping = pool.stop().then(() => {
      stopped = true;
    });
    await settle();
    expect(said).to.deep.equal(['a: cancelled', 'b: cancelled', 'c: cancelled']);
    expect(submit('d')).to.equal('stopped');
    running.get('a')?.resolve('x');
    await settle();
    expect(stopped).to.equal(false);
    running.get('b')?.resolve('x');
    await stopping;
    expect(clock.pending).to.deep.equal([]);
  });

  it('survives a callback that throws', async () => {
    pool.submit<string>({
      key: 'a',
      deadlineMs: 1_000,
      run: () => Promise.resolve('x'),
      onEnd() {
        throw new Error('a bug');
      },
    });
    await settle();
    expect(log.lines).to.deep.equal([
      { level: 'error', message: 'a handler failed', fields: { task: 'a', error: 'a bug' } },
    ]);
    expect(pool.running).to.equal(0);
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { releaseGarbage, whenIdle } from '../../src/garbage.ts';

describe('the garbage of a start', () => {
  it('is collected on request, without a flag of the process', () => {
    let garbage: unknown[] | undefined = Array.from({ length: 200_000 }, (_, index) => ({ index }));
    const before = process.memoryUsage().heapUsed + (garbage.length && 0);
    garbage = undefined;
    releaseGarbage();
    expect(process.memoryUsage().heapUsed).to.be.below(before);
  });

  it('is looked at until nothing is left to do, then once', async () => {
    let looks = 0;
    const called = Promise.withResolvers<void>();
    let calls = 0;
    const stop = whenIdle(
      () => ++looks >= 3,
      1,
      () => {
        calls += 1;
        called.resolve();
      },
    );
    const alive = setInterval(() => undefined, 1_000);
    await called.promise;
    await sleep(10);
    clearInterval(alive);
    stop();
    expect([looks, calls]).to.deep.equal([3, 1]);
  });
});

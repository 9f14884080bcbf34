import { expect } from 'chai';
import { createBesideTheLoop } from '../../src/beside-the-loop.ts';
import { memoryLog, settle, virtualClock } from './kube/support.ts';

describe('work beside the loop', () => {
  it('waits for no other kind of work: measurements are made while no pod answers', async () => {
    const clock = virtualClock();
    const log = memoryLog();
    const { run, stop } = createBesideTheLoop({ log, clock });
    const begun: string[] = [];
    const hanging = (key: string): void =>
      run(key, (signal) => {
        begun.push(key);
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
      });
    for (let pod = 0; pod < 100; pod++) hanging(`scrape/demo/shop/${pod}`);
    for (const key of ['measure/demo/shop/1/errors', 'preflight/demo/shop/1', 'warm-up/demo/shop/a'])
      hanging(key);
    await settle();
    const scrapes = begun.filter((key) => key.startsWith('scrape/'));
    expect([scrapes.length, begun.slice(scrapes.length)]).to.deep.equal([
      64,
      ['measure/demo/shop/1/errors', 'preflight/demo/shop/1', 'warm-up/demo/shop/a'],
    ]);
    await stop();
  });

  it('that fails is told', async () => {
    const log = memoryLog();
    const { run, stop } = createBesideTheLoop({ log, clock: virtualClock() });
    run('measure/demo/shop/1/errors', () => Promise.reject(new Error('no')));
    await settle();
    expect(log.lines.map(({ message }) => message)).to.deep.equal(['work beside the loop failed']);
    await stop();
  });

  it('is not begun any more once everything was stopped, whatever its kind', async () => {
    const { run, stop } = createBesideTheLoop({ log: memoryLog(), clock: virtualClock() });
    await stop();
    const begun: string[] = [];
    run('measure/demo/shop/1/errors', async () => void begun.push('measure'));
    await settle();
    expect(begun).to.deep.equal([]);
  });
});

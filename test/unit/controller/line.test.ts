import { expect } from 'chai';
import { createLine } from '../../../src/controller/line.ts';

/** Work that ends when it is told to. */
function held(): { work: () => Promise<string>; end: (how?: Error) => void; begun: () => boolean } {
  let begun = false;
  let end: (how?: Error) => void = () => undefined;
  const over = new Promise<string>((resolve, reject) => {
    end = (how) => (how === undefined ? resolve('done') : reject(how));
  });
  const work = (): Promise<string> => {
    begun = true;
    return over;
  };
  return { work, end: (how) => end(how), begun: () => begun };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a line of two places', () => {
  it('serves two at a time, in the order in which they came', async () => {
    const line = createLine(2);
    const all = [held(), held(), held(), held()];
    const answers = all.map(({ work }) => line(work));
    await settled();
    expect(all.map(({ begun }) => begun())).to.deep.equal([true, true, false, false]);
    all[1]?.end();
    await settled();
    expect(all.map(({ begun }) => begun())).to.deep.equal([true, true, true, false]);
    for (const { end } of all) end();
    expect(await Promise.all(answers)).to.deep.equal(['done', 'done', 'done', 'done']);
  });

  it('goes on when somebody’s work fails, and tells them', async () => {
    const line = createLine(1);
    const [bad, good] = [held(), held()];
    const first = line(bad.work).catch((error: Error) => error.message);
    const second = line(good.work);
    bad.end(new Error('no'));
    good.end();
    expect([await first, await second]).to.deep.equal(['no', 'done']);
  });

  it('has its places back when nobody waits', async () => {
    const line = createLine(1);
    for (let count = 0; count < 3; count++) expect(await line(async () => count)).to.equal(count);
  });
});

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

/** In no hurry. */
const never = new Promise<void>(() => undefined);

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a line of two places', () => {
  it('serves two at a time, in the order in which they came', async () => {
    const line = createLine(2);
    const all = [held(), held(), held(), held()];
    const answers = all.map(({ work }) => line(work, never));
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
    const first = line(bad.work, never).catch((error: Error) => error.message);
    const second = line(good.work, never);
    bad.end(new Error('no'));
    good.end();
    expect([await first, await second]).to.deep.equal(['no', 'done']);
  });

  it('has its places back when nobody waits', async () => {
    const line = createLine(1);
    for (let count = 0; count < 3; count++) expect(await line(async () => count, never)).to.equal(count);
  });

  it('lets somebody in a hurry leave it, and their turn falls to the next', async () => {
    const line = createLine(1);
    const hurry = Promise.withResolvers<void>();
    const [first, hasty, last] = [held(), held(), held()];
    const answers = [line(first.work, never), line(hasty.work, hurry.promise), line(last.work, never)];
    const begun = async (): Promise<boolean[]> => {
      await settled();
      return [first, hasty, last].map((each) => each.begun());
    };
    expect(await begun()).to.deep.equal([true, false, false]);
    hurry.resolve();
    expect(await begun()).to.deep.equal([true, true, false]);
    hasty.end();
    expect(await begun()).to.deep.equal([true, true, false]);
    first.end();
    expect(await begun()).to.deep.equal([true, true, true]);
    last.end();
    await Promise.all(answers);
    expect(await line(async () => 'served', never)).to.equal('served');
  });
});

import { expect } from 'chai';
import { inSlots } from '../slots.ts';

describe('Work in slots', () => {
  /** Items that end when they are told to, and what has begun so far. */
  function controlled(items: readonly string[], slots: number) {
    const begun: string[] = [];
    const ends = new Map<string, PromiseWithResolvers<string>>();
    const over = inSlots(items, slots, (item) => {
      begun.push(item);
      const end = Promise.withResolvers<string>();
      ends.set(item, end);
      return end.promise;
    });
    // An item that begins because another has ended begins within a few turns.
    const end = async (item: string, error?: Error): Promise<void> => {
      if (error === undefined) ends.get(item)?.resolve(`${item} is done`);
      else ends.get(item)?.reject(error);
      await new Promise((resolve) => setImmediate(resolve));
    };
    return { begun, end, over };
  }

  it('begins in the order of the items, and the next one whenever a slot is free', async () => {
    const { begun, end, over } = controlled(['a', 'b', 'c', 'd'], 2);
    expect(begun).to.deep.equal(['a', 'b']);
    await end('b');
    expect(begun).to.deep.equal(['a', 'b', 'c']);
    await end('c');
    expect(begun).to.deep.equal(['a', 'b', 'c', 'd']);
    await end('a');
    await end('d');
    expect(await over).to.have.members(['a is done', 'b is done', 'c is done', 'd is done']);
  });

  it('is over at once where there is nothing to do', async () => {
    expect(await inSlots([], 3, () => Promise.reject(new Error('never')))).to.deep.equal([]);
  });

  it('begins nothing more after an error', async () => {
    const { begun, end, over } = controlled(['a', 'b', 'c'], 2);
    const failed = over.catch((error: Error) => error.message);
    await end('a', new Error('no such program'));
    expect(await failed).to.equal('no such program');
    await end('b');
    expect(begun).to.deep.equal(['a', 'b']);
  });
});

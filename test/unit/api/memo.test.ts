import { expect } from 'chai';
import { memo } from '../../../src/api/memo.ts';

describe('what is worked out once for each object', () => {
  it('is the same for the same object, and its own for another that says the same', () => {
    let times = 0;
    const nameOf = memo(({ name }: { readonly name: string }) => {
      times += 1;
      return [name];
    });
    const blue = { name: 'blue' };
    expect(nameOf(blue)).to.equal(nameOf(blue));
    expect(nameOf({ name: 'blue' })).to.deep.equal(['blue']);
    expect(times).to.equal(2);
  });
});

import { expect } from 'chai';
import { editsOf, misfit } from '../../sabotage/sabotage.ts';
import { SABOTAGES } from '../../sabotage/table.ts';

describe('the sabotages', () => {
  it('are at least forty, and hit every invariant', () => {
    expect(SABOTAGES.length).to.be.at.least(40);
    const hit = new Set(SABOTAGES.map(({ invariant }) => invariant));
    expect([...hit].sort((a, b) => a - b)).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  it('have a name of their own, and say in a sentence what they break', () => {
    const names = SABOTAGES.map(({ name }) => name);
    expect(new Set(names).size).to.equal(names.length);
    for (const { breaks } of SABOTAGES) expect(breaks).to.match(/^[A-Z`].*\.$/);
  });

  it('each find their text exactly once in the sources as they are', () => {
    expect(SABOTAGES.flatMap(editsOf).flatMap((edit) => misfit(edit) ?? [])).to.deep.equal([]);
  });

  it('would be told apart from a text that is gone, and from one that stands there twice', () => {
    const file = 'src/release/mark.ts';
    expect(misfit({ file, find: 'no such text', replace: '' })).to.equal(
      'src/release/mark.ts has 0 times what is to be found: "no such text"',
    );
    expect(misfit({ file, find: 'isLater', replace: 'isLater' })).to.equal(
      'src/release/mark.ts would stay as it is',
    );
    expect(misfit({ file, find: 'SwitchMark', replace: '' })).to.match(
      /^src\/release\/mark.ts has \d+ times/,
    );
  });
});

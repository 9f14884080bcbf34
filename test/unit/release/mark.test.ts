import { expect } from 'chai';
import { formatMark, isLater, parseMark, type SwitchMark } from '../../../src/release/mark.ts';

const forward: SwitchMark = { uid: 'uid-1', revision: 'r2', attempt: 7, direction: 'Forward' };
const back: SwitchMark = { ...forward, direction: 'Back' };
const revisions = [
  { name: 'r1', facts: { attempt: 1 } },
  { name: 'r2', facts: { attempt: 7 } },
];

describe('the switch annotation', () => {
  it('says release, revision, attempt, and whether it is the way back', () => {
    expect(formatMark(forward)).to.equal('uid-1/r2/7');
    expect(formatMark(back)).to.equal('uid-1/r2/7/back');
  });

  it('is read as it was written', () => {
    expect(parseMark('uid-1/r2/7', 'uid-1')).to.deep.equal(forward);
    expect(parseMark('uid-1/r2/7/back', 'uid-1')).to.deep.equal(back);
    expect(parseMark('uid-1/r2/123456789', 'uid-1')?.attempt).to.equal(123456789);
  });

  for (const [text, why] of [
    [undefined, 'there is none'],
    ['', 'it is empty'],
    ['uid-2/r2/7', 'it is of another release'],
    ['uid-1/r2', 'the attempt is missing'],
    ['uid-1//7', 'the revision is missing'],
    ['/r2/7', 'the release is missing'],
    ['uid-1/r2/0', 'attempts begin at 1'],
    ['uid-1/r2/07', 'no number begins with 0'],
    ['uid-1/r2/x', 'the attempt is no number'],
    ['uid-1/r2/7x', 'something follows the attempt'],
    ['uid-1/r2/1234567890', 'no attempt has ten digits'],
    ['uid-1/r2/7/forth', 'the direction is unknown'],
    ['uid-1/r2/7/back/again', 'something follows the direction'],
    ['x/uid-1/r2/7', 'something stands before the release'],
  ] as const)
    it(`proves nothing where ${why}: ${text}`, () => {
      expect(parseMark(text, 'uid-1')).to.equal(undefined);
    });

  it('of a later attempt is later, whatever its direction', () => {
    expect(isLater({ ...forward, attempt: 8 }, back, revisions)).to.equal(true);
    expect(isLater(back, { ...forward, attempt: 8 }, revisions)).to.equal(false);
  });

  it('of the way back is later than that of the way forward, within an attempt', () => {
    expect(isLater(back, forward, revisions)).to.equal(true);
    expect(isLater(forward, back, revisions)).to.equal(false);
    expect(isLater(back, back, revisions)).to.equal(false);
    expect(isLater(forward, forward, revisions)).to.equal(false);
  });

  it('of a way forward undoes nothing: an earlier attempt is not later for it', () => {
    const earlier = { uid: 'uid-1', revision: 'r3', attempt: 7, direction: 'Forward' } as const;
    const later = { uid: 'uid-1', revision: 'r2', attempt: 9, direction: 'Forward' } as const;
    expect(isLater(earlier, later, revisions)).to.equal(false);
    expect(isLater(later, earlier, revisions)).to.equal(true);
    const first = { uid: 'uid-1', revision: 'r1', attempt: 1, direction: 'Forward' } as const;
    const wayBack = { uid: 'uid-1', revision: 'r3', attempt: 7, direction: 'Back' } as const;
    expect(isLater(first, wayBack, revisions)).to.equal(false);
    expect(isLater(wayBack, first, revisions)).to.equal(true);
  });

  it('is compared by its attempt with one of a revision that is gone, or was never started', () => {
    const gone = { ...forward, revision: 'r9', attempt: 3 };
    expect(isLater({ ...back, revision: 'r1' }, gone, [])).to.equal(true);
    expect(isLater({ ...back, revision: 'r1' }, gone, [{ name: 'r9' }])).to.equal(true);
  });

  it('of a way back from what another way back had brought back is later, although its attempt is earlier', () => {
    const broughtBack = { uid: 'uid-1', revision: 'r2', attempt: 9, direction: 'Back' } as const;
    const next = { uid: 'uid-1', revision: 'r1', attempt: 7, direction: 'Back' } as const;
    expect(isLater(next, broughtBack, revisions)).to.equal(true);
    expect(isLater(broughtBack, next, revisions)).to.equal(false);
  });
});

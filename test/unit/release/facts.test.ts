import { expect } from 'chai';
import { formatFacts, freshAttempt, parseFacts, type RevisionFacts } from '../../../src/release/facts.ts';
import { r2Committed, r2RolledBack } from './situations.ts';

const fresh = { color: 'blue' as const, attempt: 9, startedAt: 1000 };

describe('the facts of a revision', () => {
  it('are read as they were written', () => {
    expect(parseFacts(formatFacts(r2Committed))).to.deep.equal(r2Committed);
  });

  for (const [text, why] of [
    [undefined, 'there are none'],
    ['', 'they are empty'],
    ['{', 'they are no JSON'],
    ['null', 'they are nothing'],
    ['"blue"', 'they are a text'],
    ['7', 'they are a number'],
    ['{"attempt":1,"startedAt":1}', 'the colour is missing'],
    ['{"color":"red","attempt":1,"startedAt":1}', 'the colour is none of ours'],
    ['{"color":"blue","startedAt":1}', 'the attempt is missing'],
    ['{"color":"blue","attempt":"1","startedAt":1}', 'the attempt is no number'],
    ['{"color":"blue","attempt":1}', 'the start is missing'],
  ] as const)
    it(`count as none where ${why}: ${text}`, () => {
      expect(parseFacts(text)).to.equal(undefined);
    });

  it('are read with the least that they must say', () => {
    for (const color of ['blue', 'green'] as const)
      expect(parseFacts(`{"color":"${color}","attempt":1,"startedAt":1}`)).to.deep.equal({
        color,
        attempt: 1,
        startedAt: 1,
      });
  });

  it('of a fresh attempt forget the proofs and the end of the one before', () => {
    expect(freshAttempt(undefined, fresh)).to.deep.equal(fresh);
    expect(freshAttempt(r2RolledBack, fresh)).to.deep.equal(fresh);
  });

  it('of a fresh attempt keep that the revision was good once, and how often nobody knew', () => {
    const inconclusive = { count: 2, retryAt: 3000 };
    const before: RevisionFacts = { ...r2Committed, inconclusive };
    expect(freshAttempt(before, fresh)).to.deep.equal({
      ...fresh,
      committedAt: r2Committed.committedAt,
      inconclusive,
    });
  });
});

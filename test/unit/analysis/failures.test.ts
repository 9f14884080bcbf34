import { expect } from 'chai';
import fc from 'fast-check';
import { failuresInARow } from '../../../src/analysis/failures.ts';
import type { Measurement, Verdict } from '../../../src/analysis/measurement.ts';

const REASONS = { Good: 'WithinBounds', Bad: 'AboveMax', Unknown: 'NoData' } as const;

const row = (verdicts: readonly Verdict[]): Measurement[] =>
  verdicts.map((verdict, at) => ({ at, verdict, reason: REASONS[verdict], message: '' }));

/** 'b' bad, 'g' good, 'u' unknown; oldest first. */
const read = (letters: string): Measurement[] =>
  row(Array.from(letters, (letter) => ({ g: 'Good', b: 'Bad', u: 'Unknown' })[letter] as Verdict));

const verdicts = fc.array(fc.constantFrom<Verdict>('Good', 'Bad', 'Unknown'), { maxLength: 30 });
const onUnknown = fc.constantFrom('Hold' as const, 'Ignore' as const, 'Fail' as const);

describe('failures in a row', () => {
  const table: [string, 'Hold' | 'Ignore' | 'Fail', number][] = [
    ['', 'Hold', 0],
    ['g', 'Hold', 0],
    ['b', 'Hold', 1],
    ['bb', 'Hold', 2],
    ['bbg', 'Hold', 0],
    ['gbgb', 'Hold', 1],
    ['bub', 'Hold', 2],
    ['buu', 'Hold', 1],
    ['uuu', 'Hold', 0],
    ['uuu', 'Ignore', 0],
    ['uuu', 'Fail', 3],
    ['gub', 'Fail', 2],
    ['bug', 'Fail', 0],
  ];
  for (const [letters, mode, expected] of table) {
    it(`${letters || 'nothing'} with onUnknown ${mode}: ${expected}`, () => {
      expect(failuresInARow(read(letters), mode)).to.equal(expected);
    });
  }

  it('a good measurement at the end makes it none', () => {
    fc.assert(
      fc.property(verdicts, onUnknown, (list, mode) => {
        expect(failuresInARow(row([...list, 'Good']), mode)).to.equal(0);
      }),
    );
  });

  it('a bad measurement at the end makes it one more', () => {
    fc.assert(
      fc.property(verdicts, onUnknown, (list, mode) => {
        expect(failuresInARow(row([...list, 'Bad']), mode)).to.equal(failuresInARow(row(list), mode) + 1);
      }),
    );
  });

  it('an unknown measurement, wherever it stands, neither counts nor resets the count', () => {
    fc.assert(
      fc.property(
        verdicts,
        fc.nat(30),
        fc.constantFrom('Hold' as const, 'Ignore' as const),
        (list, where, mode) => {
          expect(failuresInARow(row(list.toSpliced(where, 0, 'Unknown')), mode)).to.equal(
            failuresInARow(row(list), mode),
          );
        },
      ),
    );
  });

  it('what happened before the last good measurement does not matter', () => {
    fc.assert(
      fc.property(verdicts, verdicts, onUnknown, (before, after, mode) => {
        expect(failuresInARow(row([...before, 'Good', ...after]), mode)).to.equal(
          failuresInARow(row(after), mode),
        );
      }),
    );
  });
});

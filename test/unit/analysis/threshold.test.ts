import { expect } from 'chai';
import fc from 'fast-check';
import type { Measurement, Sample } from '../../../src/analysis/measurement.ts';
import { judge, requireRequests, round } from '../../../src/analysis/threshold.ts';

const value = (number: number): Sample => ({ kind: 'value', value: number });
const noData: Sample = { kind: 'unknown', reason: 'NoData', message: 'the query answers with no series' };

/** A bound as the resource has it: digits, at most one point, perhaps a sign. */
const decimal = fc
  .tuple(fc.boolean(), fc.nat(), fc.option(fc.nat(), { nil: undefined }))
  .map(([minus, whole, part]) => `${minus ? '-' : ''}${whole}${part === undefined ? '' : `.${part}`}`);
const bounds = fc.record({ max: decimal, min: decimal }, { requiredKeys: [] });
const anyNumber = fc.double({ noNaN: true });

const GOOD = { verdict: 'Good', reason: 'WithinBounds' } as const;
const ABOVE = { verdict: 'Bad', reason: 'AboveMax' } as const;
const BELOW = { verdict: 'Bad', reason: 'BelowMin' } as const;

describe('a threshold', () => {
  const table: [string, Sample, { max?: string; min?: string }, Partial<Measurement>, string][] = [
    ['below max', value(0.5), { max: '1' }, GOOD, '0.5 is within bounds'],
    ['equal to max', value(1), { max: '1' }, GOOD, '1 is within bounds'],
    ['above max', value(1.5), { max: '1' }, ABOVE, '1.5 is above the maximum of 1'],
    ['equal to min', value(99), { min: '99' }, GOOD, '99 is within bounds'],
    ['below min', value(98.5), { min: '99' }, BELOW, '98.5 is below the minimum of 99'],
    ['between both', value(5), { min: '0', max: '10' }, GOOD, '5 is within bounds'],
    [
      'above, though it prints as equal',
      value(1.000_000_1),
      { max: '1' },
      ABOVE,
      '1 is above the maximum of 1',
    ],
    ['+Inf', value(Number.POSITIVE_INFINITY), { max: '1' }, ABOVE, 'Infinity is above the maximum of 1'],
    ['-Inf', value(Number.NEGATIVE_INFINITY), { min: '1' }, BELOW, '-Infinity is below the minimum of 1'],
    [
      'unknown',
      noData,
      { max: '1' },
      { verdict: 'Unknown', reason: 'NoData' },
      'the query answers with no series',
    ],
  ];
  for (const [name, sample, bound, expected, message] of table) {
    it(`${name}: ${message}`, () => {
      expect(judge(sample, bound, 7)).to.include({ at: 7, ...expected, message });
    });
  }

  it('is never good and bad for the same number: bad is exactly outside the bounds', () => {
    fc.assert(
      fc.property(anyNumber, bounds, (number, bound) => {
        const outside =
          (bound.max !== undefined && number > Number(bound.max)) ||
          (bound.min !== undefined && number < Number(bound.min));
        expect(judge(value(number), bound, 0).verdict).to.equal(outside ? 'Bad' : 'Good');
      }),
    );
  });

  it('never makes a verdict out of an unknown, whatever the bounds are', () => {
    fc.assert(
      fc.property(bounds, (bound) => {
        expect(judge(noData, bound, 0)).to.deep.equal({
          at: 0,
          verdict: 'Unknown',
          reason: 'NoData',
          message: 'the query answers with no series',
        });
      }),
    );
  });

  it('is monotonic: what is good stays good when it moves towards the allowed side', () => {
    fc.assert(
      fc.property(anyNumber, anyNumber, decimal, (a, b, max) => {
        const [low, high] = a <= b ? [a, b] : [b, a];
        fc.pre(judge(value(high), { max }, 0).verdict === 'Good');
        expect(judge(value(low), { max }, 0).verdict).to.equal('Good');
      }),
    );
  });

  it('shows six significant digits', () => {
    expect(round(0.123_456_789)).to.equal(0.123_457);
    expect(round(123_456_789)).to.equal(123_457_000);
  });
});

describe('a minimum of requests', () => {
  it('makes every number unknown below it, and changes nothing from there on', () => {
    fc.assert(
      fc.property(
        anyNumber,
        fc.nat(),
        fc.integer({ min: 1, max: 1_000_000 }),
        (number, requests, minimum) => {
          const sample = requireRequests(value(number), value(requests), minimum);
          if (requests >= minimum) expect(sample).to.deep.equal(value(number));
          else expect(sample).to.include({ kind: 'unknown', reason: 'TooFewRequests' });
        },
      ),
    );
  });

  it('is reached with exactly as many', () => {
    expect(requireRequests(value(1), value(100), 100)).to.deep.equal(value(1));
  });

  it('says how many there are and how many are needed', () => {
    expect(requireRequests(value(1), value(7), 100)).to.deep.equal({
      kind: 'unknown',
      reason: 'TooFewRequests',
      message: '7 requests so far, 100 are needed for a verdict',
    });
  });

  it('keeps the reason of the value, and else that of the number of requests', () => {
    const timeout: Sample = { kind: 'unknown', reason: 'SourceTimeout', message: 'late' };
    expect(requireRequests(noData, timeout, 1)).to.equal(noData);
    expect(requireRequests(value(1), timeout, 1)).to.equal(timeout);
  });
});

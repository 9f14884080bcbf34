import { expect } from 'chai';
import type { Counts } from '../../demo/load/tally.ts';
import { byVersion, failedOf, serverErrorsOf, unaccounted } from '../../demo/traffic.ts';

const counts = (change: Partial<Counts> = {}): Counts => ({
  due: 10,
  sent: 10,
  answers: { new: { v2: { 200: 5 } }, kept: { v1: { 200: 5 } } },
  connectionErrors: { new: 0, kept: 0 },
  timeouts: { new: 0, kept: 0 },
  notSent: 0,
  ...change,
});

describe('failed requests', () => {
  const table: [string, Partial<Counts>, number][] = [
    ['none', {}, 0],
    ['connection errors', { connectionErrors: { new: 2, kept: 1 } }, 3],
    ['time-outs', { timeouts: { new: 0, kept: 4 } }, 4],
    ['requests that were due and not sent', { notSent: 2 }, 2],
    ['errors of a good version', { answers: { new: { v2: { 500: 1 } }, kept: { v1: { 503: 2 } } } }, 3],
    ['errors that carry no version', { answers: { new: { unknown: { 500: 2 } }, kept: {} } }, 2],
    ['what is not found', { answers: { new: { v3: { 404: 2 } }, kept: {} } }, 2],
    ['not: errors that v3 sends on purpose', { answers: { new: { v3: { 200: 4, 500: 1 } }, kept: {} } }, 0],
  ];
  for (const [name, change, expected] of table) {
    it(`${name}: ${expected}`, () => {
      expect(failedOf(counts(change))).to.equal(expected);
    });
  }
});

it('server errors are the 5xx of v3', () => {
  const answers = { new: { v2: { 500: 1 }, v3: { 200: 40, 500: 9 } }, kept: { v3: { 500: 2, 404: 1 } } };
  expect(serverErrorsOf(counts({ answers }))).to.equal(11);
});

it('answers by version are those of both kinds of connection, in order', () => {
  const answers = { new: { v3: { 200: 4, 500: 1 }, v1: { 200: 2 } }, kept: { v1: { 200: 3 } } };
  const result = byVersion(counts({ answers }));
  expect(result).to.deep.equal({ v1: 5, v3: 5 });
  expect(Object.keys(result)).to.deep.equal(['v1', 'v3']);
});

it('a request that is neither answered nor failed is not accounted for', () => {
  expect(unaccounted(counts())).to.equal(0);
  expect(unaccounted(counts({ due: 13, notSent: 1 }))).to.equal(2);
});

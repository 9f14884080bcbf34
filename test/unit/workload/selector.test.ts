import { expect } from 'chai';
import { matchesSelector } from '../../../src/workload/selector.ts';

const labels = { app: 'shop', tier: 'web' };
const expression = (key: string, operator: string, ...values: string[]) => ({
  matchExpressions: [{ key, operator, values }],
});

describe('a label selector', () => {
  for (const [sentence, selector, matches] of [
    ['that is empty matches everything', {}, true],
    ['matches where all its labels are there', { matchLabels: { app: 'shop', tier: 'web' } }, true],
    ['does not where one of them is another', { matchLabels: { app: 'shop', tier: 'db' } }, false],
    ['In: one of the values', expression('app', 'In', 'till', 'shop'), true],
    ['In: a label that is not there', expression('zone', 'In', 'a'), false],
    ['NotIn: none of the values', expression('app', 'NotIn', 'shop'), false],
    ['NotIn: a label that is not there', expression('zone', 'NotIn', 'a'), true],
    ['Exists', expression('tier', 'Exists'), true],
    ['DoesNotExist', expression('tier', 'DoesNotExist'), false],
  ] as const) {
    it(sentence, () => {
      expect(matchesSelector(selector as object, labels)).to.equal(matches);
    });
  }
});

import { expect } from 'chai';
import fc from 'fast-check';
import { readAnswer } from '../../../src/metrics/answer.ts';

const freshness = { now: 0, stalenessMs: 300_000 };

describe('an answer of a metric source', () => {
  it('is a number or one named unknown with a short line, whatever its status and body are', () => {
    const body = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({
          status: fc.constantFrom('success', 'error'),
          errorType: fc.constantFrom('bad_data', 'execution', 'timeout'),
          error: fc.string({ unit: 'binary', maxLength: 600 }),
          data: fc.record({
            resultType: fc.constantFrom('vector', 'scalar', 'matrix', 'string', 'other'),
            result: fc.anything(),
          }),
        })
        .map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 599 }), body, (status, text) => {
        const sample = readAnswer({ status, body: text }, freshness);
        if (sample.kind === 'value') {
          expect(Number.isNaN(sample.value)).to.equal(false);
        } else {
          expect(sample.message.length).to.be.within(1, 256);
          expect(sample.message).to.not.match(/\p{Cc}/u);
        }
      }),
    );
  });

  it('gives back every finite number that is written as Go writes it', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const body = JSON.stringify({
          status: 'success',
          data: { resultType: 'scalar', result: [0, String(value)] },
        });
        expect(readAnswer({ status: 200, body }, freshness)).to.deep.equal({
          kind: 'value',
          value: Number(String(value)),
        });
      }),
    );
  });

  it('never hands on a label value out of an error of the evaluation', () => {
    const body = JSON.stringify({
      status: 'error',
      errorType: 'execution',
      error: 'multiple matches for labels: [a {customer="alice"}\n{customer="alice"}]',
    });
    expect(readAnswer({ status: 422, body }, freshness)).to.deep.equal({
      kind: 'unknown',
      reason: 'InvalidQuery',
      message: 'the metric source refuses the query: multiple matches for labels:',
    });
  });
});

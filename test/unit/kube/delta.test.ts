import { expect } from 'chai';
import fc from 'fast-check';
import { createDelta } from '../../../src/kube/delta.ts';

const pod = (index: number): string =>
  JSON.stringify({
    metadata: { name: `shop-${index}`, labels: { app: 'shop', 'pod-template-hash': `${index * 7919}` } },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }], podIP: `10.1.0.${index}` },
  });

describe('texts that are kept as what tells them from others', () => {
  it('gives back each text as it was, whatever was folded before it', () => {
    // Few words, so that texts have much in common.
    const word = fc.constantFrom(
      'name',
      'a-name-that-is-long',
      'label',
      'naïve',
      '発行',
      'line\nbreak\u0001',
      '',
    );
    const leaf = fc.oneof(word, fc.nat());
    const member = fc.oneof(
      leaf,
      fc.array(leaf, { maxLength: 4 }),
      fc.dictionary(word, leaf, { maxKeys: 4 }),
    );
    const value = fc.dictionary(word, member, { maxKeys: 6 });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 10 }), (values) => {
        const delta = createDelta();
        const texts = values.map((each) => JSON.stringify(each));
        const folded = texts.map((text) => delta.fold(text));
        expect(folded.map((each) => delta.unfold(each))).to.deep.equal(texts);
      }),
      { numRuns: 50 },
    );
  });

  it('keeps little of a text that is like one before it, also where that came long ago', () => {
    const delta = createDelta();
    delta.fold(pod(0));
    delta.fold(JSON.stringify({ kind: 'Service', spec: { ports: [{ port: 80, targetPort: 8080 }] } }));
    for (let index = 1; index < 100; index++) {
      const folded = delta.fold(pod(index));
      expect(folded.length).to.be.below(pod(index).length / 3);
      expect(delta.unfold(folded)).to.equal(pod(index));
    }
  });

  it('keeps texts that are longer than a copy can be, and more than it learns', () => {
    const delta = createDelta();
    const texts = Array.from({ length: 30 }, (_, index) =>
      JSON.stringify(Array.from({ length: 1000 }, (__, at) => `${at * 7919 + (index % 15)} of many`)),
    );
    const folded = texts.map((text) => delta.fold(text));
    expect(folded[15]?.length).to.be.below(texts[15]!.length / 100);
    expect(folded.map((each) => delta.unfold(each))).to.deep.equal(texts);
  });
});

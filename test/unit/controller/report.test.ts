import { expect } from 'chai';
import fc from 'fast-check';
import { mergePatch } from '../../../src/controller/report.ts';

/** RFC 7386, section 2, as the API server applies it. */
function applyMerge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> =
    typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = applyMerge(result[key], value);
  }
  return result;
}

describe('the patch of a status', () => {
  it('is nothing where nothing changed', () => {
    expect(mergePatch({ a: { b: 1 }, c: [1] }, { c: [1], a: { b: 1 } })).to.equal(undefined);
  });
  it('names what is gone, at every depth', () => {
    expect(
      mergePatch({ switch: { to: 'blue', convergedAt: 'x' }, phase: 'Idle' }, { switch: { to: 'green' } }),
    ).to.deep.equal({
      switch: { to: 'green', convergedAt: null },
      phase: null,
    });
  });
  it('replaces lists as a whole', () => {
    expect(mergePatch({ gates: [{ name: 'a' }] }, { gates: [{ name: 'b' }] })).to.deep.equal({
      gates: [{ name: 'b' }],
    });
  });
  it('makes the new status of any old one', () => {
    const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.array(fc.integer(), { maxLength: 3 }));
    const key = fc.constantFrom('a', 'b', 'c');
    const inner = fc.dictionary(key, leaf, { minKeys: 1 });
    const status = fc.dictionary(key, fc.oneof(leaf, inner));
    fc.assert(
      fc.property(status, status, (before, after) => {
        expect(applyMerge(before, mergePatch(before, after) ?? {})).to.deep.equal(after);
      }),
    );
  });
});

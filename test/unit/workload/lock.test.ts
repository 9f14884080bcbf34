import { expect } from 'chai';
import { formatLock, parseLock } from '../../../src/workload/lock.ts';

const noted = (text: string) => parseLock({ 'bluegreen.dev/capacity-lock': text });

describe('the note on an autoscaler whose minimum was raised', () => {
  it('is read as it was written', () => {
    const lock = { own: 2, written: 6, at: Date.parse('2026-03-01T12:00:00Z') };
    expect(noted(formatLock(lock))).to.deep.equal(lock);
  });

  it('is none where it is absent or somebody has written something else there', () => {
    expect(parseLock(undefined)).to.equal(undefined);
    for (const text of ['', '2', 'two->six', '2->', '->6', '2.5->6', '2->6', '2->6@noon'])
      expect(noted(text), text).to.equal(undefined);
  });
});

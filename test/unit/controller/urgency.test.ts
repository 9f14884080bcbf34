import { expect } from 'chai';
import { isUrgent } from '../../../src/controller/urgency.ts';

const release = (action?: string) => ({
  metadata: {
    name: 'shop',
    ...(action !== undefined && { annotations: { 'bluegreen.dev/action': action } }),
  },
});

const slice = (ready: readonly (boolean | undefined)[], labels: Record<string, string> = {}) => ({
  metadata: { name: 'shop-x', labels },
  endpoints: ready.map((each) => ({
    addresses: [],
    ...(each !== undefined && { conditions: { ready: each } }),
  })),
});

describe('what goes before everything that is merely due', () => {
  it('is production with fewer ready endpoints', () => {
    expect(isUrgent('slices', slice([true, false]), slice([true, true]))).to.equal(true);
    expect(isUrgent('slices', slice([]), slice([undefined]))).to.equal(true);
  });
  it('is an order of a person', () => {
    expect(isUrgent('releases', release('rollback@2'), release())).to.equal(true);
    expect(isUrgent('releases', release('abort@3'), release('rollback@2'))).to.equal(true);
  });
  it('is not a candidate, a switch that converges, or an order that was heard before', () => {
    const twin = { 'bluegreen.dev/color': 'green' };
    expect(isUrgent('slices', slice([true], twin), slice([false], twin))).to.equal(false);
    expect(isUrgent('slices', slice([], twin), slice([true], twin))).to.equal(false);
    expect(isUrgent('slices', slice([true, true]), slice([true, true]))).to.equal(false);
    expect(isUrgent('releases', release('rollback@2'), release('rollback@2'))).to.equal(false);
    expect(isUrgent('releases', release(), release('rollback@2'))).to.equal(false);
  });
  it('is, of what a start finds, what might have to go back, and nothing else', () => {
    const inPhase = (phase: string) => ({ ...release(), status: { phase } });
    expect(isUrgent('releases', inPhase('Switching'), undefined)).to.equal(true);
    expect(isUrgent('releases', inPhase('Observing'), undefined)).to.equal(true);
    expect(isUrgent('releases', inPhase('Preparing'), undefined)).to.equal(false);
    expect(isUrgent('releases', inPhase('Idle'), undefined)).to.equal(false);
    expect(isUrgent('slices', slice([]), undefined)).to.equal(false);
    expect(isUrgent('releases', release('rollback@2'), undefined)).to.equal(false);
  });
});

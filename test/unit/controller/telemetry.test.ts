import { expect } from 'chai';
import { reconcileObserver } from '../../../src/controller/telemetry.ts';
import type { Effect } from '../../../src/release/plan.ts';
import type { Metrics } from '../../../src/server/metrics.ts';

function recorder(): { metrics: Metrics; seen: string[] } {
  const seen: string[] = [];
  const metrics = {
    effectApplied: () => undefined,
    switchReached: (stage: string, seconds: number) => void seen.push(`switch ${stage} ${seconds}`),
    rollbackReached: (stage: string, seconds: number) => void seen.push(`rollback ${stage} ${seconds}`),
  } as unknown as Metrics;
  return { metrics, seen };
}

const patch = (change: object): Effect => ({
  kind: 'PatchSelector',
  service: 'shop',
  uid: 'u',
  from: {},
  expectedMark: 'u/r1/1',
  color: 'green',
  mark: { uid: 'u', revision: 'r2', attempt: 2, direction: 'Forward' },
  decidedAt: 1000,
  reason: '',
  rescue: false,
  ...change,
});
const back = { uid: 'u', revision: 'r1', attempt: 2, direction: 'Back' };

describe('the seconds that a switch took', () => {
  const table: readonly [string, object, string[]][] = [
    ['count for a switch', {}, ['switch patched 0.5']],
    ['count for a way back', { mark: back, rescue: true }, ['rollback patched 0.5']],
    ['count for what a crash had left behind', { rescue: true }, ['switch patched 0.5']],
    ['do not count for a selector that was put back', { rescue: true, expectedMark: 'u/r2/2' }, []],
    ['do not count for a Service that joined later', { rescue: true, expectedMark: undefined }, []],
    ['do not count for an adoption that was undone', { mark: undefined, color: undefined }, []],
  ];
  for (const [what, change, expected] of table) {
    it(what, () => {
      const { metrics, seen } = recorder();
      reconcileObserver(metrics).onEffect(patch(change), 'applied', 1500);
      expect(seen).to.deep.equal(expected);
    });
  }

  it('count for what is published, and for its consumers as a whole', () => {
    const { metrics, seen } = recorder();
    const observer = reconcileObserver(metrics);
    observer.onEffect(
      { ...patch({}), kind: 'Publish', configMap: 'search', data: {} } as Effect,
      'applied',
      1500,
    );
    const move = (convergedAt?: string): any => ({
      direction: 'Forward',
      to: 'green',
      revision: 'r2',
      decidedAt: '2026-01-01T00:00:00.000Z',
      ...(convergedAt !== undefined && { convergedAt }),
      endpoint: { configMap: 'search', inSync: true, consumers: [] },
    });
    const key = { namespace: 'team', name: 'shop' };
    const done = { switch: move('2026-01-01T00:00:20.000Z') };
    observer.onStatus(key, { switch: move() }, done);
    observer.onStatus(key, done, done);
    expect(seen).to.deep.equal(['switch patched 0.5', 'switch converged 20']);
  });

  it('count for each Service whose endpoints have followed since', () => {
    const { metrics, seen } = recorder();
    const service = (name: string, convergedAt?: string) => ({
      name,
      inSync: true,
      converged: true,
      ready: 1,
      decidedAt: '2026-01-01T00:00:00.000Z',
      ...(convergedAt !== undefined && { convergedAt }),
    });
    const move = (services: object[]) => ({
      switch: { direction: 'Forward', to: 'green', revision: 'r2', services },
    });
    const before = move([service('a', '2026-01-01T00:00:01.000Z'), service('b')]);
    const after = move([service('a', '2026-01-01T00:00:01.000Z'), service('b', '2026-01-01T00:00:02.000Z')]);
    reconcileObserver(metrics).onStatus({ name: 'shop' }, before as never, after as never);
    expect(seen).to.deep.equal(['switch converged 2']);
  });
});

import { expect } from 'chai';
import type { ReleaseSpecInput } from '../../../src/api/schema.ts';
import type { WarmUpSeen } from '../../../src/release/snapshot.ts';
import { decided } from '../release/decided.ts';
import { built, validated } from '../release/situations.ts';
import { endpointsOf, MINUTE, NOON, type Picture, SECOND } from '../release/world.ts';

const spec: Partial<ReleaseSpecInput> = { preparation: { warmUp: { path: '/', requests: 50 } } };
const seen = (...answered: (number | WarmUpSeen)[]): Record<string, WarmUpSeen> =>
  Object.fromEntries(
    answered.map((each, index) => [
      `green-pod-${index}`,
      typeof each === 'number' ? { answered: each, at: NOON } : each,
    ]),
  );
const silent = (at: number): WarmUpSeen => ({ answered: 0, at, trouble: 'ECONNREFUSED' });
const given = (warmUps: Record<string, WarmUpSeen>, picture: Picture = built): Picture => ({
  ...picture,
  spec,
  observations: { warmUps },
});
const podsAsked = (picture: Picture): string[] =>
  decided(picture).plan.requests.flatMap((request) => (request.kind === 'WarmUp' ? [request.pod] : []));

describe('warm-up', () => {
  it('asks every candidate pod when the candidate is ready', () => {
    const { phase, reason, message, effects, plan } = decided(given({}));
    expect([phase, reason, effects]).to.deep.equal(['Preparing', 'WarmingUp', []]);
    expect(message).to.equal(
      '0 of 3 pods answered 50 warm-up requests each, waiting until 2026-06-01T12:09:00Z',
    );
    expect(plan.requests[0]).to.deep.equal({
      kind: 'WarmUp',
      revision: 'r2',
      attempt: 2,
      color: 'green',
      pod: 'checkout-green-0',
      uid: 'green-pod-0',
      asked: { path: '/', requests: 50 },
    });
    expect(plan.requests).to.have.length(3);
    expect(plan.status.gates?.map(({ name, state }) => [name, state])).to.deep.equal([
      ['readiness', 'Passed'],
      ['warm-up', 'Running'],
    ]);
  });

  it('asks those again that have not answered all, and those that were silent after five seconds', () => {
    expect(podsAsked(given(seen(50, 49, silent(NOON - 4 * SECOND))))).to.deep.equal(['checkout-green-1']);
    expect(podsAsked(given(seen(50, 50, silent(NOON - 5 * SECOND))))).to.deep.equal(['checkout-green-2']);
  });

  it('looks again after five seconds, and at the deadline where that is earlier', () => {
    expect(decided(given({})).plan.lookAgainAt).to.equal(NOON + 5 * SECOND);
    const deadline = NOON + 9 * MINUTE;
    const late = { ...built, now: deadline - SECOND };
    expect(decided(given({}, late)).plan.lookAgainAt).to.equal(deadline);
  });

  it('does not wait for a pod that is not ready', () => {
    const pods = [{}, {}, {}, { ready: false }];
    const green = { revision: 'r2', ready: 3, pods, deployment: { pods: 3, updated: 3, desired: 3 } };
    const { message } = decided(given(seen(50, 50, 50), { ...built, green }));
    expect(message).to.equal('revision r2 passed all 2 gates');
  });

  it('waits for a pod of which only its endpoint has been heard to be ready', () => {
    const pods = [{}, {}, { ready: false }];
    const green = { revision: 'r2', ready: 3, pods, deployment: { pods: 3, updated: 3, desired: 3 } };
    const blue = { revision: 'r1', ready: 3 };
    const endpoints = endpointsOf(pods.map((_, index) => ({ uid: `green-pod-${index}`, ready: true })));
    const twin = { found: true, ours: true, matches: true };
    const twins = { blue: { ...twin, endpoints: [] }, green: { ...twin, endpoints } };
    const picture = given(seen(50, 50), { ...built, blue, green, service: { twins } });
    expect(decided(picture).message).to.equal(
      '2 of 3 pods answered 50 warm-up requests each, waiting until 2026-06-01T12:09:00Z',
    );
    expect(podsAsked(picture)).to.deep.equal(['checkout-green-2']);
  });

  it('waits for a pod that is ready, and of whose endpoint nobody has heard yet', () => {
    const green = { revision: 'r2', ready: 4 };
    const pods = [0, 1, 2].map((index) => ({ uid: `green-pod-${index}`, ready: true }));
    const twin = { found: true, ours: true, matches: true };
    const twins = { blue: { ...twin, endpoints: [] }, green: { ...twin, endpoints: endpointsOf(pods) } };
    const picture = given(seen(50, 50, 50), { ...built, green, service: { twins } });
    expect(podsAsked(picture)).to.deep.equal(['checkout-green-3']);
  });

  it('lets the gates begin when all have answered', () => {
    const { effects, message } = decided(given(seen(50, 50, 50)));
    expect([effects, message]).to.deep.equal([['RecordFacts r2'], 'revision r2 passed all 2 gates']);
  });

  it('comes before the switch too, for a pod that is new since', () => {
    expect(decided(given(seen(50, 50, 50), validated)).effects).to.deep.equal([
      'PatchSelector checkout -> green',
    ]);
    expect(podsAsked(given(seen(50, 50), validated))).to.deep.equal(['checkout-green-2']);
  });

  it('that nobody answers ends the attempt at the deadline, and is nobody’s fault', () => {
    const late = { ...built, now: NOON + 9 * MINUTE };
    const { reason, message, effects, plan } = decided(given(seen(50, 50, silent(NOON)), late));
    expect([reason, effects]).to.deep.equal(['WarmUpUnanswered', ['RecordFacts r2 Inconclusive']]);
    expect(plan.requests, 'nobody is asked any more').to.deep.equal([]);
    expect(message).to.equal(
      '2 of 3 pods answered 50 warm-up requests each (pod checkout-green-2: ECONNREFUSED)',
    );
  });
});

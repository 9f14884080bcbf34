import { expect } from 'chai';
import {
  activeColor,
  convergence,
  podsOf,
  readyCount,
  readyOfColor,
  servesAlone,
  servingCount,
  servingOfColor,
  weakest,
} from '../../../src/release/endpoints.ts';
import type { Endpoint, ServiceView, Snapshot } from '../../../src/release/snapshot.ts';
import { fresh, idle, switched } from './situations.ts';
import { LABEL, type Picture, world } from './world.ts';

const listed = (podUid: string, change: Partial<Endpoint> = {}): Endpoint => ({
  podUid,
  ready: true,
  serving: true,
  group: 'IPv4/http',
  ...change,
});
const [ONE, TWO] = ['green-pod-0', 'green-pod-1'];

/** The Service of a picture, of which its own endpoints and those of its twins are as a test says. */
function behind(
  endpoints: readonly Endpoint[],
  twin: readonly Endpoint[],
  picture: Picture = switched,
): { snapshot: Snapshot; service: ServiceView } {
  const snapshot = world(picture);
  const service = snapshot.services[0] as ServiceView;
  const of = (list: readonly Endpoint[]) => ({ ...service.twins.green, endpoints: list });
  const changed = { ...service, endpoints, twins: { blue: of([]), green: of(twin) } };
  return { snapshot: { ...snapshot, services: [changed] }, service: changed };
}

describe('pods that are counted at the endpoints', () => {
  it('are of a colour by its twin, and by their labels', () => {
    const { snapshot, service } = behind([], [listed('twin-only')]);
    expect([...podsOf(snapshot, service, 'green')]).to.deep.equal(['twin-only', ONE, TWO, 'green-pod-2']);
  });

  it('are ready in every family and port that the Service has, also where the twin lacks one', () => {
    const both = [listed(ONE), listed(ONE, { group: 'IPv6/http' }), listed(TWO)];
    expect([...readyOfColor(behind([], both).service, 'green')]).to.deep.equal([ONE]);
    const lacking = behind([listed('blue-pod-0', { group: 'IPv6/http' })], [listed(ONE), listed(TWO)]);
    expect([...readyOfColor(lacking.service, 'green')]).to.deep.equal([]);
    expect([...readyOfColor(lacking.service, 'green')], 'asked once more').to.deep.equal([]);
    const after = { ...lacking.service, endpoints: [listed('blue-pod-0')] };
    expect([...readyOfColor(after, 'green')], 'behind another list').to.deep.equal([ONE, TWO]);
  });

  it('are as few as the Service has that has fewest, and none where there is no Service', () => {
    const two = world({ ...switched, services: ['shop', 'admin'] });
    const [shop, admin] = two.services as [ServiceView, ServiceView];
    const twins = { ...admin.twins, green: { ...admin.twins.green, endpoints: [listed(ONE)] } };
    const uneven = { ...two, services: [shop, { ...admin, endpoints: [listed(ONE)], twins }] };
    expect([
      readyCount(uneven, 'green'),
      servingCount(uneven),
      servingOfColor(uneven, 'green'),
    ]).to.deep.equal([1, 1, 1]);
    expect(weakest(uneven, 'green')).to.deep.equal({ service: 'admin', ready: 1 });
    const none = { ...two, services: [] };
    expect([readyCount(none, 'green'), servingCount(none)]).to.deep.equal([0, 0]);
    expect(weakest(none, 'green')).to.deep.equal({ service: '', ready: 0 });
  });

  it('are all that serve where no side can be reached through any Service: those of the source count', () => {
    expect([servingCount(world(fresh)), servingOfColor(world(fresh), 'blue')]).to.deep.equal([3, 0]);
    expect(servesAlone(world(fresh), 'blue')).to.equal(false);
  });

  it('serve alone where no pod of another side is ready behind any Service', () => {
    expect([servesAlone(world(switched), 'green'), servesAlone(world(switched), 'blue')]).to.deep.equal([
      true,
      false,
    ]);
    const two = world({ ...switched, services: ['shop', 'admin'] });
    const [shop, admin] = two.services as [ServiceView, ServiceView];
    const mixed = { ...admin, endpoints: [...admin.endpoints, listed('blue-pod-0')] };
    expect(servesAlone({ ...two, services: [shop, mixed] }, 'green')).to.equal(false);
  });
});

describe('the proof of a switch at a Service', () => {
  const proof = (endpoints: readonly Endpoint[], required: number, twin = endpoints): unknown[] => {
    const { snapshot, service } = behind(endpoints, twin);
    const { converged, ready, foreign } = convergence(snapshot, service, 'green', required);
    return [converged, ready, foreign];
  };
  const gone = listed('blue-pod-0', { ready: false, serving: false });

  it('needs as many pods as are asked for, where the twin has them', () => {
    expect(proof([listed(ONE), listed(TWO)], 2)).to.deep.equal([true, 2, 0]);
    expect(proof([listed(ONE)], 2, [listed(ONE), listed(TWO)])).to.deep.equal([false, 1, 0]);
    expect(proof([listed(ONE)], 1, [listed(ONE), listed(TWO)])).to.deep.equal([true, 1, 0]);
  });

  it('does not fail for one pod’s blip, which the twin tells as well', () => {
    expect(proof([listed(ONE)], 2, [listed(ONE)])).to.deep.equal([true, 1, 0]);
  });

  it('needs a ready pod, however few are asked for', () => {
    expect(proof([], 0)).to.deep.equal([false, 0, 0]);
  });

  it('waits for what is ready or serves of another side, and not for what has ended', () => {
    expect(proof([listed(ONE), gone], 1, [listed(ONE)])).to.deep.equal([true, 1, 0]);
    expect(proof([listed(ONE), { ...gone, serving: true }], 1, [listed(ONE)])).to.deep.equal([false, 1, 1]);
    expect(proof([listed(ONE), { ...gone, ready: true }], 1, [listed(ONE)])).to.deep.equal([false, 1, 1]);
  });
});

describe('the colour that production is on', () => {
  it('is what the first Service says that names one', () => {
    const [keyless, green, blue] = [{ ...idle, route: undefined }, switched, idle].map(
      (picture) => world(picture).services,
    );
    expect(activeColor(keyless ?? [], LABEL)).to.equal(undefined);
    expect(
      activeColor(
        [keyless, green, blue].flatMap((each) => each ?? []),
        LABEL,
      ),
    ).to.equal('green');
  });
});

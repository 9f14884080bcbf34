import { expect } from 'chai';
import { uncovered } from '../../../src/release/places.ts';
import type { Endpoint, Locality, Snapshot } from '../../../src/release/snapshot.ts';
import { decidedOn } from './decided.ts';
import { observed, validated } from './situations.ts';
import { editServices, endpointsOf, type Picture, world } from './world.ts';

const LOCAL: Locality = { kind: 'node', field: 'externalTrafficPolicy: Local' };
const ZONAL: Locality = { kind: 'zone', field: 'trafficDistribution: PreferClose' };

/** Pod after pod on these nodes; the zone of a node is its last letter. */
const onNodes = (endpoints: readonly Endpoint[], nodes: readonly string[]): Endpoint[] =>
  endpoints.map((endpoint, index) => {
    const node = nodes[index] ?? '';
    return { ...endpoint, node, zone: `zone-${node.slice(-1)}` };
  });

function placed(
  picture: Picture,
  locality: Locality,
  blue: readonly string[],
  green: readonly string[],
): Snapshot {
  const snapshot = world(picture);
  const [service] = snapshot.services;
  if (service === undefined) throw new Error('there is a Service');
  const twin = (color: 'blue' | 'green', nodes: readonly string[]) => ({
    ...service.twins[color],
    endpoints: onNodes(endpointsOf(snapshot.sides[color].pods), nodes),
  });
  const serving = picture.route === 'green' ? twin('green', green) : twin('blue', blue);
  return editServices(snapshot, {
    locality,
    endpoints: serving.endpoints,
    twins: { blue: twin('blue', blue), green: twin('green', green) },
  });
}

describe('a Service that keeps traffic near the client', () => {
  it('is switched when each node with a ready pod has one of the candidate', () => {
    const snapshot = placed(validated, LOCAL, ['a', 'b', 'b'], ['b', 'a', 'c']);
    expect(decidedOn(snapshot).effects).to.deep.equal(['PatchSelector checkout -> green']);
  });

  it('waits otherwise, and names the node', () => {
    const { effects, message } = decidedOn(placed(validated, LOCAL, ['a', 'b', 'c'], ['a', 'a', 'c']));
    expect(effects).to.deep.equal([]);
    expect(message).to.equal(
      '3 of 3 green pods are ready; node "b" has ready pods behind Service "checkout" (externalTrafficPolicy: Local) and none of them is green: spread the pods, by a topology spread constraint in the template, over every node that gets traffic, waiting until 2026-06-01T12:09:50Z',
    );
  });

  it('may ask for a pod in each zone only', () => {
    const nodes = ['1a', '2a', '1b'];
    expect(decidedOn(placed(validated, ZONAL, nodes, ['3a', '3b', '3b'])).effects).to.have.lengthOf(1);
    expect(decidedOn(placed(validated, ZONAL, nodes, ['3a', '3a', '3a'])).message).to.match(
      /; zone "zone-b" has ready pods behind Service "checkout" \(trafficDistribution: PreferClose\) and none of them is green: /,
    );
  });

  it('goes back to whatever is ready: a node without a pod is better than a bad side', () => {
    const dead: Picture = { ...observed, green: { revision: 'r2', desired: 3, ready: 0 } };
    expect(decidedOn(placed(dead, LOCAL, ['a', 'a', 'a'], ['a', 'b', 'c'])).effects).to.deep.equal([
      'PatchSelector checkout -> blue',
    ]);
  });

  it('asks nothing of other Services', () => {
    const snapshot = placed(validated, LOCAL, ['a', 'b', 'c'], ['a', 'a', 'c']);
    expect(decidedOn(editServices(snapshot, { locality: undefined })).effects).to.have.lengthOf(1);
  });

  describe('has a node that is not covered', () => {
    const listed = (serving: readonly Partial<Endpoint>[], green: readonly Partial<Endpoint>[]) => {
      const snapshot = placed(validated, LOCAL, [], []);
      const [service] = snapshot.services;
      if (service === undefined) throw new Error('there is a Service');
      const fill = (list: readonly Partial<Endpoint>[], color: string): Endpoint[] =>
        list.map((change, index) => ({
          podUid: `${color}-pod-${index}`,
          ready: true,
          serving: true,
          group: 'IPv4/http',
          ...change,
        }));
      const twins = { ...service.twins, green: { ...service.twins.green, endpoints: fill(green, 'green') } };
      const found = uncovered(editServices(snapshot, { endpoints: fill(serving, 'blue'), twins }), 'green');
      return found?.slice(0, found.indexOf(' has ready pods'));
    };

    it('where its one pod of the candidate is not ready', () => {
      expect(listed([{ node: 'a' }, { node: 'b' }], [{ node: 'a' }, { node: 'b' }])).to.equal(undefined);
      expect(listed([{ node: 'a' }, { node: 'b' }], [{ node: 'a' }, { node: 'b', ready: false }])).to.equal(
        'node "b"',
      );
    });

    it('but not where production has no ready pod either, or nobody knows where it is', () => {
      expect(listed([{ node: 'a' }, { node: 'b', ready: false }], [{ node: 'a' }])).to.equal(undefined);
      expect(listed([{ node: 'a' }, {}], [{ node: 'a' }])).to.equal(undefined);
    });

    it('and names the first of several', () => {
      expect(listed([{ node: 'c' }, { node: 'b' }, { node: 'a' }], [{ node: 'a' }])).to.equal('node "b"');
    });
  });
});

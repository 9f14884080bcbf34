import { expect } from 'chai';
import { specSchema } from '../../../src/api/schema.ts';
import { WATCHED } from '../../../src/controller/cache.ts';
import { endpointsOf } from '../../../src/controller/views/endpoint.ts';
import { jobView } from '../../../src/controller/views/job.ts';
import { revisionView } from '../../../src/controller/views/revision.ts';
import { serviceView, twinView } from '../../../src/controller/views/service.ts';
import type { EndpointSlice, Job, Pod, Service } from '../../../src/kube/types.ts';
import { readyPods } from '../../../src/release/endpoints.ts';
import { contentOf, fingerprint } from '../../../src/workload/content.ts';
import { inlineDeployment } from '../../../src/workload/inline.ts';
import { renderTwin } from '../../../src/workload/render.ts';

const release = {
  namespace: 'demo',
  name: 'shop',
  uid: 'u',
  spec: specSchema.parse({
    workload: { deploymentRef: { name: 'shop' } },
    traffic: { services: [{ name: 'shop' }] },
  }),
};

function slice(pods: readonly string[], change: Partial<EndpointSlice> = {}): EndpointSlice {
  const managed = 'endpointslice.kubernetes.io/managed-by';
  return {
    metadata: { name: 'a', labels: { [managed]: 'endpointslice-controller.k8s.io' } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 80 }],
    endpoints: pods.map((uid) => ({
      addresses: ['10.0.0.1'],
      targetRef: { uid },
      nodeName: 'n1',
      zone: 'z1',
    })),
    ...change,
  };
}
const pods = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `pod-${from + index}`);

describe('the endpoints of a Service', () => {
  it('are those of all its slices', () => {
    const slices = [slice(pods(0, 100)), slice(pods(100, 200)), slice(pods(200, 250))];
    expect(readyPods(endpointsOf(slices)).size).to.equal(250);
  });

  it('are ready where every address family has them', () => {
    const slices = [slice(pods(0, 3)), slice(pods(0, 2), { addressType: 'IPv6' })];
    expect([...readyPods(endpointsOf(slices))]).to.deep.equal(['pod-0', 'pod-1']);
  });

  it('are ready where every port has them, whatever number a named port has in each pod', () => {
    const grpc = { name: 'grpc', port: 9000 };
    const old = slice(pods(0, 2), { ports: [{ name: 'http', port: 80 }, grpc] });
    const moved = slice(pods(2, 3), { ports: [{ name: 'http', port: 8080 }, grpc] });
    const half = slice(pods(3, 4), { ports: [{ name: 'http', port: 80 }] });
    expect([...readyPods(endpointsOf([old, moved, half]))]).to.deep.equal(['pod-0', 'pod-1', 'pod-2']);
  });

  it('of a slice that somebody made by hand prove nothing', () => {
    expect(endpointsOf([slice(pods(0, 2), { metadata: { name: 'mine' } })])).to.deep.equal([]);
  });

  it('keep their place in the cache', () => {
    const trim = WATCHED.slices.trim as unknown as (object: EndpointSlice) => EndpointSlice;
    expect(endpointsOf([trim(slice(['pod-0']))])).to.deep.equal([
      { podUid: 'pod-0', ready: true, serving: true, group: 'IPv4/http', node: 'n1', zone: 'z1' },
    ]);
  });
});

const twins = {
  blue: { found: false, ours: false, matches: false, endpoints: [] },
  green: { found: false, ours: false, matches: false, endpoints: [] },
};
const service = (spec: Partial<Service['spec']>): Service => ({
  metadata: { name: 'shop', labels: {} },
  spec: { selector: { app: 'shop' }, ports: [{ port: 80 }], ...spec },
});

describe('what keeps traffic near the client', () => {
  const table: readonly [Partial<Service['spec']>, string | undefined][] = [
    [{}, undefined],
    [{ internalTrafficPolicy: 'Cluster', externalTrafficPolicy: 'Cluster' }, undefined],
    [{ internalTrafficPolicy: 'Local' }, 'node: internalTrafficPolicy: Local'],
    [{ externalTrafficPolicy: 'Local' }, 'node: externalTrafficPolicy: Local'],
    [{ trafficDistribution: 'PreferSameNode' }, 'node: trafficDistribution: PreferSameNode'],
    [{ trafficDistribution: 'PreferSameZone' }, 'zone: trafficDistribution: PreferSameZone'],
    [{ trafficDistribution: 'PreferClose' }, 'zone: trafficDistribution: PreferClose'],
  ];
  for (const [spec, expected] of table) {
    it(`is ${expected ?? 'nothing'} in ${JSON.stringify(spec)}`, () => {
      const { locality } = serviceView('shop', service(spec), release, twins, [], () => true);
      expect(locality && `${locality.kind}: ${locality.field}`).to.equal(expected);
    });
  }
});

describe('the twin of a Service that an ejection has left with the source', () => {
  it('selects the pods of its colour, none of which is of the template that the Service names', () => {
    const left = service({ selector: { app: 'shop', 'pod-template-hash': 'abc' } });
    const twin = renderTwin(release, left, 'blue');
    expect(twin.spec.selector).to.deep.equal({ app: 'shop', 'bluegreen.dev/color': 'blue' });
  });
});

describe('the twin of a Service that became dual stack', () => {
  const dual = service({ ipFamilyPolicy: 'PreferDualStack', ipFamilies: ['IPv4', 'IPv6'] });

  it('is not as it should be before it has both families, too', () => {
    const twin = { ...renderTwin(release, dual, 'blue') };
    expect(twinView(twin, dual, release, 'blue', []).matches).to.equal(true);
    const single = { ...twin, spec: { ...twin.spec, ipFamilies: ['IPv4'] } };
    expect(twinView(single, dual, release, 'blue', []).matches).to.equal(false);
  });
});

describe('a Job that failed', () => {
  const job: Job = {
    metadata: { name: 'shop-smoke-1' },
    spec: { template: { spec: {} } },
    status: { conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded' }] },
  };
  const said = (name: string, second: number): Pod => ({
    metadata: { name, creationTimestamp: `2026-06-01T12:00:0${second}Z` },
    spec: {},
    status: { containerStatuses: [{ name: 'smoke', state: { terminated: { exitCode: 1, message: name } } }] },
  });

  it('says what its last pod said; of several in one second the same one, whichever was heard of first', () => {
    const says = (...pods: Pod[]): string | undefined => jobView(job, pods).message;
    expect(says(said('a', 1), said('b', 2))).to.equal('b');
    expect(says(said('a', 1), said('b', 1))).to.equal('a');
    expect(says(said('b', 1), said('a', 1))).to.equal('a');
    expect(says()).to.equal('BackoffLimitExceeded');
  });
});

describe('a revision', () => {
  const pods = (cpu: string) => ({ containers: [{ name: 'app', resources: { requests: { cpu } } }] });
  const deployment = { spec: { replicas: 1, template: { spec: pods('1000m') } } };
  const spec = { ...release.spec, workload: { deployment } };
  const stored = { template: { spec: pods('1') } };
  const revision = (data: object): any => ({
    metadata: { name: 'shop-r1', labels: { 'bluegreen.dev/revision': 'r1' } },
    data,
    revision: 1,
  });

  it('of what stood in the release is what people wrote, whatever the API server made of it', () => {
    const written = fingerprint(contentOf(inlineDeployment(deployment)));
    expect(written).not.to.equal(fingerprint(stored));
    expect(revisionView(revision({ spec, content: stored, inline: true }))?.fingerprint).to.equal(written);
  });

  it('of a colour that was taken over is what that colour runs', () => {
    expect(revisionView(revision({ spec, content: stored }))?.fingerprint).to.equal(fingerprint(stored));
  });
});

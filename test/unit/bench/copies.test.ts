import { expect } from 'chai';
import { copyOf, type Stored, templateOf } from '../../../bench/copies.ts';

const RELEASE_UID = '11111111-1111-4111-8111-111111111111';
const POD_UID = '22222222-2222-4222-8222-222222222222';
const place = { namespace: 'home', name: 'shop' };

const stored = [
  {
    folder: 'bluegreen.dev/bluegreenreleases',
    object: { kind: 'BlueGreenRelease', metadata: { ...place, uid: RELEASE_UID } },
  },
  {
    folder: 'services/specs',
    object: {
      kind: 'Service',
      metadata: { ...place, annotations: { 'bluegreen.dev/switch': `${RELEASE_UID}/r2/2` } },
      spec: { clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7'] },
    },
  },
  {
    folder: 'pods',
    object: {
      kind: 'Pod',
      metadata: { namespace: 'home', name: 'shop-green-abc', uid: POD_UID },
      spec: { nodeName: 'node-2' },
      status: { podIP: '10.244.0.9' },
    },
  },
  { folder: 'ipaddresses', object: { kind: 'IPAddress', metadata: { name: '10.96.0.7' } } },
] as Stored[];

const template = templateOf(place, stored);
const copies = (index: number) => copyOf(template, { namespace: 'away', name: `app-${index}` }, index, 9);
const parsed = (index: number): any[] => copies(index).map(({ value }) => JSON.parse(value));

describe('copies of a release', () => {
  it('lie where the API server looks for them', () => {
    expect(copies(5).map(({ key }) => key)).to.deep.equal([
      '/registry/bluegreen.dev/bluegreenreleases/away/app-5',
      '/registry/services/specs/away/app-5',
      '/registry/pods/away/app-5-green-abc',
      '/registry/ipaddresses/10.98.0.15',
    ]);
  });
  it('name their own release wherever the template names its own', () => {
    const [release, service] = parsed(5);
    expect(release.metadata.uid).not.to.equal(RELEASE_UID);
    expect(service.metadata.annotations['bluegreen.dev/switch']).to.equal(`${release.metadata.uid}/r2/2`);
  });
  it('share no uid and no address', () => {
    const told = [0, 1, 255, 256, 9_999].flatMap((index) => {
      const [release, service, pod] = parsed(index);
      return [release.metadata.uid, pod.metadata.uid, service.spec.clusterIP, pod.status.podIP];
    });
    expect(new Set(told).size).to.equal(told.length);
    for (const uid of told.filter((each) => each.includes('-'))) expect(uid).to.match(/^[-0-9a-f]{36}$/);
  });
  it('lie on nodes of the same zone, which EndpointSlices name', () => {
    const nodes = [0, 1, 2, 3].map((index) => parsed(index)[2].spec.nodeName);
    expect(nodes).to.deep.equal(['node-2', 'node-5', 'node-8', 'node-2']);
  });
});

import { expect } from 'chai';
import { type Cache, concerned, WATCHED } from '../../../src/controller/cache.ts';
import type { KubeObject } from '../../../src/kube/ports.ts';
import { createStore } from '../../../src/kube/store.ts';

const trim = (kind: keyof typeof WATCHED, object: object): any =>
  (WATCHED[kind].trim as (object: KubeObject) => KubeObject)(object as KubeObject);

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

describe('what is kept of objects', () => {
  it('is not the copy that kubectl apply leaves in each of them', () => {
    for (const kind of ['releases', 'services', 'deployments'] as const) {
      const annotations = { [LAST_APPLIED]: '{}', mine: 'kept' };
      const kept = trim(kind, { metadata: { name: 'shop', annotations } });
      expect(kept.metadata.annotations, kind).to.deep.equal({ mine: 'kept' });
    }
  });
  it('is a map of annotations wherever there is one, so that a patch adds to it and does not replace it', () => {
    const kept = trim('deployments', { metadata: { name: 'shop', annotations: { [LAST_APPLIED]: '{}' } } });
    expect(kept.metadata.annotations).to.deep.equal({});
    expect(trim('deployments', { metadata: { name: 'shop' } }).metadata).to.deep.equal({ name: 'shop' });
  });
  it('is of the conditions of a Deployment the one that is read', () => {
    const failure = { type: 'ReplicaFailure', status: 'True', message: 'exceeded quota' };
    const status = { replicas: 2, conditions: [{ type: 'Progressing', status: 'True' }, failure] };
    const kept = trim('deployments', { metadata: { name: 'shop' }, spec: { paused: true }, status });
    expect(kept.status).to.deep.equal({ replicas: 2, conditions: [failure] });
    expect(kept.spec).to.deep.equal({ paused: true });
  });
});

describe('a change of a disruption budget', () => {
  const release = (name: string, spec: object) => ({ metadata: { namespace: 'shop', name }, spec });
  const releases = [release('asks', { podDisruptionBudget: { minAvailable: 1 } }), release('other', {})];
  const list = (namespace?: string) => (namespace === 'shop' ? releases : []);
  const budget = (labels?: Record<string, string>, spec: object = {}, namespace = 'shop') => ({
    metadata: { namespace, name: 'budget', uid: 'u', ...(labels && { labels }) },
    spec,
  });
  const keys = (object: object, old?: object): string[] => [
    ...concerned('budgets', object as KubeObject, old as KubeObject | undefined, () => ({
      list: list as Cache['releases']['list'],
      byIndex: () => [],
    })),
  ];

  it('of a release concerns that one, and every other of the namespace that asks for budgets', () => {
    expect(keys(budget({ 'bluegreen.dev/release': 'other' }))).to.deep.equal(['shop/other', 'shop/asks']);
  });
  it('of somebody else concerns those that ask for budgets, in its namespace', () => {
    expect(keys(budget())).to.deep.equal(['shop/asks']);
    expect(keys(budget(undefined, { minAvailable: 2 }), budget())).to.deep.equal(['shop/asks']);
    expect(keys(budget(undefined, {}, 'till'))).to.deep.equal([]);
  });
  it('concerns nobody where its status alone is another', () => {
    expect(keys(budget(), budget())).to.deep.equal([]);
  });
});

describe('what is kept of config', () => {
  const metadata = {
    name: 'settings',
    namespace: 'shop',
    uid: 'u',
    resourceVersion: '7',
    labels: { 'bluegreen.dev/config': 'true' },
    annotations: { note: 'mine' },
  };
  const { annotations: _, ...kept } = metadata;

  it('is of a Secret its metadata, which is all that is asked for', () => {
    expect(WATCHED.secrets.metadataOnly).to.equal(true);
    expect(trim('secrets', { metadata, data: { pin: 'MTIzNA==' } })).to.deep.equal({ metadata: kept });
  });

  it('is of a ConfigMap what it is known by, and not what it holds', () => {
    const trimmed = trim('configMaps', { metadata, data: { currency: 'EUR' } });
    expect(trimmed).to.deep.equal({ metadata: kept, digest: trimmed.digest, bytes: 23 });
    expect(trimmed.digest).to.match(/^[0-9a-f]{16}$/);
  });

  it('is of a revision all but what its ConfigMaps hold', () => {
    const data = { spec: {}, content: {}, configMaps: { settings: { data: { currency: 'EUR' } } } };
    expect(trim('revisions', { metadata, data }).data).to.deep.equal({ spec: {}, content: {} });
  });

  it('concerns the releases that name it, and the one that it is a copy of', () => {
    const releases = createStore<any>({ indexes: WATCHED.releases.indexes });
    const release = (name: string, spec: object) => ({ metadata: { name, namespace: 'shop' }, spec });
    const config = { configMaps: [{ name: 'settings' }] };
    const items = [release('one', { config }), release('two', { config }), release('three', {})];
    releases.replace({ items, resourceVersion: '1' });
    const keys = (kind: keyof Cache, object: KubeObject) => [
      ...concerned(kind, object, undefined, () => releases),
    ];
    expect(keys('configMaps', { metadata })).to.have.members(['shop/one', 'shop/two']);
    expect(keys('secrets', { metadata })).to.deep.equal([]);
    expect(keys('configMaps', { metadata: { ...metadata, namespace: 'till' } })).to.deep.equal([]);
    const copy = { name: 'one-blue-settings', namespace: 'shop', labels: { 'bluegreen.dev/release': 'one' } };
    expect(keys('configMaps', { metadata: copy })).to.deep.equal(['shop/one']);
  });
});

import { expect } from 'chai';
import { concerned, WATCHED } from '../../../src/controller/cache.ts';
import type { KubeObject } from '../../../src/kube/ports.ts';

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
    ...concerned('budgets', object as KubeObject, old as KubeObject | undefined, () => ({ list })),
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

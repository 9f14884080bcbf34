import { expect } from 'chai';
import { type ReleaseSpec, specSchema } from '../../../src/api/schema.ts';
import type { Deployment } from '../../../src/kube/types.ts';
import { renderColor } from '../../../src/workload/render.ts';
import { carriesStated, outdatedKeys } from '../../../src/workload/stated.ts';

const template = { metadata: { labels: { app: 'shop' } }, spec: { containers: [] } };
const specOf = (metadata?: object): ReleaseSpec =>
  specSchema.parse({
    workload: { deployment: { ...(metadata && { metadata }), spec: { template } } },
    traffic: { services: [{ name: 'shop' }] },
  });
const written = (spec: ReleaseSpec): Deployment =>
  renderColor({ namespace: 'demo', name: 'shop', uid: 'u', spec }, 'blue', 'r1', { template }, 1);
const NOTE = 'bluegreen.dev/stated-metadata';
const both = { labels: { team: 'till' }, annotations: { contact: 'till@example.com' } };

describe('labels and annotations that a release states for its Deployments', () => {
  it('stand on what is written, beside our own, and not on its pods', () => {
    const { metadata, spec } = written(specOf(both));
    expect(metadata.labels).to.deep.equal({
      team: 'till',
      'bluegreen.dev/release': 'shop',
      'bluegreen.dev/color': 'blue',
      'bluegreen.dev/revision': 'r1',
    });
    expect(metadata.annotations).to.deep.equal({
      contact: 'till@example.com',
      [NOTE]: '{"labels":["team"],"annotations":["contact"]}',
    });
    expect(spec.template.metadata?.labels).to.not.have.property('team');
    expect(carriesStated(written(specOf(both)), specOf(both))).to.equal(true);
  });

  it('leave no trace where there are none', () => {
    expect(written(specOf()).metadata).to.not.have.property('annotations');
    expect(carriesStated(written(specOf()), specOf())).to.equal(true);
  });

  const changed: Readonly<Record<string, readonly [object, object | undefined, object]>> = {
    'a value is another': [both, { ...both, labels: { team: 'cart' } }, { labels: [], annotations: [] }],
    'a label is stated no more': [
      both,
      { annotations: both.annotations },
      { labels: ['team'], annotations: [] },
    ],
    'nothing is stated any more': [both, undefined, { labels: ['team'], annotations: ['contact', NOTE] }],
    'something is stated for the first time': [{}, both, { labels: [], annotations: [] }],
  };
  for (const [when, [before, after, outdated]] of Object.entries(changed))
    it(`are written anew when ${when}`, () => {
      const deployment = written(specOf(before));
      const spec = specOf(after);
      expect(carriesStated(deployment, spec)).to.equal(false);
      expect(outdatedKeys(deployment, spec)).to.deep.equal(outdated);
    });

  it('come back when another writer takes one away, and what is not ours stays', () => {
    const { metadata, ...rest } = written(specOf(both));
    const { team: _, ...labels } = metadata.labels ?? {};
    expect(carriesStated({ metadata: { ...metadata, labels }, ...rest }, specOf(both))).to.equal(false);
    const more = { ...metadata, labels: { ...metadata.labels, other: 'x' } };
    expect(carriesStated({ metadata: more, ...rest }, specOf(both))).to.equal(true);
  });

  it('are noted anew where somebody spoilt the note', () => {
    const deployment = written(specOf(both));
    for (const note of ['{', '{}', 'null', '{"labels":1,"annotations":[]}']) {
      const spoilt = {
        ...deployment,
        metadata: { ...deployment.metadata, annotations: { [NOTE]: note } },
      };
      expect(carriesStated(spoilt, specOf(both))).to.equal(false);
      expect(outdatedKeys(spoilt, specOf(both))).to.deep.equal({ labels: [], annotations: [] });
    }
  });
});

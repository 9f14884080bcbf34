import { expect } from 'chai';
import { colorIdentity, sourceFingerprint } from '../../../src/controller/identities.ts';
import type { Deployment } from '../../../src/kube/types.ts';
import { contentOfColor } from '../../../src/workload/content.ts';

const KEY = 'bluegreen.dev/color';

const deployment = (image: string): Deployment => ({
  metadata: { name: 'shop' },
  spec: {
    selector: {},
    template: { metadata: { labels: { app: 'shop', [KEY]: 'blue' } }, spec: { containers: [{ image }] } },
  },
});

describe('the identity of a content', () => {
  it('is the same for the same content, and another for another', () => {
    const [one, same, other] = [deployment('a'), deployment('a'), deployment('b')];
    expect(sourceFingerprint(one)).to.equal(sourceFingerprint(one)).and.to.equal(sourceFingerprint(same));
    expect(sourceFingerprint(one)).not.to.equal(sourceFingerprint(other));
  });
  it('is compared anew with another stored content', () => {
    const live = deployment('a');
    const stored = contentOfColor(deployment('a'), KEY);
    const edited = contentOfColor(deployment('b'), KEY);
    expect(colorIdentity(live, KEY, stored).matches).to.equal(true);
    expect(colorIdentity(live, KEY, stored)).to.equal(colorIdentity(live, KEY, stored));
    expect(colorIdentity(live, KEY, edited).matches).to.equal(false);
    expect(colorIdentity(live, KEY, undefined).matches).to.equal(false);
    expect(colorIdentity(live, KEY, stored).matches).to.equal(true);
  });
});

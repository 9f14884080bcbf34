import { expect } from 'chai';
import { aloneSince, EndpointsHistory } from '../../support/endpoints.ts';

const slice = (name: string, pods: Record<string, object>): object => ({
  metadata: { name },
  endpoints: Object.entries(pods).map(([pod, conditions]) => ({ targetRef: { name: pod }, conditions })),
});
const ready = { ready: true, serving: true, terminating: false };
const ending = { ready: false, serving: true, terminating: true };
const unready = { ready: false, serving: false, terminating: false };

describe('the pods behind a Service', () => {
  it('are those of all its slices that are ready, or still serve while they end', () => {
    const watch = new EndpointsHistory();
    watch.add(slice('shop-a', { 'shop-blue-1-a': ready, 'shop-blue-1-b': unready }), 'ADDED', 1);
    watch.add(slice('shop-b', { 'shop-green-2-c': ending }), 'ADDED', 2);
    watch.add(slice('shop-a', {}), 'DELETED', 3);
    expect(watch.history).to.deep.equal([
      { at: 1, pods: ['shop-blue-1-a'] },
      { at: 2, pods: ['shop-blue-1-a', 'shop-green-2-c'] },
      { at: 3, pods: ['shop-green-2-c'] },
    ]);
  });
});

describe('the moment when one side is alone', () => {
  const history = [
    { at: 10, pods: ['shop-green-2-c'] },
    { at: 20, pods: ['shop-blue-1-a'] },
    { at: 30, pods: ['shop-blue-1-a', 'shop-green-2-c'] },
    { at: 40, pods: [] },
    { at: 50, pods: ['shop-green-2-c', 'shop-green-2-d'] },
    { at: 60, pods: ['shop-green-2-c', 'shop-green-2-d'] },
  ];

  it('is the first one after the switch', () => {
    expect(aloneSince(history, 'shop-green', 20)).to.equal(50);
  });

  it('never comes while others serve too, or nobody does', () => {
    expect(aloneSince(history.slice(1, 4), 'shop-green', 0)).to.equal(undefined);
  });

  it('does not take the pods of a colour for those of the Deployment that it derives from', () => {
    expect(aloneSince(history, 'shop', 0)).to.equal(undefined);
    expect(aloneSince([{ at: 5, pods: ['shop-5967c8b4b7-9sh6g'] }], 'shop', 0)).to.equal(5);
  });
});

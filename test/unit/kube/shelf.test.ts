import { expect } from 'chai';
import type { KubeObject } from '../../../src/kube/ports.ts';
import { createShelf } from '../../../src/kube/shelf.ts';
import { createStore } from '../../../src/kube/store.ts';

const object = (index: number): KubeObject => ({
  metadata: {
    namespace: 'shop',
    name: `a${index}`,
    uid: `u${index}`,
    resourceVersion: String(index + 1),
    labels: { owner: `o${index % 7}` },
  },
});

describe('a shelf', () => {
  it('gives back what was kept, the same object as long as it was read lately', () => {
    const shelf = createShelf<KubeObject>(2);
    const first = object(0);
    const kept = shelf.keep(first);
    shelf.keep(object(1));
    expect(shelf.read(kept)).to.equal(first);
    shelf.keep(object(2));
    expect(shelf.read(kept)).to.equal(first);
    shelf.keep(object(3));
    shelf.keep(object(4));
    expect(kept.object).to.equal(undefined);
    expect(shelf.read(kept)).to.deep.equal(first);
    expect(shelf.read(kept)).not.to.equal(first);
    expect(shelf.read(kept)).to.equal(shelf.read(kept));
  });

  it('has as many objects at hand as it was told, and some that were read once, whatever was forgotten on the way', () => {
    const shelf = createShelf<KubeObject>(3);
    const kept = Array.from({ length: 400 }, (_, index) => shelf.keep(object(index)));
    shelf.forget(kept[399]!);
    const own = kept.slice(0, 399);
    for (const each of [...own, ...own]) shelf.read(each);
    expect(own.filter((each) => each.object !== undefined)).to.have.length(3 + 48);
  });

  it('has at hand what was read again after a while, however many others are listed and read once since', () => {
    const shelf = createShelf<KubeObject>(3);
    const kept = Array.from({ length: 1000 }, (_, index) => shelf.keep(object(index), true));
    const read = (from: number, end: number) => kept.slice(from, end).map((each) => shelf.read(each));
    read(0, 4);
    read(100, 300);
    const again = read(0, 4).slice(1);
    read(300, 600);
    for (let index = 1000; index < 1500; index++) shelf.keep(object(index), true);
    expect(kept[0]?.object).to.equal(undefined);
    expect(kept.slice(1, 4).map((each) => each.object)).to.deep.equal(again);
    expect(kept.slice(4).filter((each) => each.object !== undefined)).to.deep.equal([]);
    expect(read(1, 4).every((each, index) => each === again[index])).to.equal(true);
  });
});

describe('a store of more objects than are at hand', () => {
  const COUNT = 5_000;

  it('finds, lists, changes and deletes each of them', () => {
    const store = createStore<KubeObject>({
      indexes: { owner: ({ metadata }) => Object.values(metadata.labels ?? {}) },
    });
    const items = Array.from({ length: COUNT }, (_, index) => object(index));
    store.replace({ items, resourceVersion: String(COUNT) });
    expect(store.get({ namespace: 'shop', name: 'a0' })).to.deep.equal(object(0));
    expect(store.byIndex('owner', 'o3')).to.have.length(Math.ceil((COUNT - 3) / 7));
    const newer = object(1);
    newer.metadata.resourceVersion = String(COUNT + 1);
    newer.metadata.labels = { owner: 'o3' };
    expect(store.apply('MODIFIED', newer)).to.deep.equal([
      { type: 'updated', object: newer, old: object(1) },
    ]);
    expect(store.byIndex('owner', 'o1').map(({ metadata }) => metadata.name)).not.to.include('a1');
    const rest = [newer, ...items.slice(2)];
    const changes = store.replace({ items: rest, resourceVersion: String(COUNT + 2) });
    expect(changes).to.deep.equal([{ type: 'deleted', object: object(0) }]);
    expect(store.size).to.equal(COUNT - 1);
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import type { KubeObject } from '../../../src/kube/ports.ts';
import { compareResourceVersions } from '../../../src/kube/resource-version.ts';
import { type Change, createStore, type FedStore } from '../../../src/kube/store.ts';

interface Thing extends KubeObject {
  value?: number;
}

const thing = (name: string, version: number, extra: Partial<Thing['metadata']> = {}): Thing => ({
  metadata: { namespace: 'shop', name, uid: `${name}-1`, resourceVersion: String(version), ...extra },
});
const list = (version: number, ...items: Thing[]) => ({ items, resourceVersion: String(version) });
const versionOf = (store: FedStore<Thing>, name: string): string | undefined =>
  store.get({ namespace: 'shop', name })?.metadata.resourceVersion;
const said = (changes: Change<Thing>[]): string[] =>
  changes.map(
    (change) => `${change.type} ${change.object.metadata.name}@${change.object.metadata.resourceVersion}`,
  );

describe('resource versions', () => {
  it('compare as integers of any length', () => {
    expect(compareResourceVersions('9', '10')).to.be.below(0);
    expect(compareResourceVersions('9007199254740993', '9007199254740992')).to.be.above(0);
    expect(compareResourceVersions('7', '7')).to.equal(0);
  });

  it('cannot be compared where they are none', () => {
    for (const [a, b] of [
      ['abc', '1'],
      ['0', '1'],
      ['01', '1'],
      [undefined, '1'],
    ] as const) {
      expect(compareResourceVersions(a, b)).to.equal(undefined);
    }
  });
});

describe('a store', function () {
  // It waits for what must come; on a busy machine that takes longer.
  this.timeout(60_000);

  it('is not synced before its first list', () => {
    const store = createStore<Thing>();
    expect(store.synced).to.equal(false);
    expect(said(store.replace(list(5, thing('a', 3))))).to.deep.equal(['added a@3']);
    expect(store.synced).to.equal(true);
  });

  it('has what its first list brings as it comes, and is synced at its end', () => {
    const store = createStore<Thing>();
    const listing = store.listing();
    expect(said(listing.take(thing('a', 3)))).to.deep.equal(['added a@3']);
    expect(said(listing.take(thing('a', 4)))).to.deep.equal(['updated a@4']);
    expect(versionOf(store, 'a')).to.equal('4');
    expect(store.synced).to.equal(false);
    expect(listing.end('5')).to.deep.equal([]);
    expect(store.synced).to.equal(true);
  });

  it('keeps nothing of a first list that broke off but what the next one brings', () => {
    const store = createStore<Thing>();
    const broken = store.listing();
    broken.take(thing('a', 3));
    broken.take(thing('b', 4));
    const whole = store.listing();
    expect(said(whole.take(thing('b', 4)))).to.deep.equal([]);
    expect(said(whole.end('9'))).to.deep.equal(['deleted a@3']);
    expect(versionOf(store, 'a')).to.equal(undefined);
    expect(versionOf(store, 'b')).to.equal('4');
  });

  it('changes nothing before the end of a later list', () => {
    const store = createStore<Thing>();
    store.replace(list(5, thing('a', 3)));
    const listing = store.listing();
    expect(said(listing.take(thing('b', 6)))).to.deep.equal([]);
    expect(versionOf(store, 'b')).to.equal(undefined);
    expect(said(listing.end('7'))).to.deep.equal(['added b@6', 'deleted a@3']);
  });

  it('drops an event that is older than what it has', () => {
    const store = createStore<Thing>();
    store.replace(list(5, thing('a', 3)));
    store.note(thing('a', 9));
    expect(store.apply('MODIFIED', thing('a', 7))).to.deep.equal([]);
    expect(versionOf(store, 'a')).to.equal('9');
  });

  it('does not take the event of an own write for news', () => {
    const store = createStore<Thing>();
    store.replace(list(5, thing('a', 3)));
    store.note(thing('a', 9));
    expect(store.apply('MODIFIED', thing('a', 9))).to.deep.equal([]);
    expect(said(store.apply('MODIFIED', thing('a', 10)))).to.deep.equal(['updated a@10']);
  });

  it('keeps an own write that is newer than a list, and deletes what vanished', () => {
    const store = createStore<Thing>();
    store.replace(list(5, thing('old', 3)));
    store.note(thing('own', 12));
    expect(said(store.replace(list(10)))).to.deep.equal(['deleted old@3']);
    expect(versionOf(store, 'own')).to.equal('12');
    expect(said(store.replace(list(20)))).to.deep.equal(['deleted own@12']);
  });

  it('keeps an own write that is newer than what a list has of the same object', () => {
    const store = createStore<Thing>();
    store.replace(list(5, thing('a', 3)));
    store.note(thing('a', 12));
    expect(store.replace(list(10, thing('a', 7)))).to.deep.equal([]);
    expect(versionOf(store, 'a')).to.equal('12');
  });

  it('keeps an own write that came before the first list', () => {
    const store = createStore<Thing>();
    store.note(thing('own', 12));
    store.replace(list(10));
    expect(versionOf(store, 'own')).to.equal('12');
  });

  it('does not bring back what was deleted before the answer of an own write came', () => {
    const store = createStore<Thing>();
    store.replace(list(5, thing('a', 3)));
    store.apply('DELETED', thing('a', 8));
    store.note(thing('a', 7));
    expect(versionOf(store, 'a')).to.equal(undefined);
  });

  it('does not let the delete of an older life end a newer one', () => {
    const store = createStore<Thing>();
    store.replace(list(5, thing('a', 3)));
    store.note(thing('a', 9, { uid: 'a-2' }));
    expect(store.apply('DELETED', thing('a', 8))).to.deep.equal([]);
    expect(versionOf(store, 'a')).to.equal('9');
  });

  it('hides an own delete from events that are still under way', () => {
    const store = createStore<Thing>();
    store.replace(list(5, thing('a', 4)));
    store.noteDeleted(thing('a', 4));
    expect(store.apply('MODIFIED', thing('a', 4))).to.deep.equal([]);
    expect(versionOf(store, 'a')).to.equal(undefined);
    expect(store.replace(list(5, thing('a', 4)))).to.deep.equal([]);
    expect(store.apply('DELETED', thing('a', 9))).to.deep.equal([]);
  });

  it('nor does it come back by what was so before that, and had not been heard of yet', () => {
    const store = createStore<Thing>();
    store.replace(list(5, thing('a', 4)));
    store.noteDeleted(thing('a', 4));
    expect(store.apply('MODIFIED', thing('a', 6))).to.deep.equal([]);
    store.note(thing('a', 6));
    expect(versionOf(store, 'a')).to.equal(undefined);
    expect(store.replace(list(6, thing('a', 6)))).to.deep.equal([]);
    expect(said(store.apply('ADDED', thing('a', 9, { uid: 'a-2' })))).to.deep.equal(['added a@9']);
  });

  it('believes the watch where an object that it took for deleted has yet to end', () => {
    const store = createStore<Thing>();
    const ending = { deletionTimestamp: '2026-06-01T12:00:00Z' };
    store.replace(list(5, thing('a', 4)));
    store.noteDeleted(thing('a', 4));
    expect(said(store.apply('MODIFIED', thing('a', 6, ending)))).to.deep.equal(['added a@6']);
    store.noteDeleted(thing('a', 6));
    expect(said(store.replace(list(7, thing('a', 7, ending))))).to.deep.equal(['added a@7']);
  });

  it('leaves an object with finalizers where it is: only the watch knows when it goes', () => {
    const store = createStore<Thing>();
    const held = thing('a', 4, { finalizers: ['bluegreen.dev/protect'] });
    store.replace(list(5, held));
    store.noteDeleted(held);
    expect(versionOf(store, 'a')).to.equal('4');
  });

  it('tells of an object that was made anew under its name as of two', () => {
    const store = createStore<Thing>();
    store.replace(list(5, thing('a', 4)));
    expect(said(store.apply('ADDED', thing('a', 9, { uid: 'a-2' })))).to.deep.equal([
      'deleted a@4',
      'added a@9',
    ]);
  });

  it('takes the list for the truth after the cluster was restored from a backup', () => {
    const store = createStore<Thing>();
    store.replace(list(500, thing('a', 400), thing('b', 450)));
    store.note(thing('own', 600));
    expect(store.bookmark('100')).to.equal(false);
    expect(said(store.replace(list(100, thing('a', 90))))).to.have.members([
      'updated a@90',
      'deleted b@450',
      'deleted own@600',
    ]);
  });

  it('replaces by what it heard last where versions cannot be compared', () => {
    const store = createStore<Thing>();
    const opaque = (version: string): Thing => ({
      metadata: { name: 'a', uid: 'a-1', resourceVersion: version },
    });
    store.replace({ items: [opaque('x')], resourceVersion: 'list-1' });
    store.apply('MODIFIED', opaque('b'));
    expect(store.get({ name: 'a' })?.metadata.resourceVersion).to.equal('b');
    store.replace({ items: [], resourceVersion: 'list-2' });
    expect(store.size).to.equal(0);
  });

  it('trims what it takes in, and leaves the caller’s object as it was', () => {
    const store = createStore<Thing>({
      trim: ({ value: _, ...kept }) => kept,
    });
    const own = { ...thing('a', 3), value: 1 };
    Object.assign(own.metadata, { managedFields: [{}] });
    store.note(own);
    expect(store.get({ namespace: 'shop', name: 'a' })).to.deep.equal(thing('a', 3));
    expect(own.value).to.equal(1);
    expect(own.metadata).to.have.property('managedFields');
  });

  it('keeps the object that it has where a list brings the same version', () => {
    const store = createStore<Thing>();
    store.replace(list(5, thing('a', 4)));
    const before = store.get({ namespace: 'shop', name: 'a' });
    expect(store.replace(list(9, thing('a', 4)))).to.deep.equal([]);
    expect(store.get({ namespace: 'shop', name: 'a' })).to.equal(before);
  });

  it('lists one namespace, and finds by index', () => {
    const store = createStore<Thing>({
      indexes: { owner: (object) => Object.values(object.metadata.labels ?? {}) },
    });
    store.replace(
      list(
        9,
        thing('a', 1, { labels: { owner: 'x' } }),
        thing('b', 2, { labels: { owner: 'x' } }),
        thing('c', 3, { namespace: 'other', labels: { owner: 'y' } }),
      ),
    );
    expect(store.list('other').map((object) => object.metadata.name)).to.deep.equal(['c']);
    expect(store.list()).to.have.length(3);
    expect(store.byIndex('owner', 'x')).to.have.length(2);
    store.apply('MODIFIED', thing('a', 10, { labels: { owner: 'y' } }));
    store.apply('DELETED', thing('c', 11, { namespace: 'other' }));
    expect(store.byIndex('owner', 'x').map((object) => object.metadata.name)).to.deep.equal(['b']);
    expect(store.byIndex('owner', 'y').map((object) => object.metadata.name)).to.deep.equal(['a']);
    expect(() => store.byIndex('colour', 'y')).to.throw('there is no index "colour"');
  });

  /**
   * A cluster writes a history. A watch tells it in order, sometimes starting again with a list of the state at the
   * version it had reached; answers of own writes overtake it or come late. Whatever the interleaving: no object is
   * ever seen at an older version than before, what is deleted stays deleted, and in the end the store is the cluster.
   */
  it('never goes backwards and ends as the cluster is, whatever overtakes what', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const write = fc.record({ name, verb: fc.constantFrom('write', 'delete'), noted: fc.boolean() });
    const step = fc.oneof(
      fc.constantFrom('hear' as const, 'hear' as const, 'answer' as const),
      fc.nat({ max: 20 }),
    );
    fc.assert(
      fc.property(fc.array(write, { maxLength: 20 }), fc.array(step, { maxLength: 60 }), (writes, steps) => {
        const history = historyOf(writes);
        const store = createStore<Thing>();
        let heard = 0;
        let answered = 0;
        const seen = new Map<string, number>();
        store.replace(list(1));
        const check = (): void => {
          for (const object of store.list()) {
            const id = object.metadata.uid ?? '';
            const version = Number(object.metadata.resourceVersion);
            expect(version).to.be.at.least(seen.get(id) ?? 0);
            seen.set(id, version);
          }
        };
        const hear = (): void => {
          const event = history[heard];
          if (event === undefined) return;
          heard += 1;
          store.apply(event.type, structuredClone(event.object));
        };
        const answer = (): void => {
          const event = history[answered];
          if (event === undefined) return;
          answered += 1;
          if (!event.noted) return;
          if (event.type === 'DELETED') store.noteDeleted(structuredClone(event.before ?? event.object));
          else store.note(structuredClone(event.object));
        };
        /** As it was at some version that is not older than what was heard. */
        const relist = (ahead: number): void => {
          heard = Math.min(history.length, heard + ahead);
          store.replace({ items: stateOf(history, heard), resourceVersion: String(heard + 1) });
        };
        for (const what of steps) {
          if (typeof what === 'number') relist(what);
          else ({ hear, answer })[what]();
          check();
        }
        while (heard < history.length) hear();
        while (answered < history.length) answer();
        check();
        const versions = (objects: Thing[]): string[] =>
          objects.map((object) => `${object.metadata.uid}@${object.metadata.resourceVersion}`).sort();
        expect(versions(store.list())).to.deep.equal(versions(stateOf(history, history.length)));
      }),
      { numRuns: 500 },
    );
  });
});

interface Written {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: Thing;
  readonly before?: Thing;
  readonly noted: boolean;
}

/** Versions count from 2; every new life of a name has a uid of its own. */
function historyOf(writes: { name: string; verb: string; noted: boolean }[]): Written[] {
  const alive = new Map<string, Thing>();
  const lives = new Map<string, number>();
  const history: Written[] = [];
  for (const { name, verb, noted } of writes) {
    const version = history.length + 2;
    const before = alive.get(name);
    if (verb === 'delete') {
      if (before === undefined) continue;
      alive.delete(name);
      history.push({
        type: 'DELETED',
        object: thing(name, version, { uid: before.metadata.uid! }),
        before,
        noted,
      });
      continue;
    }
    if (before === undefined) lives.set(name, (lives.get(name) ?? 0) + 1);
    const object = thing(name, version, { uid: `${name}-${lives.get(name)}` });
    alive.set(name, object);
    history.push({ type: before === undefined ? 'ADDED' : 'MODIFIED', object, noted });
  }
  return history;
}

function stateOf(history: readonly Written[], upTo: number): Thing[] {
  const alive = new Map<string, Thing>();
  for (const { type, object } of history.slice(0, upTo)) {
    if (type === 'DELETED') alive.delete(object.metadata.name);
    else alive.set(object.metadata.name, object);
  }
  return [...alive.values()].map((object) => structuredClone(object));
}

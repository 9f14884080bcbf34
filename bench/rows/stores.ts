/**
 * What the caches take of one release, kind by kind: filled with copies of a release that the operator really made, in a
 * process without anything else of the operator. Bytes of the heap, which no other load on the machine changes.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Cache, WATCHED } from '../../src/controller/cache.ts';
import type { KubeObject } from '../../src/kube/ports.ts';
import { createStore, type FedStore } from '../../src/kube/store.ts';
import type { Benchmark } from '../benchmark.ts';
import { copyOf, type Template } from '../copies.ts';
import { below, plain, type Row } from '../row.ts';

/** As many as the bar speaks of, whatever the cluster can hold here. */
const RELEASES = 10_000;
/** 400 MiB for ten thousand, less what a process without any takes. */
const MOST_KIB = 29;

export const stores: Benchmark = {
  name: 'stores',
  async run(lab, _sizes, say) {
    const { template } = await lab.fixture('at rest', say);
    const rows: Row[] = [];
    /** All stay: what one kind leaves behind must not be freed while the next is measured. */
    const kept: FedStore<KubeObject>[] = [];
    let sum = 0;
    for (const kind of Object.keys(WATCHED) as (keyof Cache)[]) {
      say(`filling the cache of ${kind}`);
      const kib = growth(() => kept.push(filled(template, kind))) / RELEASES / 1024;
      sum += kib;
      rows.push(plain(`caches: of these ${kind}`, kib, 'KiB'));
    }
    return [below('caches: heap for each release', sum, 'KiB', MOST_KIB), ...rows];
  },
};

function filled(template: Template, kind: keyof Cache): FedStore<KubeObject> {
  const { type, indexes, trim } = WATCHED[kind];
  const store = createStore<KubeObject>({
    indexes,
    ...(trim !== undefined && { trim: trim as (object: KubeObject) => KubeObject }),
  });
  const ofKind = { ...template, stored: template.stored.filter(({ object }) => object.kind === type.kind) };
  const listing = store.listing();
  let version = 0;
  for (let index = 0; index < RELEASES; index++) {
    const copy = { namespace: `bench-${Math.floor(index / 100)}`, name: `app-${index}` };
    for (const { value } of copyOf(ofKind, copy, index, 3)) {
      const object = JSON.parse(value) as KubeObject;
      object.metadata.resourceVersion = String(++version);
      if (object.metadata.labels !== undefined || kind === 'releases') listing.take(object);
    }
  }
  listing.end(String(version));
  return store;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of the heap that are alive after `fill` and were not before. */
function growth(fill: () => void): number {
  collect();
  const before = process.memoryUsage().heapUsed;
  fill();
  collect();
  return process.memoryUsage().heapUsed - before;
}

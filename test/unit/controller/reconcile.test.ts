import { expect } from 'chai';
import { FINALIZER, ANNOTATION_SWITCH as MARK } from '../../../src/api/names.ts';
import { type BlueGreenReleaseObject, RELEASES } from '../../../src/api/resource.ts';
import type { ReleaseStatus } from '../../../src/api/status.ts';
import { type Cache, WATCHED } from '../../../src/controller/cache.ts';
import { createReconciler, type ReconcileDeps } from '../../../src/controller/reconcile.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import type { ReconcileContext } from '../../../src/kube/loop.ts';
import type { CallOptions, KubeObject, Patch, ResourceType } from '../../../src/kube/ports.ts';
import { createStore } from '../../../src/kube/store.ts';
import { SERVICES } from '../../../src/kube/types.ts';
import { settle } from '../kube/support.ts';
import { NOON } from '../release/world.ts';
import { firstRevision, serviceOf } from './shop.ts';

const release: BlueGreenReleaseObject = {
  metadata: { namespace: 'demo', name: 'shop', uid: 'u', resourceVersion: '1', generation: 1 },
  spec: { workload: { deploymentRef: { name: 'shop' } }, traffic: { services: [{ name: 'shop' }] } },
};
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function emptyCache(): Cache {
  const stores = Object.entries(WATCHED).map(
    ([name, { indexes }]) => [name, createStore<KubeObject>({ indexes })] as const,
  );
  for (const [, store] of stores) store.replace({ items: [], resourceVersion: '1' });
  return Object.fromEntries(stores) as unknown as Cache;
}

const idle = { onEffect: () => undefined, onStatus: () => undefined, onGone: () => undefined };
const beside = {
  observations: () => ({ measurements: {}, preflight: undefined }),
  aliases: () => ({}),
  request: () => undefined,
  forget: () => undefined,
};

function reconcilerOf(
  client: object,
  cache: Cache,
  now: () => number = () => 0,
): ReturnType<typeof createReconciler> {
  const rest = { beside, recordEvent: () => undefined, observer: idle, log: silent, now };
  return createReconciler({ client, cache, ...rest } as unknown as ReconcileDeps);
}

/** Reconciles it once and gives what was written, as `Kind/subresource or type of the patch`, with the last body. */
async function reconciled(
  object: BlueGreenReleaseObject,
  answer: (change: Patch, options?: CallOptions) => Promise<BlueGreenReleaseObject>,
  fill: (cache: Cache) => void = () => undefined,
): Promise<{ written: string[]; bodies: unknown[] }> {
  const cache = emptyCache();
  cache.releases.note({ ...object, metadata: { ...object.metadata, resourceVersion: '2' } });
  fill(cache);
  const written: string[] = [];
  const bodies: unknown[] = [];
  const client = {
    get: () => Promise.resolve(undefined),
    list: () => Promise.resolve([]),
    patch: (type: ResourceType, _: unknown, change: Patch, options?: CallOptions) => {
      written.push(`${type.kind}/${options?.subresource ?? change.type}`);
      bodies.push(change.type === 'json' ? change.operations.at(-1) : change.body);
      return answer(change, options);
    },
  };
  const { signal } = new AbortController();
  const context = { signal, urgent: false, pause: async () => {}, news: async () => false };
  await reconcilerOf(client, cache)('demo/shop', context).catch(() => undefined);
  return { written, bodies };
}

describe('a status that cannot be written', () => {
  it('keeps nothing else from being done', async () => {
    const { written } = await reconciled(release, (_, options) =>
      options?.subresource === 'status'
        ? Promise.reject(new KubeError({ reason: 'Forbidden', status: 403, call: 'patch', message: 'no' }))
        : Promise.resolve(release),
    );
    expect(written.slice(0, 2)).to.deep.equal([`${RELEASES.kind}/status`, `${RELEASES.kind}/json`]);
  });
});

describe('an effect that the API server has no time for', () => {
  const timeout = new KubeError({ reason: 'Timeout', status: 504, call: 'patch', message: 'too slow' });
  const metadata = { ...release.metadata, resourceVersion: '2' };
  const object = {
    ...release,
    metadata,
    status: { phase: 'Idle', conditions: [] },
  } as BlueGreenReleaseObject;

  /** Reconciles again and again, so many seconds apart, and gives the statuses that were written and how each ended. */
  async function failing(error: Error, ...seconds: number[]): Promise<{ statuses: any[]; ended: string[] }> {
    const cache = emptyCache();
    cache.releases.note(object);
    const statuses: any[] = [];
    const client = {
      get: () => Promise.resolve(undefined),
      list: () => Promise.resolve([]),
      patch: (_: unknown, __: unknown, change: Patch, options?: CallOptions) => {
        if (options?.subresource !== 'status') return Promise.reject(error);
        statuses.push((change as { body: { status: unknown } }).body.status);
        return Promise.resolve(object);
      },
    };
    let now = 0;
    const reconcile = reconcilerOf(client, cache, () => now);
    const { signal } = new AbortController();
    const context = { signal, urgent: false, pause: async () => {}, news: async () => false };
    const ended: string[] = [];
    for (const pause of seconds) {
      now += pause * 1000;
      const result = reconcile('demo/shop', context).then(({ result }) => result);
      ended.push(await result.catch((thrown: Error) => thrown.message));
    }
    return { statuses, ended };
  }

  const told = ({ phase, conditions }: any): unknown => [
    phase,
    ...conditions
      .filter(({ type }: any) => ['Ready', 'Reconciling', 'Stalled'].includes(type))
      .map(({ type, status, reason, message }: any) => `${type}=${status} ${reason}: ${message}`),
  ];

  it('is tried again with backoff: nothing is stalled yet, and people hear why it takes longer', async () => {
    const { statuses, ended } = await failing(timeout, 1);
    expect(ended).to.deep.equal(['patch: too slow']);
    expect(statuses.map(told)).to.deep.equal([
      [
        undefined,
        'Ready=False ApplyDelayed: patch: too slow',
        'Reconciling=True ApplyDelayed: patch: too slow',
      ],
    ]);
  });

  it('stalls the release when it has failed for a minute', async () => {
    const { statuses } = await failing(timeout, 1, 30, 29);
    expect(statuses.every(({ phase }) => phase === undefined)).to.equal(true);
    const { statuses: later } = await failing(timeout, 1, 30, 30);
    expect(told(later.at(-1))).to.deep.equal([
      'Stalled',
      'Ready=False ApplyFailed: patch: too slow',
      'Stalled=True ApplyFailed: patch: too slow',
    ]);
  });

  it('is refused for good where it is forbidden: the release is stalled at once', async () => {
    const forbidden = new KubeError({ reason: 'Forbidden', status: 403, call: 'patch', message: 'no' });
    const { statuses } = await failing(forbidden, 1);
    expect(told(statuses[0])).to.deep.equal([
      'Stalled',
      'Ready=False ApplyFailed: patch: no',
      'Stalled=True ApplyFailed: patch: no',
    ]);
  });

  it('says that of a webhook that cannot be called at once: it is somebody’s to mend', async () => {
    const message = 'Internal error occurred: failed calling webhook "policy.example.com"';
    const down = new KubeError({ reason: 'ServerError', status: 500, call: 'patch', message });
    expect((await failing(down, 1)).statuses[0].phase).to.equal('Stalled');
  });
});

describe('what was done before a reconcile ended early', () => {
  const spec = { ...(release.spec as object), traffic: { services: [{ name: 'shop' }, { name: 'admin' }] } };
  const metadata = { ...release.metadata, resourceVersion: '2', finalizers: [FINALIZER] };
  const early = { at: '2026-06-01T08:00:00.000Z', reason: 'Early', message: 'x', effects: ['long ago'] };
  const status: ReleaseStatus = { phase: 'Idle', conditions: [], decisions: [early] };
  const object: BlueGreenReleaseObject = { metadata, spec, status };
  const revision = firstRevision(spec);
  const conflict = new KubeError({ reason: 'Conflict', status: 409, call: 'patch', message: 'modified' });

  /** As many as a log holds. */
  const theirs = Array.from({ length: 20 }, (_, index) => ({
    at: `2026-06-01T12:00:${index + 10}.000Z`,
    reason: 'Other',
    message: 'x',
    effects: ['of another'],
  }));

  const context = {
    signal: new AbortController().signal,
    urgent: false,
    pause: async () => {},
    news: async () => false,
  };

  /** `refused` by the API server once; `heard`: another process writes its status meanwhile. */
  type Trouble = 'refused' | 'heard' | 'refused and heard';

  /** A cluster in which both Services are to be put back; `told`: what each write of the status told of. */
  function begun(troubles: Readonly<Record<string, Trouble>>) {
    const cache = emptyCache();
    const coming = new Map(Object.entries(troubles));
    const told: unknown[][] = [];
    let version = 3;
    const newer = (): string => String(++version);
    const lose = (known = cache.releases.get(metadata as Required<typeof metadata>)): void => {
      const { status: _, ...rest } = known ?? object;
      cache.releases.note({ ...rest, metadata: { ...metadata, resourceVersion: newer() } });
    };
    const astray = (): void => {
      for (const name of ['shop', 'admin']) {
        const service = serviceOf(name);
        cache.services.note({ ...service, metadata: { ...service.metadata, resourceVersion: newer() } });
      }
    };
    cache.releases.note(object);
    cache.revisions.note(revision);
    astray();
    const client = {
      get: async (type: ResourceType, { name }: { name: string }) =>
        type === SERVICES ? cache.services.get({ namespace: 'demo', name }) : undefined,
      create: async (_: ResourceType, o: KubeObject) => ({
        ...o,
        metadata: { ...o.metadata, uid: o.metadata.name, resourceVersion: newer() },
      }),
      list: (type: ResourceType) => Promise.resolve(type === RELEASES ? [object] : []),
      patch: (type: ResourceType, { name }: { name: string }, { body }: any, options?: CallOptions) => {
        const what = options?.subresource ?? name;
        const trouble = coming.get(what);
        coming.delete(what);
        if (trouble?.includes('heard')) {
          const theirMetadata = { ...metadata, resourceVersion: newer() };
          cache.releases.note({
            ...object,
            metadata: theirMetadata,
            status: { ...status, decisions: theirs },
          });
        }
        if (trouble?.includes('refused')) return Promise.reject(conflict);
        if (what === 'status') {
          told.push((body.status.decisions ?? []).flatMap((decision: any) => decision.effects));
          const before = cache.releases.get(metadata as Required<typeof metadata>)?.status;
          const written = { ...(before as object), ...body.status };
          return Promise.resolve({
            ...object,
            metadata: { ...metadata, resourceVersion: newer() },
            status: written,
          });
        }
        if (type !== SERVICES) return Promise.reject(new Error(`no ${type.kind}`));
        const selector = { app: 'shop', 'bluegreen.dev/color': 'blue' };
        const { annotations, ...rest } = serviceOf(name).metadata;
        return Promise.resolve({
          metadata: {
            ...rest,
            resourceVersion: newer(),
            annotations: { ...annotations, [MARK]: 'u/r1/1' },
          },
          spec: { selector, ports: [] },
        });
      },
    };
    const process = () => {
      const reconcile = reconcilerOf(client, cache, () => NOON);
      return async () => (await reconcile('demo/shop', context)).result;
    };
    return { told, coming, lose, astray, process };
  }

  for (const [what, refused] of [
    ['another Service of the same decision was not what it was', 'admin'],
    ['its status was not what it was', 'status'],
  ] as const) {
    it(`stands in the decision log: ${what}`, async () => {
      const { told, process } = begun({ [refused]: 'refused' });
      const reconcile = process();
      expect(await reconcile()).to.equal('requeue');
      await reconcile();
      expect(told.at(-1)).to.include('PatchSelector shop -> blue');
    });
  }

  it('stands in the decision log beside what another process told meanwhile, which is not written over', async () => {
    const { told, process } = begun({ admin: 'heard' });
    const reconcile = process();
    expect(await reconcile()).to.equal('requeue');
    await reconcile();
    const lines = told.at(-1);
    expect(lines).to.include.members([
      'of another',
      'PatchSelector shop -> blue',
      'PatchSelector admin -> blue',
    ]);
    expect(lines, 'which the other one left out, since the log is full').not.to.include('long ago');
  });

  it('stands in the first status that is written where it was lost meanwhile: that may be lost as well', async () => {
    const { told, lose, process } = begun({ status: 'refused' });
    const reconcile = process();
    expect(await reconcile()).to.equal('requeue');
    lose();
    await reconcile();
    expect(told[0]).to.include('PatchSelector shop -> blue');
  });

  it('stands there still where that one could not be written, and another process wrote a full log meanwhile', async () => {
    const { told, coming, lose, process } = begun({ status: 'refused' });
    const reconcile = process();
    expect(await reconcile()).to.equal('requeue');
    lose();
    coming.set('status', 'refused and heard');
    expect(await reconcile()).to.equal('requeue');
    await reconcile();
    expect(told.at(-1)).to.include.members(['of another', 'PatchSelector shop -> blue']);
  });

  it('stands there also where the line of another process told of the same a moment ago, and was lost', async () => {
    const { told, lose, astray, process } = begun({});
    await process()();
    expect(told[0]).to.include('PatchSelector shop -> blue');
    astray();
    const reconcile = process();
    await reconcile();
    expect(told.length, 'it is told of once a minute').to.equal(1);
    lose();
    await reconcile();
    expect(told[1]).to.deep.equal(['PatchSelector shop -> blue', 'PatchSelector admin -> blue']);
  });
});

describe('a status that is being written', () => {
  it('holds up nothing: what changes meanwhile is looked at before it is there', async () => {
    const cache = emptyCache();
    const metadata = { ...release.metadata, resourceVersion: '2', finalizers: [FINALIZER] };
    cache.releases.note({ ...release, metadata, status: { conditions: [] } } as BlueGreenReleaseObject);
    const answer = Promise.withResolvers<BlueGreenReleaseObject>();
    const said: string[] = [];
    const client = {
      get: (type: ResourceType) => Promise.resolve(void said.push(`look for the ${type.kind}`)),
      patch: (_: ResourceType, __: unknown, ___: Patch, options?: CallOptions) => {
        said.push(`write the ${options?.subresource ?? 'object'}`);
        return answer.promise;
      },
    };
    let changes = 1;
    const news = async (until: Promise<unknown> | number): Promise<boolean> => {
      if (typeof until === 'number') return false;
      if (changes-- > 0) return true;
      answer.resolve(release);
      await until;
      return false;
    };
    const context = { signal: new AbortController().signal, urgent: false, pause: async () => {}, news };
    await reconcilerOf(client, cache)('demo/shop', context);
    const first = said.indexOf('write the status');
    expect(said.slice(first, first + 2)).to.deep.equal(['write the status', 'look for the Deployment']);
  });
});

describe('a status of which only the words have changed', () => {
  it('waits two seconds, and anew where it said the old words again meanwhile', async () => {
    const spec = {
      ...(release.spec as object),
      traffic: { services: [{ name: 'shop' }, { name: 'admin' }] },
    };
    const metadata = { ...release.metadata, resourceVersion: '2', finalizers: [FINALIZER] };
    const cache = emptyCache();
    cache.releases.note({ spec, metadata, status: { conditions: [] } });
    const said: string[] = [];
    let version = 2;
    let missing = 'shop';
    const labels = { app: 'shop' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'shop:v1' }] } };
    const client = {
      get: async ({ kind }: ResourceType, { name }: { name: string }) => {
        if (kind === SERVICES.kind) return name === missing ? undefined : serviceOf(name);
        const source = { namespace: 'demo', name, uid: name, resourceVersion: '1' };
        return { metadata: source, spec: { selector: { matchLabels: labels }, template } };
      },
      list: async () => [],
      patch: async (_: unknown, __: unknown, { body }: any) => {
        said.push(body.status.message);
        const before = cache.releases.get({ namespace: 'demo', name: 'shop' })?.status as object;
        const resourceVersion = String(++version);
        return { spec, metadata: { ...metadata, resourceVersion }, status: { ...before, ...body.status } };
      },
    };
    const { signal } = new AbortController();
    const context = { signal, urgent: false, pause: async () => {}, news: async () => false };
    let now = NOON;
    const reconcile = reconcilerOf(client, cache, () => now);
    const seen: unknown[] = [];
    for (const [afterMs, name] of [
      [0, 'shop'],
      [1_000, 'admin'],
      [1_000, 'shop'],
      [1_000, 'admin'],
      [2_000, 'admin'],
    ] as const) {
      now += afterMs;
      missing = name;
      const result = await reconcile('demo/shop', context);
      seen.push([said.length, 'afterMs' in result && result.afterMs]);
    }
    expect(seen).to.deep.equal([
      [1, 15_000],
      [1, 2_000],
      [1, 15_000],
      [1, 2_000],
      [2, 15_000],
    ]);
    expect(said).to.deep.equal(
      ['shop', 'admin'].map(
        (name, index) =>
          `Service "${name}" does not exist in namespace "demo": create it or correct spec.traffic.services[${index}].name`,
      ),
    );
  });
});

describe('a release whose spec cannot be read', () => {
  const finalizers = ['somebody/else', 'bluegreen.dev/release'];
  const unreadable: BlueGreenReleaseObject = {
    ...release,
    spec: { traffic: 'none' } as never,
    metadata: { ...release.metadata, resourceVersion: '2', finalizers },
  };
  const deleted: BlueGreenReleaseObject = {
    ...unreadable,
    metadata: { ...unreadable.metadata, deletionTimestamp: '2026-06-01T12:00:00Z' },
  };
  const stored = (object: BlueGreenReleaseObject) => (): Promise<BlueGreenReleaseObject> =>
    Promise.resolve(object);

  it('keeps its finalizer as long as nobody deletes it', async () => {
    const { written } = await reconciled(unreadable, stored(unreadable));
    expect(written).to.deep.equal([`${RELEASES.kind}/status`]);
  });

  it('can be deleted: production stays where its selectors point', async () => {
    const { written, bodies } = await reconciled(deleted, stored(deleted));
    expect(written).to.deep.equal([`${RELEASES.kind}/status`, `${RELEASES.kind}/json`]);
    expect(bodies[1]).to.deep.equal({ op: 'add', path: '/metadata/finalizers', value: ['somebody/else'] });
  });

  it('is taken apart by the spec that it last worked with', async () => {
    const revision = {
      metadata: {
        namespace: 'demo',
        name: 'shop-r1',
        resourceVersion: '3',
        labels: { 'bluegreen.dev/release': 'shop', 'bluegreen.dev/revision': 'r1' },
        ownerReferences: [{ apiVersion: 'v1', kind: 'BlueGreenRelease', name: 'shop', uid: 'u' }],
      },
      revision: 1,
      data: { spec: release.spec, content: { template: { spec: { containers: [{ image: 'a:1' }] } } } },
    };
    const announced = { ...deleted, status: { conditions: [] } };
    const { written, bodies } = await reconciled(announced, stored(announced), (cache) => {
      cache.revisions.note(revision as never);
    });
    // No word of a bad spec: it went through the rules for a release that is being deleted.
    expect(written).to.deep.equal([`${RELEASES.kind}/json`]);
    expect(bodies[0]).to.deep.include({ path: '/metadata/finalizers' });
  });
});

describe('the statuses of many releases that begin at once', () => {
  const labels = { app: 'shop' };
  const podSpec = { containers: [{ name: 'app', image: 'shop:v1' }] };
  const source = { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec } };

  let areServicesLost = false;
  beforeEach(() => {
    areServicesLost = false;
  });

  /** `told` hears of each status that tells what was done, and may keep it from being answered. */
  function beginning(
    count: number,
    told: (name: string) => Promise<void> = async () => undefined,
    status?: ReleaseStatus,
  ) {
    const cache = emptyCache();
    const keys = Array.from({ length: count }, (_, index) => `app-${index}`);
    let version = 1;
    const newer = (name: string) => ({ ...release.metadata, name, resourceVersion: String(++version) });
    for (const name of keys)
      cache.releases.note({ ...release, metadata: newer(name), ...(status && { status }) });
    const client = {
      get: async (type: ResourceType, { name }: { name: string }) => {
        if (type.kind === 'Service' && name === 'shop' && areServicesLost) return undefined;
        return {
          metadata: { namespace: 'demo', name, uid: `${type.kind}-${name}`, resourceVersion: '1' },
          spec: type.kind === 'Deployment' ? source : { selector: { app: 'shop' }, ports: [{ port: 80 }] },
        };
      },
      list: () => Promise.resolve([]),
      patch: async (_: unknown, key: { namespace: string; name: string }, change: any) => {
        if (change.type !== 'json' && change.body.status.decisions !== undefined) await told(key.name);
        const object = cache.releases.get(key) as BlueGreenReleaseObject;
        const metadata = { ...object.metadata, ...newer(key.name) };
        if (change.type === 'json') return { ...object, metadata: { ...metadata, finalizers: [FINALIZER] } };
        return { ...object, metadata, status: { ...(object.status as object), ...change.body.status } };
      },
    };
    return { cache, keys, client };
  }
  const context: ReconcileContext = {
    signal: new AbortController().signal,
    urgent: false,
    pause: async () => {},
    news: async () => false,
  };

  it('are written when their turn comes, and tell of all that was done before', async () => {
    const { cache, keys, client } = beginning(12);
    let now = NOON;
    const reconcile = reconcilerOf(client, cache, () => now);
    const toldOf = async (): Promise<number> => {
      for (const name of keys) await reconcile(`demo/${name}`, context);
      const statuses = keys.map((name) => cache.releases.get({ namespace: 'demo', name })?.status);
      return statuses.filter((status: any) => status?.decisions?.[0]?.effects[0] === 'AddFinalizer').length;
    };
    expect(await toldOf()).to.be.lessThan(keys.length);
    now += 10_000;
    expect(await toldOf()).to.equal(keys.length);
  });

  it('do not wait while one thing follows another where `kubectl wait` would find ready what is not any more', async () => {
    const told: number[] = [];
    let now = NOON;
    const lastTransitionTime = '2026-01-01T00:00:00Z';
    const ready = { type: 'Ready', status: 'True', reason: 'Idle', message: '', lastTransitionTime } as const;
    const { cache, client } = beginning(1, async () => void told.push(now - NOON), { conditions: [ready] });
    // Each time something comes just before the API server has answered all that is asked.
    const news = async (until: number | Promise<unknown>): Promise<boolean> => {
      if (typeof until !== 'number') await until;
      else now += Math.min(until, 90);
      return typeof until === 'number';
    };
    await reconcilerOf(client, cache, () => now)('demo/app-0', { ...context, news });
    expect(told).to.deep.equal([500]);
  });

  const hurries: readonly [string, () => ReconcileContext][] = [
    ['an urgent worker', () => ({ ...context, urgent: true })],
    ['one that became urgent while its status waited', () => withNews({ urgent: true })],
    [
      'an alarm about what is lost while its status waited',
      () =>
        withNews({ urgent: false }, () => {
          areServicesLost = true;
        }),
    ],
  ];
  for (const [what, hasty] of hurries)
    it(`stand in a line, and keep ${what} from nothing`, async () => {
      const began: string[] = [];
      const answered = Promise.withResolvers<void>();
      const { cache, keys, client } = beginning(6, async (name) => {
        began.push(name);
        if (name !== 'app-5') await answered.promise;
      });
      const reconcile = reconcilerOf(client, cache, () => NOON);
      const slow = keys.slice(0, 5).map((name) => reconcile(`demo/${name}`, context));
      await settle();
      expect(began).to.deep.equal(['app-0', 'app-1', 'app-2', 'app-3']);
      await reconcile('demo/app-5', hasty());
      expect(began).to.deep.equal(['app-0', 'app-1', 'app-2', 'app-3', 'app-5']);
      answered.resolve();
      await Promise.all(slow);
      expect(began.at(-1)).to.equal('app-4');
    });

  /** News comes, once, while its status waits. */
  function withNews({ urgent }: { urgent: boolean }, onNews: () => void = () => undefined): ReconcileContext {
    let came = false;
    return {
      ...context,
      get urgent() {
        return came && urgent;
      },
      news: async (until: Promise<unknown> | number): Promise<boolean> => {
        if (typeof until === 'number') return false;
        const isNews = !came;
        came = true;
        if (isNews) onNews();
        else await until;
        return isNews;
      },
    };
  }
});

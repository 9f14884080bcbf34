import { expect } from 'chai';
import { copyName } from '../../../src/api/names.ts';
import { specSchema } from '../../../src/api/schema.ts';
import { StaleError } from '../../../src/controller/apply/errors.ts';
import { applyEffect } from '../../../src/controller/apply.ts';
import type { Cache } from '../../../src/controller/cache.ts';
import type { Scene } from '../../../src/controller/observe.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import type {
  CallOptions,
  JsonPatchOperation,
  KubeClient,
  KubeObject,
  Patch,
} from '../../../src/kube/ports.ts';
import { createStore } from '../../../src/kube/store.ts';
import type { ControllerRevision, Deployment } from '../../../src/kube/types.ts';
import type { RevisionFacts } from '../../../src/release/facts.ts';
import type { Effect } from '../../../src/release/plan.ts';
import { configDigest } from '../../../src/workload/config.ts';
import { fingerprint, type WorkloadContent } from '../../../src/workload/content.ts';
import { renderColor } from '../../../src/workload/render.ts';

const spec = specSchema.parse({
  workload: { deploymentRef: { name: 'shop' } },
  traffic: { services: [{ name: 'shop' }] },
});
const template = { metadata: { labels: { app: 'shop' } }, spec: { containers: [{ name: 'app' }] } };
const source = {
  metadata: { namespace: 'demo', name: 'shop' },
  spec: { template, selector: { matchLabels: { app: 'shop' } } },
};
const scene = {
  release: { namespace: 'demo', name: 'shop', uid: 'this-life', spec },
  source,
  snapshot: {
    config: { found: undefined, missing: [], bytes: 0 },
    release: { deleting: false },
    revisions: [],
    sides: { blue: { deployment: { revision: 'r1' } }, green: { deployment: { revision: 'r2' } } },
  },
} as unknown as Scene;
const facts: RevisionFacts = { color: 'blue', attempt: 1, startedAt: 0 };
const freeze = {
  kind: 'CreateRevision',
  revision: 'r1',
  number: 1,
  from: 'source',
  fingerprint: fingerprint({ template }),
  facts,
} as const;

const revision = (metadata: Partial<KubeObject['metadata']>): ControllerRevision => ({
  metadata: {
    namespace: 'demo',
    name: 'shop-r1',
    uid: 'revision-uid',
    resourceVersion: '7',
    labels: { 'bluegreen.dev/release': 'shop', 'bluegreen.dev/revision': 'r1' },
    ...metadata,
  },
  revision: 1,
});

function refusal(reason: 'AlreadyExists' | 'Invalid', message: string): KubeError {
  return new KubeError({ reason, status: 422, call: 'patch', message });
}

/** One ControllerRevision in the cluster and in the cache, and what was asked of it. */
function cluster(existing: ControllerRevision, answer?: KubeError) {
  const asked: { deleted: unknown[]; operations: JsonPatchOperation[] } = { deleted: [], operations: [] };
  const revisions = createStore<ControllerRevision>();
  revisions.replace({ items: [existing], resourceVersion: '7' });
  const client = {
    create: () => Promise.reject(refusal('AlreadyExists', 'already exists')),
    get: () => Promise.resolve(existing),
    list: () => Promise.resolve([{ metadata: { uid: 'this-life' } }]),
    delete: (_: unknown, __: unknown, options: unknown) => {
      asked.deleted.push(options);
      return Promise.resolve();
    },
    patch: (_: unknown, __: unknown, change: Patch) => {
      if (change.type === 'json') asked.operations.push(...change.operations);
      return answer === undefined ? Promise.resolve(existing) : Promise.reject(answer);
    },
  } as unknown as KubeClient;
  return { asked, applier: { client, cache: { revisions } as unknown as Cache } };
}

async function thrown(promise: Promise<void>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('what an earlier release of the same name left behind', () => {
  it('is removed, because it would never be seen and stand in the way for ever', async () => {
    for (const ownerReferences of [
      undefined,
      [{ apiVersion: 'x', kind: 'y', name: 'shop', uid: 'earlier' }],
    ]) {
      const left = revision(ownerReferences ? { ownerReferences } : {});
      const { asked, applier } = cluster(left);
      expect(await thrown(applyEffect(applier, scene, freeze))).to.be.instanceOf(StaleError);
      expect(asked.deleted).to.deep.equal([{ uid: 'revision-uid', propagation: 'Background' }]);
    }
  });

  it('is not what this release made itself before its answer was lost', async () => {
    const ownerReferences = [{ apiVersion: 'x', kind: 'y', name: 'shop', uid: 'this-life' }];
    const { asked, applier } = cluster(revision({ ownerReferences }));
    expect(await thrown(applyEffect(applier, scene, freeze))).to.equal(undefined);
    expect(asked.deleted).to.deep.equal([]);
  });
});

describe('a revision of a workload that stands in the release', () => {
  const stated = specSchema.parse({
    workload: { deployment: { spec: { template } } },
    traffic: { services: [{ name: 'shop' }] },
    replicas: 1,
  });
  const here = { ...scene, release: { ...scene.release, spec: stated }, wished: source } as unknown as Scene;
  const stored = { template: { ...template, spec: { containers: [{ name: 'app', image: 'as stored' }] } } };

  /** What is written, and how often the API server is asked what it would make of it. */
  async function frozen(known: WorkloadContent | undefined) {
    const dryRuns: unknown[] = [];
    const written: ControllerRevision[] = [];
    const { applier } = cluster(revision({}));
    const create = (_: unknown, body: KubeObject, { dryRun = false } = {}): Promise<unknown> => {
      const answer = { ...body, spec: { ...(body as Deployment).spec, ...stored } };
      if (dryRun) dryRuns.push(body);
      else written.push(body as ControllerRevision);
      return Promise.resolve(dryRun ? answer : body);
    };
    const client = { ...applier.client, create } as unknown as KubeClient;
    const takeStored = (asked: string) => (asked === freeze.fingerprint ? known : undefined);
    await applyEffect({ ...applier, client, takeStored }, here, freeze);
    return { dryRuns: dryRuns.length, content: written[0]?.data?.content };
  }

  it('holds what the API server makes of it, which it is asked once: before the release began, or now', async () => {
    expect(await frozen(stored as WorkloadContent)).to.deep.equal({ dryRuns: 0, content: stored });
    const { dryRuns, content } = await frozen(undefined);
    expect(dryRuns).to.equal(1);
    expect(fingerprint(content as never)).to.equal(fingerprint(stored));
  });
});

describe('the facts of a revision that lost them', () => {
  const record = { kind: 'RecordFacts', revision: 'r1', expected: undefined, facts } as const;

  it('are written anew, also where it has no annotation left, and only if nobody was quicker', async () => {
    const { asked, applier } = cluster(revision({}));
    await applyEffect(applier, scene, record);
    expect(asked.operations).to.deep.equal([
      { op: 'test', path: '/metadata/resourceVersion', value: '7' },
      { op: 'add', path: '/metadata/annotations', value: { 'bluegreen.dev/facts': JSON.stringify(facts) } },
    ]);
  });
});

describe('a validated candidate that is given up', () => {
  const outcome = { kind: 'Superseded', at: 2, reason: 'Superseded', message: 'no longer wanted' } as const;
  const given = { ...facts, attempt: 3, validatedAt: 1, outcome };
  const record = { kind: 'RecordFacts', revision: 'r1', expected: 'x', facts: given } as const;

  /** What it ends with, where the API server has this mark on the Service. */
  async function ended(mark: string | undefined, effect: typeof record | object = {}) {
    const { asked, applier } = cluster(revision({}));
    const annotations = mark === undefined ? {} : { 'bluegreen.dev/switch': mark };
    const service = { metadata: { name: 'shop', annotations }, spec: {} };
    const client = { ...applier.client, get: () => Promise.resolve(service) } as unknown as KubeClient;
    const snapshot = { ...scene.snapshot, services: [{ name: 'shop', selector: {} }] };
    const here = { ...scene, snapshot } as unknown as Scene;
    const error = await thrown(applyEffect({ ...applier, client }, here, { ...record, ...effect }));
    return [error instanceof StaleError, asked.operations.length > 0];
  }

  it('stays one where the API server says that another process gave it the traffic a moment ago', async () => {
    expect(await ended('this-life/r1/3')).to.deep.equal([true, false]);
  });

  for (const mark of [undefined, 'this-life/r1/2', 'this-life/r1/3/back', 'this-life/r2/3', 'another/r1/3'])
    it(`is written down where a Service says ${mark ?? 'nothing'}`, async () => {
      expect(await ended(mark)).to.deep.equal([false, true]);
    });

  it('is not one that had the traffic and lost it', async () => {
    const lost = { ...given, outcome: { ...outcome, kind: 'RolledBack' as const } };
    expect(await ended('this-life/r1/3', { facts: lost })).to.deep.equal([false, true]);
  });
});

describe('a revision that the traffic goes back from', () => {
  const outcome = { kind: 'RolledBack', at: 2, reason: 'NoReadyEndpoints', message: 'no pod' } as const;
  const lost = { ...facts, attempt: 3, validatedAt: 1, outcome };
  const record = { kind: 'RecordFacts', revision: 'r1', expected: 'x', facts: lost } as const;
  const selecting = (color: string | undefined) => ({
    app: 'shop',
    ...(color !== undefined && { 'bluegreen.dev/color': color }),
  });

  /** What it ends with, where the Service was seen on one colour, and is on another by now. */
  async function ended(seen: string | undefined, now: string | undefined) {
    const { asked, applier } = cluster(revision({}));
    const service = { metadata: { name: 'shop' }, spec: { selector: selecting(now) } };
    const get = () => Promise.resolve(now === 'gone' ? undefined : service);
    const client = { ...applier.client, get } as unknown as KubeClient;
    const snapshot = { ...scene.snapshot, services: [{ name: 'shop', selector: selecting(seen) }] };
    const here = { ...scene, snapshot } as unknown as Scene;
    const error = await thrown(applyEffect({ ...applier, client }, here, record));
    if (error !== undefined && !(error instanceof StaleError)) throw error;
    return error?.message ?? asked.operations.length;
  }

  it('has the traffic of a Service still that another process has just switched to it', async () => {
    for (const seen of ['green', undefined])
      expect(await ended(seen, 'blue')).to.equal(
        'Service "shop" selects blue: revision r1 has its traffic still',
      );
  });

  for (const [seen, now] of [
    ['green', 'green'],
    ['blue', 'green'],
    ['green', undefined],
    ['green', 'gone'],
    ['blue', 'blue'],
  ] as const)
    it(`has lost it where a Service was seen on ${seen}, and is on ${now ?? 'no colour'}`, async () => {
      expect(await ended(seen, now)).to.equal(2);
    });
});

describe('the selector of a Service', () => {
  const switched = {
    kind: 'PatchSelector',
    service: 'shop',
    uid: 'service-uid',
    from: { app: 'shop' },
    color: 'blue',
    mark: { uid: 'this-life', revision: 'r1', attempt: 1, direction: 'Forward' },
    decidedAt: 0,
    reason: 'why',
    rescue: false,
  } as const;
  const handed = { ...switched, kind: 'HandBack', hash: 'abc' } as const;
  const annotations = { 'bluegreen.dev/claimed-by': 'this-life' };
  const metadata = { name: 'shop', uid: 'service-uid', resourceVersion: '12', annotations };

  /** What has to be so still, beside the selector and the uid. */
  async function asked(effect: object): Promise<unknown> {
    const { asked, applier } = cluster(revision({}));
    const services = [{ metadata, spec: { selector: { app: 'shop' } } }];
    const here = { ...scene, services, previews: [], leftovers: [] } as unknown as Scene;
    const cache = { ...applier.cache, services: createStore() } as unknown as Cache;
    await applyEffect({ ...applier, cache }, here, effect as Effect);
    return asked.operations.filter(({ op }) => op === 'test').slice(2);
  }

  it('names a colour alone, where an ejection that did not end had named the pods of the source', async () => {
    const { asked, applier } = cluster(revision({}));
    const selector = { app: 'shop', 'pod-template-hash': 'abc' };
    const here = { ...scene, services: [{ metadata, spec: { selector } }], previews: [], leftovers: [] };
    const cache = { ...applier.cache, services: createStore() } as unknown as Cache;
    const effect = { ...switched, from: selector, expectedMark: undefined } as Effect;
    await applyEffect({ ...applier, cache }, here as unknown as Scene, effect);
    expect(asked.operations.filter(({ path }) => path.startsWith('/spec/selector'))).to.deep.equal([
      { op: 'test', path: '/spec/selector', value: selector },
      { op: 'add', path: '/spec/selector/bluegreen.dev~1color', value: 'blue' },
      { op: 'remove', path: '/spec/selector/pod-template-hash' },
    ]);
  });

  for (const effect of [switched, handed]) {
    it(`is written over (${effect.kind}) only where the last switch is the one that was seen`, async () => {
      expect(await asked({ ...effect, expectedMark: 'this-life/r2/2' })).to.deep.equal([
        { op: 'test', path: '/metadata/annotations/bluegreen.dev~1switch', value: 'this-life/r2/2' },
      ]);
    });

    it(`is written over (${effect.kind}) only where nobody has written since, if none was seen`, async () => {
      expect(await asked({ ...effect, expectedMark: undefined })).to.deep.equal([
        { op: 'test', path: '/metadata/resourceVersion', value: '12' },
      ]);
    });
  }
});

describe('a Service that is to name the pods of the source', () => {
  const effect = {
    kind: 'HandBack',
    service: 'shop',
    uid: 'service-uid',
    from: { app: 'shop' },
    expectedMark: undefined,
    decidedAt: 0,
    reason: 'why',
  } as const;
  const metadata = {
    name: 'shop',
    uid: 'service-uid',
    resourceVersion: '12',
    annotations: { 'bluegreen.dev/claimed-by': 'this-life' },
  };

  const stands = { metadata: { uid: 'this-life' } };

  /** Why it does not, where these releases and Deployments stand. */
  async function refused(
    hash: string | undefined,
    releases: readonly object[],
    ...standing: string[]
  ): Promise<unknown> {
    const { applier } = cluster(revision({}));
    const services = [{ metadata, spec: { selector: { app: 'shop' } } }];
    const here = { ...scene, services, previews: [], leftovers: [] } as unknown as Scene;
    const get = async (_: unknown, { name }: { name: string }) =>
      standing.includes(name) ? { metadata: { name } } : undefined;
    const client = { ...applier.client, get, list: async () => releases } as unknown as KubeClient;
    const cache = { ...applier.cache, services: createStore() } as unknown as Cache;
    const error = await thrown(applyEffect({ client, cache }, here, { ...effect, hash }));
    return error instanceof StaleError ? error.message : error;
  }

  it('does so while a colour stands: where another process has removed them it may have let go of it already', async () => {
    expect(await refused('abc', [stands], 'shop-green')).to.equal(undefined);
    expect(await refused('abc', [stands])).to.equal('no colour is left that the source would take over from');
    expect(await refused(undefined, []), 'as before the adoption').to.equal(undefined);
  });

  it('does not where people have ended the release by force: nobody would end what is begun', async () => {
    expect(await refused('abc', [], 'shop-green')).to.equal('release "shop" is gone');
    const another = { metadata: { uid: 'another-life' } };
    expect(await refused('abc', [another], 'shop-green')).to.equal('release "shop" is gone');
  });
});

describe('a Service that names the pods of the source', () => {
  const selector = { app: 'shop', 'pod-template-hash': 'abc' };
  const effect = {
    kind: 'PatchSelector',
    service: 'shop',
    uid: 'service-uid',
    from: selector,
    expectedMark: undefined,
    color: 'blue',
    mark: { uid: 'this-life', revision: 'r1', attempt: 1, direction: 'Back' },
    decidedAt: 0,
    reason: 'why',
    rescue: true,
  } as const;
  const stands = { metadata: { namespace: 'demo', name: 'shop', uid: 'this-life' } };
  const going = { metadata: { ...stands.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };

  /** What it ends with, and how the release was asked for, where it stands like this. */
  async function ended(answer: () => Promise<unknown>, change: object = {}, deleting = false) {
    const { asked, applier } = cluster(revision({}));
    const annotations = { 'bluegreen.dev/claimed-by': 'this-life' };
    const metadata = { name: 'shop', uid: 'service-uid', resourceVersion: '12', annotations };
    const services = [{ metadata, spec: { selector } }];
    const snapshot = { ...scene.snapshot, release: { deleting } };
    const here = { ...scene, services, previews: [], leftovers: [], snapshot } as unknown as Scene;
    const cache = { ...applier.cache, services: createStore() } as unknown as Cache;
    const questions: CallOptions[] = [];
    const list = (_: unknown, { urgency, deadlineMs }: CallOptions) => {
      questions.push({ ...(urgency && { urgency }), ...(deadlineMs && { deadlineMs }) });
      return answer();
    };
    const client = { ...applier.client, list } as unknown as KubeClient;
    const error = await thrown(applyEffect({ client, cache }, here, { ...effect, ...change } as Effect));
    if (error !== undefined && !(error instanceof StaleError)) throw error;
    return [error?.message ?? asked.operations.find(({ op }) => op === 'add')?.value, questions] as const;
  }

  it('was handed back where the release is going or gone: it is no drift, though this process had not heard', async () => {
    expect((await ended(async () => [going]))[0]).to.equal('release "shop" is being deleted');
    expect((await ended(async () => []))[0]).to.equal('release "shop" is gone');
  });

  it('is put to a colour where the release stands, and where nobody answers in two seconds', async () => {
    const down = () => Promise.reject(new Error('the API server is away'));
    for (const answer of [async () => [stands], down])
      expect(await ended(answer)).to.deep.equal(['blue', [{ urgency: 'rescue', deadlineMs: 2000 }]]);
  });

  it('takes no question of one that names none, nor of who deletes the release', async () => {
    const from = { app: 'shop', 'bluegreen.dev/color': 'green' };
    expect(await ended(async () => [going], { from })).to.deep.equal(['blue', []]);
    expect(await ended(async () => [going], {}, true)).to.deep.equal(['blue', []]);
  });
});

describe('a Service that is to lose its key, so that the source serves again', () => {
  const selector = { app: 'shop', 'bluegreen.dev/color': 'blue' };
  const effect = {
    kind: 'PatchSelector',
    service: 'shop',
    uid: 'service-uid',
    from: selector,
    expectedMark: 'this-life/r1/1',
    color: undefined,
    mark: undefined,
    decidedAt: 0,
    reason: 'why',
    rescue: true,
  } as const;

  /** What it ends with, where the facts of r1 were seen as `draining`, and are these by now. */
  async function ended(get: () => Promise<unknown>): Promise<unknown> {
    const { asked, applier } = cluster(revision({}));
    const services = [{ metadata: { name: 'shop', uid: 'service-uid' }, spec: { selector } }];
    const snapshot = { ...scene.snapshot, revisions: [{ name: 'r1', rawFacts: 'draining' }] };
    const here = { ...scene, services, previews: [], leftovers: [], snapshot } as unknown as Scene;
    const cache = { ...applier.cache, services: createStore() } as unknown as Cache;
    const client = { ...applier.client, get } as unknown as KubeClient;
    const error = await thrown(applyEffect({ client, cache }, here, effect));
    if (error !== undefined && !(error instanceof StaleError)) throw error;
    return error?.message ?? asked.operations.at(-1)?.op;
  }
  const facts = (text: string) => async () => revision({ annotations: { 'bluegreen.dev/facts': text } });

  it('keeps it where another process has ended the adoption meanwhile, and parked the source', async () => {
    expect(await ended(facts('committed'))).to.equal('the facts of revision r1 changed in the meantime');
  });

  it('loses it where nothing was written since, and where nobody can be asked: no pod of its colour is ready', async () => {
    const gone = async () => undefined;
    const down = () => Promise.reject(new Error('the API server is away'));
    for (const get of [facts('draining'), gone, down]) expect(await ended(get)).to.equal('remove');
  });
});

describe('a Service that tells nothing of this release', () => {
  const mark = { uid: 'this-life', revision: 'r1', attempt: 1, direction: 'Forward' };
  const effect = {
    kind: 'PatchSelector',
    service: 'shop',
    uid: 'service-uid',
    from: { app: 'shop', 'bluegreen.dev/color': 'blue' },
    color: 'blue',
    mark,
    decidedAt: 0,
    reason: 'why',
    rescue: true,
  };

  const stands = { metadata: { namespace: 'demo', name: 'shop', uid: 'this-life' } };
  const other = { metadata: { namespace: 'demo', name: 'another', uid: 'that-life' } };

  /** What it ends with, where the API server has the release like this. */
  async function marked(
    release: KubeObject | undefined,
    change: object = {},
    from = effect.from,
  ): Promise<unknown> {
    const { asked, applier } = cluster(revision({}));
    const metadata = { name: 'shop', uid: 'service-uid', resourceVersion: '12', ...change };
    const services = [{ metadata, spec: { selector: { app: 'shop' } } }];
    const here = { ...scene, services, previews: [], leftovers: [] } as unknown as Scene;
    const cache = { ...applier.cache, services: createStore(), releases: createStore() } as unknown as Cache;
    const list = () => Promise.resolve([other, ...(release === undefined ? [] : [release])]);
    const client = { ...applier.client, list } as unknown as KubeClient;
    const error = await thrown(applyEffect({ client, cache }, here, { ...effect, from } as Effect));
    return [error instanceof StaleError, asked.operations.length > 0];
  }

  it('gets its mark, where the API server says that the release stands', async () => {
    expect(await marked(stands)).to.deep.equal([false, true]);
  });

  it('was given back, where it is gone or going: this process had not heard of that', async () => {
    expect(await marked(undefined)).to.deep.equal([true, false]);
    const going = { metadata: { ...stands.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
    expect(await marked(going)).to.deep.equal([true, false]);
  });

  it('points where people had it, once it was given back: it is put to a colour only where the release stands', async () => {
    const given = { app: 'shop' } as typeof effect.from;
    expect(await marked(undefined, {}, given)).to.deep.equal([true, false]);
    expect(await marked(stands, {}, given)).to.deep.equal([false, true]);
  });

  it('is not the one that was claimed and has not been switched yet: nobody is asked', async () => {
    const annotations = { 'bluegreen.dev/claimed-by': 'this-life' };
    expect(await marked(undefined, { annotations })).to.deep.equal([false, true]);
  });
});

describe('a Service that lost its mark', () => {
  const effect = {
    kind: 'PatchSelector',
    service: 'shop',
    uid: 'service-uid',
    from: { app: 'shop' },
    expectedMark: undefined,
    color: 'blue',
    mark: { uid: 'this-life', revision: 'r1', attempt: 1, direction: 'Forward' },
    decidedAt: 0,
    reason: 'SelectorRestored',
    rescue: true,
  } as const;

  /** What it ends with, where r1 was seen to be watched and r2 proven, and they are this by now. */
  async function ended(
    get: (_: unknown, key: { name: string }, options: CallOptions) => Promise<unknown>,
    change: object = {},
  ): Promise<unknown> {
    const { asked, applier } = cluster(revision({}));
    const metadata = { name: 'shop', uid: 'service-uid', resourceVersion: '12' };
    const annotations = { 'bluegreen.dev/claimed-by': 'this-life' };
    const services = [{ metadata: { ...metadata, annotations }, spec: { selector: { app: 'shop' } } }];
    const revisions = [
      { name: 'r0', rawFacts: 'committed', facts: { attempt: 1 } },
      { name: 'r1', rawFacts: 'watched', facts: { attempt: 2 } },
      { name: 'r2', rawFacts: 'proven', facts: { attempt: 3 } },
      { name: 'r3' },
    ];
    const snapshot = { ...scene.snapshot, revisions };
    const here = { ...scene, services, previews: [], leftovers: [], snapshot } as unknown as Scene;
    const cache = { ...applier.cache, services: createStore() } as unknown as Cache;
    const client = { ...applier.client, get } as unknown as KubeClient;
    const error = await thrown(applyEffect({ client, cache }, here, { ...effect, ...change } as Effect));
    if (error !== undefined && !(error instanceof StaleError)) throw error;
    return error?.message ?? asked.operations.find(({ op }) => op === 'add');
  }
  const facts =
    (texts: Record<string, string>) =>
    async (_: unknown, { name }: { name: string }) =>
      revision({ annotations: { 'bluegreen.dev/facts': texts[name] ?? 'others' } });
  const seen = { 'shop-r1': 'watched', 'shop-r2': 'proven' };
  const put = { op: 'add', path: '/spec/selector/bluegreen.dev~1color', value: 'blue' };

  it('is not put back to a revision that another process has rolled back meanwhile', async () => {
    const get = facts({ ...seen, 'shop-r1': 'rejected' });
    expect(await ended(get)).to.equal('the facts of revision r1 changed in the meantime');
  });

  it('nor from one that was begun since, and that another process has switched to', async () => {
    const get = facts({ ...seen, 'shop-r2': 'verified' });
    expect(await ended(get)).to.equal('the facts of revision r2 changed in the meantime');
  });

  it('is put back where nothing was written since, and where nobody can be asked', async () => {
    const down = () => Promise.reject(new Error('the API server is away'));
    for (const get of [facts(seen), async () => undefined, down]) expect(await ended(get)).to.deep.equal(put);
  });

  it('waits for no answer longer than two seconds, and asks before everything else', async () => {
    const asked: unknown[] = [];
    await ended(async (_, __, { deadlineMs, urgency }) => void asked.push([deadlineMs, urgency]));
    expect(asked).to.deep.equal([
      [2000, 'rescue'],
      [2000, 'rescue'],
    ]);
  });

  it('is not one whose mark stands: that is tested for, and nobody is asked', async () => {
    expect(await ended(facts({}), { expectedMark: 'this-life/r1/1' })).to.deep.equal(put);
  });
});

describe('a side that production is to go back to', () => {
  const effect = {
    kind: 'PatchSelector',
    service: 'shop',
    uid: 'service-uid',
    from: { app: 'shop', 'bluegreen.dev/color': 'green' },
    expectedMark: 'this-life/r2/2',
    color: 'blue',
    mark: { uid: 'this-life', revision: 'r1', attempt: 2, direction: 'Back' },
    decidedAt: 0,
    reason: 'why',
    rescue: true,
  } as const;

  const watched: RevisionFacts = { color: 'green', attempt: 2, startedAt: 0, validatedAt: 1 };
  const committed = { kind: 'Committed', at: 2, reason: 'Committed', message: 'promoted' } as const;

  /** What it ends with, and what was asked for, where r1 was seen there and r2 watched, and they are this by now. */
  async function ended(
    held: () => Promise<unknown>,
    left: () => Promise<unknown> = facts(watched),
    change: object = {},
    revisions: object[] = [{ name: 'r2', facts: watched }],
  ) {
    const { asked, applier } = cluster(revision({}));
    const services = [{ metadata: { name: 'shop', uid: 'service-uid' }, spec: { selector: effect.from } }];
    const snapshot = { ...scene.snapshot, revisions };
    const here = { ...scene, services, previews: [], leftovers: [], snapshot } as unknown as Scene;
    const cache = { ...applier.cache, services: createStore() } as unknown as Cache;
    const questions: unknown[] = [];
    const get = (_: unknown, { name }: { name: string }, { urgency, deadlineMs }: CallOptions) => {
      questions.push([name, urgency, deadlineMs]);
      return name === 'shop-r2' ? left() : held();
    };
    const client = { ...applier.client, get } as unknown as KubeClient;
    const error = await thrown(applyEffect({ client, cache }, here, { ...effect, ...change } as Effect));
    if (error !== undefined && !(error instanceof StaleError)) throw error;
    return [error?.message ?? asked.operations.find(({ op }) => op === 'add')?.value, questions] as const;
  }
  const held = (name: string) => async () => renderColor(scene.release, 'blue', name, { template }, 1);
  const facts = (now: object) => async () =>
    revision({ annotations: { 'bluegreen.dev/facts': JSON.stringify(now) } });
  const down = () => Promise.reject(new Error('the API server is away'));
  const gone = async () => undefined;
  const questions = [
    ['shop-r2', 'rescue', 2000],
    ['shop-blue', 'rescue', 2000],
  ];

  it('is not one that another process has begun to build the next revision on, or has removed', async () => {
    const message = 'blue holds something else by now: nothing goes back to it';
    expect(await ended(held('r3'))).to.deep.equal([message, questions]);
    expect(await ended(gone)).to.deep.equal([message, questions]);
  });

  it('is not one that may be emptied, since another process has committed what serves', async () => {
    expect(await ended(held('r1'), facts({ ...watched, outcome: committed }))).to.deep.equal([
      'revision r2 was committed meanwhile: the traffic is not taken from it',
      questions,
    ]);
  });

  it('takes the traffic where all is as it was seen, and where nobody answers in two seconds', async () => {
    expect(await ended(held('r1'))).to.deep.equal(['blue', questions]);
    expect(await ended(down, down)).to.deep.equal(['blue', questions]);
    expect(await ended(held('r1'), gone)).to.deep.equal(['blue', questions]);
  });

  it('takes it whatever else was written of what it is taken from', async () => {
    const wanted = { at: 2, reason: 'CheckFailed', message: 'too many errors' };
    const outcome = { ...committed, kind: 'RolledBack' };
    for (const now of [
      { ...watched, returnWanted: wanted },
      { ...watched, outcome },
    ])
      expect((await ended(held('r1'), facts(now)))[0]).to.equal('blue');
  });

  it('takes it inside the window from what was seen to be committed: that is not asked for', async () => {
    const revisions = [{ name: 'r2', facts: { ...watched, outcome: committed } }];
    expect(await ended(held('r1'), gone, {}, revisions)).to.deep.equal([
      'blue',
      [['shop-blue', 'rescue', 2000]],
    ]);
  });

  it('has it already where its mark stands, and is proven where it goes forward: nobody is asked', async () => {
    const standing = { expectedMark: 'this-life/r1/2/back' };
    expect(await ended(held('r3'), gone, standing)).to.deep.equal(['blue', []]);
    const mark = { ...effect.mark, direction: 'Forward' };
    expect(await ended(held('r3'), gone, { mark })).to.deep.equal(['blue', []]);
  });
});

describe('a revision that is beyond historyLimit', () => {
  /** What it ends with, where the API server has the Deployment of its colour like this. */
  async function forgotten(held: string | undefined): Promise<unknown> {
    const { asked, applier } = cluster(revision({}));
    const snapshot = { ...scene.snapshot, revisions: [{ name: 'r1', facts }] };
    const deployment = held && renderColor(scene.release, 'blue', held, { template }, 1);
    const client = { ...applier.client, get: () => Promise.resolve(deployment) } as unknown as KubeClient;
    const here = { ...scene, snapshot } as unknown as Scene;
    const error = await thrown(
      applyEffect({ ...applier, client }, here, { kind: 'DeleteRevision', revision: 'r1' }),
    );
    return error instanceof StaleError ? error.message : asked.deleted;
  }

  it('stays while its colour holds it, of which this process had not heard', async () => {
    expect(await forgotten('r1')).to.equal('blue holds revision r1: it is not forgotten');
  });

  it('is deleted where its colour holds another one, or is not there', async () => {
    for (const held of ['r2', undefined])
      expect(await forgotten(held)).to.deep.equal([{ uid: 'revision-uid', propagation: 'Background' }]);
  });
});

describe('a Service that is let go', () => {
  it('is left to who wrote to it a moment before, until that has been seen', async () => {
    const { asked, applier } = cluster(revision({}));
    const metadata = { name: 'shop', uid: 'service-uid', resourceVersion: '12' };
    const services = [{ metadata, spec: { selector: { app: 'shop' } } }];
    const here = { ...scene, services, previews: [], leftovers: [] } as unknown as Scene;
    const cache = { ...applier.cache, services: createStore() } as unknown as Cache;
    const seen = { uid: 'service-uid', resourceVersion: '11' };
    await applyEffect({ ...applier, cache }, here, { kind: 'ReleaseService', service: 'shop', ...seen });
    expect(asked.operations).to.deep.equal([
      { op: 'test', path: '/metadata/uid', value: 'service-uid' },
      { op: 'test', path: '/metadata/resourceVersion', value: '11' },
    ]);
  });
});

describe('a colour that an earlier release left serving, and its config', () => {
  const held = { data: { currency: 'EUR' } };
  const digest = configDigest(held);
  const copy = copyName('shop', 'blue', 'settings', digest);
  const config = { configMaps: { settings: digest } };
  const named = { ...spec, config: { configMaps: [{ name: 'settings' }], secrets: [] } };
  const deployment = renderColor({ ...scene.release, spec: named }, 'blue', 'r3', { template, config }, 1);
  const readopt = { ...freeze, from: 'blue', fingerprint: fingerprint({ template, config }) } as const;

  /** The revision that is made where these ConfigMaps are, or why there is none. */
  async function made(configMaps: Record<string, object>): Promise<unknown> {
    const { applier } = cluster(revision({}));
    const bodies: ControllerRevision[] = [];
    const client = {
      get: (_: unknown, { name }: { name: string }) => Promise.resolve(configMaps[name]),
      create: (_: unknown, body: ControllerRevision) => {
        bodies.push(body);
        return Promise.resolve(body);
      },
    } as unknown as KubeClient;
    const deployments = createStore<Deployment>();
    deployments.replace({ items: [deployment], resourceVersion: '7' });
    const cache = { ...applier.cache, deployments } as unknown as Cache;
    const error = await thrown(applyEffect({ client, cache }, scene, readopt));
    return error instanceof Error ? error.message : (bodies[0]?.data as { configMaps?: unknown })?.configMaps;
  }

  it('is taken over with what its copy holds', async () => {
    expect(await made({ [copy]: held, settings: { data: { currency: 'USD' } } })).to.deep.equal({
      settings: held,
    });
  });

  it('is taken over with what people write, where the copy is gone and it is the same', async () => {
    expect(await made({ settings: held })).to.deep.equal({ settings: held });
  });

  it('waits for its copy where nothing says the same', async () => {
    expect(await made({ settings: { data: { currency: 'USD' } } })).to.equal(
      `ConfigMap "${copy}", with which blue runs, is gone or changed: put it back`,
    );
  });
});

describe('what is removed', () => {
  const budget = (uid: string, resourceVersion: string): KubeObject => ({
    metadata: { namespace: 'demo', name: 'shop-blue', uid, resourceVersion },
  });

  it('is forgotten at once, and what was made under its name meanwhile is not', async () => {
    for (const [heard, left] of [
      [[], undefined],
      [[budget('second', '9')], 'second'],
    ] as const) {
      const budgets = createStore<KubeObject>();
      budgets.replace({ items: [budget('first', '7')], resourceVersion: '7' });
      const hear = async (): Promise<void> => {
        for (const object of heard) budgets.apply('ADDED', object);
      };
      const applier = {
        client: { delete: hear } as unknown as KubeClient,
        cache: { budgets } as unknown as Cache,
      };
      await applyEffect(applier, scene, { kind: 'RemoveBudget', color: 'blue', uid: 'first' });
      expect(budgets.get({ namespace: 'demo', name: 'shop-blue' })?.metadata.uid).to.equal(left);
    }
  });
});

describe('a patch that is refused', () => {
  const record = { kind: 'RecordFacts', revision: 'r1', expected: 'x', facts } as const;

  it('is stale where a test of it failed', async () => {
    const failed = refusal('Invalid', 'the server rejected our request due to an error in our request');
    const { applier } = cluster(revision({}), failed);
    expect(await thrown(applyEffect(applier, scene, record))).to.be.instanceOf(StaleError);
  });

  it('is told to people where the object or a policy is against it', async () => {
    for (const message of [
      'ControllerRevision.apps "shop-r1" is invalid: data: field is immutable',
      'controllerrevisions.apps "shop-r1" is forbidden: ValidatingAdmissionPolicy "freeze" denied request: no',
      'admission webhook "freeze.example.com" denied the request: no',
    ]) {
      const { applier } = cluster(revision({}), refusal('Invalid', message));
      expect(await thrown(applyEffect(applier, scene, record)), message).to.be.instanceOf(KubeError);
    }
  });
});

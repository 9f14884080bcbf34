import { expect } from 'chai';
import { specSchema } from '../../../src/api/schema.ts';
import { StaleError } from '../../../src/controller/apply/errors.ts';
import { applyEffect } from '../../../src/controller/apply.ts';
import { viewCredentials } from '../../../src/controller/credentials.ts';
import { judgeCredentials } from '../../../src/controller/judge-credentials.ts';
import { readPublished, viewEndpoint } from '../../../src/controller/published.ts';
import { KubeError, type KubeErrorDetails } from '../../../src/kube/errors.ts';

/** What no view, no message and no digest may hold, in whatever form. */
const PASSWORDS = ['blue-pass-1', 'green-pass-1'];
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const LABELS = { 'bluegreen.dev/config': 'true' };

const spec = specSchema.parse({
  workload: {
    external: {
      active: 'blue',
      blue: { url: 'b', revision: '1', secretRef: { name: 'blue' } },
      green: { url: 'g', secretRef: { name: 'green' } },
    },
  },
  traffic: {
    endpoint: { configMapRef: { name: 'search' }, secretRef: { name: 'login', keys: ['password'] } },
  },
});

const secret = (name: string, password: string | undefined, more: object = {}): any => ({
  metadata: { name, uid: `${name}-uid`, resourceVersion: '1', labels: LABELS, ...more },
  type: 'Opaque',
  ...(password !== undefined && { data: { password: base64(password), admin: base64('never') } }),
});

/** As it was written of blue. */
const written = (password: string, more: object = {}): any => ({
  ...secret('login', undefined, {
    annotations: { 'bluegreen.dev/switch': 'uid/r1/1', 'bluegreen.dev/copy-of': 'blue/blue-uid/1' },
    ...more,
  }),
  data: { password: base64(password), url: base64('b'), color: base64('blue'), revision: base64('1') },
});

const failure = (details: Partial<KubeErrorDetails>): KubeError =>
  new KubeError({ reason: 'Forbidden', status: 403, call: 'get secrets', message: 'no', ...details });

interface Cluster {
  readonly login?: unknown;
  readonly blue?: unknown;
  readonly green?: unknown;
  readonly search?: unknown;
}

/** Names that hold an error answer with it. */
function clusterOf(objects: Cluster, answer?: Error) {
  const patches: any[] = [];
  const client: any = {
    get: async (_type: object, { name }: { name: keyof Cluster }) => {
      if (objects[name] instanceof Error) throw objects[name];
      return objects[name];
    },
    patch: async (...call: unknown[]) => {
      patches.push(call);
      if (answer !== undefined) throw answer;
      return written('green-pass-1');
    },
  };
  return { client, patches };
}

const release: any = { namespace: 'team', name: 'shop', uid: 'uid', spec };
const r1: any = {
  name: 'r1',
  frozen: spec,
  facts: { color: 'blue' },
  config: { secrets: { blue: 'blue-uid/1' } },
};
const all = { blue: secret('blue', 'blue-pass-1'), green: secret('green', 'green-pass-1') };

const cache: any = {
  releases: { list: () => [{ metadata: { name: 'find', uid: 'other' } }], get: () => undefined },
  configMaps: { get: () => undefined },
};
const view = (objects: Cluster, revisions = [r1]): Promise<any> =>
  viewCredentials({ client: clusterOf(objects).client, cache }, release, revisions, 'normal');

describe('the credentials that a release publishes', () => {
  for (const [what, login, state] of [
    ['that is not there', undefined, ['Absent', undefined]],
    ['that may not be read', failure({}), ['Unreadable', undefined]],
    ['that cannot be read now', failure({ reason: 'Timeout', status: 504 }), ['Unanswered', undefined]],
    ['that is empty, and labelled', secret('login', undefined), ['Free', undefined]],
    ['without the label', secret('login', undefined, { labels: {} }), ['Foreign', undefined]],
    [
      'of another release',
      secret('login', undefined, { annotations: { 'bluegreen.dev/switch': 'other/r1/1' } }),
      ['Foreign', 'find'],
    ],
    [
      'of a release that is no more',
      secret('login', undefined, { annotations: { 'bluegreen.dev/switch': 'gone/r1/1' } }),
      ['Free', undefined],
    ],
    ['of another type', { ...secret('login', undefined), type: 'kubernetes.io/tls' }, ['Unfit', undefined]],
    ['that is immutable', { ...secret('login', undefined), immutable: true }, ['Unfit', undefined]],
    ['with what somebody else keeps in it', secret('login', 'mine'), ['InUse', undefined]],
    [
      'that an earlier release left with what a side still has',
      { ...written('blue-pass-1'), metadata: secret('login', '').metadata },
      ['Free', undefined],
    ],
    [
      'that an earlier release left with what no side has any more',
      { ...written('older'), metadata: secret('login', '').metadata },
      ['InUse', undefined],
    ],
    ['of ours', written('blue-pass-1'), ['Ours', undefined]],
    ['of ours without its label', written('blue-pass-1', { labels: {} }), ['Ours', undefined]],
  ] as const) {
    it(`are seen as what they are, in a Secret ${what}`, async () => {
      const seen = await view({ ...all, login });
      expect([seen.state, seen.owner]).to.deep.equal(state);
    });
  }

  for (const [what, blue, expected] of [
    ['that is not there', undefined, { state: 'Absent', version: '' }],
    ['that may not be read', failure({}), { state: 'Unreadable', version: '' }],
    ['that cannot be read now', failure({ reason: 'Timeout' }), { state: 'Unanswered', version: '' }],
    [
      'without the label',
      secret('blue', 'x', { labels: {} }),
      { state: 'Unlabelled', version: 'blue-uid/1' },
    ],
    ['without a key', secret('blue', undefined), { state: 'Found', lacks: 'password' }],
    ['with an empty value', secret('blue', ''), { state: 'Found', lacks: 'password' }],
    ['with all of it', all.blue, { state: 'Found', lacks: undefined, shaped: true, same: true }],
    ['with another password', secret('blue', 'new'), { shaped: true, same: false }],
  ] as const) {
    it(`are seen as what they are, in a side's Secret ${what}`, async () => {
      const { sides, sources } = await view({ ...all, blue, login: written('blue-pass-1') });
      expect(sides.blue).to.include(expected);
      expect(sources.r1).to.deep.equal(sides.blue);
    });
  }

  const odd = written('blue-pass-1');
  for (const [what, data] of [
    ['a key more', { ...odd.data, extra: 'eA==' }],
    ['a key less', { password: odd.data.password, url: odd.data.url, color: odd.data.color }],
    ['another url', { ...odd.data, url: base64('g') }],
  ] as const) {
    it(`are not shaped as they should be with ${what}`, async () => {
      const { sources } = await view({ ...all, login: { ...odd, data } });
      expect(sources.r1).to.include({ shaped: false, same: false });
    });
  }

  for (const [what, objects, versions] of [
    ['what it was frozen with', { login: written('blue-pass-1') }, ['blue-uid/1', 'green-uid/1']],
    [
      'the same as long as it holds what consumers use, whatever else was written to it',
      { login: written('blue-pass-1'), blue: secret('blue', 'blue-pass-1', { resourceVersion: '9' }) },
      ['blue-uid/1', 'green-uid/1'],
    ],
    [
      'another when it holds something else',
      { login: written('blue-pass-1'), blue: secret('blue', 'new', { resourceVersion: '9' }) },
      ['blue-uid/9', 'green-uid/1'],
    ],
    [
      'the same where it is not there, and nothing where it never was',
      { login: written('blue-pass-1'), blue: undefined, green: undefined },
      ['blue-uid/1', 'unknown'],
    ],
  ] as const) {
    it(`make a side's revision ${what}`, async () => {
      const seen = await view({ ...all, ...objects });
      expect([seen.versions.blue, seen.versions.green]).to.deep.equal(versions);
    });
  }

  it('stand in no view, as they are or encoded or as a digest that could be guessed', async () => {
    const digests = [];
    for (const password of PASSWORDS) {
      const blue = secret('blue', password);
      const { client } = clusterOf({ ...all, blue, login: written(password), search: undefined });
      const found = await readPublished({ client, cache }, release);
      const seen = await viewEndpoint({ client, cache }, release, found, [r1]);
      const text = JSON.stringify(seen);
      for (const each of [...PASSWORDS, 'never']) {
        expect(text).not.to.include(each);
        expect(text).not.to.include(base64(each));
      }
      digests.push([seen?.digests, seen?.fingerprints]);
    }
    expect(digests[0]).to.deep.equal(digests[1]);
  });

  it('are not asked for where a release publishes none', async () => {
    const { endpoint, ...traffic } = spec.traffic;
    const bare: any = {
      ...release,
      spec: { ...spec, traffic: { ...traffic, endpoint: { ...endpoint, secretRef: undefined } } },
    };
    const client: any = { get: () => expect.fail('a Secret was read') };
    expect(await viewCredentials({ client, cache }, bare, [], 'normal')).to.equal(undefined);
  });
});

describe('the write of credentials', () => {
  const effect: any = {
    kind: 'PublishSecret',
    secret: 'login',
    uid: 'login-uid',
    resourceVersion: '1',
    source: { name: 'green', version: 'green-uid/1' },
    keys: ['password'],
    color: 'green',
    mark: { uid: 'uid', revision: 'r2', attempt: 2, direction: 'Forward' },
    beside: { url: 'g', color: 'green' },
    decidedAt: 0,
    reason: 'Validated: all gates passed',
    rescue: false,
  };
  const search = { metadata: { name: 'search', annotations: { 'bluegreen.dev/switch': 'uid/r2/2' } } };
  const scene: any = { release, published: search, snapshot: {} };
  const objects = { ...all, search, login: written('blue-pass-1') };

  async function write(cluster: Cluster, answer?: Error, of: any = effect) {
    const { client, patches } = clusterOf(cluster, answer);
    const error = await applyEffect({ client, cache }, scene, of).then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    return { patches, error };
  }

  it('replaces all of it in one patch, with the mark, under the version that was seen', async () => {
    const { patches, error } = await write(objects);
    expect(error).to.equal(undefined);
    const path = '/metadata/annotations/bluegreen.dev~1';
    expect(patches.map(([, key, { operations }, options]) => [key, operations, options])).to.deep.equal([
      [
        { namespace: 'team', name: 'login' },
        [
          { op: 'test', path: '/metadata/uid', value: 'login-uid' },
          { op: 'test', path: '/metadata/resourceVersion', value: '1' },
          {
            op: 'add',
            path: '/data',
            value: { password: base64('green-pass-1'), url: base64('g'), color: base64('green') },
          },
          { op: 'add', path: `${path}switch`, value: 'uid/r2/2' },
          { op: 'add', path: `${path}switched-at`, value: '1970-01-01T00:00:00.000Z' },
          { op: 'add', path: `${path}switch-reason`, value: 'Validated: all gates passed' },
          { op: 'add', path: `${path}copy-of`, value: 'green/green-uid/1' },
        ],
        { urgency: 'normal' },
      ],
    ]);
  });

  for (const [what, cluster] of [
    ['the ConfigMap says something else by now', { ...objects, search: { metadata: { name: 'search' } } }],
    ['the ConfigMap is gone', { ...objects, search: undefined }],
    [
      'the Secret of the side was written',
      { ...objects, green: secret('green', 'x', { resourceVersion: '2' }) },
    ],
    ['the Secret of the side is gone', { ...objects, green: undefined }],
    ['the Secret of the side lacks a key', { ...objects, green: secret('green', undefined) }],
    [
      'the published Secret is another one',
      { ...objects, login: secret('login', undefined, { uid: 'new' }) },
    ],
  ] as const) {
    it(`is not done where ${what}`, async () => {
      const { patches, error } = await write(cluster);
      expect(error).to.be.instanceOf(StaleError);
      expect(patches).to.deep.equal([]);
    });
  }

  for (const [what, answer, message] of [
    [
      'a policy that quotes what it refuses',
      { reason: 'Invalid', status: 422, message: `Secret "login" is invalid: ${base64('green-pass-1')}` },
      'patch secrets login: the API server answered Invalid',
    ],
    [
      'a webhook that quotes what it refuses',
      { reason: 'Forbidden', status: 403, message: 'webhook denied the request: green-pass-1 is weak' },
      'patch secrets login: the API server forbids it',
    ],
    [
      'another writer who was quicker',
      { reason: 'Invalid', status: 422, message: 'the server rejected our request' },
      'Secret "login" changed in the meantime',
    ],
  ] as const) {
    it(`says nothing of what it holds, after ${what}`, async () => {
      const { error } = await write(objects, failure(answer));
      expect(error?.message).to.equal(message);
    });
  }

  it('is judged before by a dry run that carries nothing of it, and whose answer is not quoted', async () => {
    const { client, patches } = clusterOf(objects, failure({ message: 'green-pass-1' }));
    const seen: any = { release, snapshot: { endpoint: { credentials: await view(objects) } } };
    const problem = await judgeCredentials(client, seen, new AbortController().signal);
    expect(problem?.message).to.equal(
      'spec.traffic.endpoint.secretRef: the API server refuses to patch Secret "login" (Forbidden): let the operator do so by a Role of this namespace (docs/endpoint.md), or see which policy forbids it',
    );
    const [[, , { body }, { dryRun }]] = patches;
    expect([body, dryRun]).to.deep.equal([
      { metadata: { uid: 'login-uid', annotations: { 'bluegreen.dev/switch': 'dry-run' } } },
      true,
    ]);
  });

  it('cannot be judged while a Secret cannot be read', async () => {
    const { client } = clusterOf(objects);
    const credentials = await view({ ...objects, green: failure({ reason: 'Timeout' }) });
    const scene: any = { release, snapshot: { endpoint: { credentials } } };
    const message = await judgeCredentials(client, scene, new AbortController().signal).then(
      () => '',
      (error: Error) => error.message,
    );
    expect(message).to.equal('Secret "green" could not be read');
  });

  describe('is undone when the release goes', () => {
    const going: any = { kind: 'ReleaseSecret', secret: 'login', uid: 'login-uid' };

    it('as far as its mark goes: what it holds stays', async () => {
      const { patches } = await write(objects, undefined, going);
      expect(patches[0][2].operations).to.deep.equal([
        { op: 'test', path: '/metadata/uid', value: 'login-uid' },
        { op: 'remove', path: '/metadata/annotations/bluegreen.dev~1switch' },
        { op: 'remove', path: '/metadata/annotations/bluegreen.dev~1copy-of' },
      ]);
    });

    it('or not at all, where the rights are gone: the release must go all the same', async () => {
      const { error } = await write(objects, failure({}), going);
      expect(error).to.equal(undefined);
    });
  });
});

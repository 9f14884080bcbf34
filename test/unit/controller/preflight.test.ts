import { expect } from 'chai';
import { type ReleaseSpec, specSchema } from '../../../src/api/schema.ts';
import type { Cache } from '../../../src/controller/cache.ts';
import { createLine } from '../../../src/controller/line.ts';
import type { Scene } from '../../../src/controller/observe.ts';
import { preflight } from '../../../src/controller/preflight.ts';
import { revisionView } from '../../../src/controller/views/revision.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import type { KubeClient, KubeObject } from '../../../src/kube/ports.ts';
import type { ControllerRevision, Deployment } from '../../../src/kube/types.ts';
import { fingerprint } from '../../../src/workload/content.ts';

const spec = specSchema.parse({
  workload: { deploymentRef: { name: 'shop' } },
  traffic: { services: [{ name: 'shop' }] },
});
const content = {
  template: {
    metadata: { labels: { app: 'shop' } },
    spec: { containers: [{ name: 'app', image: 'shop:v1' }] },
  },
};
/** As a server would answer that knows a field which did not exist when the revision was frozen. */
const upgraded = (deployment: Deployment): Deployment => ({
  ...deployment,
  spec: {
    ...deployment.spec,
    template: { ...deployment.spec.template, spec: { ...deployment.spec.template.spec, newDefault: 'x' } },
  },
});
const revision: ControllerRevision = {
  metadata: { namespace: 'demo', name: 'shop-r1', labels: { 'bluegreen.dev/revision': 'r1' } },
  data: { spec, content } as never,
  revision: 1,
};

const asUpgraded = (_: unknown, body: KubeObject) => Promise.resolve(upgraded(body as Deployment));

interface Asked {
  readonly spec?: ReleaseSpec;
  readonly create?: (type: unknown, body: KubeObject) => Promise<unknown>;
}

/** With `source` for what people wish for. */
function ask(
  source: Deployment,
  { spec: asked = spec, create = asUpgraded }: Asked = {},
): ReturnType<typeof preflight> {
  const client = { create } as unknown as KubeClient;
  const cache = {
    revisions: { get: ({ name }: { name: string }) => (name === 'shop-r1' ? revision : undefined) },
  } as unknown as Cache;
  const release = { namespace: 'demo', name: 'shop', uid: 'u', spec: asked };
  const sides = { blue: { deployment: { revision: 'r1' } }, green: { deployment: undefined } };
  const config = { found: undefined, missing: [], bytes: 0 };
  const snapshot = { services: [], revisions: [{}], jobs: [], sides, config };
  const scene = { release, services: [], snapshot, wished: source } as unknown as Scene;
  const deps = { client, cache, sources: {} as never, limits: {} as never, line: createLine(1) };
  return preflight(deps, scene, new AbortController().signal);
}

const source = (template: unknown): Deployment =>
  ({ metadata: { namespace: 'demo', name: 'shop' }, spec: { selector: {}, template } }) as Deployment;

describe('after an upgrade of the API server', () => {
  const today = { ...content.template, spec: { ...content.template.spec, newDefault: 'x' } };

  it('a stored content with the new defaults is what the source says, so that no release starts', async () => {
    const { aliases, problems } = await ask(source(today));
    expect(problems).to.deep.equal([]);
    expect(aliases).to.deep.equal({ [fingerprint(content)]: fingerprint({ template: today }) });
    expect(revisionView(revision, aliases, fingerprint({ template: today }))?.fingerprint).to.equal(
      fingerprint({ template: today }),
    );
  });

  it('is not asked about a content of which the source has changed something: that is no default', async () => {
    const spec = { ...today.spec, containers: [{ name: 'app', image: 'shop:v2' }] };
    expect((await ask(source({ ...today, spec }))).aliases).to.deep.equal({});
  });

  it('what it makes of a workload that stands in the release comes with the answer: it need not be asked again', async () => {
    const { selector, template } = source(content.template).spec;
    const stated = specSchema.parse({
      workload: { deployment: { spec: { selector, template } } },
      traffic: { services: [{ name: 'shop' }] },
      replicas: 1,
    });
    const { stored } = await ask(source(content.template), { spec: stated });
    expect(stored?.fingerprint).to.equal(fingerprint(content));
    expect(stored && fingerprint(stored.content)).to.equal(fingerprint({ template: today }));
    expect(await ask(source(content.template))).not.to.have.property('stored');
  });

  it('counts for nothing where the source was not written anew: else the same content would be released for ever', () => {
    const stored = fingerprint(content);
    const aliases = { [stored]: 'as an admission policy of today would have it' };
    expect(revisionView(revision, aliases, stored)?.fingerprint).to.equal(stored);
  });
});

describe('what the API server would not take', () => {
  const message = 'admission webhook "policy.example.com" denied the request: no tag';
  const cases: [string, ReleaseSpec['workload']][] = [
    ['Deployment "shop"', { deploymentRef: { name: 'shop' } }],
    ['spec.workload.deployment', { deployment: { spec: { template: content.template } } } as never],
  ];
  for (const [where, workload] of cases)
    it(`is told before anything is done: ${where}`, async () => {
      const asked = { ...spec, workload } as ReleaseSpec;
      const create = () =>
        Promise.reject(new KubeError({ reason: 'Forbidden', status: 403, call: 'create', message }));
      const { problems } = await ask(source(content.template), { spec: asked, create });
      expect(problems.map((problem) => problem.reason)).to.deep.equal(['WorkloadRefused']);
      expect(problems[0]?.message).to.match(new RegExp(`^${where}: the API server refuses the Deployment`));
    });
});

describe('the questions about the input of a release', () => {
  const query = { source: 'default', query: 'up', max: '1' };
  const checked = {
    ...spec,
    observation: { ...spec.observation, checks: [{ name: 'up', prometheus: query }] },
  };
  const scene = {
    release: { namespace: 'demo', name: 'shop', uid: 'u', spec: checked },
    services: [{ metadata: { name: 'shop' }, spec: {} }],
    snapshot: {
      services: [],
      revisions: [{}],
      jobs: [],
      sides: { blue: {}, green: {} },
      config: { found: undefined, missing: [], bytes: 0 },
    },
  } as unknown as Scene;

  /** The line is taken by another release. */
  async function ask(signal: AbortSignal) {
    const asked: string[] = [];
    const noted = async (what: string) => void asked.push(what);
    const line = createLine(1);
    const other = Promise.withResolvers<void>();
    const others = line(() => other.promise, new Promise(() => undefined));
    const answer = preflight(
      {
        client: { patch: () => noted('API server') } as never,
        cache: { revisions: { get: () => undefined } } as never,
        sources: { validate: () => noted('metric source').then(() => ({ ok: true })) } as never,
        limits: {} as never,
        line,
      },
      scene,
      signal,
    );
    await new Promise((resolve) => setImmediate(resolve));
    return { asked, answer, others, leave: other.resolve };
  }

  it('wait for their turn at the API server, and not at the metric sources', async () => {
    const { asked, answer, leave } = await ask(new AbortController().signal);
    expect(asked).to.deep.equal(['metric source']);
    leave();
    expect(await answer).to.deep.equal({ problems: [], aliases: {} });
    expect(asked).to.deep.equal(['metric source', 'API server']);
  });

  it('wait no longer where nobody waits for the answer', async () => {
    const given = new AbortController();
    const { answer, leave, others } = await ask(given.signal);
    given.abort();
    await answer;
    leave();
    await others;
  });
});

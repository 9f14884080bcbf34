import { expect } from 'chai';
import { specSchema } from '../../../src/api/schema.ts';
import { readPublished, viewEndpoint } from '../../../src/controller/published.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import type { EndpointView } from '../../../src/release/endpoint-view.ts';

const spec = (kind: string) =>
  specSchema.parse({
    workload: { external: { active: 'blue', blue: { url: 'b' }, green: { url: 'g', revision: '7' } } },
    traffic: { endpoint: { configMapRef: { name: 'search' }, restart: [{ kind, name: 'api' }] } },
  });

/** `releases`: names of those that exist. */
function look(
  published: object | undefined,
  consumer: object | undefined,
  kind = 'Deployment',
  releases = ['shop'],
  asked: unknown[] = [],
) {
  const get = async (type: { kind: string }, _key: object, options?: object) => {
    if (type.kind !== kind) return published;
    asked.push(options);
    if (consumer instanceof Error) throw consumer;
    return consumer;
  };
  const reader: any = {
    client: { get },
    cache: {
      configMaps: { get: () => undefined },
      releases: { get: ({ name }: { name: string }) => (releases.includes(name) ? {} : undefined) },
    },
  };
  const release: any = { namespace: 'team', name: 'shop', uid: 'uid', spec: spec(kind) };
  return readPublished(reader, release).then(
    (found) => viewEndpoint(reader, release, found, []) as Promise<EndpointView>,
  );
}

const labelled = (labels: object): object => ({ metadata: { name: 'search', labels }, data: { url: 'b' } });
const NONE = { state: 'Absent', owner: undefined };

describe('what an external workload has published', () => {
  for (const [what, object, state] of [
    ['that is not there', undefined, NONE],
    ['without a label', labelled({}), { state: 'Foreign', owner: undefined }],
    ['that is free', labelled({ 'bluegreen.dev/config': 'true' }), { state: 'Free', owner: undefined }],
    [
      'of a release that is no more',
      labelled({ 'bluegreen.dev/config': 'true', 'bluegreen.dev/release': 'gone' }),
      { state: 'Free', owner: undefined },
    ],
    [
      'of another release',
      labelled({ 'bluegreen.dev/config': 'true', 'bluegreen.dev/release': 'find' }),
      { state: 'Foreign', owner: 'find' },
    ],
    [
      'of ours',
      labelled({ 'bluegreen.dev/config': 'x', 'bluegreen.dev/release': 'shop' }),
      { state: 'Ours', owner: undefined },
    ],
    [
      'of ours whose labels were taken away',
      { metadata: { name: 'search', annotations: { 'bluegreen.dev/switch': 'uid/r1/1' } } },
      { state: 'Free', owner: undefined },
    ],
    [
      'without a label, with the mark of another release',
      { metadata: { name: 'search', annotations: { 'bluegreen.dev/switch': 'other/r1/1' } } },
      { state: 'Foreign', owner: undefined },
    ],
    [
      'of ours that is watched no more',
      labelled({ 'bluegreen.dev/release': 'shop' }),
      { state: 'Free', owner: undefined },
    ],
  ] as const) {
    it(`is seen as what it is, ${what}`, async () => {
      const { state: seen, owner } = await look(object, undefined, 'Deployment', ['shop', 'find']);
      expect({ state: seen, owner }).to.deep.equal(state);
    });
  }

  it('is another revision where the colour, the address or its name is another', async () => {
    const { fingerprints } = await look(undefined, undefined);
    expect(fingerprints.blue).not.to.equal(fingerprints.green);
  });
});

const done = { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
const oneRevision = { currentRevision: 'b', updateRevision: 'b' };
const consumer = (status: object, more: object = {}): object => ({
  metadata: {
    name: 'api',
    uid: 'u',
    generation: 2,
    annotations: { 'bluegreen.dev/endpoint-shop': 'c', 'bluegreen.dev/endpoint-find': 'b' },
  },
  spec: {
    replicas: 2,
    template: {
      metadata: { annotations: { 'bluegreen.dev/endpoint-shop': 'd', 'bluegreen.dev/endpoint-find': 'e' } },
      spec: {},
    },
    ...more,
  },
  status,
});

describe('a consumer', () => {
  for (const [what, kind, object, complete, progress] of [
    ['that is rolled out', 'Deployment', consumer(done), true, '2 of 2 pods are new and available'],
    [
      'whose controller lags behind',
      'Deployment',
      consumer({ ...done, observedGeneration: 1 }),
      false,
      'its controller has not seen it yet',
    ],
    [
      'with an old pod',
      'Deployment',
      consumer({ ...done, replicas: 3 }),
      false,
      '2 of 2 pods are new and available, 1 old',
    ],
    [
      'with a pod that is not available',
      'Deployment',
      consumer({ ...done, availableReplicas: 1 }),
      false,
      '1 of 2 pods are new and available',
    ],
    [
      'with pods of an older template',
      'Deployment',
      consumer({ ...done, updatedReplicas: 1 }),
      false,
      '1 of 2 pods are new and available, 1 old',
    ],
    [
      'without pods',
      'Deployment',
      consumer({ observedGeneration: 2 }, { replicas: 0 }),
      true,
      '0 of 0 pods are new and available',
    ],
    ['without a status', 'Deployment', consumer({}), false, 'its controller has not seen it yet'],
    ['that does not exist', 'Deployment', undefined, false, 'it does not exist'],
    [
      'that is rolled out in order',
      'StatefulSet',
      consumer({ ...done, ...oneRevision }),
      true,
      '2 of 2 pods are new and available',
    ],
    [
      'whose rollout has not come to its end',
      'StatefulSet',
      consumer({ ...done, ...oneRevision, currentRevision: 'a' }),
      false,
      '2 of 2 pods are new and available',
    ],
  ] as const) {
    it(`${what} (${kind}) is ${complete ? '' : 'not '}done`, async () => {
      const { consumers } = await look(undefined, object, kind);
      expect(consumers[0]?.complete).to.equal(complete);
      expect(consumers[0]?.progress).to.equal(progress);
    });
  }

  for (const [what, kind, more, obstacle] of [
    [
      'that is paused',
      'Deployment',
      { paused: true },
      'is paused, so that a restart would never end: resume it',
    ],
    [
      'that replaces no pods',
      'StatefulSet',
      { updateStrategy: { type: 'OnDelete' } },
      'has updateStrategy OnDelete, so that a restart would replace no pod: make it RollingUpdate',
    ],
    [
      'that replaces some pods',
      'StatefulSet',
      { updateStrategy: { rollingUpdate: { partition: 1 } } },
      'has a partition in its updateStrategy, so that a restart would leave pods as they are: make it 0',
    ],
    [
      'that is as most are',
      'StatefulSet',
      { updateStrategy: { rollingUpdate: { partition: 0 } } },
      undefined,
    ],
  ] as const) {
    it(`${what} is ${obstacle === undefined ? 'taken' : 'told of'}`, async () => {
      const { consumers } = await look(undefined, consumer(done, more), kind);
      expect(consumers[0]?.obstacle).to.equal(obstacle);
    });
  }

  it('that cannot be read is told of, and is not done', async () => {
    const refusal = new KubeError({ reason: 'Forbidden', status: 403, call: 'get', message: 'no rights' });
    const { consumers } = await look(undefined, refusal);
    const { found, complete, progress, obstacle } = consumers[0] ?? {};
    expect({ found, complete, progress, obstacle }).to.deep.equal({
      found: true,
      complete: false,
      progress: 'it cannot be read (get: no rights)',
      obstacle: 'cannot be read (get: no rights): let the operator read it',
    });
  });

  for (const [direction, mark, urgency] of [
    ['forward', 'uid/r1/1', 'normal'],
    ['on the way back', 'uid/r1/2/back', 'rescue'],
  ] as const) {
    it(`is read within 2 seconds, ${direction} with urgency ${urgency}`, async () => {
      const asked: unknown[] = [];
      const published = { metadata: { name: 'search', annotations: { 'bluegreen.dev/switch': mark } } };
      await look(published, undefined, 'Deployment', ['shop'], asked);
      expect(asked).to.deep.equal([{ urgency, deadlineMs: 2000 }]);
    });
  }

  it('that two releases restart carries a digest of each', async () => {
    const { consumers } = await look(undefined, consumer(done));
    expect(consumers[0]?.digest).to.equal('d');
    expect(consumers[0]?.restartedWith).to.equal('c');
  });

  it('that another release made is told of, and one that it left behind is taken', async () => {
    const object: any = consumer(done);
    object.metadata.labels = { 'bluegreen.dev/release': 'find' };
    const seen = async (releases: string[]) =>
      (await look(undefined, object, 'Deployment', releases)).consumers[0]?.obstacle;
    expect(await seen(['shop', 'find'])).to.equal(
      'belongs to release "team/find", which would take a restart for an edit: restart it by that release',
    );
    expect(await seen(['shop'])).to.equal(undefined);
  });
});

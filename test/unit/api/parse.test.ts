import { expect } from 'chai';
import { parseRelease, readMember } from '../../../src/api/parse.ts';

/** The smallest release, with members of its spec put in. */
const release = (members: Record<string, unknown> = {}): unknown => ({
  apiVersion: 'bluegreen.dev/v1alpha1',
  kind: 'BlueGreenRelease',
  metadata: { name: 'checkout', namespace: 'shop' },
  spec: {
    workload: { deploymentRef: { name: 'checkout' } },
    traffic: { services: [{ name: 'checkout' }] },
    ...members,
  },
});

const service = (name: string) => ({ traffic: { services: [{ name }] } });
const gate = (members: Record<string, unknown>) => ({ gates: [{ name: 'smoke', job: {}, ...members }] });
const check = (members: Record<string, unknown>) => ({
  observation: {
    checks: [{ name: 'errors', prometheus: { query: 'errors', max: '0.01' }, ...members }],
  },
});

const DNS_1035 =
  'must be lower-case letters, digits and dashes, beginning with a letter and ending with a letter or digit';

describe('the parser of a release', () => {
  const table: [string, unknown, string][] = [
    ['a spec without a workload', release({ workload: undefined }), 'spec.workload is required'],
    ['a workload that is null', release({ workload: null }), 'spec.workload must be an object'],
    [
      'a workload without a source',
      release({ workload: {} }),
      'spec.workload must have one of deploymentRef, deployment, pair and external',
    ],
    [
      'a Deployment with an upper-case name',
      release({ workload: { deploymentRef: { name: 'Checkout' } } }),
      'spec.workload.deploymentRef.name must be lower-case letters, digits, dashes and dots, beginning and ending with a letter or digit',
    ],
    [
      'a label of ours on the Deployment that stands in the release',
      release({
        workload: {
          deployment: {
            metadata: { labels: { 'bluegreen.dev/color': 'red' } },
            spec: { template: { spec: {} } },
          },
        },
      }),
      'spec.workload.deployment.metadata.labels has a key that is no label key, or that belongs to the operator or to Kubernetes',
    ],
    [
      'a counter chosen by a regular expression',
      release({
        traffic: {
          services: [{ name: 'checkout' }],
          drain: { until: { podMetrics: { counter: 'requests_total{code=~"2.."}' } } },
        },
      }),
      'spec.traffic.drain.until.podMetrics.counter must be the name of a metric, and labels without spaces between them where it has any, such as http_requests_total{code="200",path!="/metrics"}',
    ],
    ['a spec without traffic', release({ traffic: undefined }), 'spec.traffic is required'],
    ['no Service', release({ traffic: { services: [] } }), 'spec.traffic must have services or endpoint'],
    [
      'nine Services',
      release({ traffic: { services: Array.from('abcdefghi', (name) => ({ name })) } }),
      'spec.traffic.services must have at most 8 entries',
    ],
    [
      'a Service whose name is a number',
      release(service(7 as never)),
      'spec.traffic.services[0].name must be text',
    ],
    [
      'a Service name that begins with a digit',
      release(service('7up')),
      `spec.traffic.services[0].name ${DNS_1035}`,
    ],
    [
      'a Service name too long for its twins',
      release(service('s'.repeat(58))),
      'spec.traffic.services[0].name must have at most 57 characters',
    ],
    [
      'a selector label with a space',
      release({ traffic: { services: [{ name: 'a' }], selectorLabel: 'my color' } }),
      'spec.traffic.selectorLabel must be a label key such as "example.com/color", whose name has at most 63 characters',
    ],
    ['half a replica', release({ replicas: 1.5 }), 'spec.replicas must be a whole number'],
    ['replicas in quotes', release({ replicas: '3' }), 'spec.replicas must be a whole number'],
    ['no replica', release({ replicas: 0 }), 'spec.replicas must be at least 1'],
    ['too many replicas', release({ replicas: 10_001 }), 'spec.replicas must be at most 10000'],
    [
      'a capacity in words',
      release({ capacity: { candidate: 'all' } }),
      'spec.capacity.candidate must be a number of pods, or a percentage from "0%" to "1000%"',
    ],
    [
      'a capacity that is neither a number nor text',
      release({ capacity: { window: true } }),
      'spec.capacity.window must be a whole number or text',
    ],
    [
      'less than no capacity',
      release({ capacity: { standby: -1 } }),
      'spec.capacity.standby must be at least 0',
    ],
    ['gates that are no list', release({ gates: 'smoke' }), 'spec.gates must be a list'],
    ['a gate without a Job', release(gate({ job: undefined })), 'spec.gates[0].job is required'],
    ['a Job that is text', release(gate({ job: 'smoke' })), 'spec.gates[0].job must be an object'],
    [
      'a gate without time',
      release(gate({ timeoutSeconds: 0 })),
      'spec.gates[0].timeoutSeconds must be at least 1',
    ],
    [
      'an unknown answer to the unknown',
      release(check({ onUnknown: 'Panic' })),
      'spec.observation.checks[0].onUnknown must be Hold, Ignore or Fail',
    ],
    [
      'a bound that is a number',
      release(check({ prometheus: { query: 'errors', max: 0.01 } })),
      'spec.observation.checks[0].prometheus.max must be text',
    ],
    [
      'a bound in words',
      release(check({ prometheus: { query: 'errors', max: 'little' } })),
      'spec.observation.checks[0].prometheus.max must be a decimal number in quotes, such as "0.01"',
    ],
    [
      'a check without a query',
      release(check({ prometheus: { max: '1' } })),
      'spec.observation.checks[0].prometheus.query is required',
    ],
    ['a suspension in words', release({ suspend: 'yes' }), 'spec.suspend must be true or false'],
    ['an object without a spec', { metadata: { name: 'checkout' } }, 'spec is required'],
    ['no object at all', 'checkout', 'the object must be an object'],
  ];
  for (const [what, object, sentence] of table) {
    it(`says what is wrong with ${what}`, () => {
      const result = parseRelease(object);
      const sentences = result.ok ? [] : result.problems.map(({ field, message }) => `${field} ${message}`);
      expect(sentences).to.deep.equal([sentence]);
    });
  }

  it('names every problem at once', () => {
    expect(parseRelease(release({ replicas: 0, suspend: 'yes' }))).to.deep.equal({
      ok: false,
      problems: [
        { field: 'spec.replicas', message: 'must be at least 1' },
        { field: 'spec.suspend', message: 'must be true or false' },
      ],
    });
  });

  it('never repeats a value: it may be a secret in the wrong place', () => {
    const result = parseRelease(
      release(check({ onUnknown: 's3cr3t', prometheus: { query: 7, max: 's3cr3t' } })),
    );
    expect(JSON.stringify(result)).not.to.contain('s3cr3t');
  });

  it('fills in every default', () => {
    expect(parseRelease(release())).to.deep.equal({
      ok: true,
      release: {
        metadata: { name: 'checkout', namespace: 'shop' },
        spec: {
          workload: { deploymentRef: { name: 'checkout' } },
          traffic: {
            services: [{ name: 'checkout' }],
            previewServices: [],
            selectorLabel: 'bluegreen.dev/color',
            convergeSeconds: 30,
            drainSeconds: 30,
          },
          capacity: { candidate: '100%', window: '100%', standby: 0 },
          preparation: { deadlineSeconds: 600 },
          gates: [],
          observation: {
            durationSeconds: 600,
            availability: { minReadyPercent: 50, forSeconds: 10 },
            checks: [],
          },
          rollback: { windowSeconds: 172_800, afterCommit: 'Alert', scaleUpSeconds: 60 },
          suspend: false,
          historyLimit: 10,
        },
        status: {},
      },
    });
  });

  it('changes nothing that has its defaults already', () => {
    const once = parseRelease(release());
    expect(parseRelease(once.ok && once.release)).to.deep.equal(once);
  });

  it('keeps embedded templates as they are', () => {
    const job = {
      spec: { template: { spec: { containers: [{ name: 'a', 'x-new': { deep: [1, null] } }] } } },
    };
    const result = parseRelease(release(gate({ job })));
    expect(result.ok && result.release.spec.gates[0]?.job).to.deep.equal(job);
  });

  it('keeps metadata that it does not know', () => {
    const metadata = { name: 'checkout', uid: '7', finalizers: ['bluegreen.dev/release'], selfLink: '/x' };
    const result = parseRelease({ ...(release() as object), metadata });
    expect(result.ok && result.release.metadata).to.deep.equal(metadata);
  });

  it('reads a status', () => {
    const status = { phase: 'Idle', active: { color: 'blue', ready: 3, desired: 3 } };
    const result = parseRelease({ ...(release() as object), status });
    expect(result.ok && result.release.status).to.deep.equal(status);
  });

  it('takes a status that it cannot read for an empty one', () => {
    const result = parseRelease({ ...(release() as object), status: { phase: 7 } });
    expect(result.ok && result.release.status).to.deep.equal({});
    const partly = parseRelease({ ...(release() as object), status: { phase: 'Idle', conditions: [{}] } });
    expect(partly.ok && partly.release.status).to.deep.equal({});
  });

  it('leaves out what it does not know of a status', () => {
    const active = { color: 'blue', ready: 3, desired: 3 };
    const status = { phase: 'Idle', active: { ...active, weight: 1 }, moon: 'full' };
    const result = parseRelease({ ...(release() as object), status });
    expect(result.ok && result.release.status).to.deep.equal({ phase: 'Idle', active });
  });

  it('gives the members of a status that it knows in full as they are', () => {
    const active = { color: 'blue', ready: 3, desired: 3 };
    const result = parseRelease({ ...(release() as object), status: { active } });
    expect(result.ok && result.release.status.active).to.equal(active);
  });

  it('knows a member again, and only under its name', () => {
    const side = { color: 'blue', ready: 3, desired: 3 };
    expect(readMember('active', side)).to.equal(readMember('active', side));
    expect(readMember('rollback', side)).to.deep.equal({ ok: false, path: 'rollback.available' });
  });

  it('has no member of another name', () => {
    expect(readMember('moon', 'full')).to.deep.equal({ ok: false, path: 'moon' });
  });
});

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parseRelease } from '../../src/api/parse.ts';
import { type Cluster, startCluster } from '../cluster/index.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

type Members = Record<string, unknown>;

/** The smallest release, with members of its spec put in or, with undefined, left out. */
const release = (name: string, members: Members = {}): Members => ({
  apiVersion: 'bluegreen.dev/v1alpha1',
  kind: 'BlueGreenRelease',
  metadata: { name },
  spec: {
    workload: { deploymentRef: { name: 'checkout' } },
    traffic: { services: [{ name: 'checkout' }] },
    ...members,
  },
});

const service = (name: string): Members => ({ traffic: { services: [{ name }] } });
const label = (selectorLabel: string): Members => ({
  traffic: { services: [{ name: 'checkout' }], selectorLabel },
});
const gate = (members: Members): Members => ({ gates: [{ name: 'smoke', job: {}, ...members }] });
const check = (members: Members, prometheus: Members = { max: '0.01' }): Members => ({
  observation: { checks: [{ name: 'errors', prometheus: { query: 'errors', ...prometheus }, ...members }] },
});

describe('the CustomResourceDefinition on a real API server', function () {
  this.timeout(120_000);
  let cluster: Cluster;

  const create = (object: Members, ...flags: string[]) =>
    cluster.kubectl(['create', '-f', '-', ...flags], { input: JSON.stringify(object) });
  const patch = (name: string, body: Members, ...flags: string[]) =>
    cluster.kubectl(['patch', 'bgr', name, '--type=merge', `--patch=${JSON.stringify(body)}`, ...flags]);
  const read = async (name: string): Promise<any> =>
    JSON.parse(await cluster.kubectl(['get', 'bgr', name, '-o', 'json']));

  /** What the API server says to a request that it must refuse. */
  async function refusal(request: Promise<string>): Promise<string> {
    const error = await request.then(
      () => new Error('it was accepted'),
      (reason: Error) => reason,
    );
    return error.message;
  }

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    cluster = await startCluster({ form: 'fake', nodes: 1 });
    await cluster.kubectl(['apply', '-k', `${repository}/crds`]);
    await cluster.kubectl(['wait', '--for=condition=Established', 'crd/bluegreenreleases.bluegreen.dev']);
  });
  after(() => cluster?.stop());

  describe('refuses', () => {
    const table: [string, Members, string][] = [
      ['no workload', { workload: undefined }, 'spec.workload: Required value'],
      [
        'a workload without a source',
        { workload: {} },
        'spec.workload: Invalid value: give one of deploymentRef, deployment, pair and external',
      ],
      [
        'a workload with two sources',
        { workload: { deploymentRef: { name: 'a' }, deployment: { spec: { template: { spec: {} } } } } },
        'spec.workload: Invalid value: give one of deploymentRef, deployment, pair and external',
      ],
      [
        'a pair of one workload',
        { workload: { pair: { blue: { name: 'a' }, green: { name: 'a' } } } },
        'spec.workload.pair: Invalid value: blue and green must be two workloads',
      ],
      [
        'a pair with one autoscaler',
        {
          workload: {
            pair: {
              blue: { name: 'a', autoscalerRef: { name: 'a' } },
              green: { name: 'b', autoscalerRef: { name: 'a' } },
            },
          },
        },
        'spec.workload.pair: Invalid value: blue and green need an autoscaler each',
      ],
      [
        'a pair of something else',
        { workload: { pair: { blue: { kind: 'DaemonSet', name: 'a' }, green: { name: 'b' } } } },
        'spec.workload.pair.blue.kind: Unsupported value: "DaemonSet"',
      ],
      [
        'a pair and a number of pods',
        { replicas: 3, workload: { pair: { blue: { name: 'a' }, green: { name: 'b' } } } },
        'replicas, autoscaling, podDisruptionBudget and config shape workloads that are derived: with workload.pair they are written where the two workloads are',
      ],
      [
        'a Deployment without a template',
        { workload: { deployment: { spec: {} } } },
        'spec.workload.deployment.spec.template: Required value',
      ],
      [
        'a Deployment without pods',
        { workload: { deployment: { spec: { template: {} } } } },
        'spec.workload.deployment.spec.template.spec: Required value',
      ],
      [
        'a Deployment name in upper case',
        { workload: { deploymentRef: { name: 'Checkout' } } },
        'spec.workload.deploymentRef.name: Invalid value: "Checkout"',
      ],
      ['no traffic', { traffic: undefined }, 'spec.traffic: Required value'],
      [
        'no Service',
        { traffic: { services: [] } },
        'spec.traffic: Invalid value: give services, or endpoint for workload.external',
      ],
      [
        'nine Services',
        { traffic: { services: Array.from('abcdefghi', (name) => ({ name })) } },
        'spec.traffic.services: Too many: 9: must have at most 8 items',
      ],
      [
        'a Service twice',
        { traffic: { services: [{ name: 'a' }, { name: 'a' }] } },
        'spec.traffic.services[1]: Duplicate value: {"name":"a"}',
      ],
      [
        'a Service that has the name of a twin',
        { traffic: { services: [{ name: 'a' }, { name: 'a-green' }] } },
        'no Service may have the name of a twin: the twins of NAME are called NAME-blue and NAME-green',
      ],
      [
        'a Service that begins with a digit',
        service('7up'),
        'spec.traffic.services[0].name: Invalid value: "7up"',
      ],
      [
        'a Service name too long for its twins',
        service('s'.repeat(58)),
        'spec.traffic.services[0].name: Too long',
      ],
      [
        'a selector label with a space',
        label('my color'),
        'spec.traffic.selectorLabel: Invalid value: "my color"',
      ],
      [
        'a selector label whose name is too long',
        label(`a/${'b'.repeat(64)}`),
        'spec.traffic.selectorLabel: Invalid value',
      ],
      [
        'a drain too short',
        { traffic: { services: [{ name: 'a' }], drainSeconds: 4 } },
        'spec.traffic.drainSeconds: Invalid value: 4: spec.traffic.drainSeconds in body should be greater than or equal to 5',
      ],
      [
        'a drain that nothing shows',
        { traffic: { services: [{ name: 'a' }], drain: { until: {} } } },
        'give prometheus or podMetrics',
      ],
      [
        'a counter chosen by a regular expression',
        {
          traffic: {
            services: [{ name: 'a' }],
            drain: { until: { podMetrics: { counter: 'requests_total{code=~"2.."}' } } },
          },
        },
        'spec.traffic.drain.until.podMetrics.counter: Invalid value',
      ],
      ['no replica', { replicas: 0 }, 'spec.replicas: Invalid value: 0'],
      ['half a replica', { replicas: 1.5 }, 'spec.replicas in body must be of type int32'],
      [
        'replicas beside autoscaling',
        { replicas: 3, autoscaling: { spec: { maxReplicas: 3 } } },
        'replicas and autoscaling exclude each other: with autoscaling the number of pods belongs to the autoscaler',
      ],
      ['autoscaling without a spec', { autoscaling: {} }, 'spec.autoscaling.spec: Required value'],
      [
        'both bounds of a disruption budget',
        { podDisruptionBudget: { minAvailable: 1, maxUnavailable: 1 } },
        'spec.podDisruptionBudget: Invalid value: give minAvailable or maxUnavailable',
      ],
      [
        'neither bound of a disruption budget',
        { podDisruptionBudget: {} },
        'spec.podDisruptionBudget: Invalid value: give minAvailable or maxUnavailable',
      ],
      [
        'a capacity in words',
        { capacity: { candidate: 'all' } },
        'spec.capacity.candidate: Invalid value: "all": a number of pods from 0 to 10000, or a percentage such as "100%"',
      ],
      [
        'a percentage beyond 1000',
        { capacity: { window: '1001%' } },
        'spec.capacity.window: Invalid value: "1001%": a number of pods from 0 to 10000, or a percentage such as "100%"',
      ],
      [
        'less than no capacity',
        { capacity: { standby: -1 } },
        'spec.capacity.standby: Invalid value: -1: a number of pods from 0 to 10000, or a percentage such as "100%"',
      ],
      [
        'a capacity that is a truth',
        { capacity: { standby: true } },
        'spec.capacity.standby: Invalid value: "boolean"',
      ],
      [
        'no time to prepare',
        { preparation: { deadlineSeconds: 0 } },
        'spec.preparation.deadlineSeconds: Invalid value: 0',
      ],
      ['a gate without a Job', gate({ job: undefined }), 'spec.gates[0].job: Required value'],
      ['a Job that is text', gate({ job: 'smoke' }), 'spec.gates[0].job: Invalid value: "string"'],
      ['a gate without a name', gate({ name: undefined }), 'spec.gates[0].name: Required value'],
      ['a gate without time', gate({ timeoutSeconds: 0 }), 'spec.gates[0].timeoutSeconds: Invalid value: 0'],
      [
        'two gates of one name',
        {
          gates: [
            { name: 'smoke', job: {} },
            { name: 'smoke', job: {} },
          ],
        },
        'spec.gates[1]: Duplicate value: {"name":"smoke"}',
      ],
      [
        'too many gates',
        { gates: Array.from({ length: 17 }, (_, at) => ({ name: `g${at}`, job: {} })) },
        'spec.gates: Too many: 17: must have at most 16 items',
      ],
      [
        'a check without a bound',
        check({}, {}),
        'spec.observation.checks[0].prometheus: Invalid value: give max, min or both: without a bound the check could never fail',
      ],
      [
        'a bound that is a number',
        check({}, { max: 0.01 }),
        'spec.observation.checks[0].prometheus.max: Invalid value: "number"',
      ],
      [
        'a bound in words',
        check({}, { max: 'few' }),
        'spec.observation.checks[0].prometheus.max: Invalid value: "few"',
      ],
      [
        'a check without a query',
        check({}, { query: undefined, max: '1' }),
        'spec.observation.checks[0].prometheus.query: Required value',
      ],
      [
        'requests required but not counted',
        check({ minRequests: 100 }),
        'spec.observation.checks[0]: Invalid value: minRequests and prometheus.requestsQuery belong together: give both or neither',
      ],
      [
        'requests counted but not required',
        check({}, { max: '1', requestsQuery: 'requests' }),
        'spec.observation.checks[0]: Invalid value: minRequests and prometheus.requestsQuery belong together: give both or neither',
      ],
      [
        'an unknown answer to the unknown',
        check({ onUnknown: 'Panic' }),
        'spec.observation.checks[0].onUnknown: Unsupported value: "Panic": supported values: "Hold", "Ignore", "Fail"',
      ],
      [
        'a share beyond everything',
        { observation: { availability: { minReadyPercent: 101 } } },
        'spec.observation.availability.minReadyPercent: Invalid value: 101',
      ],
      [
        'a window before now',
        { rollback: { windowSeconds: -1 } },
        'spec.rollback.windowSeconds: Invalid value: -1',
      ],
      ['a suspension in words', { suspend: 'yes' }, 'spec.suspend: Invalid value: "string"'],
      ['no history to go back to', { historyLimit: 1 }, 'spec.historyLimit: Invalid value: 1'],
      ['a misspelt field', { trafic: {} }, 'unknown field "spec.trafic"'],
    ];
    for (const [what, members, message] of table) {
      it(`${what}: ${message}`, async () => {
        expect(await refusal(create(release('refused', members)))).to.contain(message);
      });
    }

    for (const name of ['7up', 'shop.checkout', 'c'.repeat(49)]) {
      it(`the name ${name}, from which no other name could derive`, async () => {
        expect(await refusal(create(release(name)))).to.contain('metadata.name: at most 48 characters');
      });
    }
  });

  describe('accepts', () => {
    const table: [string, Members][] = [
      ['the longest names', service('s'.repeat(57))],
      ['a selector label without a prefix', label('color')],
      ['a number for a capacity', { capacity: { candidate: 3, window: '1000%', standby: '0%' } }],
      [
        'a Job with members that only the API server knows',
        gate({ job: { spec: { template: { x: [1] } } } }),
      ],
      ['a check with a lower bound', check({}, { min: '-0.5' })],
      ['requests that are required and counted', check({ minRequests: 1 }, { max: '1', requestsQuery: 'r' })],
      ['no observation at all', { observation: { durationSeconds: 0 } }],
    ];
    for (const [what, members] of table) {
      it(what, async () => {
        expect(await create(release('c'.repeat(48), members), '--dry-run=server')).to.contain('created');
      });
    }

    for (const name of ['minimal', 'full', 'pair']) {
      it(`examples/${name}.yaml`, async () => {
        const input = await readFile(`${repository}/examples/${name}.yaml`, 'utf8');
        const answer = await cluster.kubectl(['create', '--dry-run=server', '-f', '-'], { input });
        expect(answer).to.equal('bluegreenrelease.bluegreen.dev/checkout created (server dry run)\n');
      });
    }
  });

  describe('once a release is stored', () => {
    it('has filled in the defaults, and the parser reads the same', async () => {
      await create(release('defaults', { observation: { availability: {} } }));
      const { spec, ...object } = await read('defaults');
      expect(spec).to.deep.equal({
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
      });
      const parsed = parseRelease({ ...object, spec });
      expect(parsed.ok && parsed.release.spec).to.deep.equal(spec);
    });

    it('does not let its workload change', async () => {
      await create(release('workload'));
      const change = patch('workload', { spec: { workload: { deploymentRef: { name: 'other' } } } });
      expect(await refusal(change)).to.contain(
        'spec.workload: Invalid value: the workload of a release cannot be changed: delete the release and create another',
      );
    });

    it('lets the side of a pair that is to serve change, and neither the workloads nor the kind', async () => {
      const members = { blue: { name: 'a' }, green: { kind: 'StatefulSet', name: 'a' } };
      await create(release('pair', { workload: { pair: { active: 'blue', ...members } } }));
      await patch('pair', { spec: { workload: { pair: { active: 'green' } } } });
      const { pair } = (await read('pair')).spec.workload;
      expect(pair.blue.kind).to.equal('Deployment');
      const message = 'the workload of a release cannot be changed: delete the release and create another';
      const single = { pair: null, deploymentRef: { name: 'a' } };
      expect(await refusal(patch('pair', { spec: { workload: single } }))).to.contain(message);
      const other = { pair: { blue: { name: 'b' } } };
      expect(await refusal(patch('pair', { spec: { workload: other } }))).to.contain(
        'spec.workload.pair: Invalid value: the workloads of a release cannot be changed: delete the release and create another',
      );
    });

    it('does not let its selector label change, not even by leaving it out', async () => {
      await create(release('label', label('color')));
      const message =
        'spec.traffic.selectorLabel: Invalid value: "bluegreen.dev/color": the selector label cannot be changed: delete the release and create another';
      expect(await refusal(patch('label', { spec: { traffic: { selectorLabel: null } } }))).to.contain(
        message,
      );
    });

    it('lets everything else change', async () => {
      await create(release('changing'));
      await patch('changing', { spec: { suspend: true, traffic: { drainSeconds: 60 } } });
      expect((await read('changing')).spec).to.deep.include({ suspend: true });
    });

    it('takes a status only through the status subresource', async () => {
      await create({ ...release('status'), status: { phase: 'Forged' } });
      await patch('status', { status: { phase: 'Forged' } });
      expect(await read('status')).not.to.have.property('status');
      await patch('status', { status: { phase: 'Idle' }, spec: { suspend: true } }, '--subresource=status');
      const { spec, status } = await read('status');
      expect(status).to.deep.equal({ phase: 'Idle' });
      expect(spec.suspend).to.equal(false);
    });

    it('records the status as one member, so that a write costs no more the more it says', async () => {
      await create(release('recorded'));
      const conditions = [
        {
          type: 'Ready',
          status: 'True',
          lastTransitionTime: '2026-11-20T10:00:00Z',
          reason: 'Idle',
          message: '',
        },
      ];
      await patch('recorded', { status: { phase: 'Idle', conditions } }, '--subresource=status');

      const { managedFields } = JSON.parse(
        await cluster.kubectl(['get', 'bgr', 'recorded', '-o', 'json', '--show-managed-fields']),
      ).metadata;
      const record = managedFields.find(({ subresource }: Members) => subresource === 'status');
      expect(record.fieldsV1).to.deep.equal({ 'f:status': {} });
    });

    it('shows its columns under its short name and its category', async () => {
      await create(release('columns'));
      const status = {
        phase: 'Observing',
        message: 'watched until 10:30',
        revision: 'r2',
        active: { color: 'green', revision: 'r2', ready: 3, desired: 3 },
        candidate: { color: 'green', revision: 'r2', ready: 3, desired: 3 },
        conditions: [
          {
            type: 'Ready',
            status: 'False',
            lastTransitionTime: '2026-01-05T10:00:00Z',
            reason: 'Observing',
            message: 'watched until 10:30',
          },
        ],
      };
      await patch('columns', { status }, '--subresource=status');
      const [head, row] = (await cluster.kubectl(['get', 'bgr', 'columns'])).split('\n');
      expect(head?.split(/ {2,}/)).to.deep.equal([
        'NAME',
        'PHASE',
        'ACTIVE',
        'REVISION',
        'CANDIDATE',
        'READY',
        'MESSAGE',
        'AGE',
      ]);
      expect(row?.split(/ {2,}/).slice(0, 7)).to.deep.equal([
        'columns',
        'Observing',
        'green',
        'r2',
        'r2',
        'False',
        'watched until 10:30',
      ]);
      expect(await cluster.kubectl(['get', 'bluegreen', '-o', 'name'])).to.contain(
        'bluegreenrelease.bluegreen.dev/columns\n',
      );
    });

    it('can be scaled once it says its replicas', async () => {
      await create(release('scaled', { replicas: 3 }));
      await patch('scaled', { status: { replicas: 3, selector: 'app=checkout' } }, '--subresource=status');
      await cluster.kubectl(['scale', 'bgr/scaled', '--replicas=5']);
      expect((await read('scaled')).spec.replicas).to.equal(5);
      const path = '/apis/bluegreen.dev/v1alpha1/namespaces/default/bluegreenreleases/scaled/scale';
      const scale = JSON.parse(await cluster.kubectl(['get', '--raw', path]));
      expect(scale).to.deep.include({
        spec: { replicas: 5 },
        status: { replicas: 3, selector: 'app=checkout' },
      });
    });

    it('cannot be scaled by hand where an autoscaler does it', async () => {
      await create(release('autoscaled', { autoscaling: { spec: { maxReplicas: 5 } } }));
      expect(await refusal(patch('autoscaled', { spec: { replicas: 4 } }))).to.contain(
        'replicas and autoscaling exclude each other',
      );
    });

    it('explains its fields', async () => {
      expect(await cluster.kubectl(['explain', 'bgr.spec.traffic.drainSeconds'])).to.match(
        /How long the side that lost the traffic stays untouched/,
      );
    });
  });
});

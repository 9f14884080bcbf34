import { expect } from 'chai';
import { RELEASES } from '../../../src/api/resource.ts';
import type { KubeObject, ResourceType } from '../../../src/kube/ports.ts';
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  JOBS,
  PODS,
  RESOURCE_QUOTAS,
  STATEFUL_SETS,
} from '../../../src/kube/types.ts';
import { eventually } from '../../support/eventually.ts';
import {
  BLUE,
  digestOf,
  endpoint,
  expectFollowed,
  GREEN,
  opened,
  PUBLISHED,
  published,
  release,
  restarts,
  switchTo,
  workload,
} from './consumers.ts';
import type { OperatorProcess } from './process.ts';
import { ERRORS, Metrics } from './prometheus.ts';
import { condition, history, refusalOf, SHOP, type Shop } from './shop.ts';
import { together } from './together.ts';
import { World } from './world.ts';

const admission = (kind: string, plural: string): ResourceType => ({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind,
  plural,
  namespaced: false,
});
const POLICIES = admission('ValidatingAdmissionPolicy', 'validatingadmissionpolicies');
const BINDINGS = admission('ValidatingAdmissionPolicyBinding', 'validatingadmissionpolicybindings');

/** Deployment api may be changed by its own controller alone. */
const policy = (name: string, namespace: string): any => ({
  metadata: { name },
  spec: {
    failurePolicy: 'Fail',
    matchConstraints: {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      resourceRules: [
        { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['deployments'] },
      ],
    },
    validations: [
      {
        expression:
          "request.name != 'api' || request.userInfo.username.startsWith('system:serviceaccount:kube-system')",
        message: 'nobody restarts it',
      },
    ],
  },
});

const smoke = (pod: object = {}): any => ({
  name: 'smoke',
  job: {
    spec: {
      backoffLimit: 0,
      template: {
        spec: { containers: [{ name: 'smoke', image: 'smoke:v1' }], restartPolicy: 'Never', ...pod },
      },
    },
  },
});
/** No node has it, so that the test says what becomes of the pod. */
const waiting = { nodeSelector: { 'kubernetes.io/hostname': 'nowhere' } };

describe('An external workload', function () {
  this.timeout(300_000);
  let world: World;
  let operator: OperatorProcess;
  let metrics: Metrics;

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    world = await World.start();
    metrics = await Metrics.start();
    operator = await world.operator('--config', await metrics.config(world.cluster.workDir));
  });
  after(async () => {
    await world?.stop();
    await metrics?.stop();
  });

  async function begun(spec: object = {}): Promise<Shop> {
    const shop = await opened(world);
    await release(shop, 'blue', spec);
    await shop.settledOn('r1');
    return shop;
  }

  const says = async (shop: Shop): Promise<string | undefined> => (await published(shop))?.color;

  /** New pods of the namespace are refused from now on. */
  async function closeRoom(shop: Shop): Promise<void> {
    const count = (await shop.list(PODS)).length;
    await shop.create(RESOURCE_QUOTAS, {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'full' },
      spec: { hard: { pods: String(count) } },
    });
    await eventually('the quota to count', 60_000, async () => {
      const { status } = await shop.get(RESOURCE_QUOTAS, 'full');
      return status?.used?.pods === String(count) ? true : undefined;
    });
  }

  /** The new pods of the first consumer do not come up, for ten minutes. */
  async function halfWay(): Promise<Shop> {
    const errors = {
      name: 'errors',
      intervalSeconds: 1,
      failureLimit: 2,
      prometheus: { query: ERRORS, max: '0.1' },
    };
    const shop = await begun({
      traffic: endpoint({ restartSeconds: 600 }),
      observation: { durationSeconds: 1, checks: [errors] },
    });
    await closeRoom(shop);
    await switchTo(shop, 'green');
    await shop.until('restart its first consumer', ({ status }) =>
      status.switch?.endpoint?.consumers.some(
        ({ restarted }: any) => status.phase === 'Switching' && restarted,
      ),
    );
    return shop;
  }

  together({
    'is published, and switched with its consumers one after the other, and back by order': async () => {
      const shop = await begun({ gates: [smoke()] });
      await expectFollowed(shop, 'blue');
      const { metadata } = await shop.get(CONFIG_MAPS, PUBLISHED);
      expect(metadata.labels).to.deep.equal({
        'bluegreen.dev/release': SHOP,
        'bluegreen.dev/config': 'published',
      });
      await switchTo(shop, 'green');
      const { status } = await shop.settledOn('r2');
      await expectFollowed(shop, 'green');
      expect(await restarts(shop)).to.deep.equal(['api', 'index']);
      const [job] = await shop.list(JOBS);
      const env = job.spec.template.spec.containers[0].env.map(({ name, value }: any) => [name, value]);
      expect(Object.fromEntries(env)).to.include({
        BLUEGREEN_CANDIDATE_URL: GREEN,
        BLUEGREEN_ACTIVE_URL: BLUE,
        BLUEGREEN_COLOR: 'green',
      });
      expect(status.active).to.deep.equal({ color: 'green', revision: 'r2', ready: 0, desired: 0 });
      expect(
        status.switch.endpoint.consumers.map(({ name, converged }: any) => [name, converged]),
      ).to.deep.equal([
        ['api', true],
        ['index', true],
      ]);
      expect(condition({ status }, 'TrafficInSync').message).to.equal(
        '2 of 2 consumers run with what ConfigMap "search" says',
      );

      await shop.patch(RELEASES, SHOP, { spec: { suspend: true } });
      await shop.act('rollback@2');
      await shop.until('be back', async (now) => history(now).at(-1) === 'r2 RolledBack');
      await expectFollowed(shop, 'blue');
      expect(await restarts(shop)).to.deep.equal(['api', 'index']);
    },

    'stays where it is when a gate fails': async () => {
      const shop = await begun({ gates: [smoke(waiting)] });
      const before = digestOf(await shop.get(DEPLOYMENTS, 'api'));
      await switchTo(shop, 'green');
      const pod = await eventually('the pod of the gate', 90_000, async () => {
        const [found] = await shop.list(PODS, 'batch.kubernetes.io/job-name=shop-smoke-2');
        return found;
      });
      const terminated = { exitCode: 1, reason: 'Error', message: 'no index\n' };
      const containerStatuses = [
        { name: 'smoke', image: 'a', imageID: '', ready: false, restartCount: 0, state: { terminated } },
      ];
      await shop.patch(PODS, pod.metadata.name, { status: { phase: 'Failed', containerStatuses } }, 'status');
      await shop.stalledWith(
        'revision r2 was rejected and is not tried again by itself (gate "smoke": Job shop-smoke-2 failed: no index); change spec.workload.external, or annotate bluegreen.dev/action=retry@2',
      );
      expect(await says(shop)).to.equal('blue');
      expect(digestOf(await shop.get(DEPLOYMENTS, 'api'))).to.equal(before);
    },

    'goes back when a consumer does not come up in time, and is not tried again by itself': async () => {
      const shop = await begun({ traffic: endpoint({ restartSeconds: 10 }) });
      await closeRoom(shop);
      await switchTo(shop, 'green');
      const stalled = await shop.until(
        'be rejected',
        (now) => condition(now, 'Stalled')?.reason === 'RevisionRejected',
      );
      expect(history(stalled).at(-1)).to.equal('r2 RolledBack');
      expect(stalled.status.rejected[0]).to.include({
        reason: 'ConsumerNotRestarted',
        message:
          'Deployment "api" (1 of 2) does not run with it yet: 0 of 2 pods are new and available, 2 old after 10 seconds',
      });
      await expectFollowed(shop, 'blue');
    },

    'goes back when a check fails while its consumers are restarted': async () => {
      const shop = await halfWay();
      metrics.set(shop.namespace, '0.5');
      const back = await shop.until('be back', (now) => history(now).at(-1) === 'r2 RolledBack');
      expect(back.status.rejected[0]).to.include({
        revision: 'r2',
        reason: 'CheckFailed',
        message: 'check "errors" failed 2 times in a row: 0.5 is above the maximum of 0.1',
      });
      await expectFollowed(shop, 'blue');
    },

    'goes back when it is edited back while its consumers are restarted': async () => {
      const shop = await halfWay();
      await switchTo(shop, 'blue');
      const { status } = await shop.settledOn('r1');
      expect(history({ status })).to.deep.equal(['r1 Committed', 'r2 RolledBack']);
      expect(status.rejected).to.equal(undefined);
      await expectFollowed(shop, 'blue');
    },

    'begins nothing while a consumer may not be restarted': async () => {
      const shop = await begun();
      const name = `keep-api-${shop.namespace}`;
      await world.client.create(POLICIES, policy(name, shop.namespace));
      const binding = { policyName: name, validationActions: ['Deny'] };
      await world.client.create(BINDINGS, { metadata: { name }, spec: binding } as KubeObject);
      await eventually('the policy to hold', 60_000, async () => {
        const refused = shop.kubectl(
          'annotate',
          'deployment',
          'api',
          'a=b',
          '--overwrite',
          '--dry-run=server',
        );
        return refused.then(
          () => undefined,
          () => true,
        );
      });
      await switchTo(shop, 'green');
      const stalled = await shop.until(
        'be refused',
        (now) => condition(now, 'Stalled')?.reason === 'ConsumerRefused',
      );
      expect(stalled.status.message).to.match(
        /^spec.traffic.endpoint.restart\[0\]: the API server refuses to restart Deployment "api": .*nobody restarts it/,
      );
      expect(await says(shop)).to.equal('blue');
      await world.client.delete(BINDINGS, { name });
      await shop.settledOn('r2');
    },

    'is put back when somebody writes or deletes what is published, and says who': async () => {
      const shop = await begun();
      await shop.kubectl(
        'patch',
        'configmap',
        PUBLISHED,
        '--type=merge',
        '-p',
        `{"data":{"url":"${GREEN}"}}`,
      );
      const told = await shop.until('tell of it', ({ status }) =>
        status.decisions?.some(({ reason }: any) => reason === 'EndpointRestored'),
      );
      expect(await published(shop)).to.deep.equal({ url: BLUE, color: 'blue' });
      // Who wrote it is told where the API server says so within a second.
      expect(told.status.decisions.at(-1).message).to.match(
        /^ConfigMap "search" does not say what it should( \(last written by kubectl-patch\))?: blue \(revision r1\) is published again$/,
      );
      await shop.delete(CONFIG_MAPS, PUBLISHED);
      await eventually(
        'it to be there again',
        60_000,
        async () => (await says(shop)) === 'blue' || undefined,
      );
      await shop.kubectl('annotate', 'configmap', PUBLISHED, 'bluegreen.dev/switch-');
      await shop.kubectl('label', 'configmap', PUBLISHED, 'bluegreen.dev/release-');
      await eventually('its mark and label to be there again', 60_000, async () => {
        const { annotations = {}, labels = {} } = (await shop.get(CONFIG_MAPS, PUBLISHED)).metadata;
        return annotations['bluegreen.dev/switch'] && labels['bluegreen.dev/release'] ? true : undefined;
      });
    },

    'leaves what is published when it is deleted, and begins with it when it is created again': async () => {
      const shop = await begun();
      await switchTo(shop, 'green');
      await shop.settledOn('r2');
      await shop.deleted();
      const { data, metadata } = await shop.get(CONFIG_MAPS, PUBLISHED);
      expect(data).to.deep.equal({ url: GREEN, color: 'green' });
      expect(metadata.labels).to.deep.equal({ 'bluegreen.dev/config': 'published' });
      expect(metadata.annotations ?? {}).to.deep.equal({});
      await release(shop, 'green');
      await shop.settledOn('r1');
      await expectFollowed(shop, 'green');
    },

    'takes no ConfigMap that nobody has set free, nor one of another address': async () => {
      const shop = await opened(world);
      await shop.create(CONFIG_MAPS, {
        metadata: { name: PUBLISHED },
        data: { url: 'https://old.example.com' },
      });
      await release(shop, 'blue');
      await shop.stalledWith(
        `ConfigMap "search" exists without the label bluegreen.dev/config, and is left alone: let it be taken over (kubectl label configmap search bluegreen.dev/config=true -n ${shop.namespace}) or name another one in spec.traffic.endpoint.configMapRef.name`,
      );
      await shop.kubectl('label', 'configmap', PUBLISHED, 'bluegreen.dev/config=true');
      await shop.stalledWith(
        'ConfigMap "search" says an url that neither spec.workload.external.blue nor green has: describe in one of them what consumers use now, or remove the key url from it',
      );
      expect(await published(shop)).to.deep.equal({ url: 'https://old.example.com' });
      expect(digestOf(await shop.get(DEPLOYMENTS, 'api'))).to.equal(undefined);
      await shop.patch(CONFIG_MAPS, PUBLISHED, { data: { url: GREEN } });
      // What consumers use is green, whatever the spec says: blue is a release.
      await shop.settledOn('r2');
      await expectFollowed(shop, 'blue');
      expect(history(await shop.read())).to.deep.equal(['r1 Committed', 'r2 Committed']);
    },

    'is not changed under its consumers': async () => {
      const shop = await begun();
      await shop.patch(RELEASES, SHOP, {
        spec: { workload: { external: { blue: { url: 'https://new.example.com' } } } },
      });
      await shop.stalledWith(
        'spec.workload.external.blue is what consumers use (revision r1) and is not changed under them: put it back, or describe the new environment in green and set spec.workload.external.active to it',
      );
      expect(await published(shop)).to.deep.equal({ url: BLUE, color: 'blue' });
      await shop.patch(RELEASES, SHOP, { spec: { workload: { external: { blue: { url: BLUE } } } } });
      await shop.settledOn('r1');
    },

    'has consumers that exist, and whose restart comes to an end': async () => {
      const shop = await opened(world);
      await shop.delete(DEPLOYMENTS, 'api');
      await release(shop, 'blue');
      await shop.stalledWith(
        `Deployment "api" does not exist in namespace "${shop.namespace}": create it, or correct spec.traffic.endpoint.restart[0]`,
      );
      const paused = shop.deployment(2, 'api');
      paused.spec.paused = true;
      await shop.create(DEPLOYMENTS, paused);
      await shop.stalledWith(
        'Deployment "api" is paused, so that a restart would never end: resume it, or remove spec.traffic.endpoint.restart[0]',
      );
      await shop.kubectl('rollout', 'resume', 'deployment', 'api');
      await shop.patch(STATEFUL_SETS, 'index', {
        spec: { updateStrategy: { type: 'OnDelete', rollingUpdate: null } },
      });
      await shop.stalledWith(
        'StatefulSet "index" has updateStrategy OnDelete, so that a restart would replace no pod: make it RollingUpdate, or remove spec.traffic.endpoint.restart[1]',
      );
      await shop.patch(STATEFUL_SETS, 'index', { spec: { updateStrategy: { type: 'RollingUpdate' } } });
      await shop.settledOn('r1');
    },
  });

  it('comes to its end when its operator is killed in mid-switch', async () => {
    const shop = await begun({ traffic: endpoint({ restartSeconds: 600 }) });
    await closeRoom(shop);
    await switchTo(shop, 'green');
    await shop.until('be in mid-switch', ({ status }) => status.phase === 'Switching');
    await operator.end();
    await shop.delete(RESOURCE_QUOTAS, 'full');
    operator = await world.operator();
    await shop.settledOn('r2');
    await expectFollowed(shop, 'green');
  });

  describe('is refused by the API server', () => {
    for (const [what, spec, sentence] of [
      [
        'with Services',
        { traffic: { services: [{ name: SHOP }] } },
        'workload.external is moved by traffic.endpoint and not by Services: what the operator cannot scale it cannot count, so that no switch of a selector to it could be proven; name two workloads of this cluster in workload.pair',
      ],
      [
        'of what runs in this cluster',
        { workload: { deploymentRef: { name: SHOP } } },
        'traffic.endpoint publishes the address of workload.external: give what runs in this cluster traffic.services',
      ],
      [
        'with Services beside what is published',
        { traffic: { ...endpoint(), services: [{ name: SHOP }] } },
        'give services, or endpoint for workload.external',
      ],
      [
        'with preview Services',
        { traffic: { ...endpoint(), previewServices: [{ name: SHOP }] } },
        'previewServices need services: with endpoint there are no pods that they could show',
      ],
      [
        'with replicas',
        { replicas: 2 },
        'workload.external has no pods here: remove replicas, autoscaling, podDisruptionBudget and config',
      ],
      [
        'with a warm-up',
        { preparation: { warmUp: { requests: 5 } } },
        'workload.external has no pods here to drain or to warm up: remove traffic.drain and preparation.warmUp',
      ],
      [
        'beside a Deployment',
        { workload: { ...workload('blue'), deploymentRef: { name: SHOP } } },
        'give one of deploymentRef, deployment, pair and external',
      ],
      [
        'with an address of two words',
        { workload: workload('blue', { url: 'https://a b' }) },
        "spec.workload.external.blue.url in body should match '^[^\\s]+$'",
      ],
    ] as const) {
      it(what, async () => {
        const shop = await world.emptyShop();
        expect(await refusalOf(release(shop, 'blue', spec))).to.include(sentence);
      });
    }
  });
});

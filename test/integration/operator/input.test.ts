import { expect } from 'chai';
import { RELEASES } from '../../../src/api/resource.ts';
import { DEPLOYMENTS, HORIZONTAL_POD_AUTOSCALERS, SERVICES } from '../../../src/kube/types.ts';
import { ERRORS, Metrics } from './prometheus.ts';
import { condition, history, KEY, SHOP, type Shop } from './shop.ts';
import { together } from './together.ts';
import { World } from './world.ts';

interface Case {
  /** Makes it wrong before the release is created. */
  readonly prepare?: (shop: Shop) => Promise<unknown>;
  readonly spec?: Parameters<Shop['release']>[0];
  readonly message: string | ((namespace: string) => string);
  readonly mend: (shop: Shop) => Promise<unknown>;
}

const job = (template: object): any => ({ spec: { template } });
const pod = { containers: [{ name: 'smoke', image: 'smoke:v1' }], restartPolicy: 'Never' };
const gates = (template: object): any => [{ name: 'smoke', job: job(template) }];
const check = (prometheus: object): any => ({
  durationSeconds: 1,
  checks: [{ name: 'errors', intervalSeconds: 1, prometheus: { max: '0.01', ...prometheus } }],
});
const autoscaler = (name: string, spec: object = {}): any => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name },
  spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name }, maxReplicas: 5, ...spec },
});

const inSpec =
  (spec: object) =>
  (shop: Shop): Promise<unknown> =>
    shop.patch(RELEASES, SHOP, { spec });

async function replaceService(shop: Shop, spec: object): Promise<void> {
  await shop.delete(SERVICES, SHOP);
  await shop.create(SERVICES, shop.service(SHOP, spec));
}

const foreign = (kind: string, name: string): string =>
  `${kind} "${name}" exists and does not belong to this release: rename or delete it, the operator needs that name`;

/** Wrong from the start: nothing is adopted. */
const CASES: Readonly<Record<string, Case>> = {
  'a Service that does not exist': {
    prepare: (shop) => shop.delete(SERVICES, SHOP),
    message: (namespace) =>
      `Service "shop" does not exist in namespace "${namespace}": create it or correct spec.traffic.services[0].name`,
    mend: (shop) => shop.create(SERVICES, shop.service()),
  },
  'a Deployment that does not exist': {
    prepare: (shop) => shop.delete(DEPLOYMENTS, SHOP),
    message: (namespace) =>
      `Deployment "shop" does not exist in namespace "${namespace}": create it or correct spec.workload.deploymentRef.name`,
    mend: (shop) => shop.create(DEPLOYMENTS, shop.deployment()),
  },
  'a Service that selects other pods': {
    prepare: (shop) => replaceService(shop, { selector: { app: 'till' } }),
    message:
      'Service "shop" does not select the pods of Deployment "shop": its selector and the labels of spec.template must match',
    mend: (shop) => shop.patch(SERVICES, SHOP, { spec: { selector: { app: SHOP } } }),
  },
  'a Service without a selector': {
    prepare: (shop) => replaceService(shop, { selector: null }),
    message: 'Service "shop" has no selector: give it one that matches the pods of the workload',
    mend: (shop) => shop.patch(SERVICES, SHOP, { spec: { selector: { app: SHOP } } }),
  },
  'a port at which pods are warmed up, and which the Service lacks': {
    spec: { preparation: { warmUp: { requests: 10, port: 9090 } } },
    message:
      'spec.preparation.warmUp.port: Service "shop" has no port 9090 (it has 80): name one that it has, or leave spec.preparation.warmUp.port out for its first',
    mend: inSpec({ preparation: { warmUp: null } }),
  },
  'a headless Service': {
    prepare: (shop) => replaceService(shop, { clusterIP: 'None' }),
    message:
      'Service "shop" is headless: its clients resolve pod addresses themselves, so a switch cannot be proven; use a Service with a cluster IP',
    mend: (shop) => replaceService(shop, {}),
  },
  'a Service of type ExternalName': {
    prepare: (shop) => replaceService(shop, { type: 'ExternalName', externalName: 'shop.example.com' }),
    message:
      'Service "shop" is of type ExternalName: it has no endpoints to switch; use a Service with a selector',
    mend: (shop) => replaceService(shop, {}),
  },
  'a Service whose endpoints need not be ready': {
    prepare: (shop) => replaceService(shop, { publishNotReadyAddresses: true }),
    message:
      'Service "shop" has publishNotReadyAddresses set: its endpoints would not prove readiness; remove that field',
    mend: (shop) => shop.patch(SERVICES, SHOP, { spec: { publishNotReadyAddresses: false } }),
  },
  'a Job whose pods the Service would select': {
    spec: { gates: gates({ metadata: { labels: { app: SHOP } }, spec: pod }) },
    message:
      'the pods of gate "smoke" would be selected by Service "shop": change spec.gates[0].job.spec.template.metadata.labels so that they do not match its selector',
    mend: inSpec({ gates: gates({ spec: pod }) }),
  },
  'a Job template that the API server refuses': {
    spec: { gates: gates({ spec: { ...pod, restartPolicy: 'Sometimes' } }) },
    message: (namespace) =>
      `spec.gates[0].job: the API server refuses the Job derived from it: create jobs ${namespace}/shop-smoke-0-preflight: Job.batch "shop-smoke-0-preflight" is invalid: [spec.template.spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never", spec.template.spec.restartPolicy: Unsupported value: "Sometimes": supported values: "OnFailure", "Never"]`,
    mend: inSpec({ gates: gates({ spec: pod }) }),
  },
  'a Job template with a field that does not exist': {
    spec: { gates: gates({ spec: { ...pod, restartPolcy: 'Never' } }) },
    message: (namespace) =>
      `spec.gates[0].job: the API server refuses the Job derived from it: create jobs ${namespace}/shop-smoke-0-preflight: Job in version "v1" cannot be handled as a Job: strict decoding error: unknown field "spec.template.spec.restartPolcy"`,
    mend: inSpec({ gates: gates({ spec: pod }) }),
  },
  'a query that Prometheus refuses': {
    spec: { observation: check({ query: 'sum((up)' }) },
    message:
      'spec.observation.checks[0].prometheus.query: the metric source refuses the query: 1:8: parse error: unclosed left parenthesis',
    mend: inSpec({ observation: check({ query: ERRORS }) }),
  },
  'a query that counts requests and that Prometheus refuses': {
    spec: {
      observation: {
        durationSeconds: 1,
        checks: [
          {
            name: 'errors',
            minRequests: 10,
            prometheus: { query: ERRORS, max: '1', requestsQuery: 'sum((up)' },
          },
        ],
      },
    },
    message:
      'spec.observation.checks[0].prometheus.requestsQuery: the metric source refuses the query: 1:8: parse error: unclosed left parenthesis',
    mend: inSpec({ observation: check({ query: ERRORS }) }),
  },
  'a metric source that nobody named': {
    spec: { observation: check({ source: 'thanos', query: ERRORS }) },
    message: (namespace) =>
      `spec.observation.checks[0].prometheus.query: metric source "thanos" is not known in namespace "${namespace}": the administrator names sources in the operator's config`,
    mend: inSpec({ observation: check({ query: ERRORS }) }),
  },
  'a Deployment of somebody else under a derived name': {
    prepare: (shop) => shop.create(DEPLOYMENTS, shop.deployment(1, 'shop-green')),
    message: foreign('Deployment', 'shop-green'),
    mend: (shop) => shop.delete(DEPLOYMENTS, 'shop-green'),
  },
  'a Service of somebody else under a derived name': {
    prepare: (shop) => shop.create(SERVICES, shop.service('shop-blue')),
    message: foreign('Service', 'shop-blue'),
    mend: (shop) => shop.delete(SERVICES, 'shop-blue'),
  },
  'an autoscaler of somebody else under a derived name': {
    prepare: (shop) => shop.create(HORIZONTAL_POD_AUTOSCALERS, autoscaler('shop-blue')),
    message: foreign('HorizontalPodAutoscaler', 'shop-blue'),
    mend: (shop) => shop.delete(HORIZONTAL_POD_AUTOSCALERS, 'shop-blue'),
  },
  'an autoscaler of the Deployment that the release does not mention': {
    prepare: (shop) => shop.create(HORIZONTAL_POD_AUTOSCALERS, autoscaler(SHOP, { minReplicas: 2 })),
    message:
      'HorizontalPodAutoscaler "shop" scales Deployment "shop": copy its spec without scaleTargetRef to spec.autoscaling.spec, or set spec.replicas',
    mend: inSpec({ autoscaling: { spec: { minReplicas: 2, maxReplicas: 5 } } }),
  },
  'an autoscaler that allows fewer pods than production has': {
    spec: { autoscaling: { spec: { minReplicas: 1, maxReplicas: 1 } } },
    message:
      'spec.autoscaling.spec.maxReplicas is 1, but the candidate needs 2 ready pods to take over: raise maxReplicas',
    mend: inSpec({ autoscaling: { spec: { minReplicas: 1, maxReplicas: 5 } } }),
  },
  'an autoscaler that the API server refuses': {
    spec: { autoscaling: { spec: { minReplicas: 2, maxReplicas: 5, metrics: [{ type: 'Rumour' }] } } },
    message: (namespace) =>
      `spec.autoscaling.spec: the API server refuses the HorizontalPodAutoscaler derived from it: create horizontalpodautoscalers ${namespace}/shop-blue-preflight: HorizontalPodAutoscaler.autoscaling "shop-blue-preflight" is invalid: spec.metrics[0].type: Unsupported value: "Rumour": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"`,
    mend: inSpec({ autoscaling: { spec: { metrics: null } } }),
  },
};

describe('Bad input', function () {
  this.timeout(300_000);
  let world: World;
  let metrics: Metrics;

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    world = await World.start();
    metrics = await Metrics.start();
    await world.operator('--config', await metrics.config(world.cluster.workDir));
  });
  after(async () => {
    await world?.stop();
    await metrics?.stop();
  });

  /** What must not change while a release is stalled. */
  const production = async (shop: Shop) => ({
    selector: (await shop.get(SERVICES, SHOP))?.spec.selector,
    deployments: (await shop.list(DEPLOYMENTS))
      .map(({ metadata }) => `${metadata.name} ${metadata.uid} ${metadata.generation}`)
      .sort(),
    services: (await shop.list(SERVICES)).map(({ metadata }): string => metadata.name).sort(),
    autoscalers: (await shop.list(HORIZONTAL_POD_AUTOSCALERS))
      .map(({ metadata }): string => metadata.uid)
      .sort(),
  });

  const refusesAndRecovers = async ({ prepare, spec, message, mend }: Case): Promise<void> => {
    const shop = await world.shop();
    await prepare?.(shop);
    const before = await production(shop);
    await shop.release(spec);
    const sentence = typeof message === 'string' ? message : message(shop.namespace);
    const release = await shop.stalledWith(sentence);
    expect(release.status).to.include({ phase: 'Stalled', message: sentence });
    expect(condition(release, 'Ready').status).to.equal('False');
    expect(condition(release, 'Reconciling')).to.equal(undefined);
    expect(await production(shop)).to.deep.equal(before);
    await mend(shop);
    await shop.settledOn('r1');
  };

  describe('stalls the release with one sentence, touches nothing, and is forgotten when it is mended:', () => {
    together(
      Object.fromEntries(
        Object.entries(CASES).map(([sentence, given]) => [sentence, () => refusesAndRecovers(given)]),
      ),
    );
  });

  describe('after the adoption', () => {
    together({
      'is a Service that serves pods of others as well; alone with ours, it joins': async () => {
        const shop = await world.adoptedShop();
        const { spec, ...stranger } = shop.deployment(1, 'stranger');
        const labels = { app: SHOP, version: 'stranger' };
        const template = { ...spec.template, metadata: { labels } };
        await shop.create(DEPLOYMENTS, {
          ...stranger,
          spec: { ...spec, selector: { matchLabels: labels }, template },
        });
        await shop.create(SERVICES, shop.service('till'));
        await shop.patch(RELEASES, SHOP, {
          spec: { traffic: { services: [{ name: 'till' }], drainSeconds: 5 } },
        });
        const release = await shop.stalledWith(
          'Service "till" also has endpoints that are not of this release: remove those pods from it, or add bluegreen.dev/color: blue to its selector',
        );
        expect(condition(release, 'Stalled').reason).to.equal('ServiceSelectsOtherPods');
        expect((await shop.get(SERVICES, 'till')).spec.selector).to.deep.equal({ app: SHOP });
        await shop.delete(DEPLOYMENTS, 'stranger');
        await shop.settledOn('r1');
        expect((await shop.get(SERVICES, 'till')).spec.selector).to.deep.equal({ app: SHOP, [KEY]: 'blue' });
        await shop.version('v2');
        await shop.settledOn('r2');
        expect((await shop.get(SERVICES, 'till')).spec.selector[KEY]).to.equal('green');
      },

      'is a Service that was deleted; one that Git brings back gets the key before anything else':
        async () => {
          const shop = await world.adoptedShop();
          await shop.delete(SERVICES, SHOP);
          await shop.stalledWith(
            `Service "shop" does not exist in namespace "${shop.namespace}": create it or correct spec.traffic.services[0].name`,
          );
          await shop.create(SERVICES, shop.service());
          await shop.settledOn('r1');
          expect(await shop.selector()).to.deep.equal({ app: SHOP, [KEY]: 'blue' });
        },

      'is a Deployment that was deleted; production goes on without it': async () => {
        const shop = await world.adoptedShop();
        const pods = await shop.pods('blue');
        await shop.delete(DEPLOYMENTS, SHOP);
        await shop.stalledWith(
          `Deployment "shop" does not exist in namespace "${shop.namespace}": create it or correct spec.workload.deploymentRef.name`,
        );
        await shop.create(DEPLOYMENTS, shop.deployment());
        const release = await shop.settledOn('r1');
        expect(history(release)).to.deep.equal(['r1 Committed']);
        const uids = (some: any[]) => some.map(({ metadata }): string => metadata.uid).sort();
        expect(uids(await shop.pods('blue'))).to.deep.equal(uids(pods));
      },

      'is a gate that cannot run: the revision that needs it is not started until it can': async () => {
        const shop = await world.adoptedShop();
        await shop.patch(RELEASES, SHOP, { spec: { gates: gates({ spec: { ...pod, restartPolcy: '' } }) } });
        const refused = await shop.stalledWith(
          `spec.gates[0].job: the API server refuses the Job derived from it: create jobs ${shop.namespace}/shop-smoke-0-preflight: Job in version "v1" cannot be handled as a Job: strict decoding error: unknown field "spec.template.spec.restartPolcy"`,
        );
        expect(refused.status.revision).to.equal('r1');
        await shop.version('v2');
        expect(await shop.color()).to.equal('blue');
        await shop.patch(RELEASES, SHOP, { spec: { gates: gates({ spec: pod }) } });
        await shop.settledOn('r2');
      },

      'is an autoscaler that allows fewer pods than production has': async () => {
        const shop = await world.adoptedShop({
          replicas: 3,
          spec: { autoscaling: { spec: { minReplicas: 3, maxReplicas: 5 } } },
        });
        await shop.patch(RELEASES, SHOP, {
          spec: { autoscaling: { spec: { minReplicas: 1, maxReplicas: 2 } } },
        });
        await shop.version('v2');
        await shop.stalledWith(
          'spec.autoscaling.spec.maxReplicas is 2, but the candidate needs 3 ready pods to take over: raise maxReplicas',
        );
        expect(await shop.color()).to.equal('blue');
        expect((await shop.get(DEPLOYMENTS, 'shop-blue')).spec.replicas).to.equal(3);
        await shop.patch(RELEASES, SHOP, { spec: { autoscaling: { spec: { maxReplicas: 5 } } } });
        await shop.settledOn('r2');
      },
    });
  });

  describe('of two releases', () => {
    together({
      'that claim one Service: the first keeps it, the second says what to do': async () => {
        const shop = await world.adoptedShop();
        await shop.create(DEPLOYMENTS, shop.deployment(1, 'till'));
        const before = await production(shop);
        await shop.release({ workload: { deploymentRef: { name: 'till' } } }, 'till');
        await shop.stalledWith(
          'Service "shop" belongs to another release: remove it from one of the two (spec.traffic.services[0].name here)',
          'till',
        );
        expect(await production(shop)).to.deep.equal(before);
        await shop.create(SERVICES, shop.service('till', { selector: { app: 'till' } }));
        await shop.patch(RELEASES, 'till', { spec: { traffic: { services: [{ name: 'till' }] } } });
        await shop.until(
          'settle on r1',
          ({ status }) => status.revision === 'r1' && status.phase === 'Idle',
          'till',
        );
        const first = await shop.settledOn('r1');
        expect(history(first)).to.deep.equal(['r1 Committed']);
      },

      'that name one Deployment: the second changes nothing, not even when it is deleted': async () => {
        const shop = await world.adoptedShop();
        await shop.create(SERVICES, shop.service('till'));
        const before = await production(shop);
        await shop.release({ traffic: { services: [{ name: 'till' }] } }, 'till');
        await shop.stalledWith(
          'Deployment "shop" belongs to release "shop": name another Deployment or delete that release',
          'till',
        );
        await shop.delete(RELEASES, 'till', 'Foreground');
        await shop.until('go', async () => (await shop.read('till')) === undefined);
        expect(await production(shop)).to.deep.equal(before);
        await shop.version('v2');
        await shop.settledOn('r2');
      },
    });
  });

  it('is refused by the API server where the name is too long for what derives from it', async () => {
    const shop = await world.shop();
    const refused = await shop.release({}, 'a'.repeat(49)).catch((error: Error) => error.message);
    expect(refused).to.contain(
      'metadata.name: at most 48 characters, lower-case letters, digits and dashes, beginning with a letter, because the names of Deployments, Services and Jobs derive from it',
    );
  });
});

import { expect } from 'chai';
import { decided } from './decided.ts';
import { committed, fresh, idle, SITUATIONS } from './situations.ts';
import { HOUR, NOON, type Picture } from './world.ts';

const twin = { found: true, ours: true, matches: true, endpoints: [] };
const wished: Picture = { ...idle, source: { fingerprint: 'v2' } };
const hpa = (min: number, max: number) => ({ autoscaling: { spec: { minReplicas: min, maxReplicas: max } } });

/** Each bad input, in the words that people read. */
const table: [string, Picture, string][] = [
  [
    'WorkloadNotFound',
    { source: null },
    'Deployment "checkout" does not exist in namespace "shop": create it or correct spec.workload.deploymentRef.name',
  ],
  [
    'WorkloadClaimed',
    { ...fresh, source: { ...fresh.source, claimedBy: 'shop-front' } },
    'Deployment "checkout" belongs to release "shop-front": name another Deployment or delete that release',
  ],
  [
    'ServiceNotFound',
    { ...fresh, service: { found: false } },
    'Service "checkout" does not exist in namespace "shop": create it or correct spec.traffic.services[0].name',
  ],
  [
    'ServiceUnsupported',
    { ...fresh, service: { type: 'ExternalName' } },
    'Service "checkout" is of type ExternalName: it has no endpoints to switch; use a Service with a selector',
  ],
  [
    'ServiceUnsupported',
    { ...fresh, service: { headless: true } },
    'Service "checkout" is headless: its clients resolve pod addresses themselves, so a switch cannot be proven; use a Service with a cluster IP',
  ],
  [
    'ServiceUnsupported',
    { ...fresh, service: { publishNotReadyAddresses: true } },
    'Service "checkout" has publishNotReadyAddresses set: its endpoints would not prove readiness; remove that field',
  ],
  [
    'ServicePortNotFound',
    { ...fresh, spec: { preparation: { warmUp: { requests: 10, port: 8080 } } } },
    'spec.preparation.warmUp.port: Service "checkout" has no port 8080 (it has 80, 9090): name one that it has, or leave spec.preparation.warmUp.port out for its first',
  ],
  [
    'ServicePortNotFound',
    {
      ...fresh,
      spec: {
        traffic: {
          services: [{ name: 'checkout' }],
          drain: { until: { podMetrics: { counter: 'http_requests_total', port: 8080 } } },
        },
      },
    },
    'spec.traffic.drain.until.podMetrics.port: Service "checkout" has no port 8080 (it has 80, 9090): name one that it has, or leave spec.traffic.drain.until.podMetrics.port out for its first',
  ],
  [
    'ServiceWithoutSelector',
    { ...fresh, service: { selector: {} } },
    'Service "checkout" has no selector: give it one that matches the pods of the workload',
  ],
  [
    'ServiceClaimed',
    { ...fresh, service: { claimedBy: 'another-uid' } },
    'Service "checkout" belongs to another release: remove it from one of the two (spec.traffic.services[0].name here)',
  ],
  [
    'ServiceSelectsOtherPods',
    { ...fresh, service: { selector: { app: 'cart' } } },
    'Service "checkout" does not select the pods of Deployment "checkout": its selector and the labels of spec.template must match',
  ],
  [
    'DisruptionBudgetTwice',
    { ...fresh, spec: { podDisruptionBudget: { minAvailable: 1 } }, foreignBudgets: ['checkout'] },
    'PodDisruptionBudget "checkout" selects the same pods as those of spec.podDisruptionBudget, and Kubernetes evicts no pod that has two: delete it where it comes from, or remove spec.podDisruptionBudget',
  ],
  [
    'NameTaken',
    { ...fresh, blue: { revision: 'r1', deployment: { ours: false } } },
    'Deployment "checkout-blue" exists and does not belong to this release: rename or delete it, the operator needs that name',
  ],
  [
    'NameTaken',
    { ...fresh, green: { autoscaler: { ours: false } } },
    'HorizontalPodAutoscaler "checkout-green" exists and does not belong to this release: rename or delete it, the operator needs that name',
  ],
  [
    'NameTaken',
    { ...fresh, service: { twins: { blue: twin, green: { ...twin, ours: false } } } },
    'Service "checkout-green" exists and does not belong to this release: rename or delete it, the operator needs that name',
  ],
  [
    'AutoscalingUnstated',
    { ...fresh, source: { ...fresh.source, autoscalers: [{ name: 'checkout', uid: 'u' }] } },
    'HorizontalPodAutoscaler "checkout" scales Deployment "checkout": copy its spec without scaleTargetRef to spec.autoscaling.spec, or set spec.replicas',
  ],
  [
    'AutoscalerTooSmall',
    { ...wished, spec: hpa(1, 2), blue: { ...wished.blue, autoscaler: {} } },
    'spec.autoscaling.spec.maxReplicas is 2, but the candidate needs 3 ready pods to take over: raise maxReplicas',
  ],
  [
    'AutoscalerAmbiguous',
    { ...wished, spec: hpa(1, 9), blue: { ...wished.blue, autoscaler: { ambiguous: true } } },
    'HorizontalPodAutoscaler "checkout-blue" is switched off, because another one selects the same pods: delete that of Deployment "checkout", and remove it where it comes from',
  ],
  [
    'JobPodsSelected',
    {
      ...wished,
      spec: {
        gates: [
          { name: 'smoke', job: { spec: { template: { metadata: { labels: { app: 'checkout' } } } } } },
        ],
      },
    },
    'the pods of gate "smoke" would be selected by Service "checkout": change spec.gates[0].job.spec.template.metadata.labels so that they do not match its selector',
  ],
];

describe('what is wrong with the input is said before anything is touched', () => {
  for (const [reason, picture, message] of table) {
    it(message, () => {
      const result = decided(picture);
      expect([result.phase, result.reason, result.message]).to.deep.equal(['Stalled', reason, message]);
      expect([result.effects, result.plan.verdict.stalled]).to.deep.equal([[], true]);
      expect(result.plan.lookAgainAt, 'it may be mended any time').to.equal(NOON + 15_000);
    });
  }

  it('an autoscaler that is told of, or replaced by a number, is no problem', () => {
    const source = { ...fresh.source, autoscalers: [{ name: 'checkout', uid: 'u' }] };
    for (const spec of [hpa(1, 10), { replicas: 3 }]) {
      expect(decided({ ...fresh, source, spec }).effects).to.deep.equal(['CreateRevision r1 from live']);
    }
  });

  it('a release that is under way is not stopped by a problem that appears', () => {
    const { source: _, ...observed } = SITUATIONS.observed ?? {};
    expect(decided({ ...observed, now: NOON + HOUR, source: null }).effects).to.deep.equal([
      'RecordFacts r2 Committed',
    ]);
  });

  it('the way back inside the window is not stopped by one either', () => {
    const claimed = {
      ...committed,
      service: { claimedBy: 'another-uid' },
      release: { action: 'rollback@2' },
    };
    expect(decided(claimed).effects).to.deep.equal(['PatchSelector checkout -> blue']);
  });
});

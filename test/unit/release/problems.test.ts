import { expect } from 'chai';
import { firstProblem } from '../../../src/release/problems.ts';
import { rolesOf } from '../../../src/release/roles.ts';
import type { PreviewView, Snapshot } from '../../../src/release/snapshot.ts';
import { decided } from './decided.ts';
import { external } from './external.ts';
import { committed, fresh, idle, SITUATIONS } from './situations.ts';
import { HOUR, LABEL, NOON, type Picture, UID, world } from './world.ts';

const twin = { found: true, ours: true, matches: true, endpoints: [] };
const wished: Picture = { ...idle, source: { fingerprint: 'v2' } };
const hpa = (min: number, max: number) => ({ autoscaling: { spec: { minReplicas: min, maxReplicas: max } } });

const preview: PreviewView = {
  name: 'next',
  found: true,
  uid: 'next-uid',
  resourceVersion: '1',
  type: 'ClusterIP',
  selector: { app: 'checkout' },
  claimedBy: UID,
  labelled: true,
};
const pointed: PreviewView = { ...preview, selector: { ...preview.selector, [LABEL]: 'blue' } };
const gates = (job: object, selector: Record<string, string> = { app: 'checkout' }): Picture => ({
  ...idle,
  spec: { gates: [{ name: 'smoke', job: { ...job } }] },
  service: { selector },
});
const labelled = (labels: unknown): object => ({ spec: { template: { metadata: { labels } } } });

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
    'NameTaken',
    { ...fresh, blue: { budget: { ours: false } } },
    'PodDisruptionBudget "checkout-blue" exists and does not belong to this release: rename or delete it, the operator needs that name',
  ],
  [
    'ServiceWithoutSelector',
    { ...wished, previews: [pointed, { ...pointed, type: 'ExternalName' }] },
    'Service "next" has no selector to point: give it one that matches the pods of the workload, or remove it from spec.traffic.previewServices',
  ],
  [
    'ServiceWithoutSelector',
    { ...wished, previews: [{ ...preview, selector: {} }] },
    'Service "next" has no selector to point: give it one that matches the pods of the workload, or remove it from spec.traffic.previewServices',
  ],
  [
    'ServiceSelectsOtherPods',
    { ...wished, previews: [preview], blue: { ...wished.blue, deployment: { podLabels: { app: 'cart' } } } },
    'Service "next" does not select the pods of both sides: its selector and the labels of spec.template of Deployment "checkout" must match, without those of bluegreen.dev',
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

  it('a Service that an ejection of an earlier release has left with pods of one template can be adopted', () => {
    const selector = { app: 'checkout', 'pod-template-hash': 'abc' };
    expect(decided({ ...fresh, service: { selector } }).effects).to.deep.equal([
      'CreateRevision r1 from live',
    ]);
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

describe('what is no problem', () => {
  const problem = (snapshot: Snapshot): string | undefined =>
    firstProblem(snapshot, rolesOf(snapshot))?.reason;
  const twoServices = (change: (snapshot: Snapshot) => Snapshot['services']): Snapshot => {
    const snapshot = world({ ...idle, services: ['checkout', 'till'] });
    return { ...snapshot, services: change(snapshot) };
  };
  const joins = { mark: undefined, rawMark: undefined };

  const pictures: Readonly<Record<string, Picture>> = {
    'a Service that was taken over, and selects other pods now: it is drift': {
      ...idle,
      service: { selector: { app: 'cart', [LABEL]: 'blue' } },
    },
    'other endpoints behind a Service that was taken over': {
      ...idle,
      service: { endpoints: [{ podUid: 'stranger', ready: true, serving: true, group: 'IPv4/http' }] },
    },
    'a preview that nobody has claimed yet': { ...idle, previews: [{ ...preview, claimedBy: undefined }] },
    'a preview that was pointed at a side': { ...idle, previews: [pointed] },
    'a preview of a side whose Deployment is gone': { ...idle, blue: {}, previews: [preview] },
    'an autoscaler of the source after the adoption': {
      ...idle,
      source: { autoscalers: [{ name: 'checkout', uid: 'u' }] },
    },
    'an autoscaler that allows as many pods as the candidate needs': { ...wished, spec: hpa(1, 3) },
    'a gate whose pods have no labels': gates({ spec: { template: {} } }),
    'a gate with an empty spec': gates({ spec: null }),
    'a gate whose labels are empty': gates(labelled(null)),
    'a gate whose pods have another label': gates(labelled({ app: 'smoke' })),
    'a gate whose pods have one of two labels': gates(labelled({ app: 'checkout' }), {
      app: 'checkout',
      tier: 'front',
    }),
    'a gate whose pods have one of two labels, in another order': gates(labelled({ app: 'checkout' }), {
      tier: 'front',
      app: 'checkout',
    }),
    'a gate, where a Service selects by the colour alone': gates(labelled({ app: 'checkout' }), {
      [LABEL]: 'blue',
    }),
  };
  for (const [name, picture] of Object.entries(pictures))
    it(name, () => expect(problem(world(picture))).to.equal(undefined));

  it('Services that name two colours once one of them is taken over: they are put right', () => {
    const split = twoServices(({ services: [first, second] }) =>
      first && second ? [first, { ...second, selector: { app: 'checkout', [LABEL]: 'green' } }] : [],
    );
    expect(problem({ ...split, sides: world(committed).sides })).to.equal(undefined);
  });

  it('a Service that joins, has only pods of this release behind it, and no Deployment to select', () => {
    const joining = twoServices(({ services: [first, second] }) =>
      first && second ? [first, { ...second, ...joins, selector: { app: 'cart' }, endpoints: [] }] : [],
    );
    expect(problem(joining)).to.equal('ServiceSelectsOtherPods');
    expect(firstProblem(joining, rolesOf(joining))?.message).to.equal(
      'Service "till" does not select the pods of Deployment "checkout-blue": its selector and the labels of spec.template must match',
    );
    expect(problem({ ...joining, sides: world({ ...idle, blue: {} }).sides })).to.equal(undefined);
    const fits = joining.services.map((service) => ({ ...service, selector: { app: 'checkout' } }));
    expect(problem({ ...joining, services: fits })).to.equal(undefined);
  });

  it('of a pair: workloads and autoscalers that are not ours', () => {
    const side = { revision: 'r1', ready: 3, deployment: { ours: false }, autoscaler: { ours: false } };
    const spec = { workload: { pair: { blue: { name: 'app-blue' }, green: { name: 'app-green' } } } };
    const snapshot = world({ ...idle, spec, source: null, blue: side, green: side, pair: {} });
    expect(problem(snapshot)).to.equal(undefined);
    const { blue, green } = snapshot.sides;
    const ambiguous = { ...blue, autoscaler: blue.autoscaler && { ...blue.autoscaler, ambiguous: true } };
    const twice = { ...snapshot, sides: { blue: ambiguous, green } };
    expect(firstProblem(twice, rolesOf(twice))?.message).to.match(
      /is switched off, because another one selects the same pods: delete the other one, and remove it where it comes from$/,
    );
  });

  it('of credentials: what is missing of a config, which has sentences of its own', () => {
    const missing = [{ kind: 'Secret', name: 'search', field: 'spec.x', forbidden: false } as const];
    const snapshot = world({ ...idle, config: { missing } });
    expect(problem(snapshot)).to.equal('ConfigNotFound');
    expect(problem({ ...snapshot, endpoint: external({}).endpoint })).not.to.equal('ConfigNotFound');
  });
});

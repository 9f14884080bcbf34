import { expect } from 'chai';
import {
  DEPLOYMENTS,
  LIMIT_RANGES,
  PERSISTENT_VOLUME_CLAIMS,
  RESOURCE_QUOTAS,
} from '../../../src/kube/types.ts';
import { eventually } from '../../support/eventually.ts';
import { condition, SHOP, type Shop } from './shop.ts';
import { together } from './together.ts';
import { World } from './world.ts';

interface Case {
  readonly prepare?: (shop: Shop) => Promise<unknown>;
  /** Of the next version: its pod, and its container. */
  readonly pod?: object;
  readonly container?: object;
  readonly reason: string;
  readonly message: string;
  readonly mend: (shop: Shop) => Promise<unknown>;
}

const app = { name: 'app', image: 'shop:v2', ports: [{ containerPort: 8080 }] };

const release = (shop: Shop, pod: object = {}, container: object = {}): Promise<unknown> =>
  shop.patch(DEPLOYMENTS, SHOP, {
    spec: { template: { spec: { ...pod, containers: [{ ...app, ...container }] } } },
  });

/** A quota counts when its controller has seen what is there. */
async function quota(shop: Shop, hard: Record<string, string>): Promise<void> {
  await shop.create(RESOURCE_QUOTAS, { metadata: { name: 'team' }, spec: { hard } });
  await eventually('the quota to be counted', 60_000, async () => {
    const { status } = await shop.get(RESOURCE_QUOTAS, 'team');
    return status?.used === undefined ? undefined : true;
  });
}

const claim = (shop: Shop, ...accessModes: string[]): Promise<unknown> =>
  shop.create(PERSISTENT_VOLUME_CLAIMS, {
    metadata: { name: accessModes.join('-').toLowerCase() },
    spec: { accessModes, resources: { requests: { storage: '1Gi' } }, storageClassName: 'none' },
  });

const term = (more: object = {}) => ({
  topologyKey: 'kubernetes.io/hostname',
  labelSelector: { matchLabels: { app: SHOP } },
  ...more,
});
const apart = (more: object = {}) => ({
  affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(more)] } },
});
const CPU = { resources: { requests: { cpu: '1', memory: '2Gi' } } };

const CASES: Readonly<Record<string, Case>> = {
  'a quota of CPU that is smaller than what the candidate needs': {
    prepare: (shop) => quota(shop, { 'requests.cpu': '500m', 'requests.memory': '16Gi' }),
    container: CPU,
    reason: 'QuotaTooSmall',
    message:
      'the candidate needs 2 pods, 2 CPU, 4 GiB; ResourceQuota "team" has 0.5 CPU left: raise it, or lower spec.capacity.candidate',
    mend: (shop) => shop.patch(RESOURCE_QUOTAS, 'team', { spec: { hard: { 'requests.cpu': '4' } } }),
  },
  'a quota of pods': {
    prepare: (shop) => quota(shop, { pods: '3' }),
    reason: 'QuotaTooSmall',
    message:
      'the candidate needs 2 pods; ResourceQuota "team" has 1 pod left: raise it, or lower spec.capacity.candidate',
    mend: (shop) => shop.delete(RESOURCE_QUOTAS, 'team'),
  },
  'a quota that needs a number which no container states': {
    prepare: (shop) => quota(shop, { 'limits.memory': '8Gi' }),
    reason: 'QuotaNeedsValue',
    message:
      'ResourceQuota "team" counts limits.memory, and container "app" of Deployment "shop" states none: give it one, or the namespace a LimitRange',
    mend: (shop) =>
      shop.create(LIMIT_RANGES, {
        metadata: { name: 'team' },
        spec: { limits: [{ type: 'Container', default: { memory: '1Gi' } }] },
      }),
  },
  'a port of the node': {
    container: { ports: [{ containerPort: 8080, hostPort: 8080 }] },
    reason: 'HostPort',
    message:
      'Deployment "shop": container "app" has hostPort 8080: pods of both colours would want the same port of one node; remove it, and reach the pods by a Service',
    mend: (shop) => release(shop),
  },
  'a volume that one node alone may have': {
    prepare: (shop) => claim(shop, 'ReadWriteOnce'),
    pod: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'readwriteonce' } }] },
    reason: 'VolumeNotShared',
    message:
      'PersistentVolumeClaim "readwriteonce" is ReadWriteOnce: pods of both colours cannot have it at once; use ReadWriteMany or ReadOnlyMany, or keep the data outside of the workload',
    mend: (shop) => release(shop, { volumes: null }),
  },
  'an anti-affinity term that keeps its own pods apart': {
    pod: apart(),
    reason: 'AntiAffinity',
    message:
      'Deployment "shop": spec.template.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0] matches its own pods, so a candidate could not run on any kubernetes.io/hostname where production does: add matchLabelKeys: [bluegreen.dev/color] to it',
    mend: (shop) => release(shop, apart({ matchLabelKeys: ['bluegreen.dev/color'] })),
  },
};

describe('A candidate that would have no room beside production', function () {
  this.timeout(300_000);
  let world: World;

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    world = await World.start();
    await world.operator();
  });
  after(() => world?.stop());

  const refusesAndRecovers = async ({
    prepare,
    pod,
    container,
    reason,
    message,
    mend,
  }: Case): Promise<void> => {
    const shop = await world.adoptedShop();
    await prepare?.(shop);
    await release(shop, pod, container);
    const stalled = await shop.stalledWith(message);
    expect(condition(stalled, 'Stalled').reason).to.equal(reason);
    expect(await shop.get(DEPLOYMENTS, 'shop-green')).to.equal(undefined);
    expect(await shop.color()).to.equal('blue');
    await mend(shop);
    await shop.settledOn('r2');
  };

  describe('is refused with numbers or by name, nothing is created, and it starts when it is mended:', () => {
    together(
      Object.fromEntries(
        Object.entries(CASES).map(([sentence, given]) => [sentence, () => refusesAndRecovers(given)]),
      ),
    );
  });
});

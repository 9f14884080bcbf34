/** Two workloads as people write them, with their autoscalers, and a Service that names one of them. */
import type { ReleaseSpecInput } from '../../../src/api/schema.ts';
import { DEPLOYMENTS, HORIZONTAL_POD_AUTOSCALERS, SERVICES, STATEFUL_SETS } from '../../../src/kube/types.ts';
import { eventually } from '../../support/eventually.ts';
import { KEY, SHOP, type Shop } from './shop.ts';
import type { World } from './world.ts';

export type Color = 'blue' | 'green';
export type Kind = 'Deployment' | 'StatefulSet';
/** What stands on each side. */
export type Kinds = Readonly<Record<Color, Kind>>;
const TYPES = { Deployment: DEPLOYMENTS, StatefulSet: STATEFUL_SETS };

export const deployments: Kinds = { blue: 'Deployment', green: 'Deployment' };
export const statefulSets: Kinds = { blue: 'StatefulSet', green: 'StatefulSet' };

const nameOf = (color: Color): string => `app-${color}`;

/** As people write it: with the two labels that tell its pods from those of the other side. */
export const workload = (kind: Kind, color: Color, replicas: number, version = 'v1'): any => {
  const own = { app: SHOP, side: color };
  const labels = { ...own, 'bluegreen.dev/release': SHOP, [KEY]: color };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: nameOf(color), labels: { team: 'till' } },
    spec: {
      replicas,
      selector: { matchLabels: own },
      ...(kind === 'StatefulSet' && { serviceName: SHOP, podManagementPolicy: 'Parallel' }),
      template: {
        metadata: { labels },
        spec: {
          containers: [{ name: 'app', image: `shop:${version}`, ports: [{ containerPort: 8080 }] }],
        },
      },
    },
  };
};

export const autoscaler = (kind: Kind, color: Color, more: object = {}): any => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: nameOf(color) },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind, name: nameOf(color) },
    minReplicas: 1,
    maxReplicas: 6,
    ...more,
  },
});

/** `spec.workload` of a release. */
export const pair = (
  kinds: Kinds,
  { active, autoscaled = false }: { active?: Color; autoscaled?: boolean } = {},
): ReleaseSpecInput['workload'] => {
  const member = (color: Color) => ({
    kind: kinds[color],
    name: nameOf(color),
    ...(autoscaled && { autoscalerRef: { name: nameOf(color) } }),
  });
  return { pair: { ...(active && { active }), blue: member('blue'), green: member('green') } };
};

/** For longer than the test: while the pods of the old side are replaced it has some more. */
export const UNDRAINED: ReleaseSpecInput['traffic'] = { services: [{ name: SHOP }], drainSeconds: 600 };

export interface Pictured {
  readonly kinds?: Kinds;
  /** Pods of blue, which the Service names, and of green. */
  readonly replicas?: readonly [number, number];
  readonly selector?: object;
  readonly autoscaled?: boolean;
}

/** In a namespace of their own, with blue ready. */
export async function standing(world: World, pictured: Pictured = {}): Promise<Shop> {
  const { kinds = deployments, replicas = [3, 0], selector, autoscaled = false } = pictured;
  const shop = await world.emptyShop();
  await shop.create(TYPES[kinds.blue], workload(kinds.blue, 'blue', replicas[0]));
  await shop.create(TYPES[kinds.green], workload(kinds.green, 'green', replicas[1]));
  if (autoscaled) {
    await shop.create(HORIZONTAL_POD_AUTOSCALERS, autoscaler(kinds.blue, 'blue'));
    await shop.create(HORIZONTAL_POD_AUTOSCALERS, autoscaler(kinds.green, 'green'));
  }
  await shop.create(SERVICES, shop.service(SHOP, { selector: selector ?? { app: SHOP, [KEY]: 'blue' } }));
  await eventually('blue to be ready', 90_000, async () => {
    const { status } = await shop.get(TYPES[kinds.blue], nameOf('blue'));
    return (status?.readyReplicas ?? 0) === replicas[0] ? true : undefined;
  });
  return shop;
}

/** What people do to release: they change a template. */
export const edit = (shop: Shop, kinds: Kinds, color: Color, version: string): Promise<any> =>
  shop.patch(TYPES[kinds[color]], nameOf(color), {
    spec: { template: { metadata: { annotations: { version } } } },
  });

export const size = async (shop: Shop, color: Color, kinds: Kinds = deployments): Promise<number> =>
  (await shop.get(TYPES[kinds[color]], nameOf(color))).spec.replicas;

/** What people wrote: everything but status, replicas, and what the API server counts. */
export const written = async (shop: Shop): Promise<any[]> =>
  [...(await shop.list(DEPLOYMENTS)), ...(await shop.list(STATEFUL_SETS))].map(
    ({ metadata: { name, labels, annotations, uid }, spec }) => {
      const { replicas: _, ...rest } = spec;
      const { 'deployment.kubernetes.io/revision': __, ...own } = annotations ?? {};
      return { name, labels, own, uid, rest };
    },
  );

export const autoscalers = async (shop: Shop): Promise<any[]> =>
  (await shop.list(HORIZONTAL_POD_AUTOSCALERS)).map(({ metadata, spec }) => ({
    name: metadata.name,
    labels: metadata.labels,
    annotations: metadata.annotations,
    spec,
  }));

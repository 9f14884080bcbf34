/** The application of examples/demo as people run it who have two of it: one serves, and one does not. */
import { applicationOf, SHOP, type ShopOptions } from './shop.ts';
import { apply, type KubeObject, namespaceObject, rolledOut, type Target } from './target.ts';

/** As `spec.workload` of a release has it. */
export const PAIR = {
  blue: { kind: 'Deployment', name: 'shop-b', autoscalerRef: { name: 'shop-b' } },
  green: { kind: 'StatefulSet', name: 'shop-g', autoscalerRef: { name: 'shop-g' } },
} as const;

type Color = keyof typeof PAIR;

/** Blue serves, with more pods than its autoscaler keeps at least; green has one pod. */
export async function deployPair(target: Target, options: ShopOptions): Promise<void> {
  const { namespace = 'demo', replicas = 3 } = options;
  const [, service] = applicationOf(options);
  service.spec.selector = { app: SHOP, 'bluegreen.dev/color': 'blue' };
  await apply(target, [namespaceObject(namespace)]);
  await apply(target, [
    memberOf('blue', { ...options, replicas }),
    memberOf('green', { ...options, replicas: 1 }),
    autoscalerOf('blue', namespace, 2, 5),
    autoscalerOf('green', namespace, 1, 4),
    service,
  ]);
  await rolledOut(target, namespace, PAIR.blue.name);
}

function memberOf(color: Color, options: ShopOptions): KubeObject {
  const [{ metadata, spec }] = applicationOf(options);
  const { kind, name } = PAIR[color];
  const own = { app: SHOP, 'bluegreen.dev/color': color };
  const { template } = spec;
  template.metadata.labels = { ...own, 'bluegreen.dev/release': SHOP };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { ...metadata, name, labels: { team: 'till' } },
    spec: {
      ...spec,
      selector: { matchLabels: own },
      ...(kind === 'StatefulSet' && { serviceName: SHOP, podManagementPolicy: 'Parallel' }),
    },
  };
}

/** A load of a test never makes it scale within minutes. */
function autoscalerOf(color: Color, namespace: string, minReplicas: number, maxReplicas: number): KubeObject {
  const { kind, name } = PAIR[color];
  const target = { type: 'Utilization', averageUtilization: 900 };
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, namespace, labels: { team: 'till' } },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind, name },
      minReplicas,
      maxReplicas,
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target } }],
    },
  };
}

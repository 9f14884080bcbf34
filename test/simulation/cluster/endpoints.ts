/** The EndpointSlice controller: one slice for each Service with a selector, a while after its pods changed. */
import {
  ENDPOINT_SLICES,
  type EndpointSlice,
  PODS,
  type Pod,
  SERVICES,
  type Service,
} from '../../../src/kube/types.ts';
import { type Change, matches } from './api.ts';
import { createSoon, type Surroundings } from './controller.ts';
import { isReady } from './deployments.ts';

export function startEndpoints(around: Surroundings): void {
  const { api, pace } = around;
  const soon = createSoon(around, () => pace.endpoints, sync);

  api.onChange(({ type, object, before }: Change) => {
    if (type === SERVICES) soon(object.metadata.name);
    if (type !== PODS) return;
    for (const service of api.list<Service>(SERVICES)) {
      const { selector } = service.spec;
      if (matches(selector, object) || (before !== undefined && matches(selector, before)))
        soon(service.metadata.name);
    }
  });

  function sync(name: string): void {
    const service = api.get<Service>(SERVICES, name);
    const sliceName = `${name}-slice`;
    const slice = api.get<EndpointSlice>(ENDPOINT_SLICES, sliceName);
    if (service?.spec.selector === undefined) {
      if (slice !== undefined) api.remove(ENDPOINT_SLICES, sliceName);
      return;
    }
    const next = contentOf(service);
    if (slice === undefined)
      api.create<EndpointSlice>(ENDPOINT_SLICES, {
        metadata: { name: sliceName, labels: next.labels },
        ...next.body,
      });
    else
      api.update<EndpointSlice>(ENDPOINT_SLICES, sliceName, (object) => ({
        ...object,
        ...next.body,
        metadata: { ...object.metadata, labels: next.labels },
      }));
  }

  function contentOf(service: Service): {
    labels: Record<string, string>;
    body: Omit<EndpointSlice, 'metadata'>;
  } {
    const pods = api
      .list<Pod>(PODS)
      .filter((pod) => matches(service.spec.selector, pod) && pod.status?.phase === 'Running');
    return {
      labels: {
        ...service.metadata.labels,
        'kubernetes.io/service-name': service.metadata.name,
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      },
      body: {
        addressType: 'IPv4',
        ports: (service.spec.ports ?? []).map(({ name = '', port }) => ({ name, port })),
        endpoints: pods.map((pod) => {
          const terminating = pod.metadata.deletionTimestamp !== undefined;
          const ready = isReady(pod);
          return {
            addresses: [pod.metadata.uid ?? ''],
            conditions: { ready: ready && !terminating, serving: ready, terminating },
            targetRef: { kind: 'Pod', name: pod.metadata.name, uid: pod.metadata.uid ?? '' },
          };
        }),
      },
    };
  }
}

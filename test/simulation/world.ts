/** The whole of one life: the cluster, the application, its people, and what watches over the promises. */

import { memo } from '../../src/api/memo.ts';
import { RELEASES } from '../../src/api/resource.ts';
import { API_VERSION, KIND } from '../../src/api/schema.ts';
import type { Color } from '../../src/api/status.ts';
import {
  DEPLOYMENTS,
  type Deployment,
  ENDPOINT_SLICES,
  type EndpointSlice,
  HORIZONTAL_POD_AUTOSCALERS,
  type HorizontalPodAutoscaler,
  PODS,
  type Pod,
  SERVICES,
  type Service,
} from '../../src/kube/types.ts';
import { type Api, createApi, NAMESPACE } from './cluster/api.ts';
import { startAutoscalers } from './cluster/autoscalers.ts';
import { startCollector } from './cluster/collector.ts';
import { isReady, type Quota, startDeployments } from './cluster/deployments.ts';
import { startEndpoints } from './cluster/endpoints.ts';
import { startJobs } from './cluster/jobs.ts';
import { imageOf, type Kubelet, startKubelet } from './cluster/kubelet.ts';
import {
  createKeys,
  createSettings,
  followSettings,
  isInline,
  nameOfDeployment,
  type Settings,
  SOURCE,
  templateOf,
  versionNamed,
  workloadSaying,
} from './content.ts';
import type { Faults } from './faults.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import type { Random } from './random.ts';
import { previewsOf, RELEASE, type Scenario, SERVICE, siblingsOf } from './scenario.ts';
import type { Timeline } from './timeline.ts';
import type { Version } from './versions.ts';

export const LABEL = 'bluegreen.dev/color';

export interface World {
  readonly api: Api;
  readonly timeline: Timeline;
  readonly scenario: Scenario;
  readonly kubelet: Kubelet;
  readonly metrics: Metrics;
  readonly quota: Quota;
  /** Names of the gate Jobs that really completed. */
  readonly passedJobs: ReadonlySet<string>;
  /** Images of which a pod was ever ready. */
  readonly ran: ReadonlySet<string>;
  readonly settings: Settings;
  /** Pods that the traffic needs, where something scales by it. */
  load: number;
  /** Of the operators: milliseconds ahead of the true time, and whether it ever was. */
  readonly clock: { ahead: number; jumped: boolean };
  /** Warm-up requests that were sent to each pod, by its uid. */
  readonly warmed: Map<string, number>;
  /** Services that a policy keeps as they are, whoever writes. */
  readonly locked: Set<string>;
}

export function createWorld(timeline: Timeline, random: Random, faults: Faults, scenario: Scenario): World {
  const api = createApi(() => timeline.now);
  const around = { api, timeline, random: random.fork(), pace: faults };
  const versionOf = (name: string): Version | undefined => versionNamed(scenario, name);
  const settings = followSettings(api);
  const quota: Quota = { pods: 1000 };
  const ran = new Set<string>();
  const kubelet = startKubelet(around, versionOf);
  startDeployments(around, quota);
  startEndpoints(around);
  startCollector(around);
  const passedJobs = startJobs(around, (deployment) => versionOf(imageOfDeployment(world, deployment)));
  const metrics = createMetrics(timeline, random.fork(), (color) => versionOf(imageOfColor(world, color)));
  const world: World = {
    api,
    timeline,
    scenario,
    kubelet,
    metrics,
    quota,
    passedJobs,
    ran,
    settings,
    load: scenario.replicas,
    clock: { ahead: 0, jumped: false },
    warmed: new Map(),
    locked: new Set(),
  };
  startAutoscalers(around, (deployment) => (servesFrom(api, deployment) ? world.load : 0));
  api.onChange(({ type, object }) => {
    if (type === PODS && isReady(object as Pod)) ran.add(imageOf(object as Pod));
    if (type !== ENDPOINT_SLICES || object.metadata.name !== `${SERVICE}-slice`) return;
    for (const image of servingImages(api)) kubelet.serves(image);
  });
  return world;
}

/** What people had before they heard of us. */
export function begin(world: World): void {
  const { api, scenario } = world;
  const first = scenario.versions[0]?.image ?? '';
  createSettings(world, first);
  createKeys(world);
  if (!isInline(scenario)) createSource(world, first);
  for (const name of [SERVICE, ...siblingsOf(scenario), ...previewsOf(scenario)]) createService(world, name);
  if (scenario.spec.autoscaling !== undefined && !isInline(scenario))
    api.create(HORIZONTAL_POD_AUTOSCALERS, autoscalerOf(SOURCE, SOURCE, scenario.spec.autoscaling.spec));
}

/** As it stands in Git; nothing where it exists. */
export function createSource({ api, scenario }: World, image: string): void {
  if (api.get(DEPLOYMENTS, SOURCE) !== undefined) return;
  api.create<Deployment>(DEPLOYMENTS, {
    metadata: { name: SOURCE },
    spec: {
      replicas: scenario.replicas,
      selector: { matchLabels: { app: 'checkout' } },
      template: templateOf(image),
    },
  });
}

/** As it stands in Git; nothing where it exists. */
export function createService({ api }: World, name: string = SERVICE): void {
  if (api.get(SERVICES, name) !== undefined) return;
  api.create<Service>(SERVICES, {
    metadata: { name },
    spec: { selector: { app: 'checkout' }, ports: [{ name: 'http', port: 80 }] },
  });
}

export function autoscalerOf(name: string, target: string, bounds: object): HorizontalPodAutoscaler {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: target };
  return { metadata: { name }, spec: { ...bounds, scaleTargetRef } as HorizontalPodAutoscaler['spec'] };
}

/** `wished`: an index into the versions. */
export function createRelease({ api, scenario }: World, wished = 0): void {
  const workload = workloadSaying(scenario, scenario.versions[wished]?.image ?? '');
  api.create(RELEASES, {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name: RELEASE, namespace: NAMESPACE },
    spec: { ...scenario.spec, workload },
  } as never);
}

/** What it runs, as `nameOfDeployment` has it. */
export function imageOfDeployment(
  { settings }: Pick<World, 'settings'>,
  deployment: Deployment | undefined,
): string {
  return deployment === undefined ? '' : nameOfDeployment(settings, deployment);
}

export function imageOfColor(world: World, color: Color): string {
  return imageOfDeployment(world, world.api.get<Deployment>(DEPLOYMENTS, `${RELEASE}-${color}`));
}

export function selectedColor(api: Api, service: string = SERVICE): string | undefined {
  return api.get<Service>(SERVICES, service)?.spec.selector?.[LABEL];
}

function servesFrom(api: Api, { metadata }: Deployment): boolean {
  const color = selectedColor(api);
  return color === undefined ? metadata.name === 'checkout' : metadata.name === `${RELEASE}-${color}`;
}

/** Ready endpoints of a Service, as its slice says. */
export function readyEndpoints(api: Api, service: string): readonly string[] {
  const slice = api.get<EndpointSlice>(ENDPOINT_SLICES, `${service}-slice`);
  return slice === undefined ? [] : readyIn(slice);
}

const readyIn = memo(({ endpoints }: EndpointSlice): readonly string[] =>
  (endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready === true)
    .map(({ targetRef }) => targetRef?.name ?? ''),
);

function servingImages(api: Api): Set<string> {
  return new Set(
    readyEndpoints(api, SERVICE).map((name) => {
      const pod = api.get<Pod>(PODS, name);
      return pod === undefined ? '' : imageOf(pod);
    }),
  );
}

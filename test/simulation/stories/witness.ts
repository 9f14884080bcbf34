/** What anybody could have seen of the cluster meanwhile: who serves, which pods are ready, what the Jobs said. */
import { COLORS } from '../../../src/api/status.ts';
import type { ResourceType } from '../../../src/kube/ports.ts';
import {
  DEPLOYMENTS,
  type Deployment,
  ENDPOINT_SLICES,
  type EndpointSlice,
  JOBS,
  type Job,
  PODS,
  type Pod,
} from '../../../src/kube/types.ts';
import type { Change } from '../cluster/api.ts';
import { nameOfDeployment, type Settings } from '../content.ts';
import type { Stage } from '../stage.ts';
import { LABEL } from '../world.ts';

/** Milliseconds: who does something says so before others see what came of it. */
const LATE = 10;

export function startWitness({ world, timeline, say }: Stage): void {
  const { api, settings } = world;
  const told = new Map<string, string>();

  /** Once for as long as it stays so. */
  function see(what: string, how: string): void {
    if (told.get(what) === how) return;
    told.set(what, how);
    timeline.after(LATE, () => {
      if (told.get(what) === how) say(`  seen: ${what} ${how}`);
    });
  }

  /** Ready endpoints by the side that their pods belong to. */
  function serves({ endpoints }: EndpointSlice): string {
    const sides = (endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready)
      .map(
        ({ targetRef }) => api.get<Pod>(PODS, targetRef?.name ?? '')?.metadata.labels?.[LABEL] ?? 'source',
      );
    const counts = ['source', ...COLORS].map((side) => [side, sides.filter((each) => each === side).length]);
    return (
      counts.flatMap(([side, pods]) => (pods === 0 ? [] : [`${pods} ${side}`])).join(' and ') || 'nobody'
    );
  }

  /** By kind: what is told of an object that changed. */
  const eyes = new Map<ResourceType, (change: Change) => void>([
    [
      ENDPOINT_SLICES,
      ({ object }) => {
        const service = object.metadata.labels?.['kubernetes.io/service-name'] ?? '';
        const isTwin = COLORS.some((color) => service.endsWith(`-${color}`));
        if (!isTwin) see(`Service "${service}"`, `is served by ${serves(object as EndpointSlice)}`);
      },
    ],
    [
      DEPLOYMENTS,
      ({ event, object }) =>
        see(
          `Deployment "${object.metadata.name}"`,
          event === 'DELETED' ? 'is gone' : sizeOf(settings, object as Deployment),
        ),
    ],
    [
      JOBS,
      ({ object }) => {
        const [condition] = (object as Job).status?.conditions ?? [];
        if (condition !== undefined) see(`Job "${object.metadata.name}"`, `ends: ${condition.type}`);
      },
    ],
  ]);
  api.onChange((change) => eyes.get(change.type)?.(change));
}

function sizeOf(settings: Settings, deployment: Deployment): string {
  const { spec, status } = deployment;
  const version = nameOfDeployment(settings, deployment).replace(/.*:/, '');
  const pods = `${status?.readyReplicas ?? 0} pods are ready, ${spec.replicas ?? 1} are wanted`;
  return `says ${version}; ${pods}${spec.paused ? '; paused' : ''}`;
}

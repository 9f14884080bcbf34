/** What the pods of a template ask of a namespace's quota. */
import type { JsonObject } from '../kube/types.ts';
import { parseQuantity } from './quantity.ts';

/** What a LimitRange gives to a container that says nothing: by resource, as the API writes quantities. */
export interface ContainerDefaults {
  readonly defaultRequest?: JsonObject;
  readonly default?: JsonObject;
}

type Kind = 'requests' | 'limits';

/** By the names that a ResourceQuota has for what it counts; a name that is not here is none that pods are asked for. */
const COUNTED: Readonly<Record<string, readonly [Kind, string]>> = {
  cpu: ['requests', 'cpu'],
  memory: ['requests', 'memory'],
  'ephemeral-storage': ['requests', 'ephemeral-storage'],
  'requests.cpu': ['requests', 'cpu'],
  'requests.memory': ['requests', 'memory'],
  'requests.ephemeral-storage': ['requests', 'ephemeral-storage'],
  'limits.cpu': ['limits', 'cpu'],
  'limits.memory': ['limits', 'memory'],
  'limits.ephemeral-storage': ['limits', 'ephemeral-storage'],
};
const PODS = new Set(['pods', 'count/pods']);

interface Demand {
  readonly perPod: number;
  /** The first container that states nothing of it, where a quota demands that all do. */
  readonly unstated: string | undefined;
}

/** Of one pod; undefined: nothing that a pod could use up. */
export function demandOf(
  resource: string,
  podSpec: JsonObject,
  defaults: readonly ContainerDefaults[],
): Demand | undefined {
  if (PODS.has(resource)) return { perPod: 1, unstated: undefined };
  const [kind, name] = COUNTED[resource] ?? [];
  if (kind === undefined || name === undefined) return undefined;
  const stated = (container: JsonObject) => statedBy(container, kind, name, defaults);
  const containers = listOf(podSpec, 'containers');
  const inits = listOf(podSpec, 'initContainers');
  // One that restarts always runs beside the others; the rest run one at a time before them.
  const beside = inits.filter(({ restartPolicy }) => restartPolicy === 'Always');
  const before = inits.filter(({ restartPolicy }) => restartPolicy !== 'Always');
  const running = [...containers, ...beside].reduce((sum, each) => sum + (stated(each) ?? 0), 0);
  const overhead = parseQuantity((podSpec.overhead as JsonObject | undefined)?.[name]) ?? 0;
  const silent = [...containers, ...inits].find((each) => stated(each) === undefined);
  return {
    perPod: Math.max(running, ...before.map((each) => stated(each) ?? 0)) + overhead,
    unstated: typeof silent?.name === 'string' ? silent.name : undefined,
  };
}

/** As the API server fills it in: what the container says, what its limit says, what the namespace's LimitRange says. */
function statedBy(
  { resources }: JsonObject,
  kind: Kind,
  name: string,
  defaults: readonly ContainerDefaults[],
): number | undefined {
  const own = resources as { requests?: JsonObject; limits?: JsonObject } | undefined;
  const given = (from: keyof ContainerDefaults) =>
    defaults.map((each) => each[from]?.[name]).find((value) => value !== undefined);
  const limit = own?.limits?.[name] ?? given('default');
  const request = own?.requests?.[name] ?? own?.limits?.[name] ?? given('defaultRequest') ?? limit;
  return parseQuantity(kind === 'limits' ? limit : request);
}

function listOf(podSpec: JsonObject, key: string): JsonObject[] {
  const value = podSpec[key];
  return Array.isArray(value) ? (value as JsonObject[]) : [];
}

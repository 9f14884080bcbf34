/**
 * What a namespace allows its pods, read once for all releases of it that begin within the same moment: a hundred teams
 * that deploy at once would otherwise ask the same question a hundred times before the first switch.
 */
import { isKubeError } from '../kube/errors.ts';
import type { KubeClient, KubeObject, ResourceType } from '../kube/ports.ts';
import { LIMIT_RANGES, RESOURCE_QUOTAS } from '../kube/types.ts';
import type { ContainerDefaults } from '../workload/demand.ts';
import { isWithin } from './age.ts';

export interface ResourceQuota extends KubeObject {
  spec?: { scopes?: string[]; scopeSelector?: unknown };
  status?: { hard?: Record<string, string>; used?: Record<string, string> };
}

interface LimitRange extends KubeObject {
  spec?: { limits?: (ContainerDefaults & { type?: string })[] };
}

export interface Limits {
  readonly quotas: readonly ResourceQuota[];
  readonly defaults: readonly ContainerDefaults[];
}

export type ReadLimits = (namespace: string) => Promise<Limits>;

/** An answer is good for so long, from the question: what a quota has left is old when it is read anyway. */
const FRESH_MS = 1_000;

/** `now`: milliseconds since the epoch. */
export function createLimits(client: KubeClient, now: () => number): ReadLimits {
  const asked = new Map<string, { readonly at: number; readonly answer: Promise<Limits> }>();

  const isFresh = (at: number): boolean => isWithin(now() - at, FRESH_MS);

  return (namespace) => {
    for (const [name, { at }] of asked) if (!isFresh(at)) asked.delete(name);
    const known = asked.get(namespace);
    if (known !== undefined) return known.answer;
    const answer = read(client, namespace);
    asked.set(namespace, { at: now(), answer });
    // Who asks next must not be told of a failure that may be over.
    answer.catch(() => asked.delete(namespace));
    return answer;
  };
}

async function read(client: KubeClient, namespace: string): Promise<Limits> {
  const list = <T extends KubeObject>(type: ResourceType): Promise<T[]> =>
    client.list<T>(type, { namespace }).catch(nothingIfForbidden<T[]>([]));
  const [quotas, ranges] = await Promise.all([
    list<ResourceQuota>(RESOURCE_QUOTAS),
    list<LimitRange>(LIMIT_RANGES),
  ]);
  const defaults = ranges.flatMap(({ spec }) =>
    (spec?.limits ?? []).filter(({ type }) => type === 'Container'),
  );
  return { quotas, defaults };
}

/** Where the operator may not look, the pods' own failure tells, within seconds of the start. */
export function nothingIfForbidden<T>(nothing: T): (error: unknown) => T {
  return (error) => {
    if (isKubeError(error, 'Forbidden')) return nothing;
    throw error;
  };
}

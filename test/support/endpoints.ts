/** Whose pods stood behind a Service, and when: an outside watch of its EndpointSlices, with the time of arrival. */
import { type Following, type WatchEvent, watch } from './follow.ts';
import type { Target } from './target.ts';

/** The pods behind the Service from this moment on. Milliseconds since the epoch. */
export interface EndpointsAt {
  readonly at: number;
  /** Names of those that are ready, or still serve while they end. */
  readonly pods: readonly string[];
}

export interface EndpointsWatch extends Following {
  readonly history: readonly EndpointsAt[];
}

export function watchEndpoints(target: Target, namespace: string, service: string): EndpointsWatch {
  const collector = new EndpointsHistory();
  const what = ['endpointslices', '-n', namespace, '-l', `kubernetes.io/service-name=${service}`];
  const following = watch(target, what, (slice, event) => collector.add(slice, event, Date.now()));
  return { stop: () => following.stop(), history: collector.history };
}

/** A Service has several slices; each event tells of one. */
export class EndpointsHistory {
  readonly history: EndpointsAt[] = [];
  readonly #slices: Map<string, string[]> = new Map();

  add(slice: any, event: WatchEvent, at: number): void {
    if (event === 'DELETED') this.#slices.delete(slice.metadata.name);
    else this.#slices.set(slice.metadata.name, podsOf(slice));
    this.history.push({ at, pods: [...new Set([...this.#slices.values()].flat())].sort() });
  }
}

function podsOf(slice: any): string[] {
  return (slice.endpoints ?? [])
    .filter(({ conditions }: any) => conditions.ready || conditions.serving)
    .map(({ targetRef }: any) => targetRef?.name ?? '');
}

/** When, from `since` on, the pods of Deployment `deployment` were first the only ones. */
export function aloneSince(
  history: readonly EndpointsAt[],
  deployment: string,
  since: number,
): number | undefined {
  // Pods of "shop" are called shop-<hash>-<id>, those of "shop-blue" shop-blue-<hash>-<id>.
  const own = new RegExp(`^${deployment}-[a-z0-9]+-[a-z0-9]+$`);
  return history.find(({ at, pods }) => at >= since && pods.length > 0 && pods.every((pod) => own.test(pod)))
    ?.at;
}

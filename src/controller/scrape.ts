/** Asks a pod for its metrics: how many requests it has counted. */
import type { Clock } from '../kube/clock.ts';
import type { KubeClient } from '../kube/ports.ts';
import { createCounterReader } from '../metrics/exposition.ts';
import type { Request } from '../release/plan.ts';
import type { Cache } from './cache.ts';
import type { Scene } from './observe.ts';
import { addressOf } from './pod-address.ts';
import { createPodClient } from './pod-http.ts';

export type ScrapeRequest = Extract<Request, { kind: 'Scrape' }>;

/**
 * The same again where the counter has not moved and no container was started anew in between. Rejects with an Error
 * whose message is a sentence for people.
 */
export async function scrapePod(
  deps: { readonly client: KubeClient; readonly cache: Cache; readonly clock: Clock },
  scene: Scene,
  request: ScrapeRequest,
  signal: AbortSignal,
): Promise<string> {
  const { counter, path, port } = request.asked;
  const { restarts, ...address } = await addressOf(deps, scene, request, port, signal);
  const pod = createPodClient(address, deps.clock, signal);
  const reader = createCounterReader(counter);
  try {
    await pod.read(path, (text) => reader.add(text));
    return `${reader.total()} requests, ${restarts} restarts`;
  } finally {
    pod.close();
  }
}

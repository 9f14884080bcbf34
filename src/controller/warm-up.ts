/** Sends a candidate pod its warm-up requests: at most `AT_ONCE` at a time, until enough are answered or it is silent. */
import type { Clock } from '../kube/clock.ts';
import type { KubeClient } from '../kube/ports.ts';
import type { Request } from '../release/plan.ts';
import type { Cache } from './cache.ts';
import type { Scene } from './observe.ts';
import { addressOf } from './pod-address.ts';
import { createPodClient } from './pod-http.ts';

export type WarmUpRequest = Extract<Request, { kind: 'WarmUp' }>;

export interface WarmUpDeps {
  readonly client: KubeClient;
  readonly cache: Cache;
  readonly clock: Clock;
}

const AT_ONCE = 4;

/** Rejects with an Error whose message is a sentence for people; what was answered until then has been told. */
export async function warmPod(
  deps: WarmUpDeps,
  scene: Scene,
  request: WarmUpRequest,
  missing: number,
  onAnswer: () => void,
  signal: AbortSignal,
): Promise<void> {
  const { path, port } = request.asked;
  const pod = createPodClient(await addressOf(deps, scene, request, port, signal), deps.clock, signal);
  let left = missing;
  const sender = async (): Promise<void> => {
    while (left > 0 && !signal.aborted) {
      left -= 1;
      await pod.ask(path);
      onAnswer();
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, missing) }, sender));
  } finally {
    pod.close();
  }
}

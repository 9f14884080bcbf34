/** The API server's verdict on a restart that a switch of an external workload would order, by a dry run. */
import { isKubeError } from '../kube/errors.ts';
import type { KubeClient } from '../kube/ports.ts';
import type { ConsumerView } from '../release/endpoint-view.ts';
import type { Problem } from '../release/snapshot.ts';
import { restartPatch } from './apply/endpoint.ts';
import type { Scene } from './observe.ts';
import { WORKLOADS } from './workloads.ts';

/** As a Service that cannot be switched: better told before anything is published. */
export async function judgeRestart(
  client: KubeClient,
  { release }: Scene,
  consumer: ConsumerView,
  index: number,
  signal: AbortSignal,
): Promise<Problem | undefined> {
  if (!consumer.found) return undefined;
  const { kind, name } = consumer;
  const { namespace } = release;
  try {
    const patch = restartPatch(release.name, consumer, 'dry-run', 0);
    await client.patch(WORKLOADS[kind].type, { namespace, name }, patch, { dryRun: true, signal });
    return undefined;
  } catch (error) {
    if (isKubeError(error, 'NotFound', 'Conflict')) return undefined;
    if (!isKubeError(error, 'Invalid', 'BadRequest', 'Forbidden')) throw error;
    const field = `spec.traffic.endpoint.restart[${index}]`;
    return {
      reason: 'ConsumerRefused',
      message: `${field}: the API server refuses to restart ${kind} "${name}": ${error.message}`,
    };
  }
}

/** A cluster as these helpers need it, be it the tests' own or one that somebody has. */
import { join } from 'node:path';
import type { Cluster } from '../cluster/index.ts';
import { programPath } from '../cluster/programs.ts';

export interface Target {
  /** stdout; throws with stderr. */
  kubectl(args: readonly string[], options?: { input?: string; timeoutMs?: number }): Promise<string>;
  /** kubectl and the flags that reach this cluster, for what streams. */
  readonly command: readonly string[];
}

export function targetOf(cluster: Cluster): Target {
  return {
    kubectl: (args, options) => cluster.kubectl(args, options),
    command: [
      programPath('kubectl'),
      `--kubeconfig=${cluster.kubeconfig}`,
      `--cache-dir=${join(cluster.workDir, 'kubectl')}`,
    ],
  };
}

/** An image and where it comes from: `Never` for one that was loaded onto the node. */
export interface ImageRef {
  readonly name: string;
  readonly pullPolicy: 'Never' | 'IfNotPresent';
}

export type KubeObject = Readonly<Record<string, unknown>>;

export async function apply(target: Target, objects: readonly KubeObject[]): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects };
  await target.kubectl(['apply', '--server-side', '--field-manager=demo', '-f', '-'], {
    input: JSON.stringify(list),
  });
}

/** Waits until the pods of a Deployment are those of its newest template, and ready. */
export async function rolledOut(
  target: Target,
  namespace: string,
  deployment: string,
  seconds = 120,
): Promise<void> {
  const args = ['rollout', 'status', `deployment/${deployment}`, '-n', namespace, `--timeout=${seconds}s`];
  await target.kubectl(args, { timeoutMs: (seconds + 5) * 1000 }).catch(async (error: Error) => {
    const pods = await target
      .kubectl(['get', 'pods', '-n', namespace, '--no-headers'])
      .catch(() => error.message);
    const own = pods.split('\n').filter((line) => line.startsWith(`${deployment}-`));
    throw new Error(
      `the pods of Deployment ${namespace}/${deployment} were not ready within ${seconds} seconds: ${own.join('; ') || pods.trim()}`,
    );
  });
}

export const namespaceObject = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
});

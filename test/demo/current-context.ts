/** The cluster that the user's kubectl talks to. The demo uses namespaces of its own and refuses to replace anything. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../cluster/exec.ts';
import { OPERATOR_NAMESPACE } from '../support/operator.ts';
import type { Target } from '../support/target.ts';
import type { ContextImages } from './options.ts';
import { describeCluster, type Place, type Progress } from './place.ts';

const NAMESPACE = 'bluegreen-demo';
const METRICS_NAMESPACE = 'bluegreen-demo-monitoring';

export async function currentContext(images: ContextImages, progress: Progress): Promise<Place> {
  const { target, context } = await contextTarget();
  progress(`looking at the cluster of context ${context}`);
  const cluster = await describeCluster(target);
  await refuseToReplace(target);
  const workDir = await mkdtemp(join(tmpdir(), 'bluegreen-demo-'));
  const ref = (name: string) => ({ name, pullPolicy: 'IfNotPresent' as const });
  return {
    target,
    title: `Kubernetes ${cluster.kubernetes}, context ${context}`,
    cluster,
    workDir,
    namespace: NAMESPACE,
    metricsNamespace: METRICS_NAMESPACE,
    auditLog: undefined,
    images: { operator: ref(images.operator), app: ref(images.app), prometheus: ref(images.prometheus) },
    keepHint: hint(),
    remove: () => remove(target, workDir),
  };
}

/** The context is pinned by name: somebody may choose another one while the demo runs. */
async function contextTarget(): Promise<{ target: Target; context: string }> {
  const said = await run('kubectl', ['config', 'current-context']).catch((error: Error) => {
    throw new Error(
      `--use-current-context needs kubectl with a current context: set KUBECONFIG, or choose one with "kubectl config use-context" (${error.message})`,
    );
  });
  const context = said.trim();
  const command = ['kubectl', `--context=${context}`];
  const kubectl: Target['kubectl'] = (args, options) =>
    run('kubectl', [...command.slice(1), ...args], options);
  return { target: { kubectl, command }, context };
}

async function refuseToReplace(target: Target): Promise<void> {
  const found = await target.kubectl([
    'get',
    `namespace/${NAMESPACE}`,
    `namespace/${METRICS_NAMESPACE}`,
    `namespace/${OPERATOR_NAMESPACE}`,
    'crd/bluegreenreleases.bluegreen.dev',
    '--ignore-not-found',
    '-o',
    'name',
  ]);
  const names = found.trim().split('\n').filter(Boolean);
  if (names.length > 0)
    throw new Error(
      `the demo brings its own operator and namespaces and replaces nothing, but this cluster has ${names.join(', ')}: remove them, or use another cluster`,
    );
}

/** The application first: while its namespace ends, the operator takes the release's finalizer away. */
async function remove(target: Target, workDir: string): Promise<void> {
  const gone = ['delete', '--ignore-not-found', '--wait', '--timeout=120s'];
  const timeoutMs = 130_000;
  await target.kubectl([...gone, 'namespace', NAMESPACE, METRICS_NAMESPACE], { timeoutMs });
  const rbac = `prometheus-${METRICS_NAMESPACE}`;
  await target.kubectl([...gone, `clusterrole/${rbac}`, `clusterrolebinding/${rbac}`], { timeoutMs });
  await target.kubectl([...gone, '-k', join(workDir, 'operator-overlay')], { timeoutMs }).catch(() => {});
  await rm(workDir, { recursive: true, force: true });
}

function hint(): string {
  return [
    `  kubectl get bgr -n ${NAMESPACE}`,
    `  kubectl describe bgr shop -n ${NAMESPACE}`,
    `  kubectl set env deployment/shop VERSION=v4 ERROR_RATE=0 -n ${NAMESPACE}    releases another version`,
    `  kubectl delete namespace ${NAMESPACE} ${METRICS_NAMESPACE}    and then: kubectl delete -k deploy/kustomize`,
  ].join('\n');
}

/** A Kubernetes with one real node on this machine, for the demo alone. */
import { type Cluster, startCluster, startDetached } from '../cluster/index.ts';
import { demoImage, operatorImage, prometheusImage } from '../support/images.ts';
import { type ImageRef, targetOf } from '../support/target.ts';
import { describeCluster, type Place, type Progress } from './place.ts';

/** Known beforehand, so that `npm run cluster` finds a cluster that was kept. */
const KEPT_NAME = 'demo';

export async function ownCluster(keep: boolean, progress: Progress, signal: AbortSignal): Promise<Place> {
  // Asked first: making the images takes minutes on a fresh machine.
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw new Error(
      'a Kubernetes node on this machine needs root on Linux: use sudo, or a cluster that you have (--use-current-context)',
    );
  const made = await makeImages(progress);
  signal.throwIfAborted();
  progress('starting Kubernetes: one real node on this machine');
  // A cluster that is to stay must outlive this process; any other one must not.
  const cluster = await (keep
    ? startDetached({ form: 'node', name: KEPT_NAME, progress })
    : startCluster({ form: 'node', progress }));
  try {
    const target = targetOf(cluster);
    const about = await describeCluster(target);
    return {
      target,
      title: `Kubernetes ${about.kubernetes}, one real node on this machine`,
      cluster: about,
      workDir: cluster.workDir,
      namespace: 'demo',
      metricsNamespace: 'monitoring',
      auditLog: cluster.auditLog,
      images: await loadImages(cluster, made, progress),
      keepHint: hint(cluster),
      remove: () => cluster.stop(),
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

interface MadeImage {
  readonly name: string;
  readonly tar: string;
}
type Made = Readonly<Record<keyof Place['images'], MadeImage>>;

/** Before the cluster starts: on a fresh machine Prometheus is built from source, with every core. */
async function makeImages(progress: Progress): Promise<Made> {
  progress('bundling the operator and making the images');
  const operator = await operatorImage();
  const app = await demoImage();
  return { operator, app, prometheus: await prometheusImage(progress) };
}

async function loadImages(cluster: Cluster, made: Made, progress: Progress): Promise<Place['images']> {
  const load = async ({ name, tar }: MadeImage): Promise<ImageRef> => {
    progress(`loading image ${name} onto the node`);
    await cluster.loadImage(tar);
    return { name, pullPolicy: 'Never' };
  };
  return {
    operator: await load(made.operator),
    app: await load(made.app),
    prometheus: await load(made.prometheus),
  };
}

function hint({ name, kubeconfig }: Cluster): string {
  return [
    `  npm run cluster -- shell --name ${name}    a shell with kubectl, inside the cluster's network`,
    '    kubectl get bgr -n demo',
    '    kubectl describe bgr shop -n demo',
    '    kubectl set env deployment/shop VERSION=v4 ERROR_RATE=0 -n demo    releases another version',
    `  export KUBECONFIG=${kubeconfig}    for a kubectl of your own`,
    `  npm run cluster -- down --name ${name}     takes it down`,
  ].join('\n');
}

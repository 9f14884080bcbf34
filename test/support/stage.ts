/** A cluster with a real node, a real Prometheus, and the operator from its shipped manifests. */
import { type Cluster, type ClusterOptions, startCluster } from '../cluster/index.ts';
import { demoImage, operatorImage, prometheusImage } from './images.ts';
import { deployOperator, type OperatorOptions } from './operator.ts';
import { deployPrometheus } from './prometheus.ts';
import { type ImageRef, type Target, targetOf } from './target.ts';

export interface Stage {
  readonly cluster: Cluster;
  readonly target: Target;
  /** The application and the load generator. */
  readonly image: ImageRef;
}

type StageOptions = Pick<OperatorOptions, 'metricSources'> & Pick<ClusterOptions, 'serviceProxy'>;

export async function raiseStage(options: StageOptions = {}): Promise<Stage> {
  const { serviceProxy, ...operatorOptions } = options;
  const operator = await operatorImage();
  const app = await demoImage();
  const prometheus = await prometheusImage();
  const cluster = await startCluster({ form: 'node', ...(serviceProxy && { serviceProxy }) });
  try {
    const load = async ({ name, tar }: { name: string; tar: string }): Promise<ImageRef> => {
      await cluster.loadImage(tar);
      return { name, pullPolicy: 'Never' };
    };
    const images = {
      operator: await load(operator),
      app: await load(app),
      prometheus: await load(prometheus),
    };
    const target = targetOf(cluster);
    await Promise.all([
      deployOperator(target, { image: images.operator, workDir: cluster.workDir, ...operatorOptions }),
      deployPrometheus(target, { image: images.prometheus }),
    ]);
    return { cluster, target, image: images.app };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

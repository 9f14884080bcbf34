/** The operator as people install it: deploy/kustomize, with an overlay for the image. */
import { mkdir, realpath, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { stringify } from 'yaml';
import { type ImageRef, rolledOut, type Target } from './target.ts';

export const OPERATOR_NAMESPACE = 'bluegreen-system';
export const OPERATOR = 'bluegreen-operator';

const manifests = join(import.meta.dirname, '../../deploy/kustomize');

export interface OperatorOptions {
  readonly image: ImageRef;
  /** The overlay is written below it. */
  readonly workDir: string;
  /** Where its checks measure, by name. Default: that of deploy/kustomize, which is that of deployPrometheus. */
  readonly metricSources?: Readonly<Record<string, string>>;
}

export async function deployOperator(target: Target, options: OperatorOptions): Promise<void> {
  const overlay = await writeOverlay(options);
  await target.kubectl(['apply', '--server-side', '--field-manager=demo', '-k', overlay], {
    timeoutMs: 60_000,
  });
  await target.kubectl(['wait', '--for=condition=Established', 'crd/bluegreenreleases.bluegreen.dev']);
  await rolledOut(target, OPERATOR_NAMESPACE, OPERATOR);
}

async function writeOverlay({ image, workDir, metricSources }: OperatorOptions): Promise<string> {
  const overlay = join(workDir, 'operator-overlay');
  await mkdir(overlay, { recursive: true });
  const pullPolicy = [
    { op: 'replace', path: '/spec/template/spec/containers/0/imagePullPolicy', value: image.pullPolicy },
  ];
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    // Kustomize takes no absolute path, and looks at where links lead to.
    resources: [relative(await realpath(overlay), await realpath(manifests))],
    images: [{ name: OPERATOR, ...newImage(image.name) }],
    patches: [{ target: { kind: 'Deployment', name: OPERATOR }, patch: stringify(pullPolicy) }],
    ...(metricSources && { configMapGenerator: [await ownConfig(overlay, metricSources)] }),
  };
  await writeFile(join(overlay, 'kustomization.yaml'), stringify(kustomization));
  return overlay;
}

async function ownConfig(overlay: string, sources: Readonly<Record<string, string>>): Promise<object> {
  const metricSources = Object.entries(sources).map(([name, url]) => ({ name, prometheus: { url } }));
  const config = { metricSources };
  await writeFile(join(overlay, 'config.yaml'), stringify(config));
  return {
    name: 'bluegreen-operator-config',
    namespace: OPERATOR_NAMESPACE,
    behavior: 'replace',
    files: ['config.yaml'],
  };
}

/** A port is no tag: registry:5000/operator. */
function newImage(image: string): { newName: string; newTag?: string; digest?: string } {
  const [, newName = image, newTag, digest] = /^(.+?)(?::([^:/@]+))?(?:@(.+))?$/.exec(image) ?? [];
  return { newName, ...(newTag && { newTag }), ...(digest && { digest }) };
}

/** Its last lines, for a report of what went wrong. */
export function operatorLog(target: Target, lines = 300): Promise<string> {
  return target.kubectl(['logs', `deployment/${OPERATOR}`, '-n', OPERATOR_NAMESPACE, `--tail=${lines}`]);
}

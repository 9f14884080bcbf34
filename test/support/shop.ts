/** The application of examples/demo, and its release. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { ReleaseSpecInput } from '../../src/api/schema.ts';
import { apply, type ImageRef, namespaceObject, rolledOut, type Target } from './target.ts';

/** The name of the Deployment, the Service and the release. */
export const SHOP = 'shop';

const examples = join(import.meta.dirname, '../../examples/demo');

export interface ShopOptions {
  readonly image: ImageRef;
  /** Default: demo. */
  readonly namespace?: string;
  /** Default: 3. */
  readonly replicas?: number;
  /** What its containers ask for, where the machine is busy with other things too. Default: that of the example. */
  readonly cpu?: string;
  /** Of its containers; app.mjs says what it understands. */
  readonly env?: Readonly<Record<string, string>>;
  /** Takes the name from the port of the Service, as a Service with one port may have it. */
  readonly unnamedPort?: boolean;
}

/** The Deployment with its pods ready, and the Service. */
export async function deployShop(target: Target, options: ShopOptions): Promise<void> {
  const { namespace = 'demo' } = options;
  await apply(target, [namespaceObject(namespace)]);
  await apply(target, applicationOf(options));
  await rolledOut(target, namespace, SHOP);
}

/** The Deployment and the Service, not yet applied. */
export function applicationOf(options: ShopOptions): [deployment: any, service: any] {
  const { image, namespace = 'demo', replicas, cpu, env = {} } = options;
  const [deployment, service] = read('application.yaml', namespace);
  if (options.unnamedPort) delete service.spec.ports[0].name;
  useImage(deployment.spec.template.spec, image);
  if (replicas !== undefined) deployment.spec.replicas = replicas;
  const [container] = deployment.spec.template.spec.containers;
  if (cpu !== undefined) container.resources.requests.cpu = cpu;
  const merged = {
    ...Object.fromEntries(container.env.map(({ name, value }: any) => [name, value])),
    ...env,
  };
  container.env = Object.entries(merged).map(([name, value]) => ({ name, value }));
  return [deployment, service];
}

export interface ReleaseOptions {
  readonly image: ImageRef;
  readonly namespace?: string;
  /** Whole members of the spec in place of those of examples/demo/release.yaml; undefined takes one away. */
  readonly spec?: { [Key in keyof ReleaseSpecInput]?: ReleaseSpecInput[Key] | undefined };
}

export async function applyRelease(target: Target, options: ReleaseOptions): Promise<void> {
  const { image, namespace = 'demo', spec = {} } = options;
  const [release] = read('release.yaml', namespace);
  for (const gate of release.spec.gates) useImage(gate.job.spec.template.spec, image);
  // JSON leaves out what is undefined.
  await apply(target, [{ ...release, spec: { ...release.spec, ...spec } }]);
}

export interface VersionOptions {
  /** Default: 0. */
  readonly errorRate?: number;
  /** Default: demo. */
  readonly namespace?: string;
  /** What people change. Default: the Deployment of the shop. */
  readonly workload?: string;
}

/** What people do to release: they change the Deployment. */
export async function setVersion(
  target: Target,
  version: string,
  { errorRate = 0, namespace = 'demo', workload = `deployment/${SHOP}` }: VersionOptions = {},
): Promise<void> {
  const env = [`VERSION=${version}`, `ERROR_RATE=${errorRate}`];
  await target.kubectl(['set', 'env', workload, '-n', namespace, ...env]);
}

/** Makes one pod of it ill or well again, from inside: `unready`, `ready`, `crash`, `errors?rate=0.5`. */
export async function steer(target: Target, pod: string, order: string, namespace = 'demo'): Promise<void> {
  const script = `fetch('http://127.0.0.1:8080/${order}', { method: 'POST' }).then((r) => process.exit(r.ok ? 0 : 1))`;
  await target.kubectl(['exec', pod, '-n', namespace, '--', 'node', '-e', script]);
}

function read(file: string, namespace: string): any[] {
  return parseAllDocuments(readFileSync(join(examples, file), 'utf8')).map((document) => {
    const object = document.toJS();
    return { ...object, metadata: { ...object.metadata, namespace } };
  });
}

function useImage(podSpec: any, { name, pullPolicy }: ImageRef): void {
  for (const container of podSpec.containers)
    Object.assign(container, { image: name, imagePullPolicy: pullPolicy });
}

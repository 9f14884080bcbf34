/** examples/endpoint-credentials.yaml as it can be run: what is only named there exists, as test/e2e/orders plays it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { ReleaseSpecInput } from '../../src/api/schema.ts';
import { ordersImage } from '../support/images.ts';
import { SHOP, type ShopOptions } from '../support/shop.ts';
import { apply, type KubeObject, namespaceObject, rolledOut, type Target } from '../support/target.ts';
import type { Shop } from './shop.ts';

/** The release, the ConfigMap and the Secret that it publishes. */
export const RELEASE = 'orders-db';
/** In the order in which they are restarted. */
export const CONSUMERS = [
  { kind: 'Deployment', name: 'orders' },
  { kind: 'StatefulSet', name: 'invoices' },
] as const;

/** The databases behind blue and green, and what they call themselves at first. */
export const DATABASES = {
  blue: { name: 'db-a', version: 'v1' },
  green: { name: 'db-b', version: 'v2' },
} as const;

type Color = keyof typeof DATABASES;
export const COLORS = ['blue', 'green'] as const satisfies readonly Color[];

const EXAMPLE = readFileSync(join(import.meta.dirname, '../../examples/endpoint-credentials.yaml'), 'utf8');
const DB_PORT = 5432;
// Whatever else the machine does: a request that waits for a processor would be counted as lost.
const resources = { requests: { cpu: '100m', memory: '48Mi' }, limits: { memory: '192Mi' } };

/** The example with names that exist in this namespace; everything else is as it is there. */
function example(namespace: string, image: string): any[] {
  const text = EXAMPLE.replaceAll('namespace: shop', `namespace: ${namespace}`)
    .replaceAll(/registry\.example\.com\/(orders|psql):1\.0\.0/g, image)
    .replaceAll(/postgres:\/\/(db-[ab])\.example\.com:5432/g, `http://$1.${namespace}.svc:${DB_PORT}`);
  return parseAllDocuments(text).map((document) => document.toJS());
}

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** As the example has it. */
export function loginOf(color: Color): Login {
  const secret = example('any', 'any').find(({ metadata }) => metadata.name === sourceOf(color));
  return secret.stringData;
}

const sourceOf = (color: Color): string => `${RELEASE}-${color}`;
const urlOf = (namespace: string, color: Color): string =>
  `http://${DATABASES[color].name}.${namespace}.svc:${DB_PORT}/orders`;

/** What consumers are to read while this side serves. */
export const published = (namespace: string, color: Color) => ({
  ...loginOf(color),
  url: urlOf(namespace, color),
  color,
});

/**
 * Everything but the release: two databases, and consumers of the one that people have published by hand. The Service
 * under load is that of the first consumer.
 */
export async function deployOrders(target: Target, { namespace = 'demo' }: ShopOptions): Promise<void> {
  const { name: image } = await ordersImage();
  const objects = example(namespace, image).filter(({ kind }) => kind !== 'BlueGreenRelease');
  const orders = objects.find(({ kind }) => kind === 'Deployment');
  const others = objects.filter((each) => each !== orders);
  await apply(target, [namespaceObject(namespace)]);
  await apply(target, others);
  const byHand = JSON.stringify({ stringData: published(namespace, 'blue') });
  await target.kubectl(['patch', 'secret', RELEASE, '-n', namespace, '--type=merge', '-p', byHand]);
  const databases = COLORS.flatMap((color) => database(namespace, color, image));
  const consumers = consumersOf(orders);
  const underLoad = service(namespace, SHOP, { app: CONSUMERS[0].name }, 80, 8080);
  await apply(target, [...databases, ...consumers, underLoad]);
  const deployments = [...COLORS.map((color) => DATABASES[color].name), CONSUMERS[0].name];
  const status = ['rollout', 'status', `statefulset/${CONSUMERS[1].name}`, '-n', namespace];
  await Promise.all([
    ...deployments.map((name) => rolledOut(target, namespace, name)),
    target.kubectl([...status, '--timeout=120s'], { timeoutMs: 125_000 }),
  ]);
}

/** The release of the example: the second consumer, and what is watched, are this story's. */
export async function releaseOrders({ stage, namespace }: Shop): Promise<void> {
  const { name: image } = await ordersImage();
  const release = example(namespace, image).find(({ kind }) => kind === 'BlueGreenRelease');
  release.spec.traffic.endpoint.restart = CONSUMERS;
  release.spec.observation = observation;
  await apply(stage.target, [release]);
}

/** Answers that consumers gave: nobody else knows whether an environment outside is good. */
const of = (code: string): string =>
  `sum(rate(http_requests_total{namespace="$(BLUEGREEN_NAMESPACE)",pod=~"orders-.*"${code}}[5s]))`;
const observation: ReleaseSpecInput['observation'] = {
  durationSeconds: 5,
  checks: [
    {
      name: 'errors',
      intervalSeconds: 2,
      failureLimit: 2,
      prometheus: { query: `(${of(',code=~"5.."')} or vector(0)) / ${of('')}`, max: '0.05' },
    },
  ],
};

/** It knows the login that its Secret had when it began. */
function database(namespace: string, color: Color, image: string): KubeObject[] {
  const { name, version } = DATABASES[color];
  const labels = { app: name };
  const key = (key: string) => ({ valueFrom: { secretKeyRef: { name: sourceOf(color), key } } });
  const container = {
    name,
    image,
    command: ['node', '/orders/db.ts'],
    env: [
      { name: 'DB_USER', ...key('username') },
      { name: 'DB_PASSWORD', ...key('password') },
      { name: 'VERSION', value: version },
    ],
    readinessProbe: { tcpSocket: { port: DB_PORT }, periodSeconds: 1 },
    resources,
  };
  const template = { metadata: { labels }, spec: { containers: [container] } };
  const spec = { replicas: 1, selector: { matchLabels: labels }, template };
  return [
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace }, spec },
    service(namespace, name, labels, DB_PORT, DB_PORT),
  ];
}

function service(namespace: string, name: string, selector: object, port: number, targetPort: number) {
  const metadata = { name, namespace };
  return { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector, ports: [{ port, targetPort }] } };
}

/**
 * The consumer of the example, which reads its environment, and one that reads files, has no Service, and is a StatefulSet.
 * Both are looked at each second, which keeps the story short.
 */
function consumersOf(orders: any): [deployment: any, statefulSet: any] {
  const [container] = orders.spec.template.spec.containers;
  Object.assign(container, { resources });
  Object.assign(container.readinessProbe, { periodSeconds: 1, timeoutSeconds: 5 });
  const scraped = { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080' };
  const invoices = structuredClone(orders);
  orders.spec.template.metadata.annotations = scraped;
  const { name } = CONSUMERS[1];
  const labels = { app: name };
  const { env: _, ...rest } = container;
  const reader = {
    ...rest,
    name,
    env: [
      { name: 'LOGIN_DIR', value: '/login' },
      { name: 'DRAIN_MS', value: '0' },
    ],
    volumeMounts: [{ name: 'login', mountPath: '/login' }],
  };
  const volumes = [{ name: 'login', secret: { secretName: RELEASE } }];
  const template = { metadata: { labels }, spec: { containers: [reader], volumes } };
  Object.assign(invoices, { kind: 'StatefulSet', metadata: { ...orders.metadata, name } });
  invoices.spec = { replicas: 1, serviceName: name, selector: { matchLabels: labels }, template };
  return [orders, invoices];
}

export interface Counts {
  readonly answered: number;
  readonly refused: number;
}

/** What the database of this side counted. */
export async function countsOf(shop: Shop, color: Color): Promise<Counts> {
  return JSON.parse(await callInside(shop, color, '/counts'));
}

/** Asks the database of this side with a login. */
export async function tryLogin(shop: Shop, color: Color, { username, password }: Login): Promise<void> {
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  await callInside(shop, color, '/orders', { headers: { authorization } });
}

/** People make another version of the database that does not serve. */
export async function become(shop: Shop, color: Color, version: string, errorRate: number): Promise<void> {
  await callInside(shop, color, `/become?version=${version}&errorRate=${errorRate}`, { method: 'POST' });
}

function callInside(shop: Shop, color: Color, path: string, how: object = {}): Promise<string> {
  const url = `http://127.0.0.1:${DB_PORT}${path}`;
  const call = `fetch(${JSON.stringify(url)}, ${JSON.stringify(how)}).then((answer) => answer.text())`;
  const script = `${call}.then((text) => process.stdout.write(text))`;
  const pod = `deployment/${DATABASES[color].name}`;
  return shop.stage.target.kubectl(['exec', pod, '-n', shop.namespace, '--', 'node', '-e', script]);
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseAllDocuments } from 'yaml';
import { RELEASES } from '../../../src/api/resource.ts';
import {
  CONFIG_MAPS,
  CONTROLLER_REVISIONS,
  DEPLOYMENTS,
  JOBS,
  PODS,
  SECRETS,
} from '../../../src/kube/types.ts';
import { eventually } from '../../support/eventually.ts';
import type { OperatorProcess } from './process.ts';
import { history, refusalOf, SHOP, type Shop } from './shop.ts';
import { together } from './together.ts';
import { World } from './world.ts';

const example = join(import.meta.dirname, '../../../examples/endpoint-credentials.yaml');
const ROLE = 'bluegreen-orders-db';
const PUBLISHED = 'orders-db';
const LABELS = { 'bluegreen.dev/config': 'true' };
const DIGEST = `bluegreen.dev/endpoint-${SHOP}`;
const URLS: Record<string, string> = {
  blue: 'postgres://db-a.example.com/orders',
  green: 'postgres://db-b.example.com/orders',
};
const login = (color: string): string => `the-${color}-password`;
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const decoded = (data: Record<string, string> = {}): Record<string, string> =>
  Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
  );

const side = (color: string): any => ({ url: URLS[color], secretRef: { name: `${PUBLISHED}-${color}` } });
const workload = (active: string, more: object = {}): any => ({
  external: { active, blue: side('blue'), green: side('green'), ...more },
});
const traffic = (more: object = {}): any => ({
  endpoint: {
    configMapRef: { name: PUBLISHED },
    secretRef: { name: PUBLISHED, keys: ['username', 'password'] },
    restart: [{ kind: 'Deployment', name: 'orders' }],
    restartSeconds: 90,
    ...more,
  },
});
const gate: any = {
  name: 'login',
  job: {
    spec: {
      template: { spec: { containers: [{ name: 'login', image: 'psql:v1' }], restartPolicy: 'Never' } },
    },
  },
};

/** The rights that are shipped, without those to Secrets: what is granted here is granted by the namespace. */
describe('The credentials of an external workload', function () {
  this.timeout(300_000);
  let world: World;
  let operator: OperatorProcess;
  let grant: string;

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    const documents = parseAllDocuments(await readFile(example, 'utf8'));
    const granted = documents
      .map((document) => document.toJS())
      .filter(({ kind }) => kind.startsWith('Role'));
    expect(granted.map(({ kind }) => kind)).to.deep.equal(['Role', 'RoleBinding']);
    grant = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: granted }).replaceAll(
      '"namespace":"shop"',
      '"namespace":"NAMESPACE"',
    );
    world = await World.start();
    await world.cluster.kubectl(['delete', 'clusterrolebinding,clusterrole', 'bluegreen-operator-secrets']);
    operator = await world.operator();
  });
  after(() => world?.stop());

  const source = (color: string): any => ({
    metadata: { name: `${PUBLISHED}-${color}`, labels: LABELS },
    data: { username: base64('orders'), password: base64(login(color)), admin: base64('never-published') },
  });

  const rights = (shop: Shop): Promise<string> =>
    world.cluster.kubectl(['apply', '-f', '-'], { input: grant.replaceAll('NAMESPACE', shop.namespace) });

  /** `verbs` on the published Secret. */
  const mayWrite = (shop: Shop, ...verbs: string[]): Promise<string> =>
    shop.kubectl(
      'patch',
      'role',
      ROLE,
      '--type=json',
      '-p',
      JSON.stringify([{ op: 'replace', path: '/rules/1/verbs', value: verbs }]),
    );

  /** A consumer, the Secrets of both sides and an empty one. */
  async function opened(): Promise<Shop> {
    const shop = await world.emptyShop();
    const orders = shop.deployment(2, 'orders');
    orders.spec.strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
    await shop.create(DEPLOYMENTS, orders);
    await Promise.all(['blue', 'green'].map((color) => shop.create(SECRETS, source(color))));
    await shop.create(SECRETS, { metadata: { name: PUBLISHED, labels: LABELS } });
    await rights(shop);
    return shop;
  }

  const release = (shop: Shop, active: string, spec: object = {}): Promise<void> =>
    shop.release({ workload: workload(active), traffic: traffic(), ...spec });

  async function begun(spec: object = {}): Promise<Shop> {
    const shop = await opened();
    await release(shop, 'blue', spec);
    await shop.settledOn('r1');
    return shop;
  }

  const switchTo = (shop: Shop, active: string) =>
    shop.patch(RELEASES, SHOP, { spec: { workload: { external: { active } } } });

  const held = async (shop: Shop): Promise<Record<string, string>> =>
    decoded((await shop.get(SECRETS, PUBLISHED))?.data);
  const of = (color: string, password = login(color)): Record<string, string> => ({
    username: 'orders',
    password,
    url: URLS[color] ?? '',
    color,
  });
  const digest = async (shop: Shop): Promise<string> =>
    (await shop.get(DEPLOYMENTS, 'orders')).spec.template.metadata.annotations?.[DIGEST];
  const says = async (shop: Shop): Promise<string> => (await shop.get(CONFIG_MAPS, PUBLISHED))?.data?.color;

  async function expectOn(shop: Shop, color: string): Promise<void> {
    expect(await held(shop)).to.deep.equal(of(color));
    expect(await says(shop)).to.equal(color);
  }

  /** In nothing that the operator writes, but in the Secret. */
  async function expectUntold(shop: Shop): Promise<void> {
    const seen = [
      await shop.read(),
      await shop.list(CONTROLLER_REVISIONS),
      await shop.list(CONFIG_MAPS),
      await shop.list(DEPLOYMENTS),
      await shop.list(JOBS),
      await shop.kubectl('get', 'events', '-o', 'json'),
      operator.log,
    ];
    const text = JSON.stringify(seen);
    for (const value of ['blue', 'green'].map(login)) {
      expect(text).not.to.include(value);
      expect(text).not.to.include(base64(value));
    }
  }

  together({
    'are published with the address, and switched, and back by order': async () => {
      const shop = await begun();
      await expectOn(shop, 'blue');
      const first = await digest(shop);
      await switchTo(shop, 'green');
      const { status } = await shop.settledOn('r2');
      await expectOn(shop, 'green');
      expect(await digest(shop)).not.to.equal(first);
      expect(status.switch.endpoint).to.include({ configMap: PUBLISHED, secret: PUBLISHED, inSync: true });
      const { metadata } = await shop.get(SECRETS, PUBLISHED);
      const { uid } = (await shop.read()).metadata;
      expect(metadata.annotations['bluegreen.dev/switch']).to.equal(`${uid}/r2/2`);
      await shop.patch(RELEASES, SHOP, { spec: { suspend: true } });
      await shop.act('rollback@2');
      await shop.until('be back', async (now) => history(now).at(-1) === 'r2 RolledBack');
      await expectOn(shop, 'blue');
      expect(await digest(shop)).to.equal(first);
      await expectUntold(shop);
    },

    'need rights that the namespace grants, before anything is touched': async () => {
      const shop = await opened();
      await shop.kubectl('delete', 'rolebinding', ROLE);
      await release(shop, 'blue');
      await shop.stalledWith(
        'spec.traffic.endpoint.secretRef: Secret "orders-db" cannot be read: let the operator get and patch it by a Role of this namespace (docs/endpoint.md), or correct spec.traffic.endpoint.secretRef.name',
      );
      expect(await shop.get(CONFIG_MAPS, PUBLISHED)).to.equal(undefined);
      await rights(shop);
      await mayWrite(shop, 'get');
      await shop.stalledWith(
        'spec.traffic.endpoint.secretRef: the API server refuses to patch Secret "orders-db" (Forbidden): let the operator do so by a Role of this namespace (docs/endpoint.md), or see which policy forbids it',
      );
      expect(await held(shop)).to.deep.equal({});
      await mayWrite(shop, 'get', 'patch');
      await shop.settledOn('r1');
      await expectOn(shop, 'blue');
    },

    'of a side without a Secret, a label or a key begin no release': async () => {
      const shop = await begun();
      const first = await digest(shop);
      await shop.delete(SECRETS, 'orders-db-green');
      await switchTo(shop, 'green');
      const field = 'spec.workload.external.green.secretRef: Secret "orders-db-green"';
      await shop.stalledWith(
        `${field} does not exist: create it, with the label bluegreen.dev/config, or correct its name`,
      );
      const { data } = source('green');
      await shop.create(SECRETS, {
        metadata: { name: 'orders-db-green' },
        data: { username: data.username },
      });
      await shop.stalledWith(
        `${field} has no label bluegreen.dev/config, and is left alone: label it to let a release publish it, or correct its name`,
      );
      await shop.kubectl('label', 'secret', 'orders-db-green', 'bluegreen.dev/config=true');
      await shop.stalledWith(
        `${field} has no key "password", or nothing in it: add it, or correct spec.traffic.endpoint.secretRef.keys`,
      );
      await expectOn(shop, 'blue');
      expect(await digest(shop)).to.equal(first);
      await shop.patch(SECRETS, 'orders-db-green', { data });
      await shop.settledOn('r2');
      await expectOn(shop, 'green');
    },

    'are written into no Secret of somebody else': async () => {
      const shop = await opened();
      await shop.patch(SECRETS, PUBLISHED, { metadata: { labels: { 'bluegreen.dev/config': null } } });
      await shop.patch(SECRETS, PUBLISHED, { data: { theirs: base64('precious') } });
      await release(shop, 'blue');
      const field = 'spec.traffic.endpoint.secretRef: Secret "orders-db"';
      await shop.stalledWith(
        `${field} has no label bluegreen.dev/config, and is left alone: label it to let it be taken over, or name another one in spec.traffic.endpoint.secretRef.name`,
      );
      await shop.kubectl('label', 'secret', PUBLISHED, 'bluegreen.dev/config=true');
      await shop.stalledWith(
        `${field} holds something that neither side has, and that would be lost: empty it, or name another one in spec.traffic.endpoint.secretRef.name`,
      );
      expect(await held(shop)).to.deep.equal({ theirs: 'precious' });
      await shop.kubectl(
        'patch',
        'secret',
        PUBLISHED,
        '--type=json',
        '-p',
        '[{"op":"remove","path":"/data"}]',
      );
      await shop.settledOn('r1');
    },

    'are put back when somebody writes or deletes them': async () => {
      const shop = await begun();
      const first = await digest(shop);
      await shop.patch(SECRETS, PUBLISHED, { data: { password: base64('stranger') } });
      await shop.until('tell of it', ({ status }) =>
        status.decisions?.some(({ reason }: any) => reason === 'CredentialsRestored'),
      );
      await expectOn(shop, 'blue');
      await shop.delete(SECRETS, PUBLISHED);
      await shop.stalledWith(
        'spec.traffic.endpoint.secretRef: Secret "orders-db" does not exist: create it, empty and with the label bluegreen.dev/config, or correct spec.traffic.endpoint.secretRef.name',
      );
      await shop.create(SECRETS, { metadata: { name: PUBLISHED, labels: LABELS } });
      await eventually('them to be there again', 60_000, async () =>
        (await held(shop)).color === 'blue' ? true : undefined,
      );
      await expectOn(shop, 'blue');
      expect(await digest(shop)).to.equal(first);
      await shop.settledOn('r1');
    },

    'are not changed under their consumers, and are when they are described in the other side': async () => {
      const shop = await begun();
      const first = await digest(shop);
      await shop.patch(SECRETS, 'orders-db-blue', { data: { password: base64('rotated') } });
      await shop.stalledWith(
        'spec.workload.external.blue.secretRef: Secret "orders-db-blue" does not hold what consumers use (revision r1), and credentials are not changed under them: put it back, or describe the environment with its new ones in green and set spec.workload.external.active to it',
      );
      expect(await held(shop)).to.deep.equal(of('blue'));
      expect(await digest(shop)).to.equal(first);
      await shop.patch(SECRETS, 'orders-db-green', { data: { password: base64('rotated') } });
      await shop.patch(RELEASES, SHOP, {
        spec: { workload: { external: { active: 'green', green: { url: URLS.blue } } } },
      });
      await shop.settledOn('r2');
      expect(await held(shop)).to.deep.equal({ ...of('green', 'rotated'), url: URLS.blue });
    },

    'stay what they are when nothing but their Secret is written': async () => {
      const shop = await begun();
      const first = await digest(shop);
      await shop.kubectl('annotate', 'secret', 'orders-db-blue', 'example.com/refreshed=now');
      await shop.patch(RELEASES, SHOP, { spec: { historyLimit: 9 } });
      const { status } = await shop.until(
        'have seen it',
        ({ metadata, status: seen }) => seen.observedGeneration === metadata.generation,
      );
      expect([status.phase, status.message]).to.deep.equal(['Idle', 'revision r1 is active on blue']);
      expect(await digest(shop)).to.equal(first);
    },

    'stay when the release is deleted, and are taken over when it is created again': async () => {
      const shop = await begun();
      await switchTo(shop, 'green');
      await shop.settledOn('r2');
      await shop.delete(RELEASES, SHOP);
      await eventually('the release to be gone', 90_000, async () =>
        (await shop.read()) ? undefined : true,
      );
      await expectOn(shop, 'green');
      expect((await shop.get(SECRETS, PUBLISHED)).metadata.annotations ?? {}).to.deep.equal({});
      await release(shop, 'green');
      await shop.settledOn('r1');
      await expectOn(shop, 'green');
    },

    'that cannot be written when it comes to it take everything back, and nobody is restarted': async () => {
      const shop = await begun({ traffic: { ...traffic(), convergeSeconds: 5 }, gates: [gate] });
      const first = await digest(shop);
      await withoutRight(shop);
      await shop.until('be back', async (now) => history(now).at(-1) === 'r2 RolledBack');
      await expectOn(shop, 'blue');
      expect(await digest(shop)).to.equal(first);
      await expectUntold(shop);
    },
  });

  /** From the moment on in which the gate of a switch to green runs. */
  async function withoutRight(shop: Shop): Promise<void> {
    await shop.patch(RELEASES, SHOP, {
      spec: {
        workload: { external: { active: 'green' } },
        gates: [
          {
            ...gate,
            job: {
              spec: {
                template: {
                  spec: {
                    ...gate.job.spec.template.spec,
                    nodeSelector: { 'kubernetes.io/hostname': 'nowhere' },
                  },
                },
              },
            },
          },
        ],
      },
    });
    const job = await eventually('the Job of the gate', 90_000, async () => {
      const jobs = await shop.list(JOBS);
      return jobs.find(({ metadata }) => metadata.name === 'shop-login-2');
    });
    await mayWrite(shop, 'get');
    await complete(shop, job.metadata.name);
  }

  /** As a pod that has ended well is told of. */
  async function complete(shop: Shop, job: string): Promise<void> {
    const [pod] = await eventually('the pod of the gate', 90_000, async () => {
      const pods = await shop.pods();
      const found = pods.filter(({ metadata }) => metadata.labels['batch.kubernetes.io/job-name'] === job);
      return found.length === 0 ? undefined : found;
    });
    await shop.patch(PODS, pod.metadata.name, { status: { phase: 'Succeeded' } }, 'status');
  }

  it('come after the ConfigMap also where the operator is killed between the two', async () => {
    const shop = await begun({ traffic: { ...traffic(), convergeSeconds: 600 }, gates: [gate] });
    const first = await digest(shop);
    await withoutRight(shop);
    await shop.until('be between the two', async ({ status }) => {
      return status.phase === 'Switching' && (await says(shop)) === 'green';
    });
    expect(await held(shop)).to.deep.equal(of('blue'));
    expect(await digest(shop)).to.equal(first);
    await operator.end();
    await mayWrite(shop, 'get', 'patch');
    operator = await world.operator();
    await shop.settledOn('r2');
    await expectOn(shop, 'green');
    expect(await digest(shop)).not.to.equal(first);
  });

  describe('are refused by the API server', () => {
    const { endpoint } = traffic();
    for (const [what, spec, sentence] of [
      [
        'of one side alone',
        { workload: workload('blue', { green: { url: URLS.green } }) },
        'credentials are published of both sides or of none: give traffic.endpoint.secretRef and a secretRef for blue and for green, or none of the three',
      ],
      [
        'without a Secret to publish them in',
        { traffic: { endpoint: { configMapRef: endpoint.configMapRef } } },
        'credentials are published of both sides or of none: give traffic.endpoint.secretRef and a secretRef for blue and for green, or none of the three',
      ],
      [
        'in the Secret of a side',
        { traffic: traffic({ secretRef: { name: 'orders-db-green', keys: ['password'] } }) },
        'the Secret that is published cannot be one that it is made from: give traffic.endpoint.secretRef a name of its own',
      ],
      [
        'under a key of the environment itself',
        { traffic: traffic({ secretRef: { name: PUBLISHED, keys: ['url'] } }) },
        'url, color and revision are published of the environment itself: give the credentials other keys',
      ],
    ] as const) {
      it(what, async () => {
        const shop = await world.emptyShop();
        expect(await refusalOf(release(shop, 'blue', spec))).to.include(sentence);
      });
    }
  });
});

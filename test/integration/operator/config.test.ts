import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { RELEASES } from '../../../src/api/resource.ts';
import {
  CONFIG_MAPS,
  CONTROLLER_REVISIONS,
  DEPLOYMENTS,
  EVENTS,
  SECRETS,
  SERVICES,
} from '../../../src/kube/types.ts';
import { eventually } from '../../support/eventually.ts';
import { condition, history, refusalOf, SHOP, type Shop } from './shop.ts';
import { together } from './together.ts';
import { World } from './world.ts';

const SETTINGS = 'settings';
const KEYS = 'keys';
const config = { configMaps: [{ name: SETTINGS }], secrets: [{ name: KEYS }] };
const labels = { 'bluegreen.dev/config': 'true' };
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('Config that a release names', function () {
  this.timeout(300_000);
  let world: World;

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    world = await World.start();
    await world.operator();
  });
  after(() => world?.stop());

  /** An application that reads a ConfigMap in two ways and a Secret in one. */
  async function opened(): Promise<Shop> {
    const shop = await world.emptyShop();
    const deployment = shop.deployment();
    const [container] = deployment.spec.template.spec.containers;
    container.envFrom = [{ configMapRef: { name: SETTINGS } }, { secretRef: { name: KEYS } }];
    deployment.spec.template.spec.volumes = [{ name: 'settings', configMap: { name: SETTINGS } }];
    await shop.create(CONFIG_MAPS, { metadata: { name: SETTINGS, labels }, data: { currency: 'EUR' } });
    await shop.create(SECRETS, { metadata: { name: KEYS, labels }, data: { pin: base64('1234') } });
    await shop.create(DEPLOYMENTS, deployment);
    await shop.create(SERVICES, shop.service());
    return shop;
  }

  async function adopted(spec: object = {}): Promise<Shop> {
    const shop = await opened();
    await shop.release({ config, ...spec });
    await shop.settledOn('r1');
    return shop;
  }

  const edit = (shop: Shop, currency: string) => shop.patch(CONFIG_MAPS, SETTINGS, { data: { currency } });

  /** What the ready pods of a colour read, in both ways. */
  async function readBy(shop: Shop, color: string): Promise<unknown[]> {
    const pods = await shop.pods(color);
    const ready = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const names = ready.flatMap(({ spec }) => [
      spec.volumes.find(({ name }: any) => name === 'settings').configMap.name,
      spec.containers[0].envFrom[0].configMapRef.name,
    ]);
    const held = [...new Set<string>(names)].map((name) => shop.get(CONFIG_MAPS, name));
    return (await Promise.all(held)).map((configMap) => configMap?.data);
  }

  const copies = async (shop: Shop): Promise<string[]> =>
    (await shop.list(CONFIG_MAPS, `bluegreen.dev/release=${SHOP}`)).map(({ metadata, data }) => {
      return `${metadata.labels['bluegreen.dev/color']} ${data.currency}`;
    });

  together({
    'starts a release when a ConfigMap is edited, and a way back returns to what the old side had':
      async () => {
        const shop = await adopted();
        expect(await readBy(shop, 'blue')).to.deep.equal([{ currency: 'EUR' }]);
        await edit(shop, 'USD');
        const released = await shop.settledOn('r2');
        expect(released.status.decisions.map(({ message }: any) => message).join('\n')).to.include(
          'ConfigMap "settings" changed: starting attempt 2',
        );
        expect(await shop.color()).to.equal('green');
        expect(await readBy(shop, 'green')).to.deep.equal([{ currency: 'USD' }]);
        expect(await readBy(shop, 'blue')).to.deep.equal([{ currency: 'EUR' }]);

        // A third content while nothing runs with it: what people wrote is not what a way back depends on.
        await shop.patch(RELEASES, SHOP, { spec: { suspend: true } });
        await edit(shop, 'GBP');
        await shop.act('rollback@2');
        const back = await shop.until('be back on blue', async () => (await shop.color()) === 'blue');
        expect(back.spec.suspend).to.equal(true);
        const fresh = await shop.pods('blue');
        await Promise.all(
          fresh.map(({ metadata }) => shop.kubectl('delete', 'pod', metadata.name, '--wait=false')),
        );
        await eventually('blue to have new pods', 60_000, async () => {
          const uids = new Set(fresh.map(({ metadata }) => metadata.uid));
          const pods = await shop.pods('blue');
          return pods.length === 2 && pods.every(({ metadata }) => !uids.has(metadata.uid))
            ? true
            : undefined;
        });
        expect(await readBy(shop, 'blue')).to.deep.equal([{ currency: 'EUR' }]);
        expect((await shop.get(CONFIG_MAPS, SETTINGS)).data).to.deep.equal({ currency: 'GBP' });
      },

    'is copied for a Deployment that stands in the release, too: an edit of either is a release':
      async () => {
        const shop = await opened();
        const { spec } = await shop.get(DEPLOYMENTS, SHOP);
        await shop.delete(DEPLOYMENTS, SHOP);
        const inline = (image: string) => {
          const template = structuredClone(spec.template);
          template.spec.containers[0].image = image;
          return { deployment: { metadata: { labels: { team: 'till' } }, spec: { template } } };
        };
        await shop.release({ workload: inline('shop:v1'), replicas: 2, config });
        await shop.settledOn('r1');
        expect(await readBy(shop, 'blue')).to.deep.equal([{ currency: 'EUR' }]);
        await edit(shop, 'USD');
        await shop.settledOn('r2');
        expect(await readBy(shop, 'green')).to.deep.equal([{ currency: 'USD' }]);
        expect(await readBy(shop, 'blue')).to.deep.equal([{ currency: 'EUR' }]);
        await shop.patch(RELEASES, SHOP, { spec: { workload: inline('shop:v2') } });
        await shop.settledOn('r3');
        expect(await readBy(shop, 'blue')).to.deep.equal([{ currency: 'USD' }]);
        expect((await shop.list(DEPLOYMENTS)).map(({ metadata }) => metadata.labels.team)).to.deep.equal([
          'till',
          'till',
        ]);
        // Back to what the other side has still: no release.
        await shop.patch(RELEASES, SHOP, { spec: { workload: inline('shop:v1') } });
        const back = await shop.settledOn('r2');
        expect([history(back).at(-1), await shop.color()]).to.deep.equal(['r3 RolledBack', 'green']);
      },

    'goes back without a release when the edit is reverted inside the window': async () => {
      const shop = await adopted();
      await edit(shop, 'USD');
      await shop.settledOn('r2');
      await edit(shop, 'EUR');
      const back = await shop.settledOn('r1');
      expect(history(back).at(-1)).to.equal('r2 RolledBack');
      expect(await readBy(shop, 'blue')).to.deep.equal([{ currency: 'EUR' }]);
    },

    'starts a release when a Secret is changed, of which nothing is kept or told': async () => {
      const shop = await adopted();
      await shop.patch(SECRETS, KEYS, { data: { pin: base64('9876') } });
      const { status } = await shop.settledOn('r2');
      expect(status.decisions.map(({ message }: any) => message).join('\n')).to.include(
        'Secret "keys" changed: starting attempt 2',
      );
      const kinds = [CONTROLLER_REVISIONS, DEPLOYMENTS, RELEASES, EVENTS, CONFIG_MAPS, SERVICES];
      const told = JSON.stringify(await Promise.all(kinds.map((kind) => shop.list(kind))));
      expect(told).to.include('"keys"');
      for (const held of ['1234', '9876', JSON.stringify({ pin: base64('9876') })]) {
        for (const text of [held, base64(held)])
          for (const algorithm of ['md5', 'sha1', 'sha256']) {
            const digest = createHash(algorithm).update(text).digest();
            expect(told).not.to.include(digest.toString('hex').slice(0, 10));
            expect(told).not.to.include(digest.toString('base64').slice(0, 8));
          }
      }
      expect(told).not.to.include(base64('1234')).and.not.to.include(base64('9876'));
      expect(await shop.list(SECRETS)).to.have.length(1);
    },

    'is asked for by name when it is missing, and production stays': async () => {
      const shop = await opened();
      await shop.delete(CONFIG_MAPS, SETTINGS);
      await shop.release({ config });
      await shop.stalledWith(
        `spec.config.configMaps[0].name: no ConfigMap "settings" with the label bluegreen.dev/config exists in namespace "${shop.namespace}": create it, label it (kubectl label configmap settings bluegreen.dev/config=true -n ${shop.namespace}) or correct the name`,
      );
      expect((await shop.get(DEPLOYMENTS, SHOP)).spec.replicas).to.equal(2);
      expect(await shop.selector()).to.deep.equal({ app: SHOP });
      await shop.create(CONFIG_MAPS, { metadata: { name: SETTINGS }, data: { currency: 'EUR' } });
      await shop.kubectl('label', 'configmap', SETTINGS, 'bluegreen.dev/config=true');
      await shop.settledOn('r1');
      await shop.kubectl('label', 'secret', KEYS, 'bluegreen.dev/config-');
      const release = await shop.stalledWith(
        `spec.config.secrets[0].name: no Secret "keys" with the label bluegreen.dev/config exists in namespace "${shop.namespace}": create it, label it (kubectl label secret keys bluegreen.dev/config=true -n ${shop.namespace}) or correct the name`,
      );
      expect(condition(release, 'Stalled').reason).to.equal('ConfigNotFound');
      expect(await readBy(shop, 'blue')).to.deep.equal([{ currency: 'EUR' }]);
    },

    'has copies that nobody can change, that come back, and that go with their revision': async () => {
      const shop = await adopted({ historyLimit: 2 });
      const [copy] = await shop.list(CONFIG_MAPS, `bluegreen.dev/release=${SHOP}`);
      expect(copy.metadata.name).to.match(/^shop-blue-settings-[0-9a-f]{10}$/);
      const written = shop.patch(CONFIG_MAPS, copy.metadata.name, { data: { currency: 'USD' } });
      expect(await refusalOf(written)).to.include('field is immutable when `immutable` is set');
      await edit(shop, 'USD');
      await shop.settledOn('r2');
      // What people wrote says something else by now: it comes from the revision.
      await shop.delete(CONFIG_MAPS, copy.metadata.name);
      await shop.until(
        'have its copy again',
        async () => (await shop.get(CONFIG_MAPS, copy.metadata.name))?.data,
      );
      expect((await shop.get(CONFIG_MAPS, copy.metadata.name)).data).to.deep.equal({ currency: 'EUR' });
      await edit(shop, 'GBP');
      await shop.settledOn('r3');
      await shop.until('drop the oldest copy', async () => !(await copies(shop)).includes('blue EUR'));
      expect((await copies(shop)).sort()).to.deep.equal(['blue GBP', 'green USD']);
    },

    'goes with the release, and what people wrote stays as it was': async () => {
      const shop = await adopted();
      await shop.delete(RELEASES, SHOP);
      await eventually('the release to be gone', 90_000, async () =>
        (await shop.read()) === undefined ? true : undefined,
      );
      expect(await copies(shop)).to.deep.equal([]);
      const { data, metadata } = await shop.get(CONFIG_MAPS, SETTINGS);
      expect([data, metadata.labels]).to.deep.equal([{ currency: 'EUR' }, labels]);
      const { spec } = await shop.get(DEPLOYMENTS, SHOP);
      expect([spec.replicas, spec.template.spec.volumes[0].configMap.name]).to.deep.equal([2, SETTINGS]);
    },

    'stays with a colour that is kept, and is taken over with it': async () => {
      const shop = await adopted();
      await shop.patch(RELEASES, SHOP, { metadata: { annotations: { 'bluegreen.dev/on-delete': 'Keep' } } });
      await shop.delete(RELEASES, SHOP, 'Foreground');
      await eventually('the release to be gone', 90_000, async () =>
        (await shop.read()) === undefined ? true : undefined,
      );
      expect(await copies(shop)).to.deep.equal(['blue EUR']);
      await shop.release({ config });
      await shop.until(
        'take the colour over',
        ({ status }) => condition({ status }, 'Ready')?.status === 'True',
      );
      await edit(shop, 'USD');
      await shop.until('release the edit', async () => (await shop.color()) === 'green');
      expect(await readBy(shop, 'blue')).to.deep.equal([{ currency: 'EUR' }]);
      expect(await readBy(shop, 'green')).to.deep.equal([{ currency: 'USD' }]);
    },
  });
});

import { expect } from 'chai';
import { RELEASES } from '../../../src/api/resource.ts';
import { DEPLOYMENTS, SERVICES } from '../../../src/kube/types.ts';
import { eventually } from '../../support/eventually.ts';
import { ERRORS, Metrics } from './prometheus.ts';
import { condition, history, KEY, SHOP, type Shop, stuck } from './shop.ts';
import { together } from './together.ts';
import { World } from './world.ts';

const LONG = 600;

const watched: any = {
  observation: {
    durationSeconds: 1,
    checks: [
      { name: 'errors', intervalSeconds: 1, failureLimit: 2, prometheus: { query: ERRORS, max: '0.1' } },
    ],
  },
};

describe('Production traffic', function () {
  this.timeout(300_000);
  let world: World;
  let metrics: Metrics;

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    world = await World.start();
    metrics = await Metrics.start();
    await world.operator('--config', await metrics.config(world.cluster.workDir));
  });
  after(async () => {
    await world?.stop();
    await metrics?.stop();
  });

  /** Revision r2 on green has the traffic and is watched for long. */
  async function observedShop(availability: object = {}): Promise<Shop> {
    const shop = await world.adoptedShop({ spec: { observation: { durationSeconds: LONG, availability } } });
    await keepOldPods(shop);
    await shop.version('v2');
    await shop.inPhase('Observing');
    return shop;
  }

  /** A pod of the old side that is replaced in the middle of a story would live where the story has it dead. */
  const keepOldPods = (shop: Shop) =>
    shop.patch(RELEASES, SHOP, { spec: { traffic: { drainSeconds: 300 } } });

  /** One after the other: whoever dies last may be told of first, by another watch, and then the way back seems open. */
  async function die(shop: Shop, standby: readonly any[], active: readonly any[]): Promise<void> {
    await shop.setReady(standby, false);
    const isKnown = (each: any) => condition(each, 'RollbackAvailable').reason === 'ScaleUpFirst';
    await shop.until('know that nobody stands by', isKnown);
    await shop.setReady(active, false);
  }

  /** The decision that mended a selector. */
  const restored = (shop: Shop, message: string) =>
    shop.until(`decide "${message}"`, ({ status }) =>
      status.decisions?.some((each: any) => each.reason === 'SelectorRestored' && each.message === message),
    );

  describe('goes back by itself', () => {
    together({
      'at once when no pod of the new side is ready and the old side stands by': async () => {
        const shop = await world.adoptedShop();
        await shop.version('v2');
        await shop.settledOn('r2');
        await shop.setReady(await shop.pods('green'), false);
        const release = await shop.until('be rolled back', ({ status }) => status.phase === 'RolledBack');
        expect([release.status.revision, await shop.color()]).to.deep.equal(['r1', 'blue']);
        expect(release.status.rejected[0]).to.include({
          revision: 'r2',
          reason: 'NoReadyEndpoints',
          message: 'no green pod (revision r2) is ready',
        });
        expect(release.status.message).to.equal(
          'revision r2 was rejected and is not tried again by itself (no green pod (revision r2) is ready); change the Deployment, or annotate bluegreen.dev/action=retry@2',
        );
      },

      'when too few pods of the new side stay ready while it is watched': async () => {
        const shop = await observedShop({ minReadyPercent: 100, forSeconds: 1 });
        const [one] = await shop.pods('green');
        await shop.setReady([one], false);
        const { status } = await shop.until(
          'be rolled back',
          (release) => release.status.phase === 'RolledBack',
        );
        expect(await shop.color()).to.equal('blue');
        expect(status.rejected[0].reason).to.equal('AvailabilityBreached');
        expect(status.rejected[0].message).to.match(
          /^1 of 2 pods are ready since \S+Z, at least 2 are needed$/,
        );
      },

      'when a check fails as often as it may; then nothing is tried again, and nothing flips': async () => {
        const shop = await world.adoptedShop({ spec: watched });
        metrics.set(shop.namespace, '0.5');
        await shop.version('v2');
        const release = await shop.until('be rolled back', ({ status }) => status.phase === 'RolledBack');
        const { status } = release;
        expect(status.rejected[0]).to.include({
          reason: 'CheckFailed',
          message: 'check "errors" failed 2 times in a row: 0.5 is above the maximum of 0.1',
        });
        expect(condition(release, 'Ready').status).to.equal('False');
        // Good again, and the operator looks again: no way leads back to r2 but a person's.
        metrics.set(shop.namespace, '0');
        await shop.patch(DEPLOYMENTS, SHOP, { metadata: { annotations: { touched: 'yes' } } });
        await shop.kubectl('annotate', 'bgr/shop', 'touched=yes');
        await eventually('the rejected side to be at 0', 90_000, async () => {
          const { spec } = await shop.get(DEPLOYMENTS, 'shop-green');
          return spec.replicas === 0 ? true : undefined;
        });
        expect(history(await shop.read())).to.deep.equal(['r1 Committed', 'r2 RolledBack']);
        await shop.act('retry@2');
        const again = await shop.settledOn('r3');
        expect(history(again)).to.deep.equal(['r1 Committed', 'r2 RolledBack', 'r3 Committed']);
      },

      'when a person says so': async () => {
        const shop = await observedShop();
        await shop.act('rollback@2');
        const { status } = await shop.until(
          'be rolled back',
          (release) => release.status.phase === 'RolledBack',
        );
        expect(await shop.color()).to.equal('blue');
        expect(status.rejected[0].message).to.equal('a rollback of revision r2 was requested by annotation');
      },
    });
  });

  describe('stays', () => {
    together({
      'when both sides are dead, and says so; the first side that lives takes it': async () => {
        const shop = await observedShop();
        const [blue, green] = await Promise.all([shop.pods('blue'), shop.pods('green')]);
        await die(shop, blue, green);
        const release = await shop.until('be stalled', (each) => condition(each, 'Stalled') !== undefined);
        expect(release.status.message).to.equal(
          'no green pod (revision r2) is ready; the traffic stays on green (revision r2), because no side is able to take over',
        );
        expect(await shop.color()).to.equal('green');
        await shop.setReady(blue, true);
        await shop.until('be rolled back', ({ status }) => status.phase === 'RolledBack');
        expect(await shop.color()).to.equal('blue');
      },

      'when both sides are dead at rest, and says so': async () => {
        const shop = await world.adoptedShop();
        await keepOldPods(shop);
        await shop.version('v2');
        await shop.settledOn('r2');
        const [blue, green] = await Promise.all([shop.pods('blue'), shop.pods('green')]);
        await die(shop, blue, green);
        const release = await shop.until('be stalled', (each) => condition(each, 'Stalled') !== undefined);
        expect(release.status.message).to.equal(
          'no green pod (revision r2) is ready; the traffic stays on green (revision r2), because no side is able to take over',
        );
        expect(await shop.color()).to.equal('green');
        await shop.setReady(green, true);
        await shop.settledOn('r2');
      },

      'when its only side is dead, and the release says that it is not healthy': async () => {
        const shop = await world.adoptedShop();
        const blue = await shop.pods('blue');
        await shop.setReady(blue, false);
        const release = await shop.until(
          'not be ready',
          (each) => condition(each, 'Ready')?.status === 'False',
        );
        expect(condition(release, 'Healthy')).to.include({ status: 'False', reason: 'NoReadyPods' });
        await shop.setReady(blue, true);
        await shop.settledOn('r1');
      },

      'when Prometheus is down, and is held until that is known; then it is committed': async () => {
        const shop = await world.adoptedShop({ spec: watched });
        metrics.set(shop.namespace, 'down');
        await shop.version('v2');
        const message =
          'check "errors" is unknown: the metric source answered 503; revision r2 keeps the traffic and is not committed until that is known (bluegreen.dev/action=promote@2 or rollback@2 decides it)';
        const held = await shop.until('be held', ({ status }) => status.message === message);
        expect(held.status.phase).to.equal('Held');
        expect(await shop.color()).to.equal('green');
        expect(condition(held, 'RollbackAvailable').status).to.equal('True');
        metrics.set(shop.namespace, '0');
        const release = await shop.settledOn('r2');
        expect(history(release)).to.deep.equal(['r1 Committed', 'r2 Committed']);
      },

      'when Prometheus is down and a person decides': async () => {
        const shop = await world.adoptedShop({ spec: watched });
        metrics.set(shop.namespace, 'down');
        await shop.version('v2');
        await shop.inPhase('Held');
        await shop.act('promote@2');
        await shop.settledOn('r2');
      },
    });
  });

  describe('is where the last legitimate switch put it:', () => {
    const edit = (shop: Shop, selector: object, annotations: object = {}) =>
      shop.kubectl(
        'patch',
        'service/shop',
        '--type=merge',
        '--field-manager=intern',
        `--patch=${JSON.stringify({ metadata: { annotations }, spec: { selector } })}`,
      );

    together({
      'a selector edited by hand at rest is put back, and its writer is named': async () => {
        const shop = await world.adoptedShop();
        await shop.version('v2');
        await shop.settledOn('r2');
        await edit(shop, { [KEY]: 'blue' });
        await restored(
          shop,
          'Service "shop" selected blue (last written by intern); putting it back to green (revision r2)',
        );
        expect(await shop.color()).to.equal('green');
        await shop.settledOn('r2');
      },

      'a selector edited to the candidate skips no gate': async () => {
        const shop = await world.adoptedShop({ spec: { gates: [stuck] } });
        await shop.version('v2');
        await shop.inPhase('Validating');
        await edit(shop, { [KEY]: 'green' });
        const { status } = await restored(
          shop,
          'Service "shop" selected green (last written by intern); putting it back to blue (revision r1)',
        );
        expect([status.revision, await shop.color()]).to.deep.equal(['r1', 'blue']);
        const after = await shop.inPhase('Validating');
        expect(condition(after, 'Validated').status).to.equal('False');
        expect(after.status.gates.at(-1)).to.include({ name: 'stuck', state: 'Running' });
      },

      'not even with a forged mark': async () => {
        const shop = await world.adoptedShop({ spec: { gates: [stuck] } });
        await shop.version('v2');
        const { metadata } = await shop.inPhase('Validating');
        await edit(shop, { [KEY]: 'green' }, { 'bluegreen.dev/switch': `${metadata.uid}/r2/2` });
        await eventually('the selector to be back', 90_000, async () =>
          (await shop.color()) === 'blue' ? true : undefined,
        );
        const { status } = await shop.inPhase('Validating');
        expect(status.revision).to.equal('r1');
      },

      'a key that was removed comes back': async () => {
        const shop = await observedShop();
        await edit(shop, { [KEY]: null });
        await restored(
          shop,
          'Service "shop" selected no colour (last written by intern); putting it back to green (revision r2)',
        );
        expect(await shop.selector()).to.deep.equal({ app: SHOP, [KEY]: 'green' });
      },

      'a Service that was replaced as a whole, with our annotations gone, is taken again': async () => {
        const shop = await observedShop();
        const { metadata, spec } = await shop.get(SERVICES, SHOP);
        const { name, namespace, uid, resourceVersion } = metadata;
        await world.client.replace(SERVICES, {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name, namespace, uid, resourceVersion },
          spec: { ...spec, selector: { app: SHOP } },
        } as any);
        await eventually('the selector and the claim to be back', 90_000, async () => {
          const service = await shop.get(SERVICES, SHOP);
          const claim = service.metadata.annotations?.['bluegreen.dev/claimed-by'];
          return service.spec.selector[KEY] === 'green' && claim !== undefined ? true : undefined;
        });
        const { status } = await shop.inPhase('Observing');
        expect(status.revision).to.equal('r2');
        await shop.act('promote@2');
        await shop.settledOn('r2');
      },

      'one that was deleted and created again is taken again': async () => {
        const shop = await observedShop();
        await shop.delete(SERVICES, SHOP);
        await shop.create(SERVICES, shop.service());
        await eventually('the selector to name green', 90_000, async () =>
          (await shop.color()) === 'green' ? true : undefined,
        );
        await shop.act('promote@2');
        await shop.settledOn('r2');
      },

      'the way back leads to what was validated, not to what somebody made of it since': async () => {
        const shop = await observedShop();
        await shop.kubectl('set', 'image', 'deployment/shop-blue', 'app=shop:edited');
        await shop.act('rollback@2');
        const { status } = await shop.until(
          'be rolled back, to what was validated',
          (release) => release.status.phase === 'RolledBack',
        );
        expect(status.revision).to.equal('r1');
        const blue = await shop.get(DEPLOYMENTS, 'shop-blue');
        expect(blue.spec.template.spec.containers[0].image).to.equal('shop:v1');
      },
    });
  });
});

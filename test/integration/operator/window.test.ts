import { expect } from 'chai';
import { eventually } from '../../support/eventually.ts';
import { ERRORS, Metrics } from './prometheus.ts';
import { condition, history, type Shop } from './shop.ts';
import { together } from './together.ts';
import { World } from './world.ts';

const watched: any = {
  observation: {
    durationSeconds: 1,
    checks: [
      { name: 'errors', intervalSeconds: 1, failureLimit: 1, prometheus: { query: ERRORS, max: '0.1' } },
    ],
  },
};

describe('The old side, inside the rollback window', function () {
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

  /** Revision r2 on green is committed, r1 on blue can take over. Its check is measured once a minute from now on. */
  async function committed(afterCommit: 'Alert' | 'Rollback'): Promise<Shop> {
    const shop = await world.adoptedShop({
      spec: { ...watched, rollback: { windowSeconds: 600, afterCommit } },
    });
    shop.patienceMs = 200_000;
    await shop.version('v2');
    await shop.settledOn('r2');
    return shop;
  }

  const uids = async (shop: Shop): Promise<string[]> =>
    (await shop.pods('blue')).map(({ metadata }): string => metadata.uid).sort();

  together({
    'takes over when a check fails after the commit, where afterCommit is Rollback': async () => {
      const shop = await committed('Rollback');
      metrics.set(shop.namespace, '0.5');
      const back = await shop.inPhase('RolledBack');
      expect([history(back).at(-1), await shop.color()]).to.deep.equal(['r2 RolledBack', 'blue']);
      expect(back.status.rejected.map(({ revision }: any) => revision)).to.deep.equal(['r2']);
    },

    'stays where it is, and people are told, where afterCommit is Alert': async () => {
      const shop = await committed('Alert');
      metrics.set(shop.namespace, '0.5');
      const told = await shop.until('be unhealthy', (each) => condition(each, 'Healthy').status === 'False');
      expect([condition(told, 'Ready').status, await shop.color()]).to.deep.equal(['True', 'green']);
      expect(condition(told, 'Healthy').message).to.match(
        /; revision r2 keeps the traffic \(rollback\.afterCommit\): bluegreen\.dev\/action=rollback@2 puts it back$/,
      );
      metrics.set(shop.namespace, '0');
      await shop.until('be well again', (each) => condition(each, 'Healthy').status === 'True');
      expect(history(await shop.read()).at(-1)).to.equal('r2 Committed');
    },

    'keeps its pods until traffic.drain.until says that nobody uses them': async () => {
      const shop = await world.shop();
      metrics.set(shop.namespace, '3');
      const prometheus = { query: ERRORS, max: '0' };
      await shop.release({
        traffic: {
          services: [{ name: 'shop' }],
          drainSeconds: 5,
          drain: { until: { prometheus }, timeoutSeconds: 86_400 },
        },
      });
      await shop.settledOn('r1');
      const old = await uids(shop);
      await shop.version('v2');
      const { status } = await shop.until('be committed', (each) => history(each).at(-1) === 'r2 Committed');
      await shop.until(
        'be past drainSeconds',
        () => Date.now() > Date.parse(status.switch.convergedAt) + 15_000,
      );
      expect(await uids(shop)).to.deep.equal(old);
      metrics.set(shop.namespace, '0');
      await eventually('the old pods to be replaced', 120_000, async () => {
        const now = await uids(shop);
        return now.length === old.length && now.every((uid) => !old.includes(uid)) ? true : undefined;
      });
      expect(await shop.color()).to.equal('green');
    },
  });
});

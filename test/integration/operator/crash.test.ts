import { expect } from 'chai';
import { RELEASES } from '../../../src/api/resource.ts';
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  HORIZONTAL_POD_AUTOSCALERS,
  LEASES,
  SERVICES,
  STATEFUL_SETS,
} from '../../../src/kube/types.ts';
import { eventually } from '../../support/eventually.ts';
import { BLUE, expectFollowed, opened, PUBLISHED, release, restarts, switchTo } from './consumers.ts';
import { killedAtEachWrite } from './killed.ts';
import { outcome } from './outcome.ts';
import { autoscalers, edit, type Kinds, pair, size, standing, UNDRAINED, written } from './pairs.ts';
import type { OperatorProcess } from './process.ts';
import { ERRORS, Metrics } from './prometheus.ts';
import { condition, KEY, SHOP, type Shop } from './shop.ts';
import { together } from './together.ts';
import { NAMESPACE, World } from './world.ts';

const smoke: any = {
  name: 'smoke',
  job: {
    spec: { template: { spec: { containers: [{ name: 'a', image: 'a:1' }], restartPolicy: 'Never' } } },
  },
};
const spec: any = {
  autoscaling: { spec: { minReplicas: 2, maxReplicas: 5 } },
  gates: [smoke],
  observation: {
    durationSeconds: 2,
    checks: [
      { name: 'errors', intervalSeconds: 1, failureLimit: 2, prometheus: { query: ERRORS, max: '0.1' } },
    ],
  },
};

/** Both kinds of workload in one pair. */
const MIXED: Kinds = { blue: 'Deployment', green: 'StatefulSet' };

describe('An operator that is killed', function () {
  this.timeout(600_000);
  let world: World;
  let metrics: Metrics;
  let config: string;

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    world = await World.start();
    await world.useBundle(); // a hundred operators are started here
    metrics = await Metrics.start();
    config = await metrics.config(world.cluster.workDir);
  });
  after(async () => {
    await world?.stop();
    await metrics?.stop();
  });

  const args = (shop: Shop): string[] => ['--config', config, '--namespace', shop.namespace];

  async function shopWithAutoscaler(): Promise<Shop> {
    const shop = await world.shop();
    const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: SHOP };
    await shop.create(HORIZONTAL_POD_AUTOSCALERS, {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: SHOP },
      spec: { scaleTargetRef, minReplicas: 2, maxReplicas: 5 },
    });
    return shop;
  }

  /** The old side's pods are replaced long after the story: how far that had come would be chance. */
  async function adopt(shop: Shop): Promise<void> {
    await shop.release(spec);
    await shop.settledOn('r1');
    await shop.patch(RELEASES, SHOP, { spec: { traffic: { drainSeconds: 300 } } });
  }

  async function adoptAndRelease(shop: Shop): Promise<void> {
    await adopt(shop);
    await shop.version('v2');
    await shop.settledOn('r2');
  }

  async function saysRejected(shop: Shop, revision: string): Promise<void> {
    await shop.until(`be rolled back and say that ${revision} is rejected`, (now) => {
      const { phase, rejected = [] } = now.status;
      return (
        phase === 'RolledBack' &&
        condition(now, 'Stalled')?.reason === 'RevisionRejected' &&
        rejected.some((each: any) => each.revision === revision)
      );
    });
  }

  async function rollBack(shop: Shop): Promise<void> {
    metrics.set(shop.namespace, '0.5');
    await shop.version('v2');
    await saysRejected(shop, 'r2');
    // Seconds later, when the proxies have followed: one story would be over before that, and the other after it.
    await eventually('the side that failed to be at 0', shop.patienceMs, async () => {
      const deployments = await shop.list(DEPLOYMENTS);
      return deployments.some(
        ({ metadata, spec }) => metadata.name === `${SHOP}-green` && spec.replicas === 0,
      )
        ? true
        : undefined;
    });
  }

  const killed = (shop: Shop, story: (shop: Shop) => Promise<void>): Promise<string[]> =>
    killedAtEachWrite(world, shop, args(shop), story);

  /** Released, released badly, put back; the outcome before it is deleted, and then it is. */
  async function lifeOfPair(shop: Shop): Promise<unknown> {
    const workload = pair(MIXED, { autoscaled: true });
    await shop.release({ workload, traffic: UNDRAINED, gates: spec.gates, observation: spec.observation });
    await shop.settledOn('r1');
    await edit(shop, MIXED, 'green', 'v2');
    await shop.settledOn('r2');
    metrics.set(shop.namespace, '0.5');
    await edit(shop, MIXED, 'blue', 'v3');
    await saysRejected(shop, 'r3');
    // How long a minimum stays raised is time, and not what a life leads to.
    const { autoscalers: _, ...end } = await outcome(shop);
    await shop.deleted();
    return end;
  }

  const pairAsFound = async (shop: Shop): Promise<unknown> => {
    const workloads = (await written(shop)).map(({ rest, ...each }) => {
      delete rest.template.metadata.annotations;
      return { ...each, rest };
    });
    const names = (await shop.list(SERVICES)).map(({ metadata: { name, labels, annotations } }) => [
      name,
      labels,
      annotations,
    ]);
    return { workloads, autoscalers: await autoscalers(shop), services: names };
  };

  /** Switched, and put back by order; what became of it at each step, before it is deleted, and then it is. */
  async function lifeOfPublished(shop: Shop): Promise<unknown> {
    const steps: unknown[] = [];
    const look = async (color: string): Promise<void> => {
      await expectFollowed(shop, color);
      steps.push({ restarts: await restarts(shop), templates: await templatesWritten(shop) });
    };
    await release(shop, 'blue', { gates: spec.gates, observation: spec.observation });
    await shop.settledOn('r1');
    await look('blue');
    await switchTo(shop, 'green');
    const { status } = await shop.settledOn('r2');
    await look('green');
    await shop.act(`rollback@${status.attempt}`);
    await saysRejected(shop, 'r2');
    await look('blue');
    const order = ['api', 'index'];
    expect(steps).to.deep.equal([2, 3, 4].map((each) => ({ restarts: order, templates: [each, each] })));
    const end = await outcome(shop);
    await shop.deleted();
    return end;
  }

  /** Each write of the template of a consumer counts one; nobody else writes their specs. */
  const templatesWritten = async (shop: Shop): Promise<number[]> => {
    const consumers = await Promise.all([shop.get(DEPLOYMENTS, 'api'), shop.get(STATEFUL_SETS, 'index')]);
    return consumers.map(({ metadata }) => metadata.generation);
  };

  async function calmly(shop: Shop, story: (shop: Shop) => Promise<void>): Promise<void> {
    const operator = await world.operator(...args(shop));
    await story(shop);
    await operator.end('SIGTERM');
  }

  together({
    'at each write of an adoption and of a release ends where it would have ended without': async () => {
      const [calm, shop] = await Promise.all([shopWithAutoscaler(), shopWithAutoscaler()]);
      const [deaths] = await Promise.all([killed(shop, adoptAndRelease), calmly(calm, adoptAndRelease)]);
      expect(await outcome(shop)).to.deep.equal(await outcome(calm));
      expect(deaths.length).to.be.above(25);
      expect(deaths).to.include.members([
        'create controllerrevisions',
        'create deployments',
        'create jobs',
        'patch services/shop',
        'delete horizontalpodautoscalers/shop',
        'patch deployments/shop',
        'patch bluegreenreleases/shop/status',
      ]);
    },

    'at each write of a release that fails and is rolled back ends where it would have ended without':
      async () => {
        const adopted = async (): Promise<Shop> => {
          const shop = await shopWithAutoscaler();
          await calmly(shop, adopt);
          return shop;
        };
        const [calm, shop] = await Promise.all([adopted(), adopted()]);
        const [deaths] = await Promise.all([killed(shop, rollBack), calmly(calm, rollBack)]);
        expect(await outcome(shop)).to.deep.equal(await outcome(calm));
        expect(deaths.filter((write) => write === 'patch services/shop').length).to.be.at.least(2);
        expect((await shop.read()).status.rejected[0].reason).to.equal('CheckFailed');
      },

    'with a second one at work all the time does no harm: they agree': async () => {
      const [calm, both] = await Promise.all([shopWithAutoscaler(), shopWithAutoscaler()]);
      await Promise.all([world.operator(...args(both)), world.operator(...args(both))]);
      await Promise.all([adoptAndRelease(both), calmly(calm, adoptAndRelease)]);
      expect(await outcome(both)).to.deep.equal(await outcome(calm));
    },

    'gently gives its Lease to the next, which goes on with the release': async () => {
      const shop = await world.shop();
      const elected = (identity: string): OperatorProcess =>
        world.spawnOperator(
          world.kubeconfig,
          ...args(shop),
          '--lease-namespace',
          NAMESPACE,
          '--identity',
          identity,
        );
      const first = await elected('first').isWorking();
      const second = elected('second');
      await eventually('the second to see who leads', 90_000, () =>
        second.said('the Lease has a holder') ? true : undefined,
      );
      await shop.release();
      await shop.inPhase('Adopting');
      expect(second.said('the caches are complete: reconciling')).to.equal(false);
      await first.end('SIGTERM');
      expect(first.exitCode).to.equal(0);
      await second.isWorking();
      await shop.settledOn('r1');
      const lease = await world.client.get<any>(LEASES, { namespace: NAMESPACE, name: 'bluegreen-operator' });
      expect(lease?.spec.holderIdentity).to.equal('second');
      await shop.delete(RELEASES, SHOP);
    },
  });

  // After the others: each of these operators asks for a processor of its own.
  describe('where people write the workloads', () => {
    together({
      'at each write of a pair, from its taking over to its deletion, gives back exactly what it found':
        async () => {
          const calm = await standing(world, { kinds: MIXED, autoscaled: true });
          const shop = await standing(world, { kinds: MIXED, autoscaled: true });
          const found = await pairAsFound(shop);
          const ends = new Map<Shop, unknown>();
          const story = async (each: Shop): Promise<void> => void ends.set(each, await lifeOfPair(each));
          const [deaths] = await Promise.all([killed(shop, story), calmly(calm, story)]);
          expect(ends.get(shop)).to.deep.equal(ends.get(calm));
          expect(await pairAsFound(shop)).to.deep.equal(found);
          expect(await shop.selector()).to.deep.equal({ app: SHOP, [KEY]: 'green' });
          expect(await size(shop, 'green', MIXED)).to.equal(3);
          expect(deaths.length).to.be.above(40);
          expect(deaths).to.include.members([
            'patch deployments/app-blue',
            'patch statefulsets/app-green',
            'patch horizontalpodautoscalers/app-blue',
            'patch horizontalpodautoscalers/app-green',
            'patch statefulsets/app-green/scale',
            'patch services/shop',
          ]);
        },

      'at each write of a published environment restarts each consumer once, in order, also on the way back':
        async () => {
          const [calm, shop] = await Promise.all([opened(world), opened(world)]);
          const ends = new Map<Shop, unknown>();
          const story = async (each: Shop): Promise<void> => void ends.set(each, await lifeOfPublished(each));
          const [deaths] = await Promise.all([killed(shop, story), calmly(calm, story)]);
          expect(ends.get(shop)).to.deep.equal(ends.get(calm));
          const { data, metadata } = await shop.get(CONFIG_MAPS, PUBLISHED);
          expect(data).to.deep.equal({ url: BLUE, color: 'blue' });
          expect([metadata.labels, metadata.annotations]).to.deep.equal([
            { 'bluegreen.dev/config': 'published' },
            undefined,
          ]);
          expect(deaths).to.include.members([
            'create configmaps',
            'patch configmaps/search',
            'patch deployments/api',
            'patch statefulsets/index',
          ]);
        },
    });
  });
});

import { expect } from 'chai';
import { RELEASES } from '../../../src/api/resource.ts';
import {
  CONTROLLER_REVISIONS,
  DEPLOYMENTS,
  HORIZONTAL_POD_AUTOSCALERS,
  JOBS,
  LEASES,
  SERVICES,
} from '../../../src/kube/types.ts';
import { describeAsked, isWrite } from '../../faults/asked.ts';
import { startFaultProxy } from '../../faults/proxy.ts';
import { eventually } from '../../support/eventually.ts';
import type { OperatorProcess } from './process.ts';
import { ERRORS, Metrics } from './prometheus.ts';
import { condition, history, SHOP, type Shop } from './shop.ts';
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

/** What a life must have led to, without times, uids and what only tells how it came about. */
async function outcome(shop: Shop): Promise<unknown> {
  const [release, services, deployments, revisions, autoscalers, jobs] = await Promise.all([
    shop.read(),
    shop.list(SERVICES),
    shop.list(DEPLOYMENTS),
    shop.list(CONTROLLER_REVISIONS),
    shop.list(HORIZONTAL_POD_AUTOSCALERS),
    shop.list(JOBS),
  ]);
  const { status } = release;
  return {
    status: {
      phase: status.phase,
      revision: status.revision,
      attempt: status.attempt,
      history: history(release),
      rejected: status.rejected?.map(({ revision, reason }: any) => `${revision} ${reason}`),
      conditions: status.conditions.map((each: any) => `${each.type} ${each.status} ${each.reason}`),
      switch: `${status.switch.direction} ${status.switch.to} ${status.switch.revision}`,
    },
    services: services.map(({ metadata, spec: { selector } }) => ({ name: metadata.name, selector })),
    deployments: deployments.map(({ metadata, spec: { replicas, paused = false, template } }) => ({
      name: metadata.name,
      replicas,
      paused,
      image: template.spec.containers[0].image,
      labels: template.metadata.labels,
    })),
    revisions: revisions.map(({ metadata, revision }) => `${metadata.name} ${revision}`),
    autoscalers: autoscalers.map(({ metadata, spec: { minReplicas } }) => `${metadata.name} ${minReplicas}`),
    jobs: jobs.map(({ metadata }) => metadata.name),
  };
}

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

  async function rollBack(shop: Shop): Promise<void> {
    metrics.set(shop.namespace, '0.5');
    await shop.version('v2');
    await shop.until('be rolled back and say that r2 is rejected', (release) => {
      return (
        release.status.phase === 'RolledBack' && condition(release, 'Stalled')?.reason === 'RevisionRejected'
      );
    });
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

  /**
   * Lets operators work on this shop until the story is over. Each is killed when the API server has carried out its
   * first write, before it hears of that.
   */
  async function killedAtEachWrite(shop: Shop, story: (shop: Shop) => Promise<void>): Promise<string[]> {
    const proxy = await startFaultProxy(world.cluster);
    const kubeconfig = await proxy.kubeconfig(world.kubeconfig);
    const deaths: string[] = [];
    shop.patienceMs = 300_000; // some fifty operators, one after the other
    let over = false;
    const lives = async (): Promise<void> => {
      while (!over) {
        const operator = world.spawnOperator(kubeconfig, '--no-leader-elect', ...args(shop));
        proxy.onAnswer = (asked, status) => {
          if (!isWrite(asked) || status >= 300) return;
          if (operator.running) deaths.push(describeAsked(asked));
          void operator.end();
        };
        await operator.ended(() => over);
      }
    };
    const living = lives();
    try {
      await Promise.race([story(shop), living]);
    } finally {
      over = true;
      await living;
      await proxy.stop();
    }
    return deaths;
  }

  async function calmly(shop: Shop, story: (shop: Shop) => Promise<void>): Promise<void> {
    const operator = await world.operator(...args(shop));
    await story(shop);
    await operator.end('SIGTERM');
  }

  together({
    'at each write of an adoption and of a release ends where it would have ended without': async () => {
      const [calm, killed] = await Promise.all([shopWithAutoscaler(), shopWithAutoscaler()]);
      const [deaths] = await Promise.all([
        killedAtEachWrite(killed, adoptAndRelease),
        calmly(calm, adoptAndRelease),
      ]);
      expect(await outcome(killed)).to.deep.equal(await outcome(calm));
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
        const [calm, killed] = await Promise.all([adopted(), adopted()]);
        const [deaths] = await Promise.all([killedAtEachWrite(killed, rollBack), calmly(calm, rollBack)]);
        expect(await outcome(killed)).to.deep.equal(await outcome(calm));
        expect(deaths.filter((write) => write === 'patch services/shop').length).to.be.at.least(2);
        expect((await killed.read()).status.rejected[0].reason).to.equal('CheckFailed');
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
});

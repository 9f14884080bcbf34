import { expect } from 'chai';
import { CONTROLLER_REVISIONS, DEPLOYMENTS, JOBS, PODS } from '../../../src/kube/types.ts';
import { eventually } from '../../support/eventually.ts';
import { condition, history, SHOP, type Shop } from './shop.ts';
import { together } from './together.ts';
import { World } from './world.ts';

const container = { name: 'smoke', image: 'smoke:v1' };
const gate = (name: string, pod: object = {}, more: object = {}): any => ({
  name,
  job: {
    spec: {
      backoffLimit: 0,
      template: { spec: { containers: [container], restartPolicy: 'Never', ...pod } },
    },
  },
  ...more,
});
/** No node has it, so that the test says what becomes of the pod. */
const waiting = { nodeSelector: { 'kubernetes.io/hostname': 'nowhere' } };

/** As a kubelet would report the end of the pod of a Job. */
async function finish(shop: Shop, job: string, exitCode: number, message = ''): Promise<void> {
  const pod = await eventually(`a pod of Job ${job}`, 90_000, async () => {
    const [found] = await shop.list(PODS, `batch.kubernetes.io/job-name=${job}`);
    return found;
  });
  const terminated = { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', message };
  const containerStatuses = [
    { name: 'smoke', image: 'smoke:v1', imageID: '', ready: false, restartCount: 0, state: { terminated } },
  ];
  const phase = exitCode === 0 ? 'Succeeded' : 'Failed';
  await shop.patch(PODS, pod.metadata.name, { status: { phase, containerStatuses } }, 'status');
}

describe('Gates', function () {
  this.timeout(300_000);
  let world: World;

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    world = await World.start();
    await world.operator();
  });
  after(() => world?.stop());

  const gateWaits = (shop: Shop, name: string) =>
    shop.until(`wait for gate ${name}`, ({ status }) =>
      // Before that, the Job is being started.
      status.gates?.some((each: any) => each.name === name && each.message?.includes('waiting for Job')),
    );

  together({
    'let the candidate through when their Jobs complete, which know where it is': async () => {
      const shop = await world.adoptedShop({ spec: { gates: [gate('smoke')] } });
      await shop.version('v2');
      const { status } = await shop.settledOn('r2');
      expect(status.gates).to.deep.equal([
        { name: 'readiness', state: 'Passed', message: '2 of 2 pods are ready' },
        { name: 'smoke', state: 'Passed', message: 'gate "smoke": Job shop-smoke-2 completed' },
      ]);
      const jobs = await shop.list(JOBS);
      expect(jobs.map(({ metadata }) => metadata.name)).to.deep.equal(['shop-smoke-2']);
      const [{ metadata, spec }] = jobs;
      expect(metadata.ownerReferences[0]).to.deep.include({ kind: 'BlueGreenRelease', name: SHOP });
      const env = spec.template.spec.containers[0].env;
      expect(Object.fromEntries(env.map(({ name, value }: any) => [name, value]))).to.deep.equal({
        BLUEGREEN_RELEASE: SHOP,
        BLUEGREEN_NAMESPACE: shop.namespace,
        BLUEGREEN_COLOR: 'green',
        BLUEGREEN_REVISION: 'r2',
        BLUEGREEN_CANDIDATE_URL: `http://shop-green.${shop.namespace}.svc:80`,
        BLUEGREEN_ACTIVE_URL: `http://shop-blue.${shop.namespace}.svc:80`,
        BLUEGREEN_CANDIDATE_URL_SHOP: `http://shop-green.${shop.namespace}.svc:80`,
        BLUEGREEN_ACTIVE_URL_SHOP: `http://shop-blue.${shop.namespace}.svc:80`,
      });
      expect(spec.template.metadata.labels).not.to.have.property('bluegreen.dev/color');
    },

    'come one after the other': async () => {
      const shop = await world.adoptedShop({ spec: { gates: [gate('first', waiting), gate('second')] } });
      await shop.version('v2');
      const { status } = await gateWaits(shop, 'first');
      expect(status.phase).to.equal('Validating');
      expect(status.gates.slice(1)).to.deep.equal([
        {
          name: 'first',
          state: 'Running',
          message: 'gate "first": waiting for Job shop-first-2, for at most 600 seconds',
        },
        { name: 'second', state: 'Pending', message: 'not its turn yet' },
      ]);
      expect((await shop.list(JOBS)).length).to.equal(1);
      await finish(shop, 'shop-first-2', 0);
      await shop.settledOn('r2');
    },

    'reject the revision when a Job fails, in the words of its termination message, until a person asks again':
      async () => {
        const shop = await world.adoptedShop({ spec: { gates: [gate('smoke', waiting)] } });
        await shop.version('v2');
        await finish(shop, 'shop-smoke-2', 1, 'the price of basket 3 is negative\n');
        const why = 'gate "smoke": Job shop-smoke-2 failed: the price of basket 3 is negative';
        const release = await shop.stalledWith(
          `revision r2 was rejected and is not tried again by itself (${why}); change the Deployment, or annotate bluegreen.dev/action=retry@2`,
        );
        const { status } = release;
        expect([status.phase, status.revision, await shop.color()]).to.deep.equal(['Failed', 'r1', 'blue']);
        expect(status.rejected).to.have.lengthOf(1);
        expect(status.rejected[0]).to.include({ revision: 'r2', reason: 'GateFailed', message: why });
        expect(status.gates.at(-1)).to.deep.equal({ name: 'smoke', state: 'Failed', message: why });
        await eventually('the rejected side to be at 0', 90_000, async () => {
          const { spec } = await shop.get(DEPLOYMENTS, 'shop-green');
          return spec.replicas === 0 ? true : undefined;
        });

        // An order for another attempt is none.
        await shop.act('retry@1');
        await shop.act('retry@2');
        await finish(shop, 'shop-smoke-3', 0);
        const again = await shop.settledOn('r3');
        expect(history(again)).to.deep.equal(['r1 Committed', 'r2 Failed', 'r3 Committed']);
        expect(again.status.attempt).to.equal(3);
      },

    'that take too long blame nobody: the revision is tried again later': async () => {
      const shop = await world.adoptedShop({
        spec: { gates: [gate('smoke', waiting, { timeoutSeconds: 1 })] },
      });
      await shop.version('v2');
      const { status } = await shop.until('say when it tries again', (release) =>
        release.status.message?.includes('trying revision r2 again at'),
      );
      expect(status.message).to.match(
        /^gate "smoke": Job shop-smoke-2 took longer than 1 seconds: .*; trying revision r2 again at \d{4}-\d\d-\d\dT[\d:]+Z$/,
      );
      expect(status.phase).to.equal('Failed');
      expect(status.rejected).to.equal(undefined);
      expect(await shop.color()).to.equal('blue');
    },

    'are not reached by a candidate without a node; it ends at its deadline, and production never knew':
      async () => {
        const shop = await world.adoptedShop({ spec: { preparation: { deadlineSeconds: 3 } } });
        const pods = await shop.pods('blue');
        await shop.patch(DEPLOYMENTS, SHOP, { spec: { template: { spec: waiting } } });
        await shop.until('say what the candidate lacks', ({ status }) =>
          /^0 of 2 green pods are ready \(pod shop-green-\S+: 0\/3 nodes are available/.test(status.message),
        );
        const { status } = await shop.until('have given up for now', (release) =>
          release.status.message.includes('trying revision r2 again at'),
        );
        expect(status.message).to.match(/^0 of 2 green pods are ready after 3 seconds: pod shop-green-/);
        expect(status.rejected).to.equal(undefined);
        expect(await shop.color()).to.equal('blue');
        const uids = (some: any[]) => some.map(({ metadata }): string => metadata.uid).sort();
        expect(uids(await shop.pods('blue'))).to.deep.equal(uids(pods));
      },

    'hold a candidate that nobody wants any more no longer: the next one is built': async () => {
      const shop = await world.adoptedShop({ spec: { gates: [gate('smoke', waiting)] } });
      await shop.version('v2');
      await gateWaits(shop, 'smoke');
      await shop.version('v3');
      await finish(shop, 'shop-smoke-3', 0);
      const release = await shop.settledOn('r3');
      expect(history(release)).to.deep.equal(['r1 Committed', 'r2 Superseded', 'r3 Committed']);
    },

    'hold nothing when Git takes the change back: the active revision is what is wished for again':
      async () => {
        const shop = await world.adoptedShop({ spec: { gates: [gate('smoke', waiting)] } });
        await shop.version('v2');
        await gateWaits(shop, 'smoke');
        await shop.version('v1');
        const release = await shop.settledOn('r1');
        expect(history(release)).to.deep.equal(['r1 Committed', 'r2 Superseded']);
        expect(await shop.color()).to.equal('blue');
      },

    'end with the release when a person aborts it': async () => {
      const shop = await world.adoptedShop({ spec: { gates: [gate('smoke', waiting)] } });
      await shop.version('v2');
      await gateWaits(shop, 'smoke');
      await shop.act('abort@2');
      await shop.stalledWith(
        'revision r2 was rejected and is not tried again by itself (revision r2 was aborted by annotation); change the Deployment, or annotate bluegreen.dev/action=retry@2',
      );
      expect(await shop.color()).to.equal('blue');
    },

    'see what was frozen when the release started, not what the release says since': async () => {
      const shop = await world.adoptedShop({ spec: { gates: [gate('smoke', waiting)] } });
      await shop.version('v2');
      await gateWaits(shop, 'smoke');
      await shop.kubectl('patch', 'bgr/shop', '--type=merge', '--patch={"spec":{"gates":[]}}');
      await shop.until(
        'have seen the edit',
        ({ metadata, status }) => status.observedGeneration === metadata.generation,
      );
      expect((await shop.read()).status.phase).to.equal('Validating');
      await finish(shop, 'shop-smoke-2', 1, 'no');
      const release = await shop.until(
        'be rejected',
        (each) => condition(each, 'Stalled')?.reason === 'RevisionRejected',
      );
      expect(release.status.revision).to.equal('r1');
      const revisions = await shop.list(CONTROLLER_REVISIONS);
      expect(revisions.map(({ data }) => data.spec.gates.length)).to.deep.equal([1, 1]);
    },
  });
});

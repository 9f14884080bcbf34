import { expect } from 'chai';
import { RELEASES } from '../../../src/api/resource.ts';
import type { ReleaseSpecInput } from '../../../src/api/schema.ts';
import { DEPLOYMENTS, HORIZONTAL_POD_AUTOSCALERS, SERVICES } from '../../../src/kube/types.ts';
import { eventually } from '../../support/eventually.ts';
import {
  autoscaler,
  autoscalers,
  type Color,
  deployments,
  edit,
  pair,
  size,
  standing,
  statefulSets,
  UNDRAINED,
  workload,
  written,
} from './pairs.ts';
import { condition, history, KEY, SHOP, type Shop, stuck } from './shop.ts';
import { together } from './together.ts';
import { World } from './world.ts';

describe('A release of a pair', function () {
  this.timeout(300_000);
  let world: World;

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    world = await World.start();
    await world.operator();
  });
  after(() => world?.stop());

  const minimum = async (shop: Shop, color: Color): Promise<number> =>
    (await shop.get(HORIZONTAL_POD_AUTOSCALERS, `app-${color}`)).spec.minReplicas;

  const ask = (shop: Shop, workload: ReleaseSpecInput['workload']): Promise<any> =>
    shop.patch(RELEASES, SHOP, { spec: { workload } });

  const tests: Record<string, () => Promise<void>> = {
    'takes the side that serves as it is, and starts nothing': async () => {
      const shop = await standing(world, { replicas: [3, 1] });
      await shop.release({ workload: pair(deployments) });
      const release = await shop.settledOn('r1');
      expect(history(release)).to.deep.equal(['r1 Committed']);
      expect(release.status.history[0].message).to.equal(
        'blue serves already: taking it over as revision r1',
      );
      await eventually('green to be emptied', 90_000, async () =>
        (await size(shop, 'green')) === 0 ? true : undefined,
      );
      expect([await shop.color(), await size(shop, 'blue')]).to.deep.equal(['blue', 3]);
    },

    'goes to the side that people name, and back to the other one without a gate': async () => {
      const shop = await standing(world);
      await edit(shop, deployments, 'green', 'v2');
      const before = await written(shop);
      await shop.release({ workload: pair(deployments, { active: 'blue' }), traffic: UNDRAINED });
      await shop.settledOn('r1');
      await ask(shop, pair(deployments, { active: 'green' }));
      await shop.settledOn('r2');
      expect([await shop.color(), await size(shop, 'green'), await size(shop, 'blue')]).to.deep.equal([
        'green',
        3,
        3,
      ]);
      await ask(shop, pair(deployments, { active: 'blue' }));
      const release = await shop.settledOn('r1');
      expect([await shop.color(), history(release)]).to.deep.equal([
        'blue',
        ['r1 Committed', 'r2 RolledBack'],
      ]);
      const after = await written(shop);
      expect(after.map(({ rest, own, uid }) => [rest, own, uid])).to.deep.equal(
        before.map(({ rest, own, uid }) => [rest, own, uid]),
      );
    },

    'begins by itself when the side without traffic is changed, where no side is named': async () => {
      const shop = await standing(world);
      await shop.release({ workload: pair(deployments) });
      await shop.settledOn('r1');
      await edit(shop, deployments, 'green', 'v2');
      await shop.settledOn('r2');
      expect(await shop.color()).to.equal('green');
      await edit(shop, deployments, 'blue', 'v3');
      await shop.settledOn('r3');
      expect(await shop.color()).to.equal('blue');
    },

    'goes through StatefulSets, and back by an order': async () => {
      const shop = await standing(world, { kinds: statefulSets });
      await shop.release({
        workload: pair(statefulSets),
        preparation: { deadlineSeconds: 600 },
      });
      await shop.settledOn('r1');
      await edit(shop, statefulSets, 'green', 'v2');
      const { status } = await shop.settledOn('r2');
      expect([await shop.color(), await size(shop, 'green', statefulSets)]).to.deep.equal(['green', 3]);
      await shop.act(`rollback@${status.attempt}`);
      await shop.until('be back', async () => (await shop.color()) === 'blue');
      const release = await shop.until(
        'say that r2 is rejected',
        (each) => each.status.revision === 'r1' && each.status.rejected?.[0]?.revision === 'r2',
      );
      expect(history(release)).to.deep.equal(['r1 Committed', 'r2 RolledBack']);
    },

    'raises the minimum of an autoscaler while pods must stay, and gives it back when that is over':
      async () => {
        const shop = await standing(world, { autoscaled: true });
        await shop.release({ workload: pair(deployments, { autoscaled: true }), gates: [stuck] });
        await shop.settledOn('r1');
        const before = await autoscalers(shop);
        await edit(shop, deployments, 'green', 'v2');
        const { status } = await shop.inPhase('Validating');
        expect([await minimum(shop, 'blue'), await minimum(shop, 'green')]).to.deep.equal([1, 3]);
        await shop.act(`abort@${status.attempt}`);
        await eventually('green to have no pods and its own minimum', 90_000, async () =>
          (await size(shop, 'green')) === 0 && (await minimum(shop, 'green')) === 1 ? true : undefined,
        );
        expect(await autoscalers(shop)).to.deep.equal(before);
        expect([await shop.color(), await size(shop, 'blue')]).to.deep.equal(['blue', 3]);
      },

    'gives back exactly what it found where it is deleted, in the middle of a window': async () => {
      const shop = await standing(world, { autoscaled: true });
      const found = { autoscalers: await autoscalers(shop), workloads: await written(shop) };
      await shop.release({
        workload: pair(deployments, { autoscaled: true }),
        traffic: UNDRAINED,
      });
      await shop.settledOn('r1');
      await ask(shop, pair(deployments, { active: 'green', autoscaled: true }));
      await shop.settledOn('r2');
      expect(await minimum(shop, 'blue')).to.equal(3);
      await shop.deleted();
      expect({
        autoscalers: await autoscalers(shop),
        workloads: await written(shop),
      }).to.deep.equal(found);
      expect(await shop.selector()).to.deep.equal({ app: SHOP, [KEY]: 'green' });
      expect((await shop.list(SERVICES)).map(({ metadata }) => metadata.name)).to.deep.equal([SHOP]);
      expect([await size(shop, 'blue'), await size(shop, 'green')]).to.deep.equal([3, 3]);
    },

    'records what people roll out in production as a revision that no gate has seen': async () => {
      const shop = await standing(world);
      await shop.release({ workload: pair(deployments, { active: 'blue' }) });
      await shop.settledOn('r1');
      await edit(shop, deployments, 'blue', 'v2');
      const release = await shop.settledOn('r2');
      expect(release.status.history[0].message).to.match(
        /^Deployment "app-blue" was rolled out in production by .*: that is a revision of its own, and no gate has seen it$/,
      );
      expect(await shop.color()).to.equal('blue');
    },

    'adds the key where only one side has pods': async () => {
      const shop = await standing(world, { selector: { app: SHOP } });
      await shop.release({ workload: pair(deployments) });
      await shop.settledOn('r1');
      expect(await shop.selector()).to.deep.equal({ app: SHOP, [KEY]: 'blue' });
    },

    'is refused while nobody says which side serves, and goes on when somebody does': async () => {
      const shop = await standing(world, { selector: { app: SHOP }, replicas: [2, 1] });
      await shop.release({ workload: pair(deployments) });
      await shop.stalledWith(
        'Service "shop" does not say which side serves: add bluegreen.dev/color: blue or bluegreen.dev/color: green to its selector',
      );
      expect(await shop.selector()).to.deep.equal({ app: SHOP });
      await shop.patch(SERVICES, SHOP, { spec: { selector: { [KEY]: 'blue' } } });
      await shop.settledOn('r1');
    },

    'is refused while pods lack the labels, and goes on when they have them': async () => {
      const shop = await standing(world);
      const labels = (value: string | null) => ({
        spec: { template: { metadata: { labels: { [KEY]: value } } } },
      });
      await shop.patch(DEPLOYMENTS, 'app-green', labels(null));
      await shop.release({ workload: pair(deployments) });
      await shop.stalledWith(
        'the pods of Deployment "app-green" lack the label bluegreen.dev/color: green: add it to its spec.template.metadata.labels, by which its pods are told from those of the other side',
      );
      await shop.patch(DEPLOYMENTS, 'app-green', labels('green'));
      await shop.settledOn('r1');
    },

    'is refused while an autoscaler that nobody named scales a side': async () => {
      const shop = await standing(world, { autoscaled: true });
      await shop.release({ workload: pair(deployments) });
      await shop.stalledWith(
        'HorizontalPodAutoscaler "app-blue" scales Deployment "app-blue": name it in spec.workload.pair.blue.autoscalerRef, or delete it',
      );
      expect(await autoscalers(shop)).to.have.length(2);
      await ask(shop, pair(deployments, { autoscaled: true }));
      await shop.settledOn('r1');
    },

    'is refused, production untouched, while an autoscaler is too small for the candidate': async () => {
      const shop = await standing(world);
      await shop.create(HORIZONTAL_POD_AUTOSCALERS, autoscaler('Deployment', 'green', { maxReplicas: 2 }));
      const spec = pair(deployments, { active: 'blue' }).pair;
      const workload: any = {
        pair: { ...spec, green: { name: 'app-green', autoscalerRef: { name: 'app-green' } } },
      };
      await shop.release({ workload });
      await shop.stalledWith(
        'spec.maxReplicas of HorizontalPodAutoscaler "app-green" is 2, but the candidate needs 3 ready pods to take over: raise maxReplicas',
      );
      expect([await shop.color(), await size(shop, 'green')]).to.deep.equal(['blue', 0]);
      await shop.patch(HORIZONTAL_POD_AUTOSCALERS, 'app-green', { spec: { maxReplicas: 5 } });
      await shop.settledOn('r1');
      await ask(shop, { pair: { ...workload.pair, active: 'green' } });
      await shop.settledOn('r2');
    },

    'waits for a side that is gone, and never makes one': async () => {
      const shop = await standing(world);
      await shop.release({ workload: pair(deployments) });
      await shop.settledOn('r1');
      await shop.delete(DEPLOYMENTS, 'app-green');
      await shop.stalledWith(
        `Deployment "app-green" does not exist in namespace "${shop.namespace}": create it (with 0 replicas, where it is not needed yet), or correct spec.workload.pair.green.name`,
      );
      expect((await shop.list(DEPLOYMENTS)).map(({ metadata }) => metadata.name)).to.deep.equal(['app-blue']);
      await shop.create(DEPLOYMENTS, workload('Deployment', 'green', 0));
      const release = await shop.settledOn('r1');
      expect(condition(release, 'Stalled')).to.equal(undefined);
    },
  };
  together(tests);
});

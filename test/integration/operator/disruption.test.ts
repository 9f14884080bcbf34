import { expect } from 'chai';
import { RELEASES } from '../../../src/api/resource.ts';
import type { ReleaseSpecInput } from '../../../src/api/schema.ts';
import { DEPLOYMENTS, POD_DISRUPTION_BUDGETS } from '../../../src/kube/types.ts';
import { eventually } from '../../support/eventually.ts';
import { condition, SHOP, type Shop } from './shop.ts';
import { together } from './together.ts';
import { World } from './world.ts';

const twice = (name: string): string =>
  `PodDisruptionBudget "${name}" selects the same pods as those of spec.podDisruptionBudget, and Kubernetes evicts no pod that has two: delete it where it comes from, or remove spec.podDisruptionBudget`;

describe('A release with disruption budgets', function () {
  this.timeout(300_000);
  let world: World;

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    world = await World.start();
    await world.operator();
  });
  after(() => world?.stop());

  const asking = (spec: Partial<ReleaseSpecInput> = {}): Promise<Shop> =>
    world.adoptedShop({ replicas: 3, spec: { podDisruptionBudget: { minAvailable: 2 }, ...spec } });

  /** As `kubectl drain` does for each pod of a node. Gives what the API server says against it; undefined: it goes. */
  async function evict(shop: Shop, pod: any): Promise<string | undefined> {
    const { name } = pod.metadata;
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: shop.namespace } };
    const path = `/api/v1/namespaces/${shop.namespace}/pods/${name}/eviction`;
    try {
      await world.cluster.kubectl(['create', '--raw', path, '-f', '-'], { input: JSON.stringify(body) });
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** What each asks for, by name. */
  async function budgets(shop: Shop): Promise<Record<string, string>> {
    const all = await shop.list(POD_DISRUPTION_BUDGETS);
    return Object.fromEntries(
      all.map(({ metadata, spec: { minAvailable, maxUnavailable } }) => [
        metadata.name,
        JSON.stringify({ minAvailable, maxUnavailable }),
      ]),
    );
  }

  const budgetsBecome = (shop: Shop, wanted: Record<string, string>) =>
    eventually(`the budgets to be ${JSON.stringify(wanted)}`, 90_000, async () => {
      const present = await budgets(shop);
      return JSON.stringify(present) === JSON.stringify(wanted) ? true : undefined;
    });

  /** Each of these pods has ended, as many others are there, none is ending, and no more are wanted for a while. */
  const replaced = (shop: Shop, old: readonly any[]) =>
    eventually("the standby's pods to be replaced", 90_000, async () => {
      const { spec } = (await shop.get(DEPLOYMENTS, 'shop-blue')) ?? {};
      if (spec?.replicas !== old.length) return undefined;
      const now = await shop.pods('blue');
      const isFresh = ({ metadata: { uid, deletionTimestamp } }: any) =>
        deletionTimestamp === undefined && old.every(({ metadata }) => metadata.uid !== uid);
      return now.length === old.length && now.every(isFresh) ? true : undefined;
    });

  /** So many pods may be evicted now, of so many, as Kubernetes counts. */
  const allows = (shop: Shop, name: string, allowed: number, expected: number) =>
    eventually(`${name} to let ${allowed} of ${expected} go`, 90_000, async () => {
      const { metadata, status } = (await shop.get(POD_DISRUPTION_BUDGETS, name)) ?? {};
      const isCounted =
        status?.observedGeneration === metadata?.generation && status?.expectedPods === expected;
      return isCounted && status.disruptionsAllowed === allowed ? true : undefined;
    });

  const foreign = (shop: Shop, name: string, matchLabels: Record<string, string> = { app: SHOP }) =>
    shop.create(POD_DISRUPTION_BUDGETS, {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name },
      spec: { maxUnavailable: 1, selector: { matchLabels } },
    });

  together({
    'lets so many pods of production be evicted as people say, and no more': async () => {
      const shop = await asking();
      await budgetsBecome(shop, { 'shop-blue': '{"minAvailable":2}' });
      await allows(shop, 'shop-blue', 1, 3);
      const [first, second] = await shop.pods('blue');
      await shop.setReady([first], false);
      await allows(shop, 'shop-blue', 0, 3);
      expect(await evict(shop, second)).to.contain("would violate the pod's disruption budget");
      // What is not ready serves nobody, and never keeps its node.
      expect(await evict(shop, first)).to.equal(undefined);
      await allows(shop, 'shop-blue', 1, 3);
      expect(await evict(shop, second)).to.equal(undefined);
    },

    'gives each colour its own, of exactly its pods: the side that stands by takes nothing from production':
      async () => {
        const shop = await asking({ podDisruptionBudget: { minAvailable: 3 } });
        const old = await shop.pods('blue');
        await shop.version('v2');
        await shop.settledOn('r2');
        // While its pods are replaced it has none, and what is to be evicted may be gone by then.
        await replaced(shop, old);
        await budgetsBecome(shop, {
          'shop-blue': '{"maxUnavailable":1}',
          'shop-green': '{"minAvailable":3}',
        });
        await allows(shop, 'shop-blue', 1, 3);
        await allows(shop, 'shop-green', 0, 3);
        const [standby] = await shop.pods('blue');
        const [serving] = await shop.pods('green');
        expect(await evict(shop, serving)).to.contain("would violate the pod's disruption budget");
        expect(await evict(shop, standby)).to.equal(undefined);
      },

    'leaves no budget to a side without pods, and gives it back with them': async () => {
      const shop = await asking({ rollback: { windowSeconds: 0 } });
      await shop.version('v2');
      await shop.settledOn('r2');
      await budgetsBecome(shop, { 'shop-green': '{"minAvailable":2}' });
      await shop.version('v3');
      await shop.settledOn('r3');
      await budgetsBecome(shop, { 'shop-blue': '{"minAvailable":2}' });
      await allows(shop, 'shop-blue', 1, 3);
    },

    'is refused while another budget selects the same pods: with two, Kubernetes evicts none of them':
      async () => {
        const shop = await world.shop({ replicas: 3 });
        await foreign(shop, 'mine');
        await foreign(shop, 'too-much');
        await foreign(shop, 'of-others', { app: 'till' });
        const [pod] = await shop.pods();
        expect(await evict(shop, pod)).to.contain('more than one PodDisruptionBudget');
        await shop.release({ podDisruptionBudget: { minAvailable: 2 } });
        await shop.stalledWith(twice('mine'));
        expect(await shop.get(DEPLOYMENTS, 'shop-blue')).to.equal(undefined);
        await shop.delete(POD_DISRUPTION_BUDGETS, 'mine');
        await shop.stalledWith(twice('too-much'));
        await shop.delete(POD_DISRUPTION_BUDGETS, 'too-much');
        await shop.settledOn('r1');
        await budgetsBecome(shop, { 'of-others': '{"maxUnavailable":1}', 'shop-blue': '{"minAvailable":2}' });
      },

    'makes room for one that comes later, says so, and takes its place again when that is gone': async () => {
      const shop = await asking();
      await budgetsBecome(shop, { 'shop-blue': '{"minAvailable":2}' });
      await foreign(shop, 'late');
      await shop.stalledWith(twice('late'));
      await budgetsBecome(shop, { late: '{"maxUnavailable":1}' });
      await allows(shop, 'late', 1, 3);
      const [pod] = await shop.pods('blue');
      expect(await evict(shop, pod)).to.equal(undefined);
      await shop.delete(POD_DISRUPTION_BUDGETS, 'late');
      await budgetsBecome(shop, { 'shop-blue': '{"minAvailable":2}' });
      await shop.settledOn('r1');
    },

    'applies an edit in place, and mends what somebody else edits': async () => {
      const shop = await asking();
      await budgetsBecome(shop, { 'shop-blue': '{"minAvailable":2}' });
      await shop.patch(RELEASES, SHOP, {
        spec: { podDisruptionBudget: { minAvailable: null, maxUnavailable: '50%' } },
      });
      await budgetsBecome(shop, { 'shop-blue': '{"maxUnavailable":"50%"}' });
      await shop.patch(POD_DISRUPTION_BUDGETS, 'shop-blue', { spec: { maxUnavailable: 0 } });
      await budgetsBecome(shop, { 'shop-blue': '{"maxUnavailable":"50%"}' });
      await shop.patch(RELEASES, SHOP, { spec: { podDisruptionBudget: null } });
      await budgetsBecome(shop, {});
      const { status } = await shop.settledOn('r1');
      expect(status.attempt).to.equal(1);
    },

    'goes with the release, when the source has taken production back': async () => {
      const shop = await asking();
      await budgetsBecome(shop, { 'shop-blue': '{"minAvailable":2}' });
      await shop.delete(RELEASES, SHOP);
      await eventually('the release to be gone', 90_000, async () =>
        (await shop.read()) === undefined ? true : undefined,
      );
      expect(await budgets(shop)).to.deep.equal({});
      expect(await shop.get(DEPLOYMENTS, 'shop-blue')).to.equal(undefined);
    },

    'of a share that Kubernetes does not take is refused in its words': async () => {
      const shop = await world.shop();
      await shop.release({ podDisruptionBudget: { minAvailable: '150%' } });
      const release = await shop.inPhase('Stalled');
      expect(condition(release, 'Stalled').message).to.match(
        /^spec\.podDisruptionBudget: the API server refuses the PodDisruptionBudget derived from it: .*150%/,
      );
    },
  });
});

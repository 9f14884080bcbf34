import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { type Following, watch } from '../support/follow.ts';
import { SHOP } from '../support/shop.ts';
import { apply } from '../support/target.ts';
import { PATIENCE_MS } from './shop.ts';
import { useShop } from './story.ts';
import { expectNoFailure } from './verdict.ts';

/** Production has 3 pods, far more than the minimum, and the load never asks for another number within minutes. */
const autoscaling = {
  minReplicas: 1,
  maxReplicas: 5,
  metrics: [
    { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 900 } } },
  ],
};

interface Seen {
  readonly name: string;
  readonly minReplicas: number;
  readonly scaling: string;
}

describe('A release beside an autoscaler', function () {
  this.timeout(2 * PATIENCE_MS);
  const shop = useShop('story-autoscaling');
  const seen: Seen[] = [];
  let watching: Following | undefined;

  after(() => watching?.stop());

  it('takes the autoscaler of the Deployment over, and keeps the pods that production has', async () => {
    await shop().open({ shop: { replicas: 3 } });
    await applyAutoscaler();
    await shop().adopt({
      replicas: undefined,
      autoscaling: { spec: autoscaling },
      rollback: { windowSeconds: 5 },
    });
    expect(await autoscalers()).to.deep.equal({ 'shop-blue': 1 });
    expect(shop().status.active).to.include({ color: 'blue', ready: 3, desired: 3 });
  });

  it('sizes the candidate to what production has, and not to the minimum of the autoscaler', async () => {
    await shop().setVersion('v2');
    await shop().reaches('Observing', 'r2');
    expect(lowest('shop-green')).to.equal(3);
    const { mark, patchedAt } = shop().switches().at(-1)!;
    expect(mark?.revision).to.equal('r2');
    const alone = shop().endpoints.find(({ at, pods }) => at >= patchedAt && pods.every(isGreen));
    expect(alone?.pods).to.have.length(3);
    await shop().ends('r2', 'Committed');
  });

  it('gives both autoscalers their own minimum back when the old side need not take over any more', async () => {
    await eventually('waiting for the minimum of both autoscalers', PATIENCE_MS, async () => {
      const minimums = await autoscalers();
      return minimums['shop-blue'] === 1 && minimums['shop-green'] === 1 ? true : undefined;
    });
    await eventually('waiting for the old side to be at 0', PATIENCE_MS, async () =>
      (await shop().json('deployment', 'shop-blue')).spec.replicas === 0 ? true : undefined,
    );
    expect((await shop().pods('green')).length).to.equal(3);
  });

  it('leaves the autoscaler of the active side at work, and never two that get in the way of each other', async () => {
    await eventually('waiting for the autoscaler of green to scale', PATIENCE_MS, () =>
      seen.some(({ name, scaling }) => name === 'shop-green' && scaling === 'True ValidMetricFound')
        ? true
        : undefined,
    );
    const states = [...new Set(seen.map(({ name, scaling }) => `${name} ${scaling}`))];
    console.log(`      seen: ${states.join(', ')}`);
    expect(states.filter((state) => state.includes('AmbiguousSelector'))).to.deep.equal([]);
  });

  it('has cost no request', async () => {
    await expectNoFailure(shop());
  });

  const isGreen = (pod: string): boolean => pod.startsWith('shop-green-');

  async function applyAutoscaler(): Promise<void> {
    const { target } = shop().stage;
    const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: SHOP };
    const metadata = { name: SHOP, namespace: 'story-autoscaling' };
    await apply(target, [
      {
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata,
        spec: { ...autoscaling, scaleTargetRef },
      },
    ]);
    watching = watch(target, ['hpa', '-n', 'story-autoscaling'], (hpa) => seen.push(seenOf(hpa)));
  }

  function seenOf({ metadata, spec, status }: any): Seen {
    const active = status?.conditions?.find(({ type }: any) => type === 'ScalingActive');
    const scaling = active === undefined ? 'not judged' : `${active.status} ${active.reason}`;
    return { name: metadata.name, minReplicas: spec.minReplicas, scaling };
  }

  function lowest(autoscaler: string): number {
    return Math.min(...seen.filter(({ name }) => name === autoscaler).map(({ minReplicas }) => minReplicas));
  }

  async function autoscalers(): Promise<Record<string, number>> {
    const { items } = await shop().json('hpa');
    return Object.fromEntries(items.map(({ metadata, spec }: any) => [metadata.name, spec.minReplicas]));
  }
});

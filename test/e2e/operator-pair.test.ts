import { expect } from 'chai';
import type { ReleaseSpecInput } from '../../src/api/schema.ts';
import { serverErrorsOf } from '../demo/traffic.ts';
import { eventually } from '../support/eventually.ts';
import { type Following, watch } from '../support/follow.ts';
import { deployPair, PAIR } from '../support/pair.ts';
import { SHOP, setVersion } from '../support/shop.ts';
import { observationOf, PATIENCE_MS } from './shop.ts';
import { useShop } from './story.ts';
import { expectNoFailure } from './verdict.ts';

const NAMESPACE = 'story-pair';
/** Resources of what people wrote, in the order of blue and green. */
const WORKLOADS = ['deployment/shop-b', 'statefulset/shop-g'];
const AUTOSCALERS = ['hpa/shop-b', 'hpa/shop-g'];

interface Minimum {
  readonly name: string;
  readonly minReplicas: number;
  readonly scaling: string;
}

describe('Two workloads that people run, each with its autoscaler, as one release under load', function () {
  this.timeout(2 * PATIENCE_MS);
  const shop = useShop(NAMESPACE);
  const seen: Minimum[] = [];
  let found: unknown;
  let watching: Following | undefined;

  after(() => watching?.stop());

  it('are taken over as they are: nothing moves, and the side without traffic is emptied', async () => {
    await shop().open({ deploy: deployPair });
    found = await picture();
    watching = watch(shop().stage.target, ['hpa', '-n', NAMESPACE], (hpa) => seen.push(minimumOf(hpa)));
    await shop().adopt({
      workload: { pair: PAIR },
      replicas: undefined,
      observation: observationOfColor(7),
    });
    expect(shop().status.active).to.include({ color: 'blue', revision: 'r1', ready: 3 });
    await eventually('waiting for green to be at 0', PATIENCE_MS, async () =>
      (await sizes())[1] === 0 ? true : undefined,
    );
  });

  it('go to the side without traffic when its template is changed, with the pods that production has', async () => {
    await edit('green', 'v2');
    await shop().ends('r2', 'Committed');
    const { patchedAt } = shop().switches().at(-1)!;
    const alone = shop().endpoints.find(({ at, pods }) => at >= patchedAt && pods.every(isGreen));
    expect(alone?.pods).to.have.length(3);
    await shop().until('the old side can take over', ({ rollback }) => rollback?.available);
    await shop().servedBy('v2');
  });

  it('keep their pods meanwhile, whatever their own autoscalers make of an idle processor', async () => {
    await eventually('waiting for the minimum of both to have been raised', PATIENCE_MS, () =>
      highest('shop-b') >= 3 && highest('shop-g') >= 3 ? true : undefined,
    );
    const states = seen.map(({ name, scaling }) => `${name} ${scaling}`);
    expect(states.filter((state) => state.includes('AmbiguousSelector'))).to.deep.equal([]);
  });

  it('are put back by themselves when the next version answers every fifth request with an error', async () => {
    await edit('blue', 'v3', 0.2);
    const { rejected = [] } = await shop().ends('r3', 'RolledBack');
    expect(rejected.map(({ revision, reason }) => `${revision} ${reason}`)).to.deep.equal(['r3 CheckFailed']);
    await shop().servedBy('v2');
    expect(moves()).to.deep.equal([
      'Forward to blue (r1)',
      'Forward to green (r2)',
      'Forward to blue (r3)',
      'Back to green (r2)',
    ]);
  });

  it('are given back exactly when the release is deleted: the side that serves goes on', async () => {
    const { target } = shop().stage;
    const deletedAt = Date.now();
    await target.kubectl(['delete', 'bgr', SHOP, '-n', NAMESPACE, '--timeout=60s'], { timeoutMs: 65_000 });
    expect(await picture()).to.deep.equal(found);
    // How many pods there are is up to the autoscalers from now on.
    const scaled = shop()
      .writes()
      .filter(({ at, resource }) => at >= deletedAt && resource.endsWith('/scale'));
    expect(scaled).to.deep.equal([]);
    const { metadata, spec } = await shop().json('service', SHOP);
    expect(spec.selector).to.deep.equal({ app: SHOP, 'bluegreen.dev/color': 'green' });
    expect([metadata.labels, metadata.annotations]).to.deep.equal([undefined, undefined]);
    expect(namesIn(await shop().json('services'))).to.deep.equal([SHOP]);
  });

  it('have lost no request', async () => {
    await shop().serveFor(3);
    const { totals } = await expectNoFailure(shop());
    expect(serverErrorsOf(totals), 'errors that v3 sent').to.be.greaterThan(0);
  });

  /** Pods of a pair carry their colour, and not the name of a revision: the check of the examples, without that. */
  function observationOfColor(durationSeconds: number): ReleaseSpecInput['observation'] {
    const observation = observationOf(durationSeconds);
    const ofRevision = ',bluegreen_revision="$(BLUEGREEN_REVISION)"';
    return JSON.parse(JSON.stringify(observation).replaceAll(JSON.stringify(ofRevision).slice(1, -1), ''));
  }

  function edit(color: 'blue' | 'green', version: string, errorRate = 0): Promise<void> {
    const workload = WORKLOADS[color === 'blue' ? 0 : 1] ?? '';
    return setVersion(shop().stage.target, version, { errorRate, namespace: NAMESPACE, workload });
  }

  async function sizes(): Promise<number[]> {
    const { items } = await shop().json(...WORKLOADS);
    return items.map(({ spec }: any) => spec.replicas);
  }

  /** What people wrote, without what they and the release go on changing: the version, and the number of pods. */
  async function picture(): Promise<unknown> {
    const { items } = await shop().json(...WORKLOADS, ...AUTOSCALERS);
    return items.map(({ kind, metadata, spec }: any) => {
      const { name, uid, labels, annotations } = metadata;
      const { 'deployment.kubernetes.io/revision': _, ...own } = annotations ?? {};
      const { replicas: __, ...rest } = structuredClone(spec);
      for (const container of rest.template?.spec.containers ?? []) delete container.env;
      return { kind, name, uid, labels, own, rest };
    });
  }

  function minimumOf({ metadata, spec, status }: any): Minimum {
    const active = status?.conditions?.find(({ type }: any) => type === 'ScalingActive');
    const scaling = active === undefined ? 'not judged' : `${active.status} ${active.reason}`;
    return { name: metadata.name, minReplicas: spec.minReplicas, scaling };
  }

  function highest(autoscaler: string): number {
    return Math.max(...seen.filter(({ name }) => name === autoscaler).map(({ minReplicas }) => minReplicas));
  }

  const isGreen = (pod: string): boolean => pod.startsWith(`${PAIR.green.name}-`);

  function moves(): string[] {
    return shop()
      .switches()
      .map(({ mark, color }) => `${mark?.direction} to ${color} (${mark?.revision})`);
  }

  const namesIn = ({ items }: any): string[] => items.map(({ metadata }: any) => metadata.name);
});

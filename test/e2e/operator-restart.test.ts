import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { OPERATOR, OPERATOR_NAMESPACE } from '../support/operator.ts';
import { describeRequest, requestsOfOperator } from './audit-log.ts';
import { type Kill, Killer, operatorPod } from './killer.ts';
import { PATIENCE_MS } from './shop.ts';
import { useShop } from './story.ts';
import { expectNoFailure } from './verdict.ts';

describe('An operator that is killed after each of its writes', function () {
  this.timeout(4 * PATIENCE_MS);
  const shop = useShop('story-restart');
  let kills: readonly Kill[] = [];
  let podUid = '';
  let transitions = 0;
  let killer: Killer | undefined;

  // A test that failed must not leave somebody with a gun.
  after(async () => void (await killer?.stop()));

  it('brings the adoption and the release to their end all the same', async () => {
    await shop().open();
    transitions = (await lease()).leaseTransitions;
    killer = await Killer.start(shop().stage, 'story-restart');
    podUid = killer.podUid;
    await shop().adopt();
    await shop().setVersion('v2');
    await shop().ends('r2', 'Committed', 3 * PATIENCE_MS);
    kills = await killer.stop();
    console.log(`      killed ${kills.length} times, after ${shop().writes().length} writes: ${summary()}`);
    expect(kills.length).to.be.greaterThan(20);
  });

  it('ends where it would have ended without: one switch, one Job, one revision more, every pod ready', async () => {
    const { status } = shop();
    expect(status.active).to.deep.include({ color: 'green', revision: 'r2', ready: 3, desired: 3 });
    // A pod more stands there while old pods are replaced.
    expect(status.standby).to.deep.include({ color: 'blue', revision: 'r1' });
    expect(status.standby?.ready).to.be.within(3, 4);
    expect(status.standby?.desired).to.be.within(3, 4);
    expect(status.rejected).to.equal(undefined);
    expect(
      shop()
        .switches()
        .map(({ mark, color }) => `${mark?.direction} to ${color}`),
    ).to.deep.equal(['Forward to blue', 'Forward to green']);
    const namesOf = async (kind: string): Promise<string[]> =>
      (await shop().json(kind)).items.map(({ metadata }: any) => metadata.name).sort();
    expect(await namesOf('jobs')).to.deep.equal(['shop-smoke-2']);
    expect(await namesOf('controllerrevisions')).to.deep.equal(['shop-r1', 'shop-r2']);
  });

  it('stands as the same pod, restarted in place', async () => {
    const restarts = await eventually('waiting for the operator to be ready', PATIENCE_MS, async () => {
      const { metadata, status } = await operatorPod(shop().stage);
      const [container] = status.containerStatuses;
      return container.ready && metadata.uid === podUid ? container.restartCount : undefined;
    });
    expect(restarts).to.be.at.least(kills.length);
  });

  it('takes its lease back at the first look, because its name is that of its pod', async () => {
    const { holderIdentity, leaseTransitions } = await lease();
    expect(holderIdentity).to.contain(podUid);
    expect(leaseTransitions).to.equal(transitions);
    await eventually('waiting for the last process to have the lease', PATIENCE_MS, () =>
      leaseRequestsUntilHeld(kills.at(-1)?.at ?? 0) === '' ? undefined : true,
    );
    const looks = kills.map(({ at }) => leaseRequestsUntilHeld(at));
    expect([...new Set(looks)]).to.deep.equal(['get, update']);
  });

  it('has cost no request', async () => {
    await expectNoFailure(shop());
  });

  /** How often it was killed after what. */
  function summary(): string {
    const counts = new Map<string, number>();
    for (const { after } of kills) {
      const text = describeRequest(after);
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    return [...counts].map(([text, count]) => `${count} x ${text}`).join(', ');
  }

  async function lease(): Promise<{ holderIdentity: string; leaseTransitions: number }> {
    const args = ['get', 'lease', OPERATOR, '-n', OPERATOR_NAMESPACE, '-o', 'jsonpath={.spec}'];
    return JSON.parse(await shop().stage.target.kubectl(args));
  }

  /** What the next process asked for, up to its first write of the lease. */
  function leaseRequestsUntilHeld(killedAt: number): string {
    const verbs = requestsOfOperator(shop().stage.cluster.auditLog)
      .filter(({ resource, verb, at }) => resource === 'leases' && verb !== 'watch' && at > killedAt)
      .map(({ verb }) => verb);
    return verbs.slice(0, verbs.indexOf('update') + 1).join(', ');
  }
});

import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { LEASES, type Lease } from '../../../src/kube/types.ts';
import { auditLines, requestsIn } from '../../e2e/audit-log.ts';
import type { Asked } from '../../faults/asked.ts';
import { type FaultProxy, startFaultProxy } from '../../faults/proxy.ts';
import { switchesIn } from '../../support/audit.ts';
import { eventually } from '../../support/eventually.ts';
import type { OperatorProcess } from './process.ts';
import { history, SHOP, type Shop } from './shop.ts';
import { NAMESPACE, World } from './world.ts';

/** A process, and how the audit log knows it. */
interface Replica {
  readonly name: string;
  readonly authorization: string;
  readonly process: OperatorProcess;
}

const isProductionPatch = ({ verb, resource, name }: Asked): boolean =>
  verb === 'patch' && resource === 'services' && name === SHOP;

describe('Replicas of the operator, real processes against a real API server', function () {
  this.timeout(600_000);
  let world: World;
  let proxy: FaultProxy;
  let shops: Shop[];

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    world = await World.start();
    await world.useBundle();
    proxy = await startFaultProxy(world.cluster);
  });
  after(async () => {
    await world?.stop();
    await proxy?.stop();
  });

  async function replica(name: string, ...args: string[]): Promise<Replica> {
    const kubeconfig = await proxy.kubeconfig(await world.replica(name));
    const { users } = JSON.parse(await readFile(kubeconfig, 'utf8'));
    const namespaces = shops.flatMap(({ namespace }) => ['--namespace', namespace]);
    const elected = ['--identity', name, '--lease-namespace', NAMESPACE, ...args, ...namespaces];
    return {
      name,
      authorization: `Bearer ${users[0].user.token}`,
      process: world.spawnOperator(kubeconfig, ...elected),
    };
  }

  async function openShops(count: number): Promise<void> {
    shops = await Promise.all(Array.from({ length: count }, () => world.shop()));
    await Promise.all(shops.map((shop) => shop.release()));
  }

  const settle = (revision: string): Promise<unknown> =>
    Promise.all(shops.map((shop) => shop.settledOn(revision)));

  async function release(version: string, revision: string): Promise<void> {
    await Promise.all(shops.map((shop) => shop.version(version)));
    await settle(revision);
  }

  /** The next of them to switch a Service is killed when that is done, before it hears of it. */
  function killWhoSwitchesNext(replicas: readonly Replica[]): Promise<Replica> {
    return new Promise((resolve) => {
      proxy.onAnswer = async ({ authorization, ...asked }, status) => {
        const who = replicas.find((each) => each.authorization === authorization && each.process.running);
        if (who === undefined || status !== 200 || !isProductionPatch({ authorization, ...asked })) return;
        proxy.onAnswer = () => undefined;
        await who.process.end('SIGKILL');
        resolve(who);
      };
    });
  }

  /** Who wrote to each shop since then, by the audit log. */
  function writersSince(at: number): Map<string, Set<string>> {
    const writers = new Map(shops.map(({ namespace }) => [namespace, new Set<string>()]));
    const replicas = `system:serviceaccount:${NAMESPACE}:`;
    for (const request of requestsIn(auditLines(world.cluster.auditLog))) {
      const writes = ['create', 'update', 'patch', 'delete'].includes(request.verb) && !request.isDryRun;
      if (writes && request.at >= at && request.resource !== 'events' && request.user.startsWith(replicas))
        writers.get(request.namespace)?.add(request.user.slice(replicas.length));
    }
    return writers;
  }

  function expectOneSwitchEach(...revisions: string[]): void {
    const lines = auditLines(world.cluster.auditLog);
    for (const { namespace } of shops) {
      const switches = switchesIn(lines, { namespace, name: SHOP });
      const marks = switches.map(({ mark }) => `${mark?.direction} ${mark?.revision}`);
      expect(marks, namespace).to.deep.equal(revisions.map((revision) => `Forward ${revision}`));
    }
  }

  it('with one Lease: the standby finishes the release whose leader is killed in mid-switch', async () => {
    await openShops(3);
    const leader = await replica('leader');
    await leader.process.isWorking();
    await settle('r1');
    const standby = await replica('standby');
    await eventually(
      'the standby to see who leads',
      90_000,
      () => standby.process.said('the Lease has a holder') || undefined,
    );
    const killed = killWhoSwitchesNext([leader, standby]);
    await release('v2', 'r2');
    expect((await killed).name).to.equal('leader');
    expectOneSwitchEach('r1', 'r2');
    for (const shop of shops)
      expect(history(await shop.read())).to.deep.equal(['r1 Committed', 'r2 Committed']);
    await standby.process.end('SIGTERM');
    expect(standby.process.exitCode).to.equal(0);
  });

  it('with --shards share the releases, take the share of one that is killed, and never handle one twice at rest', async () => {
    await openShops(9);
    const replicas = await Promise.all(['a', 'b', 'c'].map((name) => replica(`shard-${name}`, '--shards=3')));
    await settle('r1');
    const holders = async (): Promise<string[]> => {
      const leases = await world.client.list<Lease>(LEASES, {
        namespace: NAMESPACE,
        labelSelector: 'bluegreen.dev/shards=bluegreen-operator-of-3',
      });
      return leases.map(({ spec }) => spec.holderIdentity ?? '').sort((a, b) => a.localeCompare(b));
    };
    const heldBy = (expected: string[]): Promise<true> =>
      eventually(`the shards to be held by ${expected.join(', ')}`, 120_000, async () => {
        return String(await holders()) === String(expected) || undefined;
      });
    await heldBy(['shard-a', 'shard-b', 'shard-c']);

    const calm = Date.now();
    await release('v2', 'r2');
    const writers = writersSince(calm);
    for (const [namespace, names] of writers) expect([...names], namespace).to.have.length(1);
    expect(new Set([...writers.values()].flatMap((names) => [...names])).size).to.be.at.least(2);

    const first = killWhoSwitchesNext(replicas);
    await release('v3', 'r3');
    const left = replicas.filter(({ process }) => process.running);
    expect(left).to.have.length(2);
    expect(left.map(({ name }) => name)).to.not.include((await first).name);

    const second = killWhoSwitchesNext(left);
    await release('v4', 'r4');
    const [last] = left.filter(({ process }) => process.running);
    expect(last?.name).to.not.equal((await second).name);
    await heldBy([last!.name, last!.name, last!.name]);

    const alone = Date.now();
    await release('v5', 'r5');
    for (const [namespace, names] of writersSince(alone))
      expect([...names], namespace).to.deep.equal([last?.name]);
    expectOneSwitchEach('r1', 'r2', 'r3', 'r4', 'r5');

    await last!.process.end('SIGTERM');
    expect((await holders()).filter(Boolean)).to.deep.equal([]);
  });
});

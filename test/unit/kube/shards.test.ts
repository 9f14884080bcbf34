import { expect } from 'chai';
import { plainEndpoint } from '../../../src/kube/endpoint.ts';
import { createShards, hash, type Shards } from '../../../src/kube/shards.ts';
import { createKubeClient, type KubeTransport } from '../../../src/kube/transport.ts';
import { type FakeServer, startServer } from './server.ts';
import { eventually, memoryLog, type VirtualClock, virtualClock } from './support.ts';

const COUNT = 4;

describe('shards', function () {
  // It waits for what must come; on a busy machine that takes longer.
  this.timeout(60_000);

  let server: FakeServer;
  let transport: KubeTransport;
  let clock: VirtualClock;
  let busy: number;
  let replicas: Map<string, Shards>;
  let said: string[];

  beforeEach(async () => {
    server = await startServer();
    clock = virtualClock();
    transport = createKubeClient({ endpoint: plainEndpoint(server.url), random: () => 0 });
    busy = 0;
    replicas = new Map();
    said = [];
  });
  afterEach(async () => {
    await transport.close();
    await Promise.all([...replicas.values()].map((replica) => replica.stop()));
    await server.close();
  });

  async function count<T>(call: Promise<T>): Promise<T> {
    busy += 1;
    return call.finally(() => {
      busy -= 1;
    });
  }

  /** A client that can be cut off, as by the death of its process. */
  function replica(identity: string): { shards: Shards; die(): void } {
    let dead = false;
    const call = <T>(made: () => Promise<T>): Promise<T> =>
      dead ? Promise.reject(new Error('dead')) : count(made());
    const shards = createShards({
      client: {
        ...transport,
        get: (...args) => call(() => transport.get(...args)),
        create: (...args) => call(() => transport.create(...args)),
        replace: (...args) => call(() => transport.replace(...args)),
        patch: (...args) => call(() => transport.patch(...args)),
      },
      namespace: 'system',
      name: 'operator',
      domain: 'bluegreen.dev',
      identity,
      count: COUNT,
      onGained: (shard) => said.push(`${identity} gained ${shard}`),
      onGivenAway: (shard) => said.push(`${identity} gave ${shard} away`),
      onLost: (shard) => said.push(`${identity} lost ${shard}`),
      log: memoryLog(),
      clock,
      random: () => 0.5,
    });
    replicas.set(identity, shards);
    shards.start();
    return {
      shards,
      die() {
        dead = true;
      },
    };
  }

  /** Moves on until it holds; no shard ever has two holders on the way. */
  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await eventually(() => busy === 0);
      await clock.advance(250);
      const held = [...replicas.values()].flatMap((shards) => shards.held);
      expect(held).to.have.length(new Set(held).size);
    }
  }

  const keyOf = (shard: number): string => {
    let index = 0;
    while (hash(`k${index}`) % COUNT !== shard) index += 1;
    return `k${index}`;
  };
  const sizes = (): number[] => [...replicas.values()].map((shards) => shards.held.length);
  const total = (): number => sizes().reduce((sum, size) => sum + size, 0);

  it('are all held by one where there is one', async () => {
    replica('a');
    await until(() => total() === COUNT);
    expect(replicas.get('a')?.held).to.deep.equal([0, 1, 2, 3]);
    expect(said.sort()).to.deep.equal(['a gained 0', 'a gained 1', 'a gained 2', 'a gained 3']);
  });

  it('are shared evenly by those who start together', async () => {
    replica('a');
    replica('b');
    await until(() => total() === COUNT && sizes().every((size) => size === 2));
  });

  it('are given to a replica that comes later, and then rest', async () => {
    const first = replica('a');
    await until(() => total() === COUNT);
    const second = replica('b');
    await until(() => second.shards.held.length === 2 && first.shards.held.length === 2);
    expect(said.filter((line) => line.endsWith('away'))).to.have.length(2);
    const before = said.length;
    const at = clock.monotonic();
    await until(() => clock.monotonic() > at + 60_000);
    expect(said).to.have.length(before);
  });

  it('of a replica that dies are taken over by the others', async () => {
    replica('a');
    const second = replica('b');
    await until(() => total() === COUNT && sizes().every((size) => size === 2));
    second.die();
    replicas.delete('b');
    const at = clock.monotonic();
    await until(() => total() === COUNT);
    expect(clock.monotonic() - at).to.be.below(25_000);
    await second.shards.stop();
  });

  it('of a replica that stops are free at once', async () => {
    replica('a');
    const second = replica('b');
    await until(() => total() === COUNT && sizes().every((size) => size === 2));
    const at = clock.monotonic();
    const stopped = second.shards.stop();
    replicas.delete('b');
    await stopped;
    await until(() => total() === COUNT);
    expect(clock.monotonic() - at).to.be.below(12_000);
  });

  it('give every key to one replica', async () => {
    replica('a');
    replica('b');
    await until(() => total() === COUNT && sizes().every((size) => size === 2));
    for (let index = 0; index < 200; index += 1) {
      const owners = [...replicas.values()].filter((shards) => shards.owns(`shop/release-${index}`));
      expect(owners).to.have.length(1);
    }
  });

  it('are not given away while work on them is under way, and take up nothing new', async () => {
    const first = replica('a');
    await until(() => total() === COUNT);
    const release: (() => void)[] = [];
    const works = [0, 1, 2, 3].map((shard) =>
      first.shards.within(
        keyOf(shard),
        () => new Promise<string>((resolve) => release.push(() => resolve('done'))),
      ),
    );
    const second = replica('b');
    await until(() => first.shards.held.length === 3);
    const [yielding] = [0, 1, 2, 3].filter((shard) => !first.shards.held.includes(shard));
    expect(await first.shards.within(keyOf(yielding!), () => Promise.resolve('never'))).to.equal(undefined);
    expect(second.shards.held).to.deep.equal([]);
    for (const end of release) end();
    expect(await Promise.all(works)).to.deep.equal(['done', 'done', 'done', 'done']);
    await until(() => second.shards.held.length === 2);
  });

  it('stay where work on them does not end, and take work up again', async () => {
    const first = replica('a');
    await until(() => total() === COUNT);
    let release: () => void = () => undefined;
    const stuck = new Promise<string>((resolve) => {
      release = () => resolve('done');
    });
    const works = Array.from({ length: COUNT }, (_, shard) => first.shards.within(keyOf(shard), () => stuck));
    replica('b');
    await until(() => first.shards.held.length === COUNT - 1);
    const yielding = [0, 1, 2, 3].find((shard) => !first.shards.held.includes(shard));
    said.length = 0;
    await until(() => first.shards.held.length === COUNT);
    expect(said).to.deep.equal([`a gained ${yielding}`]);
    release();
    expect(await Promise.all(works)).to.deep.equal(['done', 'done', 'done', 'done']);
  });

  it('spread keys evenly', () => {
    const sizesOf = new Map<number, number>();
    for (let index = 0; index < 10_000; index += 1) {
      const shard = hash(`team-${index % 40}/release-${index}`) % 5;
      sizesOf.set(shard, (sizesOf.get(shard) ?? 0) + 1);
    }
    for (const size of sizesOf.values()) expect(size).to.be.within(1_800, 2_200);
  });

  it('put a key where every version of the operator puts it', () => {
    expect(['shop/checkout', 'shop/cart', ''].map(hash)).to.deep.equal([
      111_375_648, 1_577_026_886, 2_166_202_364,
    ]);
  });
});

import { expect } from 'chai';
import { plainEndpoint } from '../../../src/kube/endpoint.ts';
import { createLeaderElection, type LeaderElection, type LeaderOptions } from '../../../src/kube/leader.ts';
import { createKubeClient, type KubeTransport } from '../../../src/kube/transport.ts';
import type { LeaseSpec } from '../../../src/kube/types.ts';
import { type FakeServer, type SeenRequest, startServer } from './server.ts';
import { eventually, memoryLog, type VirtualClock, virtualClock } from './support.ts';

describe('leader election', function () {
  // It waits for what must come; on a busy machine that takes longer.
  this.timeout(60_000);

  let server: FakeServer;
  let transport: KubeTransport;
  let client: LeaderOptions['client'];
  let busy: number;
  /** The server answers nothing any more. */
  let mute: boolean;
  let clock: VirtualClock;
  let said: string[];
  let elections: LeaderElection[];

  function candidate(identity: string, options: Partial<LeaderOptions> = {}): LeaderElection {
    const election = createLeaderElection({
      client,
      namespace: 'system',
      name: 'operator',
      identity,
      onLeading: () => said.push(`${identity} leads`),
      onLost: (reason) => said.push(`${identity} lost: ${reason}`),
      log: memoryLog(),
      clock,
      random: () => 0,
      ...options,
    });
    elections.push(election);
    election.start();
    return election;
  }

  const lease = (): LeaseSpec => server.object('leases', 'operator', 'system')?.spec ?? {};
  const put = (spec: LeaseSpec): unknown =>
    server.put('leases', { metadata: { namespace: 'system', name: 'operator' }, spec } as never);
  const isLeaseWrite = (request: SeenRequest): boolean => request.method !== 'GET';
  /** Moves on in steps, none before what was asked of the server is answered, until it holds. */
  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await eventually(() => busy === 0 || mute);
      await clock.advance(500);
    }
  }
  function counting(): LeaderOptions['client'] {
    const count = async <T>(call: Promise<T>): Promise<T> => {
      busy += 1;
      return call.finally(() => {
        busy -= 1;
      });
    };
    const rest: LeaderOptions['client'] = { ...transport };
    delete rest.watch;
    return {
      ...rest,
      get: (...args) => count(transport.get(...args)),
      create: (...args) => count(transport.create(...args)),
      replace: (...args) => count(transport.replace(...args)),
    };
  }

  beforeEach(async () => {
    server = await startServer();
    clock = virtualClock();
    transport = createKubeClient({ endpoint: plainEndpoint(server.url), random: () => 0 });
    busy = 0;
    mute = false;
    client = counting();
    said = [];
    elections = [];
  });
  afterEach(async () => {
    await transport.close();
    await Promise.all(elections.map((election) => election.stop()));
    await server.close();
  });

  it('makes the lease, with times of exactly six fractional digits', async () => {
    candidate('a');
    await eventually(() => said.length === 1);
    expect(said).to.deep.equal(['a leads']);
    expect(lease()).to.deep.equal({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2030-01-01T00:00:00.000000Z',
      renewTime: '2030-01-01T00:00:00.000000Z',
      leaseTransitions: 0,
    });
  });

  it('renews every two seconds, with one request each', async () => {
    const election = candidate('a');
    await eventually(() => election.leading);
    const before = server.requests.length;
    await until(() => server.requests.length === before + 3);
    expect(server.requests.slice(before).map((request) => request.method)).to.deep.equal([
      'PUT',
      'PUT',
      'PUT',
    ]);
    expect(lease().renewTime).to.not.equal(lease().acquireTime);
    expect(election.leading).to.equal(true);
  });

  it('waits for another’s lease to expire by its own clock, whatever times the lease holds', async () => {
    put({
      holderIdentity: 'other',
      leaseDurationSeconds: 15,
      renewTime: '1999-01-01T00:00:00.000000Z',
      leaseTransitions: 4,
    });
    const election = candidate('a');
    await until(() => clock.monotonic() >= 14_000);
    expect(election.leading).to.equal(false);
    expect(election.holder).to.equal('other');
    await until(() => election.leading);
    expect(clock.monotonic()).to.be.within(15_000, 16_500);
    expect(lease().leaseTransitions).to.equal(5);
  });

  it('does not take the lease of one who renews', async () => {
    put({ holderIdentity: 'other', leaseDurationSeconds: 15 });
    const election = candidate('a');
    for (let renewal = 0; renewal < 6; renewal += 1) {
      await until(() => clock.monotonic() >= renewal * 10_000);
      put({ holderIdentity: 'other', leaseDurationSeconds: 15, renewTime: `renewal ${renewal}` });
    }
    expect(election.leading).to.equal(false);
    expect(lease().holderIdentity).to.equal('other');
  });

  it('counts from the hold that its watch told of, not from its next look at it', async () => {
    put({ holderIdentity: 'other', leaseDurationSeconds: 15, renewTime: 'first' });
    // Its looks are 4.4 seconds apart: one at 4.4 would be the first to show what was written at 0.5.
    const election = candidate('a', {
      client: { ...client, watch: (...args) => transport.watch(...args) },
      random: () => 1,
    });
    await eventually(() => server.watches === 1 && election.holder === 'other');
    await until(() => clock.monotonic() >= 500);
    put({ holderIdentity: 'third', leaseDurationSeconds: 15 });
    await eventually(() => election.holder === 'third');
    await until(() => election.leading);
    expect(clock.monotonic()).to.be.within(15_500, 16_000);
  });

  it('takes its own lease back at once: its container was restarted', async () => {
    put({ holderIdentity: 'a', leaseDurationSeconds: 15, acquireTime: 'then', leaseTransitions: 2 });
    const election = candidate('a');
    await eventually(() => election.leading);
    expect(clock.monotonic()).to.equal(0);
    expect(lease().acquireTime).to.equal('then');
    expect(lease().leaseTransitions).to.equal(2);
  });

  it('gives the lease up when it stops, and the next one has it without a wait', async () => {
    const first = candidate('a');
    await eventually(() => first.leading);
    const second = candidate('b', { client: { ...client, watch: (...args) => transport.watch(...args) } });
    await eventually(() => server.watches === 1 && second.holder === 'a');
    await first.stop();
    await eventually(() => second.leading);
    expect(clock.monotonic()).to.equal(0);
    expect(said).to.deep.equal(['a leads', 'b leads']);
    expect(lease().leaseTransitions).to.equal(1);
  });

  it('does not give up a lease that it does not hold', async () => {
    put({ holderIdentity: 'other', leaseDurationSeconds: 15 });
    const election = candidate('a');
    await eventually(() => election.holder === 'other');
    await election.stop();
    expect(lease().holderIdentity).to.equal('other');
    expect(said).to.deep.equal([]);
  });

  it('is lost when it cannot be renewed, before another may take it', async () => {
    const election = candidate('a');
    await eventually(() => election.leading);
    server.fail(() => true, { kind: 'never answers' }, 1_000);
    mute = true;
    await until(() => said.length === 2);
    expect(said).to.deep.equal(['a leads', 'a lost: the lease was not renewed for 10000 ms']);
    expect(clock.monotonic()).to.be.below(15_000);
    expect(election.leading).to.equal(false);
  });

  it('stops to believe in its lease by the clock, also where no timer came to fire', async () => {
    let ahead = 0;
    const election = candidate('a', { clock: { ...clock, monotonic: () => clock.monotonic() + ahead } });
    await eventually(() => election.leading);
    ahead = 10_000;
    expect(election.leading).to.equal(false);
  });

  it('survives failures that are shorter than its deadline', async () => {
    const election = candidate('a');
    await eventually(() => election.leading);
    server.fail(isLeaseWrite, { kind: 'status', status: 500 }, 12);
    const before = server.requests.length;
    await until(() => server.requests.length > before + 14);
    expect(said).to.deep.equal(['a leads']);
    expect(election.leading).to.equal(true);
  });

  it('goes on where the answer of a renewal was lost', async () => {
    const election = candidate('a');
    await eventually(() => election.leading);
    server.fail(isLeaseWrite, { kind: 'answer lost' }, 1);
    const before = server.requests.length;
    await until(() => server.requests.length >= before + 5);
    expect(said).to.deep.equal(['a leads']);
    expect(election.leading).to.equal(true);
  });

  it('is lost when another wrote itself into the lease', async () => {
    const election = candidate('a');
    await eventually(() => election.leading);
    put({ holderIdentity: 'thief', leaseDurationSeconds: 15 });
    await until(() => said.length === 2);
    expect(said[1]).to.equal('a lost: another holds the lease: thief');
    await election.stop();
    expect(lease().holderIdentity).to.equal('thief');
  });

  it('makes the lease again where someone deleted it', async () => {
    const election = candidate('a');
    await eventually(() => election.leading);
    server.remove('leases', 'operator', 'system');
    await until(() => lease().holderIdentity === 'a');
    expect(said).to.deep.equal(['a leads']);
  });

  it('has one leader at a time among five, whoever dies', async () => {
    const five = ['a', 'b', 'c', 'd', 'e'].map((identity) => ({ identity, election: candidate(identity) }));
    const order: string[] = [];
    while (five.length > 0) {
      await until(() => five.some(({ election }) => election.leading));
      const leaders = five.filter(({ election }) => election.leading);
      expect(leaders).to.have.length(1);
      const [leader] = leaders;
      order.push(leader!.identity);
      five.splice(five.indexOf(leader!), 1);
      await leader!.election.stop();
    }
    expect(order.sort()).to.deep.equal(['a', 'b', 'c', 'd', 'e']);
    expect(lease().leaseTransitions).to.equal(4);
  });

  it('refuses times that would let two lead', () => {
    expect(() => candidate('a', { leaseMs: 10_000, renewDeadlineMs: 10_000 })).to.throw(
      'leader election needs leaseMs > renewDeadlineMs > retryMs',
    );
  });
});

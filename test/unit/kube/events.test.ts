import { expect } from 'chai';
import { plainEndpoint } from '../../../src/kube/endpoint.ts';
import { createEventRecorder, type EventInput, type EventRecorder } from '../../../src/kube/events.ts';
import { createKubeClient, type KubeTransport } from '../../../src/kube/transport.ts';
import type { Event } from '../../../src/kube/types.ts';
import { type FakeServer, startServer } from './server.ts';
import { eventually, memoryLog, settle, type VirtualClock, virtualClock } from './support.ts';

const SWITCHED: EventInput = {
  regarding: {
    apiVersion: 'bluegreen.dev/v1alpha1',
    kind: 'BlueGreenRelease',
    namespace: 'shop',
    name: 'checkout',
    uid: 'u1',
  },
  type: 'Normal',
  reason: 'Switched',
  action: 'Switch',
  note: 'All traffic is on green.',
};

describe('an event recorder', function () {
  // It waits for what must come; on a busy machine that takes longer.
  this.timeout(60_000);

  let server: FakeServer;
  let client: KubeTransport;
  let clock: VirtualClock;
  let log: ReturnType<typeof memoryLog>;
  let recorder: EventRecorder;
  let names: number;

  const written = (): Event[] =>
    server.requests.filter((request) => request.method === 'POST').map((request) => request.body);
  const patches = (): unknown[] =>
    server.requests.filter((request) => request.method === 'PATCH').map((request) => request.body);

  beforeEach(async () => {
    server = await startServer();
    client = createKubeClient({ endpoint: plainEndpoint(server.url), random: () => 0 });
    clock = virtualClock();
    log = memoryLog();
    names = 0;
    recorder = createEventRecorder({
      client,
      controller: 'bluegreen.dev/operator',
      instance: 'operator-0',
      log,
      clock,
      random() {
        names += 1;
        return names / 0x1_0000_0000;
      },
    });
  });
  afterEach(async () => {
    await client.close();
    await recorder.stop();
    await server.close();
  });

  it('writes an event as events.k8s.io/v1 has it', async () => {
    recorder.record(SWITCHED);
    await eventually(() => written().length === 1);
    expect(server.requests[0]?.path).to.equal('/apis/events.k8s.io/v1/namespaces/shop/events');
    expect(written()[0]).to.deep.equal({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: `checkout.${clock.now().toString(16)}1`, namespace: 'shop' },
      eventTime: '2030-01-01T00:00:00.000000Z',
      type: 'Normal',
      reason: 'Switched',
      action: 'Switch',
      note: 'All traffic is on green.',
      regarding: SWITCHED.regarding,
      reportingController: 'bluegreen.dev/operator',
      reportingInstance: 'operator-0',
    });
  });

  it('makes a series of what is repeated, and writes its count once a minute', async () => {
    for (let time = 0; time < 10; time += 1) recorder.record(SWITCHED);
    await eventually(() => written().length === 1);
    await clock.advance(60_000);
    await eventually(() => patches().length === 1);
    expect(patches()).to.deep.equal([
      { series: { count: 10, lastObservedTime: '2030-01-01T00:00:00.000000Z' } },
    ]);
    await clock.advance(120_000);
    expect(patches()).to.have.length(1);
    expect(written()).to.have.length(1);
  });

  it('begins a new event after a series was silent for six minutes, and then has no timer', async () => {
    recorder.record(SWITCHED);
    await eventually(() => written().length === 1);
    await clock.advance(360_000);
    expect(clock.pending).to.deep.equal([]);
    recorder.record(SWITCHED);
    await eventually(() => written().length === 2);
  });

  it('makes the event again where it has expired on the server', async () => {
    recorder.record(SWITCHED);
    await eventually(() => written().length === 1);
    server.remove('events', written()[0]!.metadata.name, 'shop');
    recorder.record(SWITCHED);
    await clock.advance(60_000);
    await eventually(() => written().length === 2);
    expect(written()[1]?.series?.count).to.equal(2);
  });

  it('keeps events that say different things apart', async () => {
    recorder.record(SWITCHED);
    recorder.record({ ...SWITCHED, note: 'All traffic is on blue.' });
    await eventually(() => written().length === 2);
  });

  it('cuts an object short that has too much to tell, and no other', async () => {
    for (let time = 0; time < 40; time += 1) recorder.record({ ...SWITCHED, note: `step ${time}` });
    recorder.record({ ...SWITCHED, regarding: { ...SWITCHED.regarding, uid: 'u2' } });
    await eventually(() => written().length === 26);
    expect(recorder.dropped).to.equal(15);
    await clock.advance(300_000);
    recorder.record({ ...SWITCHED, note: 'step 41' });
    await eventually(() => written().length === 27);
  });

  it('lets a warning through where too much was told of what went well', async () => {
    for (let time = 0; time < 30; time += 1)
      recorder.record({ ...SWITCHED, type: 'Normal', note: `step ${time}` });
    recorder.record({ ...SWITCHED, type: 'Warning', note: 'going back' });
    await eventually(() => written().length === 26);
    expect(written().map(({ note }) => note)).to.include('going back');
  });

  it('tells of what went well ten times a second, and of what did not before all of that', async () => {
    const of = (index: number): EventInput => ({
      ...SWITCHED,
      regarding: { ...SWITCHED.regarding, uid: `u${index}` },
      note: `of ${index}`,
    });
    for (let index = 0; index < 40; index += 1) recorder.record(of(index));
    await eventually(() => written().length === 26);
    await settle(20);
    recorder.record({ ...of(7), type: 'Warning', note: 'going back' });
    await clock.advance(100);
    await eventually(() => written().length >= 28);
    expect(
      written()
        .map(({ note }) => note)
        .slice(25),
    ).to.deep.equal(['of 25', 'going back', 'of 26']);
    await clock.advance(1_300);
    await eventually(() => written().length === 41);
  });

  it('cuts a note at 1 KiB, not inside a character', async () => {
    recorder.record({ ...SWITCHED, note: 'ü'.repeat(1_000) });
    recorder.record({ ...SWITCHED, note: 'x'.repeat(1_024) });
    await eventually(() => written().length === 2);
    const [cut, whole] = written();
    expect(Buffer.byteLength(cut!.note!)).to.equal(1_023);
    expect(cut?.note).to.equal(`${'ü'.repeat(510)}…`);
    expect(whole?.note).to.have.length(1_024);
  });

  it('neither waits nor throws where the server refuses, and says so', async () => {
    server.fail(() => true, { kind: 'status', status: 403 }, 1);
    recorder.record(SWITCHED);
    recorder.record({ ...SWITCHED, note: 'the next one goes through' });
    await eventually(() => server.requests.length === 2);
    await settle(20);
    expect(recorder.dropped).to.equal(1);
    expect(log.lines[0]?.message).to.equal('could not write an event');
  });

  it('does not throw over what is no event', () => {
    recorder.record(undefined as never);
  });

  it('drops what its queue has no room for', async () => {
    server.fail(() => true, { kind: 'never answers' }, 1);
    for (let index = 0; index < 4_200; index += 1) {
      recorder.record({ ...SWITCHED, regarding: { ...SWITCHED.regarding, uid: `u${index}` } });
    }
    expect(recorder.dropped).to.equal(4_200 - 4_096);
  });

  it('writes what waits when it stops, but not for ever', async () => {
    for (let time = 0; time < 3; time += 1) recorder.record({ ...SWITCHED, note: `step ${time}` });
    recorder.record({ ...SWITCHED, note: 'step 0' });
    await recorder.stop();
    expect(written()).to.have.length(3);
    expect(patches()).to.deep.equal([
      { series: { count: 2, lastObservedTime: '2030-01-01T00:00:00.000000Z' } },
    ]);
    recorder.record(SWITCHED);
    expect(clock.pending).to.deep.equal([]);
  });

  it('gives up a write that does not end when it stops', async () => {
    server.fail(() => true, { kind: 'never answers' }, 5);
    recorder.record(SWITCHED);
    await eventually(() => server.requests.length === 1);
    const stopped = recorder.stop();
    await clock.advance(2_000);
    await stopped;
    expect(recorder.dropped).to.equal(1);
  });
});

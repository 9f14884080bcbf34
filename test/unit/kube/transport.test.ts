import { expect } from 'chai';
import { plainEndpoint } from '../../../src/kube/endpoint.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import type { RequestReport } from '../../../src/kube/http.ts';
import type { Patch, ResourceType, WatchEvent } from '../../../src/kube/ports.ts';
import { createKubeClient, type KubeClientOptions, type KubeTransport } from '../../../src/kube/transport.ts';
import { DEPLOYMENTS, JOBS, SERVICES, type Service } from '../../../src/kube/types.ts';
import { type FakeServer, type SeenRequest, startServer, status } from './server.ts';
import { eventually, rejection, settle, virtualClock } from './support.ts';

const KEY = { namespace: 'shop', name: 'checkout' };
const service = (name = 'checkout'): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'shop', name },
  spec: { selector: { app: 'checkout' } },
});
const SWITCH: Patch = {
  type: 'json',
  operations: [
    { op: 'test', path: '/spec/selector', value: { app: 'checkout' } },
    { op: 'replace', path: '/spec/selector', value: { app: 'checkout', color: 'green' } },
  ],
};
const any = (): boolean => true;
const isWrite = (request: SeenRequest): boolean => request.method !== 'GET';

describe('the client of an API server', function () {
  // It waits for what must come; on a busy machine that takes longer.
  this.timeout(60_000);

  let server: FakeServer;
  let clients: KubeTransport[];

  function client(options: Partial<KubeClientOptions> = {}): KubeTransport {
    // random: 0 takes the waiting out of full jitter.
    const made = createKubeClient({ endpoint: plainEndpoint(server.url), random: () => 0, ...options });
    clients.push(made);
    return made;
  }

  beforeEach(async () => {
    server = await startServer();
    clients = [];
  });
  afterEach(async () => {
    await Promise.all(clients.map((made) => made.close()));
    await server.close();
  });

  describe('speaks plain JSON', () => {
    it('reads an object, and undefined where there is none', async () => {
      server.put('services', service());
      const found = await client().get<Service>(SERVICES, KEY);
      expect(found?.spec.selector).to.deep.equal({ app: 'checkout' });
      expect(await client().get(SERVICES, { namespace: 'shop', name: 'other' })).to.equal(undefined);
    });

    it('does not take an API that is not served for an object that is deleted', async () => {
      const unserved: ResourceType = { ...DEPLOYMENTS, plural: 'unserved' };
      const error = await rejection(client().get(unserved, KEY));
      expect(error).to.be.instanceOf(KubeError);
      expect(error.reason).to.equal('NotFound');
      expect((await rejection(client().delete(unserved, KEY))).reason).to.equal('NotFound');
    });

    it('names itself as the manager of the fields it writes', async () => {
      await client().create(SERVICES, service());
      expect(server.requests[0]?.path).to.equal('/api/v1/namespaces/shop/services');
      expect(Object.fromEntries(server.requests[0]!.query)).to.deep.equal({
        fieldManager: 'bluegreen-operator',
      });
    });

    it('asks a dry run to be strict, and an ordinary write not to be', async () => {
      server.put('services', service());
      await client().patch(SERVICES, KEY, SWITCH, { dryRun: true });
      expect(Object.fromEntries(server.requests[0]!.query)).to.deep.equal({
        fieldManager: 'bluegreen-operator',
        dryRun: 'All',
        fieldValidation: 'Strict',
      });
    });

    it('as the API server writes it, which refuses to patch a ControllerRevision that it would write otherwise', async () => {
      const annotations = { separators: '\u2028\u2029', script: 'a < b && c > d', 9: '', 10: '' };
      await client().create(SERVICES, { ...service(), metadata: { ...service().metadata, annotations } });
      const sent = server.requests[0]?.text ?? '';
      expect(sent).to.contain(
        '"annotations":{"10":"","9":"","script":"a \\u003c b \\u0026\\u0026 c \\u003e d","separators":"\\u2028\\u2029"}',
      );
      expect(JSON.parse(sent).metadata.annotations).to.deep.equal(annotations);
    });

    it('sends each kind of patch under its own content type', async () => {
      server.put('services', service());
      const body = { ...service() };
      await client().patch(SERVICES, KEY, SWITCH);
      await client().patch(SERVICES, KEY, { type: 'merge', body: { metadata: { labels: { a: 'b' } } } });
      await client().patch(SERVICES, KEY, { type: 'apply', body, fieldManager: 'me', force: true });
      expect(server.requests.map((request) => request.headers['content-type'])).to.deep.equal([
        'application/json-patch+json',
        'application/merge-patch+json',
        'application/apply-patch+yaml',
      ]);
      expect(server.requests[2]?.query.get('fieldManager')).to.equal('me');
      expect(server.requests[2]?.query.get('force')).to.equal('true');
    });

    it('addresses subresources', async () => {
      server.put('deployments', { metadata: { namespace: 'shop', name: 'checkout' } });
      await client().patch(
        DEPLOYMENTS,
        KEY,
        { type: 'merge', body: { spec: { replicas: 3 } } },
        { subresource: 'scale' },
      );
      expect(server.requests[0]?.path).to.equal('/apis/apps/v1/namespaces/shop/deployments/checkout/scale');
    });

    it('deletes in the background, since the default for Jobs leaves their pods behind', async () => {
      server.put('jobs', { metadata: { namespace: 'shop', name: 'checkout', uid: 'u1' } });
      await client().delete(JOBS, KEY, { uid: 'u1' });
      expect(server.requests[0]?.body).to.deep.equal({
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        preconditions: { uid: 'u1' },
        propagationPolicy: 'Background',
      });
    });

    it('counts what is already gone, or has since been made anew, as deleted', async () => {
      await client().delete(SERVICES, KEY);
      server.put('services', service());
      await client().delete(SERVICES, KEY, { uid: 'an older one' });
      expect(server.object('services', 'checkout', 'shop')).to.not.equal(undefined);
    });

    for (const name of ['', '.', '..']) {
      it(`refuses to address an object named "${name}": its path would be another one`, async () => {
        const error = await rejection(client().delete(SERVICES, { namespace: 'shop', name }));
        expect(error.reason).to.equal('BadRequest');
        expect(server.requests).to.have.length(0);
      });
    }

    it('refuses to address a namespaced object without its namespace', async () => {
      const error = await rejection(client().get(SERVICES, { name: 'checkout' }));
      expect(error.message).to.equal('request services: services checkout is named without its namespace');
    });
  });

  describe('reports failures', () => {
    it('with the call and the server’s own words', async () => {
      server.put('services', service());
      const stale: Patch = { type: 'json', operations: [{ op: 'test', path: '/spec/selector', value: {} }] };
      const error = await rejection(client().patch(SERVICES, KEY, stale));
      expect(error.reason).to.equal('Invalid');
      expect(error.status).to.equal(422);
      expect(error.message).to.equal(
        'patch services shop/checkout: the server rejected our request due to an error in our request',
      );
    });

    it('without request, answer or headers', async () => {
      const endpoint = plainEndpoint(server.url, { authorization: 'Bearer sesame' });
      server.fail(any, { kind: 'status', status: 500, body: '<html>secret page</html>' }, 100);
      const body = { ...service(), data: { password: 'hunter2' } };
      const error = await rejection(client({ endpoint }).create(SERVICES, body));
      const everything = `${error.stack} ${JSON.stringify(error)} ${error.cause}`;
      expect(everything).to.not.match(/sesame|hunter2|secret page/);
      expect(error.message).to.equal('create services shop/checkout: HTTP 500');
    });

    it('names the reason of each status', async () => {
      const cases: [number, string | undefined, string][] = [
        [409, 'AlreadyExists', 'AlreadyExists'],
        [409, 'Conflict', 'Conflict'],
        [403, 'Forbidden', 'Forbidden'],
        [400, 'BadRequest', 'BadRequest'],
        [410, 'Expired', 'Gone'],
        [504, 'Timeout', 'Timeout'],
        [413, 'RequestEntityTooLarge', 'Other'],
        [503, undefined, 'ServerError'],
      ];
      for (const [code, reason, expected] of cases) {
        server.fail(isWrite, { kind: 'status', status: code, body: status(code, reason, 'no') }, 10);
        const bare: Patch = { type: 'merge', body: {} };
        const error = await rejection(client().patch(SERVICES, KEY, bare));
        expect([code, error.reason]).to.deep.equal([code, expected]);
        server.fail(isWrite, { kind: 'reset' }, 0);
        await server.close();
        server = await startServer();
      }
    });
  });

  describe('tries again', () => {
    it('a read after a reset, a 500 and a 429', async () => {
      server.put('services', service());
      server.fail(any, { kind: 'reset' });
      server.fail(any, { kind: 'status', status: 500 });
      server.fail(any, { kind: 'status', status: 429, retryAfter: '0' });
      expect(await client().get(SERVICES, KEY)).to.not.equal(undefined);
      expect(server.requests).to.have.length(4);
    });

    it('a 429 after the time the server asked for, and not before', async () => {
      const clock = virtualClock();
      server.put('services', service());
      server.fail(any, { kind: 'status', status: 429, retryAfter: '7' });
      const answer = client({ clock }).get(SERVICES, KEY);
      await eventually(() => clock.pending.includes(7_000));
      await clock.advance(6_999);
      expect(server.requests).to.have.length(1);
      await clock.advance(1);
      expect(await answer).to.not.equal(undefined);
    });

    it('not beyond the deadline: a 429 that asks for more than is left is the answer', async () => {
      server.fail(any, { kind: 'status', status: 429, retryAfter: '60' });
      const error = await rejection(client().get(SERVICES, KEY));
      expect(error.reason).to.equal('TooManyRequests');
      expect(error.retryAfterMs).to.equal(60_000);
    });

    it('a switch whose answer was lost, which then reads as a lost race', async () => {
      server.put('services', service());
      server.fail(isWrite, { kind: 'answer lost' });
      const error = await rejection(client().patch(SERVICES, KEY, SWITCH));
      expect(error.reason).to.equal('Invalid');
      expect(server.object('services', 'checkout', 'shop')?.spec).to.deep.equal({
        selector: { app: 'checkout', color: 'green' },
      });
    });

    it('a create whose answer was lost, which then ends in AlreadyExists', async () => {
      server.fail(isWrite, { kind: 'answer lost' });
      expect((await rejection(client().create(SERVICES, service()))).reason).to.equal('AlreadyExists');
      expect(server.object('services', 'checkout', 'shop')).to.not.equal(undefined);
    });

    it('a delete with a uid whose answer was lost, which then is done', async () => {
      server.put('services', { ...service(), metadata: { ...KEY, uid: 'u1' } });
      server.fail(isWrite, { kind: 'answer lost' });
      await client().delete(SERVICES, KEY, { uid: 'u1' });
      expect(server.requests).to.have.length(2);
    });

    it('a write that the server turned away before it looked at it', async () => {
      server.put('services', service());
      server.fail(isWrite, { kind: 'status', status: 429, retryAfter: '0' });
      await client().patch(SERVICES, KEY, { type: 'merge', body: { metadata: { labels: { a: 'b' } } } });
      expect(server.requests).to.have.length(2);
    });

    it('nothing that could be done twice: a bare merge patch, a JSON patch without a test', async () => {
      server.put('services', service());
      server.fail(isWrite, { kind: 'answer lost' }, 2);
      const bare: Patch = { type: 'merge', body: { metadata: { labels: { a: 'b' } } } };
      const blind: Patch = {
        type: 'json',
        operations: [{ op: 'add', path: '/spec/type', value: 'ClusterIP' }],
      };
      expect((await rejection(client().patch(SERVICES, KEY, bare))).reason).to.equal('Network');
      expect((await rejection(client().patch(SERVICES, KEY, blind))).reason).to.equal('Network');
      expect(server.requests).to.have.length(2);
    });

    it('once with fresh credentials after a 401, whatever the call', async () => {
      let token = 'old';
      let current = token;
      const endpoint = {
        ...plainEndpoint(server.url),
        current: async () => ({
          connection: { origin: server.url },
          pathPrefix: '',
          headers: { authorization: `Bearer ${current}` },
        }),
        refresh: () => {
          current = token;
        },
      };
      token = 'new';
      server.put('services', service());
      server.fail(
        (request) => request.headers.authorization === 'Bearer old',
        { kind: 'status', status: 401 },
        9,
      );
      await client({ endpoint }).patch(SERVICES, KEY, { type: 'merge', body: {} });
      expect(server.requests.map((request) => request.headers.authorization)).to.deep.equal([
        'Bearer old',
        'Bearer new',
      ]);
      token = 'old';
      current = 'old';
      expect((await rejection(client({ endpoint }).get(SERVICES, KEY))).reason).to.equal('Unauthorized');
    });

    it('over another connection where the first has died silently', async () => {
      const clock = virtualClock();
      server.put('services', service());
      server.fail(any, { kind: 'never answers' });
      const answer = client({ clock }).get(SERVICES, KEY);
      await eventually(() => server.requests.length === 1);
      await clock.advance(5_000);
      expect(await answer).to.not.equal(undefined);
      expect(server.connections).to.equal(2);
    });
  });

  describe('gives up', () => {
    it('at its deadline, where nothing answers', async () => {
      const clock = virtualClock();
      server.fail(any, { kind: 'never answers' }, 100);
      const failed = rejection(client({ clock }).patch(SERVICES, KEY, { type: 'merge', body: {} }));
      await eventually(() => server.requests.length === 1);
      await clock.advance(15_000);
      const error = await failed;
      expect(error.reason).to.equal('Timeout');
      expect(error.message).to.equal(
        'patch services shop/checkout: no answer within 15000 ms (the server did not answer)',
      );
    });

    it('when the caller does', async () => {
      const abort = new AbortController();
      server.fail(any, { kind: 'never answers' }, 100);
      const failed = rejection(client().get(SERVICES, KEY, { signal: abort.signal }));
      await eventually(() => server.requests.length === 1);
      abort.abort();
      expect((await failed).reason).to.equal('Aborted');
      expect((await rejection(client().get(SERVICES, KEY, { signal: abort.signal }))).reason).to.equal(
        'Aborted',
      );
    });

    it('after some tries where nobody listens, and says so', async () => {
      const endpoint = plainEndpoint('http://127.0.0.1:9');
      const error = await rejection(client({ endpoint }).create(SERVICES, service()));
      expect(error.reason).to.equal('Network');
      expect(error.message).to.equal('create services shop/checkout: connection failed: ECONNREFUSED');
    });
  });

  describe('holds itself back', () => {
    it('to its rate, but never a rescue', async () => {
      const clock = virtualClock();
      const limited = client({ clock, limits: { perSecond: 1, burst: 2 } });
      server.put('services', service());
      await limited.get(SERVICES, KEY);
      await limited.get(SERVICES, KEY);
      const third = limited.get(SERVICES, KEY);
      await limited.patch(SERVICES, KEY, SWITCH, { urgency: 'rescue' });
      expect(server.requests).to.have.length(3);
      await clock.advance(1_000);
      await third;
      expect(server.requests).to.have.length(4);
    });

    it('fails at once what could not go before its deadline, without delaying the next', async () => {
      const limited = client({ limits: { perSecond: 0.001, burst: 1 } });
      await limited.get(SERVICES, KEY);
      const error = await rejection(limited.get(SERVICES, KEY));
      expect(error.message).to.equal('get services shop/checkout: held back by the client-side rate limit');
      expect(error.reason).to.equal('Timeout');
    });

    it('to a number of calls at a time, with places left for a rescue', async () => {
      let release = (): void => undefined;
      const until = new Promise<void>((resolve) => {
        release = resolve;
      });
      const narrow = client({ concurrency: 2 });
      server.put('services', service());
      server.fail((request) => request.method === 'GET', { kind: 'latency', until }, 3);
      const reads = [1, 2, 3].map(() => narrow.get(SERVICES, KEY));
      await eventually(() => server.requests.length === 2);
      await narrow.patch(SERVICES, KEY, SWITCH, { urgency: 'rescue' });
      expect(server.requests.map((request) => request.method)).to.deep.equal(['GET', 'GET', 'PATCH']);
      release();
      await Promise.all(reads);
      expect(server.requests).to.have.length(4);
    });
  });

  describe('keeps its connections', () => {
    it('two at most for a thousand calls in a row: undici gives one back a turn of the event loop after its answer', async () => {
      const one = client({ limits: { perSecond: 1e6, burst: 1e6 } });
      for (let call = 0; call < 1000; call += 1) await one.get(SERVICES, KEY);
      expect(server.connections).to.be.at.most(2);
    });

    it('until its credentials change', async () => {
      let cert = 'first';
      const endpoint = {
        ...plainEndpoint(server.url),
        current: async () => ({ connection: { origin: server.url, cert }, pathPrefix: '', headers: {} }),
      };
      const one = client({ endpoint });
      await one.get(SERVICES, KEY);
      await settle();
      await one.get(SERVICES, KEY);
      expect(server.connections).to.equal(1);
      cert = 'second';
      await settle();
      await one.get(SERVICES, KEY);
      expect(server.connections).to.equal(2);
    });
  });

  it('answers nothing after it was closed, and lets nobody wait', async () => {
    server.fail(any, { kind: 'never answers' }, 9);
    const one = client();
    const failed = rejection(one.get(SERVICES, KEY));
    await eventually(() => server.requests.length === 1);
    await one.close();
    expect((await failed).reason).to.equal('Aborted');
    expect((await rejection(one.get(SERVICES, KEY))).message).to.equal(
      'get services shop/checkout: the client is closed',
    );
    expect(server.requests).to.have.length(1);
  });

  it('tells an observer of each request, tries included', async () => {
    const reports: RequestReport[] = [];
    server.put('deployments', { metadata: { namespace: 'shop', name: 'checkout' } });
    server.fail(any, { kind: 'reset' });
    const observed = client({ observer: { onRequest: (report) => reports.push(report) } });
    await observed.get(DEPLOYMENTS, KEY, { subresource: 'status' });
    expect(reports.map(({ verb, resource, status: code }) => [verb, resource, code])).to.deep.equal([
      ['get', 'deployments/status', 0],
      ['get', 'deployments/status', 200],
    ]);
  });

  describe('lists', () => {
    const fill = (count: number): void => {
      for (let index = 0; index < count; index += 1) server.put('services', service(`s${index}`));
    };

    it('all pages, and each item as a single read would give it', async () => {
      fill(1200);
      const { items, resourceVersion } = await client().readList<Service>(SERVICES, { namespace: 'shop' });
      expect(items).to.have.length(1200);
      expect(items[0]?.kind).to.equal('Service');
      expect(items[0]?.apiVersion).to.equal('v1');
      expect(resourceVersion).to.equal(String(server.resourceVersion));
      expect(server.requests.map((request) => request.query.get('limit'))).to.deep.equal([
        '500',
        '500',
        '500',
      ]);
    });

    it('again and whole where the token of a page has expired', async () => {
      fill(600);
      let pages = 0;
      server.fail(
        (request) => {
          pages += 1;
          // The version of the first page is gone when the second one is asked for.
          if (pages === 2) {
            server.put('services', service('later'));
            server.compact();
          }
          return request.path === '';
        },
        { kind: 'reset' },
      );
      const items = await client().list(SERVICES);
      expect(items).to.have.length(601);
      expect(server.requests.map((request) => request.query.get('limit'))).to.deep.equal([
        '500',
        '500',
        null,
      ]);
    });

    it('anew for whom it hands them to, too: what was deleted between two pages is not in the list', async () => {
      fill(600);
      let pages = 0;
      server.fail(
        (request) => {
          pages += 1;
          if (pages === 2) {
            server.remove('services', 's0', 'shop');
            server.compact();
          }
          return request.path === '';
        },
        { kind: 'reset' },
      );
      let taken: string[] = [];
      const into = (): ((object: Service) => void) => {
        taken = [];
        return ({ metadata }) => void taken.push(metadata.name);
      };
      const { items } = await client().readList<Service>(SERVICES, { into });
      expect(items).to.deep.equal([]);
      expect(taken).to.have.length(599);
      expect(taken).not.to.include('s0');
    });

    it('only metadata where that is enough', async () => {
      await client().readList(SERVICES, { metadataOnly: true });
      expect(server.requests[0]?.headers.accept).to.equal(
        'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json',
      );
    });
  });

  describe('watches', () => {
    async function collect(events: AsyncIterable<WatchEvent<Service>>, seen: string[]): Promise<void> {
      for await (const event of events) {
        seen.push(
          event.type === 'BOOKMARK'
            ? `BOOKMARK ${event.initialEventsEnd}`
            : `${event.type} ${event.object.metadata.name}`,
        );
      }
    }

    it('changes as they come, until the server ends the stream', async () => {
      const seen: string[] = [];
      const done = collect(client().watch<Service>(SERVICES), seen);
      await eventually(() => server.watches === 1);
      server.put('services', service());
      const renamed: Service = { ...service(), spec: { selector: { app: 'grüße' } } };
      server.put('services', renamed);
      server.bookmark();
      server.remove('services', 'checkout', 'shop');
      await eventually(() => seen.length === 4);
      server.endWatches();
      await done;
      expect(seen).to.deep.equal([
        'ADDED checkout',
        'MODIFIED checkout',
        'BOOKMARK false',
        'DELETED checkout',
      ]);
    });

    it('over connections of their own', async () => {
      const one = client();
      await one.get(SERVICES, KEY);
      const done = collect(one.watch<Service>(SERVICES), []);
      await eventually(() => server.watches === 1);
      await one.get(SERVICES, KEY);
      expect(server.connections).to.equal(2);
      server.endWatches();
      await done;
    });

    it('fails with Gone where the version is too old', async () => {
      server.put('services', service());
      server.compact();
      const error = await rejection(collect(client().watch<Service>(SERVICES, { resourceVersion: '5' }), []));
      expect(error.reason).to.equal('Gone');
      expect(error.message).to.equal('watch services: too old resource version');
    });

    it('fails with Network where the stream breaks inside an event', async () => {
      const seen: string[] = [];
      const failed = rejection(collect(client().watch<Service>(SERVICES), seen));
      await eventually(() => server.watches === 1);
      server.put('services', service());
      server.truncateWatches();
      expect((await failed).reason).to.equal('Network');
      expect(seen).to.deep.equal(['ADDED checkout']);
    });

    it('fails with Timeout where nothing comes for too long, counted from the last event', async () => {
      const clock = virtualClock();
      const seen: string[] = [];
      const failed = rejection(collect(client({ clock }).watch<Service>(SERVICES, { idleMs: 1000 }), seen));
      await eventually(() => server.watches === 1);
      await clock.advance(900);
      server.bookmark();
      await eventually(() => seen.length === 1);
      await clock.advance(900);
      expect(server.watches).to.equal(1);
      await clock.advance(100);
      const error = await failed;
      expect(error.reason).to.equal('Timeout');
      expect(error.message).to.equal('watch services: nothing came for 1000 ms');
      await eventually(() => server.watches === 0);
    });

    it('ends its request when its reader leaves', async () => {
      for await (const event of client().watch<Service>(SERVICES, { sendInitialEvents: true })) {
        expect(event).to.deep.equal({ type: 'BOOKMARK', resourceVersion: '100', initialEventsEnd: true });
        break;
      }
      await eventually(() => server.watches === 0);
    });

    it('fails with the server’s words where it is refused', async () => {
      server.streamingList = false;
      const error = await rejection(
        collect(client().watch<Service>(SERVICES, { sendInitialEvents: true }), []),
      );
      expect(error.reason).to.equal('Invalid');
    });
  });
});

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { Cache } from '../../../src/controller/cache.ts';
import type { Scene } from '../../../src/controller/observe.ts';
import { type ScrapeRequest, scrapePod } from '../../../src/controller/scrape.ts';
import type { KubeClient } from '../../../src/kube/ports.ts';
import { eventually, virtualClock } from '../kube/support.ts';

const { signal } = new AbortController();
const controlledBy = (kind: string, uid: string) => [
  { apiVersion: 'apps/v1', kind, name: 'x', uid, controller: true },
];

describe('the metrics of a pod', () => {
  let server: Server;
  let pages: Readonly<Record<string, string>> = {};
  let restarts = 0;
  let clock = virtualClock();

  before(async () => {
    server = createServer((request, response) => {
      const page = pages[request.url ?? ''];
      if (request.url === '/moved') response.writeHead(302, { location: '/metrics' }).end();
      else if (request.url === '/broken')
        response.writeHead(200).write('requests_total 1\n', () => response.destroy());
      else if (request.url === '/silent') return;
      else if (page === undefined) response.writeHead(404).end('requests_total 1\n');
      else response.end(page);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  function scrape(path: string, counter = 'requests_total'): Promise<string> {
    const pod = {
      metadata: { name: 'p', uid: 'pod', ownerReferences: controlledBy('ReplicaSet', 'set') },
      spec: { containers: [{ name: 'app' }] },
      status: { podIP: '127.0.0.1', containerStatuses: [{ restartCount: restarts }, { restartCount: 1 }] },
    };
    const set = { metadata: { name: 's', uid: 'set', ownerReferences: controlledBy('Deployment', 'blue') } };
    const client = { get: () => Promise.resolve(pod), list: () => Promise.resolve([set]) };
    const cache = { deployments: { get: () => ({ metadata: { uid: 'blue' } }) } };
    const { port } = server.address() as AddressInfo;
    const service = { metadata: { name: 'shop' }, spec: { ports: [{ port: 80, targetPort: port }] } };
    const scene = {
      release: { namespace: 'demo', name: 'shop', spec: { workload: {} } },
      services: [service],
    };
    const request: ScrapeRequest = {
      kind: 'Scrape',
      revision: 'r1',
      attempt: 2,
      color: 'blue',
      pod: 'p',
      uid: 'pod',
      asked: { counter, path, idleSeconds: 30 },
    };
    const deps = { client: client as unknown as KubeClient, cache: cache as unknown as Cache, clock };
    return scrapePod(deps, scene as unknown as Scene, request, signal).catch(
      (error: Error) => `Error: ${error.message}`,
    );
  }

  it('say the same as long as no request comes, and something else when a container starts again', async () => {
    pages = { '/metrics': 'requests_total 5\n' };
    const first = await scrape('/metrics');
    expect(await scrape('/metrics')).to.equal(first);
    pages = { '/metrics': 'requests_total 6\n' };
    const second = await scrape('/metrics');
    expect(second).to.not.equal(first);
    restarts = 1;
    expect(await scrape('/metrics')).to.not.equal(second);
  });

  it('may be long', async () => {
    pages = { '/metrics': `${'# a comment\n'.repeat(250_000)}requests_total{path="ä"} 5\n` };
    expect(await scrape('/metrics', 'requests_total{path="ä"}')).to.match(/^5 requests/);
  });

  it('are unknown when they are endless, elsewhere, broken off or not there', async () => {
    pages = { '/endless': '# a comment\n'.repeat(400_000), '/none': '' };
    const answers = [];
    for (const path of ['/endless', '/moved', '/broken', '/gone', '/none']) answers.push(await scrape(path));
    expect(answers).to.deep.equal([
      'Error: its answer is longer than 4 MiB',
      'Error: it answered with status 302',
      'Error: it broke off in the middle of an answer',
      'Error: it answered with status 404',
      'Error: its metrics have no requests_total',
    ]);
  });

  it('are unknown when they do not come within five seconds', async () => {
    clock = virtualClock();
    const answer = scrape('/silent');
    await eventually(() => clock.pending.length > 0);
    expect(clock.pending).to.deep.equal([5000]);
    await clock.advance(5000);
    expect(await answer).to.equal('Error: no answer within 5 seconds');
  });

  it('leave no deadline behind', async () => {
    clock = virtualClock();
    pages = { '/metrics': 'requests_total 5\n' };
    for (const path of ['/metrics', '/broken', '/gone']) await scrape(path);
    expect(clock.pending).to.deep.equal([]);
  });
});

import { once } from 'node:events';
import { connect } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { expect } from 'chai';
import { request } from 'undici';
import { type Handler, type RunningServer, serve, text } from '../../../src/server/http.ts';

describe('the HTTP server for machines', () => {
  const running: RunningServer[] = [];

  async function start(routes: Record<string, Handler>, deadlineMs?: number): Promise<RunningServer> {
    const server = await serve({
      port: 0,
      address: '127.0.0.1',
      routes,
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
    });
    running.push(server);
    return server;
  }

  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.close()));
  });

  async function ask(server: RunningServer, path: string, method: 'GET' | 'POST' | 'HEAD' = 'GET') {
    const answer = await request(`http://127.0.0.1:${server.port}${path}`, { method, reset: true });
    return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() };
  }

  it('answers a path it knows, with or without a query', async () => {
    const server = await start({ '/healthz': () => text(200, 'ok') });
    expect(await ask(server, '/healthz')).to.include({ status: 200, body: 'ok\n' });
    expect(await ask(server, '/healthz?verbose=1')).to.include({ status: 200, body: 'ok\n' });
  });

  it('answers 404 to any other path', async () => {
    const server = await start({ '/healthz': () => text(200, 'ok') });
    for (const path of ['/', '/healthz/', '/healthz/../metrics', '/__proto__', '/constructor']) {
      expect(await ask(server, path)).to.include({ status: 404, body: 'not found\n' });
    }
  });

  it('answers 405 to any other method, and names the one it takes', async () => {
    const server = await start({ '/healthz': () => text(200, 'ok') });
    const answer = await ask(server, '/healthz', 'POST');
    expect(answer).to.include({ status: 405, body: 'only GET\n' });
    expect(answer.headers.allow).to.equal('GET');
    expect(await ask(server, '/healthz', 'HEAD')).to.include({ status: 405, body: '' });
  });

  it('says nothing of an error inside', async () => {
    const server = await start({
      '/throws': () => {
        throw new Error('the password is x');
      },
      '/rejects': () => Promise.reject(new Error('the password is x')),
    });
    expect(await ask(server, '/throws')).to.include({ status: 500, body: 'internal error\n' });
    expect(await ask(server, '/rejects')).to.include({ status: 500, body: 'internal error\n' });
  });

  it('answers 503 when its answer is not made by the deadline', async () => {
    // The deadline is that of the request's arrival, too: long enough for that on a busy machine.
    const server = await start({ '/slow': () => new Promise(() => undefined) }, 1000);
    expect(await ask(server, '/slow')).to.include({ status: 503, body: 'too late\n' });
  });

  it('drops a client that does not send its request by the deadline', async () => {
    const server = await start({}, 20);
    const client = connect(server.port, '127.0.0.1');
    client.write('GET /healthz HTTP/1.1\r\n');
    expect(await readText(client)).to.match(/^HTTP\/1\.1 408 /);
  });

  it('rejects where its port is taken', async () => {
    const { port } = await start({});
    const error = await serve({ port, address: '127.0.0.1', routes: {} }).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(Error).with.property('code', 'EADDRINUSE');
  });

  it('closes gracefully: what is under way is answered, then no connection is taken', async () => {
    const began = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<string>();
    const server = await start({
      '/metrics': async () => {
        began.resolve();
        return text(200, await answer.promise);
      },
    });
    const asked = ask(server, '/metrics');
    await began.promise;
    const closed = server.close();
    answer.resolve('the last scrape');
    expect(await asked).to.include({ status: 200, body: 'the last scrape\n' });
    await closed;
    running.splice(0);
    const refused = await ask(server, '/metrics').catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(Error).with.property('code', 'ECONNREFUSED');
  });

  it('breaks off at its deadline what does not end', async () => {
    const server = await start({}, 50);
    const client = connect(server.port, '127.0.0.1');
    await once(client, 'connect');
    client.write('GET / HTTP/1.1\r\nhost: x\r\n');
    client.on('error', () => undefined);
    const ended = once(client, 'close');
    await server.close();
    running.splice(0);
    await ended;
  });
});

import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import { kubeConfigEndpoint, kubeConfigFrom } from '../../../src/kube/kubeconfig.ts';
import { proxyFromEnvironment } from '../../../src/kube/proxy.ts';
import { createKubeClient, type KubeTransport } from '../../../src/kube/transport.ts';
import { CONFIG_MAPS } from '../../../src/kube/types.ts';
import { rejection, virtualClock } from './support.ts';

const KEY = { namespace: 'shop', name: 'a' };

interface Seen {
  readonly authorization: string | undefined;
  readonly client: string | undefined;
  readonly url: string | undefined;
}

describe('credentials', function () {
  this.timeout(30_000);
  let dir: string;
  let server: Server;
  let seen: Seen[];
  let connections: number;
  let clients: KubeTransport[];
  let allowed: (authorization: string | undefined) => boolean;

  const path = (name: string): string => join(dir, name);
  const port = (): number => (server.address() as AddressInfo).port;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'credentials-'));
    makeCertificates(dir);
    server = createHttpsServer(
      {
        key: await readFile(path('server.key')),
        cert: await readFile(path('server.crt')),
        ca: await readFile(path('ca.crt')),
        requestCert: true,
        rejectUnauthorized: false,
      },
      (request, response) => {
        const peer = (request.socket as TLSSocket).getPeerCertificate();
        const { authorization } = request.headers;
        seen.push({ authorization, client: peer?.subject?.CN as string | undefined, url: request.url });
        response.writeHead(allowed(authorization) ? 200 : 401);
        response.end(JSON.stringify({ metadata: { name: 'a' } }));
      },
    );
    server.on('secureConnection', () => {
      connections += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(dir, { recursive: true });
  });
  beforeEach(() => {
    seen = [];
    connections = 0;
    clients = [];
    allowed = () => true;
  });
  afterEach(() => Promise.all(clients.map((client) => client.close())));

  function kubeconfig(user: object, cluster: object = {}): () => KubeConfig {
    return () => {
      const config = new KubeConfig();
      const text = JSON.stringify({
        clusters: [
          {
            name: 'c',
            cluster: {
              server: `https://127.0.0.1:${port()}`,
              'certificate-authority': path('ca.crt'),
              ...cluster,
            },
          },
        ],
        users: [{ name: 'u', user }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        'current-context': 'x',
      });
      config.loadFromString(text);
      return config;
    };
  }

  function client(
    user: object,
    options: { cluster?: object; freshMs?: number; environment?: Record<string, string> } = {},
  ) {
    const endpoint = kubeConfigEndpoint({
      load: kubeconfig(user, options.cluster),
      environment: options.environment ?? {},
      ...(options.freshMs === undefined ? {} : { freshMs: options.freshMs }),
    });
    const made = createKubeClient({ endpoint, random: () => 0 });
    clients.push(made);
    return made;
  }

  it('verify the server against the cluster’s own authority', async () => {
    await client({ token: 'sesame' }).get(CONFIG_MAPS, KEY);
    expect(seen).to.deep.equal([
      { authorization: 'Bearer sesame', client: undefined, url: '/api/v1/namespaces/shop/configmaps/a' },
    ]);
    const stranger = client({}, { cluster: { 'certificate-authority': path('other.crt') } });
    const error = await rejection(stranger.get(CONFIG_MAPS, KEY));
    expect(error.reason).to.equal('Network');
    expect(error.message).to.match(
      /^get configmaps shop\/a: connection failed: [A-Z_]*(CERT|SIGNATURE)[A-Z_]*$/,
    );
    expect(seen).to.have.length(1);
  });

  it('are a client certificate, and connections are made anew when it is rotated', async () => {
    for (const kind of ['crt', 'key'])
      await writeFile(path(`current.${kind}`), await readFile(path(`first.${kind}`)));
    const one = client(
      { 'client-certificate': path('current.crt'), 'client-key': path('current.key') },
      { freshMs: 0 },
    );
    await one.get(CONFIG_MAPS, KEY);
    for (const kind of ['crt', 'key'])
      await writeFile(path(`current.${kind}`), await readFile(path(`second.${kind}`)));
    await one.get(CONFIG_MAPS, KEY);
    expect(seen.map((request) => request.client)).to.deep.equal(['first', 'second']);
    expect(connections).to.equal(2);
  });

  it('are a token file that is read again when the server refuses what it held', async () => {
    await writeFile(path('token'), 'old\n');
    const user = { 'auth-provider': { name: 'tokenFile', config: { tokenFile: path('token') } } };
    const one = client(user);
    await one.get(CONFIG_MAPS, KEY);
    await writeFile(path('token'), 'new\n');
    allowed = (authorization) => authorization === 'Bearer new';
    await one.get(CONFIG_MAPS, KEY);
    expect(seen.map((request) => request.authorization)).to.deep.equal([
      'Bearer old',
      'Bearer old',
      'Bearer new',
    ]);
  });

  it('are the token file that a kubeconfig names as kubectl does, relative to itself, before a token beside it', async () => {
    await writeFile(path('kubectl-token'), 'old\n');
    const config = {
      clusters: [
        {
          name: 'c',
          cluster: { server: `https://127.0.0.1:${port()}`, 'certificate-authority': path('ca.crt') },
        },
      ],
      users: [{ name: 'u', user: { token: 'stale', tokenFile: 'kubectl-token' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    await writeFile(path('kubeconfig'), JSON.stringify(config));
    const endpoint = kubeConfigEndpoint({ load: () => kubeConfigFrom(path('kubeconfig')), environment: {} });
    const one = createKubeClient({ endpoint, random: () => 0 });
    clients.push(one);
    await one.get(CONFIG_MAPS, KEY);
    await writeFile(path('kubectl-token'), 'new\n');
    allowed = (authorization) => authorization === 'Bearer new';
    await one.get(CONFIG_MAPS, KEY);
    expect(seen.map(({ authorization }) => authorization)).to.deep.equal([
      'Bearer old',
      'Bearer old',
      'Bearer new',
    ]);
  });

  it('come from an exec plugin, which is run once for many calls', async () => {
    await plugin(`echo run >> ${path('runs')}
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"from-plugin"}}'`);
    const one = client({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command: path('plugin') } });
    await Promise.all([1, 2, 3].map(() => one.get(CONFIG_MAPS, KEY)));
    expect(seen[2]?.authorization).to.equal('Bearer from-plugin');
    expect((await readFile(path('runs'), 'utf8')).trim()).to.equal('run');
  });

  it('that an exec plugin fails to give are an error without what it printed', async () => {
    await plugin(`echo 'the password is hunter2' >&2; exit 3`);
    const one = client({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command: path('plugin') } });
    const error = await rejection(one.get(CONFIG_MAPS, KEY));
    expect(error.message).to.equal('get configmaps shop/a: no credentials: Error');
    expect(error.reason).to.equal('Other');
    const missing = client({
      exec: { apiVersion: 'client.authentication.k8s.io/v1', command: path('missing') },
    });
    expect((await rejection(missing.get(CONFIG_MAPS, KEY))).message).to.equal(
      'get configmaps shop/a: no credentials: ENOENT',
    );
  });

  async function plugin(script: string): Promise<void> {
    await writeFile(path('plugin'), `#!/bin/sh\n${script}\n`);
    await chmod(path('plugin'), 0o755);
  }

  it('keep a path in front of the API', async () => {
    await client({}, { cluster: { server: `https://127.0.0.1:${port()}/k8s/clusters/c-1/` } }).get(
      CONFIG_MAPS,
      KEY,
    );
    expect(seen[0]?.url).to.equal('/k8s/clusters/c-1/api/v1/namespaces/shop/configmaps/a');
  });

  it('name a proxy, through which everything goes', async () => {
    const tunnels: string[] = [];
    const proxy = createHttpServer();
    proxy.on('connect', (request, socket) => {
      tunnels.push(request.url ?? '');
      const upstream = connectTcp(port(), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.pipe(socket).pipe(upstream);
      });
      upstream.on('error', () => socket.destroy());
      socket.on('error', () => upstream.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const one = client({ token: 'sesame' }, { cluster: { 'proxy-url': proxyUrl } });
    await one.get(CONFIG_MAPS, KEY);
    await one.get(CONFIG_MAPS, KEY);
    expect(seen).to.have.length(2);
    expect(tunnels).to.include(`127.0.0.1:${port()}`);
    await one.close();
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
  });

  it('are not read again while they are fresh', async () => {
    let loads = 0;
    const clock = virtualClock();
    const config = kubeconfig({ token: 'sesame' })();
    config.applyToHTTPSOptions = async () => {
      loads += 1;
    };
    const endpoint = kubeConfigEndpoint({ load: () => config, clock, environment: {} });
    await endpoint.current();
    await endpoint.current();
    expect(loads).to.equal(1);
    await clock.advance(30_000);
    await endpoint.current();
    expect(loads).to.equal(2);
    endpoint.refresh();
    await endpoint.current();
    expect(loads).to.equal(3);
  });

  it('are not read for every call where they are refused for good', async () => {
    await plugin(`echo run >> ${path('refused')}
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"stale"}}'`);
    allowed = () => false;
    const one = client({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command: path('plugin') } });
    for (let call = 0; call < 5; call += 1) {
      expect((await rejection(one.get(CONFIG_MAPS, KEY))).reason).to.equal('Unauthorized');
    }
    expect((await readFile(path('refused'), 'utf8')).trim().split('\n')).to.have.length(2);
  });
});

describe('the proxy that the environment names', () => {
  const HTTPS_PROXY = 'http://proxy:3128';
  const proxyOf = (server: string, environment: Record<string, string>): string | undefined =>
    proxyFromEnvironment(new URL(server), environment);

  it('is used for the server’s scheme', () => {
    expect(proxyOf('https://10.0.0.1', { HTTPS_PROXY })).to.equal(HTTPS_PROXY);
    expect(proxyOf('https://10.0.0.1', { https_proxy: 'proxy:3128' })).to.equal(HTTPS_PROXY);
    expect(proxyOf('https://10.0.0.1', { HTTP_PROXY: HTTPS_PROXY })).to.equal(undefined);
    expect(proxyOf('https://10.0.0.1', { HTTPS_PROXY: '' })).to.equal(undefined);
  });

  it('is never used for this machine', () => {
    for (const server of ['https://localhost:6443', 'https://127.0.0.1:6443', 'https://[::1]:6443']) {
      expect(proxyOf(server, { HTTPS_PROXY })).to.equal(undefined);
    }
  });

  for (const [noProxy, server, direct] of [
    ['10.0.0.0/8', 'https://10.96.0.1', true],
    ['10.0.0.0/8', 'https://11.0.0.1', false],
    ['fd00::/8', 'https://[fd12::1]', true],
    ['fd00::/8', 'https://10.0.0.1', false],
    ['10.96.0.1', 'https://10.96.0.1:443', true],
    ['example.com', 'https://api.example.com', true],
    ['example.com', 'https://example.com', true],
    ['example.com', 'https://notexample.com', false],
    ['.example.com', 'https://example.com', false],
    ['.example.com', 'https://api.example.com', true],
    ['*.example.com', 'https://api.example.com', true],
    ['kubernetes.default.svc:6443', 'https://kubernetes.default.svc', false],
    ['kubernetes.default.svc:443', 'https://kubernetes.default.svc', true],
    ['a.com, .svc ,b.com', 'https://kubernetes.default.svc', true],
    ['*', 'https://anything', true],
    ['', 'https://anything', false],
    ['10.0.0.0/99', 'https://10.0.0.1', false],
  ] as const) {
    it(`is ${direct ? 'not ' : ''}used for ${server} with NO_PROXY=${noProxy}`, () => {
      expect(proxyOf(server, { HTTPS_PROXY, NO_PROXY: noProxy })).to.equal(direct ? undefined : HTTPS_PROXY);
    });
  }
});

/** An authority, another one, a server for 127.0.0.1 and two clients. */
function makeCertificates(dir: string): void {
  const openssl = (...args: string[]): void => {
    const { status, stderr } = spawnSync('openssl', args, { cwd: dir, encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl: ${stderr}`);
  };
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  for (const name of ['ca', 'other']) {
    openssl(
      'req',
      '-x509',
      ...ec,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.crt`,
      '-subj',
      `/CN=${name}`,
      '-days',
      '2',
    );
  }
  for (const name of ['server', 'first', 'second']) {
    const san = name === 'server' ? ['-addext', 'subjectAltName=IP:127.0.0.1'] : [];
    openssl(
      'req',
      '-x509',
      ...ec,
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.crt`,
      '-subj',
      `/CN=${name}`,
      '-days',
      '2',
      ...san,
    );
  }
}

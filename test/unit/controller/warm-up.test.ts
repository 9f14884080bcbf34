import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { Cache } from '../../../src/controller/cache.ts';
import type { Scene } from '../../../src/controller/observe.ts';
import { addressOf } from '../../../src/controller/pod-address.ts';
import { createPodClient } from '../../../src/controller/pod-http.ts';
import { warmPod } from '../../../src/controller/warm-up.ts';
import type { KubeClient } from '../../../src/kube/ports.ts';
import { virtualClock } from '../kube/support.ts';

const controller = (kind: string, uid: string) => [
  { apiVersion: 'apps/v1', kind, name: 'x', uid, controller: true },
];
const pod = {
  metadata: {
    name: 'p',
    uid: 'pod',
    labels: { 'pod-template-hash': 'abc' },
    ownerReferences: controller('ReplicaSet', 'set'),
  },
  spec: { containers: [{ name: 'app', ports: [{ name: 'http', containerPort: 8080 }] }] },
  status: { podIP: '127.0.0.1' },
};
const set = { metadata: { name: 's', uid: 'set', ownerReferences: controller('Deployment', 'green') } };
const service = {
  metadata: { name: 'shop' },
  spec: {
    ports: [
      { port: 80, targetPort: 'http' },
      { port: 81, targetPort: 9090 },
    ],
  },
};
const scene = {
  release: { namespace: 'demo', name: 'shop', spec: { workload: {} } },
  services: [service],
} as unknown as Scene;
const identity = { color: 'green', pod: 'p', uid: 'pod' } as const;
const { signal } = new AbortController();

function cluster(given: { pod?: object | undefined; sets?: object[] } = {}) {
  const client = {
    get: () => Promise.resolve('pod' in given ? given.pod : pod),
    list: () => Promise.resolve(given.sets ?? [set]),
  } as unknown as KubeClient;
  const cache = { deployments: { get: () => ({ metadata: { uid: 'green' } }) } } as unknown as Cache;
  return { client, cache, clock: virtualClock() };
}

describe('a candidate pod is dialled', () => {
  it('at its own address, at the port that the Service leads to', async () => {
    expect(await addressOf(cluster(), scene, identity, undefined, signal)).to.deep.include({
      host: '127.0.0.1',
      port: 8080,
    });
    expect(await addressOf(cluster(), scene, identity, 81, signal)).to.deep.include({
      host: '127.0.0.1',
      port: 9090,
    });
  });

  const stray = (more: object) => ({ pod: { ...pod, ...more } });
  const notOurs = 'it does not belong to Deployment "shop-green"';
  const cases: Readonly<
    Record<string, readonly [Parameters<typeof cluster>[0], number | undefined, string]>
  > = {
    'when it is another one of that name': [
      stray({ metadata: { ...pod.metadata, uid: 'other' } }),
      undefined,
      'it is gone',
    ],
    'when it is gone': [{ pod: undefined }, undefined, 'it is gone'],
    'in the network of its node': [
      stray({ spec: { ...pod.spec, hostNetwork: true } }),
      undefined,
      'it is in the network of its node, and is not asked',
    ],
    'without a ReplicaSet': [
      stray({ metadata: { ...pod.metadata, ownerReferences: [] } }),
      undefined,
      notOurs,
    ],
    'of a ReplicaSet that is not there': [{ sets: [] }, undefined, notOurs],
    'of a ReplicaSet of another Deployment': [
      { sets: [{ metadata: { ...set.metadata, ownerReferences: controller('Deployment', 'other') } }] },
      undefined,
      notOurs,
    ],
    'of a ReplicaSet that nobody controls': [
      { sets: [{ metadata: { name: 's', uid: 'set' } }] },
      undefined,
      notOurs,
    ],
    'without an address': [stray({ status: {} }), undefined, 'it has no address yet'],
    'at a port that the Service has not': [{}, 22, 'Service "shop" has no port 22'],
    'at a port that no container names': [
      stray({ spec: { containers: [{ name: 'app' }] } }),
      undefined,
      'it has no port called "http", which port 80 of the Service leads to',
    ],
  };
  for (const [when, [given, port, sentence]] of Object.entries(cases)) {
    it(`but not ${when}`, async () => {
      const error = await addressOf(cluster(given), scene, identity, port, signal).catch(
        (thrown: Error) => thrown.message,
      );
      expect(error).to.equal(sentence);
    });
  }
});

describe('a pod of a pair is dialled', () => {
  const pair = { blue: { kind: 'StatefulSet', name: 'a' }, green: { kind: 'StatefulSet', name: 'b' } };
  const release = { namespace: 'demo', name: 'shop', spec: { workload: { pair } } };
  const paired = { release, services: [service] } as unknown as Scene;
  const ask = (owner: object): Promise<unknown> => {
    const owned = { ...pod, metadata: { ...pod.metadata, ownerReferences: [owner] } };
    const { client } = cluster({ pod: owned });
    const sets: Record<string, object> = { a: { metadata: { uid: 'a' } }, b: { metadata: { uid: 'b' } } };
    const statefulSets = { get: ({ name }: { name: string }) => sets[name] };
    const cache = { statefulSets } as unknown as Cache;
    return addressOf({ client, cache }, paired, identity, undefined, signal);
  };

  it('where the StatefulSet of its side controls it', async () => {
    const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'b', uid: 'b', controller: true };
    expect(await ask(owner)).to.deep.include({ host: '127.0.0.1', port: 8080 });
  });

  const refused: [string, object][] = [
    ['where that of the other side does', { kind: 'StatefulSet', uid: 'a', controller: true }],
    ['where that StatefulSet owns it without controlling it', { kind: 'StatefulSet', uid: 'b' }],
    ['where something else of the same uid does', { kind: 'ReplicaSet', uid: 'b', controller: true }],
  ];
  for (const [where, owner] of refused) {
    it(`but not ${where}`, async () => {
      const answer = await ask(owner).catch((error: Error) => error.message);
      expect(answer).to.equal('it does not belong to StatefulSet "b"');
    });
  }
});

const ANSWERS: Readonly<Record<string, (response: ServerResponse) => void>> = {
  '/moved': (response) => void response.writeHead(302, { location: '/elsewhere' }).end(),
  '/broken': (response) => void response.socket?.destroy(),
  '/slow': (response) => void response.writeHead(200).write('requests'),
  '/ill': (response) => void response.writeHead(500).end('ok'),
  '/endless': (response) => {
    const more = (): void => void response.write(Buffer.alloc(32_768), () => !response.destroyed && more());
    more();
  },
};

describe('what is asked of a pod', () => {
  let server: Server;
  let paths: string[] = [];
  const address = () => ({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });

  beforeEach(async () => {
    paths = [];
    server = createServer((request, response) => {
      paths.push(request.url ?? '');
      const answer = ANSWERS[request.url ?? ''];
      if (answer === undefined) response.end('ok');
      else answer(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it('is answered with whatever status; a redirect is not followed, and an endless answer is cut', async () => {
    const client = createPodClient(address(), virtualClock(), signal);
    const codes = [];
    for (const path of ['/', '/ill', '/moved', '/endless']) codes.push(await client.ask(path));
    expect(codes).to.deep.equal([200, 500, 302, 200]);
    expect(paths).to.deep.equal(['/', '/ill', '/moved', '/endless']);
    client.close();
  });

  it('is told when it breaks off', async () => {
    const client = createPodClient(address(), virtualClock(), signal);
    expect(await client.ask('/broken').catch((error: Error) => error.message)).to.equal('ECONNRESET');
    client.close();
  });

  it('has five seconds, also where an answer has begun', async () => {
    const clock = virtualClock();
    const client = createPodClient(address(), clock, signal);
    let answer = Promise.resolve();
    const began = await new Promise<string>((resolve) => {
      answer = client.read('/slow', resolve);
    });
    const message = answer.catch((error: Error) => error.message);
    expect([began, clock.pending]).to.deep.equal(['requests', [5000]]);
    await clock.advance(5000);
    expect(await message).to.equal('no answer within 5 seconds');
    client.close();
  });

  it('is so many requests, and no more', async () => {
    const { port } = address();
    const request = {
      kind: 'WarmUp',
      revision: 'r2',
      attempt: 2,
      ...identity,
      asked: { path: '/warm?all=1', requests: 50, port: 81 },
    } as const;
    const ports = [{ port: 81, targetPort: port }];
    const own = { ...scene, services: [{ ...service, spec: { ports } }] } as unknown as Scene;
    let answered = 0;
    const count = (): void => {
      answered += 1;
    };
    await warmPod(cluster(), own, request, 30, count, signal);
    expect([answered, paths.length, new Set(paths)]).to.deep.equal([30, 30, new Set(['/warm?all=1'])]);
  });
});

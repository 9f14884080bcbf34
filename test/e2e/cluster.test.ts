import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { cgroupOf } from '../cluster/cgroups.ts';
import { run } from '../cluster/exec.ts';
import { nodeImage } from '../cluster/images.ts';
import { type Cluster, startCluster } from '../cluster/index.ts';
import { ended, isRunning, signal } from '../cluster/processes.ts';
import type { ClusterState } from '../cluster/state.ts';
import { startUser } from '../support/cluster-user.ts';
import { needNode } from './stage.ts';

/** For what takes a moment, on a machine that has much else to do. */
const PATIENCE_MS = 60_000;

describe('A cluster with a real node', function () {
  this.timeout(600_000);

  before(function () {
    needNode(this);
  });

  describe('beside another one', () => {
    let clusters: [Cluster, Cluster];

    before(async function () {
      this.timeout(1_800_000); // the first run on a machine may have to build the programs
      const start = (): Promise<Cluster> => startCluster({ form: 'node' });
      clusters = await Promise.all([start(), start()]);
      await Promise.all(clusters.map(deployServer));
    });

    after(() => Promise.all((clusters ?? []).map((cluster) => cluster.stop())));

    it('runs pods under the strictest security profile, and both keep theirs', async () => {
      for (const cluster of clusters) {
        const pods = await cluster.kubectl([
          'get',
          'pods',
          '-n',
          'shop',
          '-o',
          'jsonpath={.items[*].status.phase}',
        ]);
        expect(pods).to.equal('Running Running');
      }
    });

    it('reaches a Service from inside its network, each its own', async () => {
      for (const cluster of clusters) {
        const address = await cluster.kubectl([
          'get',
          'svc',
          'server',
          '-n',
          'shop',
          '-o',
          'jsonpath={.spec.clusterIP}',
        ]);
        expect(await eventually(() => fetchInside(cluster, `http://${address}/`))).to.equal(cluster.name);
      }
    });

    it('resolves the names of Services in pods', async () => {
      const [cluster] = clusters;
      const script = `fetch('http://server').then((r) => r.text()).then(console.log)`;
      const answer = await cluster.kubectl([
        'exec',
        '-n',
        'shop',
        'deploy/server',
        '--',
        'node',
        '-e',
        script,
      ]);
      expect(answer.trim()).to.equal(cluster.name);
    });

    it('has no way out of its network', async () => {
      const [cluster] = clusters;
      const route = cluster.spawnInside('ip', ['route', 'get', '192.0.2.1'], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const [[code], said] = await Promise.all([once(route, 'exit'), text(route.stderr!)]);
      expect(said).to.contain('No route to host');
      expect(code).to.not.equal(0);
    });

    it('restarts a container that is killed within seconds', async () => {
      const [cluster] = clusters;
      const pods = await cluster.kubectl([
        'get',
        'pods',
        '-n',
        'shop',
        '-o',
        'jsonpath={.items[0].metadata.name}',
      ]);
      const [pid] = await cluster.podPids('shop', pods);
      expect(await readFile(`/proc/${pid}/cmdline`, 'utf8')).to.contain('server.js');
      process.kill(pid!, 'SIGKILL');
      const next = await eventually(async () => {
        const [now] = await cluster.podPids('shop', pods);
        return now !== undefined && now !== pid ? now : undefined;
      });
      expect(next).to.be.greaterThan(0);
    });

    it('measures the CPU of pods, so that autoscaling works', async () => {
      const [cluster] = clusters;
      const path = '/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods';
      const usage = await eventually(async () => {
        const list = await cluster.kubectl(['get', '--raw', path]).catch(() => '{"items":[]}');
        return (JSON.parse(list) as { items: { containers: { usage: { cpu: string } }[] }[] }).items[0];
      }, 60_000);
      expect(usage.containers[0]?.usage.cpu).to.match(/^\d+[nu]?$/);
    });
  });

  describe('whose user or owner is killed', () => {
    const users: ChildProcess[] = [];

    after(() => {
      for (const user of users) user.kill('SIGKILL');
    });

    it('goes with a user that gets SIGKILL: processes, link, control groups, files', async () => {
      const { user, state, runDir } = await startUser('node', users);
      expect(await leftOf(state)).to.have.length.greaterThan(2);
      user.kill('SIGKILL');
      expect(await ended([state.supervisor, state.init!], PATIENCE_MS)).to.equal(true);
      expect(existsSync(runDir)).to.equal(false);
      expect(await leftOf(state)).to.deep.equal([]);
    });

    it('loses its processes with the owner that gets SIGKILL, and the rest by the next start', async () => {
      const first = await startUser('node', users);
      signal(first.state.supervisor, 'SIGKILL');
      expect(
        await ended([first.state.supervisor, first.state.init!, ...first.state.processes], PATIENCE_MS),
      ).to.equal(true);
      const second = await startCluster({ form: 'fake' });
      await second.stop();
      expect(existsSync(first.runDir)).to.equal(false);
      expect(await leftOf(first.state)).to.deep.equal([]);
    });
  });
});

const server = `require('http').createServer((_, response) => response.end(process.env.CLUSTER)).listen(8080);
process.on('SIGTERM', () => process.exit());`;

async function deployServer(cluster: Cluster): Promise<void> {
  const files = [{ content: server, to: '/app/server.js' }];
  const image = await nodeImage({ name: 'local.test/server:1', files, cmd: ['node', '/app/server.js'] });
  await cluster.loadImage(image.tar);
  const namespace = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  };
  const container = {
    name: 'server',
    image: image.name,
    imagePullPolicy: 'Never',
    env: [{ name: 'CLUSTER', value: cluster.name }],
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
  };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'server', namespace: 'shop' },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'server' } },
      template: {
        metadata: { labels: { app: 'server' } },
        spec: {
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [container],
        },
      },
    },
  };
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'server', namespace: 'shop' },
    spec: { selector: { app: 'server' }, ports: [{ port: 80, targetPort: 8080 }] },
  };
  const items = [namespace, deployment, service];
  await cluster.kubectl(['apply', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  });
  await cluster.kubectl(['rollout', 'status', 'deploy/server', '-n', 'shop', '--timeout=60s'], {
    timeoutMs: 70_000,
  });
}

/** The first answer that is not undefined; kube-proxy, for one, takes a moment to know a new Service. */
async function eventually<T>(ask: () => Promise<T | undefined>, timeoutMs = 20_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`no answer within ${timeoutMs} ms`);
    await sleep(250);
  }
}

async function fetchInside(cluster: Cluster, url: string): Promise<string | undefined> {
  const script = `fetch('${url}', { signal: AbortSignal.timeout(2000) }).then((r) => r.text()).then(console.log)`;
  const child = cluster.spawnInside(process.execPath, ['-e', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return (await text(child.stdout!)).trim() || undefined;
}

/** What of a cluster is still to be found on this machine. */
async function leftOf(state: ClusterState): Promise<string[]> {
  const links = await run('ip', ['-brief', 'link']);
  const groups = await run('find', ['/sys/fs/cgroup', '-maxdepth', '2', '-name', cgroupOf(state.name)]);
  const mounts = await readFile('/proc/mounts', 'utf8');
  return [
    ...state.processes.filter(isRunning).map(({ pid }) => `process ${pid}`),
    ...(links.includes(`${state.link}@`) ? [`link ${state.link}`] : []),
    ...groups.split('\n').filter(Boolean),
    ...mounts.split('\n').filter((line) => line.includes(`/${state.name}/`)),
  ];
}

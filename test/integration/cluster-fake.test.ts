import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Cluster, programsOf, startCluster } from '../cluster/index.ts';
import { cacheDir } from '../cluster/paths.ts';
import { ended, isRunning, signal } from '../cluster/processes.ts';
import { ensurePrograms } from '../cluster/programs.ts';
import { startUser } from '../support/cluster-user.ts';

/** For what takes a moment, on a machine that has much else to do. */
const PATIENCE_MS = 60_000;

describe('A cluster with fake nodes', function () {
  this.timeout(600_000);

  describe('beside another one', () => {
    let clusters: Cluster[] = [];

    before(async function () {
      this.timeout(1_800_000); // the first run on a machine may have to build the programs
      clusters = await Promise.all([
        startCluster({ form: 'fake' }),
        startCluster({ form: 'fake', nodes: 1 }),
      ]);
    });

    after(() => Promise.all(clusters.map((cluster) => cluster.stop())));

    it('is a Kubernetes of the expected version, with nodes of its own', async () => {
      const [one, other] = clusters as [Cluster, Cluster];
      expect(one.kubernetesVersion).to.equal('v1.36.3');
      expect(await nodesOf(one)).to.have.length(3);
      expect(await nodesOf(other)).to.have.length(1);
    });

    it('makes pods ready, and keeps them from the other', async () => {
      const [one, other] = clusters as [Cluster, Cluster];
      await one.kubectl(['create', 'deployment', 'app', '--image=any', '--replicas=2']);
      await one.kubectl(['rollout', 'status', 'deployment/app', '--timeout=20s']);
      expect(await other.kubectl(['get', 'deployments', '-o', 'name'])).to.equal('');
    });

    it('logs what the operator asks for and who writes to a Service, and nothing else', async () => {
      const [one] = clusters as [Cluster];
      await one.kubectl(['create', 'namespace', 'bluegreen-system']);
      await one.kubectl(['create', 'serviceaccount', 'operator', '-n', 'bluegreen-system']);
      await one.kubectl(['create', 'service', 'clusterip', 'app', '--tcp=80']);
      const kubeconfig = await one.kubeconfigFor('bluegreen-system', 'operator');
      const refused = await one.kubectl([`--kubeconfig=${kubeconfig}`, 'get', 'pods']).catch(String);
      expect(refused).to.contain('system:serviceaccount:bluegreen-system:operator');
      const log = (await readFile(one.auditLog, 'utf8')).trim().split('\n');
      const events = log.map((line) => JSON.parse(line) as AuditEvent);
      const seen = events.map(({ verb, objectRef, level }) => `${verb} ${objectRef?.resource} ${level}`);
      expect(seen).to.include.members(['create services Request', 'list pods Metadata']);
      const others = events.filter(({ user, objectRef }) => {
        return (
          !user.username.startsWith('system:serviceaccount:bluegreen') && objectRef?.resource !== 'services'
        );
      });
      expect(others).to.deep.equal([]);
    });
  });

  describe('whose user or owner is killed', () => {
    let cache = '';
    const users: ChildProcess[] = [];

    // A cache of its own: a cluster started by somebody else must not clean up here before the test has looked.
    before(async () => {
      await ensurePrograms(programsOf('fake'));
      cache = await mkdtemp(join(tmpdir(), 'bluegreen-'));
      await symlink(join(cacheDir, 'programs'), join(cache, 'programs'));
    });

    after(async () => {
      for (const user of users) user.kill('SIGKILL');
      await rm(cache, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
    });

    it('goes with a user that gets SIGKILL', async () => {
      const { user, state, runDir } = await startUser('fake', users, { BLUEGREEN_CACHE: cache });
      user.kill('SIGKILL');
      expect(await ended([state.supervisor, ...state.processes], PATIENCE_MS)).to.equal(true);
      expect(existsSync(runDir)).to.equal(false);
    });

    it('is cleaned up by the next start when the process that owns it got SIGKILL', async () => {
      const first = await startUser('fake', users, { BLUEGREEN_CACHE: cache });
      signal(first.state.supervisor, 'SIGKILL');
      await ended([first.state.supervisor], PATIENCE_MS);
      expect(first.state.processes.filter(isRunning)).to.have.length.greaterThan(3);
      const second = await startUser('fake', users, { BLUEGREEN_CACHE: cache });
      expect(first.state.processes.filter(isRunning)).to.deep.equal([]);
      expect(existsSync(first.runDir)).to.equal(false);
      expect(isRunning(second.state.supervisor)).to.equal(true);
      second.user.kill('SIGKILL');
      expect(await ended([second.state.supervisor], PATIENCE_MS)).to.equal(true);
    });
  });
});

interface AuditEvent {
  verb: string;
  level: string;
  user: { username: string };
  objectRef?: { resource: string };
}

async function nodesOf(cluster: Cluster): Promise<string[]> {
  return (await cluster.kubectl(['get', 'nodes', '-o', 'name'])).trim().split('\n');
}

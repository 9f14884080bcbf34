import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parseAllDocuments } from 'yaml';
import manifest from '../../package.json' with { type: 'json' };
import { loadConfig } from '../../src/config.ts';
import { type Cluster, startCluster } from '../cluster/index.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const OPERATOR = 'system:serviceaccount:bluegreen-system:bluegreen-operator';

describe('deploy/kustomize on a real API server', function () {
  this.timeout(120_000);
  let cluster: Cluster;

  const json = async (...args: string[]): Promise<any> =>
    JSON.parse(await cluster.kubectl([...args, '-o', 'json']));
  const pods = ['get', 'pods', '-n', 'bluegreen-system'];

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    cluster = await startCluster({ form: 'fake', nodes: 1 });
    await cluster.kubectl(['apply', '--server-side', '-k', `${repository}/deploy/kustomize`]);
  });
  after(() => cluster?.stop());

  it('is admitted by the restricted pod security of its own namespace, and runs', async () => {
    const { metadata } = await json('get', 'namespace', 'bluegreen-system');
    expect(metadata.labels['pod-security.kubernetes.io/enforce']).to.equal('restricted');
    await cluster.kubectl(
      ['rollout', 'status', 'deployment/bluegreen-operator', '-n', 'bluegreen-system', '--timeout=60s'],
      { timeoutMs: 70_000 },
    );
  });

  it('runs with the priority of the cluster itself, outside kube-system too', async () => {
    const { items } = await json(...pods);
    expect(items.map(({ spec }: any) => [spec.priorityClassName, spec.priority])).to.deep.equal([
      ['system-cluster-critical', 2_000_000_000],
    ]);
  });

  it('has the image of this version, no writable root and no privilege', async () => {
    const [pod] = (await json(...pods)).items;
    const [container] = pod.spec.containers;
    expect(container.image).to.equal(`bluegreen-operator:${manifest.version}`);
    expect(container.args).to.deep.equal(['--config=/etc/bluegreen/config.yaml']);
    expect(container.securityContext).to.deep.equal({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.spec.securityContext).to.deep.include({ runAsNonRoot: true, runAsUser: 65_532 });
  });

  it('has a config that the operator takes', async () => {
    const file = join(repository, 'deploy', 'kustomize', 'config.yaml');
    const { metricSources } = await loadConfig(file);
    expect(metricSources.map(({ name, prometheus }) => [name, prometheus.url])).to.deep.equal([
      ['default', 'http://prometheus.monitoring.svc:9090'],
    ]);
    const { data } = await json('get', 'configmap', 'bluegreen-operator-config', '-n', 'bluegreen-system');
    expect(data).to.deep.equal({ 'config.yaml': await readFile(file, 'utf8') });
  });

  describe('its rights', () => {
    /** Every right, as `kubectl auth can-i --list` tells it, less what every service account has. */
    async function rights(
      user: string,
      groups: string[],
      namespace: string,
    ): Promise<Record<string, string>> {
      const as = [`--as=${user}`, ...groups.map((group) => `--as-group=${group}`)];
      const list = await cluster.kubectl([
        'auth',
        'can-i',
        '--list',
        '--no-headers',
        `-n=${namespace}`,
        ...as,
      ]);
      const entries = [...list.matchAll(/^(\S+) .*\[(.*)\]$/gm)].map(([, resource, verbs]) => [
        resource,
        verbs,
      ]);
      return Object.fromEntries(entries.filter(([resource]) => !resource?.startsWith('self')));
    }

    it('in every namespace are these and no others', async () => {
      expect(await rights(OPERATOR, ['system:serviceaccounts'], 'default')).to.deep.equal({
        'bluegreenreleases.bluegreen.dev': 'list watch patch',
        'bluegreenreleases.bluegreen.dev/status': 'patch',
        services: 'get list watch create patch delete',
        'deployments.apps': 'get list watch create patch update delete',
        'statefulsets.apps': 'get list watch patch',
        'deployments.apps/scale': 'patch',
        'statefulsets.apps/scale': 'patch',
        'replicasets.apps': 'list',
        'horizontalpodautoscalers.autoscaling': 'get list watch create update patch delete',
        'poddisruptionbudgets.policy': 'get list watch create update delete',
        'jobs.batch': 'get list watch create delete',
        'controllerrevisions.apps': 'get list watch create patch delete',
        pods: 'get list watch delete',
        resourcequotas: 'list',
        limitranges: 'list',
        persistentvolumeclaims: 'get',
        'endpointslices.discovery.k8s.io': 'list watch',
        configmaps: 'get list watch create patch delete',
        secrets: 'list watch',
        namespaces: 'get',
        'events.events.k8s.io': 'create patch',
      });
    });

    it('in its own namespace are leases besides', async () => {
      const own = await rights(OPERATOR, ['system:serviceaccounts'], 'bluegreen-system');
      expect(own['leases.coordination.k8s.io']).to.equal('get list watch create update patch');
    });

    it('to Secrets are a role of their own, which an overlay can leave out', async () => {
      const rules = async (role: string) => (await json('get', 'clusterrole', role)).rules;
      const named = JSON.stringify(await rules('bluegreen-operator'));
      expect(named).not.to.include('secrets');
      expect(await rules('bluegreen-operator-secrets')).to.deep.equal([
        { apiGroups: [''], resources: ['secrets'], verbs: ['list', 'watch'] },
      ]);
    });

    it('get no Secret anywhere, and write none, and end no StatefulSet', async () => {
      const denied = [
        'get secrets',
        'create secrets',
        'patch secrets',
        'update configmaps',
        'update statefulsets',
        'delete statefulsets',
      ];
      for (const [verb = '', resource = ''] of denied.map((words) => words.split(' '))) {
        const args = ['auth', 'can-i', verb, resource, '-n=bluegreen-system', `--as=${OPERATOR}`];
        const answer = await cluster.kubectl(args).catch((error: Error) => error.message);
        expect(answer, `${verb} ${resource}`).to.match(/code 1/);
      }
    });

    for (const [role, verbs] of [
      ['view', 'get list watch'],
      ['edit', 'get list watch create patch update delete deletecollection'],
      ['admin', 'get list watch create patch update delete deletecollection'],
    ] as const) {
      it(`let whoever may ${role} a namespace ${role} its releases`, async () => {
        await cluster.kubectl(['create', 'rolebinding', role, `--clusterrole=${role}`, `--user=${role}`]);
        const theirs = await rights(role, [], 'default');
        const said = new Set(theirs['bluegreenreleases.bluegreen.dev']?.split(' '));
        expect(said).to.deep.equal(new Set(verbs.split(' ')));
        expect(theirs['bluegreenreleases.bluegreen.dev/status']).to.match(/^get( list watch)?$/);
      });
    }
  });

  describe('with the overlay that deploy/README.md shows', () => {
    let folder: string;
    let readme: string;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'overlay-'));
      const base = relative(folder, join(repository, 'deploy', 'kustomize'));
      readme = await readFile(join(repository, 'deploy', 'README.md'), 'utf8');
      for (const [, name = '', content = ''] of readme.matchAll(/```yaml\n# (\S+)\n([^`]*)```/g)) {
        await writeFile(join(folder, name), content.replace(/https:.*deploy\/kustomize.*/, base));
      }
    });
    after(() => rm(folder, { recursive: true }));

    it('takes its image and its metric source', async () => {
      const output = await cluster.kubectl(['kustomize', folder]);
      expect(output).to.contain('image: registry.example.com/bluegreen-operator:0.1.0');
      expect(output).to.contain('url: https://thanos.example.com');
      expect(output).not.to.contain('prometheus.monitoring.svc');
    });

    it('and without the right to Secrets with the lines for that', async () => {
      const [, lines = ''] =
        /```yaml\n# in the kustomization, without Secrets\n([^`]*)```/.exec(readme) ?? [];
      const without = await mkdtemp(join(tmpdir(), 'overlay-'));
      const base = relative(without, join(repository, 'deploy', 'kustomize'));
      await writeFile(join(without, 'kustomization.yaml'), `resources: [${base}]\n${lines}`);
      const output = await cluster.kubectl(['kustomize', without]);
      await rm(without, { recursive: true });
      expect(output).not.to.include('bluegreen-operator-secrets');
      expect(output).to.include('kind: ClusterRoleBinding');
    });

    it('and with the lines for replicas that share the work', async () => {
      const [, lines = ''] = /```yaml\n# in the kustomization\n([^`]*)```/.exec(readme) ?? [];
      await appendFile(join(folder, 'kustomization.yaml'), lines);
      const objects = parseAllDocuments(await cluster.kubectl(['kustomize', folder])).map((document) =>
        document.toJS(),
      );
      const { spec } = objects.find(({ kind }) => kind === 'Deployment');
      expect(spec.replicas).to.equal(3);
      expect(spec.strategy).to.deep.equal({ type: 'Recreate' });
      expect(spec.template.spec.containers[0].args).to.deep.equal([
        '--config=/etc/bluegreen/config.yaml',
        '--shards=3',
      ]);
    });
  });
});

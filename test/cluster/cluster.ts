import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processesOf } from './cgroups.ts';
import { importImage } from './containerd.ts';
import { run } from './exec.ts';
import { end } from './launch.ts';
import { intoNetwork } from './namespaces.ts';
import type { ServiceProxy } from './packages.ts';
import { kubeconfig } from './pki.ts';
import type { ProcessRecord } from './processes.ts';
import { programPath } from './programs.ts';
import { type ClusterState, runDirOf } from './state.ts';

export interface ClusterOptions {
  readonly form: 'fake' | 'node';
  /** Default: generated. Clusters of different names live side by side. */
  readonly name?: string;
  readonly progress?: (line: string) => void;
  /** fake form: the number of nodes, default 3. */
  readonly nodes?: number;
  /** Room and speed for tens of thousands of objects: addresses, etcd's quota, the controllers' own rate limits. */
  readonly large?: boolean;
  /** Fake form: Services and pods may have addresses of both families. */
  readonly dualStack?: boolean;
  /** node form: how kube-proxy moves connections; default iptables. */
  readonly serviceProxy?: ServiceProxy;
}

export interface Cluster {
  readonly name: string;
  readonly form: 'fake' | 'node';
  /** As the server says it. */
  readonly kubernetesVersion: string;
  /** The administrator's, a path. */
  readonly kubeconfig: string;
  readonly workDir: string;
  /** JSON lines; manifests/audit-policy.yaml says of what. */
  readonly auditLog: string;
  /** The API server's address; node form: an address of the cluster's own network namespace. */
  readonly server: string;
  /** etcd's URL; node form: inside the cluster's own network namespace. */
  readonly etcd: string;
  /** stdout; throws with stderr. */
  kubectl(args: readonly string[], options?: { input?: string; timeoutMs?: number }): Promise<string>;
  /** A kubeconfig file for a service account, so that a process on this machine runs with the account's rights. */
  kubeconfigFor(namespace: string, serviceAccount: string): Promise<string>;
  /** node form: imports a docker-archive tar. fake form: nothing to do. */
  loadImage(tar: string): Promise<void>;
  /** node form: starts a command in the cluster's network, where it reaches ClusterIPs and pods. fake form: on the host. */
  spawnInside(command: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
  /** node form: the processes of a pod's containers, as the host sees them. */
  podPids(namespace: string, pod: string): Promise<number[]>;
  stop(): Promise<void>;
}

/** A cluster that is up, seen from a process that uses it. */
export class RunningCluster implements Cluster {
  readonly name: string;
  readonly form: 'fake' | 'node';
  readonly kubernetesVersion: string;
  readonly kubeconfig: string;
  readonly workDir: string;
  readonly auditLog: string;
  readonly server: string;
  readonly etcd: string;
  readonly #supervisor: ProcessRecord;
  readonly #init: ProcessRecord | undefined;
  readonly #inside: Set<ChildProcess> = new Set();

  constructor(state: ClusterState) {
    this.name = state.name;
    this.form = state.form;
    this.kubernetesVersion = state.kubernetesVersion ?? 'unknown';
    this.workDir = runDirOf(state.name);
    this.kubeconfig = join(this.workDir, 'admin.kubeconfig');
    this.auditLog = join(this.workDir, 'audit.log');
    this.server = state.server ?? '';
    this.etcd = state.etcd ?? '';
    this.#supervisor = state.supervisor;
    this.#init = state.init;
  }

  kubectl(args: readonly string[], options: { input?: string; timeoutMs?: number } = {}): Promise<string> {
    // Its discovery cache is the cluster's, not the user's.
    const common = [`--kubeconfig=${this.kubeconfig}`, `--cache-dir=${join(this.workDir, 'kubectl')}`];
    return run(programPath('kubectl'), [...common, ...args], options);
  }

  async kubeconfigFor(namespace: string, serviceAccount: string): Promise<string> {
    const token = await this.kubectl(['create', 'token', serviceAccount, '-n', namespace, '--duration=24h']);
    const file = join(this.workDir, 'accounts', `${namespace}-${serviceAccount}.kubeconfig`);
    await mkdir(join(this.workDir, 'accounts'), { recursive: true });
    await writeFile(file, kubeconfig(this.server, join(this.workDir, 'pki', 'ca.crt'), token.trim()), {
      mode: 0o600,
    });
    return file;
  }

  async loadImage(tar: string): Promise<void> {
    // Fake pods run no image.
    if (this.form === 'node') await importImage(this.workDir, tar);
  }

  spawnInside(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const child = this.#init
      ? // The command takes nsenter's place, so that the handle's pid and signals are its own; it dies with this process.
        spawn('setpriv', ['--pdeathsig=KILL', ...intoNetwork(this.#init), command, ...args], options)
      : spawn(command, args, options);
    this.#inside.add(child);
    child.once('exit', () => this.#inside.delete(child));
    return child;
  }

  async podPids(namespace: string, pod: string): Promise<number[]> {
    if (this.form === 'fake') return [];
    const { metadata, status } = JSON.parse(
      await this.kubectl(['get', 'pod', pod, '-n', namespace, '-o', 'json']),
    );
    const ids = (status.containerStatuses ?? []).map((container: { containerID?: string }) =>
      (container.containerID ?? '').replace('containerd://', ''),
    );
    return processesOf(this.name, metadata.uid, ids.filter(Boolean));
  }

  async stop(): Promise<void> {
    for (const child of this.#inside) child.kill('SIGKILL');
    await end(this.#supervisor);
  }
}

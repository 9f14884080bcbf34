import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir } from './paths.ts';
import { isRunning, type ProcessRecord } from './processes.ts';

/**
 * What is known of a cluster, in a file of its run directory: enough for another process to use the cluster, and enough
 * to clean up after it when its supervisor was killed.
 */
export interface ClusterState {
  readonly name: string;
  readonly form: 'fake' | 'node';
  readonly nodes: number;
  readonly supervisor: ProcessRecord;
  /** Every process the supervisor started on the host. */
  readonly processes: readonly ProcessRecord[];
  readonly server?: string;
  /** etcd's URL; node form: inside the cluster's network. */
  readonly etcd?: string;
  readonly kubernetesVersion?: string;
  /** node form: the first process of the cluster's namespaces, as the host sees it. */
  readonly init?: ProcessRecord;
  /** node form: the host's end of the link into the cluster's network namespace. */
  readonly link?: string;
}

export const clustersDir: string = join(cacheDir, 'clusters');

export function runDirOf(name: string): string {
  return join(clustersDir, name);
}

export function writeState(state: ClusterState): void {
  const file = join(runDirOf(state.name), 'state.json');
  writeFileSync(`${file}.tmp`, JSON.stringify(state, undefined, 2));
  renameSync(`${file}.tmp`, file);
}

export function readState(name: string): ClusterState | undefined {
  try {
    return JSON.parse(readFileSync(join(runDirOf(name), 'state.json'), 'utf8')) as ClusterState;
  } catch {
    return undefined;
  }
}

export function isUp(state: ClusterState): boolean {
  return isRunning(state.supervisor);
}

export async function knownClusters(): Promise<string[]> {
  await mkdir(clustersDir, { recursive: true });
  return (await readdir(clustersDir)).filter((name) => !name.startsWith('.'));
}

/** A run directory without a state is either being made this moment, or what is left of a failure. */
export async function isBeingMade(name: string): Promise<boolean> {
  const made = await stat(runDirOf(name)).catch(() => undefined);
  return made !== undefined && Date.now() - made.mtimeMs < 60_000;
}

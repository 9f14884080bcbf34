import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Each cluster's pods live below a cgroup of the cluster's own: a kubelet deletes every pod in its part of the tree that
 * it does not know, so two kubelets in one part delete each other's.
 */
export function cgroupOf(cluster: string): string {
  return `bluegreen-${cluster}`;
}

/** The hierarchies of this machine: one with cgroup v2, one a controller with v1, both in hybrid setups. */
function hierarchies(): string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').trim().split('\n');
  return mounts
    .map((line) => line.split(' '))
    .filter(([, , type]) => type === 'cgroup' || type === 'cgroup2')
    .map(([, path]) => path!);
}

export function createCgroup(cluster: string): void {
  for (const hierarchy of hierarchies()) {
    const folder = join(hierarchy, cgroupOf(cluster));
    mkdirSync(folder, { recursive: true });
    // A new v1 cpuset is empty and admits no process; a new v2 group offers its children no controllers.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) inherit(hierarchy, folder, file);
    for (const group of [hierarchy, folder]) offerControllers(group);
    prefer(folder);
  }
}

/**
 * All pods together would get the share of one process, and a busy machine would starve them: with ten times the
 * weight they compete as the several programs that they are. The files: cgroup v1 (default 1024) and v2 (default 100).
 */
function prefer(folder: string): void {
  for (const [file, weight] of [
    ['cpu.shares', '10240'],
    ['cpu.weight', '1000'],
  ] as const) {
    const path = join(folder, file);
    if (existsSync(path)) writeFileSync(path, weight);
  }
}

function inherit(parent: string, folder: string, file: string): void {
  if (existsSync(join(parent, 'cgroup.controllers')) || !existsSync(join(parent, file))) return;
  writeFileSync(join(folder, file), readFileSync(join(parent, file)));
}

function offerControllers(group: string): void {
  const available = join(group, 'cgroup.controllers');
  if (!existsSync(available)) return;
  for (const controller of readFileSync(available, 'utf8').trim().split(' ').filter(Boolean)) {
    try {
      writeFileSync(join(group, 'cgroup.subtree_control'), `+${controller}`);
    } catch {
      // Some controllers cannot be handed down; the kubelet names those it misses.
    }
  }
}

/** Removes the cluster's groups, which a process that is just dying may keep busy for a moment. */
export async function removeCgroup(cluster: string): Promise<void> {
  const deadline = Date.now() + 5000;
  for (const hierarchy of hierarchies()) {
    const folder = join(hierarchy, cgroupOf(cluster));
    while (!removeTree(folder)) {
      if (Date.now() > deadline) throw new Error(`${folder} is still in use 5 s after the cluster's end`);
      await sleep(20);
    }
  }
}

/** Groups are removed from the leaves up, with rmdir alone: their files are not real. */
function removeTree(folder: string): boolean {
  if (!existsSync(folder)) return true;
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) removeTree(join(folder, entry.name));
    }
    rmdirSync(folder);
    return true;
  } catch {
    return !existsSync(folder);
  }
}

/** The processes in a pod's containers. The caller's view of pids: from the host, the host's. */
export function processesOf(cluster: string, podUid: string, containerIds: readonly string[]): number[] {
  const [hierarchy] = hierarchies();
  const kubepods = join(hierarchy!, cgroupOf(cluster), 'kubepods');
  // By quality of service: guaranteed pods are at the top.
  const folders = ['', 'burstable', 'besteffort'].map((qos) => join(kubepods, qos, `pod${podUid}`));
  const files = folders.flatMap((folder) => containerIds.map((id) => join(folder, id, 'cgroup.procs')));
  return files
    .filter((file) => existsSync(file))
    .flatMap((file) => readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number));
}

import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './api.ts';
import type { Components } from './components.ts';
import { podCidr, serviceCidr } from './controlplane.ts';
import { run } from './exec.ts';
import { here } from './paths.ts';
import { type ProcessRecord, recordOf } from './processes.ts';

/** Namespaces of a node's own, and its link to the host. */
export interface Namespaces {
  /** Their first process; when it ends, the kernel ends all others and takes the mounts and the network away. */
  readonly init: ProcessRecord;
  readonly link: string;
  readonly address: string;
}

/**
 * Network, mount and pid namespaces for one node. Nothing that the node does there is seen on the host or outlives them:
 * to tear a node down is to kill one process.
 */
export async function createNamespaces(dir: string, components: Components): Promise<Namespaces> {
  await mkdir(join(dir, 'var-log'), { recursive: true });
  const unshare = ['unshare', '--net', '--mount', '--propagation=slave', '--pid', '--fork', '--kill-child'];
  const init = ['bash', join(here, 'init.sh'), dir];
  // With setpriv it dies with this process, even by SIGKILL, and everything in the namespaces with it.
  components.start('init', 'setpriv', ['--pdeathsig=KILL', ...unshare, ...init]);
  const pidFile = join(dir, 'init.pid');
  await until('the namespaces of the node', 10_000, async () => existsSync(pidFile));
  const pid = Number(readFileSync(pidFile, 'utf8'));
  const slot = await createLink(pid);
  return { init: recordOf(pid), link: linkName(slot), address: `10.250.${slot}.2` };
}

/** The arguments of nsenter that start a command as a process of the node. */
export function inside(pid: number): string[] {
  return ['--target', String(pid), '--net', '--mount', '--pid', '--'];
}

/** The same for a process of the host that only wants to be in the cluster's network. */
export function intoNetwork(init: ProcessRecord): string[] {
  return ['nsenter', `--net=/proc/${init.pid}/ns/net`, '--'];
}

function linkName(slot: number): string {
  return `bluegreen${slot}`;
}

/** Each cluster has a slot: a link name and the /30 network 10.250.<slot>.0. Making the link takes the slot. */
async function createLink(pid: number): Promise<number> {
  for (let slot = 0; slot < 250; slot++) {
    if (await isRouted(`10.250.${slot}.2`)) continue;
    const peer = ['peer', 'name', 'eth0', 'netns', String(pid)];
    const made = await run('ip', ['link', 'add', linkName(slot), 'type', 'veth', ...peer]).catch(
      (error: Error) => error,
    );
    if (made instanceof Error) {
      if (made.message.includes('File exists')) continue;
      throw made;
    }
    await configure(slot, pid);
    return slot;
  }
  throw new Error('all networks 10.250.0.0/30 to 10.250.249.0/30 are taken: stop other clusters first');
}

/** True when this machine reaches the address already, by more than its default route. */
async function isRouted(address: string): Promise<boolean> {
  const routes = JSON.parse(await run('ip', ['-4', '-j', 'route', 'show', 'match', address])) as {
    dst: string;
  }[];
  return routes.some(({ dst }) => dst !== 'default');
}

async function configure(slot: number, pid: number): Promise<void> {
  const link = linkName(slot);
  const host = `10.250.${slot}.1`;
  const node = `10.250.${slot}.2`;
  await run('ip', ['-batch', '-'], { input: `addr add ${host}/30 dev ${link}\nlink set ${link} up\n` });
  const lines = [
    'link set lo up',
    `addr add ${node}/30 dev eth0`,
    'link set eth0 up',
    // Nothing in here may send a packet elsewhere. What is not a pod's is not routed at all.
    'route add unreachable default',
    `route add unreachable ${podCidr}`,
    // A process of the node itself reaches ClusterIPs only if there is a route before kube-proxy's rules rewrite them.
    `route add ${serviceCidr} dev eth0 src ${node}`,
  ];
  const enter = [`--net=/proc/${pid}/ns/net`, 'ip', '-batch', '-'];
  await run('nsenter', enter, { input: `${lines.join('\n')}\n` });
}

import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { run } from './exec.ts';
import { withLock } from './lock.ts';
import { cacheDir } from './paths.ts';

/** What the node form needs of the system, by Debian package. Files of one package are looked for in several places. */
const needed: Readonly<Record<string, readonly string[]>> = {
  containerd: ['containerd', 'ctr'],
  runc: ['runc'],
  'containernetworking-plugins': ['ptp', 'host-local', 'loopback', 'portmap'],
  iptables: ['iptables', 'iptables-restore'],
  conntrack: ['conntrack'],
  iproute2: ['ip'],
  'util-linux': ['nsenter', 'unshare', 'setpriv'],
  mount: ['mount'],
  openssl: ['openssl'],
};

/** A mode of kube-proxy, by the name of the program that it runs. */
export type ServiceProxy = 'iptables' | 'nftables';

/** Of no use to the other mode, and therefore not asked of a machine that needs it not. */
const neededBy: Readonly<Record<ServiceProxy, typeof needed>> = {
  iptables: {},
  nftables: { nftables: ['nft'] },
};

const cniFolders = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni'];
const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin', '/bin'];

/** Where the network plugins are; containerd wants to be told. */
export async function cniFolder(): Promise<string> {
  for (const folder of cniFolders) if (await isProgram(join(folder, 'ptp'))) return folder;
  throw new Error(`no network plugins in ${cniFolders.join(', ')}: install containernetworking-plugins`);
}

/** Installs what is missing, where that is possible; otherwise says what is missing. */
export async function ensurePackages(
  serviceProxy: ServiceProxy,
  progress: (line: string) => void,
): Promise<void> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new Error('the node form needs root on Linux (namespaces, cgroups): use sudo, or the fake form');
  }
  if ((await missingPackages(serviceProxy)).length === 0) return;
  const waiting = (): void => progress('waiting for another process that is installing packages');
  // Two starts side by side would meet at the lists of packages, for which apt-get does not wait.
  await withLock(join(cacheDir, 'packages.lock'), waiting, () => installMissing(serviceProxy, progress));
}

async function installMissing(serviceProxy: ServiceProxy, progress: (line: string) => void): Promise<void> {
  const missing = await missingPackages(serviceProxy);
  if (missing.length === 0) return;
  if (!(await find('apt-get'))) {
    throw new Error(
      `the node form needs ${missing.join(', ')}: install them with this system's package manager`,
    );
  }
  progress(`installing ${missing.join(', ')}`);
  await install(missing);
  const still = await missingPackages(serviceProxy);
  if (still.length > 0) throw new Error(`after installing, ${still.join(', ')} is still not to be found`);
}

async function missingPackages(serviceProxy: ServiceProxy): Promise<string[]> {
  const missing: string[] = [];
  for (const [name, programs] of Object.entries({ ...needed, ...neededBy[serviceProxy] })) {
    const found = await Promise.all(programs.map(find));
    if (found.includes(false)) missing.push(name);
  }
  return missing;
}

/** The package lists may be old or absent; only then are they fetched. */
async function install(packages: readonly string[]): Promise<void> {
  const waitForLock = ['-o', 'DPkg::Lock::Timeout=300'];
  const options = {
    timeoutMs: 600_000,
    // RUNLEVEL: packages must not start their services on this machine, the cluster runs its own.
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  };
  const args = [...waitForLock, 'install', '-y', '--no-install-recommends', ...packages];
  try {
    await run('apt-get', args, options);
  } catch {
    await run('apt-get', [...waitForLock, 'update'], options);
    await run('apt-get', args, options);
  }
}

async function find(program: string): Promise<boolean> {
  const path = (process.env.PATH ?? '').split(delimiter);
  for (const folder of [...path, ...systemFolders, ...cniFolders]) {
    if (await isProgram(join(folder, program))) return true;
  }
  return false;
}

function isProgram(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

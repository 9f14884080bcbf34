import { access, chmod, copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { catalog, type ProgramName } from './catalog.ts';
import { download } from './download.ts';
import { run } from './exec.ts';
import { withLock } from './lock.ts';
import { cacheDir, here } from './paths.ts';

export type { ProgramName } from './catalog.ts';

export type Progress = (line: string) => void;
export type Programs = Readonly<Record<ProgramName, string>>;

export const controlPlanePrograms: readonly ProgramName[] = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubectl',
];

const toStderr: Progress = (line) => process.stderr.write(`${line}\n`);
const arch = process.arch === 'x64' ? 'amd64' : process.arch;

/** Where a program is, or will be: in a folder of its own, so that the folder can be put on a PATH. */
export function programPath(name: ProgramName): string {
  return join(cacheDir, 'programs', `${name}-${catalog[name].version}-${process.platform}-${arch}`, name);
}

/**
 * Makes programs available and says where: from the cache, from KUBEBUILDER_ASSETS, from the official release, or built
 * from pinned sources, whichever comes first. When all are cached this costs one stat each.
 */
export async function ensurePrograms(
  names: readonly ProgramName[],
  progress: Progress = toStderr,
): Promise<Programs> {
  const found: Partial<Record<ProgramName, string>> = {};
  // One after the other: a Go build uses every core by itself.
  for (const name of names) found[name] = await ensureProgram(name, progress);
  return found as Programs;
}

async function ensureProgram(name: ProgramName, progress: Progress): Promise<string> {
  const target = programPath(name);
  if (await exists(target)) return target;
  const waiting = (): void => progress(`waiting for another process that is fetching ${name}`);
  return withLock(`${target}.lock`, waiting, async () => {
    if (!(await exists(target))) await obtain(name, target, progress);
    return target;
  });
}

async function obtain(name: ProgramName, target: string, progress: Progress): Promise<void> {
  await mkdir(join(target, '..'), { recursive: true });
  const temporary = `${target}.${process.pid}.tmp`;
  try {
    const have = (await fromAssets(name, temporary)) || (await fromRelease(name, temporary, progress));
    if (!have) await build(name, temporary, progress);
    await chmod(temporary, 0o755);
    await rename(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** The folder that envtest users have; taken only when it holds exactly this version. */
async function fromAssets(name: ProgramName, target: string): Promise<boolean> {
  const file = join(process.env.KUBEBUILDER_ASSETS ?? '', name);
  if (!process.env.KUBEBUILDER_ASSETS || !(await exists(file))) return false;
  const versionArgs = name === 'kubectl' ? ['version', '--client'] : ['--version'];
  const says = await run(file, versionArgs, { timeoutMs: 10_000 }).catch(() => '');
  const words = says.split(/\s+/).map((word) => word.replace(/^v/, ''));
  if (!words.includes(catalog[name].version.slice(1))) return false;
  await copyFile(file, target);
  return true;
}

async function fromRelease(name: ProgramName, target: string, progress: Progress): Promise<boolean> {
  const release = catalog[name].release?.(process.platform, arch);
  if (release === undefined) return false;
  const done = await download(release, target);
  if (done) progress(`downloaded ${name} ${catalog[name].version}`);
  return done;
}

async function build(name: ProgramName, target: string, progress: Progress): Promise<void> {
  const { version, module, package: pkg, ldflags } = catalog[name];
  const what = `building ${name} ${version} from source`;
  const began = Date.now();
  const tell = (): void => progress(`${what}: ${Math.round((Date.now() - began) / 1000)} s so far`);
  progress(`${what} (once; it is cached in ${cacheDir})`);
  const ticker = setInterval(tell, 10_000);
  const flags = ['-trimpath', '-buildvcs=false', '-ldflags', ['-s', '-w', ...ldflags].join(' ')];
  try {
    await run('go', ['build', ...flags, '-o', target, pkg], {
      cwd: join(here, 'go', module),
      env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '' },
      timeoutMs: 30 * 60_000,
    });
  } catch (error) {
    const why = (error as Error).message;
    const advice = 'check the network, or install Go (https://go.dev/dl)';
    throw new Error(`${name} ${version} could be neither downloaded nor built; ${advice}: ${why}`);
  } finally {
    clearInterval(ticker);
  }
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

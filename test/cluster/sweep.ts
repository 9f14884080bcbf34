import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removeCgroup } from './cgroups.ts';
import { run } from './exec.ts';
import { withLock } from './lock.ts';
import { ended, signal } from './processes.ts';
import {
  type ClusterState,
  clustersDir,
  isBeingMade,
  isUp,
  knownClusters,
  readState,
  runDirOf,
} from './state.ts';

/** Removes what a cluster leaves outside its processes. Everything here may be gone already. */
export async function cleanUp(state: ClusterState): Promise<void> {
  if (state.form === 'node') {
    if (state.init) await ended([state.init], 10_000);
    await removeCgroup(state.name);
    // It goes with its namespace, but only after a moment, and not while another process is still in there.
    if (state.link) await run('ip', ['link', 'del', state.link]).catch(() => {});
  }
  await rm(runDirOf(state.name), { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}

/** Cleans up after every cluster whose supervisor was killed before it could do so; says which. One at a time: see claim. */
export function sweep(): Promise<string[]> {
  return withLock(sweepLock, () => {}, sweepAll);
}

/** Sweeps, then takes a name. Under one lock, so that nobody removes the new run directory in the belief that it is dead. */
export function claim(name: string): Promise<{ dir: string; swept: string[] }> {
  return withLock(
    sweepLock,
    () => {},
    async () => {
      const swept = await sweepAll();
      return { dir: await makeRunDir(name), swept };
    },
  );
}

const sweepLock = join(clustersDir, '.lock');

async function sweepAll(): Promise<string[]> {
  const swept: string[] = [];
  for (const name of await knownClusters()) {
    const state = readState(name);
    if (state ? isUp(state) : await isBeingMade(name)) continue;
    await bury(name, state);
    swept.push(name);
  }
  return swept;
}

/** The run directory is the claim on the name: making it is atomic. */
async function makeRunDir(name: string): Promise<string> {
  if (!/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(name)) {
    throw new Error(`"${name}" is no cluster name: use up to 32 lower-case letters, digits and dashes`);
  }
  const dir = runDirOf(name);
  if (dir.length > 70) {
    throw new Error(`${dir} is too long a path for the sockets in it: set BLUEGREEN_CACHE to a shorter one`);
  }
  try {
    await mkdir(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const remedy = `stop it (npm run cluster -- down --name ${name}) or use another name`;
    throw new Error(`cluster ${name} is up already; ${remedy}`);
  }
  return dir;
}

async function bury(name: string, state: ClusterState | undefined): Promise<void> {
  if (!state) {
    await rm(runDirOf(name), { recursive: true, force: true });
    return;
  }
  for (const record of state.processes) signal(record, 'SIGKILL');
  await ended(state.processes, 10_000);
  await cleanUp(state);
}

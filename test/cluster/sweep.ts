import { rm } from 'node:fs/promises';
import { removeCgroup } from './cgroups.ts';
import { run } from './exec.ts';
import { ended, signal } from './processes.ts';
import { type ClusterState, isBeingMade, isUp, knownClusters, readState, runDirOf } from './state.ts';

/** Removes what a cluster leaves outside its processes. Everything here may be gone already. */
export async function cleanUp(state: ClusterState): Promise<void> {
  if (state.form === 'node') {
    await removeCgroup(state.name);
    // It goes with its namespace, but only after a moment, and not while another process is still in there.
    if (state.link) await run('ip', ['link', 'del', state.link]).catch(() => {});
  }
  await rm(runDirOf(state.name), { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}

/** Cleans up after every cluster whose supervisor was killed before it could do so; says which. */
export async function sweep(): Promise<string[]> {
  const swept: string[] = [];
  for (const name of await knownClusters()) {
    const state = readState(name);
    if (state ? isUp(state) : await isBeingMade(name)) continue;
    await bury(name, state);
    swept.push(name);
  }
  return swept;
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

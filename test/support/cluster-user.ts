/** A process that starts a cluster and then just stays: what a test kills to see the cluster go. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ClusterState } from '../cluster/state.ts';

export interface ClusterUser {
  readonly user: ChildProcess;
  readonly state: ClusterState;
  readonly runDir: string;
}

/** Resolves when the cluster is up. `users` gets the process as soon as there is one: whoever tests must end it. */
export async function startUser(
  form: 'fake' | 'node',
  users: ChildProcess[],
  env: NodeJS.ProcessEnv = {},
): Promise<ClusterUser> {
  const index = new URL('../cluster/index.ts', import.meta.url).href;
  const script = `import { startCluster } from '${index}';
    const cluster = await startCluster({ form: '${form}' });
    console.log(cluster.workDir);
    setInterval(() => {}, 1000);`;
  const user = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  users.push(user);
  // How long a start may take is for startCluster to say: it gives up by itself, and its user ends with that.
  for await (const runDir of createInterface({ input: user.stdout })) {
    const state = JSON.parse(await readFile(join(runDir, 'state.json'), 'utf8')) as ClusterState;
    return { user, state, runDir };
  }
  throw new Error('the process that was to start a cluster has ended');
}

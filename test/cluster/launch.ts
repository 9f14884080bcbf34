import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ended, type ProcessRecord, recordOf, signal } from './processes.ts';
import { type ClusterState, clustersDir, readState } from './state.ts';
import type { Order, Report } from './supervisor.ts';
import { claim } from './sweep.ts';

const startDeadlineMs = 180_000;
const stopDeadlineMs = 30_000;

/** Starts a supervisor and returns when its cluster is ready. What dead supervisors left is cleaned up first. */
export async function launch(order: Order, progress: (line: string) => void): Promise<ClusterState> {
  const { dir, swept } = await claim(order.name);
  for (const name of swept) progress(`cleaned up what was left of cluster ${name}`);
  const log = await open(join(dir, 'supervisor.log'), 'w');
  const supervisor = spawn(
    process.execPath,
    [join(import.meta.dirname, 'supervisor.ts'), JSON.stringify(order)],
    {
      stdio: [order.detached ? 'ignore' : 'pipe', 'pipe', log.fd],
      // Not in this process's group: a Ctrl-C is for us, and we pass it on by closing its stdin.
      detached: true,
      cwd: dir,
    },
  );
  await log.close();
  try {
    await readiness(supervisor);
  } catch (error) {
    const last = await readFile(join(dir, 'supervisor.log'), 'utf8').catch(() => '');
    if (supervisor.pid !== undefined) await end(recordOf(supervisor.pid)).catch(() => {});
    throw new Error(`${(error as Error).message}\n${last.trim().slice(-2000)}`.trim());
  }
  const state = readState(order.name);
  if (!state) throw new Error(`cluster ${order.name} is ready but left no state in ${dir}`);
  // What follows on the pipe must not keep the user's process alive.
  supervisor.unref();
  unreference(supervisor);
  return state;
}

function readiness(supervisor: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const deadline = setTimeout(
    () => reject(new Error('the cluster was not ready within 3 minutes')),
    startDeadlineMs,
  );
  const lines = createInterface({ input: supervisor.stdout! });
  lines.on('line', (line) => {
    const report = JSON.parse(line) as Report;
    if ('ready' in report) resolve();
    else if ('failed' in report) reject(new Error(`the cluster did not start: ${report.failed}`));
    // A test that fails for this reason should not be searched for another.
    else process.stderr.write(`the cluster lost a part: ${report.lost}\n`);
  });
  supervisor.once('error', reject);
  supervisor.once('exit', (code) => reject(new Error(`the cluster's supervisor ended with code ${code}`)));
  return promise.finally(() => clearTimeout(deadline));
}

function unreference(supervisor: ChildProcess): void {
  for (const stream of [supervisor.stdin, supervisor.stdout]) {
    (stream as { unref?: () => void } | null)?.unref?.();
  }
}

/** Orders the teardown and waits for it. Closing its stdin, if that is ours, says the same. */
export async function end(supervisor: ProcessRecord): Promise<void> {
  signal(supervisor, 'SIGTERM');
  if (!(await ended([supervisor], stopDeadlineMs))) {
    throw new Error(`the cluster was not torn down within ${stopDeadlineMs / 1000} s; see ${clustersDir}`);
  }
}

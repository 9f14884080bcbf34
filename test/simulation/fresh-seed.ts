/** Lives that nobody has played before. */
import { type ExecFileSyncOptionsWithStringEncoding, execFileSync } from 'node:child_process';

const QUIETLY: ExecFileSyncOptionsWithStringEncoding = {
  cwd: import.meta.dirname,
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'ignore'],
};

/**
 * Another one for each commit, and the same one whenever that commit is tested: what such a life finds does not come and
 * go. Where there is no commit it is another one each time.
 */
export function freshSeed(): number {
  return Number.parseInt(commit().slice(0, 7), 16);
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], QUIETLY);
  } catch {
    return crypto.randomUUID();
  }
}

/** The processes of pods, read from /proc: the API would tell of a new container a second late. */
import { readdirSync, readFileSync } from 'node:fs';

/** The process of a pod that runs `program`; undefined while there is none. */
export function processOf(podUid: string, program: string): number | undefined {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => contains(`/proc/${pid}/cgroup`, podUid) && contains(`/proc/${pid}/cmdline`, program));
}

export function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** As a crash: without a word of warning. */
export function crash(podUid: string, program: string): void {
  const pid = processOf(podUid, program);
  if (pid === undefined) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function contains(file: string, text: string): boolean {
  try {
    return readFileSync(file, 'utf8').includes(text);
  } catch {
    // The process has ended since.
    return false;
  }
}

/** What processes had of the processors, from /proc. Linux only. */
import { readFileSync } from 'node:fs';

/** What /proc counts CPU time in. */
const TICKS_PER_SECOND = 100;

/** Seconds since the process was started. */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Milliseconds for which the main thread of the process could have run, and others did: sched-stats.rst of the kernel. */
export function waitedMsOf(pid: number): number {
  const [, waitedNs] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
  return Number(waitedNs) / 1e6;
}

/** What the numbers were measured on: without it they say nothing. */
import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem, type } from 'node:os';

export interface Machine {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  /** Unknown until the first measurement. */
  readonly kubernetes?: string;
  /** Of the last minute, before anything of ours ran: what else the machine does. */
  readonly loadBefore: number;
}

export function machineFacts(): Machine {
  const [cpu] = cpus();
  return {
    date: new Date().toISOString().slice(0, 16),
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    loadBefore: Number(loadavg()[0]?.toFixed(1)),
  };
}

/** With a mark where files differ from it. */
export function commit(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--untracked-files=no', 'src') === '' ? '' : ' and changes';
  return `${git('rev-parse', '--short', 'HEAD')}${changed}`;
}

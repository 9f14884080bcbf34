/** What a run of benchmarks says while it runs, and when it is over. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import type { Say } from './benchmark.ts';
import type { Result } from './markdown.ts';

/** One line that changes; where the output is a file, a line each. */
export function progress(name: string): Say {
  const from = Date.now();
  return (doing) => {
    const line = `${name}: ${doing} (${Math.round((Date.now() - from) / 1000)} s)`;
    process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
  };
}

export async function save(result: Result, json: string | undefined): Promise<void> {
  if (json !== undefined) await writeFile(json, `${JSON.stringify(result, undefined, 2)}\n`);
}

/** What an earlier run has measured; undefined where there was none. */
export async function readResult(json: string | undefined): Promise<Result | undefined> {
  if (json === undefined || !existsSync(json)) return undefined;
  return JSON.parse(await readFile(json, 'utf8')) as Result;
}

/** Runs the process's work; clusters and operators end with the process, however it ends. */
export async function runProcess(work: () => Promise<void>): Promise<never> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  try {
    await work();
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${(error as Error).stack}\n`);
    process.exit(1);
  }
}

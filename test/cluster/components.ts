import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ended, type ProcessRecord, recordOf, signal } from './processes.ts';

/** The running programs of one cluster: started with a log file each, watched, and ended all together. */
export class Components {
  /** Rejects when one ends that should not: whoever waits for a cluster races with it. */
  readonly failure: Promise<never>;
  readonly #logs: string;
  readonly #onStart: (records: readonly ProcessRecord[]) => void;
  readonly #records: ProcessRecord[] = [];
  readonly #fail: (error: Error) => void;
  #stopping = false;

  /** `onStart` gets all records each time one is added, to write them down before anything else happens. */
  constructor(logs: string, onStart: (records: readonly ProcessRecord[]) => void) {
    const { promise, reject } = Promise.withResolvers<never>();
    this.failure = promise;
    this.#fail = reject;
    this.#logs = logs;
    this.#onStart = onStart;
    mkdirSync(logs, { recursive: true });
    promise.catch(() => {});
  }

  start(name: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
    const file = join(this.#logs, `${name}.log`);
    const log = openSync(file, 'a');
    const child = spawn(command, args, { stdio: ['ignore', log, log], env: { ...process.env, ...env } });
    closeSync(log);
    child.once('error', (error) => this.#ended(name, file, error.message));
    child.once('exit', (code, killedBy) => this.#ended(name, file, killedBy ?? `code ${code}`));
    if (child.pid !== undefined) {
      this.#records.push(recordOf(child.pid));
      this.#onStart(this.#records);
    }
    return child;
  }

  /** Nothing here has anything worth keeping, and an API server asked politely waits for its open watches. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const record of this.#records) signal(record, 'SIGKILL');
    if (!(await ended(this.#records, 10_000)))
      throw new Error('processes of the cluster outlived SIGKILL by 10 s');
  }

  #ended(name: string, file: string, how: string): void {
    if (this.#stopping) return;
    const tail = readFileSync(file, 'utf8').trim().split('\n').slice(-8).join('\n');
    this.#fail(new Error(`${name} ended with ${how}; the end of its log:\n${tail}`));
  }
}

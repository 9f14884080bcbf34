/** The operator as a child of the test, with the rights that are shipped. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/eventually.ts';

/** What is run unless a test says otherwise. */
export const SOURCE: string = join(import.meta.dirname, '../../../src/main.ts');

/** One line of its log. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly release?: string;
  readonly reason?: string;
  readonly effects?: readonly string[];
}

export class OperatorProcess {
  readonly log: LogLine[] = [];
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;

  constructor(program: string, kubeconfig: string, args: readonly string[]) {
    const fixed = ['--kubeconfig', kubeconfig, '--bind-address', '127.0.0.1'];
    const ports = ['--metrics-port', '0', '--health-port', '0'];
    this.#child = spawn(process.execPath, [program, ...fixed, ...ports, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#exit = once(this.#child, 'exit');
    if (this.#child.stdout)
      createInterface({ input: this.#child.stdout }).on('line', (line) => this.#note(line));
  }

  #note(line: string): void {
    if (process.env.OPERATOR_LOG) process.stderr.write(`${line}\n`);
    this.log.push(JSON.parse(line) as LogLine);
  }

  said(message: string): boolean {
    return this.log.some((line) => line.message === message);
  }

  /** It has its caches, and the Lease where it needs one. */
  async isWorking(): Promise<this> {
    await eventually('the operator to begin to reconcile', 180_000, () => {
      if (!this.running) throw new Error(`it has ended: ${this.log.at(-1)?.message}`);
      return this.said('the caches are complete: reconciling') ? true : undefined;
    });
    return this;
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves when it has ended, by itself or not. */
  get over(): Promise<unknown> {
    return this.#exit;
  }

  /** Waits until somebody has ended it, or ends it when nobody needs it any more. */
  async ended(isOver: () => boolean): Promise<void> {
    while (this.running && !isOver()) await sleep(50);
    if (this.exitCode !== null) throw new Error(`the operator ended by itself: ${this.log.at(-1)?.message}`);
    await this.end();
  }

  async end(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    this.#child.kill(signal);
    if (this.running) await this.#exit;
  }
}

/** The operator under measurement: the bundle that is shipped, as a process with the shipped rights. Linux only. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundle } from '../build/bundle.ts';
import { freePort } from '../test/cluster/fake.ts';
import { eventually } from '../test/support/eventually.ts';
import { cpuSecondsOf, waitedMsOf } from './cpu.ts';
import { wallClock } from './numbers.ts';

export async function buildOperator(folder: string): Promise<string> {
  await bundle({ entries: { operator: 'src/main.ts' }, outdir: folder });
  return join(folder, 'operator.mjs');
}

export interface OperatorStart {
  readonly program: string;
  readonly kubeconfig: string;
  readonly args: readonly string[];
  /** Folder for CPU profiles. */
  readonly profile: string | undefined;
}

interface Ports {
  readonly metrics: number;
  readonly health: number;
}

export class MeasuredOperator {
  readonly startedAt: number = wallClock();
  readonly #said: Set<string> = new Set();
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  readonly #metrics: string;
  readonly #readiness: string;

  private constructor(start: OperatorStart, ports: Ports) {
    const own = start.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${start.profile}`];
    const { metrics, health } = ports;
    const servers = [
      '--metrics-port',
      String(metrics),
      '--health-port',
      String(health),
      '--bind-address',
      '127.0.0.1',
    ];
    const args = [...own, start.program, '--kubeconfig', start.kubeconfig, ...servers, ...start.args];
    this.#child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_ENV: 'production' },
    });
    this.#exit = once(this.#child, 'exit');
    process.once('exit', () => this.#child.kill('SIGKILL'));
    this.#metrics = `http://127.0.0.1:${metrics}/metrics`;
    this.#readiness = `http://127.0.0.1:${health}/readyz`;
    if (this.#child.stdout)
      createInterface({ input: this.#child.stdout }).on('line', (line) => this.#note(line));
  }

  static async start(start: OperatorStart): Promise<MeasuredOperator> {
    return new MeasuredOperator(start, { metrics: await freePort(), health: await freePort() });
  }

  #note(line: string): void {
    const { level, message, ...fields } = JSON.parse(line) as { level: string; message: string };
    if (!Object.hasOwn(fields, 'release')) this.#said.add(message);
    if (process.env.BENCH_LOG || level === 'error') process.stderr.write(`${line}\n`);
  }

  async works(timeoutMs = 120_000): Promise<this> {
    const message = 'the caches are complete: reconciling';
    await eventually(
      'the operator to begin to reconcile',
      timeoutMs,
      () => this.#said.has(message) || undefined,
      10,
    );
    return this;
  }

  /** It has looked at so many releases, and no key waits. */
  async idle(releases: number): Promise<void> {
    await eventually('an idle operator', 300_000, async () => {
      const done = await this.metric('controller_runtime_reconcile_total');
      return (done >= releases && (await this.metric('workqueue_depth')) === 0) || undefined;
    });
  }

  /** Seconds of CPU since it was started. */
  cpuSeconds(): number {
    return cpuSecondsOf(this.#child.pid ?? 0);
  }

  /** Since it was started, for a processor. */
  waitedMs(): number {
    return waitedMsOf(this.#child.pid ?? 0);
  }

  residentMiB(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
  }

  /** The sum of a metric over its labels. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(this.#metrics)).text();
    const lines = text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  /** It has its caches; a standby too. */
  async ready(): Promise<boolean> {
    const answer = await fetch(this.#readiness).catch(() => undefined);
    return answer?.ok ?? false;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** With SIGTERM it writes its profile, where one is taken. */
  async end(): Promise<void> {
    if (!this.running) return;
    this.signal('SIGTERM');
    await Promise.race([this.#exit, sleep(15_000, undefined, { ref: false })]);
    if (!this.running) return;
    this.signal('SIGKILL');
    await this.#exit;
  }
}

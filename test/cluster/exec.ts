import { type SpawnOptions, spawn } from 'node:child_process';

export interface RunOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs a command to its end: its stdout, or an error that carries its stderr. It is killed at the deadline. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const timeoutMs = options.timeoutMs ?? 60_000;
  const spawnOptions: SpawnOptions = { stdio: 'pipe', cwd: options.cwd, env: options.env };
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(command, args, spawnOptions);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, timeoutMs);
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.once('error', (error) => {
    clearTimeout(deadline);
    reject(new Error(`${command} cannot be run: ${error.message}`));
  });
  child.once('close', (code, signal) => {
    clearTimeout(deadline);
    if (code === 0) return resolve(Buffer.concat(stdout).toString());
    const how = late ? `gave no answer within ${timeoutMs} ms` : `ended with ${signal ?? `code ${code}`}`;
    const said = Buffer.concat(stderr).toString().trim().slice(-4000);
    reject(new Error(`${[command, ...args].join(' ').slice(0, 300)} ${how}${said && `: ${said}`}`));
  });
  // A command that ends without reading its input must not crash the caller.
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input ?? '');
  return promise;
}

/** `kubectl patch` that has started already, and waits for its patch: it takes tenths of a second to start. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { Target } from '../../test/support/target.ts';

const TIMEOUT_MS = 120_000;

export interface WaitingPatch {
  /** Sends the JSON patch; throws what kubectl says against it. */
  send(patch: readonly object[]): Promise<void>;
  /** Ends it without a patch, where none was sent. */
  cancel(): void;
}

export function patchAtOnce({ command }: Target, namespace: string, service: string): WaitingPatch {
  const [program = 'kubectl', ...common] = command;
  const what = ['patch', 'service', service, '-n', namespace, '--type=json', '--patch-file=/dev/stdin'];
  // A pipe between: what this process has to its children are sockets, which nobody can open by a path.
  const child = spawn('sh', ['-c', 'cat | "$@"', 'sh', program, ...common, ...what], {
    stdio: ['pipe', 'ignore', 'pipe'],
    timeout: TIMEOUT_MS,
  });
  const ended = once(child, 'close') as Promise<[code: number | null]>;
  const said = text(child.stderr);
  // Who never sends a patch asks for neither.
  for (const unasked of [ended, said]) unasked.catch(() => undefined);
  // Where it ended early, its exit code tells.
  child.stdin.on('error', () => undefined);
  return {
    async send(patch) {
      child.stdin.end(JSON.stringify(patch));
      const [code] = await ended;
      if (code !== 0) throw new Error(`kubectl patch service ${namespace}/${service}: ${await said}`);
    },
    // kubectl refuses to patch by nothing, and ends.
    cancel: () => void child.stdin.destroy(),
  };
}

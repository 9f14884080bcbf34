/** A kubectl that streams, kept running: it is started again when its connection ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Target } from './target.ts';

export interface Following {
  stop(): void;
}

export type WatchEvent = 'ADDED' | 'MODIFIED' | 'DELETED';

const AGAIN_MS = 500;

/** Calls `onObject` with each state of what `kubectl get` names: first the present one, then every change. */
export function watch(
  target: Target,
  what: readonly string[],
  onObject: (object: any, event: WatchEvent) => void,
): Following {
  // With the events kubectl prints one line each.
  return followLines(target, ['get', ...what, '--watch', '--output-watch-events', '-o', 'json'], (line) => {
    const { type, object } = JSON.parse(line) as { type: WatchEvent; object: unknown };
    onObject(object, type);
  });
}

/** Calls `onLine` with each line of a log; from the first line on again when the connection broke. */
export function followLog(
  target: Target,
  what: readonly string[],
  onLine: (line: string) => void,
): Following {
  return followLines(target, ['logs', '--follow', ...what], onLine);
}

function followLines(target: Target, args: readonly string[], onLine: (line: string) => void): Following {
  const [program = 'kubectl', ...common] = target.command;
  let child: ChildProcess | undefined;
  let again: NodeJS.Timeout | undefined;
  let stopped = false;
  const start = (): void => {
    child = spawn(program, [...common, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
    if (child.stdout) createInterface({ input: child.stdout }).on('line', onLine);
    child.once('error', () => {});
    child.once('close', () => {
      if (!stopped) again = setTimeout(start, AGAIN_MS);
    });
  };
  start();
  return {
    stop: () => {
      stopped = true;
      clearTimeout(again);
      child?.kill('SIGKILL');
    },
  };
}

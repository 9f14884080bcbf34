/** How the process ends: by a signal, or by a bug that leaves it in an unknown state. */
import { describeThrown } from './kube/log.ts';
import type { ChildLogger } from './log.ts';

export interface Shutdown {
  readonly begun: boolean;
  /** Parts are stopped in the reverse order of these calls; what a part needs is therefore named before it. */
  stops(part: () => Promise<void>): void;
}

export function createShutdown(log: ChildLogger): Shutdown {
  const parts: (() => Promise<void>)[] = [];
  let begun = false;

  async function stop(why: string, code: number): Promise<void> {
    if (begun) return;
    begun = true;
    log.info('stopping', { why });
    for (const part of parts.reverse())
      await part().catch((error: unknown) =>
        log.error('a part did not stop', { error: describeThrown(error) }),
      );
    process.exit(code);
  }

  process.on('SIGTERM', () => void stop('SIGTERM', 0));
  process.on('SIGINT', () => void stop('SIGINT', 0));
  // A promise that nobody awaited is a bug: a restart finds everything in the cluster, a process in an unknown state does not.
  process.on('unhandledRejection', (error) => {
    log.error('a promise was rejected and nobody cared', { error: describeThrown(error) });
    void stop('unhandledRejection', 1);
  });
  return {
    get begun() {
      return begun;
    },
    stops: (part) => void parts.push(part),
  };
}

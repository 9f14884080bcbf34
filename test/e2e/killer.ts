/** Kills the operator after each of its writes, in turn, as a machine that fails would: without a word of warning. */
import { setTimeout as sleep } from 'node:timers/promises';
import { OPERATOR, OPERATOR_NAMESPACE } from '../support/operator.ts';
import type { Stage } from '../support/stage.ts';
import { AuditTail, isWrite, type Request } from './audit-log.ts';
import { isThere, processOf } from './processes.ts';

export interface Kill {
  readonly at: number;
  /** What it had written last. */
  readonly after: Request;
}

/** A write follows the one before within milliseconds: to come between the two, nothing may take longer. */
const LOOK_MS = 1;
/** A new process takes far longer until it writes, and a search of all processes is work. */
const SEARCH_MS = 100;
/** A bug must not keep a machine busy for ever. */
const MAX_KILLS = 150;

export class Killer {
  readonly kills: Kill[] = [];
  readonly podUid: string;
  readonly #tail: AuditTail;
  readonly #matters: (write: Request) => boolean;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  private constructor(stage: Stage, podUid: string, namespace: string) {
    this.podUid = podUid;
    this.#tail = new AuditTail(stage.cluster.auditLog);
    this.#matters = (request) => isWrite(request) && request.namespace === namespace;
  }

  static async start(stage: Stage, namespace: string): Promise<Killer> {
    const killer = new Killer(stage, (await operatorPod(stage)).metadata.uid, namespace);
    killer.#running = killer.#run();
    return killer;
  }

  async stop(): Promise<readonly Kill[]> {
    if (!this.#stopped) {
      this.#stopped = true;
      await this.#running;
      this.#tail.close();
    }
    return this.kills;
  }

  async #run(): Promise<void> {
    while (this.kills.length < MAX_KILLS) {
      const pid = await this.#until(() => processOf(this.podUid, 'operator.mjs'), SEARCH_MS);
      const written = await this.#until(() => this.#tail.read().filter(this.#matters).at(-1), LOOK_MS);
      if (pid === undefined || written === undefined) return;
      process.kill(pid, 'SIGKILL');
      const at = Date.now();
      await this.#until(() => (isThere(pid) ? undefined : true), LOOK_MS);
      // What it wrote while it was being killed came before its end, too.
      const last = this.#tail.read().filter(this.#matters).at(-1) ?? written;
      this.kills.push({ at, after: last });
    }
  }

  async #until<T>(ask: () => T | undefined, everyMs: number): Promise<T | undefined> {
    for (;;) {
      const answer = ask();
      if (answer !== undefined || this.#stopped) return answer;
      await sleep(everyMs);
    }
  }
}

export async function operatorPod({ target }: Stage): Promise<any> {
  const selector = `app.kubernetes.io/name=${OPERATOR}`;
  const { items } = JSON.parse(
    await target.kubectl(['get', 'pods', '-n', OPERATOR_NAMESPACE, '-l', selector, '-o', 'json']),
  );
  if (items.length !== 1)
    throw new Error(`there are ${items.length} pods of the operator, and one is expected`);
  return items[0];
}

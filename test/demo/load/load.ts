/**
 * A load generator with a constant rate: a request is due when its time has come, whether or not the ones before it are
 * answered, so that a slow service cannot hide its failures by slowing the count down. Every request that is due is
 * accounted for. Half of them open a connection of their own, half use connections that are kept.
 *
 *   TARGET       http://host:port of a Service of this cluster
 *   RATE         requests a second (100)
 *   MAX_SECONDS  it stops by itself (600)
 *   MAX_REQUESTS likewise (120000)
 *   PORT         where GET / answers with what was counted so far (8080)
 *
 * stdout: one JSON line a second, `{"row": ...}`, and a last one, `{"summary": ...}`. SIGTERM ends the run in good order.
 */
import { lookup } from 'node:dns/promises';
import { createServer, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionPool, type Connections, newConnections, type Target } from './connections.ts';
import { type Kind, type LoadLine, type Row, Tally } from './tally.ts';

const RATE = Number(process.env.RATE ?? 100);
const MAX_SECONDS = Number(process.env.MAX_SECONDS ?? 600);
const MAX_REQUESTS = Number(process.env.MAX_REQUESTS ?? 120_000);
const PORT = Number(process.env.PORT ?? 8080);
const TIMEOUT_MS = 2_000;
/** How late a request may be sent: later is never. */
const MAX_LATE_MS = 2_000;
const FIRST_ANSWER_MS = 60_000;

const now = (): number => performance.timeOrigin + performance.now();
const say = (line: LoadLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

let stopping = false;
process.on('SIGTERM', () => {
  stopping = true;
});
process.on('SIGINT', () => {
  stopping = true;
});

/** Resolved once: the address of a Service stays, and the cluster's DNS is not what is measured. */
async function resolveTarget(url: URL): Promise<Target> {
  const { address } = await lookup(url.hostname, 4);
  return { address, port: Number(url.port || 80), host: url.host };
}

/** A Service that is new is not known to every node's proxy at once: counting begins with the first answer. */
async function firstAnswer(url: URL): Promise<Target> {
  const deadline = now() + FIRST_ANSWER_MS;
  for (;;) {
    try {
      const target = await resolveTarget(url);
      await new Promise<void>((resolve, reject) => {
        const call = get(
          { host: target.address, port: target.port, agent: false, timeout: 1_000 },
          (response) => {
            response.resume();
            response.on('end', resolve);
          },
        );
        call.on('timeout', () => call.destroy(new Error('no answer within a second')));
        call.on('error', reject);
      });
      return target;
    } catch (error) {
      if (now() > deadline || stopping) throw error;
      await sleep(200);
    }
  }
}

class Run {
  readonly tally: Tally = new Tally(now());
  readonly #connections: Record<Kind, Connections>;
  readonly #startedAt: number = now();
  #issued = 0;

  constructor(target: Target) {
    this.#connections = {
      new: newConnections(target, TIMEOUT_MS),
      kept: new ConnectionPool(target, TIMEOUT_MS),
    };
  }

  async untilStopped(): Promise<void> {
    while (!this.#isOver()) {
      const dueAt = this.#startedAt + (this.#issued * 1000) / RATE;
      if (now() < dueAt) {
        await sleep(dueAt - now());
        continue;
      }
      this.#issue(this.#issued++ % 2 === 0 ? 'new' : 'kept', now() - dueAt);
    }
    const deadline = now() + TIMEOUT_MS + 1_000;
    while (this.tally.pending > 0 && now() < deadline) await sleep(10);
  }

  #isOver(): boolean {
    return stopping || this.#issued >= MAX_REQUESTS || now() - this.#startedAt >= MAX_SECONDS * 1000;
  }

  #issue(kind: Kind, lateMs: number): void {
    this.tally.due();
    const send = lateMs > MAX_LATE_MS ? undefined : this.#connections[kind].take();
    if (send === undefined) {
      const code = lateMs > MAX_LATE_MS ? `${Math.round(lateMs)} ms late` : 'no connection was free';
      this.tally.settled({ kind, failure: 'notSent', code }, now());
      return;
    }
    const sentAt = now();
    this.tally.sent();
    send((reply) => {
      const at = now();
      const outcome = 'failure' in reply ? { kind, ...reply } : { kind, ...reply, ms: at - sentAt };
      this.tally.settled(outcome, at);
    });
  }
}

function serve(run: Run, rows: readonly Row[]): void {
  const server = createServer((request, response) => {
    request.resume();
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ totals: run.tally.totals, failures: run.tally.failures, rows }));
  });
  server.listen(PORT);
  server.unref();
}

const url = new URL(process.env.TARGET ?? 'http://localhost:8080');
const target = await firstAnswer(url);
say({ note: `${url.host} is ${target.address}; ${RATE} requests a second` });
const run = new Run(target);
const rows: Row[] = [];
serve(run, rows);
const note = (row: Row | undefined): void => {
  if (row === undefined) return;
  rows.push(row);
  say({ row });
};
const turns = setInterval(() => note(run.tally.turn(now())), 100);
await run.untilStopped();
clearInterval(turns);
note(run.tally.finish(now()));
say({ summary: { totals: run.tally.totals, failures: run.tally.failures } });
// What is still open is a connection that is kept.
process.stdout.write('', () => process.exit(0));

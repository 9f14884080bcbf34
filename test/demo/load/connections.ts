/** The two ways to send a request: on a connection of its own, or on one that is kept. */
import { Agent, type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http';

export interface Target {
  readonly address: string;
  readonly port: number;
  /** The header. */
  readonly host: string;
}

export type Reply =
  | { readonly version: string; readonly status: number }
  | { readonly failure: 'connection' | 'timeout'; readonly code: string };

/** Sends one request; `done` is called exactly once. */
export type Send = (done: (reply: Reply) => void) => void;

export interface Connections {
  /** undefined: none is free. */
  take(): Send | undefined;
}

/**
 * Below the range from which the system takes the ports of kept connections. A node remembers for up to two minutes to
 * which pod a connection went that the pod did not close in order, and sends a new one from the same port there, dead or
 * alive: so none is used again before the round of 31,000 is over.
 */
const FIRST_PORT = 1_024;
const LAST_PORT = 32_767;
const PORTS_TRIED = 3;

export function newConnections(target: Target, timeoutMs: number): Connections {
  let last = LAST_PORT;
  const next = (): number => {
    last = last === LAST_PORT ? FIRST_PORT : last + 1;
    return last;
  };
  const send = (done: (reply: Reply) => void, ports: number): void =>
    exchange(target, { agent: false, localPort: next() }, timeoutMs, (reply) =>
      // Somebody in this pod listens there: nothing was sent.
      'failure' in reply && reply.code === 'EADDRINUSE' && ports > 1 ? send(done, ports - 1) : done(reply),
    );
  return { take: () => (done) => send(done, PORTS_TRIED) };
}

/** In rotation, so that each connection is used several times a second and none is forgotten. */
const POOL_SIZE = 10;
/** A service that is slow is given more connections, up to this many; the rate is not its choice. */
const MAX_POOL_SIZE = 200;

/** Each slot holds one connection: an agent that may open one socket, and replaces it when the server closed it. */
export class ConnectionPool implements Connections {
  readonly #target: Target;
  readonly #timeoutMs: number;
  readonly #idle: Agent[] = [];
  #size = 0;

  constructor(target: Target, timeoutMs: number) {
    this.#target = target;
    this.#timeoutMs = timeoutMs;
  }

  take(): Send | undefined {
    const agent = this.#next();
    if (agent === undefined) return undefined;
    return (done) =>
      exchange(this.#target, { agent }, this.#timeoutMs, (reply) => {
        done(reply);
        this.#idle.push(agent);
      });
  }

  #next(): Agent | undefined {
    if (this.#size >= POOL_SIZE && this.#idle.length > 0) return this.#idle.shift();
    if (this.#size >= MAX_POOL_SIZE) return undefined;
    this.#size++;
    return new Agent({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 });
  }
}

/** The agent honours `Connection: close`: the connection is not used again. */
function exchange(
  target: Target,
  how: Pick<RequestOptions, 'agent' | 'localPort'>,
  timeoutMs: number,
  done: (reply: Reply) => void,
): void {
  let isDone = false;
  const once = (reply: Reply): void => {
    if (isDone) return;
    isDone = true;
    clearTimeout(deadline);
    done(reply);
  };
  const { address, port, host } = target;
  const call: ClientRequest = request({ host: address, port, path: '/', headers: { host }, ...how });
  const deadline = setTimeout(() => {
    once({ failure: 'timeout', code: `no answer within ${timeoutMs} ms` });
    call.destroy();
  }, timeoutMs);
  const broken = (error: NodeJS.ErrnoException): void =>
    once({ failure: 'connection', code: error.code ?? error.message });
  call.on('error', broken);
  call.on('response', (response: IncomingMessage) => {
    response.on('error', broken);
    response.on('end', () =>
      once({
        version: String(response.headers['x-version'] ?? 'unknown'),
        status: response.statusCode ?? 0,
      }),
    );
    response.resume();
  });
  call.end();
}

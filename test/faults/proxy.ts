/**
 * Stands between a client and a real API server, over TLS with the cluster's own certificate, and lets a test say what
 * goes wrong on the way. What it does not break it passes on as it is, credentials too.
 */
import { readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../cluster/index.ts';
import { type Asked, askedOf } from './asked.ts';
import { pipeWatch, type WatchStream } from './stream.ts';
import { createSwitchboard, type Fault, type Switchboard } from './switchboard.ts';

/** A request that is over for the client, or, for a watch, has begun. */
export interface Seen {
  readonly asked: Asked;
  /** What the client was told; 0: nothing. */
  readonly status: number;
  readonly fault: Fault | undefined;
  /** When it came; milliseconds, of a clock that only goes forward. */
  readonly at: number;
}

export interface FaultProxy {
  readonly url: string;
  readonly board: Switchboard;
  /** Watches under way, oldest first. */
  readonly watches: readonly WatchStream[];
  /** TLS handshakes so far. */
  readonly handshakes: number;
  onSeen: (seen: Seen) => void;
  /** What the API server answered, before the client is told; awaited. */
  onAnswer: (asked: Asked, status: number) => Promise<void> | void;
  /** The same credentials, another address. */
  kubeconfig(behind: string): Promise<string>;
  stop(): Promise<void>;
}

interface Exchange {
  readonly asked: Asked;
  readonly fault: Fault | undefined;
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
}

const REASONS: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  409: 'Conflict',
  410: 'Expired',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
};
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding']);
/** Longer than any client keeps a connection: not the proxy decides when one ends. */
const KEEP_ALIVE_MS = 600_000;

export async function startFaultProxy(cluster: Cluster): Promise<FaultProxy> {
  const pki = (name: string): Promise<Buffer> => readFile(join(cluster.workDir, 'pki', name));
  const [ca, cert, key] = await Promise.all([pki('ca.crt'), pki('apiserver.crt'), pki('apiserver.key')]);
  const proxy = new RunningProxy(new URL(cluster.server), new Agent({ ca, keepAlive: true }), { cert, key });
  await proxy.listen();
  return proxy;
}

class RunningProxy implements FaultProxy {
  readonly board = createSwitchboard();
  handshakes = 0;
  onSeen: (seen: Seen) => void = () => undefined;
  onAnswer: (asked: Asked, status: number) => Promise<void> | void = () => undefined;
  readonly #upstream: URL;
  readonly #agent: Agent;
  readonly #server: Server;
  readonly #watches = new Set<WatchStream>();
  /** Under TLS; only these can be reset. */
  readonly #sockets = new Map<number | undefined, Socket>();

  constructor(upstream: URL, agent: Agent, identity: { cert: Buffer; key: Buffer }) {
    this.#upstream = upstream;
    this.#agent = agent;
    this.#server = createServer(identity, (incoming, response) => {
      this.#serve(incoming, response).catch(() => response.destroy());
    });
    this.#server.keepAliveTimeout = KEEP_ALIVE_MS;
    this.#server.on('secureConnection', (socket: Socket) => {
      this.handshakes += 1;
      socket.on('error', () => undefined);
    });
    this.#server.on('connection', (socket: Socket) => {
      const { remotePort } = socket;
      this.#sockets.set(remotePort, socket);
      socket.on('close', () => this.#sockets.delete(remotePort));
      socket.on('error', () => undefined);
    });
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get watches(): readonly WatchStream[] {
    return [...this.#watches];
  }

  async kubeconfig(behind: string): Promise<string> {
    const config = JSON.parse(await readFile(behind, 'utf8'));
    config.clusters[0].cluster.server = this.url;
    const file = `${behind}-${new URL(this.url).port}`;
    await writeFile(file, JSON.stringify(config), { mode: 0o600 });
    return file;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    for (const socket of this.#sockets.values()) socket.destroy();
    this.#agent.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = askedOf(incoming);
    const fault = this.board.faultFor(asked);
    const at = performance.now();
    const exchange: Exchange = { asked, fault, incoming, response };
    const status = (await this.#before(exchange)) ?? (await this.#through(exchange));
    this.onSeen({ asked, status, fault, at });
  }

  /** What happens before the API server sees it; a status where it never does. */
  async #before({ fault, incoming, response }: Exchange): Promise<number | undefined> {
    if (fault?.kind === 'latency') await sleep(fault.ms);
    if (fault?.kind === 'reset') {
      this.#reset(incoming);
      return 0;
    }
    if (fault?.kind !== 'refused') return undefined;
    incoming.resume();
    refuse(response, fault);
    return fault.status;
  }

  async #through(exchange: Exchange): Promise<number> {
    const { asked, fault, incoming, response } = exchange;
    const answer = await this.#ask(incoming, response);
    const status = answer.statusCode ?? 0;
    await this.onAnswer(asked, status);
    if (fault?.kind === 'answer lost') {
      answer.resume();
      this.#reset(incoming);
      return 0;
    }
    response.writeHead(status, withoutHops(answer.headers));
    if (asked.verb === 'watch' && status === 200) this.#follow(exchange, answer);
    else if (fault?.kind === 'slow body') await dribble(answer, response, fault);
    else answer.pipe(response);
    return status;
  }

  #ask(incoming: IncomingMessage, response: ServerResponse): Promise<IncomingMessage> {
    const { method, url: path, headers } = incoming;
    const { hostname, port, host } = this.#upstream;
    return new Promise((resolve, reject) => {
      const call = request(
        { hostname, port, path, method, agent: this.#agent, headers: { ...headers, host } },
        resolve,
      );
      call.on('error', reject);
      response.on('close', () => call.destroy());
      incoming.pipe(call);
    });
  }

  #follow({ asked, fault, incoming, response }: Exchange, answer: IncomingMessage): void {
    response.flushHeaders();
    const watch = pipeWatch(asked, answer, response, () => this.#reset(incoming));
    this.#watches.add(watch);
    answer.on('error', () => response.destroy());
    response.on('close', () => this.#watches.delete(watch));
    if (fault?.kind !== 'watch') return;
    const timer = setTimeout(() => watch.end(fault.end), fault.afterMs);
    response.on('close', () => clearTimeout(timer));
  }

  #reset({ socket }: IncomingMessage): void {
    this.#sockets.get(socket.remotePort)?.resetAndDestroy();
  }
}

function refuse(response: ServerResponse, fault: Extract<Fault, { kind: 'refused' }>): void {
  const { status, retryAfterSeconds } = fault;
  const reason = REASONS[status] ?? '';
  const body = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `the proxy says ${status}`,
    reason,
    code: status,
  };
  const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function withoutHops(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)));
}

async function dribble(
  answer: IncomingMessage,
  response: ServerResponse,
  { pieceBytes, everyMs }: Extract<Fault, { kind: 'slow body' }>,
): Promise<void> {
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    for (let from = 0; from < chunk.length && !response.destroyed; from += pieceBytes) {
      response.write(chunk.subarray(from, from + pieceBytes));
      await sleep(everyMs);
    }
  }
  response.end();
}

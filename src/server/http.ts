/**
 * A small HTTP server for machines: Prometheus and the kubelet. GET alone, a table of paths, a deadline on
 * everything, and no word about what went wrong inside.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export type Handler = () => Reply | Promise<Reply>;

export interface ServeOptions {
  /** 0: any that is free. */
  readonly port: number;
  /** undefined: all addresses. */
  readonly address?: string | undefined;
  /** By path. */
  readonly routes: Readonly<Record<string, Handler>>;
  /** Milliseconds for a request to arrive, for its answer to be made, and for what is under way at the close. */
  readonly deadlineMs?: number;
}

export interface RunningServer {
  readonly port: number;
  /** Takes no new connection, lets what is under way finish until the deadline, then breaks it off. */
  close(): Promise<void>;
}

const DEFAULT_DEADLINE_MS = 5_000;
/** Nobody but a few scrapers and the kubelet has business here. */
const MAX_CONNECTIONS = 64;

export const text = (status: number, body: string): Reply => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body: `${body}\n`,
});

/** Rejects where the port is taken. */
export async function serve({ port, address, routes, ...options }: ServeOptions): Promise<RunningServer> {
  const deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS;
  const table = new Map(Object.entries(routes));
  const server = createServer(
    {
      requestTimeout: deadlineMs,
      headersTimeout: deadlineMs,
      connectionsCheckingInterval: deadlineMs,
      maxHeaderSize: 8192,
    },
    (request, response) => {
      void answer(table, request, deadlineMs).then((reply) => send(response, reply));
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, port, address);
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : port,
    close: () => close(server, deadlineMs),
  };
}

async function answer(
  routes: ReadonlyMap<string, Handler>,
  request: IncomingMessage,
  deadlineMs: number,
): Promise<Reply> {
  const handler = routes.get((request.url ?? '').replace(/\?.*$/s, ''));
  if (handler === undefined) return text(404, 'not found');
  if (request.method !== 'GET') return text(405, 'only GET');
  try {
    return await within(deadlineMs, handler);
  } catch {
    return text(500, 'internal error');
  }
}

async function within(deadlineMs: number, handler: Handler): Promise<Reply> {
  const late = Promise.withResolvers<Reply>();
  const timer = setTimeout(() => late.resolve(text(503, 'too late')), deadlineMs);
  try {
    return await Promise.race([handler(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function send(response: ServerResponse, { status, contentType, body }: Reply): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
    ...(status === 405 ? { allow: 'GET' } : {}),
  });
  response.end(body);
}

function listen(server: Server, port: number, address: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(address === undefined ? {} : { host: address }) }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function close(server: Server, deadlineMs: number): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), deadlineMs);
  return new Promise((resolve) => {
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/**
 * Pooled connections to one API server.
 *
 * HTTP/1.1 on purpose. Over HTTP/2 all calls share one connection, and when that connection dies silently (a load
 * balancer that forgets it) every call hangs on it until TCP gives up, many minutes later: kubernetes/kubernetes
 * #87615. Over HTTP/1.1 a call that passes its deadline takes its own connection with it, and its retry gets another
 * one. undici has also had trouble with a graceful GOAWAY (nodejs/undici #3140, #5089), which API servers send to
 * spread clients (--goaway-chance). The price is a connection for each call at a time, and one for each watch.
 */

import { createSecureContext, type SecureContext } from 'node:tls';
import { Agent, type Dispatcher, ProxyAgent, Socks5ProxyAgent } from 'undici';
import type { ConnectionIdentity } from './endpoint.ts';

/**
 * Watches have connections of their own, so that no burst of calls can stand in front of them. So have rescues: among a
 * burst they would begin with a handshake, since every connection is taken, while the server has no time for it. Lease
 * renewals, which go the same way, keep one of them open.
 */
export type Lane = 'calls' | 'rescues' | 'watches';

export interface Connections {
  /** The pool for this identity: the one that is there, or new ones where credentials were rotated. */
  pool(identity: ConnectionIdentity, lane: Lane): Dispatcher;
  /** Breaks off everything; from then on `pool` throws. */
  close(): Promise<void>;
}

/** The API server closes a connection after 90 s of rest (apiserver/pkg/server/secure_serving.go); we do so first. */
const KEEP_ALIVE_MS = 45_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** As client-go: below the 60 s after which common load balancers forget a silent connection. */
const TCP_KEEP_ALIVE_MS = 30_000;

/** Calls and rescues that may be under way at a time. */
export type MostConnections = Readonly<Record<Exclude<Lane, 'watches'>, number>>;

export function createConnections(most: MostConnections): Connections {
  let identity: ConnectionIdentity | undefined;
  let pools: Record<Lane, Dispatcher> | undefined;
  const open = new Set<Dispatcher>();
  let closed = false;

  function build(next: ConnectionIdentity): Record<Lane, Dispatcher> {
    const options = tlsOptions(next);
    const built = {
      calls: createPool(next, options, most.calls),
      rescues: createPool(next, options, most.rescues),
      watches: createPool(next, options, null),
    };
    for (const pool of Object.values(built)) open.add(pool);
    return built;
  }

  function retire(old: Record<Lane, Dispatcher>): void {
    for (const pool of Object.values(old)) {
      // Gracefully: calls under way are answered, and a watch lasts until the server ends it within minutes.
      pool
        .close()
        .catch(() => undefined)
        .finally(() => open.delete(pool));
    }
  }

  return {
    pool(next, lane) {
      if (closed) throw new Error('the client is closed');
      if (pools === undefined || identity === undefined || !sameConnection(identity, next)) {
        const built = build(next);
        if (pools !== undefined) retire(pools);
        pools = built;
        identity = next;
      }
      return pools[lane];
    },
    async close() {
      closed = true;
      await Promise.allSettled([...open].map((pool) => pool.destroy()));
      open.clear();
    },
  };
}

const MEMBERS = ['origin', 'ca', 'cert', 'key', 'servername', 'rejectUnauthorized', 'proxy'] as const;

function sameConnection(a: ConnectionIdentity, b: ConnectionIdentity): boolean {
  return a === b || MEMBERS.every((member) => a[member] === b[member]);
}

type TlsOptions = NonNullable<Exclude<Agent.Options['connect'], (...args: never[]) => unknown>>;

function tlsOptions(identity: ConnectionIdentity): TlsOptions {
  const { origin, servername, rejectUnauthorized } = identity;
  return {
    ...(origin.startsWith('https:') && { secureContext: contextOf(identity) }),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    timeout: CONNECT_TIMEOUT_MS,
  };
}

/** One for all connections: each would read certificates and key anew. */
function contextOf({ ca, cert, key }: ConnectionIdentity): SecureContext {
  return createSecureContext({
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  });
}

function createPool({ proxy }: ConnectionIdentity, tls: TlsOptions, connections: number | null): Dispatcher {
  const common = {
    allowH2: false,
    pipelining: 1,
    connections,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    // The transport has its own deadlines, for the whole of a call.
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  if (proxy === undefined) return new Agent({ ...common, connect: tls });
  if (proxy.startsWith('socks')) return new Socks5ProxyAgent(proxy, { ...common, requestTls: tls });
  return new ProxyAgent({ ...common, uri: proxy, requestTls: tls });
}

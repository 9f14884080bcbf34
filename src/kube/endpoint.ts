/** Where the API server is and who we are to it, as a port: src/kube/kubeconfig.ts is what the process uses. */

/** What a connection is made with; when any of it changes, connections are made anew. */
export interface ConnectionIdentity {
  /** scheme://host:port */
  readonly origin: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
  /** http://, https:// or socks5:// */
  readonly proxy?: string;
}

export interface Credentials {
  readonly connection: ConnectionIdentity;
  /** Path in front of /api and /apis, for API servers behind a gateway; '' otherwise. */
  readonly pathPrefix: string;
  /** Authorization, and impersonation. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Endpoint {
  /** Asked before every request; answers from memory while what it knows is fresh. */
  current(): Promise<Credentials>;
  /** The server answered 401: the next `current` reads everything again. */
  refresh(): void;
}

/** A fixed address with fixed headers: for tests, and for `kubectl proxy`. */
export function plainEndpoint(url: string, headers: Readonly<Record<string, string>> = {}): Endpoint {
  const server = new URL(url);
  const credentials: Credentials = {
    connection: { origin: server.origin },
    pathPrefix: server.pathname === '/' ? '' : server.pathname.replace(/\/$/, ''),
    headers,
  };
  return { current: () => Promise.resolve(credentials), refresh: () => undefined };
}

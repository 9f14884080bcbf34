/**
 * HTTPS_PROXY, HTTP_PROXY and NO_PROXY as Go reads them (golang.org/x/net/http/httpproxy), which is how every other
 * Kubernetes client on the machine does. Node's and undici's readings know no CIDR, and in a cluster the API server
 * is an address: NO_PROXY=10.0.0.0/8 must keep it off the proxy.
 */

import { BlockList, isIP } from 'node:net';

type Environment = Readonly<Record<string, string | undefined>>;

/** The proxy's URL, or undefined where the server is dialled directly. */
export function proxyFromEnvironment(server: URL, environment: Environment): string | undefined {
  const name = server.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const proxy = variable(environment, name);
  if (proxy === undefined || isExempt(server, variable(environment, 'NO_PROXY') ?? '')) return undefined;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

function variable(environment: Environment, name: string): string | undefined {
  const value = environment[name] ?? environment[name.toLowerCase()];
  return value === undefined || value === '' ? undefined : value;
}

function isExempt(server: URL, noProxy: string): boolean {
  const host = server.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (host === 'localhost' || isLoopback(host)) return true;
  const port = server.port === '' ? (server.protocol === 'https:' ? '443' : '80') : server.port;
  return noProxy
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && matches(entry, host, port));
}

function isLoopback(host: string): boolean {
  return host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return inNetwork(entry, host);
  const [name, entryPort] = splitPort(entry);
  if (entryPort !== undefined && entryPort !== port) return false;
  if (isIP(name) !== 0) return name === host;
  const domain = name.replace(/^\*?\./, '');
  // ".example.com" is its subdomains only, "example.com" is both.
  return host.endsWith(`.${domain}`) || (name === domain && host === domain);
}

function splitPort(entry: string): [string, string?] {
  if (isIP(entry) !== 0) return [entry];
  const match = /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(entry);
  const name = match?.[1] ?? entry;
  return match?.[2] === undefined ? [name] : [name, match[2]];
}

function inNetwork(entry: string, host: string): boolean {
  const family = isIP(host);
  const [network = '', bits = ''] = entry.split('/');
  if (family === 0 || isIP(network) !== family) return false;
  const prefix = Number(bits);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > (family === 4 ? 32 : 128)) return false;
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(network, prefix, kind);
  return list.check(host, kind);
}

/**
 * Stands between an operator and the API server and sees each write: what was carried out, before the operator is
 * told. Plain HTTP on loopback, so that it needs no certificate.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Agent, request } from 'node:https';
import type { AddressInfo } from 'node:net';

/** `PATCH services/shop` */
export type OnWrite = (write: string) => void;

export class Gateway {
  readonly kubeconfig: string;
  onWrite: OnWrite = () => undefined;
  readonly #server: Server;

  private constructor(server: Server, kubeconfig: string) {
    this.#server = server;
    this.kubeconfig = kubeconfig;
  }

  /** In front of the API server of this kubeconfig, with its token. */
  static async start(behind: string): Promise<Gateway> {
    const config = JSON.parse(await readFile(behind, 'utf8'));
    const [{ cluster }] = config.clusters;
    const upstream = new URL(cluster.server);
    const agent = new Agent({
      ca: Buffer.from(cluster['certificate-authority-data'], 'base64'),
      keepAlive: true,
    });
    const server = createServer((incoming, response) =>
      forward(incoming, response, { upstream, agent }, (write) => gateway.onWrite(write)),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const kubeconfig = `${behind}-${port}`;
    config.clusters[0].cluster = { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true };
    await writeFile(kubeconfig, JSON.stringify(config), { mode: 0o600 });
    const gateway = new Gateway(server, kubeconfig);
    return gateway;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

interface Upstream {
  readonly upstream: URL;
  readonly agent: Agent;
}

function forward(
  incoming: IncomingMessage,
  response: ServerResponse,
  { upstream, agent }: Upstream,
  onWrite: OnWrite,
): void {
  const { method = 'GET', url = '/', headers } = incoming;
  const target = { host: upstream.hostname, port: upstream.port, path: url, method, agent };
  const call = request({ ...target, headers: { ...headers, host: upstream.host } }, (answer) => {
    const write = writeOf(method, url);
    if (write !== undefined && (answer.statusCode ?? 500) < 300) onWrite(write);
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  });
  call.on('error', () => response.destroy());
  response.on('close', () => call.destroy());
  incoming.pipe(call);
}

/** undefined for what changes no state: reads, dry runs, and events, which are for people. */
function writeOf(method: string, url: string): string | undefined {
  const { pathname, searchParams } = new URL(url, 'http://gateway');
  if (method === 'GET' || searchParams.has('dryRun') || pathname.includes('/events')) return undefined;
  return `${method} ${pathname.replace(/^.*\/namespaces\/[^/]+\//, '')}`;
}

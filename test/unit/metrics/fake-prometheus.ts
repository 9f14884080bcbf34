/** A small HTTP server that stands where Prometheus would, and misbehaves as it is told. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Seen {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly authorization: string | undefined;
  readonly form: Readonly<Record<string, string>>;
}

type Behaviour = (response: ServerResponse, seen: Seen, request: IncomingMessage) => void;

export interface FakePrometheus {
  readonly url: string;
  readonly requests: readonly Seen[];
  behave(behaviour: Behaviour): void;
  close(): Promise<void>;
}

export async function startFakePrometheus(): Promise<FakePrometheus> {
  const requests: Seen[] = [];
  let behaviour: Behaviour = (response) => response.end();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const seen = {
        method: request.method,
        path: request.url,
        authorization: request.headers.authorization,
        form: Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString())),
      };
      requests.push(seen);
      behaviour(response, seen, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    behave(next) {
      behaviour = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const answer =
  (body: unknown, status = 200): Behaviour =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

export const success = (resultType: string, result: unknown): unknown => ({
  status: 'success',
  data: { resultType, result },
});

export const oneSeries = (seconds: number, value: string): unknown =>
  success('vector', [{ metric: {}, value: [seconds, value] }]);

export const refusal = (errorType: string, error: string): unknown => ({ status: 'error', errorType, error });

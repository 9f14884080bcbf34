/**
 * A consumer of the database that serves: each request is a question to it, with the login that this process started
 * with. It leaves without losing a request.
 *
 *   DB_URL, DB_USER, DB_PASSWORD   which one, and how to get in
 *   LOGIN_DIR                      where the same stands in files `url`, `username` and `password` instead
 *   DRAIN_MS                       how long it goes on accepting connections after SIGTERM (4000)
 */
import { readFileSync } from 'node:fs';
import { Agent, createServer, type ServerResponse } from 'node:http';
import { Server } from 'node:net';
import { join } from 'node:path';
import { type Answer, ask } from './ask.ts';

const { LOGIN_DIR, DB_URL = '', DB_USER = '', DB_PASSWORD = '' } = process.env;
const DRAIN_MS = Number(process.env.DRAIN_MS ?? 4_000);
/** A connection that nobody uses any more, as that of whoever scraped this pod, keeps it no longer. */
const END_MS = 10_000;
const PORT = 8080;

const fromFile = (key: string): string | undefined =>
  LOGIN_DIR === undefined ? undefined : readFileSync(join(LOGIN_DIR, key), 'utf8');
const database = {
  url: fromFile('url') ?? DB_URL,
  username: fromFile('username') ?? DB_USER,
  password: fromFile('password') ?? DB_PASSWORD,
  agent: new Agent({ keepAlive: true }),
};

/** Both series are there from the start: a counter that appears with its first error has no rate before the second. */
const answered = new Map([
  ['200', 0],
  ['500', 0],
]);
let draining = false;

function question(method: 'GET' | 'HEAD'): Promise<Answer> {
  return ask(method, database).catch((error: Error) => {
    console.error(`no answer from ${database.url}: ${error.message}`);
    return { status: 502, version: 'unknown' };
  });
}

async function data(response: ServerResponse): Promise<void> {
  const { status, version } = await question('GET');
  answered.set(String(status), (answered.get(String(status)) ?? 0) + 1);
  if (status !== 200) console.error(`${version} answered ${status}`);
  response.writeHead(status, { 'x-version': version, 'content-length': 0 });
  response.end();
}

/** Ready when the database lets it in. */
async function health(response: ServerResponse): Promise<void> {
  const { status } = await question('HEAD');
  response.writeHead(status === 200 ? 200 : 503);
  response.end();
}

async function metrics(response: ServerResponse): Promise<void> {
  const lines = [...answered].map(([code, count]) => `http_requests_total{code="${code}"} ${count}\n`);
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' });
  response.end(`# TYPE http_requests_total counter\n${lines.join('')}`);
}

const routes: Record<string, (response: ServerResponse) => Promise<void>> = {
  '/': data,
  '/healthz': health,
  '/metrics': metrics,
};

const server = createServer((request, response) => {
  request.resume();
  // Tells a client with a kept connection to use another one, while this one still answers.
  if (draining) response.setHeader('connection', 'close');
  const route = routes[request.url ?? ''];
  if (route) void route(response);
  else response.writeHead(404).end();
});
server.keepAliveTimeout = 3_600_000;

process.on('SIGTERM', () => {
  draining = true;
  setTimeout(() => {
    // The listener alone: http's own close() also closes idle connections, under a client that was never told.
    Server.prototype.close.call(server, () => process.exit(0));
  }, DRAIN_MS);
  setTimeout(() => process.exit(0), END_MS).unref();
});
server.listen(PORT);

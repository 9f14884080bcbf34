/**
 * The application that the demo and the end-to-end tests release: an HTTP server that leaves without losing a request.
 *
 *   VERSION         what it calls itself, in the header `x-version` of every answer
 *   ERROR_RATE      the share of requests to / that it answers with 500 (0.2 is every fifth)
 *   PORT            8080
 *   START_DELAY_MS  how long it takes until it is ready
 *   DRAIN_MS        how long it goes on accepting connections after SIGTERM
 *   ON_SIGTERM      drain, or exit: gone at once, as many applications are, with whatever is on its connections
 *
 * From inside its pod alone it can be made ill: POST /unready, /ready, /crash, or /errors?rate=0.5.
 */
import { createServer } from 'node:http';
import { Server } from 'node:net';
import { hostname } from 'node:os';

const version = process.env.VERSION ?? 'v1';
const port = Number(process.env.PORT ?? 8080);
const startDelayMs = Number(process.env.START_DELAY_MS ?? 0);
/** Endpoints must leave the slices first, and then each node's kube-proxy, which syncs at most once a second. */
const drainMs = Number(process.env.DRAIN_MS ?? 4_000);
const END_MS = 15_000;

let errorRate = Number(process.env.ERROR_RATE ?? 0);
let ready = startDelayMs === 0;
let draining = false;

/** Both series are there from the start: a counter that appears with its first error has no rate before the second. */
const answered = new Map([
  [200, 0],
  [500, 0],
]);

/** Every fifth at a rate of 0.2, by count and not by chance: the same each time it is shown. */
let debt = 0;
function nextCode() {
  debt += errorRate;
  if (debt < 1) return 200;
  debt -= 1;
  return 500;
}

const routes = {
  'GET /': () => {
    const code = nextCode();
    answered.set(code, (answered.get(code) ?? 0) + 1);
    return { code, body: { version, pod: hostname() } };
  },
  'GET /version': () => ({ code: 200, body: { version } }),
  'GET /healthz': () => ({ code: ready ? 200 : 503, body: { ready } }),
  'GET /metrics': () => ({ code: 200, text: metrics() }),
};

const steering = {
  'POST /unready': () => {
    ready = false;
  },
  'POST /ready': () => {
    ready = true;
  },
  'POST /crash': () => {
    setImmediate(() => process.exit(1));
  },
  'POST /errors': (query) => {
    errorRate = Number(query.get('rate'));
  },
};

function metrics() {
  const help =
    '# HELP http_requests_total Requests to / by status code.\n# TYPE http_requests_total counter\n';
  const line = ([code, count]) => `http_requests_total{version="${version}",code="${code}"} ${count}\n`;
  return help + [...answered].map(line).join('');
}

function answer(request) {
  const { pathname, searchParams } = new URL(request.url, 'http://app');
  const name = `${request.method} ${pathname}`;
  const route = routes[name];
  if (route) return route();
  const steer = steering[name];
  if (!steer || !isFromInside(request)) return { code: 404, body: { message: 'there is nothing here' } };
  steer(searchParams);
  return { code: 200, body: { ready, errorRate } };
}

function isFromInside(request) {
  return /^(::1|(::ffff:)?127\.)/.test(request.socket.remoteAddress ?? '');
}

const server = createServer((request, response) => {
  request.resume();
  const { code, body, text } = answer(request);
  const content = text ?? `${JSON.stringify(body)}\n`;
  response.writeHead(code, {
    'content-type': text === undefined ? 'application/json' : 'text/plain; version=0.0.4',
    'content-length': Buffer.byteLength(content),
    'x-version': version,
    // Tells a client with a kept connection to use another one, while this one still answers.
    ...(draining && { connection: 'close' }),
  });
  response.end(content);
});
// An idle connection that the server closes can meet a request on its way: that request would be lost.
server.keepAliveTimeout = 3_600_000;

function drain() {
  if (draining) return;
  draining = true;
  console.log(`${version}: draining`);
  setTimeout(() => {
    // The listener alone: http's own close() also closes idle connections, under a client that was never told.
    Server.prototype.close.call(server, () => process.exit(0));
  }, drainMs);
  setTimeout(() => process.exit(0), END_MS).unref();
}

const onSigterm = process.env.ON_SIGTERM === 'exit' ? () => process.exit(0) : drain;
process.on('SIGTERM', onSigterm);
process.on('SIGINT', drain);
server.listen(port, () => console.log(`${version}: listening on ${port}`));
if (!ready) {
  setTimeout(() => {
    ready = true;
  }, startDelayMs);
}

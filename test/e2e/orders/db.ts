/**
 * A database that knows one login, played by HTTP: whoever says another one, or none, gets 401. It counts both.
 *
 *   DB_USER, DB_PASSWORD   the login
 *   VERSION                what it calls itself, in the header `x-version` of every answer
 *
 * From inside its pod alone: GET /counts, and POST /become?version=v3&errorRate=0.2, which is another version of it that
 * answers every fifth question for data with 500.
 */
import { createServer, type IncomingMessage } from 'node:http';

const { DB_USER = '', DB_PASSWORD = '' } = process.env;
const PORT = 5432;
const login = `Basic ${Buffer.from(`${DB_USER}:${DB_PASSWORD}`).toString('base64')}`;
let version = process.env.VERSION ?? 'unknown';
let errorRate = 0;
const counts = { answered: 0, refused: 0 };

/** By count and not by chance. */
let debt = 0;
function nextStatus(): number {
  debt += errorRate;
  if (debt < 1) return 200;
  debt -= 1;
  return 500;
}

function statusFor({ method, headers }: IncomingMessage): number {
  if (headers.authorization !== login) {
    counts.refused++;
    return 401;
  }
  counts.answered++;
  return method === 'HEAD' ? 200 : nextStatus();
}

const inside: Record<string, (query: URLSearchParams) => void> = {
  'GET /counts': () => {},
  'POST /become': (query) => {
    version = query.get('version') ?? version;
    errorRate = Number(query.get('errorRate'));
  },
};

const isFromInside = ({ socket }: IncomingMessage): boolean =>
  /^(::1|(::ffff:)?127\.)/.test(socket.remoteAddress ?? '');

const server = createServer((request, response) => {
  request.resume();
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://db');
  const steer = isFromInside(request) ? inside[`${request.method} ${pathname}`] : undefined;
  steer?.(searchParams);
  const body = JSON.stringify(counts);
  response.writeHead(steer ? 200 : statusFor(request), { 'x-version': version });
  response.end(steer ? body : undefined);
});
// Clients keep their connections: one that is closed under them would cost a request.
server.keepAliveTimeout = 3_600_000;
server.listen(PORT);
process.on('SIGTERM', () => process.exit(0));

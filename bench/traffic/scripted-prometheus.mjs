/**
 * A metric source that answers as it is told, and says when: `GET /say?value=1` from inside its pod sets the value of
 * the next answer alone; all others are 0. stdout: one JSON line for each answer that was not 0, with the time at which
 * its last byte was handed to the kernel, milliseconds since the epoch.
 */
import { createServer } from 'node:http';

let next = 0;

createServer((request, response) => {
  request.resume();
  const { pathname, searchParams } = new URL(request.url, 'http://source');
  if (pathname === '/say') {
    next = Number(searchParams.get('value'));
    response.end('ok\n');
    return;
  }
  const value = next;
  next = 0;
  const result = [{ metric: {}, value: [Date.now() / 1000, String(value)] }];
  const body = JSON.stringify({ status: 'success', data: { resultType: 'vector', result } });
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body, () => {
    const answeredAt = performance.timeOrigin + performance.now();
    if (value !== 0) console.log(JSON.stringify({ answeredAt }));
  });
}).listen(9090);

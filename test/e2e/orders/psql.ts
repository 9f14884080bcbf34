/** What the gate of the example calls: `PGPASSWORD=... psql URL --username=... --command=...`. */
import { parseArgs } from 'node:util';
import { ask } from './ask.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { username: { type: 'string' }, command: { type: 'string' } },
});
const [url = ''] = positionals;
const { username = '' } = values;
const { status, version } = await ask('HEAD', { url, username, password: process.env.PGPASSWORD ?? '' });
console.log(`${version} at ${url} answered ${status}`);
process.exitCode = status === 200 ? 0 : 1;

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { bundle } from '../../../build/bundle.ts';

const run = promisify(execFile);

describe('a bundle', function () {
  this.timeout(60_000);
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bundle-'));
    await bundle({ entries: { sample: 'test/unit/build/entry.ts' }, outdir: folder });
  });
  after(() => rm(folder, { recursive: true }));

  it('runs far from node_modules', async () => {
    const { stdout } = await run(process.execPath, [join(folder, 'sample.mjs')], { cwd: folder });
    expect(JSON.parse(stdout)).to.deep.equal({
      level: 'info',
      message: 'bundled',
      counted: true,
      server: 'https://192.0.2.1',
      agent: true,
      fetch: 'function',
    });
  });

  it('has short lines, because Node.js prints the whole line that threw', async () => {
    const lines = (await readFile(join(folder, 'sample.mjs'), 'utf8')).split('\n');
    const longest = lines.toSorted((a, b) => b.length - a.length)[0] ?? '';
    expect(longest.length).to.be.lessThan(2000);
  });

  it('comes with the licences of what is inside', async () => {
    const notices = await readFile(join(folder, 'THIRD_PARTY_NOTICES.txt'), 'utf8');
    expect(notices).to.match(/^@kubernetes\/client-node 2\.0\.1 \(Apache-2\.0\)$/m);
    expect(notices).to.match(/^winston 3\.19\.0 \(MIT\)$/m);
  });
});

import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { download } from '../cluster/download.ts';
import { run } from '../cluster/exec.ts';
import { buildImage } from '../cluster/images.ts';
import { withLock } from '../cluster/lock.ts';

describe('The programs of a cluster', () => {
  let folder = '';
  let server: Server;
  let base = '';
  const served: Record<string, Buffer> = {};

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bluegreen-'));
    server = createServer((request, response) => {
      const body = served[request.url ?? ''];
      response.writeHead(body ? 200 : 404).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    served['/program'] = Buffer.from('#!/bin/sh\necho hello\n');
    served['/program.sha256'] = Buffer.from(sha256(served['/program']));
  });

  after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });

  it('are downloaded when the published sum fits', async () => {
    const target = join(folder, 'plain');
    const release = { url: `${base}/program`, checksums: `${base}/program.sha256` };
    expect(await download(release, target)).to.equal(true);
    expect(await readFile(target)).to.deep.equal(served['/program']);
  });

  it('are taken out of a release archive, its sum found by name among others', async () => {
    await mkdir(join(folder, 'release-1'));
    await writeFile(join(folder, 'release-1', 'program'), 'packed');
    await run('tar', ['-czf', join(folder, 'r.tar.gz'), '-C', folder, 'release-1/program']);
    served['/r.tar.gz'] = await readFile(join(folder, 'r.tar.gz'));
    served['/sums'] = Buffer.from(
      `${'0'.repeat(64)}  other.tar.gz\n${sha256(served['/r.tar.gz'])}  r.tar.gz\n`,
    );
    const target = join(folder, 'unpacked');
    const release = { url: `${base}/r.tar.gz`, checksums: `${base}/sums`, member: 'release-1/program' };
    expect(await download(release, target)).to.equal(true);
    expect(await readFile(target, 'utf8')).to.equal('packed');
  });

  it('are refused when the published sum does not fit', async () => {
    served['/wrong.sha256'] = Buffer.from('0'.repeat(64));
    const release = { url: `${base}/program`, checksums: `${base}/wrong.sha256` };
    const answer = await download(release, join(folder, 'refused')).catch((error: Error) => error.message);
    expect(answer).to.contain('its publisher says 0000');
  });

  it('are left to the build when the publisher has no such file or cannot be reached', async () => {
    const missing = { url: `${base}/gone`, checksums: `${base}/gone.sha256` };
    expect(await download(missing, join(folder, 'missing'))).to.equal(false);
    const nobody = { url: 'http://127.0.0.1:1/program', checksums: 'http://127.0.0.1:1/program.sha256' };
    expect(await download(nobody, join(folder, 'nobody'))).to.equal(false);
  });

  it('are obtained by one process at a time, and a dead one holds nobody up', async () => {
    const file = join(folder, 'lock');
    await writeFile(file, JSON.stringify({ pid: process.pid, started: 'long ago' }));
    let inside = 0;
    const task = async (): Promise<void> => {
      expect(++inside).to.equal(1);
      await new Promise((resolve) => setTimeout(resolve, 30));
      inside--;
    };
    await Promise.all([1, 2, 3].map(() => withLock(file, () => {}, task)));
  });

  it('become images that tar can read and that are the same file for the same content', async () => {
    const files = [{ content: 'hello', to: `/opt/${'long/'.repeat(30)}file`, mode: 0o600 }];
    const tar = await buildImage({ name: 'local.test/nothing:1', files });
    expect(await buildImage({ name: 'local.test/nothing:1', files })).to.equal(tar);
    await run('tar', ['-xf', tar, '-C', folder]);
    const listed = await run('tar', ['-tvf', join(folder, 'layer0.tar')]);
    expect(listed).to.match(/-rw------- 0\/0 +5 1970-01-01 00:00 opt\/long\/.*file/);
    const [manifest] = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
    const config = JSON.parse(await readFile(join(folder, manifest.Config), 'utf8'));
    const layer = await readFile(join(folder, manifest.Layers[0]));
    expect(config.rootfs.diff_ids).to.deep.equal([`sha256:${sha256(layer)}`]);
  });
});

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

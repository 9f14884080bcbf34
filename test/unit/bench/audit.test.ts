import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { AuditTail, byKind, count, patchesService, requestOf, sortOf } from '../../../bench/audit.ts';

const line = (change: object = {}): string =>
  JSON.stringify({
    stage: 'ResponseComplete',
    verb: 'patch',
    requestURI: '/api/v1/namespaces/team/services/shop',
    requestReceivedTimestamp: '2026-01-01T00:00:00.001002Z',
    stageTimestamp: '2026-01-01T00:00:00.004500Z',
    user: { username: 'operator' },
    objectRef: { resource: 'services', namespace: 'team', name: 'shop' },
    responseStatus: { code: 200 },
    ...change,
  });

const read = (...changes: object[]) => changes.map((change) => requestOf(line(change))!);

describe('the audit log as the benchmarks read it', () => {
  it('tells times to the microsecond', () => {
    const [request] = read({});
    const second = Date.parse('2026-01-01T00:00:00Z');
    expect(request!.at - second).to.be.closeTo(1.002, 0.001);
    expect(request!.doneAt - second).to.be.closeTo(4.5, 0.001);
  });

  it('takes no question whether traffic may be moved for its move', () => {
    const requestURI = '/api/v1/namespaces/team/services/shop?dryRun=All';
    const moves = read({}, { requestURI }, { verb: 'get' });
    const shop = { namespace: 'team', name: 'shop' };
    expect(moves.map((request) => patchesService(request, shop))).to.deep.equal([true, false, false]);
    expect(patchesService(moves[0]!, { ...shop, name: 'other' })).to.equal(false);
  });

  it('tells what kind of request it was', () => {
    const requests = read(
      {},
      { requestURI: '/apis/apps/v1/namespaces/team/deployments?dryRun=All', verb: 'create' },
      { verb: 'get' },
      { verb: 'list' },
      { verb: 'watch', stage: 'ResponseStarted' },
      { verb: 'create', objectRef: { resource: 'events' } },
      { verb: 'update', objectRef: { resource: 'leases' } },
      { verb: 'get', objectRef: { resource: 'leases' } },
    );
    expect(requests.map(sortOf)).to.deep.equal([
      'write',
      'dry run',
      'read',
      'read',
      'watch',
      'event',
      'lease',
      'lease',
    ]);
    expect(count(requests, 'read')).to.equal(2);
  });

  it('counts a watch once: when it begins', () => {
    expect(requestOf(line({ verb: 'watch', stage: 'ResponseComplete' }))).to.equal(undefined);
  });

  it('lists kinds with their subresource, the most frequent first, and names refusals', () => {
    const status = { objectRef: { resource: 'releases', subresource: 'status' } };
    const requests = read({}, status, status, { responseStatus: { code: 409 } }, { verb: 'get' });
    expect(byKind(requests, 'write')).to.deep.equal([
      '2 patch releases/status',
      '1 patch services',
      '1 patch services (409)',
    ]);
  });

  it('passes over what is no request of a resource, or not whole', () => {
    expect(requestOf('{"stage":"Resp')).to.equal(undefined);
    expect(requestOf(line({ objectRef: undefined }))).to.equal(undefined);
  });

  it('is followed from now on, line by whole line', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bench-'));
    const file = join(folder, 'audit.log');
    writeFileSync(file, `${line()}\n`);
    const tail = new AuditTail(file);
    expect(tail.read()).to.deep.equal([]);
    const [first, second] = [line({ verb: 'get' }), line({ verb: 'list', user: { username: 'zoë' } })];
    const bytes = Buffer.from(`${first}\n${second}\n`);
    const cut = bytes.indexOf('zoë') + 3; // in the middle of a character
    appendFileSync(file, bytes.subarray(0, cut));
    expect(tail.read().map(({ verb }) => verb)).to.deep.equal(['get']);
    appendFileSync(file, bytes.subarray(cut));
    expect(tail.read().map(({ user }) => user)).to.deep.equal(['zoë']);
    tail.close();
    rmSync(folder, { recursive: true });
  });
});

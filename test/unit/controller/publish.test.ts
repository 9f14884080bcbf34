import { expect } from 'chai';
import { applyEffect } from '../../../src/controller/apply.ts';

const UNMARKED = { name: 'search', uid: 'map-uid', resourceVersion: '7' };
const BLUE = { url: 'https://blue.example.com', color: 'blue' };

/**
 * The preconditions of the patch that publishes blue where this stood when it was decided, with this mark; `facts`: those
 * of r1 by now, which were seen to be "proven".
 */
async function tests(
  data: Record<string, string> | undefined,
  expectedMark?: string,
  facts = 'proven',
  direction: 'Forward' | 'Back' = 'Forward',
): Promise<unknown[]> {
  let operations: { op: string; path: string; value: unknown }[] = [];
  const client: any = {
    get: async () => ({ metadata: { annotations: { 'bluegreen.dev/facts': facts } } }),
    patch: async (_type: unknown, _key: unknown, patch: any) => {
      ({ operations } = patch);
      return { metadata: UNMARKED };
    },
  };
  const scene: any = {
    release: { namespace: 'team', name: 'shop' },
    published: { metadata: UNMARKED, data },
    snapshot: { revisions: [{ name: 'r1', rawFacts: 'proven', facts: { attempt: 1 } }] },
  };
  const mark = { uid: 'uid', revision: 'r1', attempt: 1, direction } as const;
  await applyEffect({ client, cache: { configMaps: { note: () => undefined } } as never }, scene, {
    kind: 'Publish',
    configMap: 'search',
    uid: 'map-uid',
    from: data ?? {},
    expectedMark,
    color: 'blue',
    mark,
    data: BLUE,
    decidedAt: 0,
    reason: 'Adopted: begun',
    rescue: false,
  });
  return operations.filter(({ op }) => op === 'test').map(({ path, value }) => [path, value]);
}

describe('what is published', () => {
  const uid = ['/metadata/uid', 'map-uid'];
  const version = ['/metadata/resourceVersion', '7'];

  it('replaces what was seen, and nothing else', async () => {
    const data = ['/data', { url: 'old' }];
    expect(await tests({ url: 'old' }, 'uid/r2/2')).to.deep.equal([
      uid,
      data,
      ['/metadata/annotations/bluegreen.dev~1switch', 'uid/r2/2'],
    ]);
    expect(await tests({ url: 'old' }), 'no mark was seen').to.deep.equal([uid, data, version]);
  });

  it('replaces nothing that was written into an empty one meanwhile', async () => {
    expect(await tests({}, 'uid/r2/2')).to.deep.equal([uid, version]);
    expect(await tests(undefined)).to.deep.equal([uid, version]);
    expect(await tests({})).to.deep.equal([uid, version]);
  });

  it('is nothing that another process has rolled back meanwhile, where no mark was seen that would tell', async () => {
    const stale = await tests({ url: 'old' }, undefined, 'rejected').catch((error: unknown) => error);
    expect(String(stale)).to.equal('Error: the facts of revision r1 changed in the meantime');
    expect((await tests({ url: 'old' }, 'uid/r2/2', 'rejected')).length).to.equal(3);
  });

  it('is not taken back from what another process has committed meanwhile', async () => {
    const outcome = { kind: 'Committed', at: 1, reason: 'Committed', message: 'promoted by annotation' };
    const committed = JSON.stringify({ color: 'green', attempt: 1, startedAt: 0, outcome });
    const stale = await tests({ url: 'old' }, 'uid/r1/1', committed, 'Back').catch((error: unknown) => error);
    expect(String(stale)).to.equal(
      'Error: revision r1 was committed meanwhile: the traffic is not taken from it',
    );
    expect((await tests({ url: 'old' }, 'uid/r1/1/back', committed, 'Back')).length).to.equal(3);
  });
});

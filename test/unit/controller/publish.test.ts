import { expect } from 'chai';
import { applyEffect } from '../../../src/controller/apply.ts';

const UNMARKED = { name: 'search', uid: 'map-uid', resourceVersion: '7' };
const BLUE = { url: 'https://blue.example.com', color: 'blue' };

/** The preconditions of the patch that publishes blue where this stood when it was decided. */
async function tests(data: Record<string, string> | undefined): Promise<unknown[]> {
  let operations: { op: string; path: string; value: unknown }[] = [];
  const client: any = {
    patch: async (_type: unknown, _key: unknown, patch: any) => {
      ({ operations } = patch);
      return { metadata: UNMARKED };
    },
  };
  const scene: any = {
    release: { namespace: 'team', name: 'shop' },
    published: { metadata: UNMARKED, data },
  };
  const mark = { uid: 'uid', revision: 'r1', attempt: 1, direction: 'Forward' } as const;
  await applyEffect({ client, cache: { configMaps: { note: () => undefined } } as never }, scene, {
    kind: 'Publish',
    configMap: 'search',
    uid: 'map-uid',
    from: data ?? {},
    expectedMark: undefined,
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

  it('replaces what was seen, and nothing else', async () => {
    expect(await tests({ url: 'old' })).to.deep.equal([uid, ['/data', { url: 'old' }]]);
  });

  it('replaces nothing that was written into an empty one meanwhile', async () => {
    const version = ['/metadata/resourceVersion', '7'];
    expect(await tests(undefined)).to.deep.equal([uid, version]);
    expect(await tests({})).to.deep.equal([uid, version]);
  });
});

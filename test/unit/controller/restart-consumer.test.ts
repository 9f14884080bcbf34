import { expect } from 'chai';
import { StaleError } from '../../../src/controller/apply/errors.ts';
import { applyEffect } from '../../../src/controller/apply.ts';
import type { KubeObject } from '../../../src/kube/ports.ts';
import { configDigest } from '../../../src/workload/config.ts';

const GREEN = { url: 'https://green.example.com', color: 'green' };
const BLUE = { url: 'https://blue.example.com', color: 'blue' };

/** What is patched where the API server says that this is published, and the cache that green is. */
async function restart(live: object | undefined): Promise<unknown[]> {
  const patched: unknown[] = [];
  const client: any = {
    get: async () => live && { metadata: { name: 'search' }, data: live },
    patch: async (type: { kind: string }, key: object, patch: { body: unknown }) => {
      patched.push([type.kind, key, patch.body]);
      return {} as KubeObject;
    },
  };
  const scene: any = {
    release: { namespace: 'team', name: 'shop', uid: 'uid' },
    snapshot: {},
    published: { metadata: { name: 'search' }, data: GREEN },
  };
  const effect = {
    kind: 'RestartConsumer',
    consumer: 'StatefulSet',
    name: 'index',
    uid: 'index-uid',
    digest: configDigest({ data: GREEN }),
    at: 0,
  } as const;
  await applyEffect({ client, cache: {} as never }, scene, effect);
  return patched;
}

describe('the restart of a consumer', () => {
  it('changes its pod template, and says when; of another object of that name nothing', async () => {
    expect(await restart(GREEN)).to.deep.equal([
      [
        'StatefulSet',
        { namespace: 'team', name: 'index' },
        {
          metadata: {
            uid: 'index-uid',
            annotations: {
              'bluegreen.dev/endpoint-shop': configDigest({ data: GREEN }),
              'bluegreen.dev/restarted-at-shop': '1970-01-01T00:00:00.000Z',
            },
          },
          spec: {
            template: {
              metadata: { annotations: { 'bluegreen.dev/endpoint-shop': configDigest({ data: GREEN }) } },
            },
          },
        },
      ],
    ]);
  });

  for (const [what, live] of [
    ['another process has switched since', BLUE],
    ['what was published is gone', undefined],
  ] as const) {
    it(`is not done where ${what}: the cache may be late`, async () => {
      const error = await restart(live).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(StaleError);
    });
  }
});

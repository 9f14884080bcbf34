import { expect } from 'chai';
import { FINALIZER } from '../../../src/api/names.ts';
import { parseRelease } from '../../../src/api/parse.ts';
import type { BlueGreenReleaseObject } from '../../../src/api/resource.ts';
import { type Cache, WATCHED } from '../../../src/controller/cache.ts';
import { beginPass, type RoundDeps, round } from '../../../src/controller/round.ts';
import type { KubeObject, ResourceType } from '../../../src/kube/ports.ts';
import { createStore } from '../../../src/kube/store.ts';
import { NOON } from '../release/world.ts';
import { firstRevision, serviceOf } from './shop.ts';

/** It has no finalizer yet: that is the first effect of its life. */
const release: BlueGreenReleaseObject = {
  metadata: { namespace: 'demo', name: 'shop', uid: 'u', resourceVersion: '2', generation: 1 },
  spec: { workload: { deploymentRef: { name: 'shop' } }, traffic: { services: [{ name: 'shop' }] } },
  status: {
    phase: 'Idle',
    message: 'as it was',
    conditions: [
      {
        type: 'Healthy',
        status: 'True',
        reason: 'PodsReady',
        message: 'as it was',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ],
  },
};

function cacheOf(object: BlueGreenReleaseObject): Cache {
  const stores = Object.entries(WATCHED).map(([name, { indexes }]) => {
    const store = createStore<KubeObject>({ indexes });
    store.replace({ items: name === 'releases' ? [object] : [], resourceVersion: '2' });
    return [name, store] as const;
  });
  return Object.fromEntries(stores) as unknown as Cache;
}

/** Two Services that are to be put back, both of which it was refused before; by now `refused` are. */
async function roundWhere(...refused: readonly string[]): Promise<string[]> {
  const metadata = { ...release.metadata, finalizers: [FINALIZER] };
  const spec = { ...(release.spec as object), traffic: { services: [{ name: 'shop' }, { name: 'admin' }] } };
  const object = { ...release, metadata, spec } as BlueGreenReleaseObject;
  const cache = cacheOf(object);
  cache.revisions.note(firstRevision(spec));
  for (const name of ['shop', 'admin']) cache.services.note(serviceOf(name));
  const refusal = { at: NOON - 60_000, message: 'no', final: false };
  const { told } = await roundOf(object, {
    cache,
    client: {
      get: async () => undefined,
      list: async () => [],
      patch: async (_: ResourceType, { name }: { name: string }) => {
        if (refused.includes(name)) throw new Error('the connection broke');
        return serviceOf(name);
      },
    },
    answers: {
      of: () => ({ refusals: { shop: refusal, admin: refusal }, patches: {} }),
      succeeded: () => undefined,
      failed: () => false,
    },
  });
  return told;
}

/** One round of it, with effects that stand back for so many milliseconds. */
const roundThat = (standsBackMs: number) => roundOf(release, { rush: { look: () => standsBackMs } });

async function roundOf(object: BlueGreenReleaseObject, given: object) {
  const told: string[] = [];
  const deps = {
    cache: cacheOf(object),
    client: {
      get: async () => undefined,
      list: async () => [],
      patch: async (type: ResourceType) => {
        told.push(`write of a ${type.kind}`);
        return release;
      },
    },
    beside: {
      observations: () => ({ measurements: {}, warmUps: {}, preflight: undefined }),
      aliases: () => ({}),
    },
    answers: { of: () => ({ refusals: {}, patches: {} }), succeeded: () => undefined },
    rush: { look: () => 0 },
    recordEvent: ({ reason }: { reason: string }) => told.push(`event ${reason}`),
    observer: { onEffect: () => undefined },
    log: { info: (message: string) => told.push(`log: ${message}`) },
    now: () => NOON,
    ...given,
  } as unknown as RoundDeps;
  const parsed = parseRelease(object);
  if (!parsed.ok) throw new Error('the release cannot be read');
  const pass = beginPass('demo/shop', parsed.release, { base: object.status, untold: [] });
  const plan = await round(deps, pass).catch(() => undefined);
  return { told, plan, status: pass.status };
}

describe('a round', () => {
  it('applies what was decided, and tells of it', async () => {
    const { told, status } = await roundThat(0);
    expect(told).to.deep.equal([
      'write of a BlueGreenRelease',
      'event AddingFinalizer',
      'log: protecting what production will depend on',
    ]);
    expect(status.message).to.equal('protecting what production will depend on');
  });

  it('whose effects stand back does and tells nothing, and looks again when they may have their time', async () => {
    const { told, plan, status } = await roundThat(5_000);
    expect(told).to.deep.equal([]);
    expect([plan?.effects, plan?.lookAgainAt]).to.deep.equal([[], NOON + 5_000]);
    expect(status.message).to.equal('as it was');
  });

  it('whose effects stand back tells what was seen of production all the same', async () => {
    const { status } = await roundThat(5_000);
    expect(status.conditions?.map(({ type, reason }) => [type, reason])).to.deep.equal([
      ['Healthy', 'NotAdopted'],
    ]);
  });

  it('that is refused what was refused before is no news, unless something of it was done', async () => {
    expect(await roundWhere('shop', 'admin')).to.deep.equal([]);
    expect(await roundWhere('admin')).to.deep.equal([
      'event SelectorRestored',
      'log: Service "shop" selected no colour; putting it back to blue (revision r1)',
    ]);
  });
});

import { expect } from 'chai';
import { parseRelease } from '../../../src/api/parse.ts';
import type { BlueGreenReleaseObject } from '../../../src/api/resource.ts';
import { type Cache, WATCHED } from '../../../src/controller/cache.ts';
import { beginPass, type RoundDeps, round } from '../../../src/controller/round.ts';
import type { KubeObject, ResourceType } from '../../../src/kube/ports.ts';
import { createStore } from '../../../src/kube/store.ts';
import { NOON } from '../release/world.ts';

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

/** One round of it, with effects that stand back for so many milliseconds. */
async function roundThat(standsBackMs: number) {
  const told: string[] = [];
  const deps = {
    cache: cacheOf(release),
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
    rush: { look: () => standsBackMs },
    recordEvent: ({ reason }: { reason: string }) => told.push(`event ${reason}`),
    observer: { onEffect: () => undefined },
    log: { info: (message: string) => told.push(`log: ${message}`) },
    now: () => NOON,
  } as unknown as RoundDeps;
  const parsed = parseRelease(release);
  if (!parsed.ok) throw new Error('the release cannot be read');
  const pass = beginPass('demo/shop', parsed.release, { base: release.status, untold: [] });
  const plan = await round(deps, pass);
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
});

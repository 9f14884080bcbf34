import { expect } from 'chai';
import { type BesideOptions, createBeside } from '../../../src/controller/beside.ts';
import type { Scene } from '../../../src/controller/observe.ts';

const KEY = 'demo/shop';
const scene = { release: { namespace: 'demo', name: 'shop', uid: 'u' } } as unknown as Scene;

async function asked(preflight: BesideOptions['preflight']) {
  const work: Promise<void>[] = [];
  const woken: string[] = [];
  const beside = createBeside({
    preflight,
    run: (_, task) => work.push(task(new AbortController().signal)),
    warmPod: () => Promise.resolve(),
    wake: (key, { urgent }) => woken.push(`${key} ${urgent ? 'at once' : 'in its turn'}`),
    now: () => 5,
    sources: {} as never,
    onMeasurement: () => undefined,
  });
  beside.request(KEY, scene, { kind: 'Preflight', key: '1/v1' });
  await Promise.all(work);
  return { woken, preflight: beside.observations(KEY, 'u', {}).preflight };
}

describe('the verdict on the input', () => {
  it('comes back and wakes the release, in its turn: a crowd of them must not fill the lane of a rollback', async () => {
    const problems = [{ reason: 'JobRefused', message: 'no' }];
    expect(await asked(() => Promise.resolve({ problems, aliases: {} }))).to.deep.equal({
      woken: [`${KEY} in its turn`],
      preflight: { key: '1/v1', at: 5, problems },
    });
  });

  it('that nobody could give comes back with the reason: a webhook that is down must not hold a release in silence', async () => {
    const why = 'create deployments demo/shop: failed calling webhook "policy.example.com"';
    expect(await asked(() => Promise.reject(new Error(why)))).to.deep.equal({
      woken: [`${KEY} in its turn`],
      preflight: { key: '1/v1', at: 5, problems: [], unanswered: why },
    });
  });
});

import { expect } from 'chai';
import { type BesideOptions, createBeside } from '../../../src/controller/beside.ts';
import type { Scene } from '../../../src/controller/observe.ts';

const KEY = 'demo/shop';
const scene = { release: { namespace: 'demo', name: 'shop', uid: 'u' } } as unknown as Scene;

describe('what a pod says of its request counter', () => {
  const answers: (string | Error)[] = [];
  const work: Promise<void>[] = [];
  let now = 0;
  const beside = createBeside({
    preflight: () => Promise.reject(new Error('nobody asks')),
    run: (_, task) => work.push(task(new AbortController().signal)),
    warmPod: () => Promise.resolve(),
    scrapePod: () => {
      const answer = answers.shift() ?? new Error('nothing');
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    wake: () => undefined,
    now: () => now,
    sources: {} as never,
    onMeasurement: () => undefined,
  });
  const scrape = async (at: number, answer: string | Error, attempt = 2) => {
    now = at;
    answers.push(answer);
    const asked = { counter: 'requests_total', path: '/metrics', idleSeconds: 30 };
    const pod = { revision: 'r1', color: 'blue', pod: 'p', uid: 'pod' } as const;
    beside.request(KEY, scene, { kind: 'Scrape', attempt, asked, ...pod });
    await Promise.all(work);
    const { at: seenAt, unchangedSince, trouble } = beside.observations(KEY, 'u', {}).scrapes.pod ?? {};
    return [seenAt, unchangedSince, trouble];
  };

  it('is unchanged since the first of the answers that are all alike, and nobody knows after a silence', async () => {
    expect(await scrape(1, '5 requests')).to.deep.equal([1, 1, undefined]);
    expect(await scrape(2, '5 requests')).to.deep.equal([2, 1, undefined]);
    expect(await scrape(3, '6 requests')).to.deep.equal([3, 3, undefined]);
    expect(await scrape(4, '6 requests')).to.deep.equal([4, 3, undefined]);
    expect(await scrape(5, '0 requests')).to.deep.equal([5, 5, undefined]);
    expect(await scrape(6, new Error('ECONNREFUSED'))).to.deep.equal([6, undefined, 'ECONNREFUSED']);
    expect(await scrape(7, '0 requests')).to.deep.equal([7, 7, undefined]);
  });

  it('is forgotten with the attempt', async () => {
    expect(await scrape(8, '0 requests', 3)).to.deep.equal([8, 8, undefined]);
  });
});

async function asked(preflight: BesideOptions['preflight']) {
  const work: Promise<void>[] = [];
  const woken: string[] = [];
  const beside = createBeside({
    preflight,
    run: (_, task) => work.push(task(new AbortController().signal)),
    warmPod: () => Promise.resolve(),
    scrapePod: () => Promise.reject(new Error('nobody asks')),
    wake: (key, { urgent }) => woken.push(`${key} ${urgent ? 'at once' : 'in its turn'}`),
    now: () => 5,
    sources: {} as never,
    onMeasurement: () => undefined,
  });
  beside.request(KEY, scene, { kind: 'Preflight', key: '1/v1' });
  await Promise.all(work);
  return { woken, preflight: beside.observations(KEY, 'u', {}).preflight, beside };
}

describe('the verdict on the input', () => {
  it('comes back and wakes the release, in its turn: a crowd of them must not fill the lane of a rollback', async () => {
    const problems = [{ reason: 'JobRefused', message: 'no' }];
    const { woken, preflight } = await asked(() => Promise.resolve({ problems, aliases: {} }));
    expect({ woken, preflight }).to.deep.equal({
      woken: [`${KEY} in its turn`],
      preflight: { key: '1/v1', at: 5, problems },
    });
  });

  it('that nobody could give comes back with the reason: a webhook that is down must not hold a release in silence', async () => {
    const why = 'create deployments demo/shop: failed calling webhook "policy.example.com"';
    const { woken, preflight } = await asked(() => Promise.reject(new Error(why)));
    expect({ woken, preflight }).to.deep.equal({
      woken: [`${KEY} in its turn`],
      preflight: { key: '1/v1', at: 5, problems: [], unanswered: why },
    });
  });

  it('brings what the API server makes of the workload, for one who freezes just that, and once: it is large', async () => {
    const content = { template: { spec: { containers: [] } } };
    const stored = { fingerprint: 'f', content };
    const { beside } = await asked(() => Promise.resolve({ problems: [], aliases: {}, stored }));
    const taken = ['g', 'f', 'f'].map((fingerprint) => beside.takeStored(KEY, fingerprint));
    expect(taken).to.deep.equal([undefined, content, undefined]);
  });
});

import { expect } from 'chai';
import { demandOf } from '../../../src/workload/demand.ts';
import { inWords, parseQuantity } from '../../../src/workload/quantity.ts';

describe('a quantity of the API', () => {
  const cases: readonly (readonly [unknown, number | undefined])[] = [
    ['500m', 0.5],
    ['2', 2],
    [3, 3],
    ['1.5', 1.5],
    ['.5', 0.5],
    ['2Gi', 2 * 2 ** 30],
    ['128974848', 128_974_848],
    ['129e6', 129_000_000],
    ['129M', 129_000_000],
    ['1E', 1e18],
    ['100u', 1e-4],
    ['-1', -1],
    ['', undefined],
    ['2 Gi', undefined],
    ['twelve', undefined],
    [undefined, undefined],
  ];
  for (const [text, value] of cases) {
    it(`${JSON.stringify(text)} is ${value}`, () => {
      if (value === undefined) expect(parseQuantity(text)).to.equal(undefined);
      else expect(parseQuantity(text)).to.be.closeTo(value, Math.abs(value) * 1e-9);
    });
  }

  it('is told in the words of people', () => {
    const words = [
      ['cpu', 12],
      ['requests.cpu', 0.5],
      ['limits.cpu', 2],
      ['memory', 24 * 2 ** 30],
      ['requests.memory', 512 * 2 ** 20],
      ['limits.memory', 2 ** 30],
      ['requests.ephemeral-storage', 2 ** 31],
      ['pods', 1],
      ['count/pods', 6],
    ] as const;
    expect(words.map(([resource, value]) => inWords(resource, value))).to.deep.equal([
      '12 CPU',
      '0.5 CPU',
      '2 CPU of limits',
      '24 GiB',
      '512 MiB',
      '1 GiB of limits',
      '2 GiB of ephemeral-storage',
      '1 pod',
      '6 pods',
    ]);
  });
});

describe('what a pod asks of a quota', () => {
  const app = { name: 'app', resources: { requests: { cpu: '500m' }, limits: { cpu: '1', memory: '1Gi' } } };
  const sidecar = { name: 'sidecar', resources: { requests: { cpu: '250m' } } };
  const perPod = (resource: string, podSpec: object, defaults: object[] = []) =>
    demandOf(resource, podSpec as never, defaults as never)?.perPod;

  it('is the sum of its containers', () => {
    expect(perPod('requests.cpu', { containers: [app, sidecar] })).to.equal(0.75);
    expect(perPod('cpu', { containers: [app, sidecar] })).to.equal(0.75);
  });

  it('is what an init container asks for, if that is more; one that goes on running is added', () => {
    const init = { name: 'init', resources: { requests: { cpu: '2' } } };
    expect(perPod('cpu', { containers: [app], initContainers: [init] })).to.equal(2);
    expect(
      perPod('cpu', { containers: [app], initContainers: [{ ...init, restartPolicy: 'Always' }] }),
    ).to.equal(2.5);
  });

  it('includes the overhead of its runtime class', () => {
    expect(perPod('cpu', { containers: [app], overhead: { cpu: '100m' } })).to.be.closeTo(0.6, 1e-9);
  });

  it('is a limit where no request is stated, and then what the LimitRange gives', () => {
    expect(perPod('requests.memory', { containers: [app] })).to.equal(2 ** 30);
    const range = { default: { cpu: '3', memory: '2Gi' }, defaultRequest: { memory: '512Mi' } };
    const silent = { containers: [{ name: 'silent' }] };
    expect(perPod('requests.memory', silent, [range])).to.equal(512 * 2 ** 20);
    expect(perPod('requests.cpu', silent, [range])).to.equal(3);
    expect(perPod('limits.memory', silent, [range])).to.equal(2 ** 31);
  });

  it('is one pod of those that are counted, and nothing of what pods do not use up', () => {
    expect(
      ['pods', 'count/pods', 'services', 'requests.storage'].map((name) => perPod(name, {})),
    ).to.deep.equal([1, 1, undefined, undefined]);
  });

  it('names the container that states nothing of what is counted', () => {
    const podSpec = { containers: [app, sidecar] } as never;
    expect(demandOf('limits.memory', podSpec, [])?.unstated).to.equal('sidecar');
    expect(demandOf('requests.cpu', podSpec, [])?.unstated).to.equal(undefined);
  });
});

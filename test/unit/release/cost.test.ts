import { expect } from 'chai';
import { decided } from './decided.ts';
import { committed, idle, r1, r2Committed } from './situations.ts';
import { HOUR, NOON, type Picture, SECOND, world } from './world.ts';

const GIB = 2 ** 30;
const requests = { cpu: 0.5, memory: 2 * GIB };
const since = '2026-06-01T11:59:55Z';
const window = (pods: number, now: number, idleCost?: object): Picture => ({
  ...committed,
  now,
  blue: { revision: 'r1', ready: pods, deployment: { requests } },
  revisions: { r1, r2: r2Committed },
  previous: (idleCost === undefined ? {} : { idleCost }) as Picture['previous'] & object,
});
const cost = (picture: Picture) => decided(picture).plan.status.idleCost;

describe('what the side without traffic costs', () => {
  const first = { since, at: since, cores: '1.5', gib: '6', coreHours: '0', gibHours: '0' };

  it('counts from the switch', () => {
    expect(cost(window(3, NOON))).to.deep.equal(first);
  });

  it('is not written again while the same pods stand', () => {
    expect(cost(window(3, NOON + 5 * HOUR, first))).to.deep.equal(first);
  });

  it('is summed up when there are more or fewer', () => {
    const after2h = window(0, NOON - 5 * SECOND + 2 * HOUR, first);
    expect(
      cost({
        ...after2h,
        blue: { revision: 'r1', desired: 3, ready: 0, pods: [], deployment: { requests, pods: 1 } },
      }),
    ).to.deep.equal({
      since,
      at: '2026-06-01T13:59:55Z',
      cores: '0.5',
      gib: '2',
      coreHours: '3',
      gibHours: '12',
    });
  });

  it('begins anew with the next switch', () => {
    const earlier = { ...first, since: '2026-05-01T00:00:00Z', coreHours: '99' };
    expect(cost(window(3, NOON, earlier))).to.deep.equal(first);
  });

  for (const [what, asked, rate, sum] of [
    ['cores', { cpu: 0.5, memory: 0 }, { cores: '0.5', gib: '0' }, { coreHours: '3', gibHours: '0' }],
    ['memory', { cpu: 0, memory: 2 * GIB }, { cores: '0', gib: '2' }, { coreHours: '0', gibHours: '12' }],
  ] as const)
    it(`is that of ${what} where nothing else is requested`, () => {
      const blue = (pods: number): Picture['blue'] & object => ({
        revision: 'r1',
        ready: pods,
        deployment: { requests: asked },
      });
      const begun = cost({ ...window(3, NOON), blue: blue(3) });
      expect(begun).to.include({ since, coreHours: '0', gibHours: '0' });
      const fewer = window(1, NOON - 5 * SECOND + 2 * HOUR, begun);
      expect(cost({ ...fewer, blue: blue(1) })).to.include({ ...rate, ...sum });
    });

  it('is nothing where nothing stands, or nothing is requested', () => {
    expect(cost(window(0, NOON))).to.equal(undefined);
    expect(cost(committed)).to.equal(undefined);
    expect(world(idle).sides.green.deployment).to.equal(undefined);
    expect(cost(idle)).to.equal(undefined);
  });
});

import { expect } from 'chai';
import { decide } from '../../../src/release/decide.ts';
import { describe as inWords } from '../../../src/release/describe.ts';
import { ADOPTED_AT, committed, idle, observed, r1, r2Committed, started } from './situations.ts';
import { HOUR, MINUTE, NOON, type Picture, world } from './world.ts';

const asked = (spec: object): NonNullable<Picture['spec']> => ({ podDisruptionBudget: spec });
const budgets = (picture: Picture): string[] =>
  decide(world(picture))
    .effects.filter(({ kind }) => kind === 'WriteBudget' || kind === 'RemoveBudget')
    .map(inWords);

describe('the disruption budget of a colour', () => {
  it('is none where nobody asks for it, and is taken away where nobody asks any more', () => {
    expect(budgets(idle)).to.deep.equal([]);
    const left = { ...idle, blue: { ...idle.blue, budget: { asks: { minAvailable: 2 } } } };
    expect(budgets(left)).to.deep.equal(['RemoveBudget blue']);
  });

  it('says what is asked for on the side with the traffic, even where that lets no pod go', () => {
    const spec = asked({ minAvailable: 3 });
    expect(budgets({ ...idle, spec })).to.deep.equal(['WriteBudget blue, minAvailable 3']);
    const written = { ...idle.blue, budget: { asks: { minAvailable: 3 } } };
    expect(decide(world({ ...idle, spec, blue: written })).effects).to.deep.equal([]);
  });

  it('is written anew where people ask for something else, or somebody edited it', () => {
    const spec = asked({ maxUnavailable: '25%' });
    const other = { ...idle.blue, budget: { asks: { minAvailable: 2 } } };
    expect(budgets({ ...idle, spec, blue: other })).to.deep.equal(['WriteBudget blue, maxUnavailable 25%']);
    const edited = { ...idle.blue, budget: { asks: undefined } };
    expect(budgets({ ...idle, spec, blue: edited })).to.deep.equal(['WriteBudget blue, maxUnavailable 25%']);
  });

  it('of a candidate is there before it has the traffic', () => {
    const spec = asked({ minAvailable: 2 });
    const green = { revision: 'r2', desired: 3 };
    const blue = { ...idle.blue, budget: { asks: { minAvailable: 2 } } };
    expect(budgets({ ...started, spec, blue, green })).to.deep.equal(['WriteBudget green, minAvailable 2']);
  });

  describe('on a side without traffic', () => {
    /** r1 stands by, and its pods are younger than the switch. */
    const standby = (spec: object, size: number): Picture => {
      const pods = Array.from({ length: size }, () => ({ createdAt: NOON - MINUTE }));
      return {
        ...committed,
        switchedAt: ADOPTED_AT,
        spec: { ...asked(spec), capacity: { window: size } },
        green: { ...committed.green, revision: 'r2', ready: 3, budget: { asks: spec } },
        blue: { revision: 'r1', ready: size, pods },
        revisions: { r1, r2: { ...r2Committed, verifiedAt: ADOPTED_AT } },
      };
    };

    for (const [spec, size, written] of [
      [{ minAvailable: 2 }, 3, 'minAvailable 2'],
      [{ minAvailable: 3 }, 3, 'maxUnavailable 1'],
      [{ minAvailable: 3 }, 2, 'maxUnavailable 1'],
      [{ minAvailable: '60%' }, 3, 'minAvailable 60%'],
      [{ minAvailable: '95%' }, 3, 'maxUnavailable 1'],
      [{ maxUnavailable: 0 }, 3, 'maxUnavailable 1'],
      [{ maxUnavailable: '0%' }, 3, 'maxUnavailable 1'],
      [{ maxUnavailable: '1%' }, 3, 'maxUnavailable 1%'],
    ] as const)
      it(`${JSON.stringify(spec)} of ${size} pods is ${written}, so that at least one may go`, () => {
        expect(budgets(standby(spec, size))).to.deep.equal([`WriteBudget blue, ${written}`]);
      });

    it('is none at 0 pods', () => {
      const picture = standby({ minAvailable: 2 }, 0);
      const blue = { revision: 'r1', ready: 0, budget: { asks: { minAvailable: 2 } } };
      expect(budgets({ ...picture, blue })).to.deep.equal(['RemoveBudget blue']);
    });

    it('is none while its pods are replaced', () => {
      const picture = standby({ minAvailable: 2 }, 3);
      const pods = Array.from({ length: 3 }, () => ({ createdAt: ADOPTED_AT - HOUR }));
      const blue = { revision: 'r1', ready: 3, pods, budget: { asks: { minAvailable: 2 } } };
      expect(budgets({ ...picture, blue })).to.deep.equal(['RemoveBudget blue']);
    });
  });

  it('is none on either side while another one selects the same pods', () => {
    const budget = { asks: { minAvailable: 2 } };
    const picture: Picture = {
      ...observed,
      spec: asked({ minAvailable: 2 }),
      foreignBudgets: ['checkout'],
      blue: { ...observed.blue, budget },
      green: { ...observed.green, budget },
    };
    expect(budgets(picture)).to.deep.equal(['RemoveBudget blue', 'RemoveBudget green']);
  });

  it('that belongs to somebody else is never written', () => {
    const blue = { ...idle.blue, budget: { ours: false } };
    const { verdict, effects } = decide(world({ ...idle, spec: asked({ minAvailable: 2 }), blue }));
    expect(effects.map(inWords)).to.deep.equal([]);
    expect(verdict.message).to.equal(
      'PodDisruptionBudget "checkout-blue" exists and does not belong to this release: rename or delete it, the operator needs that name',
    );
  });

  it('of the side that is adopted is there before anything else serves', () => {
    const adoption = { color: 'blue' as const, attempt: 1, startedAt: NOON, adoption: true };
    const picture: Picture = {
      source: { replicas: 3, paused: true, live: { fingerprint: 'v1', replicaSet: 'checkout-abc' } },
      spec: asked({ minAvailable: 2 }),
      revisions: { r1: adoption },
      blue: { revision: 'r1', ready: 3 },
    };
    expect(budgets(picture)).to.deep.equal(['WriteBudget blue, minAvailable 2']);
  });

  it('goes with its colour when the release ends', () => {
    const picture: Picture = {
      ...committed,
      release: { deleting: true, deletedAt: NOON },
      now: NOON + HOUR,
      spec: asked({ minAvailable: 2 }),
      source: { fingerprint: 'v2' },
      blue: { ...committed.blue, budget: { asks: { minAvailable: 2 } } },
    };
    expect(budgets(picture)).to.deep.equal(['RemoveBudget blue']);
  });
});

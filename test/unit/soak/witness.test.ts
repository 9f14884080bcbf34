import { expect } from 'chai';
import { judge, type Sight } from '../../soak/witness.ts';

const KEY = 'bluegreen.dev/color';
/** Versions are the order; a second passes between two sights. */
const seen = (...sights: object[]): Sight[] =>
  sights.map((sight, index) => ({ version: index, at: index * 1_000, namespace: 'shop', ...sight }) as Sight);
const service = (color?: string) => ({
  kind: 'service',
  selector: { app: 'shop', ...(color && { [KEY]: color }) },
});
const color = (replicas: number | undefined) => ({ kind: 'color', color: 'blue', replicas });
const asked = (replicas: number) => ({ kind: 'wish', replicas });
const endpoints = (service: string, count: number) => ({
  kind: 'slice',
  name: `${service}-s`,
  service,
  ready: count,
});
const ready = (count: number) => endpoints('shop-green', count);
const serving = (count: number) => endpoints('shop', count);
const broken = (...sights: object[]): readonly string[] => judge(seen(...sights), 'shop').violations;

describe('the witness of a soak', () => {
  it('finds nothing wrong with a switch to a side that serves, and a loser that goes to 0', () => {
    expect(broken(service('blue'), color(3), ready(2), service('green'), color(0))).to.deep.equal([]);
  });

  it('sees a selector that is empty', () => {
    expect(broken(service('blue'), { kind: 'service', selector: {} })).to.deep.equal([
      'a selector is never empty: shop at 1: empty',
    ]);
  });

  const moved = (from: number) =>
    `production moves to a side with ready endpoints: shop at ${from}: from blue, where 2 are ready, to green`;

  it('sees a move to a side that never served, away from one that serves', () => {
    expect(broken(serving(2), service('blue'), service('green'))).to.deep.equal([]);
    const late = { ...service('green'), at: 96_000 };
    expect(broken(serving(2), service('blue'), late)).to.deep.equal([moved(2)]);
  });

  it('finds nothing wrong with a move to a side that has served for long, and still does', () => {
    const late = { ...service('green'), at: 300_000 };
    expect(broken(service('blue'), serving(2), ready(1), late)).to.deep.equal([]);
  });

  it('sees a move to a side that has not served for longer than a cache can be old', () => {
    const sights = [service('blue'), serving(2), ready(1), { ...ready(0), at: 100_000 }];
    expect(broken(...sights, { ...service('green'), at: 195_000 })).to.deep.equal([moved(4)]);
    expect(broken(...sights, { ...service('green'), at: 194_999 })).to.deep.equal([]);
  });

  it('lets production be moved where nothing is ready, or was not for longer than a cache can be old', () => {
    const sights = [service('blue'), serving(2), { ...serving(0), at: 100_000 }];
    expect(broken(...sights, { ...service('green'), at: 300_000 })).to.deep.equal([]);
    const back = [...sights, { ...serving(2), at: 200_000 }];
    expect(broken(...back, { ...service('green'), at: 294_999 })).to.deep.equal([]);
    expect(broken(...back, { ...service('green'), at: 295_000 })).to.deep.equal([moved(4)]);
  });

  it('sees the colour put back on a Service that had lost it and serves from elsewhere', () => {
    const stripped = { ...service(), at: 100_000 };
    expect(
      broken(serving(2), service('green'), stripped, { ...service('green'), at: 101_000 }),
    ).to.deep.equal([
      'production moves to a side with ready endpoints: shop at 3: from no colour, where 2 are ready, to green',
    ]);
  });

  it('sees that what production selects is scaled down, or deleted', () => {
    expect(broken(service('blue'), color(3), color(2), color(undefined))).to.deep.equal([
      'what production selects is not scaled down: shop at 2: blue from 3 to 2',
      'what production selects is not scaled down: shop at 3: blue from 2 to undefined',
    ]);
  });

  it('lets what production selects have as many as people ask for, and sees fewer', () => {
    expect(broken(service('blue'), asked(3), color(4), color(3))).to.deep.equal([]);
    expect(broken(service('blue'), asked(3), color(4), color(2))).to.deep.equal([
      'what production selects is not scaled down: shop at 3: blue from 4 to 2',
    ]);
  });

  it('judges by the order in which things happened, and not by that in which it heard of them', () => {
    const sights = seen(service('blue'), ready(1), service('green'));
    expect(judge([...sights].reverse(), 'shop').violations).to.deep.equal([]);
  });
});

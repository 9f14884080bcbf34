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
const ready = (count: number, at = 0) => ({
  kind: 'slice',
  name: 's',
  service: 'shop-green',
  ready: count,
  at,
});
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

  it('sees a move to a side that never served', () => {
    const promise = 'production moves to a side with ready endpoints';
    expect(broken(service('blue'), service('green'))).to.deep.equal([`${promise}: shop at 1: to green`]);
  });

  it('sees a move to a side that has not served for longer than a cache can be old', () => {
    const ended = { ...ready(0), at: 1_000 };
    const late = { ...service('green'), at: 200_000 };
    const soon = { ...service('green'), at: 20_000 };
    expect(broken(service('blue'), ready(1), ended, late)).to.have.length(1);
    expect(broken(service('blue'), ready(1), ended, soon)).to.deep.equal([]);
  });

  it('sees that what production selects is scaled down, or deleted', () => {
    expect(broken(service('blue'), color(3), color(2), color(undefined))).to.deep.equal([
      'what production selects is not scaled down: shop at 2: blue from 3 to 2',
      'what production selects is not scaled down: shop at 3: blue from 2 to undefined',
    ]);
  });

  it('judges by the order in which things happened, and not by that in which it heard of them', () => {
    const sights = seen(service('blue'), ready(1), service('green'));
    expect(judge([...sights].reverse(), 'shop').violations).to.deep.equal([]);
  });
});

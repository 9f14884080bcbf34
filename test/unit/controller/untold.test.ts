import { expect } from 'chai';
import type { Decision } from '../../../src/api/status.ts';
import { createUntold, untoldIn } from '../../../src/controller/untold.ts';
import type { Effect } from '../../../src/release/plan.ts';

const line = (second: number, ...effects: string[]): Decision => ({
  at: `2026-06-01T12:00:${String(second).padStart(2, '0')}.000Z`,
  reason: 'Why',
  message: 'why',
  effects,
});
const put = (service: string): Effect => ({ kind: 'PatchSelector', service, color: 'blue' }) as Effect;
const forget = (revision: string): Effect => ({ kind: 'DeleteRevision', revision });
const [shop, admin] = ['PatchSelector shop -> blue', 'PatchSelector admin -> blue'];

describe('what a process has to tell', () => {
  it('is the line that tells of what it did, and what it had to tell before', () => {
    const log = [line(1, shop), line(2, 'of another'), line(3, admin)];
    expect(untoldIn(log, [line(1, shop)], [put('admin')])).to.deep.equal([log[0], log[2]]);
  });

  it('is the last line that tells of the same, for each thing that was put back once more', () => {
    const log = [line(1, shop), line(2, shop), line(3, admin), line(4, 'of another')];
    expect(untoldIn(log, [], [put('shop'), put('admin')])).to.deep.equal([log[1], log[2]]);
  });

  it('is no line for which a newer one stands, or that a full log has left out', () => {
    expect(untoldIn([line(3, shop)], [line(1, shop), line(2, admin)], [put('shop')])).to.deep.equal([
      line(3, shop),
    ]);
  });

  it('is the last line where that does not name all of its effects', () => {
    const log = [line(1, shop), line(2, 'DeleteRevision r1')];
    expect(untoldIn(log, [], [forget('r17')])).to.deep.equal([log[1]]);
  });

  it('is remembered for one release, and not for another one under its name', () => {
    const untold = createUntold();
    const of = { key: 'demo/shop', uid: 'this-life' };
    untold.keep(of, [line(2, shop)]);
    const stands = { decisions: [line(1, 'of another')] };
    expect(untold.withThem(of, stands).decisions).to.deep.equal([line(1, 'of another'), line(2, shop)]);
    expect(untold.withThem({ ...of, uid: 'that-life' }, stands)).to.equal(stands);
    expect(untold.withThem(of, { decisions: [line(2, shop)] }).decisions).to.deep.equal([line(2, shop)]);
    untold.keep(of, []);
    expect(untold.withThem(of, stands), 'it is told').to.equal(stands);
  });
});

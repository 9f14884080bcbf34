import { expect } from 'chai';
import { counted } from '../../../bench/traffic/counted.ts';
import { parseOptions } from '../../../bench/traffic/options.ts';
import { seriesOf } from '../../../bench/traffic/plot.ts';
import { Tally } from '../../demo/load/tally.ts';

function lossesOnBoth(): Tally {
  const tally = new Tally(0);
  for (let each = 0; each < 10; each++) {
    tally.due();
    tally.sent();
  }
  for (let each = 0; each < 7; each++)
    tally.settled({ kind: 'new', version: 'v1', status: 200, ms: 1 }, 100 + each);
  tally.settled({ kind: 'new', failure: 'connection', code: 'ECONNREFUSED' }, 200);
  tally.settled({ kind: 'kept', failure: 'connection', code: 'ECONNRESET' }, 300);
  tally.settled({ kind: 'kept', failure: 'timeout', code: 'no answer within 2000 ms' }, 400);
  return tally;
}

const valuesOf = (rows: ReturnType<typeof counted>): [string, number, boolean | undefined][] =>
  rows.map(({ name, value, ok }) => [name, value, ok]);

describe('the traffic benchmarks', () => {
  it('hold every lost request against an application that drains', () => {
    expect(valuesOf(counted('x', lossesOnBoth().totals, 'drain'))).to.deep.equal([
      ['x: requests', 10, undefined],
      ['x: failed requests', 3, false],
      ['x: requests of which nothing is known', 0, true],
    ]);
  });

  it('count what an application that exits at once broke itself apart from what was lost on new connections', () => {
    expect(valuesOf(counted('x', lossesOnBoth().totals, 'exit'))).to.deep.equal([
      ['x: requests', 10, undefined],
      ['x: failed requests on new connections', 1, false],
      ['x: requests lost on kept connections that the application broke', 2, undefined],
      ['x: requests of which nothing is known', 0, true],
    ]);
  });

  it('draw each version from the second before its first answer to the one after its last', () => {
    const tally = new Tally(10_000);
    tally.settled({ kind: 'new', version: 'v1', status: 200, ms: 1 }, 10_100);
    const first = tally.turn(11_000);
    tally.settled({ kind: 'new', version: 'v2', status: 200, ms: 1 }, 11_100);
    const second = tally.finish(11_200);
    expect(
      seriesOf(
        [first, second].filter((row) => row !== undefined),
        'new',
      ),
    ).to.deep.equal([
      {
        version: 'v1',
        points: [
          [-1, 0],
          [0, 1],
          [1, 0],
        ],
      },
      {
        version: 'v2',
        points: [
          [0, 0],
          [1, 1],
          [2, 0],
        ],
      },
    ]);
  });

  it('say which number was not understood', () => {
    expect(() => parseOptions(['--switches', 'many'])).to.throw(
      '--switches: "many" is not a whole number from 1 to 999999',
    );
    expect(() => parseOptions(['--proxy', 'ipvs'])).to.throw(
      '--proxy: "ipvs" is neither iptables nor nftables',
    );
    expect(parseOptions(['--only', 'kept', '--kept', '1'])).to.deep.equal({
      only: ['kept'],
      json: undefined,
      raw: undefined,
      serviceProxy: 'iptables',
      sizes: { switches: 100, adoptions: 10, rollbacks: 20, kept: 1, keeper: 5 },
    });
  });
});

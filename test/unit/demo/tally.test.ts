import { expect } from 'chai';
import fc from 'fast-check';
import { type Outcome, percentile, settledOf, Tally } from '../../demo/load/tally.ts';

const good: Outcome = { kind: 'new', version: 'v1', status: 200, ms: 2 };

describe('the tally of the load generator', () => {
  it('counts an answer by connection, version and status, and remembers the first and the last', () => {
    const tally = new Tally(1_000);
    for (const [outcome, at] of [
      [good, 1_100],
      [{ ...good, ms: 4 }, 1_200],
      [{ kind: 'kept', version: 'v2', status: 500, ms: 9 }, 1_300],
    ] as [Outcome, number][]) {
      tally.due();
      tally.sent();
      tally.settled(outcome, at);
    }
    tally.finish(1_400);
    expect(tally.totals).to.deep.equal({
      startedAt: 1_000,
      finishedAt: 1_400,
      due: 3,
      sent: 3,
      answers: { new: { v1: { 200: 2 } }, kept: { v2: { 500: 1 } } },
      connectionErrors: { new: 0, kept: 0 },
      timeouts: { new: 0, kept: 0 },
      notSent: 0,
      seen: {
        new: { v1: { first: 1_100, last: 1_200 } },
        kept: { v2: { first: 1_300, last: 1_300, errors: { first: 1_300, last: 1_300 } } },
      },
      firstErrorAt: 1_300,
      lastErrorAt: 1_300,
      latency: { p50: 4, p99: 9, max: 9 },
    });
  });

  it('keeps the three ways to get no answer apart', () => {
    const tally = new Tally(0);
    tally.settled({ kind: 'new', failure: 'connection', code: 'ECONNREFUSED' }, 10);
    tally.settled({ kind: 'kept', failure: 'timeout', code: 'no answer within 2000 ms' }, 20);
    tally.settled({ kind: 'kept', failure: 'notSent', code: '2500 ms late' }, 30);
    const { connectionErrors, timeouts, notSent, firstErrorAt, lastErrorAt } = tally.totals;
    expect({ connectionErrors, timeouts, notSent, firstErrorAt, lastErrorAt }).to.deep.equal({
      connectionErrors: { new: 1, kept: 0 },
      timeouts: { new: 0, kept: 1 },
      notSent: 1,
      firstErrorAt: 10,
      lastErrorAt: 30,
    });
    expect(tally.failures.map(({ what }) => what)).to.deep.equal([
      'connection: ECONNREFUSED',
      'timeout: no answer within 2000 ms',
      'notSent: 2500 ms late',
    ]);
  });

  it('lists no more than twenty alike failures, so that others are seen, and counts them all', () => {
    const tally = new Tally(0);
    for (let i = 0; i < 100; i++) tally.settled({ kind: 'new', version: 'v3', status: 500, ms: 1 }, i);
    tally.settled({ kind: 'new', failure: 'connection', code: 'ECONNRESET' }, 100);
    expect(tally.failures).to.have.length(21);
    expect(tally.failures.at(-1)?.what).to.equal('connection: ECONNRESET');
    expect(tally.totals.answers.new).to.deep.equal({ v3: { 500: 100 } });
  });

  it('knows what is still under way', () => {
    const tally = new Tally(0);
    tally.due();
    tally.due();
    tally.settled(good, 5);
    expect(tally.pending).to.equal(1);
  });

  it('turns to a new row when a second is over, and not before', () => {
    const tally = new Tally(5_500);
    tally.due();
    tally.settled(good, 5_600);
    expect(tally.turn(5_999)).to.equal(undefined);
    const row = tally.turn(6_001);
    expect(row).to.deep.include({ second: 5, due: 1, latency: { p50: 2, p99: 2, max: 2 } });
    expect(tally.finish(6_100)).to.deep.include({ second: 6, due: 0 });
  });

  it('has rows that add up to the totals, whatever happens', () => {
    const outcome = fc.oneof(
      fc.record({
        kind: fc.constantFrom('new' as const, 'kept' as const),
        version: fc.constantFrom('v1', 'v2'),
        status: fc.constantFrom(200, 404, 500),
        ms: fc.double({ min: 0, max: 2000, noNaN: true }),
      }),
      fc.record({
        kind: fc.constantFrom('new' as const, 'kept' as const),
        failure: fc.constantFrom('connection' as const, 'timeout' as const, 'notSent' as const),
        code: fc.constant('x'),
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(outcome, fc.nat(3_000))), (steps) => {
        let now = 0;
        const tally = new Tally(now);
        const rows = [];
        for (const [each, wait] of steps) {
          tally.due();
          tally.settled(each, now);
          now += wait;
          const row = tally.turn(now);
          if (row) rows.push(row);
        }
        rows.push(tally.finish(now));
        expect(rows.reduce((sum, row) => sum + row.due, 0)).to.equal(steps.length);
        expect(rows.reduce((sum, row) => sum + settledOf(row), 0)).to.equal(settledOf(tally.totals));
        expect(tally.pending).to.equal(0);
      }),
    );
  });
});

describe('a percentile', () => {
  const table: [number[], number, number][] = [
    [[7], 50, 7],
    [[1, 2, 3, 4], 50, 2],
    [[1, 2, 3, 4], 99, 4],
    [[1, 2, 3, 4], 100, 4],
    [[1, 2, 3, 4], 0, 1],
  ];
  for (const [values, percent, expected] of table) {
    it(`${percent} of ${values.join(', ')} is ${expected}`, () => {
      expect(percentile(values, percent)).to.equal(expected);
    });
  }

  it('of nothing is not a number', () => {
    expect(Number.isNaN(percentile([], 50))).to.equal(true);
  });
});

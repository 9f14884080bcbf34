import { expect } from 'chai';
import { Tally } from '../../demo/load/tally.ts';
import { type Evidence, reportOf, shortcomings } from '../../demo/report.ts';
import { summary } from '../../demo/summary.ts';
import type { Switch } from '../../support/audit.ts';

const start = Date.UTC(2026, 10, 21, 8, 0, 0);
const at = (seconds: number): number => start + seconds * 1000;

const move = (seconds: number, color: string, revision: string, attempt: number, back = false): Switch => ({
  decidedAt: at(seconds),
  patchedAt: at(seconds) + 5,
  color,
  mark: { revision, attempt, direction: back ? 'Back' : 'Forward' },
  user: 'operator',
});

/** Three releases, the third of which sends two errors and is put back 4 seconds after it came. */
function evidence(change: Partial<Evidence> = {}): Evidence {
  const tally = new Tally(at(0));
  const rows = [];
  for (const [seconds, version, status] of [
    [1, 'v1', 200],
    [12, 'v1', 200],
    [22, 'v2', 200],
    [41, 'v3', 500],
    [43, 'v3', 500],
    [43.5, 'v3', 200],
    [45, 'v2', 200],
    [46, 'v2', 200],
  ] as const) {
    const row = tally.turn(at(seconds));
    if (row) rows.push(row);
    tally.due();
    tally.sent();
    tally.settled({ kind: 'new', version, status, ms: 2 }, at(seconds));
  }
  rows.push(tally.finish(at(46.2)));
  return {
    cluster: { kubernetes: 'v1.36.3', node: 'kubelet v1.36.3' },
    measuredBy: 'audit log',
    release: 'shop',
    versions: ['v1', 'v2', 'v3'],
    switches: [
      move(10, 'blue', 'r1', 1),
      move(20, 'green', 'r2', 2),
      move(40, 'blue', 'r3', 3),
      move(44, 'green', 'r2', 3, true),
    ],
    endpoints: [
      { at: at(10) + 12, pods: ['shop-blue-1-a'] },
      { at: at(20) + 40, pods: ['shop-green-1-a'] },
      { at: at(40) + 3, pods: ['shop-blue-2-a'] },
    ],
    load: { totals: tally.totals, failures: tally.failures, rows },
    ...change,
  };
}

describe('the report', () => {
  it('tells each release by the patches, and the rollback by the one that goes back', () => {
    expect(reportOf(evidence()).releases).to.deep.equal([
      {
        revision: 'r1',
        version: 'v1',
        outcome: 'Committed',
        decidedAt: '2026-11-21T08:00:10.000Z',
        patchedAt: '2026-11-21T08:00:10.005Z',
        convergedAt: '2026-11-21T08:00:10.012Z',
        rollbackPatchedAt: null,
      },
      {
        revision: 'r2',
        version: 'v2',
        outcome: 'Committed',
        decidedAt: '2026-11-21T08:00:20.000Z',
        patchedAt: '2026-11-21T08:00:20.005Z',
        convergedAt: '2026-11-21T08:00:20.040Z',
        rollbackPatchedAt: null,
      },
      {
        revision: 'r3',
        version: 'v3',
        outcome: 'RolledBack',
        decidedAt: '2026-11-21T08:00:40.000Z',
        patchedAt: '2026-11-21T08:00:40.005Z',
        convergedAt: '2026-11-21T08:00:40.005Z',
        rollbackPatchedAt: '2026-11-21T08:00:44.005Z',
      },
    ]);
  });

  it('tells the traffic by the counts', () => {
    expect(reportOf(evidence()).traffic).to.deep.equal({
      requests: 8,
      failed: 0,
      failures: { connectionErrors: 0, timeouts: 0, notSent: 0, wrongAnswers: 0 },
      serverErrors: 2,
      byVersion: { v1: 2, v2: 3, v3: 3 },
      firstErrorAt: '2026-11-21T08:00:41.000Z',
      lastErrorAt: '2026-11-21T08:00:43.000Z',
      latency: { p50: 2, p99: 2, max: 2 },
    });
  });

  it('is content with a good run', () => {
    const seen = evidence();
    expect(shortcomings(reportOf(seen), seen.load)).to.deep.equal([]);
  });

  it('says what is missing when the rollback never came', () => {
    const seen = evidence({ switches: evidence().switches.slice(0, 3) });
    expect(shortcomings(reportOf(seen), seen.load)).to.deep.equal([
      'the releases ended as v1 Committed, v2 Committed, v3 Committed',
    ]);
  });

  it('says what is missing when nothing was asked and nothing happened', () => {
    const tally = new Tally(at(0));
    const rows = [tally.finish(at(1))];
    const seen = evidence({ switches: [], load: { totals: tally.totals, failures: [], rows } });
    expect(shortcomings(reportOf(seen), seen.load)).to.deep.equal([
      'v3 sent no error, so there was nothing to roll back from',
      'the releases ended as none at all',
    ]);
  });

  it('counts a failed request, and one that is lost', () => {
    const { load, ...rest } = evidence();
    const totals = { ...load.totals, due: load.totals.due + 2, notSent: 1 };
    const seen = { ...rest, load: { ...load, totals } };
    expect(shortcomings(reportOf(seen), seen.load)).to.deep.equal([
      '1 requests failed',
      '1 requests are not accounted for',
    ]);
  });

  it('objects to a bad version that still answers at the end', () => {
    const { load, ...rest } = evidence();
    const seen = {
      ...rest,
      load: { ...load, rows: load.rows.filter(({ second }) => second <= at(43) / 1000) },
    };
    expect(shortcomings(reportOf(seen), seen.load)).to.deep.equal(['v3 still answered at the end']);
  });
});

describe('the summary', () => {
  it('is a story with times and counts', () => {
    const seen = evidence();
    const report = reportOf(seen);
    expect(summary(report, [], { colors: false, rate: 100 })).to.deep.equal([
      'What happened',
      '  v1        ran as an ordinary Deployment and was adopted as r1',
      '            08:00:10.005  traffic moved; its pods alone stood behind the Service 7 ms later',
      '  v2        took over as r2, was watched, and was kept',
      '            08:00:20.005  traffic moved; its pods alone stood behind the Service 35 ms later',
      '  v3        was given the traffic as r3, and lost it again',
      '            08:00:40.005  traffic moved; its pods alone stood behind the Service 0 ms later',
      '            08:00:44.005  traffic put back by the operator after 4.0 s, 3.0 s after its first error',
      '',
      'What the clients saw',
      '  asked     8 requests, 100 a second: half on new connections, half on kept ones',
      '  answered  2 by v1, 3 by v2, 3 by v3; half of them within 2 ms, 99 % within 2 ms',
      '  failed    0 requests',
      '  errors    2 that v3 sent on purpose, for 2.0 s: 08:00:41.000 to 08:00:43.000',
      '',
      'The good version took over and the bad one was put back, and no request was lost to either.',
    ]);
  });

  it('ends with what is wrong', () => {
    const lines = summary(reportOf(evidence()), ['3 requests failed', 'v3 Committed'], {
      colors: false,
      rate: 100,
    });
    expect(lines.at(-1)).to.equal('This is not what the demo should show: 3 requests failed; v3 Committed.');
  });
});

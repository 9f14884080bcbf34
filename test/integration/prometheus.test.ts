import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { Sample } from '../../src/analysis/measurement.ts';
import { expandQuery } from '../../src/metrics/expand.ts';
import { createPrometheusSource, type PrometheusSource } from '../../src/metrics/prometheus.ts';
import { createSources, type Sources } from '../../src/metrics/sources.ts';
import { type PrometheusProcess, startPrometheus } from './prometheus-process.ts';

const MANY = 2000;

/** What the application tells of itself. `pushed` carries a time stamp of its own, a minute ago. */
const exposition = (): string => `
requests_total{color="blue",customer="alice"} 400
requests_total{color="green",customer="bob"} 100
errors_total{color="blue",customer="alice"} 0
errors_total{color="green",customer="bob"} 25
requests_total{color="idle"} 0
errors_total{color="idle"} 0
pushed 7 ${Date.now() - 60_000}
${Array.from({ length: MANY }, (_, index) => `many{index="${index}"} 1`).join('\n')}
`;

const ERROR_RATIO = `
  sum(errors_total{color="$(BLUEGREEN_COLOR)"}) / sum(requests_total{color="$(BLUEGREEN_COLOR)"})`;
const inColor = (color: string): string =>
  expandQuery(ERROR_RATIO, { color, revision: 'r1', release: 'checkout', namespace: 'shop' });

describe('A real Prometheus', () => {
  let application: Server;
  let prometheus: PrometheusProcess;
  let source: PrometheusSource;
  let sources: Sources;

  before(async function () {
    // The first run may have to build it.
    this.timeout(1_200_000);
    application = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(exposition());
    });
    await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
    const { port } = application.address() as AddressInfo;
    prometheus = await startPrometheus(`127.0.0.1:${port}`);
    source = createPrometheusSource({ url: prometheus.url, timeoutMs: 10_000 });
    sources = createSources([{ name: 'default', prometheus: { url: prometheus.url, timeoutMs: 10_000 } }]);
    await until('requests_total{color="green"}', ({ kind }) => kind === 'value');
  });

  after(async () => {
    await source?.close();
    await sources?.close();
    await prometheus?.stop();
    application?.close();
  });

  /** The test's own time-out ends it where it never comes to be. */
  async function until(query: string, holds: (sample: Sample) => boolean): Promise<Sample> {
    for (;;) {
      const sample = await source.query(query);
      if (holds(sample)) return sample;
      await sleep(50);
    }
  }

  const known: [string, string, number][] = [
    ['a good value', inColor('blue'), 0],
    ['a bad value', inColor('green'), 0.25],
    ['a scalar', '6 * 7', 42],
    ['+Inf, where only the divisor is zero', 'sum(requests_total) / vector(0)', Number.POSITIVE_INFINITY],
    ['a number of many series, aggregated', 'sum(many)', MANY],
  ];
  for (const [name, query, value] of known) {
    it(`answers with a number: ${name}`, async () => {
      expect(await source.query(query)).to.deep.equal({ kind: 'value', value });
    });
  }

  const unknowns: [string, string, Omit<Extract<Sample, { kind: 'unknown' }>, 'kind'>][] = [
    [
      'no traffic: 0/0',
      inColor('idle'),
      {
        reason: 'NotANumber',
        message: 'the query answers with NaN: 0/0, for example, where there is no traffic',
      },
    ],
    ['no data', 'no_such_metric', { reason: 'NoData', message: 'the query answers with no series' }],
    [
      'several series',
      'requests_total',
      {
        reason: 'SeveralSeries',
        message: 'the query answers with several series: aggregate them, for example with sum()',
      },
    ],
    [
      'so many series that they would not fit in 64 KiB',
      'many',
      {
        reason: 'SeveralSeries',
        message: 'the query answers with several series: aggregate them, for example with sum()',
      },
    ],
    [
      'a range',
      'requests_total[1m]',
      { reason: 'WrongType', message: 'the query answers with a matrix instead of one number' },
    ],
    [
      'a string',
      '"hello"',
      { reason: 'WrongType', message: 'the query answers with a string instead of one number' },
    ],
    [
      'a query that cannot be parsed',
      'sum(requests_total',
      {
        reason: 'InvalidQuery',
        message:
          'the metric source refuses the query: invalid parameter "query": 1:19: parse error: unclosed left parenthesis',
      },
    ],
    [
      'a query whose sides cannot be matched, without the customers it would name',
      'requests_total / on() errors_total',
      {
        reason: 'InvalidQuery',
        message: 'the metric source refuses the query: found duplicate series for the match group',
      },
    ],
  ];
  for (const [name, query, expected] of unknowns) {
    it(`does not know: ${name}`, async () => {
      expect(await source.query(query)).to.deep.equal({ kind: 'unknown', ...expected });
    });
  }

  it('believes a series that merely stopped for as long as the lookback says', async () => {
    const strict = createPrometheusSource({ url: prometheus.url, timeoutMs: 10_000, lookbackMs: 30_000 });
    expect(await source.query('pushed')).to.deep.equal({ kind: 'value', value: 7 });
    expect(await strict.query('pushed')).to.include({ kind: 'unknown', reason: 'NoData' });
    await strict.close();
  });

  it('judges a check: too few requests make even a bad ratio unknown', async () => {
    const check = {
      namespace: 'shop',
      source: 'default',
      query: inColor('green'),
      requestsQuery: 'sum(requests_total{color="green"})',
      max: '0.01',
      now: Date.now,
    };
    expect(await sources.measure({ ...check, minRequests: 100 })).to.include({
      verdict: 'Bad',
      reason: 'AboveMax',
      value: 0.25,
      message: '0.25 is above the maximum of 0.01',
    });
    expect(await sources.measure({ ...check, minRequests: 101 })).to.include({
      verdict: 'Unknown',
      reason: 'TooFewRequests',
      message: '100 requests so far, 101 are needed for a verdict',
    });
  });

  it('validates a query before a release depends on it', async () => {
    const question = { namespace: 'shop', source: 'default' };
    expect(await sources.validate({ ...question, query: inColor('green') })).to.deep.equal({ ok: true });
    expect(await sources.validate({ ...question, query: 'no_such_metric' })).to.deep.equal({ ok: true });
    expect(await sources.validate({ ...question, query: 'sum(' })).to.deep.equal({
      ok: false,
      message:
        'the metric source refuses the query: invalid parameter "query": 1:5: parse error: unclosed left parenthesis',
    });
  });

  describe('whose target is gone', () => {
    before(() => {
      application.closeAllConnections();
      application.close();
    });

    it('does not know at once: the failed scrape ends the series', async () => {
      const sample = await until('sum(requests_total{color="green"})', ({ kind }) => kind === 'unknown');
      expect(sample).to.deep.equal({
        kind: 'unknown',
        reason: 'NoData',
        message: 'the query answers with no series',
      });
    });

    it('goes on answering from what a range still holds: no answer shows that', async () => {
      expect(await source.query('max(max_over_time(requests_total{color="green"}[5m]))')).to.deep.equal({
        kind: 'value',
        value: 100,
      });
    });
  });

  describe('that is gone itself', () => {
    before(() => prometheus.stop());

    it('is unreachable, which is neither good nor bad', async () => {
      const check = { namespace: 'shop', source: 'default', query: '1', max: '0', now: () => 7 };
      expect(await sources.measure(check)).to.deep.equal({
        at: 7,
        verdict: 'Unknown',
        reason: 'SourceUnreachable',
        message: 'the metric source cannot be reached (ECONNREFUSED)',
      });
    });

    it('refuses no release', async () => {
      expect(await sources.validate({ namespace: 'shop', source: 'default', query: 'sum(' })).to.deep.equal({
        ok: 'unknown',
        message: 'the metric source cannot be reached (ECONNREFUSED)',
      });
    });
  });
});

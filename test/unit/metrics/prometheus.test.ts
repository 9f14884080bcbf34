import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect } from 'chai';
import type { Sample } from '../../../src/analysis/measurement.ts';
import { createPrometheusSource, type PrometheusSource } from '../../../src/metrics/prometheus.ts';
import {
  answer,
  type FakePrometheus,
  oneSeries,
  refusal,
  startFakePrometheus,
  success,
} from './fake-prometheus.ts';

const NOW = 1_800_000_000_000;
const NOW_S = NOW / 1000;

describe('a Prometheus source', () => {
  let server: FakePrometheus;
  let source: PrometheusSource;

  before(async () => {
    server = await startFakePrometheus();
    source = createPrometheusSource({ url: server.url, timeoutMs: 5000, now: () => NOW });
  });

  after(async () => {
    await source.close();
    await server.close();
  });

  describe('knows a number', () => {
    const numbers: [string, unknown, number][] = [
      ['of a single series', oneSeries(NOW_S, '0.25'), 0.25],
      ['in exponent form', oneSeries(NOW_S, '1e-05'), 0.00001],
      ['of a scalar', success('scalar', [NOW_S, '42']), 42],
      ['that is zero', oneSeries(NOW_S, '0'), 0],
      ['that is +Inf: above every max', oneSeries(NOW_S, '+Inf'), Number.POSITIVE_INFINITY],
      ['that is -Inf: below every min', oneSeries(NOW_S, '-Inf'), Number.NEGATIVE_INFINITY],
      ['as old as the limit of five minutes', oneSeries(NOW_S - 300, '1'), 1],
      ['from a server whose clock is ahead', oneSeries(NOW_S + 3600, '1'), 1],
    ];
    for (const [name, body, value] of numbers) {
      it(name, async () => {
        server.behave(answer(body));
        expect(await source.query('q')).to.deep.equal({ kind: 'value', value });
      });
    }
  });

  describe('names each way of not knowing', () => {
    const unknowns: [string, number, unknown, Omit<Extract<Sample, { kind: 'unknown' }>, 'kind'>][] = [
      [
        'an empty vector',
        200,
        success('vector', []),
        { reason: 'NoData', message: 'the query answers with no series' },
      ],
      [
        'NaN',
        200,
        oneSeries(NOW_S, 'NaN'),
        {
          reason: 'NotANumber',
          message: 'the query answers with NaN: 0/0, for example, where there is no traffic',
        },
      ],
      [
        'a scalar that is NaN',
        200,
        success('scalar', [NOW_S, 'NaN']),
        {
          reason: 'NotANumber',
          message: 'the query answers with NaN: 0/0, for example, where there is no traffic',
        },
      ],
      [
        'several series, without a word of their labels',
        200,
        success('vector', [
          { metric: { customer: 'alice' }, value: [NOW_S, '1'] },
          { metric: { customer: 'bob' }, value: [NOW_S, '2'] },
        ]),
        {
          reason: 'SeveralSeries',
          message: 'the query answers with several series: aggregate them, for example with sum()',
        },
      ],
      [
        'a matrix',
        200,
        success('matrix', [{ metric: {}, values: [[NOW_S, '1']] }]),
        { reason: 'WrongType', message: 'the query answers with a matrix instead of one number' },
      ],
      [
        'a string',
        200,
        success('string', [NOW_S, 'secret']),
        { reason: 'WrongType', message: 'the query answers with a string instead of one number' },
      ],
      [
        'a native histogram',
        200,
        success('vector', [{ metric: {}, histogram: [NOW_S, { count: '1', sum: '1' }] }]),
        { reason: 'WrongType', message: 'the query answers with a native histogram instead of one number' },
      ],
      [
        'an answer evaluated too long ago',
        200,
        oneSeries(NOW_S - 372, '1'),
        {
          reason: 'StaleSample',
          message:
            'the answer is 372 s old, the limit is 300 s: it comes from a cache, or the clock of the metric source is wrong',
        },
      ],
      [
        'a 500 of Prometheus, without its words',
        500,
        refusal('internal', 'open /data/wal: no space left'),
        { reason: 'SourceError', message: 'the metric source answered 500' },
      ],
      [
        'a 502 of a proxy, without its page',
        502,
        '<html>bad gateway</html>',
        { reason: 'SourceError', message: 'the metric source answered 502' },
      ],
      [
        'a 404: the url is not that of an API',
        404,
        'not found',
        { reason: 'SourceError', message: 'the metric source answered 404' },
      ],
      [
        'a 400 that no Prometheus wrote',
        400,
        '<html>bad request</html>',
        { reason: 'SourceError', message: 'the metric source answered 400' },
      ],
      [
        'unreadable JSON',
        200,
        '{"status": "succ',
        {
          reason: 'SourceError',
          message: 'the metric source answered with something that is not a Prometheus answer',
        },
      ],
      [
        'JSON of another kind',
        200,
        { status: 'success', data: { resultType: 'table' } },
        {
          reason: 'SourceError',
          message: 'the metric source answered with something that is not a Prometheus answer',
        },
      ],
      [
        'a value that is no number',
        200,
        oneSeries(NOW_S, ''),
        { reason: 'SourceError', message: 'the metric source answered with an unreadable number' },
      ],
      [
        'an evaluation that took too long',
        503,
        refusal('timeout', 'query timed out in expression evaluation'),
        { reason: 'SourceTimeout', message: 'the metric source could not evaluate the query in time' },
      ],
      [
        'a remote read that failed: not the fault of the query',
        422,
        refusal('execution', 'expanding series: Post "http://10.0.0.1/read": connection refused'),
        { reason: 'SourceError', message: 'the metric source answered 422' },
      ],
      [
        'a 401',
        401,
        'who are you',
        {
          reason: 'SourceDenied',
          message: "the metric source answered 401: it does not accept the operator's credentials",
        },
      ],
      [
        'a 403',
        403,
        refusal('bad_data', 'tenant alice may not'),
        {
          reason: 'SourceDenied',
          message: "the metric source answered 403: it does not accept the operator's credentials",
        },
      ],
      [
        'a query that cannot be parsed, in the words of Prometheus',
        400,
        refusal('bad_data', 'invalid parameter "query": 1:4: parse error: unclosed left parenthesis'),
        {
          reason: 'InvalidQuery',
          message:
            'the metric source refuses the query: invalid parameter "query": 1:4: parse error: unclosed left parenthesis',
        },
      ],
      [
        'a query that cannot be evaluated, without the series it names',
        422,
        refusal(
          'execution',
          'found duplicate series for the match group {customer="alice"} on the right hand-side: [{customer="bob"}]',
        ),
        {
          reason: 'InvalidQuery',
          message: 'the metric source refuses the query: found duplicate series for the match group',
        },
      ],
      [
        'a refusal without a word',
        422,
        refusal('', ''),
        { reason: 'InvalidQuery', message: 'the metric source refuses the query: it gives no reason' },
      ],
    ];
    for (const [name, status, body, expected] of unknowns) {
      it(name, async () => {
        server.behave(answer(body, status));
        expect(await source.query('q')).to.deep.equal({ kind: 'unknown', ...expected });
      });
    }

    it('a redirect, which is not followed', async () => {
      const before = server.requests.length;
      server.behave((response) => {
        response.writeHead(302, { location: `${server.url}/elsewhere` });
        response.end();
      });
      expect(await source.query('q')).to.deep.equal({
        kind: 'unknown',
        reason: 'SourceError',
        message: 'the metric source answered 302: redirects are not followed',
      });
      expect(server.requests.slice(before).map(({ path }) => path)).to.deep.equal(['/api/v1/query']);
    });

    it('an answer of more than 64 KiB', async () => {
      server.behave(
        answer(success('vector', [{ metric: { padding: 'x'.repeat(65_536) }, value: [NOW_S, '1'] }])),
      );
      expect(await source.query('q')).to.deep.equal({
        kind: 'unknown',
        reason: 'SourceError',
        message: 'the metric source answered with more than 64 KiB: aggregate the series',
      });
    });

    it('a server that never answers', async () => {
      server.behave(() => undefined);
      const hasty = createPrometheusSource({ url: server.url, timeoutMs: 50 });
      expect(await hasty.query('q')).to.deep.equal({
        kind: 'unknown',
        reason: 'SourceTimeout',
        message: 'the metric source did not answer within 0.05 s',
      });
      await hasty.close();
    });

    it('a server that begins an answer and never ends it', async () => {
      server.behave((response) => response.write('{"status":'));
      const hasty = createPrometheusSource({ url: server.url, timeoutMs: 50 });
      expect(await hasty.query('q')).to.include({ kind: 'unknown', reason: 'SourceTimeout' });
      await hasty.close();
    });

    it('a server that breaks off in the middle of an answer', async () => {
      server.behave((response, _seen, request) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{"status":');
        setImmediate(() => request.socket.destroy());
      });
      expect(await source.query('q')).to.include({ kind: 'unknown', reason: 'SourceUnreachable' });
    });

    it('a port where nothing listens', async () => {
      const closed = await startFakePrometheus();
      await closed.close();
      const lonely = createPrometheusSource({ url: closed.url, timeoutMs: 5000 });
      expect(await lonely.query('q')).to.deep.equal({
        kind: 'unknown',
        reason: 'SourceUnreachable',
        message: 'the metric source cannot be reached (ECONNREFUSED)',
      });
      await lonely.close();
    });

    it('a server that speaks another protocol', async () => {
      const other = createServer((socket) => socket.resume().end('220 smtp.example.org ready\r\n'));
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const { port } = other.address() as AddressInfo;
      const lost = createPrometheusSource({ url: `http://127.0.0.1:${port}`, timeoutMs: 5000 });
      expect(await lost.query('q')).to.deep.equal({
        kind: 'unknown',
        reason: 'SourceError',
        message: 'the metric source answered with something that is not HTTP',
      });
      await lost.close();
      await new Promise((resolve) => other.close(resolve));
    });

    it('credentials that cannot be read, without asking at all', async () => {
      const before = server.requests.length;
      const denied = createPrometheusSource({
        url: server.url,
        timeoutMs: 5000,
        headers: () => Promise.reject(new Error('ENOENT: /var/run/token')),
      });
      expect(await denied.query('q')).to.deep.equal({
        kind: 'unknown',
        reason: 'SourceDenied',
        message: "the metric source's credentials cannot be read: see the operator's config",
      });
      expect(server.requests).to.have.length(before);
      await denied.close();
    });
  });

  it('cuts the words of Prometheus, so that the message fits in a status of 256 characters', async () => {
    server.behave(answer(refusal('bad_data', `parse\nerror: ${'x'.repeat(1000)}`), 400));
    const sample = await source.query('q');
    expect(sample).to.deep.equal({
      kind: 'unknown',
      reason: 'InvalidQuery',
      message: `the metric source refuses the query: parse error: ${'x'.repeat(205)}…`,
    });
  });

  it('posts the query as a form, and tells the server its deadline and how many series are enough', async () => {
    server.behave(answer(oneSeries(NOW_S, '1')));
    await source.query('up{job="a"}');
    expect(server.requests.at(-1)).to.deep.include({
      method: 'POST',
      path: '/api/v1/query',
      form: { query: 'up{job="a"}', timeout: '5000ms', limit: '2' },
    });
  });

  it('keeps the path under which an API lives, shortens the lookback and sends its headers', async () => {
    server.behave(answer(oneSeries(NOW_S, '1')));
    const nested = createPrometheusSource({
      url: `${server.url}/prometheus`,
      timeoutMs: 2000,
      lookbackMs: 30_000,
      headers: () => Promise.resolve({ authorization: 'Bearer abc' }),
    });
    await nested.query('up');
    expect(server.requests.at(-1)).to.deep.include({
      path: '/prometheus/api/v1/query',
      authorization: 'Bearer abc',
      form: { query: 'up', timeout: '2000ms', limit: '2', lookback_delta: '30000ms' },
    });
    await nested.close();
  });

  it('throws the reason of the signal when it is aborted, before and while it asks', async () => {
    const reason = new Error('the release was deleted');
    const thrown = async (signal: AbortSignal): Promise<unknown> => source.query('q', signal).catch((e) => e);
    expect(await thrown(AbortSignal.abort(reason))).to.equal(reason);
    const controller = new AbortController();
    server.behave(() => controller.abort(reason));
    expect(await thrown(controller.signal)).to.equal(reason);
  });
});

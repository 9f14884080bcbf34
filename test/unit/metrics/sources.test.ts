import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createSources, type Sources } from '../../../src/metrics/sources.ts';
import {
  answer,
  type FakePrometheus,
  oneSeries,
  refusal,
  startFakePrometheus,
  success,
} from './fake-prometheus.ts';

const nowSeconds = (): number => Date.now() / 1000;
const AT = 1_800_000_000_000;

describe('the metric sources of the config', () => {
  let server: FakePrometheus;
  let sources: Sources;
  const base = { namespace: 'shop', source: 'default', now: () => AT };

  /** Answers each query with what the map says; a value is a number of one series. */
  const answers = (values: Record<string, string>): void =>
    server.behave((response, seen, request) => {
      const value = values[seen.form.query ?? ''];
      const body = value === undefined ? success('vector', []) : oneSeries(nowSeconds(), value);
      answer(body)(response, seen, request);
    });

  before(async () => {
    server = await startFakePrometheus();
    const prometheus = { url: server.url, timeoutMs: 5000 };
    sources = createSources([
      { name: 'default', prometheus },
      { name: 'payments', prometheus, namespaces: ['bank', 'till'] },
    ]);
  });

  after(async () => {
    await sources.close();
    await server.close();
  });

  describe('measure', () => {
    it('a good value', async () => {
      answers({ errors: '0.001' });
      expect(await sources.measure({ ...base, query: 'errors', max: '0.01' })).to.deep.equal({
        at: AT,
        verdict: 'Good',
        reason: 'WithinBounds',
        value: 0.001,
        message: '0.001 is within bounds',
      });
    });

    it('a bad value', async () => {
      answers({ errors: '0.2' });
      expect(await sources.measure({ ...base, query: 'errors', max: '0.01' })).to.include({
        verdict: 'Bad',
        message: '0.2 is above the maximum of 0.01',
      });
    });

    it('+Inf as above every maximum', async () => {
      answers({ errors: '+Inf' });
      expect(await sources.measure({ ...base, query: 'errors', max: '0.01' })).to.include({
        verdict: 'Bad',
        reason: 'AboveMax',
        message: 'Infinity is above the maximum of 0.01',
      });
    });

    it('too few requests as unknown, however bad the value looks', async () => {
      answers({ errors: '1', requests: '7' });
      const request = { ...base, query: 'errors', requestsQuery: 'requests', minRequests: 100, max: '0.01' };
      expect(await sources.measure(request)).to.deep.equal({
        at: AT,
        verdict: 'Unknown',
        reason: 'TooFewRequests',
        message: '7 requests so far, 100 are needed for a verdict',
      });
    });

    it('enough requests as a verdict', async () => {
      answers({ errors: '1', requests: '100' });
      const request = { ...base, query: 'errors', requestsQuery: 'requests', minRequests: 100, max: '0.01' };
      expect(await sources.measure(request)).to.include({ verdict: 'Bad', reason: 'AboveMax' });
    });

    it('an unknown number of requests as unknown, saying which query it was', async () => {
      answers({ errors: '0' });
      const request = { ...base, query: 'errors', requestsQuery: 'requests', minRequests: 100, max: '0.01' };
      expect(await sources.measure(request)).to.deep.equal({
        at: AT,
        verdict: 'Unknown',
        reason: 'NoData',
        message: 'requestsQuery: the query answers with no series',
      });
    });

    it('a source that nobody has named as unknown, without asking anyone', async () => {
      const before = server.requests.length;
      expect(await sources.measure({ ...base, source: 'defualt', query: 'errors', max: '1' })).to.deep.equal({
        at: AT,
        verdict: 'Unknown',
        reason: 'UnknownSource',
        message:
          'metric source "defualt" is not known in namespace "shop": the administrator names sources in the operator\'s config',
      });
      expect(server.requests).to.have.length(before);
    });

    it('a source of other namespaces the same way, as if it did not exist', async () => {
      answers({ errors: '0' });
      const request = { ...base, source: 'payments', query: 'errors', max: '1' };
      expect(await sources.measure(request)).to.include({
        reason: 'UnknownSource',
        message:
          'metric source "payments" is not known in namespace "shop": the administrator names sources in the operator\'s config',
      });
      expect(await sources.measure({ ...request, namespace: 'till' })).to.include({ verdict: 'Good' });
    });

    it('nothing when its signal is aborted', async () => {
      const reason = new Error('stopped');
      const thrown = await sources
        .measure({ ...base, query: 'errors', max: '1' }, AbortSignal.abort(reason))
        .catch((error: unknown) => error);
      expect(thrown).to.equal(reason);
    });
  });

  describe('validate', () => {
    const question = { namespace: 'shop', source: 'default', query: 'q' };

    const verdicts: [string, unknown, number, unknown][] = [
      ['accepts a number', oneSeries(AT, '1'), 200, { ok: true }],
      ['accepts no data: the candidate has had no traffic yet', success('vector', []), 200, { ok: true }],
      ['accepts NaN', oneSeries(AT, 'NaN'), 200, { ok: true }],
      [
        'refuses what cannot be parsed',
        refusal('bad_data', 'invalid parameter "query": 1:2: parse error: unexpected end of input'),
        400,
        {
          ok: false,
          message:
            'the metric source refuses the query: invalid parameter "query": 1:2: parse error: unexpected end of input',
        },
      ],
      [
        'refuses a range',
        success('matrix', []),
        200,
        { ok: false, message: 'the query answers with a matrix instead of one number' },
      ],
      [
        'does not know when the source is ill',
        'ill',
        503,
        { ok: 'unknown', message: 'the metric source answered 503' },
      ],
      [
        'does not know when the source denies',
        '',
        401,
        {
          ok: 'unknown',
          message: "the metric source answered 401: it does not accept the operator's credentials",
        },
      ],
    ];
    for (const [name, body, status, expected] of verdicts) {
      it(name, async () => {
        server.behave(answer(body, status));
        expect(await sources.validate(question)).to.deep.equal(expected);
      });
    }

    it('refuses a source that nobody has named', async () => {
      expect(await sources.validate({ ...question, source: 'nobody' })).to.deep.equal({
        ok: false,
        message:
          'metric source "nobody" is not known in namespace "shop": the administrator names sources in the operator\'s config',
      });
    });
  });

  it('reads the bearer token anew for each query, because tokens are rotated', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'token-'));
    const bearerTokenFile = join(directory, 'token');
    const own = createSources([
      { name: 'default', prometheus: { url: server.url, timeoutMs: 5000, bearerTokenFile } },
    ]);
    answers({ q: '1' });
    await writeFile(bearerTokenFile, 'first\n');
    await own.measure({ ...base, query: 'q', max: '1' });
    expect(server.requests.at(-1)?.authorization).to.equal('Bearer first');
    await writeFile(bearerTokenFile, 'second\n');
    await own.measure({ ...base, query: 'q', max: '1' });
    expect(server.requests.at(-1)?.authorization).to.equal('Bearer second');
    await rm(directory, { recursive: true });
    expect(await own.measure({ ...base, query: 'q', max: '1' })).to.include({ reason: 'SourceDenied' });
    await own.close();
  });

  it('takes another config while it runs', async () => {
    const own = createSources([]);
    answers({ q: '1' });
    const request = { ...base, query: 'q', max: '1' };
    expect(await own.measure(request)).to.include({ reason: 'UnknownSource' });
    own.update([{ name: 'default', prometheus: { url: server.url, timeoutMs: 5000 } }]);
    expect(await own.measure(request)).to.include({ verdict: 'Good' });
    await own.close();
  });
});

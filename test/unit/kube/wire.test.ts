import { expect } from 'chai';
import fc from 'fast-check';
import { fullJitter } from '../../../src/kube/backoff.ts';
import { createGate } from '../../../src/kube/gate.ts';
import { createHeap } from '../../../src/kube/heap.ts';
import { createRateLimiter } from '../../../src/kube/ratelimit.ts';
import {
  isRepeatablePatch,
  networkErrorCode,
  parseRetryAfterMs,
  retryDelayMs,
  wasSent,
} from '../../../src/kube/retry.ts';
import { microTime, SERVICES } from '../../../src/kube/types.ts';
import { createLineSplitter, decodeEvent } from '../../../src/kube/watch-stream.ts';
import { settle, virtualClock } from './support.ts';

describe('the lines of a watch', () => {
  it('are the same, however the stream is cut, inside characters too', () => {
    const line = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !text.includes('\n'));
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat({ max: 40 })), (lines, cuts) => {
        const splitter = createLineSplitter();
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''), 'utf8');
        const seen: string[] = [];
        let at = 0;
        for (const cut of cuts) {
          seen.push(...splitter.push(bytes.subarray(at, at + cut)));
          at += cut;
        }
        seen.push(...splitter.push(bytes.subarray(at)));
        expect(seen).to.deep.equal(lines.filter((text) => text !== ''));
        expect(splitter.rest).to.equal(0);
      }),
    );
  });

  it('end somewhere: what never does is no API server', () => {
    const splitter = createLineSplitter();
    const chunk = new Uint8Array(9 * 1024 * 1024).fill(120);
    splitter.push(chunk);
    expect(() => splitter.push(chunk)).to.throw('a watch event longer than 16777216 bytes');
  });

  it('are skipped where their type is not known, and refused where they are no JSON', () => {
    const decode = (line: string) => decodeEvent(line, SERVICES, 'watch services');
    expect(decode('{"type":"FUTURE","object":{"metadata":{}}}')).to.equal(undefined);
    expect(() => decode('<html>')).to.throw('watch services: an event that is no JSON');
    expect(() => decode('{"type":"ERROR","object":{"kind":"Status","code":500,"message":"etcd"}}')).to.throw(
      'watch services: etcd',
    );
  });
});

describe('the rules of trying again', () => {
  const random = (): number => 1;

  for (const [what, expected, repeatable] of [
    [{ kind: 'lost', sent: true }, 100, true],
    [{ kind: 'lost', sent: true }, undefined, false],
    [{ kind: 'lost', sent: false }, 100, false],
    [{ kind: 'answer', status: 200 }, undefined, true],
    [{ kind: 'answer', status: 409 }, undefined, true],
    [{ kind: 'answer', status: 500 }, 100, true],
    [{ kind: 'answer', status: 503 }, undefined, false],
    [{ kind: 'answer', status: 503, retryAfterMs: 2_000 }, 2_200, true],
    [{ kind: 'answer', status: 429, retryAfterMs: 1_000 }, 1_100, false],
    [{ kind: 'answer', status: 429 }, 1_100, false],
  ] as const) {
    it(`${JSON.stringify(what)}, ${repeatable ? '' : 'not '}repeatable: ${expected ?? 'final'}`, () => {
      const delay = retryDelayMs(what, 1, repeatable, random);
      expect(delay === undefined ? undefined : Math.round(delay)).to.equal(expected);
    });
  }

  it('end after six tries, but for a 429', () => {
    expect(retryDelayMs({ kind: 'lost', sent: false }, 6, true, random)).to.equal(undefined);
    expect(retryDelayMs({ kind: 'answer', status: 500 }, 6, true, random)).to.equal(undefined);
    expect(retryDelayMs({ kind: 'answer', status: 429 }, 60, true, random)).to.not.equal(undefined);
  });

  it('read Retry-After as seconds or as a date', () => {
    const now = Date.parse('2030-01-01T00:00:00Z');
    expect(parseRetryAfterMs('3', now)).to.equal(3_000);
    expect(parseRetryAfterMs('Tue, 01 Jan 2030 00:00:05 GMT', now)).to.equal(5_000);
    expect(parseRetryAfterMs('Tue, 01 Jan 2019 00:00:05 GMT', now)).to.equal(0);
    for (const nothing of [undefined, '', 'soon'])
      expect(parseRetryAfterMs(nothing, now)).to.equal(undefined);
  });

  it('repeat a patch that states what it expects, or a whole intent', () => {
    const body = { metadata: { name: 'a', resourceVersion: '7' } };
    const cases = [
      [
        isRepeatablePatch({ type: 'json', operations: [{ op: 'test', path: '/a', value: 1 }] }, undefined),
        true,
      ],
      [isRepeatablePatch({ type: 'json', operations: [{ op: 'remove', path: '/a' }] }, undefined), false],
      [isRepeatablePatch({ type: 'merge', body: {} }, undefined), false],
      [isRepeatablePatch({ type: 'merge', body: null }, undefined), false],
      [isRepeatablePatch({ type: 'merge', body }, undefined), true],
      [isRepeatablePatch({ type: 'merge', body: {} }, 'status'), true],
      [isRepeatablePatch({ type: 'merge', body: {} }, 'scale'), false],
      [isRepeatablePatch({ type: 'apply', body, fieldManager: 'me' }, undefined), true],
    ];
    for (const [index, [actual, expected]] of cases.entries())
      expect(actual, String(index)).to.equal(expected);
  });

  it('know what was never sent', () => {
    const refused = Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
    expect(networkErrorCode(new AggregateError([refused]))).to.equal('ECONNREFUSED');
    expect(networkErrorCode(new TypeError('fetch failed', { cause: refused }))).to.equal('ECONNREFUSED');
    expect(networkErrorCode('a string')).to.equal('unknown');
    for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'UND_ERR_CONNECT_TIMEOUT', 'CERT_HAS_EXPIRED']) {
      expect(wasSent(code), code).to.equal(false);
    }
    for (const code of ['ECONNRESET', 'UND_ERR_SOCKET', 'unknown'])
      expect(wasSent(code), code).to.equal(true);
  });

  it('wait anything from nothing to a ceiling that doubles', () => {
    const options = { baseMs: 100, maxMs: 1_000 };
    expect([1, 2, 3, 4, 5, 5_000].map((failures) => fullJitter(options, failures, () => 1))).to.deep.equal([
      100, 200, 400, 800, 1_000, 1_000,
    ]);
    expect(fullJitter(options, 4, () => 0)).to.equal(0);
  });
});

describe('a rate limiter', () => {
  it('lets a burst go, then as many as its rate, in order', async () => {
    const clock = virtualClock();
    const limiter = createRateLimiter({ perSecond: 10, burst: 3 }, clock);
    const gone: number[] = [];
    for (let index = 0; index < 6; index += 1) {
      void limiter.take(60_000).then(() => gone.push(index));
    }
    await settle();
    expect(gone).to.deep.equal([0, 1, 2]);
    await clock.advance(100);
    expect(gone).to.deep.equal([0, 1, 2, 3]);
    await clock.advance(200);
    expect(gone).to.deep.equal([0, 1, 2, 3, 4, 5]);
  });

  it('takes no token from who cannot wait', async () => {
    const clock = virtualClock();
    const limiter = createRateLimiter({ perSecond: 1, burst: 1 }, clock);
    expect(limiter.tryTake()).to.equal(true);
    expect(limiter.tryTake()).to.equal(false);
    expect(await limiter.take(999)).to.equal(false);
    await clock.advance(1_000);
    expect(limiter.tryTake()).to.equal(true);
  });

  it('never saves up more than its burst', async () => {
    const clock = virtualClock();
    const limiter = createRateLimiter({ perSecond: 10, burst: 2 }, clock);
    await clock.advance(3_600_000);
    expect([limiter.tryTake(), limiter.tryTake(), limiter.tryTake()]).to.deep.equal([true, true, false]);
  });
});

describe('a gate', () => {
  it('lets in as many as it should, in order, and lets those go who give up', async () => {
    const gate = createGate(1);
    const never = new AbortController().signal;
    const leaving = new AbortController();
    const order: string[] = [];
    const enter = (name: string, signal = never): void => {
      void gate.enter(signal).then((inside) => order.push(`${name} ${inside}`));
    };
    enter('a');
    enter('b', leaving.signal);
    enter('c');
    await settle();
    leaving.abort();
    enter('late', leaving.signal);
    await settle();
    expect(order).to.deep.equal(['a true', 'b false', 'late false']);
    gate.leave();
    await settle();
    expect(order.at(-1)).to.equal('c true');
    gate.leave();
    enter('d');
    await settle();
    expect(order.at(-1)).to.equal('d true');
  });
});

describe('a heap', () => {
  it('gives the smallest first', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (numbers) => {
        const heap = createHeap<number>((a, b) => a < b);
        for (const number of numbers) heap.push(number);
        const out: number[] = [];
        while (heap.size > 0) out.push(heap.pop()!);
        expect(out).to.deep.equal([...numbers].sort((a, b) => a - b));
        expect(heap.pop()).to.equal(undefined);
      }),
    );
  });
});

describe('a time in a Lease or an Event', () => {
  it('has exactly six fractional digits', () => {
    expect(microTime(0)).to.equal('1970-01-01T00:00:00.000000Z');
    expect(microTime(Date.UTC(2030, 0, 1) + 7)).to.equal('2030-01-01T00:00:00.007000Z');
  });
});

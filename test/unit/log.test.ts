import { Writable } from 'node:stream';
import { expect } from 'chai';
import fc from 'fast-check';
import { type ChildLogger, createLogger } from '../../src/log.ts';
import type { LogLevel } from '../../src/options.ts';

/** A logger and the lines that it has written. */
function capture(level: LogLevel = 'debug'): { log: ChildLogger; lines: string[] } {
  const lines: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      lines.push(chunk);
      done();
    },
  });
  return { log: createLogger({ level, stream, now: () => 1_800_000_000_000 }), lines };
}

function fieldsOf(fields: Record<string, unknown>): Record<string, unknown> {
  const { log, lines } = capture();
  log.info('m', fields);
  const { time: _time, level: _level, message: _message, ...rest } = JSON.parse(lines[0] ?? '');
  return rest;
}

describe('the log', () => {
  it('is one JSON object a line: time, level and message first', () => {
    const { log, lines } = capture();
    log.warn('the switch went back', { release: 'shop/checkout', seconds: 1.5 });
    expect(lines).to.deep.equal([
      '{"time":"2027-01-15T08:00:00.000Z","level":"warn","message":"the switch went back","release":"shop/checkout","seconds":1.5}\n',
    ]);
  });

  it('says nothing below its level', () => {
    const { log, lines } = capture('warn');
    log.debug('a');
    log.info('b');
    log.warn('c');
    log.error('d');
    expect(lines.map((line) => JSON.parse(line).message)).to.deep.equal(['c', 'd']);
  });

  it('carries the fields of each parent, the nearest first', () => {
    const { log, lines } = capture();
    log.child({ release: 'checkout', id: 1 }).child({ id: 2 }).info('m', { revision: 'r3' });
    expect(JSON.parse(lines[0] ?? '')).to.include({ release: 'checkout', id: 2, revision: 'r3' });
  });

  it('lets no field take the place of its own', () => {
    const { log, lines } = capture();
    log.info('what happened', { message: 'forged', level: 'debug', time: 'never' });
    expect(JSON.parse(lines[0] ?? '')).to.deep.equal({
      time: '2027-01-15T08:00:00.000Z',
      level: 'info',
      message: 'what happened',
    });
  });

  it('stays one line, whatever stands in a message', () => {
    const { log, lines } = capture();
    log.info('first\n{"level":"error"}');
    expect(lines).to.have.length(1);
    expect(lines[0]?.trimEnd()).to.not.include('\n');
  });

  it('drops what is named like a credential, at any depth', () => {
    expect(
      fieldsOf({
        token: 'x',
        bearerToken: 'x',
        Password: 'x',
        clientSecret: 'x',
        authorization: 'x',
        request: { headers: [{ Authorization: 'x', host: 'h' }], api_key: 'x' },
      }),
    ).to.deep.equal({ request: { headers: [{ host: 'h' }] } });
  });

  it('makes an error its message and that of its cause, and nothing that hangs on it', () => {
    const error = Object.assign(new Error('cannot list', { cause: new Error('connection reset') }), {
      body: 'secret body',
      headers: { cookie: 'x' },
    });
    expect(fieldsOf({ error, nested: { error } })).to.deep.equal({
      error: 'cannot list: connection reset',
      nested: { error: 'cannot list: connection reset' },
    });
  });

  it('cuts the body and the headers that generated clients append to their messages', () => {
    const error = new Error(
      'HTTP-Code: 403\nMessage: Forbidden\nBody: {"token":"x"}\nHeaders: {"cookie":"x"}',
    );
    expect(fieldsOf({ error })).to.deep.equal({ error: 'HTTP-Code: 403 Message: Forbidden' });
  });

  it('names an error without a message', () => {
    expect(fieldsOf({ error: new TypeError('') })).to.deep.equal({ error: 'TypeError' });
  });

  it('cuts what is too long, and writes what JSON cannot', () => {
    const cycle: Record<string, unknown> = {};
    cycle.cycle = cycle;
    expect(fieldsOf({ long: 'x'.repeat(5000), big: 10n, at: new Date(0), cycle })).to.deep.equal({
      long: `${'x'.repeat(1023)}…`,
      big: '10',
      at: '1970-01-01T00:00:00.000Z',
      cycle: { cycle: { cycle: { cycle: { cycle: '…' } } } },
    });
  });

  it('never throws and always writes one JSON object, whatever the fields are', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.anything({ withBigInt: true, withDate: true })), (fields) => {
        const { log, lines } = capture();
        log.error('m', fields);
        expect(lines).to.have.length(1);
        expect(JSON.parse(lines[0] ?? '')).to.include({ level: 'error', message: 'm' });
      }),
    );
  });
});

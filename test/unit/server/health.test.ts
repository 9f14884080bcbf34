import { expect } from 'chai';
import {
  eventLoopCheck,
  healthHandler,
  startLoopDelay,
  type WatchView,
  watchesCheck,
} from '../../../src/server/health.ts';

const NANOSECONDS_PER_MS = 1e6;

describe('the health of the process', () => {
  it('is 200 while every check holds', async () => {
    expect(await healthHandler([])()).to.include({ status: 200, body: 'ok\n' });
    expect(await healthHandler([() => ({ ok: true, message: 'fine' })])()).to.include({
      status: 200,
      body: 'ok\n',
    });
  });

  it('is 503 with a line for each check that does not', async () => {
    const handler = healthHandler([
      () => ({ ok: false, message: 'the cache of pods is not synced' }),
      () => ({ ok: true, message: 'fine' }),
      () => {
        throw new Error('secret');
      },
    ]);
    expect(await handler()).to.include({
      status: 503,
      body: 'the cache of pods is not synced\na health check failed\n',
    });
  });

  it('is asked anew each time', async () => {
    let synced = false;
    const handler = healthHandler([() => ({ ok: synced, message: 'not synced' })]);
    expect(await handler()).to.include({ status: 503 });
    synced = true;
    expect(await handler()).to.include({ status: 200 });
  });

  describe('the event loop', () => {
    const check = (meanMs: number): ReturnType<ReturnType<typeof eventLoopCheck>> =>
      eventLoopCheck({ mean: meanMs * NANOSECONDS_PER_MS, reset: () => undefined })();

    it('is alive when it is a little behind', () => {
      expect(check(100)).to.deep.equal({ ok: true, message: 'the event loop is alive' });
      expect(check(1100)).to.include({ ok: true });
    });

    it('is not when it is more than a second behind, on average', () => {
      expect(check(2600)).to.deep.equal({ ok: false, message: 'the event loop is 2.5 s behind' });
    });

    it('is alive before anything was measured', () => {
      expect(check(Number.NaN)).to.include({ ok: true });
    });

    it('counts since the last look alone', () => {
      let resets = 0;
      const look = eventLoopCheck({
        mean: 0,
        reset() {
          resets += 1;
        },
      });
      look();
      look();
      expect(resets).to.equal(2);
    });

    it('is measured by Node itself', () => {
      expect(eventLoopCheck(startLoopDelay())()).to.include({ ok: true });
    });
  });

  describe('the watches', () => {
    const pods = (lastContactMs: number | undefined): WatchView => ({
      type: { plural: 'pods' },
      lastContactMs,
    });
    const services = (lastContactMs: number | undefined): WatchView => ({
      type: { plural: 'services' },
      lastContactMs,
    });
    const table: [string, WatchView[], boolean, string][] = [
      ['none yet', [], true, 'the watches are alive'],
      ['none has heard anything yet', [pods(undefined), services(undefined)], true, 'the watches are alive'],
      ['one has not begun', [pods(900_000), services(undefined)], true, 'the watches are alive'],
      ['all heard lately', [pods(900_000), services(850_000)], true, 'the watches are alive'],
      [
        'all silent alike: the API server is down',
        [pods(1000), services(2000)],
        true,
        'the watches are alive',
      ],
      ['at the limit', [pods(300_000), services(0)], true, 'the watches are alive'],
      ['one silent', [pods(900_000), services(0)], false, 'the watch of services has been silent for 900 s'],
    ];
    for (const [name, watches, ok, message] of table) {
      it(`${name}: ${message}`, () => {
        expect(watchesCheck(() => watches)()).to.deep.equal({ ok, message });
      });
    }
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { failedOf } from '../demo/traffic.ts';
import { crash } from './processes.ts';
import { observationOf, PATIENCE_MS } from './shop.ts';
import { useShop } from './story.ts';
import { describeFailures, tell } from './verdict.ts';

describe('A new side that loses all its ready pods while it is watched', function () {
  this.timeout(2 * PATIENCE_MS);
  const shop = useShop('story-rescue');
  let madeIllAt = 0;

  it('has the traffic at first', async () => {
    await shop().open();
    await shop().adopt({ observation: observationOf(60) });
    await shop().setVersion('v2');
    await shop().reaches('Observing', 'r2');
    await shop().serveFor(2);
    expect(Object.keys(shop().load.rows.at(-1)?.answers.new ?? {})).to.deep.equal(['v2']);
  });

  it('loses it to the old side, and is rejected', async () => {
    madeIllAt = Date.now();
    await shop().steerAll('green', 'unready');
    const { rejected = [] } = await shop().ends('r2', 'RolledBack');
    expect(rejected.map(({ reason, message }) => `${reason}: ${message}`)).to.deep.equal([
      'NoReadyEndpoints: no green pod (revision r2) is ready',
    ]);
    expect(shop().switches().at(-1)).to.deep.include({
      color: 'blue',
      mark: { revision: 'r1', attempt: 2, direction: 'Back' },
    });
  });

  it('is not waited for: not one of its pods has become ready again, and nothing was done to it beforehand', async () => {
    const green = await shop().json('deployment', 'shop-green');
    expect(green.status.readyReplicas ?? 0).to.equal(0);
    // What the operator says of itself is no step on the way.
    const steps = shop()
      .writes()
      .filter(({ at, resource }) => at > madeIllAt && resource !== 'bluegreenreleases/status');
    expect(`${steps[0]?.verb} ${steps[0]?.resource} ${steps[0]?.name}`).to.equal('patch services shop');
  });

  it('leaves behind a service that answers each request', async () => {
    await shop().serveFor(5);
    const well = shop().load.rows.slice(-3);
    const result = await shop().close();
    const story = describeFailures(shop(), result);
    expect(well.map(failedOf), story).to.deep.equal([0, 0, 0]);
    expect(well.map(({ answers }) => Object.keys(answers.new))).to.deep.equal([['v1'], ['v1'], ['v1']]);
    const { firstErrorAt = madeIllAt, lastErrorAt = madeIllAt } = result.totals;
    expect(firstErrorAt, story).to.be.at.least(madeIllAt);
    tell(shop(), result, `; without service for ${Math.round(lastErrorAt - firstErrorAt)} ms`);
  });
});

describe('A new side whose pods crash again and again while it is watched', function () {
  this.timeout(2 * PATIENCE_MS);
  const shop = useShop('story-crash');
  let crashing = false;

  after(() => {
    crashing = false;
  });

  it('loses the traffic to the old side', async () => {
    await shop().open();
    await shop().adopt({ observation: observationOf(60) });
    await shop().setVersion('v2');
    await shop().reaches('Observing', 'r2');
    crashing = true;
    const crashes = crashAll();
    const { rejected = [] } = await shop().ends('r2', 'RolledBack');
    crashing = false;
    await crashes;
    expect(rejected.map(({ revision, reason }) => `${revision} ${reason}`)).to.deep.equal([
      'r2 NoReadyEndpoints',
    ]);
  });

  it('costs the requests that were on their way to it, and not one after the traffic is back', async () => {
    await shop().serveFor(5);
    const well = shop().load.rows.slice(-3);
    const result = await shop().close();
    expect(well.map(failedOf), describeFailures(shop(), result)).to.deep.equal([0, 0, 0]);
    expect(failedOf(result.totals), 'requests that failed while there was no pod').to.be.greaterThan(0);
    const { firstErrorAt = 0, lastErrorAt = 0 } = result.totals;
    tell(shop(), result, `; without service for ${Math.round(lastErrorAt - firstErrorAt)} ms`);
  });

  async function crashAll(): Promise<void> {
    const uids = (await shop().pods('green')).map(({ metadata }) => metadata.uid);
    while (crashing) {
      for (const uid of uids) crash(uid, 'app.mjs');
      await sleep(100);
    }
  }
});

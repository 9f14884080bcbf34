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
  let crashing = false;

  after(() => {
    crashing = false;
  });

  it('loses the traffic to the old side, and is rejected', async () => {
    await shop().open();
    await shop().adopt({ observation: observationOf(60) });
    await drainFor(300);
    await release('v2', 'r2');
    madeIllAt = Date.now();
    await shop().steerAll('green', 'unready');
    const { rejected = [] } = await shop().ends('r2', 'RolledBack');
    expect(rejected.map(({ reason, message }) => `${reason}: ${message}`)).to.deep.equal([
      'NoReadyEndpoints: no green pod (revision r2) is ready',
    ]);
    expect(lastMove()).to.equal('Back to blue (r1), attempt 2');
  });

  it('is not waited for: none of its pods is ready again, and nothing was done to it beforehand', async () => {
    const green = await shop().json('deployment', 'shop-green');
    expect(green.status.readyReplicas ?? 0).to.equal(0);
    expect(firstStepAfter(madeIllAt)).to.equal('patch services shop');
  });

  it('leaves behind a service that answers each request', async () => {
    await expectServedBy('v1');
  });

  it('is gone back from as well when its pods crash, and costs only the requests that were on their way', async () => {
    await release('v3', 'r3');
    const crashedAt = Date.now();
    crashing = true;
    const crashes = crashAll();
    const { rejected = [] } = await shop().ends('r3', 'RolledBack');
    crashing = false;
    await crashes;
    expect(rejected.at(-1)).to.include({ revision: 'r3', reason: 'NoReadyEndpoints' });
    expect(lastMove()).to.equal('Back to blue (r1), attempt 3');
    expect(firstStepAfter(crashedAt)).to.equal('patch services shop');
    await expectServedBy('v1');
  });

  it('has cost requests only while it was ill', async () => {
    await drainFor(5);
    const result = await shop().close();
    const { firstErrorAt = 0, lastErrorAt = 0 } = result.totals;
    expect(failedOf(result.totals), 'requests that met the crash').to.be.greaterThan(0);
    expect(firstErrorAt, describeFailures(shop(), result)).to.be.greaterThan(madeIllAt);
    const patchedAt = shop().switches().at(-1)?.patchedAt ?? 0;
    const ms = (from: number, to: number): string => `${Math.round(to - from)} ms`;
    const times = `rollback ${ms(firstErrorAt, patchedAt)} after the first error, last error ${ms(patchedAt, lastErrorAt)} after the rollback`;
    tell(shop(), result, `; ${times}`);
  });

  /** That pods of the old side are replaced is a step too, and none of this story: it is put off until the story is over. */
  async function drainFor(drainSeconds: number): Promise<void> {
    const { stage, namespace } = shop();
    const patch = JSON.stringify({ spec: { traffic: { drainSeconds } } });
    await stage.target.kubectl(['patch', 'bgr', 'shop', '-n', namespace, '--type=merge', '-p', patch]);
  }

  async function release(version: string, revision: string): Promise<void> {
    await shop().setVersion(version);
    await shop().reaches('Observing', revision);
    await shop().servedBy(version);
  }

  async function expectServedBy(version: string): Promise<void> {
    await shop().servedBy(version);
    // A request that was sent before the last proxy followed fails when its time-out of 2 seconds is over.
    await shop().serveFor(8);
    const rows = shop().load.rows.slice(-3);
    expect(rows.map(failedOf)).to.deep.equal([0, 0, 0]);
    expect(new Set(rows.flatMap(({ answers }) => Object.keys(answers.new)))).to.deep.equal(
      new Set([version]),
    );
  }

  function lastMove(): string {
    const { mark, color } = shop().switches().at(-1) ?? {};
    return `${mark?.direction} to ${color} (${mark?.revision}), attempt ${mark?.attempt}`;
  }

  /** What the operator says of itself is no step. */
  function firstStepAfter(at: number): string {
    const steps = shop()
      .writes()
      .filter((write) => write.at > at && write.resource !== 'bluegreenreleases/status');
    return `${steps[0]?.verb} ${steps[0]?.resource} ${steps[0]?.name}`;
  }

  async function crashAll(): Promise<void> {
    const uids = (await shop().pods('green')).map(({ metadata }) => metadata.uid);
    while (crashing) {
      for (const uid of uids) crash(uid, 'app.mjs');
      await sleep(100);
    }
  }
});

import { expect } from 'chai';
import { serverErrorsOf } from '../demo/traffic.ts';
import { aloneSince } from '../support/endpoints.ts';
import { PATIENCE_MS } from './shop.ts';
import { useShop } from './story.ts';
import { expectNoFailure } from './verdict.ts';

describe('A running application under load', function () {
  this.timeout(2 * PATIENCE_MS);
  const shop = useShop('story-release');

  it('is adopted: the colour serves alone, and the Deployment that people edit is at 0', async () => {
    await shop().open();
    await shop().adopt();
    const source = await shop().json('deployment', 'shop');
    expect(source.spec.replicas).to.equal(0);
    expect(shop().status.active).to.include({ color: 'blue', revision: 'r1', ready: 3 });
    expect(selectorMoves()).to.deep.equal(['Forward to blue (r1)']);
  });

  it('is released to v2, and watched only when the endpoints have proved the switch', async () => {
    await shop().setVersion('v2');
    const { switch: switched, checks = [] } = await shop().ends('r2', 'Committed');
    const convergedAt = Date.parse(switched?.convergedAt ?? '');
    const patch = shop().switches().at(-1);
    expect(patch?.mark).to.deep.equal({ revision: 'r2', attempt: 2, direction: 'Forward' });
    expect(convergedAt).to.be.greaterThan(patch?.decidedAt ?? Number.NaN);
    const measuredAt = checks.flatMap(({ measurements = [] }) =>
      measurements.map(({ at }) => Date.parse(at)),
    );
    expect(Math.min(...measuredAt)).to.be.greaterThan(convergedAt);
    expect(aloneSince(shop().endpoints, 'shop-green', patch?.decidedAt ?? 0)).to.be.a('number');
    await shop().servedBy('v2');
  });

  it('is put back to v2 by itself when v3 answers every fifth request with an error', async () => {
    await shop().setVersion('v3', 0.2);
    const { rejected = [] } = await shop().ends('r3', 'RolledBack');
    expect(rejected.map(({ revision, reason }) => `${revision} ${reason}`)).to.deep.equal(['r3 CheckFailed']);
    expect(rejected[0]?.message).to.match(/^check "error-rate" failed 2 times in a row: /);
    expect(shop().status.active).to.include({ color: 'green', revision: 'r2' });
  });

  it('stays on v2 although the Deployment still says v3', async () => {
    await shop().serveFor(10);
    expect(selectorMoves()).to.deep.equal([
      'Forward to blue (r1)',
      'Forward to green (r2)',
      'Forward to blue (r3)',
      'Back to green (r2)',
    ]);
    expect(shop().status).to.include({ phase: 'RolledBack', revision: 'r2', attempt: 3 });
    const versions = shop()
      .load.rows.slice(-5)
      .flatMap(({ answers }) => Object.keys(answers.new));
    expect([...new Set(versions)]).to.deep.equal(['v2']);
  });

  it('keeps its pods when the release is deleted in the foreground, and lost no request all the while', async () => {
    const before = (await shop().pods('green')).map(uidOf).sort();
    expect(before).to.have.length(3);
    const { target } = shop().stage;
    await target.kubectl(
      ['delete', 'bgr', 'shop', '-n', 'story-release', '--cascade=foreground', '--wait', '--timeout=60s'],
      { timeoutMs: 65_000 },
    );
    await shop().serveFor(3);
    expect((await shop().pods('green')).map(uidOf).sort()).to.deep.equal(before);
    const { totals } = await expectNoFailure(shop());
    expect(serverErrorsOf(totals), 'errors that v3 sent').to.be.greaterThan(0);
  });

  const uidOf = ({ metadata }: any): string => metadata.uid;

  function selectorMoves(): string[] {
    return shop()
      .switches()
      .map(({ mark, color }) => `${mark?.direction} to ${color} (${mark?.revision})`);
  }
});

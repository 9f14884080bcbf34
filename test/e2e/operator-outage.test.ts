import { expect } from 'chai';
import { rolledOut } from '../support/target.ts';
import { observationOf, PATIENCE_MS } from './shop.ts';
import { useShop } from './story.ts';
import { expectNoFailure } from './verdict.ts';

describe('A Prometheus that is down while a release is watched', function () {
  this.timeout(2 * PATIENCE_MS);
  const shop = useShop('story-outage');
  let isDown = false;

  it('neither commits the release nor puts it back: it is held', async () => {
    await shop().open();
    await shop().adopt({ observation: observationOf(10) });
    await shop().setVersion('v2');
    await shop().reaches('Observing', 'r2');
    await scalePrometheus(0);
    const { message } = await shop().reaches('Held', 'r2');
    expect(message).to.match(/^check "error-rate" is unknown: .+; revision r2 keeps the traffic/);
  });

  it('moves nothing, however long it lasts', async () => {
    const moves = shop().switches().length;
    await shop().serveFor(8);
    expect(shop().status).to.include({ phase: 'Held', revision: 'r2' });
    expect(shop().switches()).to.have.length(moves);
  });

  it('is no reason to reject the release, which is committed when Prometheus is back', async () => {
    await scalePrometheus(1);
    const { rejected, active } = await shop().ends('r2', 'Committed');
    expect(rejected).to.equal(undefined);
    expect(active).to.include({ color: 'green', revision: 'r2', ready: 3 });
    await expectNoFailure(shop());
  });

  after(async () => {
    // The next story measures too.
    if (isDown) await scalePrometheus(1);
  });

  async function scalePrometheus(replicas: number): Promise<void> {
    const { target } = shop().stage;
    isDown = replicas === 0;
    await target.kubectl(['scale', 'deployment/prometheus', '-n', 'monitoring', `--replicas=${replicas}`]);
    await rolledOut(target, 'monitoring', 'prometheus');
  }
});

import { expect } from 'chai';
import { soak } from '../soak/soak.ts';

describe('Twenty releases under everything at once', function () {
  this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes

  it('all end on their last version, with every promise kept', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    console.log(`      seed ${seed}`);
    const report = await soak({ seed, releases: 20, troubleMs: 25_000, progress: () => undefined });
    const { kills, ends, switches, faults, violations } = report;
    const all = Object.values(faults).reduce((sum, count) => sum + count, 0);
    console.log(
      `      ${kills} kills, ${ends} ends, ${all} faults, ${switches.forward} switches, ${switches.back} back`,
    );
    expect(violations).to.deep.equal([]);
    expect(kills).to.be.at.least(1);
    // Every release switched at least twice: when it was adopted, and in the end.
    expect(switches.forward).to.be.at.least(40);
  });
});

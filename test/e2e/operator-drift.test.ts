import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { SHOP } from '../support/shop.ts';
import { gatesOf, PATIENCE_MS } from './shop.ts';
import { useShop } from './story.ts';
import { expectNoFailure } from './verdict.ts';

describe('A selector that is edited by hand to the candidate, before the candidate is proven', function () {
  this.timeout(2 * PATIENCE_MS);
  const shop = useShop('story-drift');

  it('is put back while the gate goes on running', async () => {
    await shop().open();
    // Time for the edit, and then the gate of the example.
    const command = ['node', '-e', 'setTimeout(() => import("/demo/app/smoke.mjs"), 6000)'];
    await shop().adopt({ gates: gatesOf(shop().stage.image, command) });
    await shop().setVersion('v2');
    await shop().until('the gate runs', ({ gates = [] }) => gateState(gates) === 'Running');
    await editSelector('green');
    await eventually('waiting for the selector to be put back', PATIENCE_MS, () => moves()[2]);
    expect(moves()).to.deep.equal(['Forward to blue (r1)', 'by hand to green', 'Forward to blue (r1)']);
    expect(shop().status.revision).to.equal('r1');
    expect(gateState(shop().status.gates ?? [])).to.equal('Running');
  });

  it('has advanced nothing: the traffic moves when the gate has passed, and not before', async () => {
    await shop().ends('r2', 'Committed');
    expect(moves().slice(3)).to.deep.equal(['Forward to green (r2)']);
    const { items: jobs } = await shop().json('jobs');
    expect(jobs.map(({ metadata }: any) => metadata.name)).to.deep.equal(['shop-smoke-2']);
    const passedAt = Date.parse(jobs[0].status.completionTime);
    expect(shop().switches()[3]?.decidedAt).to.be.at.least(passedAt);
    const early = shop().statuses.filter(({ status }) => status.revision === 'r2')[0]?.status;
    expect(gateState(early?.gates ?? [])).to.equal('Passed');
  });

  it('has cost no request', async () => {
    await expectNoFailure(shop());
  });

  const gateState = (gates: readonly { name: string; state: string }[]): string | undefined =>
    gates.find(({ name }) => name === 'smoke')?.state;

  function moves(): string[] {
    return shop()
      .switches()
      .map(({ mark, color }) =>
        mark === undefined ? `by hand to ${color}` : `${mark.direction} to ${color} (${mark.revision})`,
      );
  }

  async function editSelector(color: string): Promise<void> {
    const edit = [{ op: 'replace', path: '/spec/selector/bluegreen.dev~1color', value: color }];
    const args = ['patch', 'service', SHOP, '-n', 'story-drift', '--type=json', '-p', JSON.stringify(edit)];
    await shop().stage.target.kubectl(args);
  }
});

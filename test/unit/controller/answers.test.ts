import { expect } from 'chai';
import { createAnswers } from '../../../src/controller/answers.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import type { Effect } from '../../../src/release/plan.ts';

const forbidden = new KubeError({
  reason: 'Forbidden',
  status: 403,
  call: 'PATCH',
  message: 'nobody restarts it',
} as never);
const mark = { uid: 'uid', revision: 'r1', attempt: 2, direction: 'Back' };
const restart = {
  kind: 'RestartConsumer',
  consumer: 'Deployment',
  name: 'api',
  uid: 'u',
  digest: 'd',
} as Effect;

describe('the answers of the API server', () => {
  it('to the restart of a consumer are remembered, and one that is refused keeps nothing else waiting', () => {
    const answers = createAnswers(() => 7);
    expect(answers.failed('team/shop', restart, forbidden)).to.equal(true);
    expect(answers.of('team/shop').refusals).to.deep.equal({
      'Deployment/api': { at: 7, message: 'PATCH: nobody restarts it', final: true },
    });
    answers.succeeded('team/shop', restart);
    expect(answers.of('team/shop')).to.deep.equal({
      refusals: {},
      patches: { 'Deployment/api': { mark: 'u/d', at: 7 } },
    });
  });

  it('to what is published end the reconcile of a switch, and not that of a way back', () => {
    const answers = createAnswers(() => 7);
    const publish = (rescue: boolean) => ({ kind: 'Publish', configMap: 'search', rescue, mark }) as Effect;
    expect(answers.failed('team/shop', publish(false), forbidden)).to.equal(false);
    expect(answers.failed('team/shop', publish(true), forbidden)).to.equal(true);
    expect(Object.keys(answers.of('team/shop').refusals)).to.deep.equal(['search']);
    answers.succeeded('team/shop', publish(true));
    expect(answers.of('team/shop')).to.deep.equal({
      refusals: {},
      patches: { search: { mark: 'uid/r1/2/back', at: 7 } },
    });
  });
});

import { expect } from 'chai';
import { createLimits } from '../../../src/controller/limits.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import type { KubeClient, ListOptions, ResourceType } from '../../../src/kube/ports.ts';

describe('what a namespace allows', () => {
  let asked: string[];
  let now: number;
  let answer: (type: ResourceType) => Promise<unknown[]>;
  const client = {
    list: (type: ResourceType, { namespace }: ListOptions) => {
      asked.push(`${type.plural} of ${namespace}`);
      return answer(type);
    },
  } as unknown as KubeClient;
  beforeEach(() => {
    asked = [];
    now = 0;
    answer = async () => [];
  });

  it('is asked once for all releases of it that begin within a second', async () => {
    const limits = createLimits(client, () => now);
    await Promise.all([limits('shop'), limits('shop'), limits('bank')]);
    now = 999;
    await limits('shop');
    expect(asked).to.deep.equal([
      'resourcequotas of shop',
      'limitranges of shop',
      'resourcequotas of bank',
      'limitranges of bank',
    ]);
    now = 1_000;
    await limits('shop');
    expect(asked.slice(4)).to.deep.equal(['resourcequotas of shop', 'limitranges of shop']);
  });

  it('is asked anew after a failure, and is everything where it may not be asked', async () => {
    const limits = createLimits(client, () => now);
    const failing = (reason: 'Timeout' | 'Forbidden') => async () => {
      throw new KubeError({ reason, status: 0, call: 'list', message: 'no' });
    };
    answer = failing('Timeout');
    expect(await limits('shop').catch(({ message }: Error) => message)).to.equal('list: no');
    answer = failing('Forbidden');
    expect(await limits('shop')).to.deep.equal({ quotas: [], defaults: [] });
    expect(asked).to.have.length(4);
  });
});

import { expect } from 'chai';
import { withSignal } from '../../../src/kube/cancel.ts';
import { plainEndpoint } from '../../../src/kube/endpoint.ts';
import { createKubeClient } from '../../../src/kube/transport.ts';
import { SERVICES } from '../../../src/kube/types.ts';
import { startServer } from './server.ts';
import { eventually, rejection } from './support.ts';

describe('a client that is bound to a signal', () => {
  it('breaks off what is under way when it aborts, and begins nothing after it', async () => {
    const server = await startServer();
    const transport = createKubeClient({ endpoint: plainEndpoint(server.url) });
    const stopping = new AbortController();
    const client = withSignal(transport, stopping.signal);
    const service = { metadata: { namespace: 'shop', name: 'shop' } };
    const calls = {
      get: () => client.get(SERVICES, service.metadata),
      list: () => client.list(SERVICES, { namespace: 'shop' }),
      create: () => client.create(SERVICES, service),
      replace: () => client.replace(SERVICES, service),
      patch: () => client.patch(SERVICES, service.metadata, { type: 'merge', body: {} }),
      delete: () => client.delete(SERVICES, service.metadata),
    };
    server.fail(() => true, { kind: 'never answers' }, 6);
    const underWay = Object.values(calls).map((call) => rejection(call()));
    await eventually(() => server.requests.length === 6);
    stopping.abort();
    for (const error of await Promise.all(underWay)) expect(error.reason).to.equal('Aborted');
    for (const call of Object.values(calls)) expect((await rejection(call())).reason).to.equal('Aborted');
    expect(server.requests).to.have.length(6);
    await transport.close();
    await server.close();
  });
});

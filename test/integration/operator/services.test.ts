import { expect } from 'chai';
import { RELEASES } from '../../../src/api/resource.ts';
import type { ResourceType } from '../../../src/kube/ports.ts';
import { SERVICES } from '../../../src/kube/types.ts';
import { eventually } from '../../support/eventually.ts';
import { condition, history, KEY, SHOP, type Shop, stuck } from './shop.ts';
import { together } from './together.ts';
import { World } from './world.ts';

const admission = (kind: string, plural: string): ResourceType => ({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind,
  plural,
  namespaced: false,
});
const POLICIES = admission('ValidatingAdmissionPolicy', 'validatingadmissionpolicies');
const BINDINGS = admission('ValidatingAdmissionPolicyBinding', 'validatingadmissionpolicybindings');

const TILL = 'till';
const traffic = { services: [{ name: SHOP }, { name: TILL }], drainSeconds: 5 };
const MESSAGE = 'nobody moves the till';

describe('Several Services', function () {
  this.timeout(300_000);
  let world: World;

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    world = await World.start();
    await world.operator();
  });
  after(() => world?.stop());

  /** Two production Services and, where asked for, a preview Service; revision r1 on blue has the traffic. */
  async function adopted(spec: object = {}): Promise<Shop> {
    const shop = await world.shop();
    await shop.create(SERVICES, shop.service(TILL));
    await shop.create(SERVICES, shop.service('next'));
    await shop.release({ traffic, ...spec });
    await shop.settledOn('r1');
    return shop;
  }

  const colorOf = async (shop: Shop, name: string): Promise<string> =>
    (await shop.get(SERVICES, name)).spec.selector[KEY];
  const colors = (shop: Shop): Promise<string[]> =>
    Promise.all([SHOP, TILL, 'next'].map((name) => colorOf(shop, name)));

  /** A policy that keeps the selector of one Service, as long as `unless` does not hold. Returns how to end it. */
  async function lock(shop: Shop, unless = 'false'): Promise<() => Promise<void>> {
    const name = `${shop.namespace}-till`;
    await world.client.create(POLICIES, {
      metadata: { name },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': shop.namespace } },
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], resources: ['services'], operations: ['UPDATE'] },
          ],
        },
        validations: [
          {
            expression: `object.metadata.name != '${TILL}' || object.spec.selector == oldObject.spec.selector || ${unless}`,
            message: MESSAGE,
          },
          { expression: "!('probe' in object.metadata.?annotations.orValue({}))", message: MESSAGE },
        ],
      },
    } as never);
    await world.client.create(BINDINGS, {
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'] },
    } as never);
    const key = { namespace: shop.namespace, name: TILL };
    const body = { metadata: { annotations: { probe: 'yes' } } };
    await eventually('the policy to be in force', 30_000, () =>
      world.client
        .patch(SERVICES, key, { type: 'merge', body }, { dryRun: true })
        .then(() => undefined)
        .catch((error: Error) => (error.message.includes(MESSAGE) ? true : undefined)),
    );
    return async () => {
      await world.client.delete(BINDINGS, { name });
      await world.client.delete(POLICIES, { name });
    };
  }

  together({
    'move side by side, each with its proof; a preview shows the candidate, and is never dark': async () => {
      const shop = await adopted({
        traffic: { ...traffic, previewServices: [{ name: 'next' }] },
        gates: [stuck],
      });
      await shop.until('show the active side', async () => (await colorOf(shop, 'next')) === 'blue');
      await shop.version('v2');
      await shop.inPhase('Validating');
      await shop.until('show the candidate', async () => (await colorOf(shop, 'next')) === 'green');
      expect(await colors(shop)).to.deep.equal(['blue', 'blue', 'green']);
      await shop.act('abort@2');
      await shop.until('show the active side again', async () => (await colorOf(shop, 'next')) === 'blue');
      await shop.patch(RELEASES, SHOP, { spec: { gates: [] } });
      await shop.version('v3');
      const { status } = await shop.settledOn('r3');
      expect(await colors(shop)).to.deep.equal(['green', 'green', 'green']);
      expect(status.switch.services.map(({ name, converged }: any) => [name, converged])).to.deep.equal([
        [SHOP, true],
        [TILL, true],
      ]);
      expect(status.previews).to.deep.equal([{ name: 'next', color: 'green' }]);
    },

    'are split when one of them cannot be brought back, and united when it can': async () => {
      const shop = await adopted({ observation: { durationSeconds: 600 } });
      await shop.version('v2');
      await shop.inPhase('Observing');
      const unlock = await lock(shop);
      await shop.act('rollback@2');
      const release = await shop.inPhase('Split');
      expect((await colors(shop)).slice(0, 2)).to.deep.equal(['blue', 'green']);
      expect(release.status.message).to.match(
        /^Service "till" selects green while "shop" selects blue \(revision r1\), and cannot be patched \(.*nobody moves the till.*\); it is tried again every second$/,
      );
      expect([condition(release, 'Ready').status, condition(release, 'Stalled').reason]).to.deep.equal([
        'False',
        'ServiceRefused',
      ]);
      expect(history(release).at(-1)).to.equal('r2 UnderWay');
      await unlock();
      const ended = await shop.until('be rolled back', ({ status }) => status.phase === 'RolledBack');
      expect((await colors(shop)).slice(0, 2)).to.deep.equal(['blue', 'blue']);
      expect(history(ended).at(-1)).to.equal('r2 RolledBack');
    },

    'all go back when one of them cannot be switched; that is nobody’s fault, and tried again': async () => {
      const shop = await adopted();
      const unlock = await lock(shop, 'request.dryRun == true');
      await shop.version('v2');
      const release = await shop.until('have gone back', (each) => history(each).at(-1) === 'r2 RolledBack');
      expect((await colors(shop)).slice(0, 2)).to.deep.equal(['blue', 'blue']);
      expect(release.status.rejected).to.equal(undefined);
      await unlock();
      await shop.settledOn('r2');
      expect((await colors(shop)).slice(0, 2)).to.deep.equal(['green', 'green']);
    },

    'nothing is committed while one of them is gone, and all is when it is back': async () => {
      const shop = await adopted({ observation: { durationSeconds: 10 } });
      await shop.version('v2');
      await shop.inPhase('Observing');
      await shop.delete(SERVICES, TILL);
      const held = await shop.inPhase('Held');
      expect([condition(held, 'Stalled').reason, history(held).at(-1)]).to.deep.equal([
        'ServiceNotFound',
        'r2 UnderWay',
      ]);
      await shop.create(SERVICES, shop.service(TILL));
      await shop.settledOn('r2');
      expect((await colors(shop)).slice(0, 2)).to.deep.equal(['green', 'green']);
    },

    'none moves while a policy forbids it to one of them': async () => {
      const shop = await adopted();
      const unlock = await lock(shop);
      await shop.version('v2');
      const release = await shop.until('be stalled', (each) => condition(each, 'Stalled'));
      expect([condition(release, 'Stalled').reason, release.status.candidate]).to.deep.equal([
        'ServiceRefused',
        undefined,
      ]);
      expect(release.status.message).to.match(
        /^spec\.traffic\.services\[1\]\.name: the API server refuses to switch Service "till": .*nobody moves the till/,
      );
      await unlock();
      await shop.settledOn('r2');
    },

    'one that is replaced by another gives everything back, and the other joins without moving anything':
      async () => {
        const shop = await adopted();
        const later = { ...traffic, services: [{ name: SHOP }, { name: 'next' }] };
        await shop.patch(RELEASES, SHOP, { spec: { traffic: later } });
        await shop.until('have taken the new one', async () => (await colorOf(shop, 'next')) === 'blue');
        await eventually('the old one to be given back', 30_000, async () => {
          const { metadata } = await shop.get(SERVICES, TILL);
          const ours = JSON.stringify([metadata.labels ?? {}, metadata.annotations ?? {}]);
          return ours.includes('bluegreen.dev') ? undefined : true;
        });
        expect(await colorOf(shop, TILL), 'it keeps its key').to.equal('blue');
        expect(await shop.get(SERVICES, 'till-blue')).to.equal(undefined);
        expect(await shop.get(SERVICES, 'till-green')).to.equal(undefined);
        await shop.version('v2');
        await shop.settledOn('r2');
        expect(await colors(shop)).to.deep.equal(['green', 'blue', 'green']);
      },
  });
});

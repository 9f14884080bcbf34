import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import {
  CONTROLLER_REVISIONS,
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  EVENTS,
  SERVICES,
} from '../../../src/kube/types.ts';
import { eventually } from '../../support/eventually.ts';
import { condition, history, KEY, SHOP, type Shop } from './shop.ts';
import { together } from './together.ts';
import { NAMESPACE, OPERATOR, World } from './world.ts';

/** Of the pods that the shop has: whether a quota with such a scope has room for a candidate is not judged beforehand. */
const RESOURCE_QUOTAS = {
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  namespaced: true,
};

/** What kstatus makes of an object: cli-utils, pkg/kstatus. */
function kstatus({ metadata, status }: any): 'Current' | 'InProgress' | 'Failed' {
  const is = (type: string, value: string) =>
    status?.conditions?.some((each: any) => each.type === type && each.status === value);
  if (status?.observedGeneration !== undefined && status.observedGeneration !== metadata.generation)
    return 'InProgress';
  if (is('Stalled', 'True')) return 'Failed';
  return is('Reconciling', 'True') || is('Ready', 'False') || is('Ready', 'Unknown')
    ? 'InProgress'
    : 'Current';
}

const image = (object: any): string => object.spec.template.spec.containers[0].image;

describe('The life of a release, with the operator as a process against a real control plane', function () {
  this.timeout(300_000);
  let world: World;

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    world = await World.start();
    await world.operator();
  });
  after(() => world?.stop());

  const revisionImages = async (shop: Shop): Promise<string[]> => {
    const revisions = await shop.list(CONTROLLER_REVISIONS, `bluegreen.dev/release=${SHOP}`);
    return revisions
      .toSorted((a, b) => a.revision - b.revision)
      .map(({ data }) => data.content.template.spec.containers[0].image);
  };

  /** Who stands behind the production Service: the owners' names of its ready endpoints. */
  const serving = async (shop: Shop): Promise<string[]> => {
    const slices = await shop.list(ENDPOINT_SLICES, `kubernetes.io/service-name=${SHOP}`);
    const pods = slices
      .flatMap(({ endpoints }) => endpoints ?? [])
      .filter(({ conditions }: any) => conditions.ready)
      .map(({ targetRef }: any) => targetRef.name.replace(/-[a-z0-9]+-[a-z0-9]+$/, ''));
    return [...new Set<string>(pods)].sort();
  };

  /** What the operator has asked of the API server for this shop so far; events apart, which are for people. */
  async function requests({ namespace }: Shop): Promise<{ writes: string[]; reads: string[] }> {
    const log = await readFile(world.cluster.auditLog, 'utf8');
    const own = log
      .split('\n')
      .filter((line) => line.includes(`"${namespace}"`) && line.endsWith('}'))
      .map((line) => JSON.parse(line))
      .filter(({ user, stage, objectRef, verb }) => {
        const isOperator = user.username === `system:serviceaccount:${NAMESPACE}:${OPERATOR}`;
        return (
          isOperator && stage === 'ResponseComplete' && objectRef.resource !== 'events' && verb !== 'watch'
        );
      })
      .map(({ verb, requestURI, objectRef: { resource, name = '', subresource = '' } }) => {
        const dry = requestURI.includes('dryRun') ? ' (dry run)' : '';
        return `${verb} ${[resource, name, subresource].filter(Boolean).join('/')}${dry}`;
      });
    const isWrite = (request: string) => !/^(get|list) |dry run/.test(request);
    return { writes: own.filter(isWrite), reads: own.filter((request) => !isWrite(request)) };
  }

  together({
    'costs the API server a dozen writes for a release, and hardly a read': async () => {
      const shop = await world.adoptedShop();
      const before = await requests(shop);
      await shop.version('v2');
      await shop.settledOn('r2');
      const { writes, reads } = await requests(shop);
      const [written, read] = [writes.slice(before.writes.length), reads.slice(before.reads.length)];
      console.log(`      one release: ${written.length} writes (${written.join(', ')})`);
      console.log(`      and ${read.length} reads (${read.join(', ')})`);
      expect(written.length).to.be.within(6, 20);
      expect(read.length).to.be.below(20);
    },

    'adopts what really runs, not what the Deployment wishes for, and holds the source meanwhile':
      async () => {
        const shop = await world.shop();
        await shop.kubectl('rollout', 'pause', 'deployment/shop');
        await shop.version('v2');
        // No room for a colour: the adoption cannot get on, and can be looked at.
        await shop.create(RESOURCE_QUOTAS, {
          metadata: { name: 'full' },
          spec: { hard: { pods: '2' }, scopes: ['BestEffort'] },
        });
        await shop.release();
        const waiting = await shop.until('say why no pod can be made', ({ status }) =>
          /exceeded quota: full/.test(status?.message ?? ''),
        );
        expect(waiting.status.phase).to.equal('Adopting');
        expect(waiting.status.message).to.match(/^adopting: 0 of 2 blue pods are ready \(pods "shop-blue-/);
        const held = await shop.get(DEPLOYMENTS, SHOP);
        expect([held.spec.paused, held.spec.replicas, held.metadata.labels]).to.deep.equal([
          true,
          2,
          { 'bluegreen.dev/release': SHOP },
        ]);
        expect(await shop.selector()).to.deep.equal({ app: SHOP });

        await shop.delete(RESOURCE_QUOTAS, 'full');
        const release = await shop.settledOn('r2');
        expect(await revisionImages(shop)).to.deep.equal(['shop:v1', 'shop:v2']);
        expect(history(release)).to.deep.equal(['r1 Committed', 'r2 Committed']);
      },

    'ends the adoption with the colour alone behind the Service, and the source at 0': async () => {
      const shop = await world.adoptedShop();
      expect(await shop.selector()).to.deep.equal({ app: SHOP, [KEY]: 'blue' });
      expect(await serving(shop)).to.deep.equal(['shop-blue']);
      const { spec } = await shop.get(DEPLOYMENTS, SHOP);
      expect([spec.replicas, spec.paused ?? false]).to.deep.equal([0, false]);
      const [revision] = await shop.list(CONTROLLER_REVISIONS);
      expect(revision.metadata.ownerReferences[0].kind).to.equal('BlueGreenRelease');
      for (const type of [DEPLOYMENTS, SERVICES])
        for (const { metadata } of await shop.list(type))
          expect(metadata.ownerReferences).to.equal(undefined);
    },

    'is for tools what kstatus expects: unknown at first, in progress while it works, current at rest':
      async () => {
        const shop = await world.shop();
        const seen: string[] = [];
        // It is in progress for so long at least, and looked at four times a second.
        await shop.release({ observation: { durationSeconds: 3 } });
        const note = (release: any) => {
          const state = release.status === undefined ? 'nothing' : kstatus(release);
          if (seen.at(-1) !== state) seen.push(state);
        };
        const release = await shop.until('be current', (object) => {
          note(object);
          return seen.at(-1) === 'Current';
        });
        expect(seen.filter((state) => state !== 'nothing')).to.deep.equal(['InProgress', 'Current']);
        expect(condition(release, 'Reconciling')).to.equal(undefined);
        expect(condition(release, 'Stalled')).to.equal(undefined);
        await shop.version('v2');
        await shop.until('be in progress', (object) => kstatus(object) === 'InProgress');
        await shop.kubectl('wait', '--for=condition=Ready', 'bgr/shop', '--timeout=45s');
        const settled = await shop.read();
        expect(settled.status.revision).to.equal('r2');
        for (const { observedGeneration } of settled.status.conditions)
          expect(observedGeneration).to.equal(settled.metadata.generation);
      },

    'lets a new revision take over, keeps the old side ready in the window, and shows each decision':
      async () => {
        const shop = await world.adoptedShop();
        await shop.version('v2');
        const { status } = await shop.settledOn('r2');
        expect(status.phase).to.equal('Committed');
        expect(await shop.selector()).to.deep.equal({ app: SHOP, [KEY]: 'green' });
        expect(await serving(shop)).to.deep.equal(['shop-green']);
        const blue = await shop.get(DEPLOYMENTS, 'shop-blue');
        expect([image(blue), blue.status.readyReplicas]).to.deep.equal(['shop:v1', 2]);
        expect(status.standby).to.deep.include({ color: 'blue', revision: 'r1', ready: 2, desired: 2 });
        expect(status.active).to.deep.include({ color: 'green', revision: 'r2', images: ['shop:v2'] });
        expect(status.rollback.available).to.equal(true);
        expect(status.rollback.message).to.equal('blue (revision r1) is ready to take over');
        const reasons = status.decisions.map(({ reason }: any) => reason);
        const order = [
          'Adopted',
          'ReleaseStarted',
          'BuildingCandidate',
          'Validated',
          'Switching',
          'SwitchVerified',
        ];
        expect(reasons.filter((reason: string) => [...order, 'Committed'].includes(reason))).to.deep.equal([
          // The switch of the adoption, before it ends.
          'Switching',
          'SwitchVerified',
          ...order,
          'Committed',
        ]);
        const conditions = Object.fromEntries(status.conditions.map((each: any) => [each.type, each.status]));
        expect(conditions).to.deep.equal({
          Ready: 'True',
          CandidateReady: 'False',
          Validated: 'True',
          TrafficSwitched: 'True',
          TrafficInSync: 'True',
          Healthy: 'True',
          RollbackAvailable: 'True',
        });
      },

    'goes back without gates when Git reverts inside the window, and blames nobody': async () => {
      const shop = await world.adoptedShop();
      await shop.version('v2');
      await shop.settledOn('r2');
      await shop.version('v1');
      const release = await shop.settledOn('r1');
      expect(await shop.color()).to.equal('blue');
      expect(release.status.switch).to.deep.include({ direction: 'Back', to: 'blue', revision: 'r1' });
      expect(release.status.rejected).to.equal(undefined);
      expect(history(release)).to.deep.equal(['r1 Committed', 'r2 RolledBack']);
      expect(release.status.attempt).to.equal(2);
      // And forward again: not rejected, so it may be tried again.
      await shop.version('v2');
      const again = await shop.settledOn('r2');
      expect(again.status.attempt).to.equal(3);
    },

    'scales the old side to capacity.standby when the window is over': async () => {
      const shop = await world.adoptedShop({
        spec: { rollback: { windowSeconds: 2 }, capacity: { standby: 1 } },
      });
      await shop.version('v2');
      await shop.until('be idle on r2', ({ status }) => status.revision === 'r2' && status.phase === 'Idle');
      await eventually('blue to have one pod', 30_000, async () => {
        const { spec, status } = await shop.get(DEPLOYMENTS, 'shop-blue');
        return spec.replicas === 1 && status.replicas === 1 ? true : undefined;
      });
      const release = await shop.read();
      expect(condition(release, 'RollbackAvailable')).to.include({ status: 'False', reason: 'NoWindow' });
    },

    'serves the scale subresource: kubectl scale sets the pods of the active side, and status tells of them':
      async () => {
        const shop = await world.adoptedShop({ spec: { replicas: 2 } });
        await shop.kubectl('scale', 'bgr/shop', '--replicas=3');
        await shop.until('have 3 pods', ({ status }) => status.replicas === 3);
        const { spec } = await shop.get(DEPLOYMENTS, 'shop-blue');
        expect(spec.replicas).to.equal(3);
        const scale = JSON.parse(
          await shop.kubectl(
            'get',
            '--raw',
            `/apis/bluegreen.dev/v1alpha1/namespaces/${shop.namespace}/bluegreenreleases/shop/scale`,
          ),
        );
        expect(scale.status).to.deep.equal({
          replicas: 3,
          selector: `bluegreen.dev/release=${SHOP},${KEY}=blue`,
        });
        const release = await shop.settledOn('r1');
        expect(history(release)).to.deep.equal(['r1 Committed']);
      },

    'tells of each change of state by an event, and of waiting by none': async () => {
      const shop = await world.adoptedShop();
      await shop.version('v2');
      await shop.settledOn('r2');
      const events = await eventually('the event of the commit', 30_000, async () => {
        const all = await shop.list(EVENTS);
        const own = all.filter(({ regarding }) => regarding.kind === 'BlueGreenRelease');
        return own.some(({ reason }) => reason === 'Committed') ? own : undefined;
      });
      const reasons = events.map(({ reason }) => reason);
      expect(reasons).to.include.members(['ReleaseStarted', 'Switching', 'SwitchVerified', 'Committed']);
      expect(events.length).to.be.below(25);
      for (const { type, reportingController } of events) {
        expect(type).to.equal('Normal');
        expect(reportingController).to.equal('bluegreen.dev/operator');
      }
    },

    'counts a source that Git scaled up again as nothing new, and parks it again': async () => {
      const shop = await world.adoptedShop();
      await shop.version('v2');
      await shop.settledOn('r2');
      // As after a sync: the annotation that says when it was parked is ours and stays.
      await shop.patch(DEPLOYMENTS, SHOP, {
        metadata: { annotations: { 'bluegreen.dev/parked-at': null } },
        spec: { replicas: 2 },
      });
      await eventually('the source to be at 0 again', 30_000, async () => {
        const { spec } = await shop.get(DEPLOYMENTS, SHOP);
        return spec.replicas === 0 ? true : undefined;
      });
      const release = await shop.settledOn('r2');
      expect(history(release)).to.deep.equal(['r1 Committed', 'r2 Committed']);
    },
  });
});

/** Other writers, lost nodes and lost processes: what the cluster and people do while a release is under way. */
import { RELEASES } from '../../../../src/api/resource.ts';
import { DEPLOYMENTS, type Deployment, SERVICES, type Service } from '../../../../src/kube/types.ts';
import { LABEL } from '../../world.ts';
import type { Story } from '../script.ts';
import { gates, release } from './common.ts';

const asGitHasIt = (service: Service): Service => ({
  ...service,
  metadata: { ...service.metadata, labels: {}, annotations: {} },
  spec: { ...service.spec, selector: { app: 'checkout' } },
});

export const MEDDLING: readonly Story[] = [
  {
    name: 'selector stripped by Argo CD',
    about: 'Drift is never taken for progress: it is put back at once, whatever it points to.',
    versions: [{}],
    play: async (actor) => {
      await release(actor, 'Committed');
      await actor.wait(30);
      actor.edit('syncs the Service as Git has it', asGitHasIt);
      await actor.wait(30);
      actor.edit('points the Service at blue', (service) => ({
        ...service,
        spec: { ...service.spec, selector: { app: 'checkout', [LABEL]: 'blue' } },
      }));
      await actor.wait(30);
    },
  },
  {
    name: 'selector stripped in the middle of a release',
    about: 'The candidate is behind the Service for a moment, and is not taken for switched.',
    spec: { gates },
    versions: [{}],
    play: async (actor) => {
      await release(actor, 'Validating');
      actor.edit('syncs the Service as Git has it', asGitHasIt);
      await actor.wait(2);
      actor.edit('points the Service at green', (service) => ({
        ...service,
        spec: { ...service.spec, selector: { app: 'checkout', [LABEL]: 'green' } },
      }));
      await actor.reach('Committed');
    },
  },
  {
    name: 'the operator dies in the middle of the switch',
    about: 'The mark stands on the Service: the next process proves the switch, and patches nothing twice.',
    versions: [{}],
    play: async (actor) => {
      await release(actor);
      await actor.until(
        'the patch',
        ({ world }) => selects(world.api.get<Service>(SERVICES, 'checkout')) === 'green',
      );
      actor.happens('the operator is killed', ({ operators }) => operators.kill());
      await actor.reach('Committed');
    },
  },
  {
    name: 'the operator is away while the new version dies',
    about: 'What the next process finds is enough: it puts the traffic back as its first deed.',
    spec: { observation: { durationSeconds: 300 } },
    versions: [{}],
    play: async (actor) => {
      await release(actor, 'Observing');
      await actor.wait(30);
      actor.happens('the operator is killed', ({ operators }) => operators.kill());
      await actor.wait(1);
      actor.die('the pods of green are no longer ready', 'green');
      await actor.wait(60);
    },
  },
  {
    name: 'the status is lost under watch',
    about: 'Nothing that matters is in it.',
    spec: { gates, observation: { durationSeconds: 120 } },
    versions: [{}],
    play: async (actor) => {
      await release(actor, 'Observing');
      await actor.wait(30);
      actor.happens('somebody clears the status', ({ world }) =>
        world.api.update(RELEASES, 'checkout', ({ status: _, ...object }: any) => object),
      );
      await actor.reach('Committed');
    },
  },
  {
    name: 'the source scaled up by Git',
    about: 'Its pods get no traffic: back to 0, once a minute at most, so that it is no fight.',
    play: async (actor) => {
      await actor.adopt();
      const sync = (): void =>
        actor.happens('a sync sets the replicas of Deployment checkout to 3', ({ world }) =>
          world.api.update<Deployment>(DEPLOYMENTS, 'checkout', (object) => ({
            ...object,
            spec: { ...object.spec, replicas: 3 },
          })),
        );
      await actor.wait(60);
      sync();
      await actor.wait(10);
      sync();
      await actor.wait(90);
    },
  },
  {
    name: 'a node lost under watch',
    about: 'Half of both sides is away for a while: the other side is no better, so the traffic stays.',
    spec: { observation: { durationSeconds: 120 } },
    versions: [{}],
    play: async (actor) => {
      await release(actor, 'Observing');
      await actor.wait(30);
      actor.happens('a node is lost for 20 seconds', ({ world }) => world.kubelet.loseNode(20_000));
      await actor.reach('Committed');
    },
  },
  {
    name: 'the active side scaled to nothing by hand',
    about:
      'It is brought back at once, before its pods have ended: nobody may leave production without pods.',
    versions: [{}],
    play: async (actor) => {
      await release(actor, 'Committed');
      await actor.wait(30);
      actor.happens('somebody scales Deployment checkout-green to 0', ({ world }) =>
        world.api.update<Deployment>(DEPLOYMENTS, 'checkout-green', (object) => ({
          ...object,
          spec: { ...object.spec, replicas: 0 },
        })),
      );
      await actor.wait(60);
    },
  },
  {
    name: 'two operators at once',
    about: 'Each write has its precondition: the second of the two finds it done.',
    versions: [{}],
    play: async (actor) => {
      await actor.adopt();
      actor.happens('a second operator starts', ({ operators }) => operators.double(600_000));
      await actor.wait(5);
      actor.wish(2);
      await actor.reach('Committed');
    },
  },
];

function selects(service: Service | undefined): string | undefined {
  return service?.spec.selector?.[LABEL];
}

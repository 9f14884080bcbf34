/** How a release begins, and what stands in its way. */
import { SERVICES } from '../../../../src/kube/types.ts';
import { createRelease } from '../../world.ts';
import type { Story } from '../script.ts';

export const ADOPTING: readonly Story[] = [
  {
    name: 'first adoption',
    about: 'Production is served at every moment: by the source, by both, by blue.',
    fromTheStart: true,
    play: async (actor) => {
      await actor.adopt();
    },
  },
  {
    name: 'adoption of what an autoscaler scales',
    about:
      'Two autoscalers whose pods overlap switch each other off: the one of the source is stored, then removed.',
    fromTheStart: true,
    spec: { autoscaling: { spec: { minReplicas: 2, maxReplicas: 8 } } },
    play: async (actor) => {
      await actor.adopt();
    },
  },
  {
    name: 'adoption with a mistake in it',
    about:
      'The Service that the release names does not exist: it is said where, nothing is touched, and it goes on by itself.',
    fromTheStart: true,
    play: async (actor) => {
      await actor.begin();
      actor.happens('somebody deletes Service checkout', ({ world }) =>
        world.api.delete(SERVICES, 'checkout'),
      );
      actor.happens('the release is created', ({ world }) => createRelease(world));
      await actor.wait(30);
      actor.happens('somebody creates Service checkout', ({ world }) =>
        world.api.create(SERVICES, {
          metadata: { name: 'checkout' },
          spec: { selector: { app: 'checkout' }, ports: [{ name: 'http', port: 80 }] },
        } as never),
      );
      await actor.wait(60);
    },
  },
  {
    name: 'adoption in the middle of a rollout',
    about: 'What really runs is adopted, not what the Deployment wishes for: that is released after it.',
    fromTheStart: true,
    versions: [{ startMs: [30_000, 30_000] }],
    play: async (actor) => {
      await actor.begin();
      actor.wish(2);
      await actor.wait(20);
      actor.happens('the release is created', ({ world }) => createRelease(world));
      await actor.wait(120);
    },
  },
  {
    name: 'the source dies while it is adopted, and the fix goes ahead',
    about:
      'Held, the source would never roll out what people write: it is let go, and what becomes ready is adopted.',
    fromTheStart: true,
    spec: { preparation: { deadlineSeconds: 60 } },
    versions: [{ startMs: [5000, 5000], diesAfterMs: 20_000 }, {}],
    play: async (actor) => {
      await actor.begin();
      actor.wish(2);
      await actor.wait(22);
      actor.happens('the release is created', ({ world }) => createRelease(world));
      await actor.wait(20);
      actor.wish(3);
      await actor.reach('Idle');
      await actor.wait(10);
    },
  },
];

/** The release is deleted, in every phase: the source takes production back where it says what serves. */
import { DEPLOYMENTS, SERVICES, type Service } from '../../../../src/kube/types.ts';
import { createRelease } from '../../world.ts';
import type { Story } from '../script.ts';
import { gates, release } from './common.ts';

export const DELETING: readonly Story[] = [
  {
    name: 'deleted while it is adopted',
    about: 'The source still serves: it gets back what it had, and the colours go.',
    fromTheStart: true,
    play: async (actor) => {
      await actor.begin();
      actor.happens('the release is created', ({ world }) => createRelease(world));
      await actor.until('blue', ({ world }) => world.api.get(DEPLOYMENTS, 'checkout-blue') !== undefined);
      await actor.wait(1);
      actor.deleteRelease('Background');
      await actor.wait(60);
    },
  },
  {
    name: 'deleted while the candidate is prepared',
    about: 'The source says what nobody has proven: blue goes on serving, and the candidate goes.',
    spec: { gates },
    versions: [{}],
    play: async (actor) => {
      await release(actor, 'Validating');
      actor.deleteRelease('Background');
      await actor.wait(120);
    },
  },
  {
    name: 'deleted in the middle of the switch',
    about:
      'The other colour goes when it has drained; then the source takes production back, proven like any switch.',
    versions: [{}],
    play: async (actor) => {
      await release(actor);
      await actor.until('the patch', ({ world }) => {
        const service = world.api.get<Service>(SERVICES, 'checkout');
        return service?.spec.selector?.['bluegreen.dev/color'] === 'green';
      });
      actor.deleteRelease('Background');
      await actor.wait(120);
    },
  },
  {
    name: 'deleted under watch, in the foreground as Argo CD prunes',
    about:
      'The garbage collector takes the ControllerRevisions first: the Services and Deployments alone say what to do.',
    spec: { observation: { durationSeconds: 300 } },
    versions: [{}],
    play: async (actor) => {
      await release(actor, 'Observing');
      await actor.wait(10);
      actor.deleteRelease('Foreground');
      await actor.wait(120);
    },
  },
  {
    name: 'deleted inside the window',
    about: 'The source takes production back from green, and everything is as before the adoption.',
    versions: [{}],
    play: async (actor) => {
      await release(actor, 'Committed');
      await actor.wait(60);
      actor.deleteRelease('Foreground');
      await actor.wait(120);
    },
  },
];

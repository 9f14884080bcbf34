/** Candidates that never get the traffic. */

import type { Story } from '../script.ts';
import { gates, release } from './common.ts';

export const FAILING: readonly Story[] = [
  {
    name: 'failing smoke Job',
    about:
      'The candidate’s own fault: it is rejected, production was never touched, and the fix is released as always.',
    spec: { gates },
    versions: [{ smoke: 'fail' }, {}],
    play: async (actor) => {
      await release(actor, 'Failed');
      await actor.wait(60);
      actor.wish(3);
      await actor.reach('Committed');
    },
  },
  {
    name: 'a smoke Job that hangs',
    about: 'Its time-out blames nobody: tried again later, not rejected.',
    spec: { gates },
    versions: [{ smoke: 'hang' }],
    play: async (actor) => {
      await release(actor);
      await actor.wait(300);
    },
  },
  {
    name: 'a candidate that crashes',
    about: 'It gets its whole time, then it is rejected, and not tried again by itself.',
    spec: { preparation: { deadlineSeconds: 60 } },
    versions: [{ broken: 'crash' }],
    play: async (actor) => {
      await release(actor);
      await actor.wait(300);
    },
  },
  {
    name: 'slow image pull',
    about: 'A registry that is away is nobody’s fault: inconclusive, and tried again with growing pauses.',
    spec: { preparation: { deadlineSeconds: 60 } },
    versions: [{ broken: 'pull' }],
    play: async (actor) => {
      await actor.adopt();
      actor.happens('the registry is away', ({ world }) => {
        world.kubelet.registry = false;
      });
      actor.wish(2);
      await actor.wait(120);
      actor.happens('the registry is back', ({ world }) => {
        world.kubelet.registry = true;
      });
      await actor.reach('Committed');
    },
  },
  {
    name: 'quota exhausted',
    about:
      'The API server’s own words are shown, nothing is rejected, and it is tried again when there may be room.',
    spec: { preparation: { deadlineSeconds: 60 } },
    versions: [{}],
    play: async (actor) => {
      await actor.adopt();
      actor.happens('the quota leaves room for one more pod', ({ world }) => {
        world.quota.pods = 4;
      });
      actor.wish(2);
      await actor.wait(80);
      actor.happens('the quota is raised', ({ world }) => {
        world.quota.pods = 1000;
      });
      await actor.reach('Committed');
    },
  },
  {
    name: 'a rejected revision is not tried again',
    about:
      'The same content under a new commit is the same content; another one is welcome; retry is somebody’s decision.',
    spec: { gates },
    versions: [{ smoke: 'fail' }],
    play: async (actor) => {
      await release(actor, 'Failed');
      await actor.wait(60);
      actor.wish(1);
      await actor.wait(30);
      actor.wish(2);
      await actor.wait(30);
      actor.order('retry');
      await actor.wait(60);
    },
  },
  {
    name: 'abort',
    about: 'Somebody ends the release before the switch: production was never touched.',
    spec: { gates },
    versions: [{ startMs: [20_000, 20_000] }],
    play: async (actor) => {
      await release(actor, 'Preparing');
      await actor.wait(5);
      actor.order('abort');
      await actor.wait(60);
    },
  },
  {
    name: 'suspend',
    about: 'A suspended release starts nothing and moves no traffic; it goes on where it was.',
    spec: { gates },
    versions: [{}],
    play: async (actor) => {
      await release(actor, 'Validating');
      actor.editSpec('sets spec.suspend', { suspend: true });
      await actor.wait(120);
      actor.editSpec('takes spec.suspend back', { suspend: false });
      await actor.reach('Committed');
    },
  },
];

/** Releases that go well, or are overtaken by the next. */

import type { Story } from '../script.ts';
import { checks, gates, release } from './common.ts';

export const RELEASING: readonly Story[] = [
  {
    name: 'smooth release',
    about:
      'Readiness, a Job, the switch, the watch, the commit; ten minutes later the window ends and blue is idle.',
    spec: { gates, observation: { durationSeconds: 60, checks }, rollback: { windowSeconds: 600 } },
    versions: [{}],
    play: async (actor) => {
      await release(actor);
      await actor.wait(800);
    },
  },
  {
    name: 'the window ends and a standby is kept',
    about: 'capacity.standby: 1 keeps one pod of the old side for as long as nothing else is released.',
    spec: { rollback: { windowSeconds: 300 }, capacity: { standby: 1 } },
    versions: [{}],
    play: async (actor) => {
      await release(actor, 'Committed');
      await actor.wait(400);
    },
  },
  {
    name: 'a second revision before the switch',
    about: 'Replace: the candidate has lost its purpose, and the next one takes its place.',
    spec: { gates },
    versions: [{ startMs: [20_000, 20_000] }, {}],
    play: async (actor) => {
      await release(actor);
      await actor.wait(10);
      actor.wish(3);
      await actor.reach('Committed');
    },
  },
  {
    name: 'a second revision after the switch',
    about:
      'What has the traffic is watched to the end; what came meanwhile is released after it, and it is the latest.',
    versions: [{}, {}, {}],
    play: async (actor) => {
      await release(actor, 'Observing');
      await actor.wait(10);
      actor.wish(3);
      await actor.wait(10);
      actor.wish(4);
      await actor.wait(150);
    },
  },
  {
    name: 'a change that is taken back before the switch',
    about: 'The Deployment says again what production runs: the candidate goes, and nothing else happens.',
    versions: [{ startMs: [20_000, 20_000] }],
    play: async (actor) => {
      await release(actor);
      await actor.wait(10);
      actor.wish(1);
      await actor.wait(30);
    },
  },
  {
    name: 'git revert inside the window',
    about:
      'The Deployment says what stands by: that is a way back, at once and without gates, and blames nobody.',
    versions: [{}],
    play: async (actor) => {
      await release(actor, 'Committed');
      await actor.wait(30);
      actor.wish(1);
      await actor.wait(60);
    },
  },
  {
    name: 'git revert after the window',
    about: 'It is a release like any other: the old content is built and proven once more.',
    spec: { rollback: { windowSeconds: 60 } },
    versions: [{}],
    play: async (actor) => {
      await release(actor, 'Committed');
      await actor.wait(120);
      actor.wish(1);
      await actor.wait(90);
    },
  },
  {
    name: 'production grows during validation',
    about: 'The candidate must bring what production has now, not what it had at the start.',
    spec: { gates, autoscaling: { spec: { minReplicas: 2, maxReplicas: 8 } } },
    versions: [{}],
    play: async (actor) => {
      await release(actor, 'Validating');
      actor.happens('the load doubles', ({ world }) => {
        world.load = 6;
      });
      await actor.wait(150);
    },
  },
  {
    name: 'two Services, and the second cannot be patched',
    about: 'All move or none: what was moved goes back, nobody is blamed, and it is tried again.',
    spec: { traffic: { services: [{ name: 'checkout' }, { name: 'admin' }] } },
    versions: [{}],
    play: async (actor) => {
      await actor.adopt();
      actor.happens('a policy forbids to patch Service admin', ({ world }) => {
        world.api.forbidden.set('services/admin', 'the policy "no-friday" denied the request');
      });
      actor.wish(2);
      await actor.wait(60);
      actor.happens('the policy is taken away', ({ world }) => {
        world.api.forbidden.clear();
      });
      await actor.reach('Committed');
    },
  },
];

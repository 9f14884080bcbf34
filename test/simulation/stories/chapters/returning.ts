/** What happens after the switch, when the new side turns out to be bad. */
import { DEPLOYMENTS } from '../../../../src/kube/types.ts';
import type { Stage } from '../../stage.ts';
import { selectedColor } from '../../world.ts';
import type { Story } from '../script.ts';
import { checks, gates, release } from './common.ts';

/** v2 answers errors from now on, or no longer. */
const errs = (errors: 'many' | 'none') => (stage: Stage) =>
  Object.assign(stage.world.scenario.versions[1] ?? {}, { errors });

export const RETURNING: readonly Story[] = [
  {
    name: 'breach after three minutes',
    about: 'Two bad measurements in a row put the traffic back, within seconds; the revision is rejected.',
    spec: { observation: { durationSeconds: 300, checks } },
    versions: [{}],
    play: async (actor) => {
      await release(actor, 'Observing');
      await actor.wait(180);
      actor.happens('v2 answers errors', errs('many'));
      await actor.wait(120);
    },
  },
  {
    name: 'the new version dies after the commit',
    about: 'Inside the window the old side takes over by itself when no pod of the new one is left.',
    versions: [{}],
    play: async (actor) => {
      await release(actor, 'Committed');
      await actor.wait(60);
      actor.die('the pods of green are no longer ready', 'green');
      await actor.wait(90);
    },
  },
  {
    name: 'errors after the commit, and people decide',
    about: 'afterCommit: Alert, the default: it is measured and told, and somebody orders the way back.',
    spec: { observation: { durationSeconds: 60, checks } },
    versions: [{}],
    play: async (actor) => {
      await release(actor, 'Committed');
      await actor.wait(60);
      actor.happens('v2 answers errors', errs('many'));
      await actor.wait(150);
      actor.order('rollback');
      await actor.wait(60);
    },
  },
  {
    name: 'errors after the commit, and the traffic goes back',
    about: 'afterCommit: Rollback does inside the window what is done under watch.',
    spec: {
      observation: { durationSeconds: 60, checks },
      rollback: { windowSeconds: 3600, afterCommit: 'Rollback' },
    },
    versions: [{}],
    play: async (actor) => {
      await release(actor, 'Committed');
      await actor.wait(60);
      actor.happens('v2 answers errors', errs('many'));
      await actor.wait(210);
    },
  },
  {
    name: 'the side that is gone back to dies on the way',
    about: 'After a minute the way back counts as done, so that a fix need not wait for what it fixes.',
    spec: { observation: { durationSeconds: 300 } },
    versions: [{}, {}],
    play: async (actor) => {
      await release(actor, 'Observing');
      await actor.wait(40);
      actor.die('the pods of green are no longer ready', 'green');
      await actor.until('the way back', ({ world }) => selectedColor(world.api) === 'blue');
      actor.die('the pods of blue are no longer ready', 'blue');
      await actor.wait(90);
      actor.wish(3);
      await actor.wait(120);
    },
  },
  {
    name: 'both sides dead, and the fix goes ahead',
    about: 'Nowhere to go back to: it is said so, and a fix need not wait for what it fixes to become well.',
    spec: { observation: { durationSeconds: 600 } },
    versions: [{}, {}],
    play: async (actor) => {
      await release(actor, 'Observing');
      await actor.wait(60);
      actor.die('the pods of blue are no longer ready', 'blue');
      await actor.wait(30);
      actor.die('the pods of green are no longer ready', 'green');
      await actor.wait(120);
      actor.wish(3);
      await actor.wait(300);
    },
  },
  {
    name: 'a bad release whose standby was deleted by hand',
    about: 'The old side is built again at once; a breach before it is ready waits for it, a minute at most.',
    spec: { observation: { durationSeconds: 300, checks } },
    versions: [{}],
    play: async (actor) => {
      await release(actor, 'Observing');
      actor.happens('v2 answers errors', errs('many'));
      await actor.wait(19);
      actor.happens('somebody deletes Deployment checkout-blue', ({ world }) =>
        world.api.delete(DEPLOYMENTS, 'checkout-blue', { propagation: 'Background' }),
      );
      await actor.wait(60);
    },
  },
  {
    name: 'metric source away',
    about:
      'Unknown is not bad: the release is held, production stays, and it is committed when the source is back.',
    spec: { observation: { durationSeconds: 60, checks } },
    versions: [{}],
    play: async (actor) => {
      await release(actor, 'Observing');
      await actor.wait(20);
      actor.happens('the metric source is away', ({ world }) => {
        world.metrics.answer = {
          kind: 'unknown',
          reason: 'SourceUnreachable',
          message: 'the metric source cannot be reached',
        };
      });
      await actor.wait(120);
      actor.happens('the metric source is back', ({ world }) => {
        world.metrics.answer = undefined;
      });
      await actor.reach('Committed');
    },
  },
  {
    name: 'no traffic to measure, and somebody promotes',
    about: '0/0 is not an error rate: held, until a person decides.',
    spec: { observation: { durationSeconds: 60, checks } },
    versions: [{}],
    play: async (actor) => {
      await release(actor);
      actor.happens('nobody uses the shop: the query divides zero by zero', ({ world }) => {
        world.metrics.answer = { kind: 'unknown', reason: 'NotANumber', message: 'the query answered NaN' };
      });
      await actor.reach('Held');
      await actor.wait(60);
      actor.order('promote');
      await actor.wait(30);
    },
  },
  {
    name: 'manual rollback inside the window, and a retry',
    about: 'At once and without gates; the revision is rejected until somebody retries it.',
    versions: [{}],
    play: async (actor) => {
      await release(actor, 'Committed');
      await actor.wait(30);
      actor.order('rollback');
      await actor.wait(60);
      actor.order('retry');
      await actor.reach('Committed');
    },
  },
  {
    name: 'manual rollback after the window',
    about: 'There is nothing to go back to any more.',
    spec: { rollback: { windowSeconds: 60 } },
    versions: [{}],
    play: async (actor) => {
      await release(actor, 'Committed');
      await actor.wait(120);
      actor.order('rollback');
      await actor.wait(60);
    },
  },
  {
    name: 'abort after the switch',
    about: 'The traffic goes back; the revision is rejected.',
    spec: { observation: { durationSeconds: 300 } },
    versions: [{}],
    play: async (actor) => {
      await release(actor, 'Observing');
      await actor.wait(30);
      actor.order('abort');
      await actor.wait(60);
    },
  },
  {
    name: 'endpoints that do not follow',
    about: 'The switch goes back by itself when the endpoints have not followed in time; nobody is blamed.',
    spec: { gates, traffic: { services: [{ name: 'checkout' }], convergeSeconds: 10 } },
    versions: [{}],
    play: async (actor) => {
      await release(actor, 'Validating');
      actor.happens('the endpoint controller stalls', ({ faults }) => {
        faults.endpoints = 80_000;
      });
      await actor.reach('Failed');
      await actor.wait(5);
      actor.happens('the endpoint controller works again', ({ faults }) => {
        faults.endpoints = 60;
      });
      await actor.reach('Committed');
    },
  },
];

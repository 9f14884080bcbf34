/** What befalls the production Services beside the first one: other writers, and policies that keep them as they are. */
import { COLORS } from '../../src/api/status.ts';
import { SERVICES, type Service } from '../../src/kube/types.ts';
import { namesOf, nextIn } from './faults.ts';
import type { Random } from './random.ts';
import { siblingsOf } from './scenario.ts';
import type { Stage } from './stage.ts';
import { LABEL } from './world.ts';

/** `touch`: notes that somebody else than an operator wrote, or kept, a Service. */
export function startSiblings(stage: Stage, random: Random, touch: () => void): void {
  const { world, timeline, faults, happenings, say } = stage;
  const names = siblingsOf(world.scenario);
  if (names.length === 0) return;

  const edit = (name: string, label: object): void => {
    touch();
    world.api.update<Service>(SERVICES, name, (service) => ({
      ...service,
      spec: { ...service.spec, selector: { app: 'checkout', ...label } },
    }));
  };
  const deeds: Readonly<Record<string, (name: string) => void>> = {
    'a policy keeps a Service': (name) => {
      world.locked.add(name);
      touch();
      timeline.after(random.between(2000, 180_000), () => unlock(name));
    },
    'put the selector of a sibling back': (name) => edit(name, {}),
    'point a sibling elsewhere': (name) => edit(name, { [LABEL]: random.pick(COLORS) }),
  };

  const could = namesOf(deeds, faults);
  if (could.length === 0) return;

  function unlock(name: string): void {
    world.locked.delete(name);
    touch();
  }

  function next(): void {
    timeline.after(nextIn(random, faults.mishapEvery), () => {
      if (world.kubelet.calm) return;
      const deed = random.pick(could);
      const name = random.pick(names);
      if (happenings.happens(deed)) {
        say(`it happens: ${deed} (${name})`);
        deeds[deed]?.(name);
      }
      next();
    });
  }

  next();
}

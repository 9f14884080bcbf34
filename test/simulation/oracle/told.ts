/** Invariant 8: who writes over something has heard that it stands there. One of these for each operator process. */
import { ANNOTATION_FACTS, ANNOTATION_SWITCH } from '../../../src/api/names.ts';
import { COLORS } from '../../../src/api/status.ts';
import type { KubeObject } from '../../../src/kube/ports.ts';
import { CONTROLLER_REVISIONS, DEPLOYMENTS, SERVICES, type Service } from '../../../src/kube/types.ts';
import type { Write } from '../client.ts';
import { RELEASE, type Scenario, SERVICE, siblingsOf } from '../scenario.ts';
import { fail } from './view.ts';

/** Of a write: what it is about. */
type Target = Pick<Write, 'verb' | 'type' | 'name'>;

export interface Told {
  /** A watch, a list or an answer tells of this. */
  hear(type: Target['type'], object: KubeObject): void;
  /** After a write of this process. */
  guard(write: Target, before: KubeObject | undefined, after: KubeObject | undefined): void;
}

export function createTold(scenario: Scenario): Told {
  const services = new Set([SERVICE, ...siblingsOf(scenario)]);
  const sides = new Set(COLORS.map((color) => `${RELEASE}-${color}`));
  const heard = new Set<string>();

  /** What nobody may write over unseen, as text; undefined: this object has nothing of that kind. */
  function stands({ plural }: Target['type'], { metadata, ...body }: KubeObject): string | undefined {
    const { name, annotations, resourceVersion } = metadata;
    if (plural === SERVICES.plural && services.has(name))
      return `${name}: ${JSON.stringify([(body as Partial<Service>).spec?.selector, annotations?.[ANNOTATION_SWITCH]])}`;
    if (plural === CONTROLLER_REVISIONS.plural) return `${name}: ${annotations?.[ANNOTATION_FACTS]}`;
    return plural === DEPLOYMENTS.plural && sides.has(name) ? `${name}: ${resourceVersion}` : undefined;
  }

  return {
    hear(type, object) {
      const text = stands(type, object);
      if (text !== undefined) heard.add(text);
    },
    guard({ verb, type, name }, before, after) {
      // A patch of a side names the number of pods that it is about, or is about labels alone.
      if (before === undefined || after === undefined || (type === DEPLOYMENTS && verb !== 'replace')) return;
      const text = stands(type, before);
      if (text === undefined || text === stands(type, after) || heard.has(text)) return;
      fail(`${type.kind} ${name} was written over by a process that had not heard what stood there`);
    },
  };
}

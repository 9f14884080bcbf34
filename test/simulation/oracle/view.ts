/** What every guard works with. */
import type { Color } from '../../../src/api/status.ts';
import { SERVICES } from '../../../src/kube/types.ts';
import { SERVICE, siblingsOf } from '../scenario.ts';
import type { Timeline } from '../timeline.ts';
import type { Users } from '../users.ts';
import type { World } from '../world.ts';
import type { Purity } from './purity.ts';
import type { Truth } from './truth.ts';

export class Violation extends Error {}

export function fail(message: string): never {
  throw new Violation(message);
}

export interface View {
  readonly world: World;
  readonly truth: Truth;
  readonly timeline: Timeline;
  readonly users: () => Users;
  /**
   * Milliseconds: how old a truth may be on which an operator acts, since its watches lag. It may act on what was true
   * a moment ago; it may not act on what was never so.
   */
  readonly staleness: () => number;
  /** Milliseconds: how wrong a time may be that an operator wrote down, since its clock may have jumped. */
  readonly clockError: () => number;
  /** The most and the fewest ready endpoints of a Service within the staleness. */
  readonly range: (service: string) => { readonly most: number; readonly fewest: number };
  /** Since when production selects what it does. */
  readonly selectedAt: () => number;
  /** The revision that had the traffic before that, and since when. */
  readonly lost: () => { readonly name: string | undefined; readonly since: number };
  /** When this Service last ceased to select this colour. */
  readonly leftAt: (service: string, color: Color) => number | undefined;
  /** When the youngest pod of a colour was made, of those that stood there within the staleness. */
  readonly youngest: (color: Color) => number;
  readonly purity: Purity;
}

export function isRecent({ timeline, staleness, clockError }: View, time: number | undefined): boolean {
  return timeline.now - (time ?? Number.NEGATIVE_INFINITY) <= staleness() + clockError();
}

/** Somebody else edited this a moment ago. */
export function isTouched(view: View, what: string): boolean {
  return isRecent(view, view.users().touchedAt.get(what));
}

/**
 * Of production, or of what a colour could do for it: what its weakest Service has, since their slices are not written
 * at once. The fewest within the staleness.
 */
export function fewestReady({ world, range }: View, color?: Color): number {
  const there = [SERVICE, ...siblingsOf(world.scenario)].filter(
    (name) => world.api.get(SERVICES, name) !== undefined,
  );
  const counts = there.map((name) => range(color === undefined ? name : `${name}-${color}`).fewest);
  return counts.length === 0 ? 0 : Math.min(...counts);
}

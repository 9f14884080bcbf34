/** Invariant 12: traffic is on an eligible side with ready pods whenever one has some. */
import { LABEL_POD_TEMPLATE_HASH, LABEL_REVISION } from '../../../src/api/names.ts';
import { COLORS, type Color } from '../../../src/api/status.ts';
import {
  DEPLOYMENTS,
  type Deployment,
  ENDPOINT_SLICES,
  HORIZONTAL_POD_AUTOSCALERS,
  type HorizontalPodAutoscaler,
  PODS,
  type Pod,
  SERVICES,
} from '../../../src/kube/types.ts';
import { isReady } from '../cluster/deployments.ts';
import { RELEASE, SERVICE, siblingsOf } from '../scenario.ts';
import { LABEL, selectedColor } from '../world.ts';
import { createReadyCounts, type ReadyCounts } from './counts.ts';
import { goesBackInPart, strays } from './siblings.ts';
import { isTarget, windowOf } from './sides.ts';
import { isColor, newestFirst, recorded, type Truth } from './truth.ts';
import { fail, type View } from './view.ts';

/** Milliseconds for which a working operator may leave traffic where it should not be. */
const MOST_ASTRAY_MS = 90_000;

/** Windows end although nothing changes. */
const LOOK_EVERY_MS = 1000;

export interface TrafficGuard {
  readonly counts: ReadyCounts;
  readonly selectedAt: number;
  /** The revision that had the traffic before, and since when. */
  readonly lost: { readonly name: string | undefined; readonly since: number };
  /** When this Service last ceased to select this colour. */
  readonly leftAt: (service: string, color: Color) => number | undefined;
  /** After each event. */
  check(view: View, operatorWorks: boolean): void;
}

export function createTrafficGuard(start: number): TrafficGuard {
  const counts = createReadyCounts();
  let selectedAt = start;
  let lastSelected: string | undefined;
  let lost: TrafficGuard['lost'] = { name: undefined, since: start };
  const leftAt = new Map<string, number>();
  const selections = new Map<string, string | undefined>();
  let astraySince: number | undefined;
  let wrong: string | undefined;
  let seen = '';
  let followed = -1;
  let sourceFollowed = -1;
  const hashes = new Set<string>();
  let lookedAt = start;

  function move(now: number, truth: Truth): void {
    const before = isColor(lastSelected) ? truth.deployment(lastSelected) : undefined;
    lost = { name: before?.metadata.labels?.[LABEL_REVISION], since: selectedAt };
    selectedAt = now;
  }

  return {
    counts,
    get selectedAt() {
      return selectedAt;
    },
    get lost() {
      return lost;
    },
    leftAt: (service, color) => leftAt.get(`${service}-${color}`),
    check(view, operatorWorks) {
      const { timeline } = view;
      const { version } = view.world.api;
      if (version !== seen) {
        follow(view);
        followSource(view);
      }
      if (version !== seen || timeline.now > lookedAt + LOOK_EVERY_MS) judge(view);
      seen = version;
      if (wrong === undefined || !operatorWorks) astraySince = undefined;
      else astraySince ??= timeline.now;
      const patience = MOST_ASTRAY_MS + view.staleness() + view.clockError();
      if (wrong !== undefined && timeline.now - (astraySince ?? timeline.now) > patience) fail(wrong);
    },
  };

  function note(service: string, selected: string | undefined, now: number): void {
    const before = selections.get(service);
    if (before !== undefined && before !== selected) leftAt.set(`${service}-${before}`, now);
    selections.set(service, selected);
  }

  /** What Services select, and what is ready behind them: nothing new where neither they nor their slices changed. */
  function follow(view: View): void {
    const { truth, timeline, world } = view;
    const changed = Math.max(world.api.versionOf(SERVICES), world.api.versionOf(ENDPOINT_SLICES));
    if (changed === followed) return;
    followed = changed;
    for (const name of [SERVICE, ...siblingsOf(world.scenario)]) {
      note(name, selectedColor(world.api, name), timeline.now);
      for (const service of [name, ...COLORS.map((color) => `${name}-${color}`)])
        counts.note(service, timeline.now, truth.ready(service));
    }
    const selected = truth.selected();
    if (selected !== lastSelected) move(timeline.now, truth);
    lastSelected = selected;
  }

  function followSource({ timeline, world: { api } }: View): void {
    const changed = api.versionOf(PODS);
    if (changed === sourceFollowed) return;
    sourceFollowed = changed;
    const own = api.list<Pod>(PODS).filter(({ metadata }) => metadata.labels?.[LABEL] === undefined);
    const hashOf = ({ metadata }: Pod): string => metadata.labels?.[LABEL_POD_TEMPLATE_HASH] ?? '';
    for (const pod of own) hashes.add(hashOf(pod));
    for (const hash of hashes)
      counts.note(hash, timeline.now, own.filter((pod) => isReady(pod) && hashOf(pod) === hash).length);
  }

  function judge(view: View): void {
    wrong =
      astray(view) ??
      outage(view) ??
      darkAdoption(view) ??
      reluctant(view) ??
      small(view) ??
      unlocked(view) ??
      strays(view);
    lookedAt = view.timeline.now;
  }
}

/** Production selects something else than what the facts say is active, and that is ready. */
function astray(view: View): string | undefined {
  const { truth } = view;
  const release = truth.release();
  if (release === undefined || release.metadata.deletionTimestamp !== undefined) return undefined;
  const active = recorded(truth.revisions());
  const service = truth.service();
  if (active === undefined || service === undefined) return undefined;
  if (goesBackInPart(view) || truth.ready(`${SERVICE}-${active.facts.color}`) === 0) return undefined;
  const now = truth.selected();
  if (now === active.facts.color && truth.ready(SERVICE) > 0) return undefined;
  return `${active.name} on ${active.facts.color} is active and ready, and production selects ${now ?? 'no colour'}`;
}

/**
 * Production has no ready endpoint, and the rollback target has: it is put back at once. Not while pods of a candidate
 * stand on that side still, since a quota lets none of the target's begin: those were never proven.
 */
function outage(view: View): string | undefined {
  const { truth } = view;
  if (truth.service() === undefined || truth.ready(SERVICE) > 0) return undefined;
  const color = COLORS.find(
    (each) =>
      each !== truth.selected() &&
      truth.ready(`${SERVICE}-${each}`) > 0 &&
      truth.keptOn(each) !== undefined &&
      isTarget(view, each),
  );
  return color && `production has no ready endpoint, and ${color} stands by with ready pods`;
}

/** While the source is adopted it can serve again at any moment. */
function darkAdoption({ truth, world }: View): string | undefined {
  const newest = newestFirst(truth.revisions())[0]?.facts;
  if (!newest?.adoption || newest.outcome !== undefined || truth.service() === undefined) return undefined;
  const source = world.api.get<Deployment>(DEPLOYMENTS, 'checkout');
  if (truth.ready(SERVICE) > 0 || (source?.status?.readyReplicas ?? 0) === 0) return undefined;
  return 'production has no ready endpoint, and the source that is being adopted has ready pods';
}

/** So long a rollback target that is too small may take to grow. */
const PATIENCE_MS = 60_000;

/** A way back was wanted long ago, the target is ready, and the traffic is still where it was. */
function reluctant({ truth, timeline, clockError }: View): string | undefined {
  const newest = newestFirst(truth.revisions()).find(({ facts }) => facts.returnWanted !== undefined);
  if (newest === undefined || newest.facts.outcome !== undefined) return undefined;
  const { color, returnWanted } = newest.facts;
  if (truth.selected() !== color || timeline.now < (returnWanted?.at ?? 0) + PATIENCE_MS + clockError())
    return undefined;
  const target = truth.keptOn(color === 'blue' ? 'green' : 'blue');
  return target && `the way back to ${target} is wanted and open, and the traffic stays on ${newest.name}`;
}

/** The side that may have to take over, if there is one. */
const standby = (view: View): Color | undefined =>
  COLORS.find((each) => each !== view.truth.selected() && isTarget(view, each));

/** The side that may have to take over is asked to be as large as the window wants, of what production has. */
function small(view: View): string | undefined {
  const { truth, world } = view;
  const color = standby(view);
  if (color === undefined) return undefined;
  const wanted = windowOf(world.scenario, truth.ready(SERVICE));
  const has = truth.deployment(color)?.spec.replicas ?? 0;
  return has >= wanted
    ? undefined
    : `${color} could have to take over from ${truth.ready(SERVICE)} pods, and is ${has}`;
}

/** Its autoscaler, which sees no traffic there, must not take its pods away. */
function unlocked(view: View): string | undefined {
  const color = standby(view);
  const name = `${RELEASE}-${color}`;
  const { api, scenario } = view.world;
  const autoscaler = api.get<HorizontalPodAutoscaler>(HORIZONTAL_POD_AUTOSCALERS, name)?.spec;
  if (color === undefined || autoscaler === undefined) return undefined;
  const wanted = windowOf(scenario, view.truth.ready(SERVICE));
  const { minReplicas = 1 } = autoscaler;
  return minReplicas >= wanted
    ? undefined
    : `${color} could have to take over with ${wanted} pods, and its autoscaler may leave it ${minReplicas}`;
}

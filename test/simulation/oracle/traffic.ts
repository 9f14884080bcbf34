/** Invariant 12: traffic is on an eligible side with ready pods whenever one has some. */
import { COLORS } from '../../../src/api/status.ts';
import { SERVICE } from '../scenario.ts';
import { createReadyCounts, type ReadyCounts } from './counts.ts';
import { isTarget } from './sides.ts';
import { newestFirst, type RevisionTruth, type Truth } from './truth.ts';
import { fail, type View } from './view.ts';

/** Milliseconds for which a working operator may leave traffic where it should not be. */
const MOST_ASTRAY_MS = 90_000;

/** Windows end although nothing changes. */
const LOOK_EVERY_MS = 1000;

export interface TrafficGuard {
  readonly counts: ReadyCounts;
  readonly selectedAt: number;
  /** After each event. */
  check(view: View, operatorWorks: boolean): void;
}

export function createTrafficGuard(start: number): TrafficGuard {
  const counts = createReadyCounts();
  let selectedAt = start;
  let lastSelected: string | undefined;
  let astraySince: number | undefined;
  let wrong: string | undefined;
  let seen = '';
  let lookedAt = start;

  return {
    counts,
    get selectedAt() {
      return selectedAt;
    },
    check(view, operatorWorks) {
      const { timeline } = view;
      const { version } = view.world.api;
      if (version !== seen) look(view);
      else if (timeline.now > lookedAt + LOOK_EVERY_MS) judge(view);
      seen = version;
      if (wrong === undefined || !operatorWorks) astraySince = undefined;
      else astraySince ??= timeline.now;
      const patience = MOST_ASTRAY_MS + view.staleness() + view.clockError();
      if (wrong !== undefined && timeline.now - (astraySince ?? timeline.now) > patience) fail(wrong);
    },
  };

  /** The cluster has changed. */
  function look(view: View): void {
    const { truth, timeline } = view;
    for (const service of [SERVICE, ...COLORS.map((color) => `${SERVICE}-${color}`)])
      counts.note(service, timeline.now, truth.ready(service));
    const selected = truth.selected();
    if (selected !== lastSelected) selectedAt = timeline.now;
    lastSelected = selected;
    judge(view);
  }

  function judge(view: View): void {
    wrong = astray(view.truth) ?? outage(view);
    lookedAt = view.timeline.now;
  }
}

/** Production selects something else than what the facts say is active, and that is ready. */
function astray(truth: Truth): string | undefined {
  const release = truth.release();
  if (release === undefined || release.metadata.deletionTimestamp !== undefined) return undefined;
  const active = recorded(truth);
  if (active === undefined || truth.service() === undefined) return undefined;
  if (truth.ready(`${SERVICE}-${active.facts.color}`) === 0) return undefined;
  const now = truth.selected();
  if (now === active.facts.color && truth.ready(SERVICE) > 0) return undefined;
  return `${active.name} on ${active.facts.color} is active and ready, and production selects ${now ?? 'no colour'}`;
}

/** Production has no ready endpoint, and the rollback target has: it is put back at once. */
function outage(view: View): string | undefined {
  const { truth } = view;
  if (truth.service() === undefined || truth.ready(SERVICE) > 0) return undefined;
  const color = COLORS.find(
    (each) => each !== truth.selected() && truth.ready(`${SERVICE}-${each}`) > 0 && isTarget(view, each),
  );
  return color && `production has no ready endpoint, and ${color} stands by with ready pods`;
}

/** What the facts say is active, where no switch is under way. */
function recorded(truth: Truth): RevisionTruth | undefined {
  const all = newestFirst(truth.revisions());
  if (all[0]?.facts.outcome === undefined) return undefined;
  return all.find(({ facts }) => facts.outcome?.kind === 'Committed' && facts.rejected === undefined);
}

/**
 * Whether the pods that had the traffic still get requests, by the counters that they publish themselves
 * (`traffic.drain.until.podMetrics`). Each of them must have said the same for long enough; one that says nothing may
 * still be used.
 */
import type { PodMetricsSpec } from '../api/schema.ts';
import { otherColor } from './endpoints.ts';
import type { Request } from './plan.ts';
import { followedAt } from './proxies.ts';
import type { StartedRevision } from './roles.ts';
import type { PodView, Snapshot } from './snapshot.ts';

export interface Asked {
  readonly snapshot: Snapshot;
  readonly active: StartedRevision;
  /** What the side that lost the traffic runs. */
  readonly revision: string;
  /** What was answered before says nothing. */
  readonly from: number;
}

export interface Idleness {
  readonly isIdle: boolean;
  readonly requests: readonly Request[];
  /** Milliseconds since the epoch. */
  readonly lookAgainAt: number;
  /** Why nobody knows. */
  readonly unknown: string | undefined;
}

const MOST_OFTEN_MS = 5000;
/** Asked at once; the next when they have answered. Many pods of one release leave places to those of others. */
const MOST_AT_ONCE = 16;

export function byPodMetrics(asked: Asked, wanted: PodMetricsSpec): Idleness {
  const { snapshot, active, revision, from } = asked;
  const { color: winner, attempt } = active.facts;
  const color = otherColor(winner);
  const everyMs = Math.max(MOST_OFTEN_MS, (wanted.idleSeconds * 1000) / 2);
  const pods = oldPods(snapshot, active);
  const seen = pods.map((pod) => ({ pod, scrape: scrapeSince(snapshot, pod, from) }));
  const nextAt = (at: number | undefined): number => (at === undefined ? snapshot.now : at + everyMs);
  const due = seen
    .filter(({ scrape }) => snapshot.now >= nextAt(scrape?.at))
    .toSorted((a, b) => (a.scrape?.at ?? 0) - (b.scrape?.at ?? 0));
  const coming = seen.map(({ scrape }) => nextAt(scrape?.at)).filter((at) => at > snapshot.now);
  const silent = seen.find(({ scrape }) => scrape?.trouble !== undefined);
  return {
    // An answer that is old by now says what was, not what is.
    isIdle: due.length === 0 && seen.every(({ scrape }) => isUnchanged(scrape, wanted)),
    requests: due.slice(0, MOST_AT_ONCE).map(({ pod: { name, uid } }) => ({
      kind: 'Scrape',
      revision,
      attempt,
      color,
      pod: name,
      uid,
      asked: wanted,
    })),
    lookAgainAt: Math.min(...coming, snapshot.now + everyMs),
    unknown: silent && `pod ${silent.pod.name}: ${silent.scrape?.trouble}`,
  };
}

/** Those that a connection made before the switch may lead to. */
function oldPods({ sides }: Snapshot, active: StartedRevision): PodView[] {
  return sides[otherColor(active.facts.color)].pods
    .filter(({ createdAt }) => createdAt < followedAt(active))
    .toSorted((a, b) => a.name.localeCompare(b.name));
}

type Scrape = Snapshot['observations']['scrapes'][string] | undefined;

function scrapeSince({ observations }: Snapshot, { uid }: PodView, from: number): Scrape {
  const scrape = observations.scrapes[uid];
  return scrape !== undefined && (scrape.unchangedSince ?? scrape.at) >= from ? scrape : undefined;
}

function isUnchanged(scrape: Scrape, { idleSeconds }: PodMetricsSpec): boolean {
  return scrape?.unchangedSince !== undefined && scrape.at - scrape.unchangedSince >= idleSeconds * 1000;
}

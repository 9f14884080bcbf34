/** The figures of the demo, from the load generator's and the API server's own time stamps. */
import { colorName } from '../../src/api/names.ts';
import type { Color } from '../../src/api/status.ts';
import type { Switch } from '../support/audit.ts';
import { aloneSince, type EndpointsAt } from '../support/endpoints.ts';
import type { LoadResult } from '../support/load.ts';
import {
  BAD_VERSION,
  byVersion,
  type Failures,
  failedOf,
  failuresOf,
  serverErrorsOf,
  unaccounted,
} from './traffic.ts';

/** What --json writes. Times are RFC 3339; null: it did not happen. */
export interface Report {
  readonly cluster: { readonly kubernetes: string; readonly node: string };
  readonly releases: readonly ReleaseReport[];
  readonly traffic: TrafficReport;
  /** Where the times of the switches come from. */
  readonly measuredBy: 'audit log' | 'watch of the Service';
}

export interface ReleaseReport {
  readonly revision: string;
  readonly version: string;
  readonly outcome: 'Committed' | 'RolledBack';
  readonly decidedAt: string;
  readonly patchedAt: string;
  readonly convergedAt: string | null;
  readonly rollbackPatchedAt: string | null;
}

export interface TrafficReport {
  readonly requests: number;
  readonly failed: number;
  /** The same, by the way they failed. */
  readonly failures: Failures;
  readonly serverErrors: number;
  readonly byVersion: Readonly<Record<string, number>>;
  readonly firstErrorAt: string | null;
  readonly lastErrorAt: string | null;
  /** Milliseconds. */
  readonly latency: { readonly p50: number; readonly p99: number; readonly max: number } | null;
}

/** All that was seen from outside. */
export interface Evidence {
  readonly cluster: Report['cluster'];
  readonly measuredBy: Report['measuredBy'];
  readonly release: string;
  /** In the order of their release. */
  readonly versions: readonly string[];
  readonly switches: readonly Switch[];
  readonly endpoints: readonly EndpointsAt[];
  readonly load: LoadResult;
}

export function reportOf(evidence: Evidence): Report {
  const { cluster, measuredBy, load } = evidence;
  return { cluster, releases: releasesOf(evidence), traffic: trafficOf(load), measuredBy };
}

/** Each way forward is a release; the way back of the same attempt is its end. */
function releasesOf({ release, versions, switches, endpoints }: Evidence): ReleaseReport[] {
  const forward = switches.filter(({ mark }) => mark?.direction === 'Forward');
  return forward.map(({ mark, color, decidedAt, patchedAt }, index) => {
    const back = switches.find(
      (each) => each.mark?.direction === 'Back' && each.mark.attempt === mark?.attempt,
    );
    const alone = aloneSince(endpoints, colorName(release, color as Color), decidedAt);
    return {
      revision: mark?.revision ?? '',
      version: versions[index] ?? '',
      outcome: back === undefined ? 'Committed' : 'RolledBack',
      decidedAt: time(decidedAt),
      patchedAt: time(patchedAt),
      // The watch can tell before the API server has noted the end of the patch.
      convergedAt: timeOrNull(alone && Math.max(alone, patchedAt)),
      rollbackPatchedAt: timeOrNull(back?.patchedAt),
    };
  });
}

function trafficOf({ totals }: LoadResult): TrafficReport {
  return {
    requests: totals.due,
    failed: failedOf(totals),
    failures: failuresOf(totals),
    serverErrors: serverErrorsOf(totals),
    byVersion: byVersion(totals),
    firstErrorAt: timeOrNull(totals.firstErrorAt),
    lastErrorAt: timeOrNull(totals.lastErrorAt),
    latency: totals.latency ?? null,
  };
}

const time = (epochMs: number): string => new Date(epochMs).toISOString();
const timeOrNull = (epochMs: number | undefined): string | null =>
  epochMs === undefined ? null : time(epochMs);

/** Why the demo has not shown what it promises; empty: it has. */
export function shortcomings(report: Report, load: LoadResult): string[] {
  const { traffic, releases } = report;
  const outcomes = releases.map(({ version, outcome }) => `${version} ${outcome}`).join(', ');
  const lost = unaccounted(load.totals);
  const late = lastAnswersOf(load).filter((version) => version === BAD_VERSION);
  return [
    ...(traffic.failed > 0 ? [`${traffic.failed} requests failed`] : []),
    ...(lost !== 0 ? [`${lost} requests are not accounted for`] : []),
    ...(traffic.serverErrors === 0
      ? [`${BAD_VERSION} sent no error, so there was nothing to roll back from`]
      : []),
    ...(outcomes === 'v1 Committed, v2 Committed, v3 RolledBack'
      ? []
      : [`the releases ended as ${outcomes || 'none at all'}`]),
    ...(late.length > 0 ? [`${BAD_VERSION} still answered at the end`] : []),
  ];
}

/** The versions that answered in the last full second. */
function lastAnswersOf({ rows }: LoadResult): string[] {
  const last = rows.at(-2);
  return last === undefined ? [] : Object.keys(byVersion(last));
}

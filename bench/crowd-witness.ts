/** Follows the releases of a crowd to their ends, for who measures it. */
import { ANNOTATION_FACTS } from '../src/api/names.ts';
import { type BlueGreenReleaseObject, RELEASES } from '../src/api/resource.ts';
import type { ReleaseStatus } from '../src/api/status.ts';
import { parseTime } from '../src/api/time.ts';
import { keyOf, releaseOf } from '../src/controller/cache.ts';
import { CONTROLLER_REVISIONS, type ControllerRevision } from '../src/kube/types.ts';
import { parseFacts } from '../src/release/facts.ts';
import { eventually } from '../test/support/eventually.ts';
import type { Say } from './benchmark.ts';
import type { Copy } from './copies.ts';
import { follow } from './follow.ts';
import type { Lab } from './lab.ts';
import { wallClock } from './numbers.ts';

const MOST_MS = 1_200_000;
const LOOK_MS = 500;

export interface Witnessed {
  /** Seconds until all were verified. */
  readonly seconds: number;
  /** Seconds until the last status told of it, too. */
  readonly told: number;
  /** Seconds of each release, from when people began to change it until it was verified. */
  readonly each: readonly number[];
  /** Seconds of CPU of everything in the cluster but the operator, until all were verified. */
  readonly clusterCpu: number;
  /** When the last one was verified; milliseconds since the epoch. */
  readonly verifiedAt: number;
}

export interface CrowdWitness {
  /** People are about to change this one. */
  begins(copy: Copy): void;
  /** Verified is what the facts of a revision say is: a status tells of it, and may be written later. */
  allVerified(): Promise<void>;
  /** Statuses are read from now on: before, the time for that would be measured, and nobody but the operator has to. */
  allCommitted(): Promise<void>;
  end(): Witnessed;
}

export function witnessCrowd(lab: Lab, count: number, say: Say): CrowdWitness {
  const from = wallClock();
  const cpuBefore = lab.clusterCpuSeconds();
  const ending = new AbortController();
  const scope = { signal: ending.signal };
  const begun = new Map<string, number>();
  const verified = new Map<string, number>();
  const told = new Map<string, number>();
  const committed = new Set<string>();
  let clusterCpu = 0;

  function first(seen: Map<string, number>, key: string): void {
    if (begun.has(key) && !seen.has(key)) seen.set(key, wallClock());
  }

  function noteFacts(revision: ControllerRevision): void {
    const { verifiedAt = 0 } = parseFacts(revision.metadata.annotations?.[ANNOTATION_FACTS]) ?? {};
    if (verifiedAt < from) return;
    first(verified, releaseOf(revision) ?? '');
    if (verified.size === count) clusterCpu ||= lab.clusterCpuSeconds() - cpuBefore;
  }

  function noteStatus({ metadata, status }: BlueGreenReleaseObject): void {
    const { switch: last, phase } = (status ?? {}) as ReleaseStatus;
    if ((parseTime(last?.decidedAt) ?? 0) < from || last?.convergedAt === undefined) return;
    const key = keyOf(metadata.namespace, metadata.name);
    first(told, key);
    if (phase === 'Committed' || phase === 'Idle') committed.add(key);
  }

  async function until(what: string, isSo: () => boolean): Promise<void> {
    await eventually(
      `${count} releases to ${what}`,
      MOST_MS,
      () => {
        say(`${verified.size} of ${count} verified, ${told.size} told, ${committed.size} committed`);
        return isSo() || undefined;
      },
      LOOK_MS,
    );
  }

  const last = (seen: Map<string, number>): number => Math.max(...seen.values());
  follow<ControllerRevision>(lab.client, CONTROLLER_REVISIONS, scope, noteFacts);
  return {
    begins: ({ namespace, name }) => void begun.set(keyOf(namespace, name), wallClock()),
    allVerified: () => until('be verified', () => verified.size === count),
    async allCommitted() {
      follow<BlueGreenReleaseObject>(lab.client, RELEASES, scope, noteStatus);
      await until('tell of it', () => told.size === count && committed.size === count);
    },
    end() {
      ending.abort();
      return {
        seconds: (last(verified) - from) / 1000,
        told: (last(told) - from) / 1000,
        each: [...verified].map(([key, at]) => (at - (begun.get(key) ?? from)) / 1000),
        clusterCpu,
        verifiedAt: last(verified),
      };
    },
  };
}

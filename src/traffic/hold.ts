/** What keeps a consumer from being restarted although it does not run with what is published. */
import { endpointAnnotation } from '../api/names.ts';
import type { ConsumerView } from '../release/endpoint-view.ts';
import type { StartedRevision } from '../release/roles.ts';
import type { Snapshot } from '../release/snapshot.ts';

export interface Hold {
  readonly reason: 'ConsumerUnfit' | 'ConsumerContested' | 'ConsumerRefused';
  /** What is the matter with it, and what ends that: a clause that follows its name. */
  readonly clause: string;
  /** When it is tried again, milliseconds since the epoch. */
  readonly until: number;
}

/** A restart that was refused is tried again after this time, milliseconds. */
const TRY_AGAIN_MS = 15_000;

export const restartMs = ({ frozen }: StartedRevision): number =>
  (frozen.traffic.endpoint?.restartSeconds ?? 0) * 1000;

/** Under which this process remembers what became of its restarts. No Service has such a name. */
export const consumerKey = ({ kind, name }: Pick<ConsumerView, 'kind' | 'name'>): string => `${kind}/${name}`;

/** As the last restart of it is remembered. */
export const restartMark = (uid: string, digest: string): string => `${uid}/${digest}`;

/**
 * When it was last restarted with this digest, milliseconds since the epoch; undefined: never, as far as it says itself or
 * this process remembers. An owner that writes everything back takes away what it says; one that cannot be read has no uid.
 */
export function lastRestart(
  { observations }: Snapshot,
  consumer: ConsumerView,
  digest: string,
): number | undefined {
  const { uid, restartedWith, restartedAt } = consumer;
  const known = observations.patches[consumerKey(consumer)];
  const isKnown =
    known !== undefined &&
    (uid === '' ? known.mark.endsWith(`/${digest}`) : known.mark === restartMark(uid, digest));
  const times = [restartedWith === digest ? restartedAt : undefined, isKnown ? known.at : undefined].filter(
    (at) => at !== undefined,
  );
  return times.length === 0 ? undefined : Math.max(...times);
}

/** Whatever else is the matter with it: a restart would not help, or was undone, or is forbidden. */
export function holdOf(
  snapshot: Snapshot,
  revision: StartedRevision,
  consumer: ConsumerView,
): Hold | undefined {
  const digest = snapshot.endpoint?.digests[revision.name];
  const { found, obstacle } = consumer;
  if (!found || digest === undefined || consumer.digest === digest) return undefined;
  if (obstacle !== undefined)
    return { reason: 'ConsumerUnfit', clause: obstacle, until: Number.POSITIVE_INFINITY };
  const last = lastRestart(snapshot, consumer, digest);
  if (last !== undefined) {
    const until = last + restartMs(revision);
    const annotation = endpointAnnotation(snapshot.release.name);
    const clause = `was restarted with what is published, and its pod template was put back since: have whoever writes it keep the annotation ${annotation} of its pod template, or take it out of spec.traffic.endpoint.restart`;
    return { reason: 'ConsumerContested', clause, until };
  }
  const refusal = snapshot.observations.refusals[consumerKey(consumer)];
  if (refusal === undefined) return undefined;
  const clause = `cannot be restarted (${refusal.message}): it is tried again every ${TRY_AGAIN_MS / 1000} seconds`;
  return { reason: 'ConsumerRefused', clause, until: refusal.at + TRY_AGAIN_MS };
}

/**
 * The mover for environments that the operator cannot scale: the address of the side that serves is published in a
 * ConfigMap, and whoever reads it is restarted, one after the other. The mark of a switch stands on the ConfigMap, as it
 * does on a Service; the proof of a switch is that every consumer runs with what is published.
 */
import { COLORS, type Color } from '../api/status.ts';
import type { External } from '../api/workload.ts';
import type { Move } from '../release/effects.ts';
import type { ConsumerView } from '../release/endpoint-view.ts';
import { formatMark } from '../release/mark.ts';
import type { Effect } from '../release/plan.ts';
import type { StartedRevision } from '../release/roles.ts';
import type { Refusal, RevisionView, Snapshot } from '../release/snapshot.ts';
import { type Hold, holdOf, lastRestart, restartMs } from './hold.ts';

type Data = Readonly<Record<string, string>>;

/** What consumers read. */
export function publishedData(external: External, color: Color): Data {
  const { url, revision } = external[color];
  return { url, color, ...(revision !== undefined && { revision }) };
}

/** As it was frozen: what people say of an environment later is another revision. */
export function dataOf({ frozen, facts }: RevisionView): Data | undefined {
  const { external } = frozen.workload;
  return external && facts && publishedData(external, facts.color);
}

export function saysSame(a: Data, b: Data): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

/** What is astray and was refused for good is tried again after this time, milliseconds: as a Service is. */
const PUBLISH_AGAIN_MS = 1000;

/** Why the last write of it failed, where none has succeeded since. */
export function refusalOf({ endpoint, observations }: Snapshot): Refusal | undefined {
  return endpoint && observations.refusals[endpoint.name];
}

/** Where that is due: the ConfigMap says what this revision publishes, under this mark. */
export function publish(snapshot: Snapshot, move: Move): Effect[] {
  const refusal = refusalOf(snapshot);
  const isHeld = refusal?.final && snapshot.now < refusal.at + PUBLISH_AGAIN_MS;
  return isHeld ? [] : unpublished(snapshot, move);
}

/** The same, whenever it may be written. */
export function unpublished({ endpoint, revisions, now }: Snapshot, move: Move): Effect[] {
  const { color, mark } = move;
  if (endpoint?.state !== 'Ours' || color === undefined || mark === undefined) return [];
  const revision = revisions.find(({ name }) => name === mark.revision);
  const data = revision && dataOf(revision);
  if (data === undefined) return [];
  if (endpoint.rawMark === formatMark(mark) && saysSame(endpoint.data, data)) return [];
  return [
    {
      kind: 'Publish',
      configMap: endpoint.name,
      uid: endpoint.uid,
      from: endpoint.data,
      expectedMark: endpoint.rawMark,
      color,
      mark,
      data,
      decidedAt: move.decidedAt ?? now,
      reason: move.reason,
      rescue: move.rescue,
    },
  ];
}

/** Creates the ConfigMap, or puts our labels on it again. One that is nobody's to take is a problem, and left alone. */
export function claimEndpoint({ endpoint }: Snapshot): Effect[] {
  if (endpoint === undefined || endpoint.state === 'Ours' || endpoint.state === 'Foreign') return [];
  const { name: configMap, state, uid, resourceVersion } = endpoint;
  const expected = state === 'Absent' ? undefined : { uid, resourceVersion };
  return [{ kind: 'ClaimEndpoint', configMap, expected }];
}

/** How far the consumers are. */
export interface Following {
  /** The first that does not run with what the revision publishes; undefined: all do. */
  readonly behind: ConsumerView | undefined;
  /** Why that one is not restarted whenever it is due. */
  readonly hold: Hold | undefined;
  /** The next restart, where it is time for one. */
  readonly effects: readonly Effect[];
  /** When they have to be done, milliseconds since the epoch; undefined before the first restart. */
  readonly deadline: number | undefined;
}

/**
 * In the order of the spec, each when those before it are done. `passOver`: one that has had its time, or may not be
 * restarted now, keeps the others waiting no longer. What is gone has nothing to prove.
 */
export function follow(snapshot: Snapshot, revision: StartedRevision, passOver: boolean): Following {
  const { endpoint, now } = snapshot;
  const digest = endpoint?.digests[revision.name];
  if (endpoint === undefined || digest === undefined)
    return { behind: undefined, hold: undefined, effects: [], deadline: undefined };
  const timeMs = restartMs(revision);
  const late = endpoint.consumers.filter((consumer) => !runsWith(consumer, digest));
  const isDue = (consumer: ConsumerView): boolean =>
    consumer.digest !== digest && now >= (holdOf(snapshot, revision, consumer)?.until ?? 0);
  const isUnderWay = (consumer: ConsumerView): boolean =>
    consumer.digest === digest && now < (consumer.restartedAt ?? now) + timeMs;
  const waiting = passOver ? late.find((consumer) => isUnderWay(consumer) || isDue(consumer)) : late[0];
  const started = endpoint.consumers
    .map((consumer) =>
      consumer.digest === digest ? (consumer.restartedAt ?? now) : lastRestart(snapshot, consumer, digest),
    )
    .filter((at) => at !== undefined);
  return {
    behind: late[0],
    hold: late[0] && holdOf(snapshot, revision, late[0]),
    effects: waiting !== undefined && isDue(waiting) ? [restart(waiting, digest, now)] : [],
    // Each restart gives all of them the whole time again: a pod that is replaced meanwhile is no failure.
    deadline: started.length === 0 ? undefined : Math.max(...started) + timeMs,
  };
}

/**
 * When the first consumer was restarted with what this revision publishes, milliseconds since the epoch; undefined: none
 * was, and so nobody is known to use that side.
 */
export function usedSince({ endpoint }: Snapshot, { name }: RevisionView): number | undefined {
  const digest = endpoint?.digests[name];
  const times = (endpoint?.consumers ?? [])
    .filter((consumer) => digest !== undefined && consumer.digest === digest)
    .flatMap(({ restartedAt }) => restartedAt ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}

export function runsWith({ found, digest, complete }: ConsumerView, wanted: string | undefined): boolean {
  return !found || (digest === wanted && complete);
}

function restart({ kind: consumer, name, uid }: ConsumerView, digest: string, at: number): Effect {
  return { kind: 'RestartConsumer', consumer, name, uid, digest, at };
}

export const consumerInWords = ({ kind, name }: ConsumerView): string => `${kind} "${name}"`;

/** The side whose address stands there; both may have the same, and then it says which. */
export function sideOf(data: Data, external: External): Color | undefined {
  const sides = COLORS.filter((color) => external[color].url === data.url);
  return sides.find((color) => color === data.color) ?? sides[0];
}

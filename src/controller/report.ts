/** Tells what was decided: the status, an event for each change of state, and the metrics. */
import { type BlueGreenReleaseObject, RELEASES } from '../api/resource.ts';
import type { ReleaseStatus } from '../api/status.ts';
import type { KubeClient, Store } from '../kube/ports.ts';
import type { ObjectReference } from '../kube/types.ts';
import { referenceTo } from '../kube/types.ts';
import type { Verdict } from '../release/plan.ts';
import { sameJson } from './json.ts';

export interface ReleaseEvent {
  readonly regarding: ObjectReference;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly action: string;
  readonly note: string;
}

/** The top-level members of the status that differ, as a merge patch; undefined where none does. */
export function statusPatch(before: unknown, after: ReleaseStatus): Record<string, unknown> | undefined {
  const old = (before ?? {}) as Record<string, unknown>;
  const next = after as Record<string, unknown>;
  const changed = [...new Set([...Object.keys(old), ...Object.keys(next)])].filter(
    (key) => !sameJson(old[key], next[key]),
  );
  if (changed.length === 0) return undefined;
  return Object.fromEntries(changed.map((key) => [key, next[key] ?? null]));
}

/** Writes only what changed, and nothing where nothing did. */
export async function writeStatus(
  client: KubeClient,
  releases: Store<BlueGreenReleaseObject>,
  object: BlueGreenReleaseObject,
  status: ReleaseStatus,
): Promise<BlueGreenReleaseObject> {
  const patch = statusPatch(object.status, status);
  if (patch === undefined) return object;
  const { namespace = '', name } = object.metadata;
  const written = await client.patch<BlueGreenReleaseObject>(
    RELEASES,
    { namespace, name },
    { type: 'merge', body: { status: patch } },
    { subresource: 'status' },
  );
  releases.note(written);
  return written;
}

const WARNINGS = new Set(['Stalled', 'Failed', 'RollingBack', 'RolledBack', 'Held']);

/** One event for each change of phase or reason; waiting in one phase is no news. */
export function eventFor(
  object: BlueGreenReleaseObject,
  previous: ReleaseStatus,
  verdict: Verdict,
): ReleaseEvent | undefined {
  const reason = previous.conditions?.find(({ type }) => type === 'Ready')?.reason;
  const settled = verdict.effects === undefined || verdict.effects.length === 0;
  if (
    previous.phase === verdict.phase &&
    (settled ? reason === verdict.reason || !verdict.stalled : reason === verdict.reason)
  )
    return undefined;
  return {
    regarding: referenceTo(RELEASES, object.metadata),
    type: WARNINGS.has(verdict.phase) || verdict.stalled ? 'Warning' : 'Normal',
    reason: verdict.reason,
    action: verdict.phase,
    note: verdict.message,
  };
}

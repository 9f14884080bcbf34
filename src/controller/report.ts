/** Tells what was decided: the status, an event for each change of state, and the metrics. */

import { sameJson } from '../api/json.ts';
import { type BlueGreenReleaseObject, RELEASES } from '../api/resource.ts';
import type { ReleaseStatus } from '../api/status.ts';
import type { KubeClient, Store } from '../kube/ports.ts';
import type { ObjectReference } from '../kube/types.ts';
import { referenceTo } from '../kube/types.ts';
import type { Verdict } from '../release/plan.ts';

export interface ReleaseEvent {
  readonly regarding: ObjectReference;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly action: string;
  readonly note: string;
}

/**
 * The difference as a JSON merge patch (RFC 7386); undefined where there is none. What is gone is null at every depth:
 * a merge patch keeps what it does not name.
 */
export function mergePatch(
  before: unknown,
  after: Readonly<Record<string, unknown>>,
): Record<string, unknown> | undefined {
  const old = isObject(before) ? before : {};
  const changes: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(old), ...Object.keys(after)])) {
    const [from, to] = [old[key], after[key]];
    if (sameJson(from, to)) continue;
    changes[key] = isObject(from) && isObject(to) ? mergePatch(from, to) : (to ?? null);
  }
  return Object.keys(changes).length === 0 ? undefined : changes;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Writes only what changed, and nothing where nothing did. The version is its precondition: two differences that were
 * made from two statuses would add up to a third one, which nobody meant.
 */
export async function writeStatus(
  client: KubeClient,
  releases: Store<BlueGreenReleaseObject>,
  object: BlueGreenReleaseObject,
  status: ReleaseStatus,
): Promise<BlueGreenReleaseObject> {
  const patch = mergePatch(object.status, status);
  if (patch === undefined) return object;
  const { namespace = '', name, resourceVersion } = object.metadata;
  const body = { status: patch, ...(resourceVersion !== undefined && { metadata: { resourceVersion } }) };
  const written = await client.patch<BlueGreenReleaseObject>(
    RELEASES,
    { namespace, name },
    { type: 'merge', body },
    { subresource: 'status' },
  );
  releases.note(written);
  return written;
}

const WARNINGS = new Set(['Stalled', 'Split', 'Failed', 'RollingBack', 'RolledBack', 'Held']);

/** One event for each change of phase or reason, and for what is newly wrong; waiting in one phase is no news. */
export function eventFor(
  object: BlueGreenReleaseObject,
  previous: ReleaseStatus,
  verdict: Verdict,
): ReleaseEvent | undefined {
  if (verdict.drift === 'Told') return undefined;
  return alertFor(object, previous, verdict) ?? changeFor(object, previous, verdict);
}

function alertFor(
  object: BlueGreenReleaseObject,
  previous: ReleaseStatus,
  { alert, phase }: Verdict,
): ReleaseEvent | undefined {
  const known = previous.conditions?.find(({ type }) => type === 'Healthy')?.reason;
  if (alert === undefined || alert.reason === known) return undefined;
  const regarding = referenceTo(RELEASES, object.metadata);
  return { regarding, type: 'Warning', reason: alert.reason, action: phase, note: alert.message };
}

function changeFor(
  object: BlueGreenReleaseObject,
  previous: ReleaseStatus,
  verdict: Verdict,
): ReleaseEvent | undefined {
  const reason = previous.conditions?.find(({ type }) => type === 'Ready')?.reason;
  const settled = verdict.effects === undefined || verdict.effects.length === 0;
  if (
    verdict.drift === undefined &&
    previous.phase === verdict.phase &&
    (settled ? reason === verdict.reason || !verdict.stalled : reason === verdict.reason)
  )
    return undefined;
  return {
    regarding: referenceTo(RELEASES, object.metadata),
    type: WARNINGS.has(verdict.phase) || verdict.stalled || verdict.drift ? 'Warning' : 'Normal',
    reason: verdict.reason,
    action: verdict.phase,
    note: verdict.message,
  };
}

/** Whether an order is in force still, asked of the API server: a cache may not have heard of the facts yet. */
import { ANNOTATION_FACTS, revisionObjectName } from '../../api/names.ts';
import type { KubeObject, Urgency } from '../../kube/ports.ts';
import { CONTROLLER_REVISIONS } from '../../kube/types.ts';
import type { SwitchMark } from '../../release/mark.ts';
import type { RevisionView } from '../../release/snapshot.ts';
import type { Scene } from '../observe.ts';
import type { Applier } from './applier.ts';
import { StaleError } from './errors.ts';

/** Production is put back without an answer after this time. */
export const ANSWER_DEADLINE_MS = 2000;

/**
 * What vouches for an order is the mark that stands, which every patch tests for. Where none does the facts vouch for it:
 * those of its revision, which another process may have rolled back or committed meanwhile, and of what was begun since,
 * which may have the traffic by now. Who cannot ask does it all the same: production waits for no answer.
 */
export async function assertInForce(
  { client }: Applier,
  { release, snapshot }: Scene,
  mark: SwitchMark | undefined,
  urgency: Urgency,
): Promise<void> {
  const ordered = snapshot.revisions.find(({ name }) => name === mark?.revision);
  const since = ordered?.facts?.attempt ?? Number.POSITIVE_INFINITY;
  const isAbout = (each: RevisionView): boolean => each === ordered || (each.facts?.attempt ?? 0) > since;
  const unchanged = async ({ name, rawFacts }: RevisionView): Promise<void> => {
    const key = { namespace: release.namespace, name: revisionObjectName(release.name, name) };
    const now = await client
      .get<KubeObject>(CONTROLLER_REVISIONS, key, { urgency, deadlineMs: ANSWER_DEADLINE_MS })
      .catch(() => undefined);
    if (now !== undefined && now.metadata.annotations?.[ANNOTATION_FACTS] !== rawFacts)
      throw new StaleError(`the facts of revision ${name} changed in the meantime`);
  };
  await Promise.all(snapshot.revisions.filter(isAbout).map(unchanged));
}

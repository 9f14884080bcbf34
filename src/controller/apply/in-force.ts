/** Whether an order is in force still, asked of the API server: a cache may not have heard of the facts yet. */
import { ANNOTATION_FACTS, colorName, LABEL_REVISION, revisionObjectName } from '../../api/names.ts';
import type { KubeObject, Urgency } from '../../kube/ports.ts';
import { CONTROLLER_REVISIONS, DEPLOYMENTS } from '../../kube/types.ts';
import { formatMark, type SwitchMark } from '../../release/mark.ts';
import type { RevisionView } from '../../release/snapshot.ts';
import type { Scene } from '../observe.ts';
import type { Applier, Of } from './applier.ts';
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

/**
 * The way back leads to a side that the next release writes over, and nothing that its patch tests for tells of that:
 * another process may have begun one a moment ago. A candidate has its facts, which were tested for when it passed. Here
 * too production waits for no answer.
 */
export async function assertHeld(
  { client }: Applier,
  { release, snapshot, pair }: Scene,
  { color, mark, expectedMark }: Of<'PatchSelector'>,
  urgency: Urgency,
): Promise<void> {
  const isOrder = mark?.direction === 'Back' && formatMark(mark) !== expectedMark;
  if (!isOrder || color === undefined || pair !== undefined) return;
  const seen = snapshot.sides[color].deployment?.revision;
  const key = { namespace: release.namespace, name: colorName(release.name, color) };
  const held = await client
    .get<KubeObject>(DEPLOYMENTS, key, { urgency, deadlineMs: ANSWER_DEADLINE_MS })
    .then(
      (now) => now?.metadata.labels?.[LABEL_REVISION],
      () => seen,
    );
  if (held !== seen) throw new StaleError(`${color} holds something else by now: nothing goes back to it`);
}

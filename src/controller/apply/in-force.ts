/** Whether an order is in force still, asked of the API server: a cache may not have heard of the facts yet. */
import { ANNOTATION_FACTS, colorName, LABEL_REVISION, revisionObjectName } from '../../api/names.ts';
import type { KubeObject, Urgency } from '../../kube/ports.ts';
import { CONTROLLER_REVISIONS, type ControllerRevision, DEPLOYMENTS } from '../../kube/types.ts';
import { parseFacts, type RevisionFacts } from '../../release/facts.ts';
import { formatMark, type SwitchMark } from '../../release/mark.ts';
import type { RevisionView } from '../../release/snapshot.ts';
import type { Scene } from '../observe.ts';
import type { Applier, Of } from './applier.ts';
import { StaleError } from './errors.ts';

/** Production is put back without an answer after this time. */
export const ANSWER_DEADLINE_MS = 2000;

/** undefined: it is gone, or nobody answers. */
function revisionNow(
  { client }: Applier,
  { release }: Scene,
  name: string,
  urgency: Urgency,
): Promise<ControllerRevision | undefined> {
  const key = { namespace: release.namespace, name: revisionObjectName(release.name, name) };
  return client
    .get<ControllerRevision>(CONTROLLER_REVISIONS, key, { urgency, deadlineMs: ANSWER_DEADLINE_MS })
    .catch(() => undefined);
}

/**
 * What vouches for an order is the mark that stands, which every patch tests for. Where none does the facts vouch for it:
 * those of its revision, which another process may have rolled back or committed meanwhile, and of what was begun since,
 * which may have the traffic by now. Who cannot ask does it all the same: production waits for no answer.
 */
export async function assertInForce(
  applier: Applier,
  scene: Scene,
  mark: SwitchMark | undefined,
  urgency: Urgency,
): Promise<void> {
  const { revisions } = scene.snapshot;
  const ordered = revisions.find(({ name }) => name === mark?.revision);
  const since = ordered?.facts?.attempt ?? Number.POSITIVE_INFINITY;
  const isAbout = (each: RevisionView): boolean => each === ordered || (each.facts?.attempt ?? 0) > since;
  const unchanged = async ({ name, rawFacts }: RevisionView): Promise<void> => {
    const now = await revisionNow(applier, scene, name, urgency);
    if (now !== undefined && now.metadata.annotations?.[ANNOTATION_FACTS] !== rawFacts)
      throw new StaleError(`the facts of revision ${name} changed in the meantime`);
  };
  await Promise.all(revisions.filter(isAbout).map(unchanged));
}

/** Of an order: what stood there, and what is to stand there. */
type Order = Pick<Of<'PatchSelector'>, 'mark' | 'expectedMark'>;

/** The mark that stands vouches for what was ordered before, and not for this. */
const isNewWayBack = ({ mark, expectedMark }: Order): boolean =>
  mark?.direction === 'Back' && formatMark(mark) !== expectedMark;

const isCommitted = (facts: RevisionFacts | undefined): boolean => facts?.outcome?.kind === 'Committed';

/**
 * With the commit the side that the traffic would go to may be emptied: whoever does that asks after it who has the
 * traffic. So what is to lose it is asked for its commit before, of which this process may not have heard. Whatever else
 * was written of it delays nothing, and production waits for no answer here either.
 */
export async function assertUncommitted(
  applier: Applier,
  scene: Scene,
  order: Order,
  urgency: Urgency,
): Promise<void> {
  if (!isNewWayBack(order)) return;
  const isLoser = ({ facts }: RevisionView): boolean => facts?.attempt === order.mark?.attempt;
  const loser = scene.snapshot.revisions.findLast(isLoser);
  if (loser === undefined || isCommitted(loser.facts)) return;
  const now = await revisionNow(applier, scene, loser.name, urgency);
  if (isCommitted(parseFacts(now?.metadata.annotations?.[ANNOTATION_FACTS])))
    throw new StaleError(`revision ${loser.name} was committed meanwhile: the traffic is not taken from it`);
}

/**
 * The way back leads to a side that the next release writes over, and nothing that its patch tests for tells of that:
 * another process may have begun one a moment ago. A candidate has its facts, which were tested for when it passed. Here
 * too production waits for no answer.
 */
export async function assertHeld(
  { client }: Applier,
  { release, snapshot, pair }: Scene,
  effect: Of<'PatchSelector'>,
  urgency: Urgency,
): Promise<void> {
  const { color } = effect;
  if (!isNewWayBack(effect) || color === undefined || pair !== undefined) return;
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

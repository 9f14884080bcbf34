/** Invariants 1, 4, 6 and 7: where an operator moves production traffic to. */
import { ANNOTATION_SWITCH, ANNOTATION_SWITCH_REASON, LABEL_REVISION } from '../../../src/api/names.ts';
import type { Color } from '../../../src/api/status.ts';
import { DEPLOYMENTS, SERVICES, type Service } from '../../../src/kube/types.ts';
import { isWishSaid, wishedName } from '../content.ts';
import { RELEASE, SERVICE, siblingsOf } from '../scenario.ts';
import { imageOfColor, LABEL } from '../world.ts';
import { guardBreach } from './deserved.ts';
import { guardHandBack } from './ejection.ts';
import { isColor, newestFirst, type RevisionTruth } from './truth.ts';
import { fail, isRecent, isTouched, type View } from './view.ts';
import { guardWarm } from './warm-up.ts';

export function guardSelector(view: View, before: Service | undefined, after: Service | undefined): void {
  if (before === undefined || after === undefined || before === after) return;
  const selector = after.spec.selector ?? {};
  if (Object.keys(selector).length === 0) fail('the production selector became empty');
  guardHandBack(view, before, after);
  const to = selector[LABEL];
  if (to === before.spec.selector?.[LABEL] || !isColor(to)) return;
  guardEndpoints(view, to);
  const mark = markOf(after);
  if (mark === '' && view.truth.release()?.metadata.deletionTimestamp !== undefined) {
    guardLetGo(view, to);
    return;
  }
  guardMark(view, to, mark, markOf(before));
  guardReason(view, after);
}

/**
 * With its release a Service loses the mark; and one that a backup has put back to a colour that is gone by now is left at
 * the one that goes on serving.
 */
function guardLetGo({ world }: View, color: Color): void {
  if (world.api.get(DEPLOYMENTS, `${RELEASE}-${color}`) === undefined)
    fail(`traffic was left at ${color}, which is gone, when its release was deleted`);
}

const markOf = ({ metadata }: Service): string => metadata.annotations?.[ANNOTATION_SWITCH] ?? '';

function guardEndpoints(view: View, color: Color): void {
  const serving = view.range(SERVICE).fewest;
  if (serving === 0 || view.truth.readyPods(color).length > 0 || view.range(twin(color)).most > 0) return;
  fail(`traffic was moved to ${color}, which has no ready pod, while ${serving} endpoints were ready`);
}

const twin = (color: Color): string => `${SERVICE}-${color}`;

/**
 * A release, unlike a rescue, brings as many pods as it takes from production. Its own count for nothing there: of a
 * Service that lost its key, or was deleted and brought back, they are behind it already.
 */
function guardSize(view: View, { name, facts }: RevisionTruth, mark: string): void {
  const { most } = view.range(twin(facts.color));
  const leaving = facts.color === 'blue' ? 'green' : 'blue';
  const fewest = Math.min(view.range(SERVICE).fewest, view.range(twin(leaving)).fewest);
  const share = Number.parseInt(String(view.world.scenario.spec.capacity?.candidate ?? '100%'), 10);
  // With others on it already, and nothing that they could go back to, the Services are united where they can be.
  const isOnlyEnd = isBegun(view, mark) && view.truth.keptOn(leaving) === undefined;
  if (most < (fewest * share) / 100 && !isOnlyEnd)
    fail(`traffic was moved to ${most} pods of ${name}, from ${fewest}`);
}

/** And what people wish for: suspended, what was begun before is finished all the same. */
function guardWished(view: View, { name, image, facts }: RevisionTruth, mark: string): void {
  const { suspend } = (view.truth.release()?.spec ?? {}) as { suspend?: boolean };
  if (suspend && !isTouched(view, 'spec') && !isBegun(view, mark))
    fail(`traffic was moved to ${name}, and the release is suspended`);
  const { wished, wishedAt, touchedAt } = view.users();
  const now = wishedName(view.world, wished);
  // While the source or its config is deleted nobody can hear of a wish, before Git brings it back.
  const saidAt = Math.max(wishedAt, touchedAt.get('source') ?? 0, touchedAt.get('config') ?? 0);
  const isSaid = isWishSaid(view.world);
  if (now === image || !isSaid || isRecent(view, saidAt)) return;
  // Once it has passed its gates it goes on, or a stream of new wishes would let none of them serve: but not while
  // people wish for what is active.
  const proven =
    (facts.validatedAt ?? Number.POSITIVE_INFINITY) <= saidAt + view.staleness() + view.clockError();
  if (proven && now !== imageOfColor(view.world, facts.color === 'blue' ? 'green' : 'blue')) return;
  fail(`traffic was moved to ${name}, whose content nobody wishes for any more`);
}

/** Nobody but an operator touched the Service: what one put there, another one must not take for drift. */
function guardRepair(view: View, { name, facts }: RevisionTruth, before: string): void {
  const { touchedAt } = view.users();
  // A second process had not heard of the commit yet, and ordered the way back of that attempt: it comes too late.
  const late = before.endsWith(`/${facts.attempt}/back`);
  if (late && view.selectedAt() <= (facts.outcome?.at ?? 0) + view.staleness() + view.clockError()) return;
  if ((touchedAt.get('service') ?? 0) >= view.selectedAt() || isTouched(view, 'service')) return;
  fail(`traffic was moved to ${name} as if the selector had drifted, and nobody had touched it`);
}

function guardMark(view: View, color: Color, mark: string, before: string): void {
  const [, name, attempt, back] = mark.split('/');
  const revision = view.truth.revisions().find((each) => each.name === name);
  if (revision === undefined) {
    if (view.truth.hasRevisions()) fail(`traffic was moved to ${color} for ${name}, which is unknown`);
    return;
  }
  const { facts } = revision;
  if (facts.rejected !== undefined) fail(`traffic was moved to ${name}, which is rejected`);
  if (facts.color !== color)
    fail(`traffic was moved to ${color} for ${name}, which stands on ${facts.color}`);
  if (back === undefined) guardForward(view, revision, Number(attempt));
  else guardBack(view, revision, Number(attempt));
  const repairs = back === undefined && facts.outcome?.kind === 'Committed';
  if (repairs && facts.outcome?.reason !== 'Readopted') guardRepair(view, revision, before);
  if (!repairs) guardPods(view, revision);
  const starts = back === undefined && facts.outcome === undefined && facts.verifiedAt === undefined;
  if (!starts || facts.adoption || isTouched(view, 'service')) return;
  guardSize(view, revision, mark);
  guardWished(view, revision, mark);
  guardWarm(view, revision);
}

/** Back to what was kept, and after the commit only inside the window. */
function guardBack(view: View, { name, facts }: RevisionTruth, attempt: number): void {
  if (facts.committedAt === undefined) fail(`traffic went back to ${name}, which was never committed`);
  const loser = newestFirst(view.truth.revisions()).find((each) => each.facts.attempt === attempt);
  if (loser?.facts.outcome?.kind !== 'Committed' || isTouched(view, 'service')) return;
  const { windowUntil } = loser.facts;
  if (windowUntil !== undefined && windowUntil < view.timeline.now && !isRecent(view, windowUntil))
    fail(`traffic went back to ${name} after the window of ${loser.name}`);
}

function guardReason(view: View, after: Service): void {
  const mark = markOf(after);
  const [, , attempt, back] = mark.split('/');
  const reason = after.metadata.annotations?.[ANNOTATION_SWITCH_REASON];
  if (back === undefined || !reason?.startsWith('AvailabilityBreached:') || isBegun(view, mark)) return;
  const loser = newestFirst(view.truth.revisions()).find(({ facts }) => facts.attempt === Number(attempt));
  if (loser?.facts.outcome === undefined && loser?.facts.returnWanted === undefined && loser !== undefined)
    guardBreach(view, loser);
}

/** Another Service has this order already: what it was decided by was so then, and whoever did may have died since. */
function isBegun({ world }: View, mark: string): boolean {
  const siblings = siblingsOf(world.scenario).map((name) => world.api.get<Service>(SERVICES, name));
  return siblings.some((service) => service !== undefined && markOf(service) === mark);
}

function guardForward({ world }: View, { name, facts, frozen }: RevisionTruth, attempt: number): void {
  if (facts.validatedAt === undefined || facts.attempt !== attempt)
    fail(`traffic was moved to ${name}, which was not validated in attempt ${attempt}`);
  if (facts.adoption || facts.outcome?.kind === 'Committed') return;
  const open = (frozen.gates ?? []).find(
    (gate) => !world.passedJobs.has(`${RELEASE}-${gate.name}-${attempt}`),
  );
  if (open !== undefined)
    fail(`traffic was moved to ${name} although its gate ${open.name} did not pass in attempt ${attempt}`);
}

/** The selector gives the traffic to all ready pods of a colour: none of them may be of another revision. */
function guardPods(view: View, { name, facts: { color } }: RevisionTruth): void {
  const strangers = view.truth
    .readyPods(color)
    .filter((pod) => pod.metadata.labels?.[LABEL_REVISION] !== name);
  const newest = Math.max(...strangers.map(({ metadata }) => Date.parse(metadata.creationTimestamp ?? '')));
  if (strangers.length === 0 || isTouched(view, color) || isRecent(view, newest)) return;
  fail(
    `traffic was moved to ${color} for ${name}, where ${strangers[0]?.metadata.name} is of another revision`,
  );
}

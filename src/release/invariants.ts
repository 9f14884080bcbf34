/**
 * What no plan may do, whichever rule made it: the second opinion that the applier asks before it writes anything.
 *
 * Written against the snapshot alone, without the helpers of the rules, so that a mistake in one of those is not
 * repeated here. Each sentence says what would have been broken. Nothing here demands more of a rescue than one ready
 * pod on the side that it goes to: a guard that blocks the way back would be worse than none.
 */
import { COLORS, type Color } from '../api/status.ts';
import { autoscalingBounds, resolve } from './capacity.ts';
import { credited, published, restarted, restartsMany } from './endpoint-invariants.ts';
import type { RevisionFacts } from './facts.ts';
import { formatMark } from './mark.ts';
import type { Effect } from './plan.ts';
import type { ColorDeploymentView, Endpoint, RevisionView, ServiceView, Snapshot } from './snapshot.ts';

type Of<Kind extends Effect['kind']> = Extract<Effect, { kind: Kind }>;
type Patch = Of<'PatchSelector'>;

const OTHER: Readonly<Record<Color, Color>> = { blue: 'green', green: 'blue' };

/** One sentence for each invariant that these effects would break; empty: they may be applied. */
export function violations(snapshot: Snapshot, effects: readonly Effect[]): string[] {
  return [
    finalizerBeforeRest(effects),
    deletesServing(snapshot, effects),
    restartsMany(effects),
    ...effects.flatMap((effect) => [writesPair(snapshot, effect), ...broken(snapshot, effect)]),
  ].filter((sentence) => sentence !== undefined);
}

type Guards = { [Kind in Effect['kind']]?: (snapshot: Snapshot, effect: Of<Kind>) => (string | undefined)[] };

const GUARDS: Guards = {
  PatchSelector: patched,
  HandBack: handedBack,
  Publish: published,
  PublishSecret: credited,
  RestartConsumer: restarted,
  ScaleColor: (snapshot, effect) => [
    shrinksServing(snapshot, effect),
    takesTarget(snapshot, effect.color, effect.to),
  ],
  WriteColor: (snapshot, effect) => [overwritesServing(snapshot, effect), replacesTarget(snapshot, effect)],
  PointPreview: ({ services }, { service }) => [
    services.some(({ name }) => name === service)
      ? `Service ${service} is pointed as a preview, and is production`
      : undefined,
  ],
  RemoveCopy: ({ sides, release }, { color, name }) => [
    takesConfig(sides[color].deployment, release.deleting, name),
  ],
  DeleteColor: (snapshot, effect) => [takesTarget(snapshot, effect.color, 0)],
  RecyclePods: (snapshot, effect) => [endsServing(snapshot, effect), endsTarget(snapshot, effect)],
  ScaleSource: (snapshot, effect) => [parksServing(snapshot, effect)],
  RecordFacts: recorded,
  CreateRevision: (snapshot, effect) => [triesRejected(snapshot, effect.fingerprint, effect.facts)],
  DeleteRevision: (snapshot, effect) => [forgetsUsed(snapshot, effect)],
  RemoveFinalizer: ({ release }) => [
    release.deleting ? undefined : 'the finalizer of a release that is not being deleted',
  ],
};

/** Whatever writes or deletes what a colour is made of. */
const SHAPES_COLOR: ReadonlySet<Effect['kind']> = new Set<Effect['kind']>([
  'WriteColor',
  'DeleteColor',
  'LabelColor',
  'WriteAutoscaler',
  'RemoveAutoscaler',
  'WriteBudget',
  'WriteCopy',
]);

/** The sides of a pair are people's. */
function writesPair({ pair }: Snapshot, { kind }: Effect): string | undefined {
  return pair !== undefined && SHAPES_COLOR.has(kind)
    ? `${kind}: the workloads of a pair are written by people alone`
    : undefined;
}

function broken(snapshot: Snapshot, effect: Effect): (string | undefined)[] {
  const guard = GUARDS[effect.kind] as
    | ((snapshot: Snapshot, effect: Effect) => (string | undefined)[])
    | undefined;
  return guard?.(snapshot, effect) ?? [];
}

function finalizerBeforeRest(effects: readonly Effect[]): string | undefined {
  return effects.slice(0, -1).some(({ kind }) => kind === 'RemoveFinalizer')
    ? 'the finalizer goes before the rest is done'
    : undefined;
}

// 1. A production selector never moves to a side without ready endpoints, and never becomes empty.

function patched(snapshot: Snapshot, effect: Patch): (string | undefined)[] {
  const service = snapshot.services.find(({ name }) => name === effect.service);
  if (service === undefined) return [`Service ${effect.service} is not one of this release`];
  return [
    staleView(service, effect),
    emptiesSelector(snapshot, effect),
    darkens(snapshot, service, effect),
    tooSmall(snapshot, service, effect),
    unprovenForward(snapshot, effect),
    unprovenBack(snapshot, effect),
  ];
}

/** Production goes back to the source only with the release, and only to what is ready there. */
function handedBack(snapshot: Snapshot, effect: Of<'HandBack'>): (string | undefined)[] {
  const service = snapshot.services.find(({ name }) => name === effect.service);
  if (service === undefined) return [`Service ${effect.service} is not one of this release`];
  const label = snapshot.release.spec.traffic.selectorLabel;
  const rest = Object.keys(effect.from).filter((key) => key !== label && key !== 'pod-template-hash');
  const narrows = effect.hash !== undefined && readyUids(service.endpoints).size > 0;
  return [
    staleView(service, effect),
    snapshot.release.deleting ? undefined : 'the source would take over from a release that goes on',
    rest.length === 0 ? `Service ${service.name} would have an empty selector` : undefined,
    narrows && !snapshot.source?.ready
      ? `Service ${service.name} has ready endpoints, and the source has none`
      : undefined,
  ];
}

function staleView(service: ServiceView, effect: Patch | Of<'HandBack'>): string | undefined {
  const sameSelector = JSON.stringify(service.selector) === JSON.stringify(effect.from);
  if (sameSelector && service.rawMark === effect.expectedMark && service.uid === effect.uid) return undefined;
  return `Service ${effect.service} is patched under a precondition that was not seen`;
}

function emptiesSelector({ release }: Snapshot, effect: Patch): string | undefined {
  const rest = Object.keys(effect.from).filter((key) => key !== release.spec.traffic.selectorLabel);
  return rest.length === 0 && effect.color === undefined
    ? `Service ${effect.service} would have an empty selector`
    : undefined;
}

function readyUids(endpoints: readonly Endpoint[]): Set<string> {
  return new Set(endpoints.filter(({ ready }) => ready).map(({ podUid }) => podUid));
}

function darkens({ source, release }: Snapshot, service: ServiceView, effect: Patch): string | undefined {
  const moves = service.selector[release.spec.traffic.selectorLabel] !== effect.color;
  if (!moves || readyUids(service.endpoints).size === 0) return undefined;
  // No pods but the colours' are there to be selected: without the key it has those that it has, and more.
  if (effect.color === undefined && release.spec.workload.deployment !== undefined) return undefined;
  const gains = effect.color === undefined ? (source?.ready ?? 0) : readyOf(service, effect.color).size;
  return gains > 0
    ? undefined
    : `Service ${service.name} has ready endpoints, and ${effect.color ?? 'the source'} has none`;
}

function readyOf(service: ServiceView, color: Color): Set<string> {
  return readyUids(service.twins[color].endpoints);
}

/** A release, unlike a rescue, must bring as many pods as the other colour has behind the Service now. */
function tooSmall({ release }: Snapshot, service: ServiceView, effect: Patch): string | undefined {
  const { color } = effect;
  if (effect.rescue || color === undefined) return undefined;
  const own = readyOf(service, color).size;
  const leaving = readyOf(service, OTHER[color]);
  const serving = [...readyUids(service.endpoints)].filter((uid) => leaving.has(uid)).length;
  const { candidate } = release.spec.capacity;
  const share = typeof candidate === 'number' ? candidate : (Number.parseInt(candidate, 10) * serving) / 100;
  return serving === 0 || own >= share
    ? undefined
    : `${own} ready ${color} pods would replace ${serving} behind Service ${service.name}`;
}

// 4 and 7. Only what was validated is switched to, and only to what was committed is gone back.

function unprovenForward(snapshot: Snapshot, { mark, color, rescue }: Patch): string | undefined {
  if (mark?.direction !== 'Forward') return undefined;
  const facts = factsOf(snapshot, mark.revision);
  // A readopted colour: its revision is created by the effect before.
  if (facts === undefined) return isUnadopted(snapshot) ? undefined : `revision ${mark.revision} is unknown`;
  if (facts.color !== color || mark.uid !== snapshot.release.uid)
    return `the mark does not belong to ${color}`;
  if (facts.validatedAt === undefined || facts.attempt !== mark.attempt)
    return `revision ${mark.revision} was not validated in attempt ${mark.attempt}`;
  if (facts.rejected !== undefined) return `revision ${mark.revision} is rejected`;
  return rescue || snapshot.release.deleting ? undefined : strangersIn(snapshot, facts.color, mark.revision);
}

function isUnadopted({ revisions }: Snapshot): boolean {
  return revisions.every(({ facts }) => facts === undefined);
}

function unprovenBack(snapshot: Snapshot, { mark, color }: Patch): string | undefined {
  if (mark?.direction !== 'Back') return undefined;
  // The same order once more, to a Service where it was undone or is not yet.
  if (snapshot.services.some(({ rawMark }) => rawMark === formatMark(mark))) return undefined;
  const facts = factsOf(snapshot, mark.revision);
  if (facts?.committedAt === undefined || facts.color !== color)
    return `revision ${mark.revision} was never committed on ${color}`;
  if (facts.rejected !== undefined) return `revision ${mark.revision} is rejected`;
  return strangersIn(snapshot, facts.color, mark.revision);
}

/** The colour holds another revision, or pods of one that are ready, as they or their endpoints say. */
function strangersIn({ sides, services }: Snapshot, color: Color, revision: string): string | undefined {
  const { deployment, pods } = sides[color];
  if (deployment?.revision !== revision || !deployment.matches)
    return `the Deployment of ${color} does not hold revision ${revision}`;
  const listed = services.map((service) => readyOf(service, color));
  const stranger = pods.find(
    (pod) => pod.revision !== revision && (pod.ready || listed.some((ready) => ready.has(pod.uid))),
  );
  return stranger && `pod ${stranger.name} of ${color} is not of revision ${revision}`;
}

function factsOf({ revisions }: Snapshot, name: string): RevisionFacts | undefined {
  return revisions.find((revision) => revision.name === name)?.facts;
}

// 3. Nothing that a production Service selects, and no rollback target inside its window, is scaled down or deleted.

function colorsNamed({ services, release }: Snapshot): Set<string | undefined> {
  return new Set(
    services.filter(({ found }) => found).map(({ selector }) => selector[release.spec.traffic.selectorLabel]),
  );
}

function shrinksServing(snapshot: Snapshot, { color, to }: Of<'ScaleColor'>): string | undefined {
  const desired = snapshot.sides[color].deployment?.desired ?? 0;
  if (to >= desired || to === snapshot.release.spec.replicas) return undefined;
  return colorsNamed(snapshot).has(color)
    ? `${color} serves and would shrink from ${desired} to ${to}`
    : undefined;
}

function overwritesServing(snapshot: Snapshot, { color, expected }: Of<'WriteColor'>): string | undefined {
  if (expected === undefined || !colorsNamed(snapshot).has(color)) return undefined;
  return `${color} serves and would be overwritten`;
}

/** Named by a selector, by a mark that a selector may follow in a moment, or listed at the endpoints still. */
function endsServing(
  { services, leftovers, sides, release }: Snapshot,
  effect: Of<'RecyclePods'>,
): string | undefined {
  const other = OTHER[effect.color];
  const selectors = [...services, ...leftovers.filter(({ twinOf }) => twinOf === undefined)];
  const elsewhere =
    services.every(({ found }) => found) &&
    selectors.every(({ selector }) => selector[release.spec.traffic.selectorLabel] === other);
  const listed = new Set(services.flatMap(({ endpoints }) => endpoints.map(({ podUid }) => podUid)));
  const stranger = effect.pods.find(({ uid }) => sides[effect.color].pods.every((pod) => pod.uid !== uid));
  if (stranger !== undefined) return `pod ${stranger.name} is not known as one of ${effect.color}`;
  const serves = !elsewhere || effect.pods.some(({ uid }) => listed.has(uid));
  return serves ? `pods of ${effect.color} would end although a Service may select them` : undefined;
}

/** The template names it: pods that start later would wait for it for ever. */
function takesConfig(
  deployment: ColorDeploymentView | undefined,
  deleting: boolean,
  name: string,
): string | undefined {
  const [own] = Object.entries(deployment?.config?.configMaps ?? {}).filter(([configMap, digest]) =>
    name.endsWith(`-${configMap}-${digest.slice(0, 10)}`),
  );
  if (own === undefined || deleting) return undefined;
  return `ConfigMap ${name} would be removed, and pods read it`;
}

/** At most a quarter at a time, and never the last ready one. */
function endsTarget(snapshot: Snapshot, { color, pods }: Of<'RecyclePods'>): string | undefined {
  const target = targetOn(snapshot, color);
  if (target === undefined) return undefined;
  const ready = snapshot.sides[color].pods.filter((pod) => pod.ready).length;
  const left = ready - pods.length;
  if (left >= 1 && pods.length <= Math.ceil(ready / 4)) return undefined;
  return `${pods.length} of ${ready} ready pods of the rollback target ${target.name} would end at once`;
}

/** A Service without the key may rest on the colours as well: then as many others must stay. */
function deletesServing(snapshot: Snapshot, effects: readonly Effect[]): string | undefined {
  const colors = effects.filter((effect) => effect.kind === 'DeleteColor').map(({ color }) => color);
  const rests = snapshot.services.some((service) => {
    const own = new Set(colors.flatMap((color) => [...readyOf(service, color)]));
    const serving = [...readyUids(service.endpoints)];
    const lost = serving.filter((uid) => own.has(uid)).length;
    return lost > serving.length - lost;
  });
  const named = colors.some((color) => colorsNamed(snapshot).has(color));
  return rests || named ? `${colors.join(' and ')} would be deleted while production rests on it` : undefined;
}

/** A Service that names no colour rests on the source's pods. */
function parksServing(snapshot: Snapshot, { from, to }: Of<'ScaleSource'>): string | undefined {
  const rests = [...colorsNamed(snapshot)].some((value) => !COLORS.some((color) => color === value));
  return rests && to < from ? 'a Service names no colour, and the source would shrink' : undefined;
}

/** The revision on this colour that the serving side could go back to, in time. */
function targetOn(snapshot: Snapshot, color: Color): RevisionView | undefined {
  const active = activeOpposite(snapshot, color)?.facts;
  const open = active?.outcome === undefined || snapshot.now < (active.windowUntil ?? 0);
  if (active?.verifiedAt === undefined || !open) return undefined;
  const held = snapshot.sides[color].deployment?.revision;
  const target = snapshot.revisions.find(({ name }) => name === held);
  const facts = target?.facts;
  const isKept = facts?.outcome?.kind === 'Committed' && facts.rejected === undefined;
  return isKept && facts.color === color ? target : undefined;
}

function activeOpposite(snapshot: Snapshot, color: Color): RevisionView | undefined {
  const named = [...colorsNamed(snapshot)];
  const serving = OTHER[color];
  if (named.length !== 1 || named[0] !== serving) return undefined;
  const held = snapshot.sides[serving].deployment?.revision;
  return snapshot.revisions.find(({ name, facts }) => name === held && facts?.color === serving);
}

function takesTarget(snapshot: Snapshot, color: Color, to: number): string | undefined {
  const target = targetOn(snapshot, color);
  const desired = snapshot.sides[color].deployment?.desired ?? 0;
  if (target === undefined || to >= desired || snapshot.release.deleting) return undefined;
  if (to >= longWanted(snapshot, color, desired) || isSpare(snapshot, color, to)) return undefined;
  return `${color} holds the rollback target ${target.name} and would shrink from ${desired} to ${to}`;
}

/** The most that was asked of the target for ten minutes; without that fact it keeps what it has. */
function longWanted(snapshot: Snapshot, color: Color, desired: number): number {
  const { tooLarge } = activeOpposite(snapshot, color)?.facts ?? {};
  const isLong = tooLarge !== undefined && snapshot.now - tooLarge.since >= 600_000;
  return isLong ? Math.max(1, tooLarge.most) : desired;
}

/**
 * No more than a quarter goes, of which production asks for nothing, and the others are ready and what they should be. One
 * of them was made a moment ago: without that it is production that has become smaller.
 */
function isSpare(snapshot: Snapshot, color: Color, to: number): boolean {
  const { now, sides, release } = snapshot;
  const production = sides[OTHER[color]].deployment?.desired ?? 0;
  const asked = Math.min(
    resolve(release.spec.capacity.window, production),
    autoscalingBounds(snapshot, color)?.max ?? Number.POSITIVE_INFINITY,
  );
  const { desired = 0, matches = false } = sides[color].deployment ?? {};
  const going = desired - to;
  const { pods } = sides[color];
  const ready = pods.filter((pod) => pod.ready).length;
  const stands = matches && ready >= to && pods.some(({ createdAt }) => now - createdAt < 60_000);
  return stands && to >= Math.max(1, asked) && going <= Math.ceil(to / 4);
}

/** Another revision takes the target's place only as the candidate of a release under way. */
function replacesTarget(snapshot: Snapshot, effect: Of<'WriteColor'>): string | undefined {
  const target = targetOn(snapshot, effect.color);
  if (target === undefined) return undefined;
  const facts = factsOf(snapshot, effect.revision);
  const underWay = facts?.outcome === undefined && facts?.color === effect.color;
  if (effect.revision === target.name) return takesTarget(snapshot, effect.color, effect.replicas);
  return underWay
    ? undefined
    : `${effect.color} holds the rollback target ${target.name} and would be overwritten`;
}

function forgetsUsed(snapshot: Snapshot, { revision }: Of<'DeleteRevision'>): string | undefined {
  const held = COLORS.some((color) => snapshot.sides[color].deployment?.revision === revision);
  const marked = snapshot.services.some(({ mark }) => mark?.revision === revision);
  return held || marked ? `revision ${revision} is in use and would be forgotten` : undefined;
}

// 5 and 6. Unknown is not bad, nothing unknown is committed, and what was rejected is not tried again by itself.

function recorded(snapshot: Snapshot, effect: Of<'RecordFacts'>): (string | undefined)[] {
  const revision = snapshot.revisions.find(({ name }) => name === effect.revision);
  if (revision === undefined) return [`revision ${effect.revision} is unknown`];
  return [
    revision.rawFacts === effect.expected
      ? undefined
      : `the facts of ${revision.name} were not the ones seen`,
    verifiesUnvalidated(effect),
    commitsUnknown(snapshot, revision, effect.facts),
    restarts(revision, effect.facts)
      ? triesRejected(snapshot, revision.fingerprint, effect.facts)
      : undefined,
  ];
}

function verifiesUnvalidated({ revision, facts }: Of<'RecordFacts'>): string | undefined {
  return facts.verifiedAt !== undefined && facts.validatedAt === undefined
    ? `revision ${revision} would count as switched without having been validated`
    : undefined;
}

function isAsked({ release }: Snapshot, verb: string, attempt: number): boolean {
  return release.action === `${verb}@${attempt}`;
}

/** What people are told, and what an order names: of a revision that was deleted the Jobs and the mark may be left. */
function presentAttempt({ jobs, services, endpoint }: Snapshot, subject: number): number {
  const marks = [...services, endpoint].map((carrier) => carrier?.mark?.attempt);
  const left = [...jobs.map(({ attempt }) => attempt), ...marks].filter(Number.isSafeInteger);
  return Math.max(subject, ...(left as number[]));
}

function commitsUnknown(
  snapshot: Snapshot,
  revision: RevisionView,
  facts: RevisionFacts,
): string | undefined {
  const commits = facts.outcome?.kind === 'Committed' && revision.facts?.outcome === undefined;
  const isOrdered = isAsked(snapshot, 'promote', presentAttempt(snapshot, facts.attempt));
  if (!commits || facts.adoption || isOrdered) return undefined;
  // It is not kept because it is good, but left because a fix is wished for and nothing can be gone back to.
  if (facts.outcome?.reason === 'GaveWay') return undefined;
  const open = revision.frozen.observation.checks.find(
    ({ name, onUnknown }) =>
      onUnknown === 'Hold' && snapshot.observations.measurements[name]?.at(-1)?.verdict !== 'Good',
  );
  return open && `revision ${revision.name} would be committed although check ${open.name} is not good`;
}

function restarts(revision: RevisionView, facts: RevisionFacts): boolean {
  return revision.facts !== undefined && facts.attempt > revision.facts.attempt;
}

function triesRejected(snapshot: Snapshot, fingerprint: string, facts: RevisionFacts): string | undefined {
  const last = snapshot.revisions.findLast((revision) => revision.fingerprint === fingerprint);
  if (last?.facts?.rejected === undefined || isAsked(snapshot, 'retry', facts.attempt - 1)) return undefined;
  return `the content of revision ${last.name} was rejected and would be tried again`;
}

/**
 * How many pods each side should have. The measure is always what production has ready now, never what some minimum
 * says: a candidate sized to an autoscaler's minimum is an outage in waiting.
 */
import type { IntOrPercent } from '../api/schema.ts';
import type { Color } from '../api/status.ts';
import { otherColor, readyCount, servingOfColor } from './endpoints.ts';
import type { RevisionFacts } from './facts.ts';
import { isCrowded, isSurgeOver, surgeFor } from './recycle.ts';
import type { Roles } from './roles.ts';
import type { Snapshot } from './snapshot.ts';

/** Rounds up: half a pod is a pod. */
export function resolve(value: IntOrPercent, base: number): number {
  if (typeof value === 'number') return value;
  return Math.ceil((Number(value.slice(0, -1)) * base) / 100);
}

interface AutoscalingBounds {
  readonly min: number;
  readonly max: number;
}

/** With autoscaling: a number that the autoscaler would not undo. 0 switches it off. */
function withinBounds(snapshot: Snapshot, color: Color, size: number): number {
  const bounds = autoscalingBounds(snapshot, color);
  return bounds === undefined || size === 0 ? size : Math.min(bounds.max, Math.max(bounds.min, size));
}

/** What the autoscaler of a side may choose from without us, with the API's default of one pod; undefined: it has none. */
export function autoscalingBounds({ release, pair }: Snapshot, color: Color): AutoscalingBounds | undefined {
  if (pair !== undefined) {
    const { autoscaler } = pair[color];
    return autoscaler && { min: autoscaler.own, max: autoscaler.maxReplicas };
  }
  const spec = release.spec.autoscaling?.spec;
  if (spec === undefined) return undefined;
  const min = typeof spec.minReplicas === 'number' ? spec.minReplicas : 1;
  const max = typeof spec.maxReplicas === 'number' ? spec.maxReplicas : min;
  return { min, max };
}

/** The measure of every size: asked for by most rules, and the same for the whole of a decision. */
const productions = new WeakMap<Roles, { readonly of: Snapshot; readonly count: number }>();

/** Ready pods that production has now: of the active colour, or of the source before the adoption. */
function productionNow(snapshot: Snapshot, roles: Roles): number {
  const known = productions.get(roles);
  if (known?.of === snapshot) return known.count;
  const count = countProduction(snapshot, roles);
  productions.set(roles, { of: snapshot, count });
  return count;
}

function countProduction(snapshot: Snapshot, roles: Roles): number {
  if (roles.active === undefined) return beforeAdoption(snapshot, roles);
  const color = roles.active.facts.color;
  // The twin may be missing for a moment, or the production selector may be astray: the larger count is the truth.
  return Math.max(readyCount(snapshot, color), servingOfColor(snapshot, color));
}

/** Beside the source there may stand what an earlier release of this name has left: without a key it serves as well. */
function beforeAdoption(snapshot: Snapshot, { subject }: Roles): number {
  const left = otherColor(subject?.facts.color ?? 'blue');
  return Math.max(snapshot.source?.ready ?? 0, servingOfColor(snapshot, left));
}

/**
 * Ready pods the candidate must have before the switch. A dead production asks for nothing but the candidate's own
 * minimum: a fix must never wait for what it fixes to become well.
 */
export function requiredReady(snapshot: Snapshot, roles: Roles): number {
  const { candidate } = snapshot.release.spec.capacity;
  return Math.max(1, ownMinimum(snapshot, roles), resolve(candidate, productionNow(snapshot, roles)));
}

/** Of the release that is under way, or of one that would begin now. */
export function candidateColor({ active, subject }: Roles): Color {
  if (subject !== undefined && subject.facts.outcome === undefined) return subject.facts.color;
  return active === undefined ? 'blue' : otherColor(active.facts.color);
}

function ownMinimum(snapshot: Snapshot, roles: Roles): number {
  const bounds = autoscalingBounds(snapshot, candidateColor(roles));
  if (bounds !== undefined) return bounds.min;
  const { replicas, capacity } = snapshot.release.spec;
  return resolve(capacity.candidate, replicas ?? wishedReplicas(snapshot, roles));
}

/** Without `spec.replicas`: what the active side was last asked to have. */
function wishedReplicas(snapshot: Snapshot, roles: Roles): number {
  if (roles.active === undefined) return snapshot.wish?.replicas ?? 1;
  return snapshot.sides[roles.active.facts.color].deployment?.desired ?? 1;
}

/** Pods to ask for on the candidate's side: it grows with production and never shrinks before the switch. */
export function candidateSize(snapshot: Snapshot, roles: Roles, color: Color): number {
  const deployment = snapshot.sides[color].deployment;
  const already = deployment?.revision === roles.subject?.name ? (deployment?.desired ?? 0) : 0;
  return Math.max(withinBounds(snapshot, color, requiredReady(snapshot, roles)), already);
}

/** How long the old side must have been too large before it shrinks: production may be as large again in a moment. */
const SHRINK_AFTER_MS = 600_000;

/** Pods to ask for on the old side while it may have to take over: it grows with production, and shrinks late. */
export function windowSize(snapshot: Snapshot, roles: Roles, color: Color): number {
  const already = snapshot.sides[color].deployment?.desired ?? 0;
  return Math.max(
    windowAsked(snapshot, roles, color),
    Math.min(already, mayShrinkTo(snapshot, roles, color)),
  );
}

function mayShrinkTo(snapshot: Snapshot, roles: Roles, color: Color): number {
  const whole = wholeWindow(snapshot, roles, color);
  if (isSurgeOver(snapshot, roles, color, whole)) return whole;
  const { tooLarge } = roles.active?.facts ?? {};
  const isDue = tooLarge !== undefined && snapshot.now >= tooLarge.since + SHRINK_AFTER_MS;
  return isDue ? tooLarge.most : Number.POSITIVE_INFINITY;
}

/** What is asked for now, whatever stands there. */
function windowAsked(snapshot: Snapshot, roles: Roles, color: Color): number {
  const asked = windowShare(snapshot, color, productionNow(snapshot, roles));
  const whole = wholeWindow(snapshot, roles, color);
  const surge = surgeFor(snapshot, roles, color, whole);
  return Math.max(asked, surge === 0 ? 0 : withinBounds(snapshot, color, whole + surge));
}

/** When the old side may shrink; undefined: it is not too large, or may shrink now. */
export function shrinkDue({ now }: Snapshot, { active }: Roles): number | undefined {
  const since = active?.facts.tooLarge?.since;
  return since !== undefined && now < since + SHRINK_AFTER_MS ? since + SHRINK_AFTER_MS : undefined;
}

/** The fact that the old side is too large, as it should stand: begun, raised with what is asked for, or done with. */
export function sizeNote(snapshot: Snapshot, roles: Roles, color: Color): RevisionFacts['tooLarge'] {
  const known = roles.active?.facts.tooLarge;
  // Production that is not ready for a moment has not become smaller.
  const asked = Math.max(windowAsked(snapshot, roles, color), wholeWindow(snapshot, roles, color));
  const desired = snapshot.sides[color].deployment?.desired ?? 0;
  if (known === undefined) return asked < desired ? { since: snapshot.now, most: asked } : undefined;
  const most = Math.max(known.most, asked);
  const isDone = shrinkDue(snapshot, roles) === undefined && desired <= most;
  return isDone ? undefined : { since: known.since, most };
}

function windowShare(snapshot: Snapshot, color: Color, production: number): number {
  return withinBounds(
    snapshot,
    color,
    Math.max(1, resolve(snapshot.release.spec.capacity.window, production)),
  );
}

/** Of what production is asked to have: while it is ill, its old side must not be measured by what is left of it. */
function wholeWindow(snapshot: Snapshot, roles: Roles, color: Color): number {
  const production = productionNow(snapshot, roles);
  return windowShare(snapshot, color, Math.max(production, wishedReplicas(snapshot, roles)));
}

/** The old side is asked to have what production may need of it, or more. */
export function isLargeEnough(snapshot: Snapshot, roles: Roles, color: Color): boolean {
  return (snapshot.sides[color].deployment?.desired ?? 0) >= wholeWindow(snapshot, roles, color);
}

/**
 * Ready pods that the old side keeps while others are replaced. Where there is no room for one more, one of several may
 * be missing for the time that its successor takes.
 */
export function keptWhileRecycling(snapshot: Snapshot, roles: Roles, color: Color): number {
  const whole = wholeWindow(snapshot, roles, color);
  const hasRoom = withinBounds(snapshot, color, whole + 1) > whole && !isCrowded(snapshot, color);
  return hasRoom ? whole : Math.max(1, whole - 1);
}

/**
 * Pods to ask for on the old side when its window is over, of those that production is asked to have: what is ready now
 * flaps, and nobody is in a hurry. None for what
 * was rejected, or never had the traffic.
 */
export function standbySize(snapshot: Snapshot, roles: Roles): number {
  if (roles.active === undefined) return 0;
  const idle = otherColor(roles.active.facts.color);
  const held = snapshot.sides[idle].deployment?.revision;
  const facts = snapshot.revisions.find(({ name }) => name === held)?.facts;
  if (facts?.outcome?.kind !== 'Committed' || facts.rejected !== undefined) return 0;
  const production = snapshot.sides[roles.active.facts.color].deployment?.desired ?? 0;
  return withinBounds(snapshot, idle, resolve(snapshot.release.spec.capacity.standby, production));
}

/**
 * A pair: both sides exist already, and people write them. Which of them serves is read from the Services, as always;
 * what people wish for is a side:
 *
 *     spec.workload.pair.active   is the side that serves   nothing is wished for: its revision stays
 *                                 is the other one          what stands there
 *                                 absent                    what stands there, once somebody has changed it
 */
import { COLORS, type Color } from '../api/status.ts';
import { standingOn } from '../api/workload.ts';
import { otherColor, selectedColor } from './endpoints.ts';
import { soonest } from './look-again.ts';
import type { Effect, PairedKind } from './plan.ts';
import { rolesOf, type StartedRevision } from './roles.ts';
import type { PairedAutoscalerView, RevisionView, Snapshot, WishView } from './snapshot.ts';

/** undefined: what is wished for does not stand there. */
export function pairWish(snapshot: Snapshot): WishView | undefined {
  const { active } = rolesOf(snapshot);
  if (active === undefined) return contentOn(snapshot, servingSide(snapshot) ?? 'blue');
  const idle = otherColor(active.facts.color);
  const { active: asked } = snapshot.release.spec.workload.pair ?? {};
  const isWished = asked === undefined ? isChanged(snapshot, active, idle) : asked === idle;
  return isWished
    ? contentOn(snapshot, idle)
    : { fingerprint: active.fingerprint, podLabels: {}, replicas: 1 };
}

function contentOn({ sides }: Snapshot, color: Color): WishView | undefined {
  const { deployment } = sides[color];
  if (deployment === undefined) return undefined;
  const { fingerprint, podLabels, desired } = deployment;
  return { fingerprint, podLabels, replicas: desired };
}

/**
 * Somebody wrote the side without traffic since it was last looked at, and what they wrote has had no chance yet. Put
 * back to what had one it stands by again: taking an edit back moves no traffic.
 */
function isChanged({ sides, pair, revisions }: Snapshot, active: StartedRevision, idle: Color): boolean {
  const { fingerprint } = sides[idle].deployment ?? {};
  if (fingerprint === undefined || fingerprint === active.facts.beside) return false;
  if (pair?.blue.colorless === pair?.green.colorless) return false;
  const held = revisionHeld(revisions, idle, fingerprint);
  return held === undefined || !isOver(held);
}

/** It had the traffic and left it in peace: it stands by, and nobody wishes for it anew. */
function isOver({ facts }: StartedRevision): boolean {
  return facts.outcome?.kind === 'Committed' || facts.outcome?.reason === 'Reverted';
}

/**
 * The side that every Service names. Where some name none (half of them got the key before a crash), the only side that
 * has pods, if nothing else serves and the others name no other.
 */
export function servingSide(snapshot: Snapshot): Color | undefined {
  const label = snapshot.release.spec.traffic.selectorLabel;
  const selected = snapshot.services.map((service) => selectedColor(service, label));
  const [named, ...others] = new Set(selected.filter((color) => color !== undefined));
  if (others.length > 0) return undefined;
  if (!selected.includes(undefined)) return named;
  const only = onlySide(snapshot);
  return named === undefined || named === only ? only : undefined;
}

function onlySide({ services, sides }: Snapshot): Color | undefined {
  const [only, ...others] = COLORS.filter((color) => (sides[color].deployment?.pods ?? 0) > 0);
  if (only === undefined || others.length > 0) return undefined;
  const own = new Set(sides[only].pods.map(({ uid }) => uid));
  const serving = services.flatMap(({ endpoints }) => endpoints);
  return serving.every(({ podUid }) => own.has(podUid)) ? only : undefined;
}

/**
 * The revision that a side holds: that of the attempt under way, else what was kept, else the latest of the same
 * content. undefined: what stands there was never a revision of this side.
 */
export function revisionHeld(
  revisions: readonly RevisionView[],
  color: Color,
  fingerprint: string,
): StartedRevision | undefined {
  const same = revisions
    .filter(
      (revision): revision is StartedRevision =>
        revision.facts?.color === color && revision.fingerprint === fingerprint,
    )
    .toSorted((a, b) => a.facts.attempt - b.facts.attempt);
  return (
    same.findLast(({ facts }) => facts.outcome === undefined) ??
    same.findLast(({ facts }) => facts.outcome?.kind === 'Committed' && facts.rejected === undefined) ??
    same.at(-1)
  );
}

interface Paired {
  readonly object: PairedKind;
  readonly name: string;
  readonly uid: string;
  readonly claimedBy: string | undefined;
  /** A note of ours stands on it. */
  readonly noted: boolean;
  /** It is what the spec means: nothing of ours goes onto anything else. */
  readonly fits: boolean;
}

/** The workloads and autoscalers that the spec names and that exist. */
function pairedObjects({ pair, sides, release }: Snapshot): Paired[] {
  return COLORS.flatMap((color): Paired[] => {
    const { deployment } = sides[color];
    const { kind: object, name } = standingOn(release, color);
    const { autoscaler, claimedBy, lacks = [] } = pair?.[color] ?? {};
    const fits = lacks.length === 0;
    return [
      deployment && { object, name, uid: deployment.uid, claimedBy, noted: false, fits },
      autoscaler && { ...asPaired(autoscaler), fits: scalesSide(release, color, autoscaler) },
    ].filter((each) => each !== undefined);
  });
}

const asPaired = ({ name, uid, claimedBy, note }: PairedAutoscalerView): Omit<Paired, 'fits'> => ({
  object: 'HorizontalPodAutoscaler',
  name,
  uid,
  claimedBy,
  noted: note !== undefined,
});

/** An autoscaler scales what stands on this side, and nothing else. */
export function scalesSide(
  release: Snapshot['release'],
  color: Color,
  { target }: PairedAutoscalerView,
): boolean {
  const { kind, name } = standingOn(release, color);
  return target.kind === kind && target.name === name;
}

/** Labels of ours that what people wrote does not carry (any more): without them nobody would hear of a change. */
export function claimPaired(snapshot: Snapshot): Effect[] {
  if (snapshot.pair === undefined) return [];
  return pairedObjects(snapshot)
    .filter(({ claimedBy, fits }) => claimedBy === undefined && fits)
    .map(({ object, name, uid }) => ({ kind: 'ClaimPaired', object, name, uid }));
}

/** Autoscalers that the spec names no more. */
export function releaseLeftovers({ pair }: Snapshot): Effect[] {
  return (pair?.leftovers ?? []).map(asPaired).map(releaseOne);
}

/** The release goes: everything of ours on what people wrote goes with it, also where somebody took our label away. */
export function releasePaired(snapshot: Snapshot): Effect[] {
  const { name: own } = snapshot.release;
  const held = pairedObjects(snapshot).filter(
    ({ claimedBy, noted }) => claimedBy === own || (claimedBy === undefined && noted),
  );
  return [...held.map(releaseOne), ...releaseLeftovers(snapshot)];
}

const releaseOne = ({ object, name, uid }: Omit<Paired, 'fits'>): Effect => ({
  kind: 'ReleasePaired',
  object,
  name,
  uid,
});

/** How long an autoscaler is left alone whose raised minimum somebody wrote over: it must not become a fight. */
const LOCK_AGAIN_MS = 60_000;

/** `floor`: pods that the autoscaler must not take away; 0: none. It never asks for more than its own maximum. */
export function lockAutoscaler({ pair, release, now }: Snapshot, color: Color, floor: number): Effect[] {
  const autoscaler = pair?.[color].autoscaler;
  if (autoscaler === undefined || autoscaler.claimedBy !== release.name) return [];
  const { name, uid, minReplicas: from, maxReplicas, own, note } = autoscaler;
  // Turned to something else, it gets its own minimum back.
  const needed = scalesSide(release, color, autoscaler) ? floor : 0;
  const to = Math.max(own, Math.min(maxReplicas, needed));
  if (to === from && (note !== undefined) === (to !== own)) return [];
  if (to > from && now < lockAgainAt(autoscaler)) return [];
  return [{ kind: 'LockAutoscaler', color, name, uid, from, to, own, note, at: now }];
}

/** When a minimum that somebody wrote over may be raised next; undefined: none was, or it may be now. */
export function lockingDue({ pair, now }: Snapshot): number | undefined {
  const dues = COLORS.map((color) => pair?.[color].autoscaler).map((each) => each && lockAgainAt(each));
  return soonest(now, dues).lookAgainAt;
}

function lockAgainAt({ overwrittenSince }: PairedAutoscalerView): number {
  return overwrittenSince === undefined ? 0 : overwrittenSince + LOCK_AGAIN_MS;
}

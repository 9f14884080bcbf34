/**
 * Ejection: the release is being deleted, and the source Deployment takes production back. A small release of its own,
 * and the adoption run backwards, in which production is served at every moment:
 *
 *   other colour gone ─> source as large as what serves ─> pause it ─> selectors to the source's pods alone ─> proof
 *   ─> drain ─> colours gone ─> selectors as before the adoption ─> autoscaler, pause, labels given back
 *
 * For a while the selectors name the source's pods by their pod-template-hash: without it the colours' pods would stay
 * behind the Service while they end, and whatever stops at once would lose requests. Paused, the source makes no pods
 * of another template meanwhile.
 *
 * A foreground delete removes the ControllerRevisions first: every step is derived from the Services, the Deployments
 * and their pods alone.
 */
import { LABEL_POD_TEMPLATE_HASH } from '../../api/names.ts';
import { COLORS, type Color } from '../../api/status.ts';
import { formatTime } from '../../api/time.ts';
import { workloadInWords, workloadOf } from '../../api/workload.ts';
import { removeBudget } from '../budgets.ts';
import { otherColor, podsOf, readyCount, readyOfColor, readyPods, selectedColor } from '../endpoints.ts';
import type { Effect, Verdict } from '../plan.ts';
import { PROXIES_FOLLOW_MS } from '../proxies.ts';
import { selects } from '../selects.ts';
import type { ServiceView, Snapshot, SourceView } from '../snapshot.ts';
import { letGo } from '../upkeep.ts';

/** Why what serves stays as it is. */
export interface Stay {
  readonly stay: string | undefined;
}

type Place = Color | 'Source' | 'Everybody' | 'Elsewhere';

export function ejecting(snapshot: Snapshot): Verdict | Stay {
  const { services, source } = snapshot;
  const missing = services.find(({ found }) => !found);
  if (missing !== undefined) return { stay: `Service "${missing.name}" cannot be read` };
  const places = services.map((service) => placeOf(snapshot, service));
  if (places.every((place) => place === 'Source')) return handedOver(snapshot);
  const leaving = leavingColor(snapshot, places);
  if (leaving === undefined || source === undefined)
    return { stay: source === undefined ? missingSource(snapshot) : undefined };
  const why = whyStay(snapshot, source, leaving, places);
  if (why !== undefined) return { stay: why };
  // In the middle of a rollout it has no hash that would select all of what serves: then both end behind the Service.
  if (!places.some(isColor) && source.ready > 0 && source.readyHash === undefined) return { stay: undefined };
  return (
    freePreviews(snapshot) ??
    clearOther(snapshot, leaving) ??
    prepareSource(snapshot, source, leaving, places)
  );
}

function missingSource({ release }: Snapshot): string {
  return workloadOf(release.spec).kind === 'Deployment'
    ? 'its Deployment stands in the release alone, and nothing else could take over'
    : 'the source Deployment is gone';
}

function step(reason: string, message: string, effects: readonly Effect[], lookAgainAt?: number): Verdict {
  return {
    phase: 'Deleting',
    reason,
    message,
    effects,
    ...(lookAgainAt !== undefined && { lookAgainAt }),
  };
}

function placeOf({ release }: Snapshot, service: ServiceView): Place {
  const label = release.spec.traffic.selectorLabel;
  if (service.selector[label] !== undefined) return selectedColor(service, label) ?? 'Elsewhere';
  return service.selector[LABEL_POD_TEMPLATE_HASH] === undefined ? 'Everybody' : 'Source';
}

const isColor = (place: Place): place is Color => COLORS.some((color) => color === place);

/**
 * The colour that production leaves: the one that the Services name, or the only one that stands beside the source.
 * undefined: nobody can tell, or nothing of it serves.
 */
function leavingColor(snapshot: Snapshot, places: readonly Place[]): Color | undefined {
  // Another writer may point a Service to what is gone: it follows the others.
  const named = new Set(places.filter(isColor).filter((color) => stands(snapshot, color)));
  if (places.includes('Elsewhere') || named.size > 1) return undefined;
  const [only] = named;
  if (only !== undefined) return only;
  const standing = COLORS.filter((color) => snapshot.sides[color].deployment !== undefined);
  const [color] = standing;
  if (color === undefined || standing.length > 1) return undefined;
  return snapshot.services.some((service) => readyOfColor(service, color).size > 0) ? color : undefined;
}

function stands({ sides }: Snapshot, color: Color): boolean {
  return sides[color].deployment !== undefined || sides[color].pods.length > 0;
}

function whyStay(
  snapshot: Snapshot,
  source: SourceView,
  leaving: Color,
  places: readonly Place[],
): string | undefined {
  const { release, sides, services, leftovers, now } = snapshot;
  const until = deadline(snapshot);
  const name = `Deployment "${source.name}"`;
  const apart = [release.spec.traffic.selectorLabel, LABEL_POD_TEMPLATE_HASH];
  const astray = services.find(({ selector }) => !selects(selector, source.podLabels, apart));
  if (source.claimedBy !== undefined && source.claimedBy !== release.name)
    return `${name} belongs to release "${source.claimedBy}"`;
  // While it is being adopted, paused, it serves already.
  const serves = source.paused && !places.some(isColor);
  if (!serves && source.fingerprint !== sides[leaving].deployment?.fingerprint)
    return `${name} says something else than ${leaving} runs`;
  const left = leftovers.find(
    (service) => !service.twinOf && selectedColor(service, release.spec.traffic.selectorLabel),
  );
  if (left !== undefined) return `Service "${left.name}", which the spec no longer names, selects a colour`;
  if (astray !== undefined) return `Service "${astray.name}" would not select the pods of ${name}`;
  return now >= until ? `${name} was not ready to take over by ${formatTime(until)}` : undefined;
}

/** Until when the source may take to become ready. */
export function deadline({ release, now }: Snapshot): number {
  const { preparation, traffic } = release.spec;
  return (release.deletedAt ?? now) + (traffic.drainSeconds + preparation.deadlineSeconds) * 1000;
}

/**
 * When connections made before the last switch have drained: it was decided at that time, then written, and each node's
 * proxy followed. A time to come is of another clock, and not waited for.
 */
export function drainEnd({ now, services, release }: Snapshot): number {
  const switched = services.map(({ switchedAt }) => switchedAt ?? 0).filter((at) => at <= now);
  return Math.max(0, ...switched) + PROXIES_FOLLOW_MS + release.spec.traffic.drainSeconds * 1000;
}

/** What a preview shows ends: without our key it shows whatever runs, and is never dark. */
function freePreviews(snapshot: Snapshot): Verdict | undefined {
  const claimed = snapshot.previews.filter(({ claimedBy }) => claimedBy === snapshot.release.uid);
  if (claimed.length === 0) return undefined;
  const effects = claimed.map((preview) => letGo(snapshot, preview, []));
  return step('ReleasingPreviews', 'the preview Services show whatever runs', effects);
}

/** The room of the other colour is the source's from now on. */
function clearOther(snapshot: Snapshot, leaving: Color): Verdict | undefined {
  const other = otherColor(leaving);
  const effects = removeColor(snapshot, other);
  if (effects.length === 0) return undefined;
  const drained = drainEnd(snapshot);
  const message = `${leaving} serves until Deployment "${snapshot.source?.name}" takes over; ${other} is removed`;
  return snapshot.now < drained
    ? step('Draining', `${message} when it has drained, at ${formatTime(drained)}`, [], drained)
    : step('RemovingColor', message, effects);
}

/** The Deployment first: where that is refused, since it has the traffic again, it keeps all that belongs to it. */
export function removeColor(snapshot: Snapshot, color: Color): Effect[] {
  const { sides, release } = snapshot;
  const { deployment, autoscaler } = sides[color];
  const own: Effect[] = deployment?.ours ? [{ kind: 'DeleteColor', color, uid: deployment.uid }] : [];
  if (autoscaler?.ours)
    own.push({ kind: 'RemoveAutoscaler', name: `${release.name}-${color}`, uid: autoscaler.uid });
  return [...own, ...removeBudget(snapshot, color)];
}

/** As many pods as serve now, all ready, all of one template; then the switch. */
function prepareSource(
  snapshot: Snapshot,
  source: SourceView,
  leaving: Color,
  places: readonly Place[],
): Verdict {
  const name = `Deployment "${source.name}"`;
  const size = Math.max(1, snapshot.sides[leaving].deployment?.desired ?? 0);
  const isStuck = source.paused && source.rolledOut === false;
  if (places.some(isColor) && (source.replicas < size || isStuck)) {
    const to = Math.max(size, source.replicas);
    const scale: Effect = {
      kind: 'ScaleSource',
      uid: source.uid,
      from: source.replicas,
      to,
      at: snapshot.now,
    };
    return step('StartingSource', `${name} gets ${to} pods, to take over from ${leaving}`, [scale]);
  }
  const needed = Math.max(1, Math.min(readyCount(snapshot, leaving), source.replicas));
  const until = deadline(snapshot);
  const isReady = source.ready >= needed && source.readyHash !== undefined;
  if (!isReady || (places.some(isColor) && !source.rolledOut))
    return step(
      'WaitingForSource',
      `${leaving} serves until ${needed} pods of ${name} are ready (${source.ready} are), until ${formatTime(until)}`,
      [],
      until,
    );
  if (!source.paused)
    return step('HoldingSource', `${name} is ready to take over: pausing it for the switch`, [hold(source)]);
  const message = `${name} has ${source.ready} ready pods: moving the traffic from ${leaving} to it`;
  return step('Ejecting', message, handBack(snapshot, source.readyHash, `Ejected: ${message}`));
}

function hold({ uid, resourceVersion }: SourceView): Effect {
  return { kind: 'HoldSource', uid, resourceVersion, autoscaler: undefined };
}

/** `hash` undefined: as before the adoption. With the key of a colour beside the hash a Service selects nothing. */
export function handBack(snapshot: Snapshot, hash: string | undefined, reason: string): Effect[] {
  const label = snapshot.release.spec.traffic.selectorLabel;
  const isDue = ({ selector }: ServiceView): boolean =>
    selector[LABEL_POD_TEMPLATE_HASH] !== hash || (hash !== undefined && selector[label] !== undefined);
  return snapshot.services.filter(isDue).map((service) => ({
    kind: 'HandBack',
    service: service.name,
    uid: service.uid,
    from: service.selector,
    expectedMark: service.rawMark,
    hash,
    decidedAt: snapshot.now,
    reason,
  }));
}

/** Every selector names the source's pods. The colours go when that is proven and drained, and then the hash. */
function handedOver(snapshot: Snapshot): Verdict {
  const name = workloadInWords(snapshot.release.spec);
  const effects = COLORS.flatMap((color) => removeColor(snapshot, color));
  if (effects.length > 0) {
    const problem = unproven(snapshot, name);
    if (problem !== undefined) return problem;
    const drained = drainEnd(snapshot);
    if (snapshot.now < drained)
      return step(
        'Draining',
        `${name} serves; the colours are removed when they have drained, at ${formatTime(drained)}`,
        [],
        drained,
      );
    return step('RemovingColors', `${name} serves and the colours have drained: removing them`, effects);
  }
  const left = COLORS.reduce((sum, color) => sum + snapshot.sides[color].pods.length, 0);
  if (left > 0)
    return step('WaitingForPods', `${name} serves; ${left} pods of the colours are still to end`, []);
  const message = `${name} serves alone: its Services select what they did before the adoption`;
  return step('Ejected', message, handBack(snapshot, undefined, `Ejected: ${message}`));
}

/**
 * A proof that fails or does not come lets the colours serve again, beside the source. Pods that are being ended are
 * ready for a moment still; their Deployment counts those that stay.
 */
function unproven(snapshot: Snapshot, name: string): Verdict | undefined {
  const behind = snapshot.services.find((service) => !servesAlone(snapshot, service));
  const isDown = (snapshot.source?.ready ?? 0) === 0;
  if (behind === undefined && !isDown) return undefined;
  const until = deadline(snapshot);
  if ((isDown && behind !== undefined) || snapshot.now >= until) {
    const message = isDown
      ? `no pod of ${name} is ready: the colours serve again`
      : `the endpoints did not follow to ${name} by ${formatTime(until)}: the colours serve again`;
    return step('EjectionUndone', message, handBack(snapshot, undefined, `EjectionUndone: ${message}`));
  }
  if (behind === undefined) {
    const message = `the colours stay: ${name} counts no ready pod, though some are behind its Services until they have ended; waiting until ${formatTime(until)}`;
    return step('WaitingForSource', message, [], until);
  }
  const message = `waiting until the endpoints of Service "${behind.name}" are pods of ${name} only, until ${formatTime(until)}`;
  return step('WaitingForEndpoints', message, [], until);
}

function servesAlone(snapshot: Snapshot, service: ServiceView): boolean {
  const colors = new Set(COLORS.flatMap((color) => [...podsOf(snapshot, service, color)]));
  const left = service.endpoints.some(
    ({ podUid, ready, serving }) => (ready || serving) && colors.has(podUid),
  );
  return !left && readyPods(service.endpoints).size > 0;
}

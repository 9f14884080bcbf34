/**
 * The release is being deleted. The source takes production back where it can; else production stays where its
 * selector points, and nothing that serves is touched. A foreground delete removes the ControllerRevisions first, so
 * these rules read the Services and the Deployments, and nothing else.
 */
import { copiesOf } from '../../api/config.ts';
import { COLORS, type Color } from '../../api/status.ts';
import { formatTime } from '../../api/time.ts';
import { autoscalingBounds } from '../capacity.ts';
import { keepCopies } from '../copies.ts';
import type { EndpointView } from '../endpoint-view.ts';
import { podsOf, readyOfColor, readyPods, selectedColor } from '../endpoints.ts';
import type { Effect, Verdict } from '../plan.ts';
import type { ServiceView, Snapshot, SourceView } from '../snapshot.ts';
import { tidying } from '../tidying.ts';
import { dismiss, removeTwins, returnServices } from '../upkeep.ts';
import { deadline, drainEnd, ejecting, handBack, removeColor } from './ejecting.ts';
import { leavePair } from './paired.ts';

export function deleting(snapshot: Snapshot): Verdict | undefined {
  const { release } = snapshot;
  if (!release.deleting) return undefined;
  if (!release.hasFinalizer)
    return { phase: 'Deleting', reason: 'Deleted', message: 'nothing is left to do' };
  if (release.namespaceEnding) return leaveAll('the namespace is being deleted: everything is left as it is');
  if (snapshot.endpoint !== undefined) return leavePublished(snapshot.endpoint);
  if (snapshot.pair !== undefined) return leavePair(snapshot);
  const lost = lostCopies(snapshot);
  if (lost !== undefined) return lost;
  if (isKept(snapshot)) return keepColors(snapshot);
  const verdict = ejecting(snapshot);
  return 'stay' in verdict ? leave(snapshot, verdict.stay) : verdict;
}

/**
 * What serves may lose a pod at any time, long after the release is gone as well, and the next one reads its copies. A
 * copy that cannot be written keeps nobody waiting for ever.
 */
function lostCopies(snapshot: Snapshot): Verdict | undefined {
  if (snapshot.now >= deadline(snapshot)) return undefined;
  const kept = keptColors(snapshot);
  const effects = keepCopies(snapshot, kept);
  if (effects.length === 0) return undefined;
  const message = `${tidying(effects)}, which its pods need if it goes on serving`;
  return { phase: 'Deleting', reason: 'RestoringCopies', message, effects };
}

function leaveAll(message: string): Verdict {
  return { phase: 'Deleting', reason: 'LeftAsItIs', message, effects: [{ kind: 'RemoveFinalizer' }] };
}

/** Consumers go on reading it. Without our label another release may take it over, which begins with what it says. */
function leavePublished(endpoint: EndpointView): Verdict {
  const { name: configMap, state, uid, credentials } = endpoint;
  const released = state === 'Ours' ? [{ kind: 'ReleaseEndpoint' as const, configMap, uid }] : [];
  const secret = credentials && `Secret "${credentials.name}"`;
  const kept = secret === undefined ? 'stays as it is' : `and ${secret} stay as they are`;
  return {
    phase: 'Deleting',
    reason: 'Kept',
    message: `ConfigMap "${configMap}" ${kept}, and so do those who read ${secret === undefined ? 'it' : 'them'}`,
    effects: [...releaseSecret(credentials), ...released, { kind: 'RemoveFinalizer' }],
  };
}

function releaseSecret(credentials: EndpointView['credentials']): Effect[] {
  if (credentials?.state !== 'Ours') return [];
  return [{ kind: 'ReleaseSecret', secret: credentials.name, uid: credentials.uid }];
}

/** What is not understood moves nothing. Before the adoption has switched there is nothing to keep. */
function isKept({ release, services }: Snapshot): boolean {
  const label = release.spec.traffic.selectorLabel;
  return release.onDelete !== undefined && services.some((service) => selectedColor(service, label));
}

function keepColors(snapshot: Snapshot): Verdict {
  const unlocked = COLORS.flatMap((color) => unlock(snapshot, color));
  return {
    phase: 'Deleting',
    reason: 'Kept',
    message: `bluegreen.dev/on-delete is "${snapshot.release.onDelete}": the colours stay as they are`,
    effects: [...unlocked, ...give(snapshot), { kind: 'RemoveFinalizer' }],
  };
}

/** What serves stays; the rest goes when it has drained. `why`: what keeps the source from taking over. */
function leave(snapshot: Snapshot, why: string | undefined): Verdict {
  const kept = keptColors(snapshot);
  const message = inWords(snapshot, kept, why);
  const verdict = {
    phase: 'Deleting' as const,
    reason: kept.length === 0 ? 'Deleting' : 'ColorKept',
    message,
  };
  const discarded = discard(snapshot, kept);
  const drained = drainEnd(snapshot);
  if (discarded.length > 0 && snapshot.now < drained) {
    const until = `${message}, when connections made before the last switch have drained, at ${formatTime(drained)}`;
    return { ...verdict, message: until, lookAgainAt: drained };
  }
  const behind = snapshot.services.find((service) => stillRestsOn(snapshot, service, discarded));
  if (behind !== undefined) {
    const followed = `${message}, when the endpoints of Service "${behind.name}" have followed its selector`;
    return { ...verdict, message: followed };
  }
  const freed = freeServices(snapshot, kept, discarded, message);
  if (freed !== undefined) return { ...verdict, ...freed };
  const effects = [
    ...discarded,
    ...removeTwins(snapshot),
    ...removeCopies(snapshot, kept),
    ...dismiss(snapshot, kept),
    ...give(snapshot),
  ];
  return { ...verdict, effects: [...effects, { kind: 'RemoveFinalizer' }] };
}

/**
 * A Service that was handed to the source, in an ejection that did not come to its end, must not go on naming pods by
 * their hash: the next rollout of the source would leave it without any. What is removed ends before, out of its sight.
 */
function freeServices(
  snapshot: Snapshot,
  kept: readonly Color[],
  discarded: readonly Effect[],
  message: string,
): Pick<Verdict, 'message' | 'effects'> | undefined {
  const effects = handBack(snapshot, undefined, `Left: ${message}`);
  if (effects.length === 0) return undefined;
  if (discarded.length > 0) return { message, effects: discarded };
  const going = COLORS.filter((color) => !kept.includes(color)).flatMap(
    (color) => snapshot.sides[color].pods,
  );
  const left = going.filter(({ ready }) => ready).length;
  if (left === 0) return { message, effects };
  return { message: `${message}; ${left} ready pods are still to end`, effects: [] };
}

/** Those of a side that goes on serving stay, and with them the pods that read them. */
function removeCopies({ sides, release }: Snapshot, kept: readonly Color[]): Effect[] {
  return COLORS.flatMap((color) => {
    const config = kept.includes(color) ? sides[color].deployment?.config : undefined;
    const needed = Object.values(copiesOf(release.name, color, config));
    return sides[color].copies
      .filter(({ name }) => !needed.includes(name))
      .map(({ name, uid }): Effect => ({ kind: 'RemoveCopy', color, name, uid }));
  });
}

function inWords({ source }: Snapshot, kept: readonly Color[], why: string | undefined): string {
  if (kept.length === 0 && source === undefined)
    return 'no Service leads to a colour: all of them are removed';
  if (kept.length === 0) return 'the source serves: the colours are removed and the source is given back';
  const because = why === undefined ? '' : `, because ${why}`;
  return `${kept.join(' and ')} ${kept.length === 1 ? 'goes' : 'go'} on serving${because}; everything else is removed`;
}

/** Without its Deployment a colour does not go on serving: the last of its pods end, and a selector that names it rests on nothing. */
function keptColors(snapshot: Snapshot): Color[] {
  const standing = COLORS.filter((color) => snapshot.sides[color].deployment !== undefined);
  return standing.filter((color) => snapshot.services.some((service) => restsOn(snapshot, service, color)));
}

/**
 * The selector names this colour; or it names none, this colour is to have pods, and the source's alone would be fewer
 * than the colours'. Where nothing is ready, and the source is to have no pods, it rests on what it was last switched to.
 * A Service that cannot be read may point anywhere.
 */
function restsOn(snapshot: Snapshot, service: ServiceView, color: Color): boolean {
  if (!service.found) return true;
  const selected = selectedColor(service, snapshot.release.spec.traffic.selectorLabel);
  if (selected !== undefined) return selected === color;
  const { deployment } = snapshot.sides[color];
  if (deployment?.desired === 0) return false;
  const ready = readyColors(snapshot, service);
  if (ready === 0 && !snapshot.source?.replicas)
    return deployment !== undefined && deployment.revision === service.mark?.revision;
  return ready > (snapshot.source?.ready ?? 0);
}

/** Pods of the colours that serve, or could: the twins may be gone already, where this did not come to its end before. */
function readyColors(snapshot: Snapshot, service: ServiceView): number {
  const serving = readyPods(service.endpoints);
  const ours = COLORS.flatMap((color) => [
    ...readyOfColor(service, color),
    ...[...podsOf(snapshot, service, color)].filter((uid) => serving.has(uid)),
  ]);
  return new Set(ours).size;
}

/** The selector moved a moment ago: most of what serves are pods that are to go. */
function stillRestsOn(
  { sides }: Snapshot,
  { found, endpoints }: ServiceView,
  discarded: readonly Effect[],
): boolean {
  const colors = discarded.filter((effect) => effect.kind === 'DeleteColor').map(({ color }) => color);
  const going = new Set(colors.flatMap((color) => sides[color].pods.map(({ uid }) => uid)));
  const serving = [...readyPods(endpoints)];
  const lost = serving.filter((uid) => going.has(uid)).length;
  return found && lost > serving.length - lost;
}

function discard(snapshot: Snapshot, kept: readonly Color[]): Effect[] {
  return COLORS.flatMap((color) =>
    kept.includes(color) ? unlock(snapshot, color) : removeColor(snapshot, color),
  );
}

/** The autoscaler of a side that goes on serving gets its own minimum back. */
function unlock(snapshot: Snapshot, color: Color): Effect[] {
  const { autoscaler } = snapshot.sides[color];
  const min = autoscalingBounds(snapshot, color)?.min;
  if (min === undefined || !autoscaler?.ours || autoscaler.minReplicas === min) return [];
  return [{ kind: 'WriteAutoscaler', color, minReplicas: min }];
}

/** Labels, claims and the source's pause are taken back; its autoscaler is restored where it serves. */
function give(snapshot: Snapshot): Effect[] {
  const { source, release } = snapshot;
  const kept = keptColors(snapshot);
  const serves = kept.length === 0;
  const isOurs = source?.claimedBy === release.name || (serves && isOwedItsAutoscaler(source));
  return [
    ...(source !== undefined && isOurs ? [{ kind: 'ReleaseSource' as const, uid: source.uid, serves }] : []),
    ...returnServices(snapshot, kept),
  ];
}

/** It was given back while a colour was to go on serving, which serves no more: that had not come to its end. */
function isOwedItsAutoscaler(source: SourceView | undefined): boolean {
  if (source === undefined || source.claimedBy !== undefined) return false;
  return source.storedAutoscaler && source.replicas > 0;
}

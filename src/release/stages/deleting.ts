/**
 * The release is being deleted. Production stays where its selector points; nothing that serves is touched. A
 * foreground delete removes the ControllerRevisions first, so this rule reads the Services and nothing else.
 */
import { COLORS, type Color } from '../../api/status.ts';
import { formatTime } from '../../api/time.ts';
import { autoscalingBounds } from '../capacity.ts';
import { readyOfColor, selectedColor } from '../endpoints.ts';
import type { Effect, Verdict } from '../plan.ts';
import type { ServiceView, Snapshot } from '../snapshot.ts';
import { dismiss, letGo } from '../upkeep.ts';

export function deleting(snapshot: Snapshot): Verdict | undefined {
  if (!snapshot.release.deleting) return undefined;
  const verdict = { phase: 'Deleting' as const, reason: 'Deleting', message: inWords(keptColors(snapshot)) };
  if (!snapshot.release.hasFinalizer) return verdict;
  const discarded = discard(snapshot);
  const drained = drainEnd(snapshot);
  if (discarded.length > 0 && snapshot.now < drained) {
    const message = `${verdict.message}, when connections made before the last switch have drained, at ${formatTime(drained)}`;
    return { ...verdict, message, lookAgainAt: drained };
  }
  const effects = [
    ...discarded,
    ...removeTwins(snapshot),
    ...dismiss(snapshot, keptColors(snapshot)),
    ...give(snapshot),
  ];
  return { ...verdict, effects: [...effects, { kind: 'RemoveFinalizer' }] };
}

/** A time that is still to come was written by another clock, and is not waited for. */
function drainEnd({ now, services, release }: Snapshot): number {
  const switched = services.map(({ switchedAt }) => switchedAt ?? 0).filter((at) => at <= now);
  return Math.max(0, ...switched) + release.spec.traffic.drainSeconds * 1000;
}

/** They are ours alone: another release of the Service could not make its own while they stand. */
function removeTwins({ services }: Snapshot): Effect[] {
  return services.flatMap(({ name, found, twins }) =>
    COLORS.filter((color) => found && twins[color].found && twins[color].ours).map(
      (color): Effect => ({ kind: 'RemoveTwin', service: name, color }),
    ),
  );
}

function inWords(kept: readonly Color[]): string {
  if (kept.length === 0) return 'the source serves: the colours are removed and the source is given back';
  return `${kept.join(' and ')} ${kept.length === 1 ? 'goes' : 'go'} on serving; everything else is removed`;
}

function keptColors(snapshot: Snapshot): Color[] {
  return COLORS.filter((color) => snapshot.services.some((service) => restsOn(snapshot, service, color)));
}

/**
 * The selector names this colour; or it names none, and the source's pods alone would be fewer than the colours'. A
 * Service that cannot be read may point anywhere.
 */
function restsOn({ release, source }: Snapshot, service: ServiceView, color: Color): boolean {
  if (!service.found) return true;
  const selected = selectedColor(service, release.spec.traffic.selectorLabel);
  if (selected !== undefined) return selected === color;
  const ours = COLORS.reduce((sum, each) => sum + readyOfColor(service, each).size, 0);
  return ours > (source?.ready ?? 0);
}

function discard(snapshot: Snapshot): Effect[] {
  const kept = keptColors(snapshot);
  return COLORS.flatMap((color) =>
    kept.includes(color) ? unlock(snapshot, color) : remove(snapshot, color),
  );
}

function remove({ sides, release }: Snapshot, color: Color): Effect[] {
  const { deployment, autoscaler } = sides[color];
  const own: Effect[] = [];
  if (autoscaler?.ours)
    own.push({ kind: 'RemoveAutoscaler', name: `${release.name}-${color}`, uid: autoscaler.uid });
  if (deployment?.ours) own.push({ kind: 'DeleteColor', color, uid: deployment.uid });
  return own;
}

/** The autoscaler of a side that goes on serving gets its own minimum back. */
function unlock(snapshot: Snapshot, color: Color): Effect[] {
  const { autoscaler } = snapshot.sides[color];
  const min = autoscalingBounds(snapshot)?.min;
  if (min === undefined || !autoscaler?.ours || autoscaler.minReplicas === min) return [];
  return [{ kind: 'WriteAutoscaler', color, minReplicas: min }];
}

/** Labels, claims and the source's pause are taken back; the source starts again only where it still serves. */
function give(snapshot: Snapshot): Effect[] {
  const { source, release } = snapshot;
  const claimed = [...snapshot.services, ...snapshot.previews];
  const services = claimed.filter((service) => service.found && service.claimedBy === release.uid);
  const kept = keptColors(snapshot);
  return [
    ...(source?.claimedBy === release.name ? [{ kind: 'ReleaseSource' as const, uid: source.uid }] : []),
    ...services.map((service) => letGo(snapshot, service, kept)),
  ];
}

/**
 * The release is being deleted. Production stays where its selector points; nothing that serves is touched. A
 * foreground delete removes the ControllerRevisions first, so this rule reads the Services and nothing else.
 */
import { COLORS, type Color } from '../../api/status.ts';
import { autoscalingBounds } from '../capacity.ts';
import { readyOfColor, selectedColor } from '../endpoints.ts';
import type { Effect, Verdict } from '../plan.ts';
import type { ServiceView, Snapshot } from '../snapshot.ts';

export function deleting(snapshot: Snapshot): Verdict | undefined {
  if (!snapshot.release.deleting) return undefined;
  const effects = [...discard(snapshot), ...give(snapshot)];
  return {
    phase: 'Deleting',
    reason: 'Deleting',
    message: inWords(keptColors(snapshot)),
    effects: snapshot.release.hasFinalizer ? [...effects, { kind: 'RemoveFinalizer' }] : [],
  };
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
  const services = snapshot.services.filter((service) => service.found && service.claimedBy === release.uid);
  return [
    ...(source?.claimedBy === release.name ? [{ kind: 'ReleaseSource' as const, uid: source.uid }] : []),
    ...services.map(({ name, uid }): Effect => ({ kind: 'ReleaseService', service: name, uid })),
  ];
}

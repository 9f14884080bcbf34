/**
 * The release is being deleted. Production stays where its selector points; nothing that serves is touched. A
 * foreground delete removes the ControllerRevisions first, so this rule reads the Services and nothing else.
 */
import { COLORS } from '../../api/status.ts';
import { selectedColor } from '../endpoints.ts';
import type { Effect, Verdict } from '../plan.ts';
import type { Snapshot } from '../snapshot.ts';

export function deleting(snapshot: Snapshot): Verdict | undefined {
  if (!snapshot.release.deleting) return undefined;
  const effects = [...discard(snapshot), ...give(snapshot)];
  const kept = keptColors(snapshot);
  const message =
    kept.size === 0
      ? 'the source serves: the colours are removed and the source is given back'
      : `${[...kept].join(' and ')} goes on serving; everything else is removed`;
  return {
    phase: 'Deleting',
    reason: 'Deleting',
    message,
    effects: snapshot.release.hasFinalizer ? [...effects, { kind: 'RemoveFinalizer' }] : [],
  };
}

/** Colours that a production selector names, or whose pods it cannot be told apart from. */
function keptColors(snapshot: Snapshot): Set<string> {
  const label = snapshot.release.spec.traffic.selectorLabel;
  return new Set(
    snapshot.services.map((service) => selectedColor(service, label)).filter((color) => color !== undefined),
  );
}

function discard(snapshot: Snapshot): Effect[] {
  const kept = keptColors(snapshot);
  const missing = snapshot.services.some((service) => !service.found);
  return COLORS.flatMap((color): Effect[] => {
    const { deployment, autoscaler } = snapshot.sides[color];
    // A Service that cannot be read may point anywhere: then everything stays.
    if (kept.has(color) || missing) return [];
    const own: Effect[] = [];
    if (autoscaler?.ours)
      own.push({ kind: 'RemoveAutoscaler', name: `${snapshot.release.name}-${color}`, uid: autoscaler.uid });
    if (deployment?.ours) own.push({ kind: 'DeleteColor', color, uid: deployment.uid });
    return own;
  });
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

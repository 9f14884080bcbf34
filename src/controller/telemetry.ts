/** What a reconcile tells, as metrics. */
import type { ReleaseStatus, SwitchStatus } from '../api/status.ts';
import { parseTime } from '../api/time.ts';
import type { Metrics } from '../server/metrics.ts';
import type { ReconcileObserver } from './reconcile.ts';

export function reconcileObserver(metrics: Metrics): ReconcileObserver {
  return {
    onEffect(effect, result, at) {
      metrics.effectApplied(effect.kind, result);
      if (effect.kind !== 'PatchSelector' || result !== 'applied') return;
      const seconds = (at - effect.decidedAt) / 1000;
      if (effect.mark?.direction === 'Back') metrics.rollbackReached('patched', seconds);
      else metrics.switchReached('patched', seconds);
    },
    onStatus(key, before, after) {
      if (after.phase !== undefined) metrics.setPhase(key, after.phase);
      if (after.switch !== undefined) converged(metrics, before.switch, after.switch);
      ended(metrics, before, after);
    },
    onGone: (key) => metrics.forgetRelease(key),
  };
}

function converged(metrics: Metrics, before: SwitchStatus | undefined, after: SwitchStatus): void {
  const decidedAt = parseTime(after.decidedAt);
  const convergedAt = parseTime(after.convergedAt);
  if (before?.convergedAt === after.convergedAt || decidedAt === undefined || convergedAt === undefined)
    return;
  const seconds = (convergedAt - decidedAt) / 1000;
  if (after.direction === 'Back') metrics.rollbackReached('converged', seconds);
  else metrics.switchReached('converged', seconds);
}

/** Outcomes that stand in the history now and did not before. */
function ended(metrics: Metrics, before: ReleaseStatus, after: ReleaseStatus): void {
  for (const { revision, attempt, outcome } of after.history ?? []) {
    const known = before.history?.find((entry) => entry.revision === revision && entry.attempt === attempt);
    if (known === undefined || known.outcome === outcome) continue;
    metrics.switchEnded(outcome);
    if (outcome === 'RolledBack') {
      metrics.rollbackDecided(
        after.rejected?.find((entry) => entry.revision === revision)?.reason ?? 'Unblamed',
      );
    }
  }
}

/** What a reconcile tells, as metrics. */
import type { ReleaseStatus, SwitchStatus } from '../api/status.ts';
import { parseTime } from '../api/time.ts';
import { formatMark } from '../release/mark.ts';
import type { Effect } from '../release/plan.ts';
import type { Metrics } from '../server/metrics.ts';
import type { ReconcileObserver } from './reconcile.ts';

export function reconcileObserver(metrics: Metrics): ReconcileObserver {
  return {
    onEffect(effect, result, at) {
      metrics.effectApplied(effect.kind, result);
      if ((effect.kind !== 'PatchSelector' && effect.kind !== 'Publish') || result !== 'applied') return;
      if (!isOrder(effect)) return;
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

/** Neither a selector that was put back nor a Service that joined later: both are told under the time of the old order. */
function isOrder({
  mark,
  expectedMark,
  rescue,
}: Extract<Effect, { kind: 'PatchSelector' | 'Publish' }>): boolean {
  if (mark === undefined || formatMark(mark) === expectedMark) return false;
  return expectedMark !== undefined || !rescue;
}

interface Moved {
  readonly name: string;
  readonly decidedAt?: string | undefined;
  readonly convergedAt?: string | undefined;
}

/** Services one by one, or what is published with all its consumers. */
function movedBy({ services = [], endpoint, decidedAt, convergedAt }: SwitchStatus): readonly Moved[] {
  return endpoint === undefined ? services : [{ name: endpoint.configMap, decidedAt, convergedAt }];
}

/** Of each whose endpoints or consumers have followed since. */
function converged(metrics: Metrics, before: SwitchStatus | undefined, after: SwitchStatus): void {
  const earlier = before === undefined ? [] : movedBy(before);
  for (const { name, decidedAt, convergedAt } of movedBy(after)) {
    const from = parseTime(decidedAt);
    const to = parseTime(convergedAt);
    const known = earlier.find((each) => each.name === name)?.convergedAt;
    if (known === convergedAt || from === undefined || to === undefined) continue;
    if (after.direction === 'Back') metrics.rollbackReached('converged', (to - from) / 1000);
    else metrics.switchReached('converged', (to - from) / 1000);
  }
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

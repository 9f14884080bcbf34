/**
 * After the commit the revision goes on being measured, as long as the old side can take over: `rollback.afterCommit`
 * says what a breach does. Rarer than before it, since a window is long; and only what was measured after the commit
 * counts, because a person who promoted a revision has seen the rest.
 */
import { availability } from '../../checks/availability.ts';
import type { CheckVerdict } from '../../checks/check.ts';
import { prometheusCheck } from '../../checks/prometheus.ts';
import type { Request } from '../plan.ts';
import type { Roles } from '../roles.ts';
import type { Snapshot } from '../snapshot.ts';

/** Between two measurements of one check, at least. */
const EVERY_SECONDS = 60;

export interface WindowWatch {
  readonly verdicts: readonly CheckVerdict[];
  readonly requests: readonly Request[];
}

/** What was measured before the traffic last came back was said of the revision that it came back from. */
function returnedAt({ revisions }: Snapshot): number {
  const outcomes = revisions.map(({ facts }) => facts?.outcome);
  return Math.max(0, ...outcomes.map((outcome) => (outcome?.kind === 'RolledBack' ? outcome.at : 0)));
}

/** undefined: there is no window to watch. */
export function watchWindow(snapshot: Snapshot, roles: Roles): WindowWatch | undefined {
  const { active, target, stage } = roles;
  const committedAt = active?.facts.committedAt;
  if (stage !== 'Resting' || active === undefined || target === undefined || committedAt === undefined)
    return undefined;
  const from = Math.max(committedAt, returnedAt(snapshot));
  const { attempt, color } = active.facts;
  const checks = active.frozen.observation.checks.map((check) => {
    const rare = { ...check, intervalSeconds: Math.max(EVERY_SECONDS, check.intervalSeconds) };
    return { check, verdict: prometheusCheck(snapshot, active, rare, from) };
  });
  return {
    verdicts: [availability(snapshot, roles, active), ...checks.map(({ verdict }) => verdict)],
    requests: checks
      .filter(({ verdict }) => verdict.due)
      .map(({ check }) => ({ kind: 'Measure', check, revision: active.name, attempt, color })),
  };
}

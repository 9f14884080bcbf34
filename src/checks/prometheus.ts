/**
 * A check against a metric source. The first measurement comes one interval after the switch was verified: before
 * that no traffic reached the new side, and a measurement would always pass.
 */
import { failuresInARow } from '../analysis/failures.ts';
import type { Measurement } from '../analysis/measurement.ts';
import type { CheckSpec } from '../api/schema.ts';
import type { CheckStatus } from '../api/status.ts';
import { formatPreciseTime, formatTime } from '../api/time.ts';
import type { StartedRevision } from '../release/roles.ts';
import type { Snapshot } from '../release/snapshot.ts';
import type { CheckVerdict } from './check.ts';

/** Measurements that the status shows; enough for any failureLimit. */
const KEPT = 10;
const MAX_MESSAGE = 256;

export interface DueCheck extends CheckVerdict {
  /** It is time for a new measurement. */
  readonly due: boolean;
}

/** `from`: only what was measured after this counts. */
export function prometheusCheck(
  snapshot: Snapshot,
  watched: StartedRevision,
  check: CheckSpec,
  from: number = watched.facts.verifiedAt ?? snapshot.now,
): DueCheck {
  const measurements = (snapshot.observations.measurements[check.name] ?? []).filter(({ at }) => at > from);
  const last = measurements.at(-1);
  const next = (last?.at ?? from) + check.intervalSeconds * 1000;
  const failures = failuresInARow(measurements, check.onUnknown);
  const due = snapshot.now >= next;
  // When it is due the answer itself wakes the loop; the interval is for an answer that never comes.
  const lookAgainAt = due ? snapshot.now + check.intervalSeconds * 1000 : next;
  const verdict = { status: statusOf(check, measurements, failures), due, lookAgainAt };
  if (last === undefined)
    return {
      ...verdict,
      ...(check.onUnknown !== 'Ignore' && { hold: `check "${check.name}" has not been measured yet` }),
    };
  if (failures >= check.failureLimit) {
    return { ...verdict, breach: { reason: 'CheckFailed', message: breachMessage(check, failures, last) } };
  }
  const hold = holdReason(check, last, failures);
  return { ...verdict, ...(hold !== undefined && { hold }) };
}

function breachMessage(check: CheckSpec, failures: number, last: Measurement): string {
  return `check "${check.name}" failed ${failures} ${failures === 1 ? 'time' : 'times in a row'}: ${last.message}`;
}

/** Why the commit must wait, if it must. */
function holdReason(check: CheckSpec, last: Measurement, failures: number): string | undefined {
  if (failures > 0) return `check "${check.name}": ${last.message}`;
  if (last.verdict === 'Unknown' && check.onUnknown === 'Hold')
    return `check "${check.name}" is unknown: ${last.message}`;
  return undefined;
}

function statusOf(check: CheckSpec, measurements: readonly Measurement[], failures: number): CheckStatus {
  const last = measurements.at(-1);
  return {
    name: check.name,
    state: last?.verdict ?? 'Pending',
    query: check.prometheus.query,
    failures,
    ...(last !== undefined && { message: `${last.message.slice(0, MAX_MESSAGE)} at ${formatTime(last.at)}` }),
    measurements: measurements.slice(-KEPT).map(({ at, verdict, reason, value, message }) => ({
      at: formatPreciseTime(at),
      verdict,
      reason,
      ...(value !== undefined && { value: String(value) }),
      message: message.slice(0, MAX_MESSAGE),
    })),
  };
}

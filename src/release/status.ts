/** The status, built anew from the snapshot and the verdict each time; only the decision log is carried over. */

import { mergeConditions } from '../api/conditions.ts';
import { sameJson } from '../api/json.ts';
import { memo } from '../api/memo.ts';
import { LABEL_COLOR, LABEL_RELEASE } from '../api/names.ts';
import type { CheckStatus, Color, Decision, ReleaseStatus, SideStatus } from '../api/status.ts';
import { formatPreciseTime, formatTime, parseTime } from '../api/time.ts';
import { availability } from '../checks/availability.ts';
import type { CheckVerdict } from '../checks/check.ts';
import { prometheusCheck } from '../checks/prometheus.ts';
import { usedSince } from '../traffic/endpoint.ts';
import { conditionsOf, rollbackAvailable } from './conditions.ts';
import { idleCost } from './cost.ts';
import { describe } from './describe.ts';
import { otherColor } from './endpoints.ts';
import type { Verdict } from './plan.ts';
import { previewStatus } from './preview.ts';
import { type Roles, type StartedRevision, startedOf } from './roles.ts';
import { estimatedSeconds } from './rollback.ts';
import type { Snapshot } from './snapshot.ts';
import { watchWindow } from './stages/window.ts';
import { switchStatus } from './switch-status.ts';

const MAX_DECISIONS = 20;
const MAX_EFFECTS = 16;
/** Milliseconds. */
const RETRIES_MS = 30_000;
const MAX_TEXT = 1024;

export function statusOf(snapshot: Snapshot, roles: Roles, verdict: Verdict): ReleaseStatus {
  const { active } = roles;
  const { previous, release } = snapshot;
  const generation = verdict.specPending ? (previous.observedGeneration ?? 0) : release.generation;
  const activeColor = active?.facts.color;
  const message = verdict.message.slice(0, MAX_TEXT);
  const sides = snapshot.endpoint === undefined ? sidesOf(snapshot, roles) : environmentsOf(roles);
  return compact(previous, {
    observedGeneration: generation,
    phase: verdict.phase,
    message,
    attempt: roles.attempt,
    revision: active?.name,
    replicas: activeColor === undefined ? undefined : (snapshot.sides[activeColor].deployment?.pods ?? 0),
    selector:
      activeColor === undefined
        ? undefined
        : `${LABEL_RELEASE}=${release.name},${snapshot.pair === undefined ? LABEL_COLOR : release.spec.traffic.selectorLabel}=${activeColor}`,
    active: sides.active,
    candidate: sides.candidate,
    standby: sides.standby,
    conditions: mergeConditions(
      previous.conditions,
      conditionsOf(snapshot, roles, verdict),
      generation,
      snapshot.now,
    ),
    gates: gatesOf(snapshot, roles, verdict),
    checks: checksOf(snapshot, roles),
    switch: switchStatus(snapshot, roles),
    previews: previewStatus(snapshot, roles),
    rollback: rollbackOf(snapshot, roles),
    idleCost: idleCost(snapshot, roles),
    rejected: rejectedOf(snapshot),
    decisions: decisionsOf(snapshot, verdict),
    history: historyOf(snapshot),
  });
}

type Sides = { [Key in 'active' | 'candidate' | 'standby']: SideStatus | undefined };

/**
 * Absent members instead of undefined ones: the status is compared and sent as JSON. What says the same as before is the
 * same object, so that whoever compares or reads the two looks at what changed alone.
 */
function compact(
  previous: ReleaseStatus,
  status: { [Key in keyof ReleaseStatus]: ReleaseStatus[Key] | undefined },
): ReleaseStatus {
  const before: Record<string, unknown> = previous;
  const present: Record<string, unknown> = {};
  for (const key of Object.keys(status)) {
    const value = status[key as keyof ReleaseStatus];
    if (value !== undefined) present[key] = sameJson(before[key], value) ? before[key] : value;
  }
  return present as ReleaseStatus;
}

function sidesOf(snapshot: Snapshot, { active, subject, stage }: Roles): Sides {
  const underWay = stage === 'Adopting' || stage === 'Preparing';
  const activeColor = active?.facts.color;
  return {
    active: activeColor && sideStatus(snapshot, activeColor),
    candidate: underWay && subject ? sideStatus(snapshot, subject.facts.color) : undefined,
    standby: activeColor && !underWay ? standby(snapshot, otherColor(activeColor)) : undefined,
  };
}

/** Of an external workload nothing is counted. */
function environmentsOf({ active, subject, target, stage }: Roles): Sides {
  const underWay = stage === 'Adopting' || stage === 'Preparing';
  const environment = (revision: StartedRevision | undefined): SideStatus | undefined =>
    revision && { color: revision.facts.color, revision: revision.name, ready: 0, desired: 0 };
  return {
    active: environment(active),
    candidate: underWay ? environment(subject) : undefined,
    standby: underWay ? undefined : environment(target),
  };
}

function sideStatus(snapshot: Snapshot, color: Color): SideStatus {
  const { deployment } = snapshot.sides[color];
  return {
    color,
    ...(deployment?.revision !== undefined && { revision: deployment.revision }),
    ...(deployment !== undefined && {
      images: deployment.images.slice(0, 16).map((image) => image.slice(0, 512)),
    }),
    ready: deployment?.ready ?? 0,
    desired: deployment?.desired ?? 0,
  };
}

function standby(snapshot: Snapshot, color: Color): SideStatus | undefined {
  return snapshot.sides[color].deployment === undefined ? undefined : sideStatus(snapshot, color);
}

/** While the candidate is proven: what the rule saw. Afterwards: as it was seen last. */
function gatesOf(snapshot: Snapshot, roles: Roles, verdict: Verdict): ReleaseStatus['gates'] {
  if (verdict.gates !== undefined) {
    return verdict.gates.map((gate) => ({
      ...gate,
      ...(gate.message !== undefined && { message: gate.message.slice(0, MAX_TEXT) }),
    }));
  }
  const sameAttempt = snapshot.previous.attempt === roles.attempt;
  return sameAttempt ? snapshot.previous.gates : undefined;
}

function checksOf(snapshot: Snapshot, roles: Roles): CheckStatus[] | undefined {
  const { active, stage } = roles;
  if (active === undefined) return undefined;
  // Consumers of what is published come to the new side one by one, and it is measured from the first of them on.
  const since = stage === 'Switching' ? usedSince(snapshot, active) : undefined;
  if (stage === 'Observing' || since !== undefined) {
    const checks = active.frozen.observation.checks.map(
      (check) => prometheusCheck(snapshot, active, check, since).status,
    );
    return [availability(snapshot, roles, active).status, ...checks];
  }
  const before = snapshot.previous.attempt === roles.attempt ? snapshot.previous.checks : undefined;
  const window = watchWindow(snapshot, roles)?.verdicts;
  return window === undefined ? before : newsOf(before, window);
}

/**
 * A window may last for days: what is measured in it is written down when its verdict changes. What breaches is in full:
 * from half of it another process at work would say that all is well, and each would write the other's away, for ever.
 */
function newsOf(
  before: readonly CheckStatus[] | undefined,
  verdicts: readonly CheckVerdict[],
): CheckStatus[] | undefined {
  const checks = new Map(before?.map((known) => [known.name, known]));
  for (const { status, breach } of verdicts) {
    const known = checks.get(status.name);
    const isChanged = known !== undefined && status.state !== 'Pending' && status.state !== known.state;
    if (isChanged || breach !== undefined) checks.set(status.name, status);
  }
  return checks.size === 0 ? undefined : [...checks.values()];
}

function rollbackOf(snapshot: Snapshot, roles: Roles): NonNullable<ReleaseStatus['rollback']> {
  const { status, message } = rollbackAvailable(snapshot, roles);
  const until = roles.active?.facts.windowUntil;
  const available = status === 'True';
  const seconds = available ? estimatedSeconds(snapshot, roles) : undefined;
  return {
    available,
    ...(roles.target !== undefined && until !== undefined && { until: formatTime(until) }),
    ...(seconds !== undefined && { estimatedSeconds: seconds }),
    message,
  };
}

function rejectedOf(snapshot: Snapshot): ReleaseStatus['rejected'] {
  const rejected = snapshot.revisions.flatMap(({ name, facts }) =>
    facts?.rejected === undefined
      ? []
      : [
          {
            revision: name,
            at: formatTime(facts.rejected.at),
            reason: facts.rejected.reason,
            message: facts.rejected.message.slice(0, MAX_TEXT),
          },
        ],
  );
  return rejected.length === 0 ? undefined : rejected.slice(-50);
}

/** A decision is noted when it does something, or when its reason is new: waiting is no decision. */
function decisionsOf(snapshot: Snapshot, verdict: Verdict): Decision[] {
  const before = snapshot.previous.decisions ?? [];
  const effects = (verdict.effects ?? []).map(describe);
  if (effects.length === 0) return before;
  const decision = {
    at: formatPreciseTime(snapshot.now),
    reason: verdict.reason,
    message: verdict.message.slice(0, 512),
    effects: named(effects),
  };
  const last = before.at(-1);
  // The same again is a retry of the same decision, and much later another one; of drift it is the latest that counts.
  const isSame = last?.reason === decision.reason && last.effects?.join() === decision.effects.join();
  if (isSame && verdict.drift !== undefined) return [...before.slice(0, -1), decision];
  const isRetry = isSame && snapshot.now < (parseTime(last.at) ?? 0) + RETRIES_MS;
  return isRetry ? before : [...before, decision].slice(-MAX_DECISIONS);
}

function named(effects: readonly string[]): string[] {
  const left = effects.length - MAX_EFFECTS;
  const [most, more] = left <= 0 ? [MAX_EFFECTS, []] : [MAX_EFFECTS - 1, [`and ${left + 1} more`]];
  return [...effects.slice(0, most).map((text) => text.slice(0, 256)), ...more];
}

function historyOf(snapshot: Snapshot): ReleaseStatus['history'] {
  return startedOf(snapshot.revisions)
    .toSorted((a, b) => b.facts.attempt - a.facts.attempt)
    .slice(0, snapshot.release.spec.historyLimit)
    .map(entryOf);
}

type HistoryEntry = NonNullable<ReleaseStatus['history']>[number];

/** What is over stays as it is, and stands in each status anew. */
const entryOf = memo(
  ({ name, facts }: StartedRevision): HistoryEntry => ({
    revision: name,
    attempt: facts.attempt,
    outcome: facts.outcome?.kind ?? 'UnderWay',
    startedAt: formatTime(facts.startedAt),
    ...(facts.outcome !== undefined && {
      finishedAt: formatTime(facts.outcome.at),
      message: facts.outcome.message.slice(0, MAX_TEXT),
    }),
  }),
);

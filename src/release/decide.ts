/**
 * The decision: a pure function from what is known to what is done. The first rule that speaks decides; whatever
 * protects production speaks first.
 */

import { workloadOf } from '../api/workload.ts';
import { act, waitingOrder } from './actions.ts';
import { shrinkDue } from './capacity.ts';
import { awaitDrain } from './drain.ts';
import { endpointDue } from './endpoint-due.ts';
import { withFinalizer } from './finalizer.ts';
import { claimPaired, lockingDue } from './pair.ts';
import { isPatient } from './patience.ts';
import type { Plan, Verdict } from './plan.ts';
import { withPreviews } from './preview.ts';
import { align, rescue, tellOutage } from './protect.ts';
import { recyclingDue } from './recycle.ts';
import { type Roles, rolesOf, type Stage } from './roles.ts';
import { moveDueAt, stuck, tidyDueAt } from './services.ts';
import type { Snapshot } from './snapshot.ts';
import { split } from './split.ts';
import { adopting, serveAgain } from './stages/adopting.ts';
import { deleting } from './stages/deleting.ts';
import { observing } from './stages/observing.ts';
import { preparing } from './stages/preparing.ts';
import { publishing } from './stages/publishing.ts';
import { restarting, restartingBack } from './stages/restarting.ts';
import { resting } from './stages/resting.ts';
import { returning } from './stages/returning.ts';
import { switching } from './stages/switching.ts';
import { unadopted } from './stages/unadopted.ts';
import { statusOf } from './status.ts';
import { parkingDue } from './upkeep.ts';

type Rule = (snapshot: Snapshot, roles: Roles) => Verdict | undefined;

const RULES: readonly Rule[] = [deleting, rescue, serveAgain, align, act, split, byStage];

type Stages = Record<Stage, (snapshot: Snapshot, roles: Roles) => Verdict>;

const STAGES: Stages = {
  Unadopted: unadopted,
  Adopting: adopting,
  Preparing: preparing,
  Switching: switching,
  Observing: observing,
  Returning: returning,
  Resting: resting,
};

/** What moves and is proven is not pods behind Services, but what is published and who reads it. */
const EXTERNAL_STAGES: Stages = {
  ...STAGES,
  Adopting: publishing,
  Switching: restarting,
  Returning: restartingBack,
};

function byStage(snapshot: Snapshot, roles: Roles): Verdict {
  const stages = snapshot.endpoint === undefined ? STAGES : EXTERNAL_STAGES;
  const verdict = stages[roles.stage](snapshot, roles);
  return { ...verdict, message: `${verdict.message}${waitingOrder(snapshot, roles)}` };
}

export function decide(snapshot: Snapshot): Plan {
  const roles = rolesOf(snapshot);
  const first = tellOutage(snapshot, roles, firstVerdict(snapshot, roles));
  const beside = awaitDrain(snapshot, roles, withPreviews(snapshot, roles, first));
  const verdict = withFinalizer(snapshot, roles, beside);
  return {
    verdict,
    effects: verdict.effects ?? [],
    requests: verdict.requests ?? [],
    status: verdict.drift === 'Told' ? snapshot.previous : statusOf(snapshot, roles, verdict),
    lookAgainAt: soonest(
      verdict.lookAgainAt,
      parkingDue(snapshot, roles),
      lockingDue(snapshot),
      unwatchedDue(snapshot, roles),
      recyclingDue(snapshot, roles),
      shrinkDue(snapshot, roles),
      windowDue(snapshot, roles),
      stuckDue(snapshot, roles),
      putOffDue(snapshot),
      endpointDue(snapshot, roles),
    ),
    patient: isPatient(snapshot, roles, verdict),
  };
}

/** How often that is looked at by name which carries no label of ours, and so is not watched. Milliseconds. */
const UNWATCHED_MS = 15_000;
/** Back without the key, a production Service would select both colours. */
const PRODUCTION_GONE_MS = 2000;

/** In every stage: a Service or a source that was replaced comes back without our label, and says nothing of itself. */
function unwatchedDue(snapshot: Snapshot, { active }: Roles): number | undefined {
  const { now, release, source, services, previews } = snapshot;
  if (active !== undefined && services.some(({ found }) => !found)) return now + PRODUCTION_GONE_MS;
  const watched =
    [...services, ...previews].every(({ labelled }) => labelled) &&
    (source?.claimedBy !== undefined || workloadOf(release.spec).kind !== 'DeploymentRef') &&
    claimPaired(snapshot).length === 0;
  return watched ? undefined : now + UNWATCHED_MS;
}

/** Whatever it waits for: when its window closes the other side can be emptied, and is no longer told of as a way back. */
function windowDue({ now }: Snapshot, { active, target }: Roles): number | undefined {
  const until = active?.facts.windowUntil;
  const isOpen = target !== undefined && until !== undefined && until > now;
  return isOpen ? until : undefined;
}

/** In every stage, whatever else is decided: a Service that is astray and was refused is tried again. */
function stuckDue(snapshot: Snapshot, roles: Roles): number | undefined {
  const due = stuck(snapshot, roles).map((service) => moveDueAt(snapshot, service));
  return soonest(...due.filter((at) => at > snapshot.now));
}

/** In every stage: what one failed write to a Service has put off is due without any news of it. */
function putOffDue(snapshot: Snapshot): number | undefined {
  const { services, leftovers, previews } = snapshot;
  const due = [...services, ...leftovers, ...previews].map((service) => tidyDueAt(snapshot, service));
  return soonest(...due.filter((at) => at > snapshot.now));
}

function soonest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

function firstVerdict(snapshot: Snapshot, roles: Roles): Verdict {
  for (const rule of RULES) {
    const verdict = rule(snapshot, roles);
    if (verdict !== undefined) return verdict;
  }
  return byStage(snapshot, roles);
}

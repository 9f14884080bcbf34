/**
 * The candidate is built and proven; production is not touched. In order: drain what is left of the switch before,
 * write the colour, readiness, the gates, the fact that they passed, readiness again, the switch.
 */
import { formatTime } from '../../api/time.ts';
import { sideInWords } from '../../api/workload.ts';
import type { GateVerdict } from '../../gates/gate.ts';
import { jobGate } from '../../gates/job.ts';
import { readiness } from '../../gates/readiness.ts';
import { warmUp } from '../../gates/warm-up.ts';
import { hasLostCredentials } from '../../traffic/credentials.ts';
import { candidateSize } from '../capacity.ts';
import { sideDrainedAt } from '../drain.ts';
import { moveTraffic, recordFacts, scaleColor, writeColor } from '../effects.ts';
import { credentialsUnfit } from '../endpoint-problems.ts';
import { readyCount, selectedColor } from '../endpoints.ts';
import type { OutcomeKind, RevisionFacts } from '../facts.ts';
import type { Verdict } from '../plan.ts';
import { serviceMissing, serviceRefused } from '../problems.ts';
import type { Roles, StartedRevision } from '../roles.ts';
import { slowestStart } from '../rollback.ts';
import { tidyDueAt } from '../services.ts';
import type { Snapshot } from '../snapshot.ts';
import { whatChanged } from '../start.ts';
import { tidying } from '../tidying.ts';
import { upkeep } from '../upkeep.ts';
import { backoff } from './backoff.ts';
import { REVISIONS_LOST } from './lost.ts';
import { takeEdited } from './paired.ts';

export function preparing(snapshot: Snapshot, roles: Roles): Verdict {
  const { active, subject } = roles;
  if (subject === undefined) return { phase: 'Idle', reason: 'Nothing', message: 'no release is under way' };
  if (active === undefined) return REVISIONS_LOST;
  return (
    suspended(snapshot, roles, subject) ??
    misplaced(snapshot, active, subject) ??
    superseded(snapshot, active, subject) ??
    overtaken(snapshot, roles, active, subject) ??
    drainFirst(snapshot, roles, active, subject) ??
    build(snapshot, roles, subject) ??
    prove(snapshot, roles, active, subject)
  );
}

/** The switch is still to come, and a suspended release moves no traffic. */
function suspended(snapshot: Snapshot, roles: Roles, subject: StartedRevision): Verdict | undefined {
  if (!snapshot.release.spec.suspend) return undefined;
  const message = `spec.suspend is set: revision ${subject.name} is taken no further`;
  return { phase: 'Suspended', reason: 'Suspended', message, effects: upkeep(snapshot, roles) };
}

/** The facts contradict each other: a candidate must never be built where production is. */
function misplaced(
  snapshot: Snapshot,
  active: StartedRevision,
  subject: StartedRevision,
): Verdict | undefined {
  const label = snapshot.release.spec.traffic.selectorLabel;
  const serves = snapshot.services.some((service) => selectedColor(service, label) === subject.facts.color);
  if (!serves && active.facts.color !== subject.facts.color) return undefined;
  const message = `revision ${subject.name} was to be built on ${subject.facts.color}, which has the traffic`;
  return end(snapshot, subject, 'Inconclusive', 'ColorTaken', message);
}

/**
 * Another content is wished for, or the one that is active already: this candidate has lost its purpose. One that has
 * passed its gates goes on all the same, or a stream of new contents would never let any of them serve.
 */
function superseded(
  snapshot: Snapshot,
  active: StartedRevision,
  subject: StartedRevision,
): Verdict | undefined {
  const wished = snapshot.wish?.fingerprint;
  if (wished === undefined || wished === subject.fingerprint) return undefined;
  // Deleted and created again it may well be what it was: nothing else could start meanwhile.
  if (snapshot.config.missing.length > 0) return undefined;
  // Of a pair it has been overwritten, and of credentials what was validated: there is nothing left that could go on.
  const isLost = snapshot.pair !== undefined || hasLostCredentials(snapshot, subject);
  const goesOn = subject.facts.validatedAt !== undefined && !isLost;
  if (goesOn && wished !== active.fingerprint) return undefined;
  return end(
    snapshot,
    subject,
    'Superseded',
    'Superseded',
    `revision ${subject.name} is no longer wanted: ${whatChanged(snapshot, subject)}`,
  );
}

/** After a switch the rollback would look for what served before, and find what nobody has recorded. */
function overtaken(
  snapshot: Snapshot,
  roles: Roles,
  active: StartedRevision,
  subject: StartedRevision,
): Verdict | undefined {
  if (takeEdited(snapshot, roles, active) === undefined) return undefined;
  const serving = sideInWords(snapshot.release, active.facts.color);
  const message = `revision ${subject.name} starts over: ${serving} was rolled out in production meanwhile, and is recorded first`;
  return end(snapshot, subject, 'Superseded', 'ActiveEdited', message);
}

/** The colour may still serve connections that were made before the last switch. */
function drainFirst(
  snapshot: Snapshot,
  roles: Roles,
  active: StartedRevision,
  subject: StartedRevision,
): Verdict | undefined {
  const { deployment } = snapshot.sides[subject.facts.color];
  const until = sideDrainedAt(snapshot, active);
  if (deployment === undefined || deployment.revision === subject.name || snapshot.now >= until)
    return undefined;
  const message = `connections to ${subject.facts.color} drain until ${formatTime(until)}; then revision ${subject.name} is built there`;
  const effects = upkeep(snapshot, roles);
  return { phase: 'Preparing', reason: 'Draining', message, effects, lookAgainAt: until };
}

function build(snapshot: Snapshot, roles: Roles, subject: StartedRevision): Verdict | undefined {
  if (snapshot.endpoint !== undefined) return undefined;
  const color = subject.facts.color;
  const size = candidateSize(snapshot, roles, color);
  const written = writeColor(snapshot, color, subject.name, size);
  const sized = written.length > 0 ? written : scaleColor(snapshot, color, size);
  const effects = [...upkeep(snapshot, roles), ...sized];
  if (effects.length === 0) return undefined;
  const building = `building ${color} as revision ${subject.name} with ${size} pods`;
  if (written.length > 0)
    return { phase: 'Preparing', reason: 'BuildingCandidate', message: building, effects };
  const message = `${building}; ${tidying(effects)}`;
  return { phase: 'Preparing', reason: 'SizingCandidate', message, effects };
}

function prove(snapshot: Snapshot, roles: Roles, active: StartedRevision, subject: StartedRevision): Verdict {
  const { validatedAt } = subject.facts;
  const since = validatedAt ?? buildStart(snapshot, active, subject);
  const ready = readiness(snapshot, roles, subject, since);
  if (ready.state !== 'Passed') return unready(snapshot, subject, ready);
  const warm = warmUp(snapshot, subject, since);
  if (warm !== undefined && warm.state !== 'Passed')
    return { ...atGate(snapshot, subject, 'Preparing', warm, [ready, warm]), requests: warm.requests };
  if (validatedAt !== undefined) return withheld(snapshot, roles) ?? order(snapshot, subject);
  if (subject.facts.unreadySince !== undefined) return readyAgain(subject, ready);
  const passed: GateVerdict[] = [ready, ...(warm === undefined ? [] : [warm])];
  for (const gate of subject.frozen.gates) {
    const verdict = jobGate(snapshot, subject, gate);
    passed.push(verdict);
    if (verdict.state !== 'Passed') return atGate(snapshot, subject, 'Validating', verdict, passed);
  }
  return {
    phase: 'Validating',
    reason: 'Validated',
    message: `revision ${subject.name} passed ${passed.length === 1 ? 'its gate' : `all ${passed.length} gates`}`,
    effects: [recordFacts(subject, provenFacts(snapshot, subject))],
    gates: passed.map(gateStatus),
  };
}

/** With what its pods took to start: measured now, because nobody has restarted or rescheduled them yet. */
export function provenFacts({ now, sides }: Snapshot, { facts }: StartedRevision): RevisionFacts {
  const startUpSeconds = slowestStart(sides[facts.color].pods);
  return { ...facts, validatedAt: now, ...(startUpSeconds !== undefined && { startUpSeconds }) };
}

/**
 * Where the deadline counts from. Waiting for the drain of the switch before is not the candidate's delay; and once it
 * was ready, it has the whole time again to become so: gates may take longer than the deadline, and a pod may restart
 * under them, or production grow.
 */
function buildStart(snapshot: Snapshot, active: StartedRevision, { facts }: StartedRevision): number {
  const drained = sideDrainedAt(snapshot, active);
  return Math.max(facts.startedAt, drained, Math.min(facts.unreadySince ?? 0, snapshot.now));
}

function unready(snapshot: Snapshot, subject: StartedRevision, ready: GateVerdict): Verdict {
  const { name, facts } = subject;
  const wasReady = snapshot.jobs.some((job) => job.revision === name && job.attempt === facts.attempt);
  if (!wasReady || facts.validatedAt !== undefined || facts.unreadySince !== undefined)
    return atGate(snapshot, subject, 'Preparing', ready, [ready]);
  return {
    phase: 'Preparing',
    reason: 'NoLongerReady',
    message: `revision ${name} was ready and is no longer: ${ready.message}`,
    effects: [recordFacts(subject, { ...facts, unreadySince: snapshot.now })],
    gates: withPending(subject, [{ ...ready, state: 'Running' }]),
  };
}

function readyAgain(subject: StartedRevision, ready: GateVerdict): Verdict {
  const { unreadySince: _, ...facts } = subject.facts;
  return {
    phase: 'Validating',
    reason: 'ReadyAgain',
    message: `revision ${subject.name} is ready again: ${ready.message}`,
    effects: [recordFacts(subject, facts)],
    gates: withPending(subject, [ready]),
  };
}

/** A gate that has not passed: wait, or end the attempt. */
function atGate(
  snapshot: Snapshot,
  subject: StartedRevision,
  phase: 'Preparing' | 'Validating',
  gate: GateVerdict,
  seen: readonly GateVerdict[],
): Verdict {
  const gates = withPending(subject, seen);
  if (gate.state === 'Failed' || gate.state === 'Inconclusive') {
    return { ...end(snapshot, subject, gate.state, gate.reason, gate.message), gates };
  }
  return {
    phase,
    reason: gate.reason,
    message: gate.message,
    gates,
    ...(gate.effects !== undefined && { effects: gate.effects }),
    ...(gate.lookAgainAt !== undefined && { lookAgainAt: gate.lookAgainAt }),
  };
}

function withPending(
  subject: StartedRevision,
  seen: readonly GateVerdict[],
): ReturnType<typeof gateStatus>[] {
  const rest = subject.frozen.gates.filter((gate) => !seen.some(({ name }) => name === gate.name));
  return [
    ...seen.map(gateStatus),
    ...rest.map(({ name }) => ({ name, state: 'Pending' as const, message: 'not its turn yet' })),
  ];
}

function gateStatus({ name, state, message }: GateVerdict): {
  name: string;
  state: GateVerdict['state'];
  message: string;
} {
  return { name, state, message };
}

/** All of them move, or none: one that is gone, or that was refused a moment ago, keeps the others where they are. */
function withheld(snapshot: Snapshot, roles: Roles): Verdict | undefined {
  const problem = [serviceMissing, serviceRefused, credentialsUnfit]
    .map((rule) => rule(snapshot, roles))
    .find((each) => each !== undefined);
  if (problem === undefined) return undefined;
  const { reason, message } = problem;
  const lookAgainAt = Math.max(...snapshot.services.map((service) => tidyDueAt(snapshot, service)));
  return {
    phase: 'Stalled',
    reason,
    message: `${message}; the candidate is ready, and no traffic moves before that`,
    stalled: true,
    ...(lookAgainAt > snapshot.now && { lookAgainAt }),
  };
}

function order(snapshot: Snapshot, subject: StartedRevision): Verdict {
  const { color, attempt } = subject.facts;
  const mark = { uid: snapshot.release.uid, revision: subject.name, attempt, direction: 'Forward' as const };
  const ready =
    snapshot.endpoint === undefined ? ` and ${readyCount(snapshot, color)} ${color} pods are ready` : '';
  const message = `all gates passed${ready}: moving the traffic to revision ${subject.name}`;
  return {
    phase: 'Switching',
    reason: 'Switching',
    message,
    effects: moveTraffic(snapshot, { color, mark, reason: `Validated: ${message}`, rescue: false }),
  };
}

/** The attempt is over before the switch: the candidate goes, production was never touched. */
export function end(
  snapshot: Snapshot,
  subject: StartedRevision,
  kind: OutcomeKind,
  reason: string,
  message: string,
): Verdict {
  const at = snapshot.now;
  return {
    phase: kind === 'Superseded' ? 'Idle' : 'Failed',
    reason,
    message,
    effects: [
      recordFacts(subject, {
        ...subject.facts,
        outcome: { kind, at, reason, message },
        ...(kind === 'Failed' && { rejected: { at, reason, message } }),
        ...(kind === 'Inconclusive' && { inconclusive: backoff(subject.facts, at) }),
      }),
    ],
  };
}

/**
 * Adoption: the running Deployment becomes the first revision. A chain of its own, in which production is served at
 * every moment by the source, by the colour, or by both:
 *
 *   hold source ─> freeze what really runs ─> build the colour of it ─> key into the selector ─> proof ─> drain ─> source to 0
 *   (paused, its autoscaler stored)            (both serve: the same code)   (the colour alone serves)
 *
 * What stands in the release alone begins by the same chain, without a source: nothing serves before the colour does.
 */
import { changedConfig } from '../../api/config.ts';
import { formatTime } from '../../api/time.ts';
import { workloadInWords, workloadOf } from '../../api/workload.ts';
import type { GateVerdict } from '../../gates/gate.ts';
import { readiness } from '../../gates/readiness.ts';
import { candidateSize } from '../capacity.ts';
import { holdColor, moveTraffic, recordFacts, scaleColor } from '../effects.ts';
import { convergence, readyCount, selectedColor, servingCount } from '../endpoints.ts';
import type { RevisionFacts } from '../facts.ts';
import { soonest } from '../look-again.ts';
import type { Effect, Verdict } from '../plan.ts';
import { configMissing } from '../problems.ts';
import type { Roles, StartedRevision } from '../roles.ts';
import { known, moveDueAt, refusalOf } from '../services.ts';
import type { ServiceView, Snapshot, SourceView } from '../snapshot.ts';
import { isChanged, judgeInput, refused, whatChanged } from '../start.ts';
import { groundwork, holdActive, upkeep } from '../upkeep.ts';
import { freezeFirst, SOURCE_AGAIN_MS } from './first.ts';
import { giveWay, PATIENCE_MS } from './give-way.ts';
import { provenFacts } from './preparing.ts';

export function adopting(snapshot: Snapshot, roles: Roles): Verdict {
  const { subject, command } = roles;
  const { source } = snapshot;
  const inline = workloadOf(snapshot.release.spec).kind === 'Deployment';
  if (subject === undefined || (source === undefined && !inline))
    return step('SourceMissing', 'the Deployment being adopted is gone', [], { stalled: true });
  if (subject.facts.outcome !== undefined) return beginning(snapshot, roles, subject, source);
  if (command === undefined) return building(snapshot, roles, subject, source);
  return subject.facts.verifiedAt === undefined
    ? proving(snapshot, roles, subject, source)
    : draining(snapshot, roles, subject, source, subject.facts.verifiedAt);
}

function step(
  reason: string,
  message: string,
  effects: readonly Effect[],
  more: Partial<Verdict> = {},
): Verdict {
  return { phase: 'Adopting', reason, message, effects, ...more };
}

/** The source serves. A colour of what it runs is built beside it; only here may both be behind the Service. */
function building(
  snapshot: Snapshot,
  roles: Roles,
  subject: StartedRevision,
  source: SourceView | undefined,
): Verdict {
  const { color } = subject.facts;
  if (subject.facts.verifiedAt !== undefined)
    return step('ProofLost', `the selector lost the key of ${color}: its switch has to be proven again`, [
      recordFacts(subject, unproven(subject.facts)),
    ]);
  const first =
    keyTooEarly(snapshot, subject, source) ??
    (source === undefined
      ? begunAnew(snapshot, roles, subject)
      : (held(snapshot, source) ?? replaced(snapshot, subject, source) ?? reread(snapshot, subject, source)));
  if (first !== undefined) return first;
  const size = candidateSize(snapshot, roles, color);
  const built = [...upkeep(snapshot, roles), ...holdColor(snapshot, color, subject.name, size)];
  if (built.length > 0) {
    const from = `${workloadInWords(snapshot.release.spec)} ${source === undefined ? 'says' : 'runs'}`;
    return step('BuildingColor', `building ${color} from what ${from}`, built);
  }
  const since = subject.facts.inconclusive?.retryAt ?? subject.facts.startedAt;
  const ready = readiness(snapshot, roles, subject, since);
  if (ready.state !== 'Passed') return waiting(snapshot, subject, source, ready);
  if (subject.facts.validatedAt === undefined) {
    return step('ColorReady', `${color} is ready: ${ready.message}`, [
      recordFacts(subject, provenFacts(snapshot, subject)),
    ]);
  }
  const mark = {
    uid: snapshot.release.uid,
    revision: subject.name,
    attempt: subject.facts.attempt,
    direction: 'Forward' as const,
  };
  const message = `the selector gets the key of ${color}, so that ${color} alone serves`;
  return step(
    'Switching',
    message,
    moveTraffic(snapshot, { color, mark, reason: `Adopted: ${message}`, rescue: false }),
  );
}

/** The deadline only tells, unless people have said something else: where the source serves all the while, giving up would help nobody. */
function waiting(
  snapshot: Snapshot,
  subject: StartedRevision,
  source: SourceView | undefined,
  { state, reason, message, lookAgainAt }: GateVerdict,
): Verdict {
  const late = state !== 'Running';
  const over = late && source !== undefined ? givenUp(snapshot, subject, source) : undefined;
  const again = lookAgainAt === undefined ? {} : { lookAgainAt };
  return over ?? step(reason, `adopting: ${message}`, [], { ...again, stalled: late });
}

/** Nothing serves, and people have said something else since: that is built in place of what does not become ready. */
function begunAnew(snapshot: Snapshot, roles: Roles, subject: StartedRevision): Verdict | undefined {
  if (!isChanged(snapshot, subject)) return undefined;
  return (
    judged(snapshot, roles) ??
    superseded(snapshot, subject, 'spec.workload.deployment changed before anything served')
  );
}

function judged(snapshot: Snapshot, roles: Roles): Verdict | undefined {
  const refusal = judgeInput(snapshot, roles);
  return refusal && { ...refusal, phase: refusal.stalled ? 'Stalled' : 'Adopting' };
}

/**
 * The source was created again, rolled out in spite of its pause, or the pods of what was frozen died and others are left: it
 * runs nowhere any more, and to switch to it would take back what people have rolled out.
 */
function replaced(snapshot: Snapshot, subject: StartedRevision, source: SourceView): Verdict | undefined {
  const { live, readySets, name } = source;
  const { replicaSet } = subject.facts;
  // Of two that have ready pods the smaller one may grow.
  if (live === undefined || replicaSet === undefined || readySets.includes(replicaSet)) return undefined;
  const why = `Deployment "${name}" runs ReplicaSet "${live.replicaSet}" by now, before anything else served`;
  return superseded(snapshot, subject, why);
}

/**
 * What really runs was frozen with the config that people had named by then, which its pods need not have read: where the
 * colour does not become ready with it, or has died of it, what people write now is tried in its place.
 */
function reread(snapshot: Snapshot, subject: StartedRevision, { live }: SourceView): Verdict | undefined {
  const { color, validatedAt } = subject.facts;
  const changed = changedConfig(subject.config, snapshot.config.found).join(' and ');
  const goesOn = validatedAt !== undefined && readyCount(snapshot, color) > 0;
  if (live === undefined || changed === '' || goesOn) return undefined;
  if (configMissing(snapshot) !== undefined) return undefined;
  return superseded(snapshot, subject, `${changed} changed before anything else served`);
}

/**
 * What people have said since is what may help, and it is theirs to roll out, as if there were no release yet: what
 * becomes ready of it is adopted.
 */
function givenUp(snapshot: Snapshot, subject: StartedRevision, source: SourceView): Verdict | undefined {
  if (!isChanged(snapshot, subject)) return undefined;
  const why = bothDead(snapshot, subject, source) ?? inVain(subject, source);
  if (why === undefined) return undefined;
  return superseded(snapshot, subject, `${whatChanged(snapshot, subject)}, and ${why}`);
}

/**
 * The source died while it was held, and what is built of it does not become ready either. Built here, what people have
 * said since would stand against a source that comes back.
 */
function bothDead(snapshot: Snapshot, subject: StartedRevision, source: SourceView): string | undefined {
  if (source.ready > 0 || readyCount(snapshot, subject.facts.color) > 0 || servingCount(snapshot) > 0)
    return undefined;
  return `no pod of Deployment "${source.name}" is ready, nor of ${subject.facts.color}`;
}

/**
 * What runs does not become ready a second time: with the config that is there by now, or for want of room. It goes on
 * serving: built here, what people have said since would get traffic beside what runs before anything of it is proven.
 */
function inVain(subject: StartedRevision, source: SourceView): string | undefined {
  if (!isAllThatRuns(subject, source)) return undefined;
  return `what Deployment "${source.name}" runs does not become ready a second time`;
}

function isAllThatRuns({ fingerprint }: StartedRevision, { live }: SourceView): boolean {
  return live?.fingerprint === fingerprint;
}

/** In a write of its own: whoever has not heard of it can neither prove this revision nor begin another one. */
function superseded({ now }: Snapshot, subject: StartedRevision, why: string): Verdict {
  const message = `revision ${subject.name} is no longer wanted: ${why}`;
  const outcome = { kind: 'Superseded' as const, at: now, reason: 'Superseded', message };
  return step('Superseded', message, [recordFacts(subject, { ...subject.facts, outcome })]);
}

/** Once more, with what runs, or what people say, by now. */
function beginning(
  snapshot: Snapshot,
  roles: Roles,
  subject: StartedRevision,
  source: SourceView | undefined,
): Verdict {
  const early = keyTooEarly(snapshot, subject, source);
  if (early !== undefined) return early;
  if (source === undefined) return judged(snapshot, roles) ?? freezeFirst(snapshot, roles);
  const missing = configMissing(snapshot);
  return (
    claimed(snapshot, source) ??
    letRun(snapshot, subject, source) ??
    letRollOut(snapshot, subject, source) ??
    (missing && refused(missing)) ??
    freezeFirst(snapshot, roles)
  );
}

/**
 * Held, or parked by us, and nothing of it ready: only its rollout can bring something that could be adopted. `subject`
 * undefined: by a release of this name that people ended by force.
 */
export function letRun(
  snapshot: Snapshot,
  subject: StartedRevision | undefined,
  source: SourceView,
): Verdict | undefined {
  const { name, replicas, ready, paused, live, parkedAt } = source;
  if (ready > 0 || live !== undefined) return undefined;
  const isParked = subject !== undefined && replicas === 0 && parkedAt !== undefined;
  const to = isParked ? (subject.facts.sourceReplicas ?? 1) : replicas;
  const effects = [
    ...(subject === undefined ? [] : makeRoom(snapshot, subject, source)),
    ...(paused || to > replicas ? [released(snapshot, source, to)] : []),
  ];
  if (effects.length === 0) return undefined;
  const message = `Deployment "${name}" has no ready pod: it rolls out what people wish for, and what is ready of that is adopted`;
  return step('ReleasingSource', message, effects);
}

/** It serves meanwhile, and its own rollout ends no pod before another one is ready, or whatever people have said of that. */
function letRollOut(snapshot: Snapshot, subject: StartedRevision, source: SourceView): Verdict | undefined {
  if (!isAllThatRuns(subject, source) || !isChanged(snapshot, subject)) return undefined;
  const { name, replicas, paused } = source;
  const message = `Deployment "${name}" rolls out what people wish for, and what is ready of that is adopted`;
  const effects = [
    ...makeRoom(snapshot, subject, source),
    ...(paused ? [released(snapshot, source, replicas)] : []),
  ];
  if (effects.length > 0) return step('ReleasingSource', message, effects);
  return step('WaitingForSource', message, [], { lookAgainAt: snapshot.now + SOURCE_AGAIN_MS });
}

/** Its size and the end of its pause are one write. */
function released({ now }: Snapshot, { uid, replicas: from }: SourceView, to: number): Effect {
  return { kind: 'ScaleSource', uid, from, to, at: now };
}

/** What was built in vain, if nobody pointed a Service to it, and it does not serve in place of the source. */
function makeRoom(
  snapshot: Snapshot,
  { name, facts: { color } }: StartedRevision,
  { ready, replicas }: SourceView,
): Effect[] {
  const label = snapshot.release.spec.traffic.selectorLabel;
  const isNamed = snapshot.services.some((service) => selectedColor(service, label) === color);
  const isSpare = readyCount(snapshot, color) === 0 || (ready > 0 && ready >= replicas);
  const stands = snapshot.sides[color].deployment?.revision === name;
  return stands && isSpare && !isNamed ? scaleColor(snapshot, color, 0) : [];
}

/**
 * Another writer put the key of a side into a selector before anything was proven there: nobody serves, or few. Without
 * the key whatever runs does. Where the source cannot serve, what is ready of the colour may go on, unless it is to be
 * written over.
 */
function keyTooEarly(
  snapshot: Snapshot,
  subject: StartedRevision,
  source: SourceView | undefined,
): Verdict | undefined {
  const { deployment } = snapshot.sides[subject.facts.color];
  const isOver = deployment !== undefined && deployment.revision !== subject.name;
  if (source?.ready === 0 && !isOver) return undefined;
  const canServe = source?.ready !== 0;
  const label = snapshot.release.spec.traffic.selectorLabel;
  const astray = snapshot.services.filter(
    (service) => selectedColor(service, label) !== undefined && (canServe || !servesSomebody(service)),
  );
  const reason = 'SelectorRestored';
  const again = source?.ready ? `Deployment "${source.name}" serves again` : 'it selects whatever runs again';
  const message = `Service "${astray[0]?.name}" selected a side that is not proven yet: ${again}`;
  const move = { color: undefined, mark: undefined, reason: `${reason}: ${message}`, rescue: true };
  const moves = moveTraffic(snapshot, move, astray);
  return moves.length === 0 ? undefined : step(reason, message, moves);
}

function servesSomebody({ endpoints }: ServiceView): boolean {
  return endpoints.some(({ ready }) => ready);
}

/** Nothing of the source changes while a colour of it is built. */
function held(snapshot: Snapshot, source: SourceView): Verdict | undefined {
  const taken = claimed(snapshot, source);
  if (taken !== undefined) return taken;
  const effects = holdSource(source);
  const message = `pausing Deployment "${source.name}" while a colour of it is built`;
  return effects.length === 0 ? undefined : step('HoldingSource', message, effects);
}

function claimed({ release }: Snapshot, { name, claimedBy }: SourceView): Verdict | undefined {
  if (claimedBy === undefined || claimedBy === release.name) return undefined;
  const message = `Deployment "${name}" belongs to release "${claimedBy}": delete one of the two`;
  return step('WorkloadClaimed', message, [], { stalled: true });
}

/** Paused and labelled first, in one write that also stores its autoscaler; only then is the autoscaler removed. */
function holdSource(source: SourceView): Effect[] {
  const autoscaler = source.autoscalers[0];
  const stored = autoscaler === undefined || source.storedAutoscaler;
  if (!source.paused || source.claimedBy === undefined || !stored) {
    return [
      {
        kind: 'HoldSource',
        uid: source.uid,
        resourceVersion: source.resourceVersion,
        autoscaler: autoscaler?.name,
      },
    ];
  }
  return autoscaler === undefined
    ? []
    : [{ kind: 'RemoveAutoscaler', name: autoscaler.name, uid: autoscaler.uid }];
}

function proving(
  snapshot: Snapshot,
  roles: Roles,
  subject: StartedRevision,
  source: SourceView | undefined,
): Verdict {
  const { color } = subject.facts;
  const since = roles.command?.decidedAt ?? subject.facts.validatedAt ?? snapshot.now;
  const lost = diedUnproven(snapshot, roles, subject, source, since);
  if (lost !== undefined) return lost;
  const behind = known(snapshot, roles).find(
    (service) => !convergence(snapshot, service, color, readyCount(snapshot, color)).converged,
  );
  if (behind !== undefined)
    return step(
      'WaitingForEndpoints',
      `waiting until the endpoints of Service "${behind.name}" are ${color} pods only`,
      [...holdActive(snapshot, roles), ...groundwork(snapshot)],
      soonest(snapshot.now, [since + PATIENCE_MS]),
    );
  const verifiedReady = readyCount(snapshot, color);
  return step(
    'SwitchVerified',
    `${verifiedReady} ${color} pods serve alone${source === undefined ? '' : `; Deployment "${source.name}" drains`}`,
    [recordFacts(subject, { ...subject.facts, verifiedAt: snapshot.now, verifiedReady })],
  );
}

/** The colour alone serves. Until the source is let go it could do so again, and it goes only while the colour stands. */
function draining(
  snapshot: Snapshot,
  roles: Roles,
  subject: StartedRevision,
  source: SourceView | undefined,
  verifiedAt: number,
): Verdict {
  if (source === undefined)
    return commit(snapshot, subject, 'Began', `revision ${subject.name} is the first to serve`);
  const { color } = subject.facts;
  const kept = holdActive(snapshot, roles);
  if (kept.length > 0)
    return step(
      'HoldingColor',
      `keeping ${color} as it should be while Deployment "${source.name}" drains`,
      kept,
    );
  const until = lastServed(snapshot, verifiedAt) + subject.frozen.traffic.drainSeconds * 1000;
  if (snapshot.now < until) {
    return step(
      'Draining',
      `connections to Deployment "${source.name}" drain until ${formatTime(until)}`,
      [],
      { lookAgainAt: until },
    );
  }
  // Pods that are being ended are ready for a moment still; its Deployment counts those that stay.
  if (source.ready > 0 && !snapshot.sides[color].deployment?.ready) {
    const message = `Deployment "${source.name}" stays as it is until a ${color} pod is ready that is not being ended`;
    return step('WaitingForColor', message, []);
  }
  if (source.replicas > 0 || source.paused) {
    return step('ParkingSource', `Deployment "${source.name}" has no traffic any more: scaling it to 0`, [
      { kind: 'ScaleSource', uid: source.uid, from: source.replicas, to: 0, at: snapshot.now },
    ]);
  }
  const message = `Deployment "${source.name}" was adopted as revision ${subject.name}`;
  return commit(snapshot, subject, 'Adopted', message);
}

function commit({ now }: Snapshot, subject: StartedRevision, reason: string, message: string): Verdict {
  const outcome = { kind: 'Committed' as const, at: now, reason, message };
  return step(reason, message, [recordFacts(subject, { ...subject.facts, committedAt: now, outcome })]);
}

/** A Service that had lost its key meanwhile had the source behind it until that was put back. A time to come is of another clock. */
function lastServed({ now, services }: Snapshot, verifiedAt: number): number {
  const switched = services.map(({ switchedAt }) => switchedAt ?? 0);
  return Math.max(verifiedAt, ...switched.filter((at) => at <= now));
}

/**
 * The colour died while the source still stands: without the key both serve again. A rule of its own, before those that
 * put a Service back to the colour or wait for one that cannot be written: half of them are let go already, it may be.
 */
export function serveAgain(snapshot: Snapshot, { stage, command, subject }: Roles): Verdict | undefined {
  const { source } = snapshot;
  if (stage !== 'Adopting' || command === undefined || subject === undefined || source === undefined)
    return undefined;
  const { color, verifiedAt } = subject.facts;
  if (servingCount(snapshot) > 0 || readyCount(snapshot, color) > 0 || source.ready === 0) return undefined;
  const message = `no ${color} pod is ready: Deployment "${source.name}" serves again`;
  const reason = `NoReadyEndpoints: ${message}`;
  const moves = moveTraffic(snapshot, { color: undefined, mark: undefined, reason, rescue: true });
  const forgotten = verifiedAt === undefined ? [] : [recordFacts(subject, unproven(subject.facts))];
  const again = snapshot.services.map((service) => moveDueAt(snapshot, service));
  return step('NoReadyEndpoints', `${message}${refusedIn(snapshot)}`, [...moves, ...forgotten], {
    ...soonest(snapshot.now, again),
    stalled: moves.length === 0,
  });
}

/** Why the key stays in a selector, for now. */
function refusedIn(snapshot: Snapshot): string {
  const due = snapshot.services.find((service) => moveDueAt(snapshot, service) > snapshot.now);
  if (due === undefined) return '';
  return `; Service "${due.name}" cannot be patched (${refusalOf(snapshot, due)?.message}), and is tried again every second`;
}

/**
 * Nothing else could serve: a Deployment that stands in the release has no source, and a dead source is of the same content
 * as the colour. The revision counts as the one that has the traffic, so that a fix is a release like any other.
 */
function diedUnproven(
  snapshot: Snapshot,
  roles: Roles,
  subject: StartedRevision,
  source: SourceView | undefined,
  since: number,
): Verdict | undefined {
  if (source !== undefined && source.ready > 0) return undefined;
  if (readyCount(snapshot, subject.facts.color) > 0 || servingCount(snapshot) > 0) return undefined;
  return giveWay(snapshot, roles, subject, since);
}

/** Without the old proof: the next switch must be proven and drained like the first. */
function unproven({ verifiedAt: _, verifiedReady: __, ...facts }: RevisionFacts): RevisionFacts {
  return facts;
}

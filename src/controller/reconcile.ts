/**
 * One release, once: observe, decide, apply, report. Effects are applied round after round until the plan is empty,
 * so that a release does not wait for its own writes to come back as news; the status is written once, at the end.
 */
import type { ConditionInput } from '../api/conditions.ts';
import { mergeConditions } from '../api/conditions.ts';
import { sameJson } from '../api/json.ts';
import { type ParsedRelease, type ParseResult, parseRelease } from '../api/parse.ts';
import type { BlueGreenReleaseObject } from '../api/resource.ts';
import type { ReleaseStatus } from '../api/status.ts';
import { withSignal } from '../kube/cancel.ts';
import { describeThrown } from '../kube/log.ts';
import type { ReconcileContext, ReconcileResult } from '../kube/loop.ts';
import type { ObjectKey } from '../kube/ports.ts';
import type { Effect, Plan } from '../release/plan.ts';
import { createAnswers } from './answers.ts';
import { isStale, NameTakenError, StaleError } from './apply/errors.ts';
import { letGo } from './apply.ts';
import type { Cache } from './cache.ts';
import { expectAnswers } from './expected.ts';
import { createLine, type Line } from './line.ts';
import { createPace, isPressing, type Pace } from './progress.ts';
import { writeStatus } from './report.ts';
import { lastSpec } from './revisions.ts';
import { beginPass, currentOf, type Pass, type RoundDeps, round } from './round.ts';
import { createRush } from './rush.ts';
import { createTroubles, type Troubles } from './trouble.ts';
import { createUntold, isNoneOf, type Untold } from './untold.ts';

export interface ReconcileObserver {
  /** `at`: when the answer was there, milliseconds since the epoch. */
  onEffect(effect: Effect, result: 'applied' | 'refused' | 'failed', at: number): void;
  /** Before the status is written; `before` is what stood there. */
  onStatus(key: ObjectKey, before: ReleaseStatus, after: ReleaseStatus): void;
  onGone(key: ObjectKey): void;
}

export interface ReconcileDeps extends Omit<RoundDeps, 'answers' | 'rush'> {
  readonly observer: ReconcileObserver;
}

/** A plan that is never empty would be a bug; it must not become a hot loop. */
const MAX_ROUNDS = 10;

/**
 * To the API server a status is dearer than the write that it tells of: unbounded, those of releases that only began
 * would stand before the production patches of others. What happens while one waits is told with it.
 */
const STATUSES_AT_A_TIME = 4;

export function createReconciler(
  deps: ReconcileDeps,
): (key: string, context: ReconcileContext) => Promise<ReconcileResult> {
  const pace = createPace(deps.now);
  const rush = createRush(deps.now);
  const line = createLine(STATUSES_AT_A_TIME);
  const troubles = createTroubles(deps.now);
  const untold = createUntold();
  const answers = createAnswers(deps.now);
  return async (key, context) => {
    const [namespace = '', name = ''] = key.split('/');
    const object = deps.cache.releases.get({ namespace, name });
    if (object === undefined) {
      deps.beside.forget(key);
      pace.forget(key);
      troubles.forget(key);
      untold.forget(key);
      answers.forget(key);
      rush.forget(key);
      deps.observer.onGone({ namespace, name });
      return { result: 'success' };
    }
    const bound = { ...deps, answers, rush, client: withSignal(deps.client, context.signal) };
    const parsed = readable(deps.cache, object);
    if (!parsed.ok) return refuse(bound, object, parsed.problems);
    const subject = { key, uid: object.metadata.uid };
    const known = {
      status: untold.withThem(subject, parsed.release.status),
      base: object.status,
      untold: untold.lines(subject),
    };
    const { status, ...rest } = await announce(bound, object, parsed.release, known);
    const pass = beginPass(key, { ...parsed.release, status }, rest);
    return toEnd(bound, { pace, line, troubles, untold }, pass, context);
  };
}

/** What a pass begins with. */
type Known = Pick<Pass, 'status' | 'base' | 'untold'>;

/**
 * The first write comes before anything else: without a condition, tools take an object for healthy. Where it cannot be
 * made, production is looked after all the same. `known`: with what was done and not told before the status was lost.
 */
async function announce(
  deps: ReconcileDeps,
  object: BlueGreenReleaseObject,
  release: ParsedRelease,
  known: Known,
): Promise<Known> {
  if (release.status.conditions !== undefined) return known;
  const generation = release.metadata.generation ?? 0;
  const message = 'the operator has seen the release and is looking at it';
  const conditions: ConditionInput[] = [
    { type: 'Ready', status: 'Unknown', reason: 'Observed', message },
    { type: 'Reconciling', status: 'True', reason: 'Observed', message },
  ];
  const status: ReleaseStatus = {
    ...release.status,
    ...(known.status.decisions !== undefined && { decisions: known.status.decisions }),
    phase: 'Idle',
    message,
    conditions: mergeConditions(undefined, conditions, generation, deps.now()),
  };
  const written = await writeStatus(deps.client, deps.cache.releases, object, status).catch(
    (error: unknown) =>
      deps.log.warn('the first status could not be written', { error: describeThrown(error) }),
  );
  return written === undefined ? { ...known, status } : { status, base: written.status, untold: [] };
}

/** A release that is being deleted is taken apart by the spec that it last worked with, where its own cannot be read. */
function readable(cache: Cache, object: BlueGreenReleaseObject): ParseResult {
  const parsed = parseRelease(object);
  if (parsed.ok || object.metadata.deletionTimestamp === undefined) return parsed;
  const spec = lastSpec(cache, object);
  return spec === undefined ? parsed : parseRelease({ ...object, spec });
}

/**
 * What even the CRD let through: an object written under another version of it. One that is being deleted must not hang
 * for ever: production stays where its selectors point.
 */
async function refuse(
  deps: ReconcileDeps,
  object: BlueGreenReleaseObject,
  problems: readonly { field: string; message: string }[],
): Promise<ReconcileResult> {
  const message = problems.map((problem) => `${problem.field} ${problem.message}`).join('; ');
  await tellFailure(deps, object, {}, { type: 'Stalled', reason: 'InvalidSpec', message });
  if (object.metadata.deletionTimestamp !== undefined) await letGo(deps, object);
  return { result: 'success' };
}

interface Failure {
  /** Whether somebody must mend it, or it may pass. */
  readonly type: 'Stalled' | 'Reconciling';
  readonly reason: string;
  readonly message: string;
}

async function tellFailure(
  deps: ReconcileDeps,
  object: BlueGreenReleaseObject,
  status: ReleaseStatus,
  { type, reason, message }: Failure,
): Promise<void> {
  const generation = object.metadata.generation ?? 0;
  const kept = (status.conditions ?? []).filter(
    (condition) => !['Ready', 'Stalled', 'Reconciling'].includes(condition.type),
  );
  const conditions = mergeConditions(
    status.conditions,
    [
      { type: 'Ready', status: 'False', reason, message },
      { type, status: 'True', reason, message },
    ],
    generation,
    deps.now(),
  );
  const next: ReleaseStatus = {
    ...status,
    ...(type === 'Stalled' && { observedGeneration: generation, phase: 'Stalled' }),
    message: message.slice(0, 1024),
    conditions: [...conditions, ...kept],
  };
  await writeStatus(deps.client, deps.cache.releases, object, next);
}

/** Of this process, about its releases. */
interface Memories {
  readonly pace: Pace;
  readonly line: Line;
  readonly troubles: Troubles;
  readonly untold: Untold;
}

/** No status holds up what comes next: what changes while one is being written is looked at beside it. */
async function toEnd(
  deps: ReconcileDeps & RoundDeps,
  { pace, line, troubles, untold }: Memories,
  pass: Pass,
  context: ReconcileContext,
): Promise<ReconcileResult> {
  let writing: Promise<number> = Promise.resolve(0);
  const hurry = Promise.withResolvers<void>();
  const report = (): Promise<number> => {
    // An urgent worker has no time to stand anywhere; and what waits in the line is told with what presses.
    if (context.urgent || presses(deps, pass)) hurry.resolve();
    writing = writing.then(() => write(deps, { pace, line }, pass, hurry.promise));
    return writing;
  };
  try {
    const result = await rounds(deps, pass, context, report);
    troubles.forget(pass.key);
    const subject = { key: pass.key, uid: pass.release.metadata.uid };
    if (!pass.isLate) untold.keep(subject, pass.untold);
    else untold.keepWhole(subject, pass.untold, currentOf(deps, pass)?.status ?? {}, pass.status);
    return result;
  } catch (error) {
    await writing.catch(() => undefined);
    return failed(deps, { troubles, untold }, pass, error);
  }
}

/** `report` writes the status, after the one before. */
async function rounds(
  deps: ReconcileDeps & RoundDeps,
  pass: Pass,
  context: ReconcileContext,
  report: () => Promise<number>,
): Promise<ReconcileResult> {
  const answers = expectAnswers(deps, () => presses(deps, pass));
  for (let count = 0; count < MAX_ROUNDS && !isOutdated(deps, pass); count++) {
    if (count > 0) await context.pause();
    const plan = await round(deps, pass);
    if (plan === undefined) return { result: 'requeue' };
    if (pass.gone) return { result: 'success' };
    const waitMs = answers.afterMs(plan);
    if (plan.effects.length > 0 || (waitMs > 0 && (await context.news(waitMs)))) continue;
    answers.told();
    const writing = report();
    if (await context.news(writing)) continue;
    return again(plan, await writing, deps.now());
  }
  await report();
  return { result: 'requeue' };
}

/** People want something else since the pass began. */
function isOutdated(deps: ReconcileDeps, pass: Pass): boolean {
  const { uid, generation } = pass.release.metadata;
  const now = currentOf(deps, pass)?.metadata;
  return now !== undefined && (now.uid !== uid || now.generation !== generation);
}

function presses(deps: ReconcileDeps, pass: Pass): boolean {
  const object = currentOf(deps, pass);
  return isPressing(object?.status ?? {}, pass.status, object?.metadata.generation ?? 0);
}

/** Gives the milliseconds that are to pass before the status is written; 0: it is. */
async function write(
  deps: ReconcileDeps & RoundDeps,
  { pace, line }: Pick<Memories, 'pace' | 'line'>,
  pass: Pass,
  hurry: Promise<void>,
): Promise<number> {
  const object = ownObject(deps, pass);
  if (object === undefined) return 0;
  assertBase(object, pass);
  const { namespace = '', name } = object.metadata;
  deps.observer.onStatus({ namespace, name }, pass.told, pass.status);
  pass.told = pass.status;
  const before = object.status ?? {};
  pass.isLate = false;
  if (sameJson(before, pass.status)) {
    pace.forget(pass.key);
    return 0;
  }
  const waitMs =
    pace.waitMs(pass.key, before, pass.status) || (presses(deps, pass) ? 0 : deps.rush.turn(pass.key));
  pass.isLate = waitMs > 0;
  if (pass.isLate) return waitMs;
  await line(() => tellStatus(deps, pass), hurry);
  return 0;
}

/** What there is to tell when its turn has come, which may be more than when it was asked for. */
async function tellStatus(deps: ReconcileDeps, pass: Pass): Promise<void> {
  const object = ownObject(deps, pass);
  if (object === undefined) return;
  assertBase(object, pass);
  const { status } = pass;
  pass.base = (await writeStatus(deps.client, deps.cache.releases, object, status)).status;
  pass.untold = pass.untold.filter(isNoneOf(status.decisions));
}

/**
 * Another process has written one since the pass began: a difference to that would take away what it told of. Looking
 * again, both are told.
 */
function assertBase(object: BlueGreenReleaseObject, pass: Pass): void {
  if (!standsOn(object, pass)) throw new StaleError('the status was written by another process meanwhile');
}

/** Where none stands any more, nothing can be taken away. */
function standsOn({ status }: BlueGreenReleaseObject, { base }: Pass): boolean {
  return sameJson(status ?? {}, {}) || sameJson(status, base);
}

/** undefined: there is nothing left to write to. */
function ownObject(deps: ReconcileDeps, pass: Pass): BlueGreenReleaseObject | undefined {
  const object = currentOf(deps, pass);
  return object?.metadata.uid === pass.release.metadata.uid && !pass.gone ? object : undefined;
}

/** Another writer was quicker: look again. Anything else is shown to people and tried again with backoff. */
async function failed(
  deps: ReconcileDeps,
  { troubles, untold }: Pick<Memories, 'troubles' | 'untold'>,
  pass: Pass,
  error: unknown,
): Promise<ReconcileResult> {
  const { key, release } = pass;
  const object = currentOf(deps, pass);
  const subject = { key, uid: release.metadata.uid };
  untold.keep(subject, pass.untold);
  if (isStale(error)) return { result: 'requeue' };
  if (object === undefined) return { result: 'success' };
  const { decisions } = untold.withThem(subject, object.status ?? {});
  const status = { ...pass.status, ...(!standsOn(object, pass) && decisions && { decisions }) };
  const message = error instanceof Error ? error.message : 'an effect failed';
  if (error instanceof NameTakenError) {
    await tellFailure(deps, object, status, { type: 'Stalled', reason: 'NameTaken', message });
    untold.forget(key);
    return { result: 'requeue_after', afterMs: 15_000 };
  }
  const failure: Failure = troubles.mayPass(pass.key, error)
    ? { type: 'Reconciling', reason: 'ApplyDelayed', message }
    : { type: 'Stalled', reason: 'ApplyFailed', message };
  await tellFailure(deps, object, status, failure);
  untold.forget(key);
  throw error;
}

function again({ lookAgainAt }: Plan, writeInMs: number, now: number): ReconcileResult {
  const waits = [
    ...(lookAgainAt === undefined ? [] : [Math.max(1, lookAgainAt - now)]),
    ...(writeInMs === 0 ? [] : [writeInMs]),
  ];
  return waits.length === 0
    ? { result: 'success' }
    : { result: 'requeue_after', afterMs: Math.min(...waits) };
}

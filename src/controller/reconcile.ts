/**
 * One release, once: observe, decide, apply, report. Effects are applied round after round until the plan is empty,
 * so that a release does not wait for its own writes to come back as news; the status is written once, at the end.
 */
import { randomUUID } from 'node:crypto';
import type { ConditionInput } from '../api/conditions.ts';
import { mergeConditions } from '../api/conditions.ts';
import { type ParsedRelease, parseRelease } from '../api/parse.ts';
import type { BlueGreenReleaseObject } from '../api/resource.ts';
import type { ReleaseStatus } from '../api/status.ts';
import { isKubeError } from '../kube/errors.ts';
import { describeThrown, type Logger } from '../kube/log.ts';
import type { ReconcileContext, ReconcileResult } from '../kube/loop.ts';
import type { KubeClient, ObjectKey } from '../kube/ports.ts';
import { decide } from '../release/decide.ts';
import { describe } from '../release/describe.ts';
import { violations } from '../release/invariants.ts';
import type { Effect, Plan } from '../release/plan.ts';
import { applyEffect, NameTakenError, StaleError } from './apply.ts';
import type { Beside } from './beside.ts';
import { type Cache, keyOf } from './cache.ts';
import { observe, type Scene } from './observe.ts';
import { createPace, type Pace } from './progress.ts';
import { eventFor, type ReleaseEvent, writeStatus } from './report.ts';

export interface ReconcileObserver {
  /** `at`: when the answer was there, milliseconds since the epoch. */
  onEffect(effect: Effect, result: 'applied' | 'refused' | 'failed', at: number): void;
  /** Before the status is written; `before` is what stood there. */
  onStatus(key: ObjectKey, before: ReleaseStatus, after: ReleaseStatus): void;
  onGone(key: ObjectKey): void;
}

export interface ReconcileDeps {
  readonly client: KubeClient;
  readonly cache: Cache;
  readonly beside: Beside;
  readonly recordEvent: (event: ReleaseEvent) => void;
  readonly observer: ReconcileObserver;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A plan that is never empty would be a bug; it must not become a hot loop. */
const MAX_ROUNDS = 10;

export function createReconciler(
  deps: ReconcileDeps,
): (key: string, context: ReconcileContext) => Promise<ReconcileResult> {
  const pace = createPace(deps.now);
  return async (key) => {
    const [namespace = '', name = ''] = key.split('/');
    const object = deps.cache.releases.get({ namespace, name });
    if (object === undefined) {
      deps.beside.forget(key);
      pace.forget(key);
      deps.observer.onGone({ namespace, name });
      return { result: 'success' };
    }
    const parsed = parseRelease(object);
    if (!parsed.ok) return refuse(deps, object, parsed.problems);
    return createRun(deps, pace, key, await announce(deps, object, parsed.release)).toEnd();
  };
}

/**
 * The first write comes before anything else: without a condition, tools take an object for healthy. Where it cannot be
 * made, production is looked after all the same.
 */
async function announce(
  deps: ReconcileDeps,
  object: BlueGreenReleaseObject,
  release: ParsedRelease,
): Promise<ParsedRelease> {
  if (release.status.conditions !== undefined) return release;
  const generation = release.metadata.generation ?? 0;
  const message = 'the operator has seen the release and is looking at it';
  const conditions: ConditionInput[] = [
    { type: 'Ready', status: 'Unknown', reason: 'Observed', message },
    { type: 'Reconciling', status: 'True', reason: 'Observed', message },
  ];
  const status: ReleaseStatus = {
    ...release.status,
    phase: 'Idle',
    message,
    conditions: mergeConditions(undefined, conditions, generation, deps.now()),
  };
  await writeStatus(deps.client, deps.cache.releases, object, status).catch((error: unknown) =>
    deps.log.warn('the first status could not be written', { error: describeThrown(error) }),
  );
  return { ...release, status };
}

/** What even the CRD let through: an object written under another version of it. */
async function refuse(
  deps: ReconcileDeps,
  object: BlueGreenReleaseObject,
  problems: readonly { field: string; message: string }[],
): Promise<ReconcileResult> {
  const message = problems.map((problem) => `${problem.field} ${problem.message}`).join('; ');
  await stall(deps, object, {}, 'InvalidSpec', message);
  return { result: 'success' };
}

async function stall(
  deps: ReconcileDeps,
  object: BlueGreenReleaseObject,
  status: ReleaseStatus,
  reason: string,
  message: string,
): Promise<void> {
  const generation = object.metadata.generation ?? 0;
  const kept = (status.conditions ?? []).filter(
    ({ type }) => !['Ready', 'Stalled', 'Reconciling'].includes(type),
  );
  const conditions = mergeConditions(
    status.conditions,
    [
      { type: 'Ready', status: 'False', reason, message },
      { type: 'Stalled', status: 'True', reason, message },
    ],
    generation,
    deps.now(),
  );
  const next: ReleaseStatus = {
    ...status,
    observedGeneration: generation,
    phase: 'Stalled',
    message: message.slice(0, 1024),
    conditions: [...conditions, ...kept],
  };
  await writeStatus(deps.client, deps.cache.releases, object, next);
}

interface Run {
  toEnd(): Promise<ReconcileResult>;
}

function createRun(deps: ReconcileDeps, pace: Pace, key: string, release: ParsedRelease): Run {
  const { cache, beside, observer, now } = deps;
  const { namespace = '', name, uid = '' } = release.metadata;
  const fields = { release: keyOf(namespace, name), reconcileId: randomUUID().slice(0, 8) };
  /** What was decided and not written yet is part of what the next decision knows. */
  let status = release.status;
  let gone = false;

  /** The object as it is now: own writes of earlier rounds are in it. */
  const current = (): BlueGreenReleaseObject | undefined => cache.releases.get({ namespace, name });

  async function look(): Promise<{ scene: Scene; plan: Plan } | undefined> {
    const object = current();
    if (object === undefined) return undefined;
    const parsed = { ...release, metadata: object.metadata, status };
    const scene = await observe(
      { cache, client: deps.client, now },
      parsed,
      beside.observations(key, uid, status),
      beside.aliases(key),
    );
    return { scene, plan: decide(scene.snapshot) };
  }

  function tell(object: BlueGreenReleaseObject | undefined, plan: Plan): void {
    const event = object && eventFor(object, status, plan.verdict);
    if (event !== undefined) deps.recordEvent(event);
    if (plan.effects.length === 0) return;
    const { phase, reason, message } = plan.verdict;
    deps.log.info(message, {
      ...fields,
      revision: plan.status.candidate?.revision ?? plan.status.revision,
      phase,
      reason,
      effects: plan.effects.map(describe),
    });
  }

  async function apply(scene: Scene, effect: Effect): Promise<void> {
    try {
      await applyEffect({ client: deps.client, cache }, scene, effect as never);
      observer.onEffect(effect, 'applied', now());
      gone ||= effect.kind === 'RemoveFinalizer';
    } catch (error) {
      observer.onEffect(effect, isStale(error) ? 'refused' : 'failed', now());
      throw error;
    }
  }

  /** In order; production selectors side by side. */
  async function applyAll(scene: Scene, effects: readonly Effect[]): Promise<void> {
    const broken = violations(scene.snapshot, effects);
    if (broken.length > 0)
      throw new Error(`refused, because it would break an invariant: ${broken.join('; ')}`);
    await Promise.all(
      effects.filter(({ kind }) => kind === 'PatchSelector').map((effect) => apply(scene, effect)),
    );
    for (const effect of effects) if (effect.kind !== 'PatchSelector') await apply(scene, effect);
  }

  async function round(): Promise<Plan | undefined> {
    const looked = await look();
    if (looked === undefined) return undefined;
    const { scene, plan } = looked;
    const object = current();
    try {
      await applyAll(scene, plan.effects);
    } finally {
      // After the effects: neither a log line nor an event goes before what production waits for.
      tell(object, plan);
    }
    for (const request of plan.requests) beside.request(key, scene, request);
    status = plan.status;
    return plan;
  }

  /** Gives the milliseconds that are to pass before the status is written; 0: it is. */
  async function write(): Promise<number> {
    const object = current();
    if (object === undefined || gone) return 0;
    observer.onStatus({ namespace, name }, release.status, status);
    const waitMs = pace.waitMs(key, (object.status ?? {}) as ReleaseStatus, status);
    if (waitMs === 0) await writeStatus(deps.client, cache.releases, object, status);
    return waitMs;
  }

  /** Another writer was quicker: look again. Anything else is shown to people and tried again with backoff. */
  async function failed(error: unknown): Promise<ReconcileResult> {
    if (error instanceof StaleError || isKubeError(error, 'Conflict', 'NotFound'))
      return { result: 'requeue' };
    const object = current();
    if (object === undefined) return { result: 'success' };
    const message = error instanceof Error ? error.message : 'an effect failed';
    const reason = error instanceof NameTakenError ? 'NameTaken' : 'ApplyFailed';
    await stall(deps, object, status, reason, message);
    if (error instanceof NameTakenError) return { result: 'requeue_after', afterMs: 15_000 };
    throw error;
  }

  function again({ lookAgainAt }: Plan, writeInMs: number): ReconcileResult {
    const waits = [
      ...(lookAgainAt === undefined ? [] : [Math.max(1, lookAgainAt - now())]),
      ...(writeInMs === 0 ? [] : [writeInMs]),
    ];
    return waits.length === 0
      ? { result: 'success' }
      : { result: 'requeue_after', afterMs: Math.min(...waits) };
  }

  async function toEnd(): Promise<ReconcileResult> {
    try {
      for (let rounds = 0; rounds < MAX_ROUNDS; rounds++) {
        const plan = await round();
        if (plan === undefined) return { result: 'success' };
        if (plan.effects.length > 0 && !gone) continue;
        return again(plan, await write());
      }
      await write();
      return { result: 'requeue' };
    } catch (error) {
      return failed(error);
    }
  }

  return { toEnd };
}

function isStale(error: unknown): boolean {
  return error instanceof StaleError || isKubeError(error, 'Conflict', 'NotFound');
}

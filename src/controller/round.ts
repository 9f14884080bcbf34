/**
 * One round of a reconcile: look, decide, apply, tell. Rounds of one reconcile share a pass: what was decided and is
 * not written yet is part of what the next decision knows.
 */
import { randomUUID } from 'node:crypto';
import type { ParsedRelease } from '../api/parse.ts';
import type { BlueGreenReleaseObject } from '../api/resource.ts';
import type { Decision, ReleaseStatus } from '../api/status.ts';
import { describeThrown, type Logger } from '../kube/log.ts';
import type { KubeClient } from '../kube/ports.ts';
import { decide } from '../release/decide.ts';
import { describe } from '../release/describe.ts';
import { violations } from '../release/invariants.ts';
import type { Effect, Plan } from '../release/plan.ts';
import { type Answers, writtenBy } from './answers.ts';
import { isStale } from './apply/errors.ts';
import { applyEffect } from './apply.ts';
import type { Beside } from './beside.ts';
import type { Cache } from './cache.ts';
import { observe, type Scene } from './observe.ts';
import { withSeen } from './progress.ts';
import { eventFor, type ReleaseEvent } from './report.ts';
import type { Rush } from './rush.ts';
import { untoldIn } from './untold.ts';

export interface RoundDeps {
  readonly client: KubeClient;
  readonly cache: Cache;
  readonly beside: Beside;
  readonly answers: Answers;
  readonly rush: Rush;
  readonly recordEvent: (event: ReleaseEvent) => void;
  readonly observer: {
    onEffect(effect: Effect, result: 'applied' | 'refused' | 'failed', at: number): void;
  };
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface Pass {
  readonly key: string;
  readonly release: ParsedRelease;
  /** In each of its log lines; most have none. */
  reconcileId: string | undefined;
  status: ReleaseStatus;
  /** As it stands in the cluster, as far as `status` knows. */
  base: BlueGreenReleaseObject['status'];
  /** Lines of its decision log that this process has to tell. */
  untold: readonly Decision[];
  /** The status that metrics know. */
  told: ReleaseStatus;
  /** The status is to be written later than the reconcile ends. */
  isLate: boolean;
  /** The finalizer is off: there is nothing left to write to. */
  gone: boolean;
}

export function beginPass(
  key: string,
  release: ParsedRelease,
  { base, untold }: Pick<Pass, 'base' | 'untold'>,
): Pass {
  const { status } = release;
  return {
    key,
    release,
    reconcileId: undefined,
    status,
    base,
    untold,
    told: status,
    isLate: false,
    gone: false,
  };
}

/** The object as it is now: own writes of earlier rounds are in it. */
export function currentOf(
  { cache }: Pick<RoundDeps, 'cache'>,
  { release }: Pass,
): BlueGreenReleaseObject | undefined {
  const { namespace = '', name } = release.metadata;
  return cache.releases.get({ namespace, name });
}

/** undefined: the release is gone. */
export async function round(deps: RoundDeps, pass: Pass): Promise<Plan | undefined> {
  const looked = await look(deps, pass);
  if (looked === undefined) return undefined;
  const { scene, plan } = looked;
  const standsBackMs = deps.rush.look(pass.key, plan);
  if (standsBackMs > 0) return standBack(deps, pass, scene, plan, standsBackMs);
  const object = currentOf(deps, pass);
  const done: Effect[] = [];
  try {
    await applyAll(deps, pass, scene, plan.effects, done);
  } catch (error) {
    // Whatever became of the rest: what was done stands in the decision log.
    if (done.length > 0) pass.status = { ...pass.status, decisions: plan.status.decisions ?? [] };
    throw error;
  } finally {
    if (done.length > 0) pass.untold = untoldIn(plan.status.decisions ?? [], pass.untold, done);
    // After the effects: neither a log line nor an event goes before what production waits for.
    if (done.length > 0 || !isRefusedAgain(deps, pass, scene, plan)) tell(deps, pass, object, plan);
  }
  for (const request of plan.requests) deps.beside.request(pass.key, scene, request);
  pass.status = plan.status;
  return plan;
}

/**
 * What was decided is not told either: it may be decided otherwise when its time has come. What is asked goes on, and
 * what was seen is told.
 */
function standBack(deps: RoundDeps, pass: Pass, scene: Scene, plan: Plan, ms: number): Plan {
  const { requests } = plan;
  for (const request of requests) deps.beside.request(pass.key, scene, request);
  const lookAgainAt = Math.min(plan.lookAgainAt ?? Number.POSITIVE_INFINITY, deps.now() + ms);
  pass.status = withSeen(pass.status, plan.status);
  return { ...plan, effects: [], status: pass.status, lookAgainAt };
}

async function look(deps: RoundDeps, pass: Pass): Promise<{ scene: Scene; plan: Plan } | undefined> {
  const { cache, client, beside, answers, now } = deps;
  const { key, release, status } = pass;
  const object = currentOf(deps, pass);
  if (object === undefined) return undefined;
  const scene = await observe(
    { cache, client, now },
    { ...release, metadata: object.metadata, status },
    { ...beside.observations(key, release.metadata.uid ?? '', status), ...answers.of(key) },
    beside.aliases(key),
  );
  return { scene, plan: decide(scene.snapshot) };
}

/**
 * In order; production selectors side by side, and whatever becomes of one keeps none of the others waiting. `done` gets
 * what was applied, also where another one fails.
 */
async function applyAll(
  deps: RoundDeps,
  pass: Pass,
  scene: Scene,
  effects: readonly Effect[],
  done: Effect[],
): Promise<void> {
  if (effects.length === 0) return;
  const broken = violations(scene.snapshot, effects);
  if (broken.length > 0)
    throw new Error(`refused, because it would break an invariant: ${broken.join('; ')}`);
  const moved = await Promise.allSettled(
    effects.filter(movesTraffic).map((effect) => apply(deps, pass, scene, effect, done)),
  );
  const failure = moved.find((each) => each.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  for (const effect of effects) if (!movesTraffic(effect)) await apply(deps, pass, scene, effect, done);
}

const movesTraffic = ({ kind }: Effect): boolean =>
  kind === 'PatchSelector' || kind === 'HandBack' || kind === 'Publish';

async function apply(
  deps: RoundDeps,
  pass: Pass,
  scene: Scene,
  effect: Effect,
  done: Effect[],
): Promise<void> {
  const { client, cache, beside, answers, observer, log, now } = deps;
  const takeStored = (fingerprint: string) => beside.takeStored(pass.key, fingerprint);
  try {
    await applyEffect({ client, cache, takeStored }, scene, effect as never);
    done.push(effect);
    observer.onEffect(effect, 'applied', now());
    answers.succeeded(pass.key, effect);
    pass.gone ||= effect.kind === 'RemoveFinalizer';
  } catch (error) {
    observer.onEffect(effect, isStale(error) ? 'refused' : 'failed', now());
    // The next decision knows of it and goes on without; a release that goes must not leave anything behind.
    const isKnown = answers.failed(pass.key, effect, error);
    if (!isKnown || scene.snapshot.release.deleting) throw error;
    log.warn(`${writtenBy(effect)} cannot be written`, { release: pass.key, error: describeThrown(error) });
  }
}

/** What refuses to be written is tried again and again: the first time is news, and the one that succeeds. */
function isRefusedAgain({ answers }: RoundDeps, { key }: Pass, { snapshot }: Scene, plan: Plan): boolean {
  const { refusals: before } = snapshot.observations;
  const { refusals: after } = answers.of(key);
  const isAgain = (effect: Effect): boolean => {
    const written = writtenBy(effect);
    return written !== undefined && before[written] !== undefined && after[written] !== undefined;
  };
  return plan.effects.length > 0 && plan.effects.every(isAgain);
}

function tell(deps: RoundDeps, pass: Pass, object: BlueGreenReleaseObject | undefined, plan: Plan): void {
  const event = object && eventFor(object, pass.status, plan.verdict);
  if (event !== undefined) deps.recordEvent(event);
  if (plan.effects.length === 0) return;
  const { phase, reason, message } = plan.verdict;
  pass.reconcileId ??= randomUUID().slice(0, 8);
  deps.log.info(message, {
    release: pass.key,
    reconcileId: pass.reconcileId,
    revision: plan.status.candidate?.revision ?? plan.status.revision,
    phase,
    reason,
    effects: plan.effects.map(describe),
  });
}

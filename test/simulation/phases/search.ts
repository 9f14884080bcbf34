/**
 * Every class of worlds that can be reached from a fresh release, breadth first, with the real `decide`. From each of
 * them the calm way, on which nothing goes wrong any more, must lead to rest.
 */
import { createHash } from 'node:crypto';
import type { ReleaseStatus } from '../../../src/api/status.ts';
import { decide } from '../../../src/release/decide.ts';
import type { Plan } from '../../../src/release/plan.ts';
import { rolesOf } from '../../../src/release/roles.ts';
import { carryOut } from './carry-out.ts';
import { type Event, eventsOf, jobs, kubernetes, measurements, time } from './events.ts';
import { keyOf } from './key.ts';
import { broken } from './laws.ts';
import { FRESH, snapshotOf, type World } from './model.ts';

export interface SearchOptions {
  /** Events that people and strangers cause; undefined: all of them. */
  readonly only?: (name: string) => boolean;
  /** The operator may die after any effect, and anything may happen before it is back. */
  readonly crashes: boolean;
  /** Classes to look at, breadth first; undefined: all of them. */
  readonly most?: number;
  readonly onProgress?: (classes: number, left: number) => void;
}

export interface Found {
  readonly classes: number;
  readonly steps: number;
  /** `from|to` → the names of the events that lead from the one phase to the other. */
  readonly transitions: ReadonlyMap<string, ReadonlySet<string>>;
  /** What was wrong, with the way that led there; undefined: nothing. */
  readonly failure: string | undefined;
}

interface Node {
  readonly key: string;
  readonly world: World;
  readonly phase: string;
  /** Until it was expanded: a plan is large, and there are many of them. */
  plan: Plan | undefined;
  /** What has happened, for people. */
  readonly before: Node | undefined;
  readonly event: string;
  /** Where the calm way leads from here; undefined: it ends here. */
  calm: string | undefined;
}

export interface Settled {
  readonly world: World;
  readonly plan: Plan;
}

class Failure extends Error {}

/** More rounds than the operator makes in one look. */
const MAX_ROUNDS = 10;
/** Steps on the calm way, before it counts as endless. */
const MAX_CALM = 120;

export function search({
  only = () => true,
  crashes,
  most = Number.POSITIVE_INFINITY,
  onProgress,
}: SearchOptions): Found {
  const nodes = new Map<string, Node>();
  const transitions = new Map<string, Set<string>>();
  const queue: Node[] = [];
  let steps = 0;

  function visit({ world, plan }: Settled, before: Node | undefined, event: string): string {
    const key = createHash('sha1')
      .update(`${plan.effects.length > 0} ${keyOf(world)}`)
      .digest('base64');
    if (nodes.has(key)) return key;
    const phase = plan.status.phase ?? '';
    const node: Node = { key, world, phase, plan, before, event, calm: undefined };
    nodes.set(key, node);
    queue.push(node);
    return key;
  }

  /** The operator looks, until it has nothing left to do; each world on the way is one in which it may have died. */
  function look(before: Node | undefined, event: string, world: World): string {
    steps += 1;
    const settled = within({ before, event }, () =>
      settle(world, (partial, plan) => {
        if (crashes) visit({ world: partial, plan }, before, `${event}, and a crash`);
      }),
    );
    if (before !== undefined) note(before.phase, settled.plan.status.phase ?? '', event);
    return visit(settled, before, event);
  }

  function note(from: string, to: string, event: string): void {
    if (from === to) return;
    const name = `${from}|${to}`;
    transitions.set(name, (transitions.get(name) ?? new Set()).add(event));
  }

  function expand(node: Node, settled: Settled): void {
    const calm = calmStep(settled);
    if (calm !== undefined) node.calm = look(node, calm.name, calm.next);
    for (const { name, next } of eventsOf(settled.world, settled.plan))
      if (name !== calm?.name && only(name)) look(node, name, next);
    if (isStuck(settled)) playToRest(node, healthyWish);
    node.plan = undefined;
  }

  const result = (failure: string | undefined): Found => ({
    classes: nodes.size,
    steps,
    transitions,
    failure,
  });

  try {
    look(undefined, 'the release is created', FRESH);
    for (let next = 0; next < Math.min(queue.length, most); next++) {
      const node = queue[next] as Node;
      if (node.plan !== undefined) expand(node, { world: node.world, plan: node.plan });
      if (next % 5000 === 0) onProgress?.(nodes.size, queue.length - next);
    }
    restFromEverywhere(nodes);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return result(error.message);
  }
  return result(undefined);
}

type Way = Pick<Node, 'before' | 'event'>;

function within<T>(way: Way, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(`${wayTo(way).join(' > ')}: ${error.message}`);
  }
}

function wayTo({ before, event }: Way): string[] {
  return before === undefined ? [event] : [...wayTo(before), `[${before.phase}]`, event];
}

export function settle(
  world: World,
  onPartial: (world: World, plan: Plan) => void = () => undefined,
): Settled {
  let now = world;
  let status = world.status;
  for (let rounds = 0; rounds < MAX_ROUNDS; rounds++) {
    const snapshot = snapshotOf({ ...now, status });
    const plan = decide(snapshot);
    const wrong = broken(now, snapshot, plan);
    if (wrong !== undefined) throw new Failure(`${wrong} (${plan.verdict.message})`);
    status = remembered(plan.status);
    if (plan.effects.length === 0) return { world: { ...now, status }, plan };
    for (const effect of plan.effects) {
      now = carryOut(now, effect);
      onPartial(now, plan);
    }
  }
  throw new Failure('the operator never has done enough: a hot loop');
}

/** Of the status only what the next decision reads. */
function remembered({ phase, attempt, observedGeneration, checks }: ReleaseStatus): ReleaseStatus {
  const bad = checks?.filter(({ name, state }) => name === 'availability' && state === 'Bad');
  return {
    ...(phase !== undefined && { phase }),
    ...(attempt !== undefined && { attempt }),
    ...(observedGeneration !== undefined && { observedGeneration }),
    ...(bad !== undefined && bad.length > 0 && { checks: bad }),
  };
}

const CALM = new Set([
  'the source rolls out',
  'pods get ready',
  'endpoints follow',
  'Job completes',
  'measured good',
]);

/** The operator is back, nobody suspends, the source rolls out, pods get ready, endpoints follow, Jobs pass, measurements are good, time passes. */
function calmStep({ world, plan }: Settled): Event | undefined {
  if (plan.effects.length > 0) return { name: 'the operator is back', next: world };
  if (world.suspend) return { name: 'resume', next: { ...world, suspend: false } };
  const events = [...kubernetes(world), ...jobs(world), ...measurements(world, plan)];
  return events.find(({ name }) => CALM.has(name)) ?? time(world, plan)[0];
}

/**
 * Along the classes first. Where these end, because the search was bounded, or go round, because a class does not tell
 * how often something was tried or how late it is, the worlds themselves are played.
 */
function restFromEverywhere(nodes: ReadonlyMap<string, Node>): void {
  const rests = new Set<string>();
  for (const node of nodes.values()) {
    const way = new Set<string>();
    let at: Node | undefined = node;
    while (at !== undefined && !rests.has(at.key) && !way.has(at.key) && at.plan === undefined) {
      way.add(at.key);
      if (at.calm === undefined) restsAt(at, settle(at.world));
      at = at.calm === undefined ? undefined : nodes.get(at.calm);
    }
    if (at !== undefined && !rests.has(at.key)) {
      way.add(at.key);
      playToRest(at);
    }
    for (const key of way) rests.add(key);
  }
}

function restsAt(way: Way, settled: Settled): void {
  within(way, () => {
    const wrong = unfinished(settled);
    if (wrong !== undefined) throw new Failure(`a dead end: ${wrong}`);
  });
}

/** The side with the traffic is ill, nothing can be gone back to, and people wish for something else. */
function isStuck({ world, plan }: Settled): boolean {
  const active = rolesOf(snapshotOf(world)).active;
  const isIll = plan.verdict.phase === 'Held' || plan.verdict.phase === 'RollingBack';
  const isRefused = world.suspend || isRejected(world);
  return isIll && active !== undefined && active.fingerprint !== world.wish && !isRefused;
}

function isRejected({ revisions, wish }: World): boolean {
  return revisions.findLast(({ content }) => content === wish)?.facts.rejected !== undefined;
}

/** Only what people wish for gets well: a fix must not wait for what it fixes. */
function healthyWish(settled: Settled): Event | undefined {
  const { world, plan } = settled;
  if (plan.effects.length > 0) return { name: 'the operator is back', next: world };
  const events = [...kubernetes(world), ...jobs(world), ...measurements(world, plan)];
  const good = events.filter(({ name }) => CALM.has(name));
  return good.find(({ content = world.wish }) => content === world.wish) ?? time(world, plan)[0];
}

function playToRest(node: Node, next: (settled: Settled) => Event | undefined = calmStep): void {
  let at: Settled = settle(node.world);
  for (let steps = 0; steps < MAX_CALM; steps++) {
    const step = next(at);
    if (step === undefined) {
      restsAt(node, at);
      return;
    }
    at = within(node, () => settle(step.next));
  }
  within(node, () => {
    throw new Failure(`no rest: ${at.plan.verdict.message}`);
  });
}

/** At rest: what is wished for serves, or it is said why a person has to decide. */
function unfinished({ world, plan }: Settled): string | undefined {
  const { phase, reason, message, stalled } = plan.verdict;
  const active = rolesOf(snapshotOf(world)).active;
  const serves = active?.fingerprint === world.wish && world.service.color === active.facts.color;
  if (phase === 'Idle' && serves) return undefined;
  if (stalled && reason === 'RevisionRejected') return undefined;
  return `[${phase}] ${message}`;
}

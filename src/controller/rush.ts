/**
 * A rush: many releases of this process are on their way to a switch at once, and the API server has no time for all
 * that they would tell and do besides. This is the one place that says what stands back then. It does so until the rush
 * is over, for some minutes at most:
 *
 *     statuses          take turns, one a second, for two minutes; so each tells of more. Those that press do not
 *     patient effects   commits, the replacing of old pods, shrinking (`release/patience.ts`), for five minutes
 *
 * What a release may not wait for does not come here: a way back, a proof, a side that is too small.
 */
import type { Phase, Plan } from '../release/plan.ts';
import { isWithin } from './age.ts';

export interface Rush {
  /** What was done or asked for is mostly answered within this time, and then one status tells of both. Milliseconds. */
  readonly answerMs: number;
  /** What a look at a release came to. Gives the milliseconds for which its effects stand back; 0: they are applied. */
  look(key: string, plan: Plan): number;
  /** Milliseconds until it is this release's turn to write a status; 0: now. */
  turn(key: string): number;
  forget(key: string): void;
}

/** So many are a rush, until fewer than a few are left: the last of a crowd are no better off than the first were. */
const MANY = 8;
const FEW = 3;
/**
 * A release that nothing was done for in so long waits for something else than the API server; in a rush it may be that
 * long before the controllers of the cluster come to its pods: a minute among five hundred on a small machine.
 */
const MOVED_MS = 180_000;
/** Nothing stands back for longer, however long the rush: hundreds of releases are minutes of work to a small API server. */
const LONGEST_MS = { effects: 300_000, status: 120_000 };
/** The rush may be over by then; but looks are work too, and those that stand back must not take the time of the others. */
const LOOK_AGAIN = { soonestMs: 5_000, latestMs: 20_000, eachMs: 50 };
const STATUS_EVERY_MS = 1_000;
const ANSWER_MS = { alone: 100, rush: 1_000 };

const ON_THE_WAY: ReadonlySet<Phase> = new Set<Phase>([
  'Adopting',
  'Preparing',
  'Validating',
  'Switching',
  'RollingBack',
]);

/** `now`: milliseconds since the epoch. A clock that was set back must keep nobody waiting. */
export function createRush(now: () => number): Rush {
  /** When each release that is on its way last moved, the longest ago first. */
  const moved = new Map<string, number>();
  /** Since when each release stands back, or began to in this rush: it is its time for all that follows its switch. */
  const standing = new Map<string, number>();
  /** When the status of each release that waits for its turn is to be written. */
  const turns = new Map<string, number>();
  let lastTurn = 0;
  let isRush = false;

  function nextTurn(): number {
    // Sooner than one after the other where very many wait.
    lastTurn = Math.min(Math.max(now(), lastTurn + STATUS_EVERY_MS), now() + LONGEST_MS.status);
    return lastTurn;
  }

  function lookAgainMs(): number {
    const { soonestMs, latestMs, eachMs } = LOOK_AGAIN;
    return Math.min(latestMs, Math.max(soonestMs, eachMs * (standing.size + turns.size)));
  }

  function note(key: string, { verdict, effects, requests }: Plan): void {
    const isOnItsWay = ON_THE_WAY.has(verdict.phase) || requests.some(({ kind }) => kind === 'Preflight');
    const hasMoved = effects.length + requests.length > 0;
    if (isOnItsWay) standing.delete(key);
    if (isOnItsWay && !hasMoved) return;
    moved.delete(key);
    if (isOnItsWay) moved.set(key, now());
  }

  function isOn(): boolean {
    for (const [key, at] of moved) {
      if (isWithin(now() - at, MOVED_MS)) break;
      moved.delete(key);
    }
    isRush = moved.size >= (isRush ? FEW : MANY);
    return isRush;
  }

  return {
    get answerMs() {
      return ANSWER_MS[isOn() ? 'rush' : 'alone'];
    },
    look(key, plan) {
      note(key, plan);
      if (!isOn()) standing.delete(key);
      if (!plan.patient || !isOn()) return 0;
      const since = standing.get(key) ?? now();
      standing.set(key, since);
      const stood = now() - since;
      return isWithin(stood, LONGEST_MS.effects) ? Math.min(lookAgainMs(), LONGEST_MS.effects - stood) : 0;
    },
    turn(key) {
      const at = isOn() ? (turns.get(key) ?? nextTurn()) : 0;
      const ms = Math.min(lookAgainMs(), at - now());
      if (ms > 0) turns.set(key, at);
      else turns.delete(key);
      return Math.max(0, ms);
    },
    forget(key) {
      turns.delete(key);
      moved.delete(key);
      standing.delete(key);
    },
  };
}

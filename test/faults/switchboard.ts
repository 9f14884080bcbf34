/**
 * What goes wrong with which request: by name, for tests that show one failure, or by the weather, for those that want
 * all of them. What is named goes first.
 */
import type { Asked } from './asked.ts';

export type Fault =
  /** It takes this long until the API server sees it. */
  | { readonly kind: 'latency'; readonly ms: number }
  /** The connection is reset before the API server sees it. */
  | { readonly kind: 'reset' }
  /** It is carried out, and the connection is reset before its answer. */
  | { readonly kind: 'answer lost' }
  /** It is answered so, and the API server never sees it. */
  | { readonly kind: 'refused'; readonly status: number; readonly retryAfterSeconds?: number }
  /** Its answer comes in pieces. */
  | { readonly kind: 'slow body'; readonly pieceBytes: number; readonly everyMs: number }
  /** Its stream ends so, after a while. */
  | { readonly kind: 'watch'; readonly end: WatchEnd; readonly afterMs: number };

/**
 * `truncated`: in the middle of an event. `expired`: with an ERROR event, 410. `silent`: nothing comes any more, and
 * nothing tells of that. `closed`: as a server does that shuts down.
 */
export type WatchEnd = 'truncated' | 'expired' | 'silent' | 'closed';

/** What is left out matches everything. */
export type Match = Partial<Pick<Asked, 'verb' | 'resource' | 'namespace' | 'name'>> & {
  readonly where?: (asked: Asked) => boolean;
};

export interface Rule {
  /** How often it was applied. */
  readonly hits: number;
  /** No more of it. */
  lift(): void;
}

export interface Switchboard {
  /** What happens to the next `times` requests that match. */
  next(match: Match, fault: Fault, times?: number): Rule;
  /** Asked for each request that no rule is for; undefined: fair. */
  weather: ((asked: Asked) => Fault | undefined) | undefined;
  faultFor(asked: Asked): Fault | undefined;
  /** How often each kind was applied; refusals by their status. */
  readonly counts: Readonly<Record<string, number>>;
}

export function createSwitchboard(): Switchboard {
  const rules: { match: Match; fault: Fault; left: number; hits: number }[] = [];
  const counts: Record<string, number> = {};

  function ruled(asked: Asked): Fault | undefined {
    const rule = rules.find(({ match, left }) => left > 0 && matches(match, asked));
    if (rule === undefined) return undefined;
    rule.left -= 1;
    rule.hits += 1;
    return rule.fault;
  }

  const board: Switchboard = {
    weather: undefined,
    counts,
    next(match, fault, times = 1) {
      const rule = { match, fault, left: times, hits: 0 };
      rules.push(rule);
      return {
        get hits() {
          return rule.hits;
        },
        lift() {
          rule.left = 0;
        },
      };
    },
    faultFor(asked) {
      const fault = ruled(asked) ?? board.weather?.(asked);
      if (fault !== undefined) counts[nameOf(fault)] = (counts[nameOf(fault)] ?? 0) + 1;
      return fault;
    },
  };
  return board;
}

function matches({ where, ...wanted }: Match, asked: Asked): boolean {
  const named = Object.entries(wanted).every(([member, value]) => asked[member as keyof Asked] === value);
  return named && (where?.(asked) ?? true);
}

function nameOf(fault: Fault): string {
  if (fault.kind === 'refused') return `refused ${fault.status}`;
  return fault.kind === 'watch' ? `watch ${fault.end}` : fault.kind;
}

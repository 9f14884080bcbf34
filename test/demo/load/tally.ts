/** What became of each request: the counting of the load generator, without its clock and its sockets. */

/** `new`: a connection of its own. `kept`: one of the pool, used again and again. */
export type Kind = 'new' | 'kept';

export type Outcome =
  | { readonly kind: Kind; readonly version: string; readonly status: number; readonly ms: number }
  | { readonly kind: Kind; readonly failure: 'connection' | 'timeout'; readonly code: string }
  /** It was due, and the generator did not get to it: that counts against the run, not against nobody. */
  | { readonly kind: Kind; readonly failure: 'notSent'; readonly code: string };

/** Counts by kind, version and status: `answers.kept.v2[200]`. */
export type Answers = Record<Kind, Record<string, Record<string, number>>>;

export interface Counts {
  due: number;
  sent: number;
  readonly answers: Answers;
  readonly connectionErrors: Record<Kind, number>;
  readonly timeouts: Record<Kind, number>;
  notSent: number;
}

/** What happened within one second; a request is counted as due, sent and settled when each of that happened. */
export interface Row extends Counts {
  /** Seconds since the epoch. */
  readonly second: number;
  latency?: Latency;
}

/** Milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** All times are milliseconds since the epoch, with the fraction that the clock has. */
export interface Totals extends Counts {
  readonly startedAt: number;
  finishedAt?: number;
  /** Of anything but a 2xx answer, whether or not it was sent on purpose. */
  firstErrorAt?: number;
  lastErrorAt?: number;
  readonly seen: Record<Kind, Record<string, Seen>>;
  latency?: Latency;
}

/** When a version answered. */
export interface Seen {
  readonly first: number;
  last: number;
  /** When it answered with anything but a 2xx. */
  errors?: { readonly first: number; last: number };
}

export interface Failure {
  readonly at: number;
  readonly kind: Kind;
  readonly what: string;
}

/** A line of the generator's output. */
export type LoadLine =
  | { readonly row: Row }
  | { readonly summary: { readonly totals: Totals; readonly failures: readonly Failure[] } }
  | { readonly note: string };

const emptyCounts = (): Counts => ({
  due: 0,
  sent: 0,
  answers: { new: {}, kept: {} },
  connectionErrors: { new: 0, kept: 0 },
  timeouts: { new: 0, kept: 0 },
  notSent: 0,
});

/** Of each sort, enough to see a pattern; the counts are complete in any case. */
const MAX_ALIKE = 20;

export class Tally {
  readonly totals: Totals;
  readonly failures: Failure[] = [];
  readonly #alike: Map<string, number> = new Map();
  readonly #latencies: number[] = [];
  #row: Row;
  #rowLatencies: number[] = [];

  constructor(now: number) {
    this.totals = { ...emptyCounts(), startedAt: now, seen: { new: {}, kept: {} } };
    this.#row = { second: Math.floor(now / 1000), ...emptyCounts() };
  }

  due(): void {
    this.#count((counts) => counts.due++);
  }

  sent(): void {
    this.#count((counts) => counts.sent++);
  }

  settled(outcome: Outcome, now: number): void {
    if ('failure' in outcome) this.#failed(outcome, now);
    else this.#answered(outcome, now);
  }

  /** Requests that were sent and of which nothing is known yet. */
  get pending(): number {
    return this.totals.due - settledOf(this.totals);
  }

  /** The second that is over, once it is over. */
  turn(now: number): Row | undefined {
    const second = Math.floor(now / 1000);
    return second <= this.#row.second ? undefined : this.#close(second);
  }

  /** The second that is not over and never will be. */
  finish(now: number): Row {
    this.totals.finishedAt = now;
    const latency = latencyOf(this.#latencies);
    if (latency) this.totals.latency = latency;
    return this.#close(Math.floor(now / 1000) + 1);
  }

  #close(next: number): Row {
    const row = this.#row;
    const latency = latencyOf(this.#rowLatencies);
    if (latency) row.latency = latency;
    this.#row = { second: next, ...emptyCounts() };
    this.#rowLatencies = [];
    return row;
  }

  #count(add: (counts: Counts) => void): void {
    add(this.totals);
    add(this.#row);
  }

  #answered({ kind, version, status, ms }: Extract<Outcome, { status: number }>, now: number): void {
    this.#count((counts) => {
      counts.answers[kind][version] ??= {};
      const byStatus = counts.answers[kind][version];
      byStatus[status] = (byStatus[status] ?? 0) + 1;
    });
    this.#latencies.push(ms);
    this.#rowLatencies.push(ms);
    const seen = this.totals.seen[kind];
    seen[version] ??= { first: now, last: now };
    seen[version].last = now;
    if (status >= 200 && status <= 299) return;
    seen[version].errors ??= { first: now, last: now };
    seen[version].errors.last = now;
    this.#error(now, kind, `${version} answered ${status}`);
  }

  #failed({ kind, failure, code }: Extract<Outcome, { failure: string }>, now: number): void {
    this.#count((counts) => {
      if (failure === 'connection') counts.connectionErrors[kind]++;
      else if (failure === 'timeout') counts.timeouts[kind]++;
      else counts.notSent++;
    });
    this.#error(now, kind, `${failure}: ${code}`);
  }

  #error(at: number, kind: Kind, what: string): void {
    this.totals.firstErrorAt ??= at;
    this.totals.lastErrorAt = at;
    const alike = (this.#alike.get(what) ?? 0) + 1;
    this.#alike.set(what, alike);
    if (alike <= MAX_ALIKE) this.failures.push({ at, kind, what });
  }
}

/** Answered, failed or not sent: what is no longer pending. */
export function settledOf(counts: Counts): number {
  const { connectionErrors, timeouts, notSent } = counts;
  const failed = connectionErrors.new + connectionErrors.kept + timeouts.new + timeouts.kept + notSent;
  return failed + answersOf(counts).reduce((sum, { count }) => sum + count, 0);
}

/** The answers as a flat list. */
export function answersOf({
  answers,
}: Pick<Counts, 'answers'>): { kind: Kind; version: string; status: number; count: number }[] {
  return (['new', 'kept'] as const).flatMap((kind) =>
    Object.entries(answers[kind]).flatMap(([version, byStatus]) =>
      Object.entries(byStatus).map(([status, count]) => ({ kind, version, status: Number(status), count })),
    ),
  );
}

function latencyOf(ms: readonly number[]): Latency | undefined {
  if (ms.length === 0) return undefined;
  const sorted = ms.toSorted((a, b) => a - b);
  const round = (value: number): number => Math.round(value * 100) / 100;
  return {
    p50: round(percentile(sorted, 50)),
    p99: round(percentile(sorted, 99)),
    max: round(percentile(sorted, 100)),
  };
}

/** The smallest value that is at least as large as `percent` percent of all (nearest rank); the list is sorted. */
export function percentile(sorted: readonly number[], percent: number): number {
  if (sorted.length === 0) return Number.NaN;
  const rank = Math.ceil((percent / 100) * sorted.length);
  return sorted[Math.max(rank, 1) - 1] ?? Number.NaN;
}

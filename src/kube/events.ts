/**
 * Tells of what happened as events.k8s.io/v1, for `kubectl describe` and `kubectl events`.
 *
 * Events are for people and never for decisions: recording one returns at once, never throws, and drops what there
 * is no room for. The same event again becomes a series, whose count is written once a minute at most; an object that
 * has too much to tell is cut short.
 *
 * Sources: KEP-383 (the new event API), client-go tools/events and tools/record/events_cache.go (spam filter).
 */

import { type Clock, sleep, systemClock } from './clock.ts';
import { isKubeError } from './errors.ts';
import { createFifo } from './fifo.ts';
import { describeThrown, type Logger } from './log.ts';
import type { KubeClient } from './ports.ts';
import { createRateLimiter, type RateLimiter } from './ratelimit.ts';
import { EVENTS, type Event, microTime, type ObjectReference } from './types.ts';

export interface EventInput {
  readonly regarding: ObjectReference;
  readonly related?: ObjectReference;
  readonly type: 'Normal' | 'Warning';
  /** Why, in UpperCamelCase; few different ones, since people and alerts match on it. */
  readonly reason: string;
  /** What was done about it, in UpperCamelCase. */
  readonly action: string;
  /** A sentence; cut at 1 KiB, which is the API's limit. */
  readonly note: string;
}

export interface EventRecorder {
  record(event: EventInput): void;
  /** Events that were recorded and never written: spam, a full queue, a server that refused. */
  readonly dropped: number;
  /** Writes what waits, for at most this many milliseconds. */
  stop(withinMs?: number): Promise<void>;
}

export interface EventRecorderOptions {
  readonly client: Pick<KubeClient, 'create' | 'patch'>;
  /** A qualified name: "bluegreen.dev/operator". */
  readonly controller: string;
  /** Which of its processes: the pod's name. */
  readonly instance: string;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly random?: () => number;
}

const QUEUE_LIMIT = 4096;
/** client-go's 25 at once for one object, but then one in 30 seconds and not in five minutes: work goes on all day. */
const SPAM_LIMIT = { perSecond: 1 / 30, burst: 25 };
/** Writes of what went well: a crowd tells of it later, and a warning goes before all of that. */
const PACE = { perSecond: 10, burst: 25 };
/** Objects and series that are remembered; the oldest is forgotten for a new one. */
const MEMORY_LIMIT = 4096;
const SERIES_WRITE_MS = 60_000;
/** client-go's finishTime: a series that was silent for so long has ended, and the next one is a new event. */
const SERIES_END_MS = 360_000;
const LONGEST_NOTE = 1024;
const STOP_MS = 2_000;

interface Series {
  readonly event: Event;
  count: number;
  lastAt: number;
  /** The count that was handed over to be written. */
  written: number;
}

type Write = () => Promise<unknown>;

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, log } = options;
  const clock = options.clock ?? systemClock;
  const random = options.random ?? Math.random;
  const series = new Map<string, Series>();
  const spamFilters = new Map<string, RateLimiter>();
  const pace = createRateLimiter(PACE, clock);
  const warnings = createFifo<Write>();
  const others = createFifo<Write>();
  const stopping = new AbortController();
  const hurry = new AbortController();
  let queued = 0;
  let dropped = 0;
  let stopped = false;
  let writing: Promise<void> | undefined;
  let cancelTimer: (() => void) | undefined;

  function record(input: EventInput): void {
    if (stopped) return;
    const key = seriesKey(input);
    const known = series.get(key);
    const ended = known !== undefined && clock.monotonic() - known.lastAt >= SERIES_END_MS;
    if (known !== undefined && !ended) {
      known.count += 1;
      known.lastAt = clock.monotonic();
      return;
    }
    if (!filterOf(input).tryTake()) {
      dropped += 1;
      return;
    }
    begin(key, input);
  }

  function begin(key: string, input: EventInput): void {
    const event = newEvent(input);
    remember(series, key, { event, count: 1, lastAt: clock.monotonic(), written: 1 });
    write(() => client.create<Event>(EVENTS, event, { signal: stopping.signal }), input.type);
    cancelTimer ??= clock.after(SERIES_WRITE_MS, writeSeries);
  }

  /** Warnings have a filter of their own: what went well must never crowd out what did not. */
  function filterOf({ regarding, type }: EventInput): RateLimiter {
    const key = `${objectKey(regarding)}/${type}`;
    const filter = spamFilters.get(key) ?? createRateLimiter(SPAM_LIMIT, clock);
    remember(spamFilters, key, filter);
    return filter;
  }

  function newEvent(input: EventInput): Event {
    const unique = `${clock.now().toString(16)}${Math.floor(random() * 0x1_0000_0000).toString(16)}`;
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: {
        name: `${input.regarding.name}.${unique}`,
        namespace: input.regarding.namespace ?? 'default',
      },
      eventTime: microTime(clock.now()),
      type: input.type,
      reason: input.reason,
      action: input.action,
      note: cutToBytes(input.note, LONGEST_NOTE),
      regarding: input.regarding,
      ...(input.related === undefined ? {} : { related: input.related }),
      reportingController: options.controller,
      reportingInstance: options.instance,
    };
  }

  /** Each minute, as long as anything may still be repeated. */
  function writeSeries(): void {
    for (const [key, entry] of series) {
      if (entry.count > entry.written) {
        entry.written = entry.count;
        write(() => writeCount(entry), 'Normal');
      } else if (clock.monotonic() - entry.lastAt >= SERIES_END_MS) {
        series.delete(key);
      }
    }
    cancelTimer = series.size === 0 || stopped ? undefined : clock.after(SERIES_WRITE_MS, writeSeries);
  }

  async function writeCount({ event, count, lastAt }: Series): Promise<void> {
    const at = clock.now() - (clock.monotonic() - lastAt);
    const body = { series: { count, lastObservedTime: microTime(at) } };
    const call = { signal: stopping.signal };
    try {
      await client.patch<Event>(EVENTS, event.metadata, { type: 'merge', body }, call);
    } catch (error) {
      // Events live for an hour.
      if (!isKubeError(error, 'NotFound')) throw error;
      await client.create<Event>(EVENTS, { ...event, ...body }, call);
    }
  }

  function write(job: Write, type: EventInput['type']): void {
    if (queued >= QUEUE_LIMIT) {
      dropped += 1;
      return;
    }
    (type === 'Warning' ? warnings : others).push(job);
    queued += 1;
    writing ??= writeAll();
  }

  /** One after the other: events must never compete with the work that they tell of. */
  async function writeAll(): Promise<void> {
    for (;;) {
      const warning = warnings.shift();
      const job = warning ?? others.shift();
      if (job === undefined) break;
      await attempt(job);
      if (warning === undefined) await pace.take(Number.POSITIVE_INFINITY, hurry.signal);
    }
    writing = undefined;
  }

  async function attempt(job: Write): Promise<void> {
    try {
      await job();
    } catch (error) {
      dropped += 1;
      if (!isKubeError(error, 'Aborted'))
        log.warn('could not write an event', { error: describeThrown(error) });
    }
    queued -= 1;
  }

  return {
    record(event) {
      try {
        record(event);
      } catch (error) {
        dropped += 1;
        log.error('could not record an event', { error: describeThrown(error) });
      }
    },
    get dropped() {
      return dropped;
    },
    async stop(withinMs = STOP_MS) {
      cancelTimer?.();
      writeSeries();
      stopped = true;
      hurry.abort();
      cancelTimer?.();
      const finished = new AbortController();
      const late = sleep(clock, withinMs, finished.signal).then(() => stopping.abort());
      await writing;
      finished.abort();
      await late;
    },
  };
}

function objectKey({ kind, namespace, name, uid }: ObjectReference): string {
  return uid ?? [kind, namespace ?? '', name].join('/');
}

/** With the note: two events that say different things are two. */
function seriesKey(event: EventInput): string {
  const related = event.related === undefined ? '' : objectKey(event.related);
  return JSON.stringify([
    objectKey(event.regarding),
    related,
    event.type,
    event.reason,
    event.action,
    event.note,
  ]);
}

/** Puts it in as the newest, and forgets the oldest where there are too many. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= MEMORY_LIMIT) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

/** At a character's boundary, with an ellipsis. */
function cutToBytes(text: string, limit: number): string {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= limit) return text;
  let end = limit - 3;
  // 10xxxxxx continues a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.toString('utf8', 0, end)}…`;
}

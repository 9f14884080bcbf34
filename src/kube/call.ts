/**
 * One call: its deadline starts; it takes a token of the client-side rate limit and a place among the calls under
 * way; the request goes out; and, where that is safe (src/kube/retry.ts), the same again.
 */

import { sleep } from './clock.ts';
import { KubeError } from './errors.ts';
import {
  type Answer,
  type Context,
  CredentialsError,
  dispatch,
  type Request,
  readAnswer,
  report,
} from './http.ts';
import type { KubeErrorReason } from './ports.ts';
import { networkErrorCode, type Outcome, retryDelayMs, wasSent } from './retry.ts';

/** A call's own abort signal: its deadline, its caller's signal, and the end of the client. */
interface Deadline {
  readonly signal: AbortSignal;
  readonly at: number;
  /** By whom, where it was not time that ended it. */
  readonly givenUp: string | undefined;
  done(): void;
}

function startDeadline(context: Context, request: Request): Deadline {
  const abort = new AbortController();
  const caller = request.options.signal;
  const onAbort = (): void => abort.abort();
  const cancel = context.clock.after(Math.max(0, request.deadlineMs), onAbort);
  for (const signal of [caller, context.closing]) {
    if (signal?.aborted === true) abort.abort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  }
  return {
    signal: abort.signal,
    at: context.clock.monotonic() + request.deadlineMs,
    get givenUp() {
      if (caller?.aborted === true) return 'given up by the caller';
      return context.closing.aborted ? 'the client is closed' : undefined;
    },
    done() {
      cancel();
      caller?.removeEventListener('abort', onAbort);
      context.closing.removeEventListener('abort', onAbort);
    },
  };
}

const ESCAPED = /[<>&\u2028\u2029]/g;

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/**
 * JSON as Go writes a map: keys in order, some characters escaped. The API server keeps the data of a ControllerRevision
 * byte by byte, writes it anew for a patch, and refuses the patch where that makes a difference ("data: field is
 * immutable"). A script with `&&` in a template would do it to our own patches; keys in another order do it to everybody
 * else's, the garbage collector's among them: a release that is deleted with --cascade=orphan would never go.
 */
function toJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => toJson(item ?? null)).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value).replaceAll(ESCAPED, escaped);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${toJson(key)}:${toJson(member)}`).join()}}`;
}

/** Sends until there is an answer that is final; that may be a refusal. Throws a KubeError where no answer came. */
export async function send(context: Context, request: Request): Promise<Answer> {
  const deadline = startDeadline(context, request);
  try {
    return await sendUntil(context, request, deadline);
  } finally {
    deadline.done();
  }
}

async function sendUntil(context: Context, request: Request, deadline: Deadline): Promise<Answer> {
  const body = request.body === undefined ? undefined : toJson(request.body);
  let refreshed = false;
  for (let tries = 1; ; tries += 1) {
    const result = await sendOnce(context, request, body, deadline);
    if (result.outcome.kind === 'answer' && result.outcome.status === 401 && !refreshed) {
      // A token that was rotated under us: the request was refused before it did anything.
      refreshed = true;
      context.endpoint.refresh();
      continue;
    }
    const wait = result.held
      ? undefined
      : retryDelayMs(result.outcome, tries, request.repeatable, context.random);
    const fits = wait !== undefined && context.clock.monotonic() + wait < deadline.at;
    if (!fits || deadline.signal.aborted) return conclude(request, result, deadline);
    if (!(await sleep(context.clock, wait, deadline.signal))) return conclude(request, result, deadline);
  }
}

interface Try {
  readonly outcome: Outcome;
  readonly answer?: Answer;
  /** Never got its turn within the deadline. */
  readonly held?: boolean;
  /** What to say where there is no answer. */
  readonly message?: string;
  readonly reason?: KubeErrorReason;
}

function conclude(request: Request, result: Try, deadline: Deadline): Answer {
  if (result.answer !== undefined) return result.answer;
  const { call } = request;
  const { givenUp } = deadline;
  if (givenUp !== undefined) throw new KubeError({ reason: 'Aborted', status: 0, call, message: givenUp });
  const message = result.message ?? 'no answer';
  if (deadline.signal.aborted) {
    const after = `no answer within ${Math.round(request.deadlineMs)} ms`;
    throw new KubeError({ reason: 'Timeout', status: 0, call, message: `${after} (${message})` });
  }
  throw new KubeError({ reason: result.reason ?? 'Network', status: 0, call, message });
}

/** Waits for leave to send, sends, reads the answer. Throws nothing. */
async function sendOnce(
  context: Context,
  request: Request,
  body: string | undefined,
  deadline: Deadline,
): Promise<Try> {
  const rescue = request.options.urgency === 'rescue';
  if (!rescue) {
    const left = deadline.at - context.clock.monotonic();
    if (!(await context.limiter.take(left, deadline.signal)))
      return held('held back by the client-side rate limit');
    if (!(await context.gate.enter(deadline.signal))) return held('too many calls under way');
  }
  try {
    return await exchange(context, request, body, deadline);
  } finally {
    if (!rescue) context.gate.leave();
  }
}

function held(message: string): Try {
  return { held: true, outcome: { kind: 'lost', sent: false }, message, reason: 'Timeout' };
}

async function exchange(
  context: Context,
  request: Request,
  body: string | undefined,
  deadline: Deadline,
): Promise<Try> {
  const cut = startTry(context, request, deadline);
  const startedAt = context.clock.monotonic();
  let status = 0;
  try {
    const lane = request.options.urgency === 'rescue' ? 'rescues' : 'calls';
    const response = await dispatch(context, lane, request, body, cut.signal);
    status = response.statusCode;
    const answer = await readAnswer(context, response);
    const { retryAfterMs } = answer;
    const outcome: Outcome = {
      kind: 'answer',
      status,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
    return { outcome, answer };
  } catch (error) {
    status = 0;
    return lost(error, cut.signal.aborted);
  } finally {
    cut.done();
    report(context, request, status, startedAt);
  }
}

function lost(error: unknown, aborted: boolean): Try {
  if (error instanceof CredentialsError) {
    return { outcome: { kind: 'lost', sent: false }, message: error.message, reason: 'Other' };
  }
  if (aborted)
    return { outcome: { kind: 'lost', sent: true }, message: 'the server did not answer', reason: 'Timeout' };
  const code = networkErrorCode(error);
  return {
    outcome: { kind: 'lost', sent: wasSent(code) },
    message: `connection failed: ${code}`,
    reason: 'Network',
  };
}

/**
 * One try of several gets a part of the deadline, so that a connection which died silently costs that part and the
 * next try goes over another one. A rescue looks for another one sooner.
 */
function startTry(
  context: Context,
  request: Request,
  deadline: Deadline,
): { signal: AbortSignal; done(): void } {
  if (!request.repeatable) return { signal: deadline.signal, done: () => undefined };
  const part = request.options.urgency === 'rescue' ? 6 : request.verb === 'list' ? 2 : 3;
  const abort = new AbortController();
  const onAbort = (): void => abort.abort();
  const cancel = context.clock.after(request.deadlineMs / part, onAbort);
  if (deadline.signal.aborted) abort.abort();
  else deadline.signal.addEventListener('abort', onAbort, { once: true });
  return {
    signal: abort.signal,
    done() {
      cancel();
      deadline.signal.removeEventListener('abort', onAbort);
    },
  };
}

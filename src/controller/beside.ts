/** Work that takes long runs beside the loop and comes back as an observation: a slow Prometheus delays no release. */

import type { Measurement } from '../analysis/measurement.ts';
import type { ReleaseStatus } from '../api/status.ts';
import { describeThrown } from '../kube/log.ts';
import { expandQuery } from '../metrics/expand.ts';
import type { Sources } from '../metrics/sources.ts';
import type { Request } from '../release/plan.ts';
import type { Observations } from '../release/snapshot.ts';
import type { WorkloadContent } from '../workload/content.ts';
import { beginAttempt, createMemories, type Memories, remember, type Scraped } from './memory.ts';
import type { Scene } from './observe.ts';
import type { PreflightAnswer } from './preflight.ts';
import type { ScrapeRequest } from './scrape.ts';
import type { Aliases } from './views/revision.ts';
import type { WarmUpRequest } from './warm-up.ts';

/** Bounded, with a deadline for each piece of work; one at a time for each key. */
export type RunBeside = (key: string, work: (signal: AbortSignal) => Promise<void>) => void;

export interface BesideOptions {
  readonly run: RunBeside;
  readonly sources: Sources;
  readonly preflight: (scene: Scene, signal: AbortSignal) => Promise<PreflightAnswer>;
  readonly warmPod: (
    scene: Scene,
    request: WarmUpRequest,
    missing: number,
    onAnswer: () => void,
    signal: AbortSignal,
  ) => Promise<void>;
  /** What it reads: the same again where no request came in between. */
  readonly scrapePod: (scene: Scene, request: ScrapeRequest, signal: AbortSignal) => Promise<string>;
  readonly now: () => number;
  /** Something came back: the release should be looked at. Urgent is what may say that production is in danger. */
  readonly wake: (key: string, options: { readonly urgent: boolean }) => void;
  readonly onMeasurement: (measurement: Measurement) => void;
}

export interface Beside {
  /** What is known of a release: from its status, and from what came back since. */
  observations(key: string, uid: string, status: ReleaseStatus): Omit<Observations, 'refusals' | 'patches'>;
  /** What the API server of today makes of stored contents, as far as it was asked. */
  aliases(key: string): Aliases;
  /** What it made of the content that is wished for, when it was asked whether it takes it. Once: the content is large. */
  takeStored(key: string, fingerprint: string): WorkloadContent | undefined;
  request(key: string, scene: Scene, request: Request): void;
  forget(key: string): void;
}

export function createBeside(options: BesideOptions): Beside {
  const memories = createMemories();
  return {
    observations: (key, uid, status) => memories.observations(key, uid, status),
    aliases: (key) => memories.aliases(key),
    takeStored: (key, fingerprint) => memories.takeStored(key, fingerprint),
    forget: (key) => memories.forget(key),
    request(key, scene, request) {
      switch (request.kind) {
        case 'Measure':
          return measure(options, memories, key, scene, request);
        case 'WarmUp':
          return warmUp(options, memories, key, scene, request);
        case 'Scrape':
          return scrape(options, memories, key, scene, request);
        case 'Preflight':
          return preflight(options, memories, key, scene, request.key);
        default:
          return request satisfies never;
      }
    },
  };
}

function measure(
  options: BesideOptions,
  memories: Memories,
  key: string,
  scene: Scene,
  request: Extract<Request, { kind: 'Measure' }>,
): void {
  const { check, revision, attempt, color } = request;
  const { namespace, name, uid } = scene.release;
  const memory = memories.of(key, uid);
  beginAttempt(memory, attempt);
  const variables = { color, revision, release: name, namespace };
  const { source, query, requestsQuery, max, min } = check.prometheus;
  const question = {
    namespace,
    source,
    query: expandQuery(query, variables),
    requestsQuery: requestsQuery && expandQuery(requestsQuery, variables),
    minRequests: check.minRequests,
    max,
    min,
    now: options.now,
  };
  options.run(`measure/${key}/${attempt}/${check.name}`, async (signal) => {
    const measurement = await options.sources.measure(question, signal);
    options.onMeasurement(measurement);
    if (!memories.holds(key, memory) || memory.attempt !== attempt) return;
    remember(memory, check.name, measurement);
    options.wake(key, { urgent: true });
  });
}

/** What was answered is kept when the work ends before its time: the next piece goes on from there. */
function warmUp(
  { run, warmPod, now, wake }: BesideOptions,
  memories: Memories,
  key: string,
  scene: Scene,
  request: WarmUpRequest,
): void {
  const { uid, attempt, asked } = request;
  const memory = memories.of(key, scene.release.uid);
  beginAttempt(memory, attempt);
  run(`warm-up/${key}/${uid}`, async (signal) => {
    let { answered } = memory.warmUps.get(uid) ?? { answered: 0 };
    const note = (trouble?: string): void => {
      if (memory.attempt !== attempt) return;
      memory.warmUps.set(uid, { answered, at: now(), ...(trouble !== undefined && { trouble }) });
    };
    const onAnswer = (): void => {
      answered += 1;
      note();
    };
    await warmPod(scene, request, asked.requests - answered, onAnswer, signal).catch((error: unknown) =>
      note(describeThrown(error)),
    );
    if (memories.holds(key, memory)) wake(key, { urgent: false });
  });
}

function scrape(
  { run, scrapePod, now, wake }: BesideOptions,
  memories: Memories,
  key: string,
  scene: Scene,
  request: ScrapeRequest,
): void {
  const { uid, attempt } = request;
  const memory = memories.of(key, scene.release.uid);
  beginAttempt(memory, attempt);
  run(`scrape/${key}/${uid}`, async (signal) => {
    const answer = await scrapePod(scene, request, signal).then(
      (reading) => ({ reading }),
      (error: unknown) => ({ trouble: describeThrown(error) }),
    );
    if (!memories.holds(key, memory) || memory.attempt !== attempt) return;
    memory.scrapes.set(uid, scraped(memory.scrapes.get(uid), answer, now()));
    wake(key, { urgent: false });
  });
}

/** An answer that is missing in between says that nobody knows what came meanwhile. */
function scraped(
  before: Scraped | undefined,
  answer: { readonly reading: string } | { readonly trouble: string },
  at: number,
): Scraped {
  if ('trouble' in answer) return { at, trouble: answer.trouble };
  const { reading } = answer;
  return { at, reading, unchangedSince: before?.reading === reading ? (before.unchangedSince ?? at) : at };
}

function preflight(
  options: BesideOptions,
  memories: Memories,
  key: string,
  scene: Scene,
  wanted: string,
): void {
  const memory = memories.of(key, scene.release.uid);
  options.run(`preflight/${key}/${wanted}`, async (signal) => {
    const { aliases, stored, ...answer } = await options.preflight(scene, signal).catch(unanswered);
    if (!memories.holds(key, memory)) return;
    memory.preflight = { key: wanted, at: options.now(), ...answer };
    memory.aliases = { ...memory.aliases, ...aliases };
    memory.stored = stored;
    options.wake(key, { urgent: false });
  });
}

/** A webhook that is down, a server that is busy: people wait for the answer, and want to know what keeps it. */
function unanswered(error: unknown): PreflightAnswer & { unanswered: string } {
  return { problems: [], aliases: {}, unanswered: describeThrown(error) };
}

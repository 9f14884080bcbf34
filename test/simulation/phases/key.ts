/**
 * When two worlds are the same: numbers only tell which is later, and times only whether something is due. What is
 * searched are the classes; the worlds in them keep their real numbers and times.
 */
import { parseTime } from '../../../src/api/time.ts';
import type { RevisionFacts } from '../../../src/release/facts.ts';
import { parseMark, type SwitchMark } from '../../../src/release/mark.ts';
import { nameOf, type Revision, type Side, SPEC, type World } from './model.ts';

const SECOND = 1000;
/** Of src/release: how long the way back is waited for, and how long a switch holds the sizes. */
const PATIENCE = 60 * SECOND;

export function keyOf(world: World): string {
  const { service, status, now } = world;
  const mark = parseMark(service.mark, 'uid');
  const revisions = relevant(world, mark);
  const attempts = [...revisions.map(({ facts }) => facts.attempt), mark?.attempt ?? 0];
  const ranks = [...new Set(attempts)].toSorted((a, b) => a - b);
  const place = (name: string) => revisions.findIndex((revision) => nameOf(revision) === name);
  const latest = Math.max(0, ...attempts);
  const [verb, at] = world.action?.split('@') ?? [];
  const past = (time: number | undefined, ms: number) => (time === undefined ? '-' : now >= time + ms);
  const bad = parseTime(status.checks?.find(({ state }) => state === 'Bad')?.since);
  const subject = revisions.find(({ facts }) => facts.attempt === latest);
  const job = world.jobs.find(({ attempt }) => attempt === latest);
  const converged = past(service.switchedAt, SPEC.traffic.convergeSeconds * SECOND);
  const contents = [...new Set([...revisions.map(({ content }) => content), world.wish, world.source.runs])];
  return JSON.stringify([
    revisions.length === 0 ? world.wish : contents.indexOf(world.wish),
    world.suspend,
    Number(at) === latest ? verb : '',
    world.finalizer,
    sourceOf(world.source, contents, past),
    [service.color, service.followed, service.claimed, subject?.facts.outcome === undefined && converged],
    mark && [place(mark.revision), ranks.indexOf(mark.attempt), mark.direction],
    /^([A-Za-z]+):/.exec(service.reason ?? '')?.[1],
    [world.sides.blue, world.sides.green].map((side) => side && sideOf(side, place)),
    revisions.map(({ content, facts }) => [
      contents.indexOf(content),
      ranks.indexOf(facts.attempt),
      facts.outcome === undefined ? underWay(facts, past) : ended(facts, past),
    ]),
    job && [place(job.revision), job.state, job.deadlineExceeded],
    measuredOf(world, subject),
    [status.phase === 'Stalled', past(bad, 10 * SECOND), past(bad, PATIENCE)],
  ]);
}

function sourceOf(source: World['source'], contents: readonly string[], past: Past): unknown {
  const { runs, parkedAt, ...rest } = source;
  return [rest, past(parkedAt, PATIENCE), source.replicas > 0 && contents.indexOf(runs)];
}

function sideOf({ revision, desired, pods }: Side, place: (name: string) => number): unknown {
  return [place(revision), desired, pods.map((pod) => [place(pod.revision), pod.ready])];
}

/** The others are history: no rule reads them. */
function relevant({ revisions, sides }: World, mark: SwitchMark | undefined): Revision[] {
  const named = new Set([mark?.revision]);
  for (const side of Object.values(sides)) {
    named.add(side?.revision);
    for (const { revision } of side?.pods ?? []) named.add(revision);
  }
  const last = new Map<string, Revision>();
  for (const revision of revisions.toSorted((a, b) => a.facts.attempt - b.facts.attempt)) {
    const { color, outcome, rejected } = revision.facts;
    last.set('subject', revision);
    last.set(revision.content, revision);
    if (outcome?.kind === 'Committed' && rejected === undefined) last.set(color, revision);
  }
  const chosen = new Set(last.values());
  return revisions
    .filter((revision) => chosen.has(revision) || named.has(nameOf(revision)))
    .toSorted((a, b) => a.number - b.number);
}

type Past = (time: number | undefined, ms: number) => boolean | '-';

function underWay(facts: RevisionFacts, past: Past): unknown {
  const { color, adoption, startedAt, unreadySince, validatedAt, verifiedAt, returnWanted } = facts;
  const deadline = SPEC.preparation.deadlineSeconds * SECOND;
  // One deadline counts: from the last of these times.
  const since = validatedAt ?? unreadySince ?? startedAt;
  return [
    color,
    adoption,
    [unreadySince, validatedAt, verifiedAt].map((time) => time !== undefined),
    verifiedAt === undefined && past(since, deadline),
    past(verifiedAt, SPEC.traffic.drainSeconds * SECOND),
    past(verifiedAt, SPEC.observation.durationSeconds * SECOND),
    returnWanted && [returnWanted.reason, past(returnWanted.at, PATIENCE)],
  ];
}

function ended(facts: RevisionFacts, past: Past): unknown {
  const { color, outcome, rejected, verifiedAt, windowUntil, inconclusive } = facts;
  return [
    color,
    outcome?.kind,
    rejected !== undefined,
    outcome?.kind === 'Committed' && past(verifiedAt, SPEC.traffic.drainSeconds * SECOND),
    outcome?.kind === 'RolledBack' && past(outcome.at, SPEC.traffic.drainSeconds * SECOND),
    outcome?.kind === 'Committed' && past(windowUntil, 0),
    rejected === undefined && past(inconclusive?.retryAt, 0),
  ];
}

function measuredOf({ measured, now }: World, subject: Revision | undefined): unknown {
  const { verifiedAt, outcome } = subject?.facts ?? {};
  const counts =
    measured !== undefined && verifiedAt !== undefined && outcome === undefined && measured.at > verifiedAt;
  const next = (counts ? measured.at : (verifiedAt ?? 0)) + 30 * SECOND;
  return [counts && measured.verdict, outcome === undefined && verifiedAt !== undefined && now >= next];
}

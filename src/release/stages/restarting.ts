/** Another side is published; the consumers have yet to run with it. One after the other, forward and back. */
import { formatTime } from '../../api/time.ts';
import { credentialsDue } from '../../traffic/credentials.ts';
import { consumerInWords, type Following, follow, usedSince } from '../../traffic/endpoint.ts';
import type { Hold } from '../../traffic/hold.ts';
import { recordFacts } from '../effects.ts';
import type { ConsumerView } from '../endpoint-view.ts';
import type { Verdict } from '../plan.ts';
import type { Command, Roles, StartedRevision } from '../roles.ts';
import type { Snapshot } from '../snapshot.ts';
import { goBack } from './back.ts';
import { revertedTo, watch } from './observing.ts';
import { recordLoss, split } from './returning.ts';

export function restarting(snapshot: Snapshot, roles: Roles): Verdict {
  const { subject, command } = roles;
  if (subject === undefined || command === undefined)
    return { phase: 'Switching', reason: 'Nothing', message: 'no switch is under way' };
  const since = usedSince(snapshot, subject);
  const { verdicts, requests } =
    since === undefined ? { verdicts: [], requests: [] } : watch(snapshot, roles, subject, since);
  const breach = verdicts.find((verdict) => verdict.breach !== undefined)?.breach;
  const cause = revertedTo(snapshot, roles, subject) ?? breach;
  // Those that are not restarted yet need not be, and those that are need not wait for the others.
  if (cause !== undefined && roles.target !== undefined) return goBack(snapshot, roles, subject, cause);
  return { ...restartNext(snapshot, roles, subject, command), requests };
}

function restartNext(snapshot: Snapshot, roles: Roles, subject: StartedRevision, command: Command): Verdict {
  const { color } = subject.facts;
  const unpublished = withoutCredentials(snapshot, roles, subject);
  if (unpublished !== undefined) return unpublished;
  const following = follow(snapshot, subject, false);
  const { behind, hold, effects, deadline } = following;
  if (behind === undefined) {
    const decidedAt = command.decidedAt ?? snapshot.now;
    return {
      phase: 'Observing',
      reason: 'SwitchVerified',
      message: `every consumer runs with what is published of ${color}: watching revision ${subject.name}`,
      effects: [recordFacts(subject, { ...subject.facts, decidedAt, verifiedAt: snapshot.now })],
    };
  }
  const seen = progressInWords(snapshot, behind, following);
  const limit = subject.frozen.traffic.endpoint?.restartSeconds ?? 0;
  // A restart that is due and never happens is refused by somebody: that has a time of its own.
  const isRefused = hold === undefined ? effects.length > 0 : hold.reason === 'ConsumerRefused';
  const until =
    (deadline ?? (command.decidedAt ?? snapshot.now) + limit * 1000) + (isRefused ? limit * 1000 : 0);
  if (snapshot.now >= until) {
    const waited = `${seen} ${isRefused ? 'failed for' : 'after'} ${limit} seconds`;
    const message = inWords(behind, hold) ?? waited;
    return goBack(snapshot, roles, subject, { reason: 'ConsumerNotRestarted', message });
  }
  const verdict = { phase: 'Switching' as const, reason: 'RestartingConsumers' };
  if (effects.length > 0) return { ...verdict, message: seen, effects };
  return { ...verdict, message: `${seen}, waiting until ${formatTime(until)}`, lookAgainAt: until };
}

/** The credentials cannot follow: nobody is restarted, and all goes back if they have not followed in time. */
function withoutCredentials(snapshot: Snapshot, roles: Roles, subject: StartedRevision): Verdict | undefined {
  const due = credentialsDue(snapshot, subject, roles);
  if (due === undefined) return undefined;
  const message = due.trouble ?? `the credentials of ${subject.facts.color} are not published yet`;
  const decidedAt = roles.command?.decidedAt ?? snapshot.now;
  const until = decidedAt + subject.frozen.traffic.convergeSeconds * 1000;
  if (due.isVoid || snapshot.now >= until)
    return goBack(snapshot, roles, subject, { reason: 'CredentialsNotPublished', message });
  const waiting = `${message}; waiting until ${formatTime(until)}`;
  return { phase: 'Switching', reason: 'PublishingCredentials', message: waiting, lookAgainAt: until };
}

/** One that has had its time holds up no other: they must not stay on a side that was left. */
export function restartingBack(snapshot: Snapshot, roles: Roles): Verdict {
  const { command, loser } = roles;
  if (command === undefined || loser === undefined)
    return { phase: 'RollingBack', reason: 'Nothing', message: 'no rollback is under way' };
  const { color, revision } = command;
  const due = credentialsDue(snapshot, revision, roles);
  if (due !== undefined) {
    const why = due.trouble ?? 'its credentials are not published yet';
    const message = `${color} (revision ${revision.name}) is published again, and nobody is restarted yet: ${why}`;
    return {
      phase: 'RollingBack',
      reason: 'PublishingCredentials',
      message,
      stalled: due.trouble !== undefined,
    };
  }
  const following = follow(snapshot, revision, true);
  const { behind, hold, effects, deadline } = following;
  if (behind !== undefined) {
    return {
      phase: 'RollingBack',
      reason: 'RestartingConsumers',
      message: `${color} (revision ${revision.name}) is published again: ${progressInWords(snapshot, behind, following)}`,
      effects,
      stalled:
        effects.length === 0 && (hold !== undefined || (deadline !== undefined && snapshot.now >= deadline)),
    };
  }
  const [reason, why] = split(command.reason);
  return {
    phase: 'RolledBack',
    reason: 'RolledBack',
    message: `every consumer is back on ${color} (revision ${revision.name}): ${why}`,
    effects: [recordLoss(snapshot, loser, { kind: 'RolledBack', at: snapshot.now, reason, message: why })],
  };
}

const inWords = (consumer: ConsumerView, hold: Hold | undefined): string | undefined =>
  hold && `${consumerInWords(consumer)} ${hold.clause}`;

export function progressInWords(
  { endpoint }: Snapshot,
  behind: ConsumerView,
  { hold, effects }: Following,
): string {
  const consumers = endpoint?.consumers ?? [];
  const next = effects.map((effect) => (effect.kind === 'RestartConsumer' ? effect.name : '')).at(0);
  const said = consumers.find(({ name }) => name === next) ?? behind;
  const place = `(${consumers.indexOf(said) + 1} of ${consumers.length})`;
  if (next !== undefined) return `restarting ${consumerInWords(said)} ${place}`;
  const why = hold?.clause ?? `does not run with it yet: ${said.progress}`;
  return `${consumerInWords(said)} ${place} ${why}`;
}

/**
 * What people ask for, by annotation: `bluegreen.dev/action: <verb>@<attempt>`. The attempt makes an order good for
 * one release only: it cannot be replayed, and it cannot hit a release that its author did not mean.
 */
import type { Verdict } from './plan.ts';
import type { Roles, Stage } from './roles.ts';
import type { Snapshot } from './snapshot.ts';
import { goBack } from './stages/back.ts';
import { commit } from './stages/observing.ts';
import { end } from './stages/preparing.ts';
import { judgeInput, startAttempt } from './start.ts';

const VERBS = ['promote', 'abort', 'rollback', 'retry'] as const;
type Verb = (typeof VERBS)[number];

/** undefined for anything but a known verb at the present attempt. */
function parseAction(text: string | undefined, attempt: number): Verb | undefined {
  const [verb, at] = text?.split('@') ?? [];
  return at === String(attempt) ? VERBS.find((known) => known === verb) : undefined;
}

export function act(snapshot: Snapshot, roles: Roles): Verdict | undefined {
  const verb = parseAction(snapshot.release.action, roles.attempt);
  return verb && ACTIONS[verb][roles.stage]?.(snapshot, roles);
}

type Action = (snapshot: Snapshot, roles: Roles) => Verdict | undefined;

const giveUp: Action = (snapshot, { subject }) =>
  subject &&
  end(snapshot, subject, 'Failed', 'Aborted', `revision ${subject.name} was aborted by annotation`);

const rollBack: Action = (snapshot, roles) =>
  roles.active &&
  roles.target &&
  goBack(snapshot, roles, roles.active, {
    reason: 'Requested',
    message: `a rollback of revision ${roles.active.name} was requested by annotation`,
  });

/** An order is carried out once: the side that it led to may have a target of its own. */
const rollBackOnce: Action = (snapshot, roles) =>
  wentBack(snapshot, roles) ? undefined : rollBack(snapshot, roles);

function wentBack({ revisions }: Snapshot, { command, subject, attempt }: Roles): boolean {
  if (command?.mark.direction === 'Back' && command.mark.attempt === attempt) return true;
  const since = subject?.facts.startedAt ?? 0;
  return revisions.some(({ facts }) => facts?.outcome?.kind === 'RolledBack' && facts.outcome.at >= since);
}

const keep: Action = (snapshot, { subject }) =>
  subject && commit(snapshot, subject, 'promoted by annotation');

/** Only for content that would not start by itself. */
const retry: Action = (snapshot, roles) => {
  const { active, target } = roles;
  const wished = snapshot.wish?.fingerprint;
  if (active === undefined || snapshot.release.spec.suspend) return undefined;
  if (wished === active.fingerprint || wished === target?.fingerprint) return undefined;
  const message = `attempt ${roles.attempt + 1} was requested by annotation`;
  return (
    judgeInput(snapshot, roles) ?? {
      phase: 'Preparing',
      reason: 'ReleaseStarted',
      message,
      effects: [startAttempt(snapshot, roles)],
    }
  );
};

const ACTIONS: Record<Verb, Partial<Record<Stage, Action>>> = {
  abort: { Preparing: giveUp, Switching: rollBack, Observing: rollBack },
  rollback: { Switching: rollBack, Observing: rollBack, Resting: rollBackOnce },
  promote: { Observing: keep },
  retry: { Resting: retry },
};

/** An order that nothing can come of must not be met with silence. */
export function unheard(snapshot: Snapshot, roles: Roles): string {
  const verb = parseAction(snapshot.release.action, roles.attempt);
  if (verb !== 'rollback' || roles.target !== undefined || wentBack(snapshot, roles)) return '';
  return `; ${snapshot.release.action} is not possible: no earlier revision stands by inside a rollback window`;
}

/** An order that waits for its stage skips the watch when that comes: nobody may be surprised by it. */
export function waitingOrder(snapshot: Snapshot, { stage, attempt }: Roles): string {
  const verb = parseAction(snapshot.release.action, attempt);
  if (verb !== 'promote' || (stage !== 'Preparing' && stage !== 'Switching')) return '';
  return `; ${snapshot.release.action} waits until the traffic has moved, and then commits without a watch`;
}

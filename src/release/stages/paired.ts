/**
 * A pair at its beginning, at its end, and where people roll something out in production by themselves. What serves is
 * taken as it is: no gate has seen it, and the revision that is recorded says so.
 */
import { COLORS, type Color } from '../../api/status.ts';
import { sideInWords } from '../../api/workload.ts';
import { moveTraffic } from '../effects.ts';
import { otherColor, readyCount, selectedColor } from '../endpoints.ts';
import type { Outcome, RevisionFacts } from '../facts.ts';
import { claimPaired, releasePaired, servingSide } from '../pair.ts';
import type { Verdict } from '../plan.ts';
import type { Roles, StartedRevision } from '../roles.ts';
import type { ColorDeploymentView, Snapshot } from '../snapshot.ts';
import { freeze } from '../start.ts';
import { claims, dismiss, removeTwins, returnServices, twins } from '../upkeep.ts';

/** Labels and twins first, then the key where it is missing, then the revision: nothing of it moves traffic. */
export function takeOver(snapshot: Snapshot): Verdict {
  const color = servingSide(snapshot);
  const deployment = color && snapshot.sides[color].deployment;
  if (color === undefined || deployment === undefined)
    return { phase: 'Stalled', reason: 'ActiveUnknown', message: 'no side serves', stalled: true };
  const prepared = [...claims(snapshot), ...claimPaired(snapshot), ...twins(snapshot)];
  if (prepared.length > 0) {
    const message = 'claiming the production Services and the two workloads';
    return { phase: 'Adopting', reason: 'ClaimingPair', message, effects: prepared };
  }
  const message = `${color} serves already: taking it over as revision r1`;
  const beside = snapshot.sides[otherColor(color)].deployment?.fingerprint;
  const facts = {
    ...takenFacts(snapshot, color, 1, 'TakenOver', message),
    // Scaled to 0 by mistake it comes back as large as that.
    verifiedReady: Math.max(deployment.ready, deployment.desired),
    ...(beside && { beside }),
  };
  return (
    addKey(snapshot, color) ??
    rollingOut(snapshot, deployment, color) ??
    record(snapshot, deployment, facts, 'Adopting')
  );
}

/** What is written there is not what serves: recorded now, it would be taken for something that ever had traffic. */
function rollingOut(
  { release }: Snapshot,
  deployment: ColorDeploymentView,
  color: Color,
): Verdict | undefined {
  if (isOfOneTemplate(deployment)) return undefined;
  const message = `${sideInWords(release, color)} serves and is being rolled out (${deployment.updated} of ${deployment.pods} pods are of its latest template): it is taken over after that`;
  return { phase: 'Adopting', reason: 'WaitingForRollout', message };
}

/** Only one side has pods, and nothing else is behind the Services: with the key they select what they did without. */
function addKey(snapshot: Snapshot, color: Color): Verdict | undefined {
  const { selectorLabel } = snapshot.release.spec.traffic;
  const keyless = snapshot.services.filter((service) => selectedColor(service, selectorLabel) === undefined);
  if (keyless.length === 0) return undefined;
  const message = `only ${color} has pods: the selectors get ${selectorLabel}: ${color}`;
  const mark = {
    uid: snapshot.release.uid,
    revision: 'r1',
    attempt: 1,
    direction: 'Forward' as const,
  };
  const reason = `KeyAdded: ${message}`;
  const effects = moveTraffic(snapshot, { color, mark, reason, rescue: false }, keyless);
  return { phase: 'Adopting', reason: 'KeyAdded', message, effects };
}

type Taken = RevisionFacts & { readonly outcome: Outcome };

function takenFacts(
  { now }: Snapshot,
  color: Color,
  attempt: number,
  reason: string,
  message: string,
): Taken {
  return {
    color,
    attempt,
    startedAt: now,
    validatedAt: now,
    verifiedAt: now,
    committedAt: now,
    outcome: { kind: 'Committed', at: now, reason, message },
  };
}

function record(
  snapshot: Snapshot,
  { fingerprint }: ColorDeploymentView,
  facts: Taken,
  phase: Verdict['phase'],
): Verdict {
  const { reason, message } = facts.outcome;
  return { phase, reason, message, effects: [freeze(snapshot, facts.color, fingerprint, facts)] };
}

/**
 * Somebody rolled out another template on the side that serves. Once it has, that is what a rollback would have to
 * return to: it gets a revision of its own. The window of the one before stays open.
 */
export function takeEdited(snapshot: Snapshot, roles: Roles, active: StartedRevision): Verdict | undefined {
  const { color, windowUntil, verifiedAt, decidedAt, beside } = active.facts;
  const { deployment } = snapshot.sides[color];
  if (snapshot.pair === undefined || deployment === undefined) return undefined;
  if (deployment.revision === active.name || !isRolledOut(deployment)) return undefined;
  const known = snapshot.revisions.findLast(({ fingerprint }) => fingerprint === deployment.fingerprint);
  const ready = readyCount(snapshot, color);
  if (known?.facts?.rejected !== undefined || ready === 0) return undefined;
  const by = deployment.writer ?? 'another writer';
  const message = `${sideInWords(snapshot.release, color)} was rolled out in production by ${by}: that is a revision of its own, and no gate has seen it`;
  const facts = takenFacts(snapshot, color, roles.attempt + 1, 'RolledOutInPlace', message);
  return record(
    snapshot,
    deployment,
    {
      ...facts,
      verifiedReady: ready,
      ...(verifiedAt !== undefined && { verifiedAt }),
      ...(decidedAt !== undefined && { decidedAt }),
      ...(windowUntil !== undefined && { windowUntil }),
      ...(beside !== undefined && { beside }),
    },
    'Idle',
  );
}

function isRolledOut(deployment: ColorDeploymentView): boolean {
  const { pods, available, desired } = deployment;
  return isOfOneTemplate(deployment) && pods > 0 && available >= desired;
}

/** Whether all of them are ready is another question: production that is ill can be taken over, and then mended. */
function isOfOneTemplate({ observed, updated, pods }: ColorDeploymentView): boolean {
  return observed && updated === pods;
}

/** The release goes: both sides stay as they are, with the key in the selectors; what is ours goes from them. */
export function leavePair(snapshot: Snapshot): Verdict {
  return {
    phase: 'Deleting',
    reason: 'PairKept',
    message: 'both workloads stay as they are: labels, notes and twins are removed',
    effects: [
      ...releasePaired(snapshot),
      ...removeTwins(snapshot),
      ...dismiss(snapshot, COLORS),
      ...returnServices(snapshot, COLORS),
      { kind: 'RemoveFinalizer' },
    ],
  };
}

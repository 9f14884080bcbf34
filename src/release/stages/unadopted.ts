/** Nothing of this release exists yet: the source has the traffic, or a colour that an earlier release left behind. */
import { revisionLabel } from '../../api/names.ts';
import type { Color } from '../../api/status.ts';
import { moveTraffic } from '../effects.ts';
import { selectedColor } from '../endpoints.ts';
import type { Verdict } from '../plan.ts';
import type { Roles } from '../roles.ts';
import type { ColorDeploymentView, Snapshot } from '../snapshot.ts';
import { freeze, judgeInput } from '../start.ts';
import { claims, twins } from '../upkeep.ts';
import { letRun } from './adopting.ts';
import { freezeFirst } from './first.ts';
import { takeOver } from './paired.ts';

export function unadopted(snapshot: Snapshot, roles: Roles): Verdict {
  if (!snapshot.release.hasFinalizer) {
    const message = 'protecting what production will depend on';
    return { phase: 'Adopting', reason: 'AddingFinalizer', message, effects: [{ kind: 'AddFinalizer' }] };
  }
  if (snapshot.release.spec.suspend) {
    return { phase: 'Suspended', reason: 'Suspended', message: 'spec.suspend is set: nothing is started' };
  }
  const refusal = judgeInput(snapshot, roles);
  if (refusal !== undefined) return { ...refusal, phase: refusal.stalled ? 'Stalled' : 'Adopting' };
  if (snapshot.pair !== undefined) return takeOver(snapshot);
  const claimed = claims(snapshot);
  if (claimed.length > 0) {
    return {
      phase: 'Adopting',
      reason: snapshot.endpoint === undefined ? 'ClaimingServices' : 'ClaimingEndpoint',
      message:
        snapshot.endpoint === undefined ? 'claiming the production Services' : 'claiming what is published',
      effects: claimed,
    };
  }
  const kept = keptSide(snapshot);
  return kept === undefined ? (leftHeld(snapshot) ?? freezeFirst(snapshot, roles)) : readopt(snapshot, kept);
}

/** Held by a release of this name, of which nothing else is left. Where people have paused it that is theirs to end. */
function leftHeld(snapshot: Snapshot): Verdict | undefined {
  const { release, source } = snapshot;
  return source?.claimedBy === release.name ? letRun(snapshot, undefined, source) : undefined;
}

interface Kept {
  readonly color: Color;
  readonly deployment: ColorDeploymentView;
}

/** A colour that an earlier release of this name left serving: that it is ours, and the only one named, was judged before. */
function keptSide(snapshot: Snapshot): Kept | undefined {
  const label = snapshot.release.spec.traffic.selectorLabel;
  const color = snapshot.services
    .map((service) => selectedColor(service, label))
    .find((selected) => selected !== undefined);
  const deployment = color && snapshot.sides[color].deployment;
  return color && deployment && { color, deployment };
}

/**
 * The revision keeps the name that the colour's pods carry: under another one the Deployment would not be the
 * revision's, and a later rollback to it would have to build it anew first.
 */
function readopt(snapshot: Snapshot, { color, deployment }: Kept): Verdict {
  const now = snapshot.now;
  const number = Number(/^r([1-9][0-9]{0,8})$/.exec(deployment.revision ?? '')?.[1] ?? 1);
  const revision = revisionLabel(number);
  const message = `${color} serves already: taking it over as revision ${revision}`;
  const outcome = { kind: 'Committed' as const, at: now, reason: 'Readopted', message };
  const facts = {
    color,
    attempt: 1,
    startedAt: now,
    validatedAt: now,
    verifiedAt: now,
    committedAt: now,
    outcome,
  };
  const mark = { uid: snapshot.release.uid, revision, attempt: 1, direction: 'Forward' as const };
  return {
    phase: 'Adopting',
    reason: 'Readopting',
    message,
    effects: [
      ...twins(snapshot),
      freeze(snapshot, color, deployment.fingerprint, facts, number),
      ...moveTraffic(snapshot, { color, mark, reason: `Readopted: ${message}`, rescue: false }),
    ],
  };
}

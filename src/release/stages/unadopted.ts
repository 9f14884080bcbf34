/** Nothing of this release exists yet: the source has the traffic, or a colour that an earlier release left behind. */
import { revisionLabel } from '../../api/names.ts';
import type { Color } from '../../api/status.ts';
import { type External, workloadOf } from '../../api/workload.ts';
import { sideOf } from '../../traffic/endpoint.ts';
import { moveTraffic } from '../effects.ts';
import type { EndpointView } from '../endpoint-view.ts';
import { selectedColor } from '../endpoints.ts';
import type { Verdict } from '../plan.ts';
import type { Roles } from '../roles.ts';
import type { ColorDeploymentView, Snapshot } from '../snapshot.ts';
import { freeze, judgeInput } from '../start.ts';
import { claims, twins } from '../upkeep.ts';
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
  return kept === undefined ? adopt(snapshot) : readopt(snapshot, kept);
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

/** What really runs is kept, which need not be what the Deployment wishes for. */
function adopt(snapshot: Snapshot): Verdict {
  const { source, wish } = snapshot;
  const workload = workloadOf(snapshot.release.spec);
  if (workload.kind === 'External' && snapshot.endpoint !== undefined)
    return beginExternal(snapshot, snapshot.endpoint, workload.external);
  if (wish !== undefined && workload.kind === 'Deployment') return begin(snapshot, wish.fingerprint);
  if (source?.live === undefined) {
    const message = `waiting for a ready pod of Deployment "${source?.name}": only what really runs can be adopted`;
    return { phase: 'Adopting', reason: 'WaitingForSource', message, lookAgainAt: snapshot.now + 5000 };
  }
  const message = `adopting what ReplicaSet "${source.live.replicaSet}" runs as revision r1`;
  const facts = {
    color: 'blue' as const,
    attempt: 1,
    startedAt: snapshot.now,
    adoption: true,
    sourceReplicas: source.replicas,
  };
  return {
    phase: 'Adopting',
    reason: 'FreezingRevision',
    message,
    effects: [freeze(snapshot, 'live', source.live.fingerprint, facts)],
  };
}

/** Nothing serves yet: the first revision is built at once, and what is ready of it serves. */
function begin(snapshot: Snapshot, wished: string): Verdict {
  const facts = { color: 'blue' as const, attempt: 1, startedAt: snapshot.now, adoption: true };
  return {
    phase: 'Adopting',
    reason: 'FreezingRevision',
    message: 'nothing serves yet: spec.workload.deployment becomes revision r1',
    effects: [freeze(snapshot, 'source', wished, facts)],
  };
}

/** What the published ConfigMap says is what consumers use; where it says nothing, it is what the spec says. */
function beginExternal(snapshot: Snapshot, endpoint: EndpointView, external: External): Verdict {
  const published = sideOf(endpoint.data, external);
  const color = published ?? external.active;
  const facts = { color, attempt: 1, startedAt: snapshot.now, adoption: true };
  const why =
    published === undefined ? 'nothing is published yet' : `ConfigMap "${endpoint.name}" says ${color}`;
  return {
    phase: 'Adopting',
    reason: 'FreezingRevision',
    message: `${why}: spec.workload.external.${color} becomes revision r1`,
    effects: [freeze(snapshot, 'source', endpoint.fingerprints[color], facts)],
  };
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

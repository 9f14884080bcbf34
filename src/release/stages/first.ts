/**
 * The first revision: what really runs outside of the release is taken over; what stands in the release alone, or is
 * said of an environment, is begun with. Under the next attempt once more, where nothing of it ever served.
 */
import { revisionLabel } from '../../api/names.ts';
import type { External } from '../../api/workload.ts';
import { sideOf } from '../../traffic/endpoint.ts';
import type { EndpointView } from '../endpoint-view.ts';
import type { RevisionFacts } from '../facts.ts';
import type { Effect, Verdict } from '../plan.ts';
import type { Roles } from '../roles.ts';
import type { Snapshot, SourceView } from '../snapshot.ts';
import { freeze, nextNumber } from '../start.ts';

/** Which pods of the source are ready is asked for, and not watched. */
export const SOURCE_AGAIN_MS = 5000;

export function freezeFirst(snapshot: Snapshot, { subject, attempt }: Roles): Verdict {
  const { source, wish, endpoint, now } = snapshot;
  const { external } = snapshot.release.spec.workload;
  const color = subject?.facts.color;
  const facts: RevisionFacts = {
    color: color ?? 'blue',
    attempt: attempt + 1,
    startedAt: now,
    adoption: true,
  };
  if (external !== undefined && endpoint !== undefined)
    return color === undefined
      ? beginExternal(snapshot, facts, endpoint, external)
      : beginOn(snapshot, facts, endpoint, `nobody is known to use ${color} yet`);
  if (source !== undefined) return adopt(snapshot, facts, source);
  return freezing(
    snapshot,
    'nothing serves yet: spec.workload.deployment becomes',
    freeze(snapshot, 'source', wish?.fingerprint ?? '', facts),
  );
}

function freezing(snapshot: Snapshot, what: string, effect: Effect): Verdict {
  const message = `${what} revision ${revisionLabel(nextNumber(snapshot))}`;
  return { phase: 'Adopting', reason: 'FreezingRevision', message, effects: [effect] };
}

/** What really runs is kept, which need not be what the Deployment wishes for. */
function adopt(snapshot: Snapshot, facts: RevisionFacts, source: SourceView): Verdict {
  const { wish, now } = snapshot;
  const adopting = { ...facts, sourceReplicas: source.replicas };
  if (source.live !== undefined) {
    const { fingerprint, replicaSet } = source.live;
    const what = `adopting what ReplicaSet "${replicaSet}" runs as`;
    return freezing(snapshot, what, freeze(snapshot, 'live', fingerprint, { ...adopting, replicaSet }));
  }
  if (wish !== undefined && facts.attempt > 1 && isRolledOutInVain(source)) {
    const what = `no pod of Deployment "${source.name}" is ready, and all are of what it says: that becomes`;
    return freezing(snapshot, what, freeze(snapshot, 'source', wish.fingerprint, adopting));
  }
  const message = `waiting for a ready pod of Deployment "${source.name}": only what really runs can be adopted`;
  return { phase: 'Adopting', reason: 'WaitingForSource', message, lookAgainAt: now + SOURCE_AGAIN_MS };
}

/** Let run again it has nothing left to roll out: what people have put right beside it, new pods alone would show. */
function isRolledOutInVain({ ready, replicas, paused, rolledOut }: SourceView): boolean {
  return ready === 0 && replicas > 0 && !paused && rolledOut === true;
}

/** What the published ConfigMap says is what consumers use; where it says nothing, it is what the spec says. */
function beginExternal(
  snapshot: Snapshot,
  facts: RevisionFacts,
  endpoint: EndpointView,
  external: External,
): Verdict {
  const published = sideOf(endpoint.data, external);
  const color = published ?? external.active;
  const why =
    published === undefined ? 'nothing is published yet' : `ConfigMap "${endpoint.name}" says ${color}`;
  return beginOn(snapshot, { ...facts, color }, endpoint, why);
}

function beginOn(snapshot: Snapshot, facts: RevisionFacts, endpoint: EndpointView, why: string): Verdict {
  const { color } = facts;
  const what = `${why}: spec.workload.external.${color} becomes`;
  return freezing(snapshot, what, freeze(snapshot, 'source', endpoint.fingerprints[color], facts));
}
